//! Daily returns of equity, by UTC calendar, of whole days alone.
//!
//! A midnight is seen when an event comes within an hour behind it; the first event of a run is one like any other, and
//! the end of a run within an hour before a midnight stands for it. A day counts when both its midnights were seen: one
//! in which the run began or ended, or over whose end a recorder stood still for longer, is left out, and the window of
//! the ratio goes over it.

use fusewire_core::units::{Nanos, UsdSum};

use super::Sharpe;

/// A day, in ns.
const DAY_NS: u64 = 86_400 * Nanos::SECOND;
/// How far from a midnight an event still tells what equity was then. An hour: as long as the bars of most histories, of
/// which the first one comes when it closes.
const EDGE_NS: u64 = 3_600 * Nanos::SECOND;

/// Days while they go by.
#[derive(Clone, Debug, Default)]
pub struct Days {
    /// The midnight that the next look is for; zero before the first event.
    next: u64,
    /// Equity at the midnight before it, if that was seen.
    began: Option<UsdSum>,
    sharpe: Sharpe,
}

impl Days {
    /// An event of this time was handled. `equity` is asked for once a day; none when a position has no mark: then each
    /// event of an hour is asked, until one that knows it tells, if it is not too far from midnight.
    pub fn look(&mut self, now: Nanos, equity: impl FnOnce() -> Option<UsdSum>) {
        if now.0 < self.next || now.0 == 0 {
            return;
        }
        let midnight = now.0 - now.0 % DAY_NS;
        if midnight > self.next {
            // Of the first event, or nothing was seen of a whole day.
            (self.next, self.began) = (midnight, None);
        }
        let is_seen = now.0 - midnight < EDGE_NS;
        let equity = if is_seen { equity() } else { None };
        if is_seen && equity.is_none() {
            return;
        }
        self.close(equity);
        self.next = midnight + DAY_NS;
    }

    /// The run is over, with an event of this time as the last.
    pub fn end(&mut self, now: Nanos, equity: Option<UsdSum>) {
        if self.next != 0 && now.0 < self.next && self.next - now.0 <= EDGE_NS && equity.is_some() {
            self.close(equity);
        }
    }

    /// A midnight, and what equity was then.
    fn close(&mut self, equity: Option<UsdSum>) {
        if let Some((from, to)) = self.began.zip(equity)
            && from.0 > 0
        {
            self.sharpe.add((to.0 - from.0) as f64 / from.0 as f64);
        }
        self.began = equity;
    }

    /// Their ratio.
    #[must_use]
    pub fn sharpe(&self) -> &Sharpe {
        &self.sharpe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600 * Nanos::SECOND;
    /// Some day.
    const FIRST: u64 = 20_458 * DAY_NS;

    fn see(days: &mut Days, hour: u64, usd: i128) {
        days.look(Nanos(FIRST + hour * HOUR + 1), || Some(UsdSum(usd)));
    }

    /// What was counted: how many days, and the newest return.
    fn counted(days: &Days) -> (u64, f64) {
        let n = days.sharpe.days();
        (n, days.sharpe.newest().unwrap_or(f64::NAN))
    }

    #[test]
    fn whole_days_count_from_midnight_to_midnight() {
        let mut days = Days::default();
        see(&mut days, 0, 1_000);
        see(&mut days, 12, 5_000);
        assert_eq!(days.sharpe.days(), 0);
        see(&mut days, 24, 1_100);
        assert_eq!(counted(&days), (1, 0.1));
        see(&mut days, 48, 990);
        assert_eq!(counted(&days), (2, -0.1));
        // Asked for once a day.
        days.look(Nanos(FIRST + 49 * HOUR), || panic!("not before the next midnight"));
    }

    #[test]
    fn days_in_which_a_run_begins_or_ends_do_not_count() {
        let mut days = Days::default();
        see(&mut days, 1, 500);
        see(&mut days, 24, 1_000);
        see(&mut days, 48, 2_000);
        assert_eq!(counted(&days), (1, 1.0), "the second day alone");
        days.clone().end(Nanos(FIRST + 70 * HOUR), Some(UsdSum(1)));
        assert_eq!(days.sharpe.days(), 1);
        // A recording of the day ends just before midnight.
        let mut whole = days.clone();
        whole.end(Nanos(FIRST + 72 * HOUR - 1), Some(UsdSum(3_000)));
        assert_eq!(counted(&whole), (2, 0.5));
        whole = days.clone();
        whole.end(Nanos(FIRST + 72 * HOUR - 1), None);
        assert_eq!(whole.sharpe.days(), 1, "nobody knows what it was worth");
        days.end(Nanos(FIRST + 71 * HOUR - 1), Some(UsdSum(3_000)));
        assert_eq!(days.sharpe.days(), 1, "more than an hour is missing");
    }

    #[test]
    fn a_silence_over_a_midnight_takes_both_days_with_it() {
        let mut days = Days::default();
        see(&mut days, 0, 1_000);
        see(&mut days, 24, 1_100);
        // Back at two in the morning.
        see(&mut days, 50, 9_000);
        see(&mut days, 72, 9_000);
        assert_eq!(counted(&days), (1, 0.1));
        see(&mut days, 96, 9_900);
        assert_eq!(counted(&days), (2, 0.1));
        // A day of which nothing was seen at all.
        see(&mut days, 144, 5_000);
        assert_eq!(days.sharpe.days(), 2);
        see(&mut days, 168, 6_000);
        assert_eq!(counted(&days), (3, 0.2));
    }

    #[test]
    fn equity_that_is_not_known_at_midnight_is_that_of_the_next_event() {
        let mut days = Days::default();
        see(&mut days, 0, 1_000);
        days.look(Nanos(FIRST + 24 * HOUR), || None);
        see(&mut days, 24, 1_500);
        assert_eq!(counted(&days), (1, 0.5));
        days.look(Nanos(FIRST + 48 * HOUR), || None);
        see(&mut days, 49, 3_000);
        see(&mut days, 72, 3_300);
        assert_eq!(days.sharpe.days(), 1, "not known in time: both days are left out");
    }

    #[test]
    fn who_has_nothing_has_no_return() {
        let mut days = Days::default();
        for (hour, usd) in [(0, 1_000), (24, 0), (48, 1_000), (72, -5), (96, 5)] {
            see(&mut days, hour, usd);
        }
        assert_eq!(counted(&days), (2, -1.005));
        days.look(Nanos(0), || panic!("before the first event"));
    }
}
