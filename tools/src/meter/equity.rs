//! The equity of a run as it goes: returns by period and the largest drawdown, folded while the run goes on.
//!
//! It is looked at when the first event at or behind a point of event time was handled, and once more at the end, so that
//! it is the same whenever a run is repeated.

use fusewire_core::units::{Nanos, UsdSum};

use super::statistics::Moments;

/// Returns and drawdown of one run.
#[derive(Clone, Debug)]
pub struct Equity {
    look_every_ns: u64,
    period_ns: u64,
    start: Option<Nanos>,
    next_look: u64,
    next_period: u64,
    /// At the last period's end.
    last: UsdSum,
    peak: UsdSum,
    drawdown: UsdSum,
    drawdown_share: f64,
    returns: Moments,
}

impl Equity {
    /// Looked at each `look_every` for the drawdown, and each `period` for a return.
    pub fn new(look_every: Nanos, period: Nanos) -> Self {
        Self {
            look_every_ns: look_every.0.max(1),
            period_ns: period.0.max(1),
            start: None,
            next_look: 0,
            next_period: 0,
            last: UsdSum::ZERO,
            peak: UsdSum::ZERO,
            drawdown: UsdSum::ZERO,
            drawdown_share: 0.0,
            returns: Moments::default(),
        }
    }

    /// An event of this time was handled. `equity` is asked for only when it is time to look; none when a position has
    /// no mark: then the next look that knows it stands for this one too.
    pub fn look(&mut self, now: Nanos, equity: impl FnOnce() -> Option<UsdSum>) {
        if now.0 < self.next_look || now.0 == 0 {
            return;
        }
        let start = *self.start.get_or_insert(now);
        self.next_look = behind(start, now, self.look_every_ns);
        let Some(equity) = equity() else { return };
        if self.next_period == 0 {
            (self.last, self.peak) = (equity, equity);
            self.next_period = behind(start, now, self.period_ns);
            return;
        }
        self.draw_down(equity);
        if now.0 >= self.next_period {
            // A period without an event (a gap) joins the next one: there was nothing to see in it.
            self.next_period = behind(start, now, self.period_ns);
            if self.last.0 > 0 {
                self.returns.add((equity.0 - self.last.0) as f64 / self.last.0 as f64);
            }
            self.last = equity;
        }
    }

    /// The run is over: what it ended with may be the deepest point of all. It is no end of a period.
    pub fn end(&mut self, equity: Option<UsdSum>) {
        let began = self.next_period != 0;
        if let Some(equity) = equity.filter(|_| began) {
            self.draw_down(equity);
        }
    }

    fn draw_down(&mut self, equity: UsdSum) {
        self.peak = self.peak.max(equity);
        let lost = UsdSum(self.peak.0 - equity.0);
        self.drawdown = self.drawdown.max(lost);
        if self.peak.0 > 0 {
            self.drawdown_share = self.drawdown_share.max(lost.0 as f64 / self.peak.0 as f64);
        }
    }

    /// Returns by period.
    pub fn returns(&self) -> &Moments {
        &self.returns
    }

    /// The largest fall from a peak: in money, and as a share of its peak. The two need not be of the same fall.
    pub fn drawdown(&self) -> (UsdSum, f64) {
        (self.drawdown, self.drawdown_share)
    }
}

/// The first point of a grid from `start` on that lies behind `now`.
fn behind(start: Nanos, now: Nanos, every_ns: u64) -> u64 {
    let passed = (now.0 - start.0) / every_ns;
    start.0.saturating_add((passed + 1).saturating_mul(every_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = Nanos::SECOND;

    fn equity() -> Equity {
        Equity::new(Nanos(S), Nanos(10 * S))
    }

    fn see(equity: &mut Equity, at: u64, usd: i128) {
        equity.look(Nanos(at), || Some(UsdSum(usd)));
    }

    #[test]
    fn returns_are_by_period_from_the_first_event_on() {
        let mut equity = equity();
        see(&mut equity, 5 * S, 1_000);
        see(&mut equity, 14 * S, 4_000);
        assert_eq!(equity.returns().count(), 0);
        see(&mut equity, 15 * S, 1_100);
        see(&mut equity, 24 * S, 9_000);
        see(&mut equity, 26 * S, 990);
        let returns = equity.returns();
        assert_eq!(returns.count(), 2);
        assert!(returns.mean().unwrap().abs() < 1e-15, "+10 % and -10 %");
        assert!((returns.deviation().unwrap() - 0.02_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_silence_is_one_period() {
        let mut equity = equity();
        see(&mut equity, S, 1_000);
        see(&mut equity, 95 * S, 2_000);
        assert_eq!((equity.returns().count(), equity.returns().mean()), (1, Some(1.0)));
        // The grid stays where it was.
        see(&mut equity, 100 * S, 2_000);
        assert_eq!(equity.returns().count(), 1);
        see(&mut equity, 101 * S, 2_000);
        assert_eq!(equity.returns().count(), 2);
    }

    #[test]
    fn equity_that_is_not_known_waits_for_the_next_look() {
        let mut equity = equity();
        see(&mut equity, S, 1_000);
        equity.look(Nanos(11 * S), || None);
        assert_eq!(equity.returns().count(), 0);
        see(&mut equity, 13 * S, 1_500);
        assert_eq!((equity.returns().count(), equity.returns().mean()), (1, Some(0.5)));
    }

    #[test]
    fn the_drawdown_is_the_largest_fall_from_a_peak() {
        let mut equity = equity();
        for (second, usd) in (1..).zip([1_000, 1_200, 900, 1_100, 3_000, 2_600]) {
            see(&mut equity, second * S, usd);
        }
        let (lost, share) = equity.drawdown();
        assert_eq!(lost, UsdSum(400));
        assert!((share - 0.25).abs() < 1e-12, "300 of 1,200");
    }

    /// What happens behind the last look is seen too, and is no return.
    #[test]
    fn the_end_of_a_run_is_a_look_of_its_own() {
        let mut equity = equity();
        equity.end(Some(UsdSum(7)));
        assert_eq!(equity.drawdown().0, UsdSum::ZERO, "nothing was seen before");
        see(&mut equity, S, 1_000);
        equity.look(Nanos(S + 1), || panic!("too early"));
        equity.end(None);
        equity.end(Some(UsdSum(900)));
        assert_eq!(equity.drawdown().0, UsdSum(100));
        assert_eq!(equity.returns().count(), 0);
    }

    /// It is asked for at looks alone: between them it costs a comparison.
    #[test]
    fn nobody_asks_between_two_looks() {
        let mut equity = equity();
        see(&mut equity, S, 1_000);
        equity.look(Nanos(2 * S - 1), || panic!("too early"));
        equity.look(Nanos(0), || panic!("before the first event"));
    }
}
