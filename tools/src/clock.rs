//! The monotonic clock that latencies are measured with: the CPU's time stamp counter where it can be trusted,
//! else the system's clock.

use std::sync::OnceLock;

/// ns since it was first asked, from 1: 0 stands for no reading.
#[must_use]
pub fn now_ns() -> u64 {
    static START: OnceLock<(quanta::Clock, u64)> = OnceLock::new();
    let (clock, start) = START.get_or_init(|| {
        let clock = quanta::Clock::new();
        let start = clock.raw();
        (clock, start)
    });
    clock.delta_as_nanos(*start, clock.raw()) + 1
}

/// Readings of which the cost is taken.
const READINGS: u32 = 4_096;

/// What one reading costs here, in ns.
#[must_use]
pub fn cost_ns() -> f64 {
    let start = now_ns();
    for _ in 0..READINGS {
        std::hint::black_box(now_ns());
    }
    (now_ns() - start) as f64 / f64::from(READINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back_and_never_says_nothing() {
        let mut last = now_ns();
        assert!(last > 0);
        for _ in 0..10_000 {
            let now = now_ns();
            assert!(now >= last);
            last = now;
        }
        assert!(cost_ns() > 0.0);
    }
}
