//! The share of event time in which new risk was not blocked as a whole: the kill level was 0.

use fusewire_core::units::Nanos;

/// Event time, and the part of it that was blocked.
#[derive(Clone, Debug, Default)]
pub struct Uptime {
    first: Option<Nanos>,
    last: Nanos,
    is_blocked: bool,
    blocked_ns: u64,
}

impl Uptime {
    /// An event of this time was handled; behind it new risk is blocked or not.
    pub fn look(&mut self, now: Nanos, is_blocked: bool) {
        if now > self.last {
            if self.is_blocked {
                self.blocked_ns += now.0 - self.last.0;
            }
            self.first.get_or_insert(now);
            self.last = now;
        }
        self.is_blocked = is_blocked;
    }

    /// The part without a block, and the whole, from the first event to the last, in ns.
    #[must_use]
    pub fn parts(&self) -> (u64, u64) {
        let whole = self.last.0 - self.first.unwrap_or(self.last).0;
        (whole - self.blocked_ns, whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_behind_a_raise_is_blocked_and_a_resume_ends_it() {
        let mut uptime = Uptime::default();
        assert_eq!(uptime.parts(), (0, 0));
        for (at, is_blocked) in
            [(1_000, false), (1_300, false), (1_300, true), (1_400, true), (1_450, false)]
        {
            uptime.look(Nanos(at), is_blocked);
        }
        uptime.look(Nanos(2_000), false);
        assert_eq!(uptime.parts(), (850, 1_000), "150 of them were blocked");
    }

    #[test]
    fn a_run_that_was_blocked_from_its_first_event_on_was_never_up() {
        let mut uptime = Uptime::default();
        uptime.look(Nanos(0), false);
        uptime.look(Nanos(5), true);
        uptime.look(Nanos(9), true);
        assert_eq!(uptime.parts(), (0, 4));
    }
}
