//! What a stage measures with.

use super::{Latencies, Recorder, Span};

/// A monotonic clock of the machine in ns. The edges hand it in: nothing here reads one by itself.
pub type Clock = fn() -> u64;

/// When a message passed which boundary, in ns of the run's clock. It is measured and never part of what a
/// message says: two messages that differ only here are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamp {
    /// Its frame was in hand; 0 for what comes from no frame, and without a clock.
    pub taken: u64,
    /// The stage before handed it on; 0 when this message is not measured.
    pub passed: u64,
}

impl PartialEq for Stamp {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Stamp {}

/// Measures one stage. Without a clock it measures nothing.
#[derive(Debug, Default)]
pub struct Probe {
    on: Option<On>,
    /// The last reading.
    now: u64,
}

#[derive(Debug)]
struct On {
    clock: Clock,
    recorder: Recorder,
    trades: Option<Recorder>,
    sample: u64,
}

impl Probe {
    /// A probe of a stage. Of messages that come from no frame every `sample`-th is measured.
    #[must_use]
    pub fn new(clock: Clock, latencies: &Latencies, span: Span, sample: u32) -> Self {
        let trades = (span == Span::Gateway).then(|| latencies.recorder(Span::TickToTrade));
        let (recorder, sample) = (latencies.recorder(span), u64::from(sample.max(1)));
        Self { on: Some(On { clock, recorder, trades, sample }), now: 0 }
    }

    /// A message is about to be handed on: counts how long it took since the stage before did so, when it is
    /// measured, and stamps it anew. Returns the latest time that the stage knows.
    pub fn pass(&mut self, stamp: &mut Stamp) -> u64 {
        if let (Some(on), true) = (&mut self.on, stamp.passed > 0) {
            let now = (on.clock)();
            on.recorder.record(now.saturating_sub(stamp.passed));
            (stamp.passed, self.now) = (now, now);
        }
        self.at(*stamp)
    }

    /// The latest time that the stage knows with a message in hand: that of its stamp, or of its own last reading.
    pub fn at(&mut self, stamp: Stamp) -> u64 {
        self.now = self.now.max(stamp.taken).max(stamp.passed);
        self.now
    }

    /// Stamps message `number`, which begins here, if it is to be measured.
    pub fn begin(&mut self, number: u64) -> Stamp {
        let Some(on) = self.on.as_ref().filter(|on| number.is_multiple_of(on.sample)) else {
            return Stamp::default();
        };
        self.now = (on.clock)();
        Stamp { taken: 0, passed: self.now }
    }

    /// The bytes of an order are encoded: counts the way from its frame, if it came from one.
    pub fn trade(&mut self, cause: Stamp) {
        if let Some(On { clock, trades: Some(trades), .. }) = &mut self.on
            && cause.taken > 0
        {
            self.now = clock();
            trades.record(self.now.saturating_sub(cause.taken));
        }
    }
}

/// Measures the feed, where the stamps begin.
#[derive(Debug, Default)]
pub struct FeedProbe {
    on: Option<On>,
    frames: u64,
    stamp: Stamp,
    /// From when the frame's latency counts: when it was due, or in hand.
    since: u64,
}

impl FeedProbe {
    /// A probe that measures every `sample`-th frame at each boundary, and of all others when they were taken.
    #[must_use]
    pub fn new(clock: Clock, latencies: &Latencies, sample: u32) -> Self {
        let recorder = latencies.recorder(Span::Feed);
        let on = On { clock, recorder, trades: None, sample: u64::from(sample.max(1)) };
        Self { on: Some(on), frames: 0, stamp: Stamp::default(), since: 0 }
    }

    /// A frame is in hand. It may have been due before, at that time of the run's clock: then the feed's latency
    /// counts from there, and its wait is not forgiven. Returns the time now.
    pub fn take(&mut self, due: Option<u64>) -> u64 {
        let Some(on) = &self.on else { return 0 };
        let taken = (on.clock)();
        self.since = due.unwrap_or(taken);
        let is_measured = self.frames.is_multiple_of(on.sample);
        self.frames += 1;
        self.stamp = Stamp { taken, passed: if is_measured { taken } else { 0 } };
        taken
    }

    /// An input of the frame is about to be handed on.
    pub fn pass(&mut self) -> Stamp {
        let mut stamp = self.stamp;
        if let (Some(on), true) = (&mut self.on, stamp.passed > 0) {
            let now = (on.clock)();
            on.recorder.record(now.saturating_sub(self.since));
            stamp.passed = now;
        }
        stamp
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    /// A clock that goes on by ten with each reading.
    fn clock() -> u64 {
        NOW.set(NOW.get() + 10);
        NOW.get()
    }

    fn counted(all: &Latencies, span: Span) -> Vec<(u64, u64)> {
        all.read(span).filled().collect()
    }

    #[test]
    fn a_measured_message_is_stamped_at_each_boundary_and_others_cost_no_reading() {
        let all = Latencies::private().unwrap();
        let mut feed = FeedProbe::new(clock, &all, 2);
        let mut alpha = Probe::new(clock, &all, Span::Alpha, 2);
        let mut gateway = Probe::new(clock, &all, Span::Gateway, 2);
        feed.take(None);
        let mut stamp = feed.pass();
        assert_eq!((stamp.taken, stamp.passed), (10, 20));
        assert_eq!(alpha.pass(&mut stamp), 30);
        gateway.trade(stamp);
        gateway.pass(&mut stamp);
        assert_eq!((stamp.taken, stamp.passed), (10, 50));
        feed.take(None);
        let mut stamp = feed.pass();
        assert_eq!((stamp.taken, stamp.passed), (60, 0));
        assert_eq!(alpha.pass(&mut stamp), 60);
        assert_eq!(NOW.get(), 60, "nothing else was read");
        gateway.trade(stamp);
        assert_eq!(counted(&all, Span::Feed), [(10, 1)]);
        assert_eq!(counted(&all, Span::Alpha), [(10, 1)]);
        assert_eq!(counted(&all, Span::Gateway), [(20, 1)]);
        assert_eq!(counted(&all, Span::TickToTrade), [(10, 1), (30, 1)]);
    }

    #[test]
    fn the_wait_of_a_frame_that_was_due_earlier_counts() {
        let all = Latencies::private().unwrap();
        let mut feed = FeedProbe::new(clock, &all, 1);
        NOW.set(1_000);
        assert_eq!(feed.take(Some(900)), 1_010);
        let stamp = feed.pass();
        assert_eq!((stamp.taken, stamp.passed), (1_010, 1_020));
        assert_eq!(counted(&all, Span::Feed), [(120, 1)]);
    }

    #[test]
    fn what_comes_from_no_frame_is_measured_now_and_then_and_is_no_tick() {
        let all = Latencies::private().unwrap();
        let mut sequencer = Probe::new(clock, &all, Span::Sequencer, 4);
        let mut gateway = Probe::new(clock, &all, Span::Gateway, 4);
        assert_eq!(sequencer.begin(3).passed, 0);
        let stamp = sequencer.begin(4);
        assert!(stamp.passed > 0 && stamp.taken == 0);
        gateway.trade(stamp);
        assert_eq!(all.read(Span::TickToTrade).total(), 0);
    }

    #[test]
    fn without_a_clock_nothing_is_measured() {
        let (mut probe, mut feed) = (Probe::default(), FeedProbe::default());
        assert_eq!(feed.take(Some(7)), 0);
        let mut stamp = feed.pass();
        assert_eq!(probe.pass(&mut stamp), 0);
        assert_eq!((stamp.taken, stamp.passed, probe.begin(0).passed), (0, 0, 0));
    }

    #[test]
    fn stamps_are_no_part_of_what_a_message_says() {
        assert_eq!(Stamp { taken: 1, passed: 2 }, Stamp::default());
    }
}
