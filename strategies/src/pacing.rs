//! Pacing: how often something may be done, and how long to wait after it was refused.

use fusewire_core::units::Nanos;

/// The window of the strategies' paces: the risk limits are per minute.
pub const MINUTE: Nanos = Nanos(60 * Nanos::SECOND);

/// At most so many times in any window of a given length. The memory is taken at construction.
#[derive(Clone, Debug)]
pub struct Pace {
    window: Nanos,
    /// The last times, as a ring: `next` is the oldest.
    times: Box<[Option<Nanos>]>,
    next: usize,
}

impl Pace {
    /// `count` times in a window.
    ///
    /// # Panics
    /// When `count` is zero.
    #[must_use]
    pub fn new(count: u32, window: Nanos) -> Self {
        assert!(count > 0, "a pace of nothing would stand still");
        Self { window, times: vec![None; count as usize].into(), next: 0 }
    }

    /// True when it may be done once more at `now`.
    #[must_use]
    pub fn allows(&self, now: Nanos) -> bool {
        self.times[self.next].is_none_or(|oldest| now.since(oldest) >= i128::from(self.window.0))
    }

    /// It is done at `now`.
    pub fn note(&mut self, now: Nanos) {
        self.times[self.next] = Some(now);
        self.next = (self.next + 1) % self.times.len();
    }
}

/// A wait after each failure: it doubles from `first` to `longest` and is forgotten after a success.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    delay: Nanos,
    until: Nanos,
}

impl Backoff {
    /// True when it may be tried again.
    #[must_use]
    pub fn is_over(&self, now: Nanos) -> bool {
        now >= self.until
    }

    /// It failed. What fails during a wait was sent before it, and makes the wait no longer.
    pub fn failed(&mut self, now: Nanos, first: Nanos, longest: Nanos) {
        if self.is_over(now) {
            let doubled = Nanos(self.delay.0.saturating_mul(2));
            self.delay = doubled.clamp(first, longest.max(first));
            self.until = now.after(self.delay);
        }
    }

    /// It went well: the next wait is the shortest again.
    pub fn succeeded(&mut self) {
        self.delay = Nanos(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_afresh() {
        let mut backoff = Backoff::default();
        let mut now = Nanos(1_000);
        for expected in [10, 20, 35, 35] {
            backoff.failed(now, Nanos(10), Nanos(35));
            backoff.failed(now, Nanos(10), Nanos(35));
            assert!(!backoff.is_over(Nanos(now.0 + expected - 1)), "{expected}");
            now = Nanos(now.0 + expected);
            assert!(backoff.is_over(now), "{expected}");
        }
        backoff.succeeded();
        backoff.failed(now, Nanos(10), Nanos(35));
        assert!(backoff.is_over(Nanos(now.0 + 10)));
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_count(
            count in 1_u32..5,
            steps in prop::collection::vec(0_u64..30, 1..200),
        ) {
            let mut pace = Pace::new(count, Nanos(50));
            let (mut now, mut done) = (Nanos(1), Vec::new());
            for step in steps {
                now = Nanos(now.0 + step);
                let recent = done.iter().filter(|at| now.since(**at) < 50).count();
                prop_assert_eq!(pace.allows(now), recent < count as usize);
                if pace.allows(now) {
                    pace.note(now);
                    done.push(now);
                }
            }
        }
    }
}
