//! PERCENT_PRICE: the venue takes no buy far above the mark and no sell far below it. Measured is the
//! price, the limit the edge of the band, if there is one.

use fusewire_core::instrument::PercentPrice;
use fusewire_core::order::{Check, Side};
use fusewire_core::units::{Px, RATE_DECIMALS, Round};

use super::{Number, Outcome, UNLIMITED, passes};

/// A factor of one, raw.
const RATE_ONE: i64 = 10_i64.pow(RATE_DECIMALS);

#[inline(always)]
pub(crate) fn percent_price(
    side: Side,
    price: Px,
    reference: Px,
    band: Option<PercentPrice>,
) -> Outcome {
    let measured = i128::from(price.0);
    let Some(band) = band else {
        return passes(true, Check::PercentPrice, measured, UNLIMITED);
    };
    let (factor, round) = match side {
        Side::Buy => (band.up, Round::Down),
        Side::Sell => (band.down, Round::Up),
    };
    let edge = i128::from(reference.0) * i128::from(factor.0);
    // The edge is rounded into the band, so that a price is inside when its multiple is.
    let scaled = i128::from(price.0) * i128::from(RATE_ONE);
    let inside = match side {
        Side::Buy => scaled <= edge,
        Side::Sell => scaled >= edge,
    };
    let limit = Number::Quotient(edge, i128::from(RATE_ONE), round);
    passes(inside, Check::PercentPrice, measured, limit)
}

#[cfg(test)]
mod tests {
    use fusewire_core::units::Rate;

    use super::super::tests::numbers;
    use super::*;
    use crate::testing::px;

    #[test]
    fn c4_the_band_of_the_venue_holds_in_the_bad_direction() {
        let rate = |text: &str| Rate::parse(text.as_bytes()).unwrap();
        let band = Some(PercentPrice { up: rate("1.05"), down: rate("0.95") });
        let refused = |side, price: &str| {
            percent_price(side, px(price), px("100"), band).err().map(|fail| {
                assert_eq!((fail.check, fail.measured), (Check::PercentPrice, px(price).0.into()));
                fail.limit
            })
        };
        assert_eq!(refused(Side::Buy, "105"), None);
        assert_eq!(refused(Side::Buy, "105.00000001"), Some(10_500_000_000));
        assert_eq!(refused(Side::Buy, "1"), None);
        assert_eq!(refused(Side::Sell, "95"), None);
        assert_eq!(refused(Side::Sell, "94.99999999"), Some(9_500_000_000));
        assert_eq!(refused(Side::Sell, "900"), None);
        let unbounded = percent_price(Side::Buy, px("900"), px("1"), None);
        assert_eq!(numbers(unbounded), Some([i128::from(px("900").0), UNLIMITED]));
        // An edge between two raw prices is rounded into the band.
        let edge = |side| percent_price(side, Px(11), Px(10), band);
        assert_eq!(edge(Side::Buy).unwrap_err().limit, 10);
        assert_eq!(numbers(edge(Side::Sell)), Some([11, 10]));
        assert_eq!(percent_price(Side::Sell, Px(9), Px(10), band).unwrap_err().limit, 10);
    }
}
