//! When a recorded frame is handed on: at once, or at its time, so that a capture replays as it arrived.
//!
//! The schedule is open loop: a frame is due when its receive time says so, however late the stages are with
//! the frames before it, and its latency counts from then.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use fusewire_core::latency::Clock;
use fusewire_core::stage::Horizon;
use fusewire_core::units::Nanos;

/// How fast recorded time goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as the stages take the frames.
    Max,
    /// So many times as fast as it was recorded.
    Times(NonZeroU32),
}

impl Pace {
    /// The highest factor: a day in under a minute and a half.
    pub const TIMES_MOST: u32 = 1_000;
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.strip_suffix('x').and_then(|number| number.parse().ok());
        times
            .filter(|times: &NonZeroU32| times.get() <= Self::TIMES_MOST)
            .map(Self::Times)
            .ok_or_else(|| format!("'{text}' is no pace: 1x to {}x, or max", Self::TIMES_MOST))
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Times(times) => write!(f, "{times}x"),
        }
    }
}

/// Releases frames by recorded time, and tells how far that has come.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    clock: Clock,
    horizon: Horizon,
    /// What the clock showed when the first frame was released, and its receive time.
    start: Option<(u64, Nanos)>,
}

/// What a pacer says of the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// It is to be handed on. Under a schedule it was due then, in ns of the clock.
    Now(Option<u64>),
    /// It is not due yet.
    Later,
}

impl Pacer {
    /// A pacer that starts with its first frame. `horizon` is told the recorded time that has come.
    #[must_use]
    pub fn new(pace: Pace, clock: Clock, horizon: Horizon) -> Self {
        Self { pace, clock, horizon, start: None }
    }

    /// Looks at the next frame, received then.
    pub(super) fn release(&mut self, recv: Nanos) -> Release {
        let Pace::Times(times) = self.pace else {
            self.horizon.advance(recv);
            return Release::Now(None);
        };
        let now = (self.clock)();
        let (started, first) = *self.start.get_or_insert((now, recv));
        let due = started.saturating_add(recv.0.saturating_sub(first.0) / u64::from(times.get()));
        if now >= due {
            self.horizon.advance(recv);
            return Release::Now(Some(due));
        }
        let gone = now.saturating_sub(started).saturating_mul(u64::from(times.get()));
        // Never past the frame, which rounding could do.
        self.horizon.advance(Nanos(first.0.saturating_add(gone)).min(recv));
        Release::Later
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    fn clock() -> u64 {
        NOW.get()
    }

    fn times(text: &str) -> Pace {
        text.parse().unwrap()
    }

    #[test]
    fn a_pace_is_a_factor_or_max() {
        for text in ["1x", "10x", "1000x", "max"] {
            assert_eq!(times(text).to_string(), text);
        }
        for text in ["0x", "1001x", "x", "-1x", "10", "1.5x", "Max", ""] {
            let refused = text.parse::<Pace>().unwrap_err();
            assert_eq!(refused, format!("'{text}' is no pace: 1x to 1000x, or max"));
        }
    }

    #[test]
    fn frames_are_due_at_their_time_however_late_the_ones_before_were() {
        NOW.set(5_000);
        let horizon = Horizon::new();
        let mut pacer = Pacer::new(times("10x"), clock, horizon.clone());
        assert_eq!(pacer.release(Nanos(1_000)), Release::Now(Some(5_000)));
        assert_eq!(horizon.get(), Nanos(1_000));
        NOW.set(5_049);
        assert_eq!(pacer.release(Nanos(1_500)), Release::Later);
        assert_eq!(horizon.get(), Nanos(1_490), "recorded time goes on meanwhile");
        NOW.set(5_300);
        assert_eq!(pacer.release(Nanos(1_500)), Release::Now(Some(5_050)), "it was due before");
        assert_eq!(pacer.release(Nanos(1_700)), Release::Now(Some(5_070)));
        // A step back in time is due with its predecessor and moves nothing back.
        assert_eq!(pacer.release(Nanos(900)), Release::Now(Some(5_000)));
        assert_eq!(horizon.get(), Nanos(1_700));
    }

    #[test]
    fn without_a_schedule_everything_is_due() {
        let horizon = Horizon::new();
        let mut pacer = Pacer::new(Pace::Max, clock, horizon.clone());
        assert_eq!(pacer.release(Nanos(7)), Release::Now(None));
        assert_eq!(horizon.get(), Nanos(7));
    }
}
