//! S0-23, C13: new risk needs a mark price that came lately. Measured is its age in ns.

use fusewire_core::order::Check;
use fusewire_core::units::{Nanos, Px};

use super::{Outcome, UNKNOWN, at_most};
use crate::market::MarkAt;

/// A mark that may be used.
#[inline(always)]
pub(crate) fn mark_freshness(mark: Option<MarkAt>, now: Nanos, age_max: Nanos) -> Outcome<Px> {
    let age = mark.map_or(UNKNOWN, |mark| now.since(mark.at));
    let pass = at_most(Check::MarkFreshness, age, i128::from(age_max.0))?;
    Ok(pass.with(mark.map_or(Px::ZERO, |mark| mark.price)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::numbers;
    use super::*;
    use crate::testing::px;

    #[test]
    fn s0_23_a_mark_older_than_ten_seconds_refuses() {
        let age_max = Nanos(10_000_000_000);
        let mark = Some(MarkAt { price: px("100"), at: Nanos(5) });
        let at = |now| mark_freshness(mark, Nanos(now), age_max);
        assert_eq!(at(10_000_000_005).map(|pass| pass.value), Ok(px("100")));
        assert_eq!(numbers(at(12)), Some([7, 10_000_000_000]));
        let fail = at(10_000_000_006).unwrap_err();
        assert_eq!((fail.check, fail.measured), (Check::MarkFreshness, 10_000_000_001));
        assert_eq!(fail.limit, 10_000_000_000);
    }

    #[test]
    fn s0_23_no_mark_refuses() {
        let fail = mark_freshness(None, Nanos(0), Nanos(u64::MAX)).unwrap_err();
        assert_eq!((fail.check, fail.measured), (Check::MarkFreshness, UNKNOWN));
    }
}
