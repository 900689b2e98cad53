//! What the main thread does beside the stages of a run with threads: it hands commands on when their time has
//! come, and judges latencies.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use fusewire_core::alert::Alert;
use fusewire_core::event::{Control, GateBreach};
use fusewire_core::latency::{Clock, Counts, Latencies, Span};
use fusewire_core::sequencer::ControlInput;
use fusewire_core::stage::Horizon;
use fusewire_core::units::Nanos;

use crate::config::GatesSection;
use crate::journal::text::alert_text;
use crate::latency::quantile;

/// What part of the latencies of a window must keep the budget.
const QUANTILE: f64 = 0.99;

/// Whether a breach becomes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnBreach {
    /// It is sequenced, journaled, and seen by every stage.
    Sequence,
    /// It is counted.
    Report,
}

/// Commands that wait for their time, and the latency gates.
pub(super) struct Watch {
    horizon: Horizon,
    commands: Arc<ArrayQueue<ControlInput>>,
    /// In the order of time.
    waiting: VecDeque<ControlInput>,
    gates: Gates,
    on_breach: OnBreach,
    /// What the risk stage wants people to know.
    alerts: Arc<ArrayQueue<Alert>>,
}

/// The gates of a run: one window of latencies after another.
pub(super) struct Gates {
    latencies: Latencies,
    config: GatesSection,
    clock: Clock,
    /// When the window ends.
    until: u64,
    /// What was counted when it began, by span.
    before: Vec<Counts>,
    /// By span.
    breaches: [u64; Span::ALL.len()],
}

impl Gates {
    pub(super) fn new(latencies: Latencies, config: GatesSection, clock: Clock) -> Self {
        let before = Span::ALL.map(|span| latencies.read(span)).into();
        let until = clock().saturating_add(window_ns(&config));
        Self { latencies, config, clock, until, before, breaches: [0; Span::ALL.len()] }
    }

    /// Judges the window if it has ended.
    fn look(&mut self) -> Vec<GateBreach> {
        let now = (self.clock)();
        if now < self.until {
            return Vec::new();
        }
        self.until = now.saturating_add(window_ns(&self.config));
        self.judge()
    }

    /// Judges what was counted since the last time, and begins anew.
    pub(super) fn judge(&mut self) -> Vec<GateBreach> {
        let mut breaches = Vec::new();
        for span in Span::ALL {
            let now = self.latencies.read(span);
            let window = now.since(&self.before[span as usize]);
            self.before[span as usize] = now;
            let Some(budget) = self.config.budget(span) else { continue };
            if window.total() < u64::from(self.config.samples_min) {
                continue;
            }
            let measured = Nanos(quantile(&window, QUANTILE));
            if measured > budget {
                self.breaches[span as usize] += 1;
                breaches.push(GateBreach { span, measured, budget });
            }
        }
        breaches
    }
}

fn window_ns(config: &GatesSection) -> u64 {
    u64::from(config.window_ms) * Nanos::MILLI
}

impl Watch {
    pub(super) fn new(
        horizon: Horizon,
        commands: Arc<ArrayQueue<ControlInput>>,
        waiting: Vec<ControlInput>,
        gates: Gates,
        on_breach: OnBreach,
        alerts: Arc<ArrayQueue<Alert>>,
    ) -> Self {
        Self { horizon, commands, waiting: waiting.into(), gates, on_breach, alerts }
    }

    /// Windows that broke a budget, by span. What was counted since the last one is judged here; of an inline run, or
    /// one that is shorter than a window, that is everything.
    pub(super) fn into_breaches(mut self) -> [u64; Span::ALL.len()] {
        self.tell_alerts();
        self.gates.judge();
        self.gates.breaches
    }

    /// Tells the alerts that came since the last time, a line each.
    fn tell_alerts(&self) {
        while let Some(alert) = self.alerts.pop() {
            tracing::error!("{}", alert_text(&alert));
        }
    }

    /// One look.
    pub(super) fn look(&mut self) {
        self.tell_alerts();
        let now = self.horizon.get();
        while self.waiting.front().is_some_and(|command| command.at <= now) {
            let Some(command) = self.waiting.pop_front() else { break };
            if let Err(command) = self.commands.push(command) {
                // The queue is full: at the next look.
                self.waiting.push_front(command);
                return;
            }
        }
        for breach in self.gates.look() {
            tracing::warn!(
                span = breach.span.name(),
                p99_ns = breach.measured.0,
                budget_ns = breach.budget.0,
                "latency gate"
            );
            if self.on_breach == OnBreach::Sequence {
                let input = ControlInput { at: now, control: Control::GateBreach(breach) };
                if self.commands.push(input).is_err() {
                    tracing::warn!(
                        "the command queue is full: a breach is counted and not sequenced"
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use fusewire_core::kill::Level;

    use super::*;
    use crate::config::Config;

    thread_local! {
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    fn clock() -> u64 {
        NOW.get()
    }

    fn config() -> GatesSection {
        let gates = Config::default().gates;
        GatesSection { samples_min: 10, window_ms: 1_000, risk_p99_us: 5, ..gates }
    }

    fn watch(on_breach: OnBreach, waiting: Vec<ControlInput>, room: usize) -> (Watch, Latencies) {
        NOW.set(1);
        let latencies = Latencies::private().unwrap();
        let gates = Gates::new(latencies.clone(), config(), clock);
        let commands = Arc::new(ArrayQueue::new(room));
        let alerts = Arc::new(ArrayQueue::new(1));
        (Watch::new(Horizon::new(), commands, waiting, gates, on_breach, alerts), latencies)
    }

    fn record(latencies: &Latencies, span: Span, count: usize, ns: u64) {
        let mut recorder = latencies.recorder(span);
        (0..count).for_each(|_| recorder.record(ns));
    }

    #[test]
    fn a_window_over_its_budget_is_a_breach_and_the_next_one_begins_anew() {
        let (mut watch, latencies) = watch(OnBreach::Sequence, Vec::new(), 4);
        watch.horizon.advance(Nanos(77));
        record(&latencies, Span::Risk, 98, 100);
        record(&latencies, Span::Risk, 2, 9_000);
        watch.look();
        assert!(watch.commands.is_empty(), "the window has not ended");
        NOW.set(1_000_000_001);
        watch.look();
        let input = watch.commands.pop().unwrap();
        let Control::GateBreach(breach) = input.control else { panic!("{input:?}") };
        assert_eq!((input.at, breach.span), (Nanos(77), Span::Risk));
        assert_eq!((breach.measured, breach.budget), (Nanos(9_000), Nanos(5_000)));
        // One in a hundred may be late, and too few say nothing.
        record(&latencies, Span::Risk, 199, 100);
        record(&latencies, Span::Risk, 1, 9_000);
        NOW.set(2_000_000_001);
        watch.look();
        record(&latencies, Span::Risk, 9, 9_000);
        NOW.set(3_000_000_001);
        watch.look();
        assert!(watch.commands.is_empty());
        assert_eq!(watch.into_breaches()[Span::Risk as usize], 1);
    }

    #[test]
    fn a_breach_may_be_reported_alone() {
        let (mut watch, latencies) = watch(OnBreach::Report, Vec::new(), 4);
        record(&latencies, Span::Risk, 100, 9_000);
        NOW.set(1_000_000_001);
        watch.look();
        assert!(watch.commands.is_empty());
        assert_eq!(watch.into_breaches(), [0, 0, 0, 1, 0, 0]);
    }

    /// The last window is judged too, however short the run was.
    #[test]
    fn what_is_left_at_the_end_is_a_window() {
        for (count, breaches) in [(9, 0), (10, 1)] {
            let (watch, latencies) = watch(OnBreach::Report, Vec::new(), 4);
            record(&latencies, Span::Risk, count, 9_000);
            assert_eq!(watch.into_breaches()[Span::Risk as usize], breaches);
        }
    }

    #[test]
    fn commands_are_handed_on_at_their_time_and_wait_for_room() {
        let raise = |at| ControlInput { at: Nanos(at), control: Control::Raise(Level::Halt) };
        let (mut watch, _) = watch(OnBreach::Report, vec![raise(5), raise(6), raise(9)], 1);
        watch.look();
        assert!(watch.commands.is_empty());
        watch.horizon.advance(Nanos(6));
        for expected in [Some(raise(5)), Some(raise(6)), None] {
            watch.look();
            assert_eq!(watch.commands.pop(), expected);
        }
    }
}
