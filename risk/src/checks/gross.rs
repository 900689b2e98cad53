//! C1: what the whole account could come to hold: over all symbols, the larger of the long and the short
//! worst case at the mark. A symbol that could hold anything must have a fresh mark.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Check, Side};
use fusewire_core::portfolio::{OpenSide, Portfolio};
use fusewire_core::units::{Px, QtySum, Usd, UsdSum};

use super::{Fail, Outcome, at_most, in_range, value};

/// What an order would add, and the price that its symbol is valued at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Added {
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) qty: QtySum,
    pub(crate) price: Px,
}

/// The worst case of the account with an order added. `fresh_mark` is asked for every other symbol that
/// could hold anything.
#[inline(always)]
pub(crate) fn worst_gross(
    portfolio: &Portfolio,
    symbols: u16,
    added: &Added,
    mut fresh_mark: impl FnMut(InstrumentId) -> Result<Px, Fail>,
) -> Result<UsdSum, Fail> {
    let mut gross = UsdSum::ZERO;
    for instrument in (0..symbols).map(InstrumentId) {
        let own = instrument == added.instrument;
        if !own && is_flat(portfolio, instrument) {
            continue;
        }
        let worst = |side| {
            let held = portfolio.worst_case(instrument, side);
            let more = if own && side == added.side { added.qty } else { QtySum::ZERO };
            in_range(held.checked_add(more))
        };
        let price = if own { added.price } else { fresh_mark(instrument)? };
        let larger = worst(Side::Buy)?.max(worst(Side::Sell)?);
        gross = in_range(gross.checked_add(value(larger, price)?))?;
    }
    Ok(gross)
}

#[inline(always)]
fn is_flat(portfolio: &Portfolio, instrument: InstrumentId) -> bool {
    let none = OpenSide::default();
    portfolio.position(instrument).reducing_side().is_none()
        && [Side::Buy, Side::Sell].iter().all(|side| *portfolio.open(instrument, *side) == none)
}

#[inline(always)]
pub(crate) fn gross(gross: UsdSum, limit: Usd) -> Outcome {
    at_most(Check::GrossExposure, gross.0, i128::from(limit.0))
}

#[cfg(test)]
mod tests {
    use fusewire_core::units::Nanos;

    use super::super::mark_freshness;
    use super::super::tests::numbers;
    use super::*;
    use crate::market::Market;
    use crate::testing::{
        BTC, ETH, event, filled, mark, new_order, portfolio, px, sum, track, usd,
    };

    const TIMES: (Nanos, Nanos) = (Nanos(100), Nanos(50));

    fn market(eth_marked_at: Option<u64>) -> Market {
        let mut market = Market::new(3);
        if let Some(at) = eth_marked_at {
            market.apply(&event(1, Nanos(at), Some(ETH), mark("20")));
        }
        market
    }

    /// With marks as the gate asks for them.
    fn worst_gross(
        portfolio: &Portfolio,
        market: &Market,
        symbols: u16,
        added: &Added,
        (now, mark_age_max): (Nanos, Nanos),
    ) -> Result<UsdSum, Fail> {
        super::worst_gross(portfolio, symbols, added, |id| {
            mark_freshness(market.symbol(id).mark(), now, mark_age_max).map(|pass| pass.value)
        })
    }

    fn added(side: Side, amount: &str) -> Added {
        Added { instrument: BTC, side, qty: sum(amount), price: px("100") }
    }

    #[test]
    fn c1_the_larger_direction_of_every_symbol_counts() {
        let mut portfolio = portfolio();
        let gross = |portfolio: &Portfolio, added| {
            worst_gross(portfolio, &market(Some(60)), 3, &added, TIMES).unwrap()
        };
        let dollars = |text: &str| UsdSum(usd(text).0.into());
        assert_eq!(gross(&portfolio, added(Side::Buy, "1")), dollars("100"));
        track(&mut portfolio, 1, BTC, new_order(Side::Sell, "100", "4"));
        assert_eq!(gross(&portfolio, added(Side::Buy, "1")), dollars("400"));
        assert_eq!(gross(&portfolio, added(Side::Buy, "5")), dollars("500"));
        assert_eq!(gross(&portfolio, added(Side::Sell, "1")), dollars("500"));
        // A position counts with the orders of its direction and is never netted against the others.
        track(&mut portfolio, 2, ETH, new_order(Side::Buy, "20", "3"));
        filled(&mut portfolio, 2, ETH, Side::Buy, "20", "3");
        track(&mut portfolio, 3, ETH, new_order(Side::Sell, "20", "2"));
        assert_eq!(gross(&portfolio, added(Side::Buy, "1")), dollars("460"));
    }

    #[test]
    fn s0_23_a_symbol_that_may_hold_something_needs_a_fresh_mark() {
        let mut portfolio = portfolio();
        let check = |portfolio: &Portfolio, at| {
            let found = worst_gross(portfolio, &market(at), 3, &added(Side::Buy, "1"), TIMES);
            found.err().map(|fail| fail.check)
        };
        assert_eq!(check(&portfolio, None), None, "a flat symbol needs none");
        track(&mut portfolio, 1, ETH, new_order(Side::Buy, "20", "3"));
        assert_eq!(check(&portfolio, None), Some(Check::MarkFreshness));
        assert_eq!(check(&portfolio, Some(49)), Some(Check::MarkFreshness));
        assert_eq!(check(&portfolio, Some(50)), None);
        filled(&mut portfolio, 1, ETH, Side::Buy, "20", "3");
        assert_eq!(check(&portfolio, Some(49)), Some(Check::MarkFreshness));
    }

    #[test]
    fn c1_the_account_has_a_limit() {
        assert_eq!(numbers(gross(UsdSum(200), Usd(200))), Some([200; 2]));
        let fail = gross(UsdSum(201), Usd(200)).unwrap_err();
        assert_eq!((fail.check, fail.measured, fail.limit), (Check::GrossExposure, 201, 200));
        assert!(
            worst_gross(
                &portfolio(),
                &market(None),
                3,
                &Added { qty: QtySum(i128::MAX), ..added(Side::Buy, "1") },
                TIMES
            )
            .is_err_and(|fail| fail.check == Check::Arithmetic)
        );
    }
}
