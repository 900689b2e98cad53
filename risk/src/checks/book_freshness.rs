//! C13: new risk needs a valid book with two sides that was heard of lately. Measured is its age in ns.

use fusewire_core::order::Check;
use fusewire_core::units::Nanos;

use super::{Fail, Outcome, UNKNOWN, at_most};
use crate::market::Symbol;

/// Twice the mid of a book that may be used.
#[inline(always)]
pub(crate) fn book_freshness(symbol: &Symbol, now: Nanos, age_max: Nanos) -> Outcome<i128> {
    let limit = i128::from(age_max.0);
    let (Some(at), Some(twice_mid)) = (symbol.book_at(), symbol.twice_mid()) else {
        return Err(Fail { check: Check::BookFreshness, measured: UNKNOWN, limit });
    };
    Ok(at_most(Check::BookFreshness, now.since(at), limit)?.with(twice_mid))
}

#[cfg(test)]
mod tests {
    use fusewire_core::book::Invalid;
    use fusewire_core::event::Body;

    use super::super::tests::numbers;
    use super::*;
    use crate::testing::{depth, symbol, touch};

    const AGE: Nanos = Nanos(5_000_000_000);

    fn measured(bodies: &[Body], now: u64) -> Result<i128, i128> {
        let found = book_freshness(&symbol(Nanos(10), bodies), Nanos(10 + now), AGE);
        found.map(|pass| pass.value).map_err(|fail| {
            assert_eq!((fail.check, fail.limit), (Check::BookFreshness, i128::from(AGE.0)));
            fail.measured
        })
    }

    #[test]
    fn c13_a_book_ages() {
        let book = [depth(), touch("99", "101")];
        assert_eq!(measured(&book, AGE.0), Ok(20_000_000_000));
        assert_eq!(measured(&book, AGE.0 + 1), Err(i128::from(AGE.0) + 1));
        let fresh = book_freshness(&symbol(Nanos(10), &book), Nanos(17), AGE);
        assert_eq!(numbers(fresh), Some([7, i128::from(AGE.0)]));
    }

    #[test]
    fn c13_no_book_an_invalid_one_and_one_sided_ones_refuse() {
        for bodies in [
            &[][..],
            &[depth()],
            &[touch("99", "101")],
            &[depth(), touch("", "101")],
            &[depth(), touch("99", "")],
            &[depth(), touch("101", "101")],
            &[depth(), touch("99", "101"), Body::BookInvalid(Invalid::Gap)],
        ] {
            assert_eq!(measured(bodies, 0), Err(UNKNOWN), "{bodies:?}");
        }
    }
}
