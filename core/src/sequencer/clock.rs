//! Logical time between frames: ticks on their grid, and the gap when frames stay away.

use crate::units::Nanos;

/// When the next tick and the next gap are, as far as frames go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    interval: Nanos,
    gap_max: Nanos,
    next_tick: Option<Nanos>,
    gap_at: Option<Nanos>,
}

impl Clock {
    /// A clock that stands until the first frame.
    pub(super) fn new(interval: Nanos, gap_max: Nanos) -> Self {
        Self { interval, gap_max, next_tick: None, gap_at: None }
    }

    /// A frame came: the gap moves on, and a clock that stands starts strictly after the frame.
    ///
    /// Times at the end of the range have no tick or gap behind them.
    pub(super) fn on_frame(&mut self, at: Nanos) {
        self.gap_at = at.0.checked_add(self.gap_max.0).map(Nanos);
        if self.next_tick.is_none() {
            self.next_tick = following_multiple(at, self.interval);
        }
    }

    /// The tick was sequenced.
    pub(super) fn on_tick(&mut self) {
        let next = |tick: Nanos| tick.0.checked_add(self.interval.0).map(Nanos);
        self.next_tick = self.next_tick.and_then(next);
    }

    /// The gap was sequenced: the clock stands until the next frame.
    pub(super) fn on_gap(&mut self) {
        (self.next_tick, self.gap_at) = (None, None);
    }

    /// The next tick.
    pub(super) fn tick(&self) -> Option<Nanos> {
        self.next_tick
    }

    /// The gap, if no frame comes before it.
    pub(super) fn gap(&self) -> Option<Nanos> {
        self.gap_at
    }
}

/// The first multiple of `step` strictly after `at`; none past the end of the range.
pub(super) fn following_multiple(at: Nanos, step: Nanos) -> Option<Nanos> {
    (at.0 / step.0 + 1).checked_mul(step.0).map(Nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tick_lies_on_the_grid_strictly_after_the_first_frame() {
        for (at, expected) in [(99, 100), (100, 200), (101, 200), (0, 100)] {
            let mut clock = Clock::new(Nanos(100), Nanos(1_000));
            assert_eq!((clock.tick(), clock.gap()), (None, None));
            clock.on_frame(Nanos(at));
            assert_eq!(clock.tick(), Some(Nanos(expected)), "frame at {at}");
        }
    }

    #[test]
    fn frames_move_the_gap_and_not_the_ticks() {
        let mut clock = Clock::new(Nanos(100), Nanos(1_000));
        clock.on_frame(Nanos(150));
        clock.on_tick();
        clock.on_frame(Nanos(250));
        assert_eq!((clock.tick(), clock.gap()), (Some(Nanos(300)), Some(Nanos(1_250))));
    }

    #[test]
    fn after_a_gap_the_clock_stands_until_the_next_frame() {
        let mut clock = Clock::new(Nanos(100), Nanos(1_000));
        clock.on_frame(Nanos(150));
        clock.on_gap();
        assert_eq!((clock.tick(), clock.gap()), (None, None));
        clock.on_frame(Nanos(5_000));
        assert_eq!((clock.tick(), clock.gap()), (Some(Nanos(5_100)), Some(Nanos(6_000))));
    }

    #[test]
    fn nothing_follows_the_end_of_time() {
        let mut clock = Clock::new(Nanos(100), Nanos(1_000));
        clock.on_frame(Nanos(u64::MAX - 10));
        assert_eq!((clock.tick(), clock.gap()), (None, None));
        clock.on_frame(Nanos(u64::MAX - 110));
        assert!(clock.tick().is_some());
        clock.on_tick();
        assert_eq!(clock.tick(), None);
    }
}
