//! C12: may this symbol be traded at all, by this sender? There is nothing to measure: all numbers are
//! ids, and a limit of zero is that of a list, which has none.

use fusewire_core::instrument::{Instrument, InstrumentId, Market};
use fusewire_core::order::{Check, Intent, Source, StrategyId};
use fusewire_core::units::Nanos;

use super::{Outcome, passes};

#[inline(always)]
fn listed(holds: bool, id: u16) -> Outcome {
    passes(holds, Check::Universe, i128::from(id), 0)
}

/// Only strategies that have a seat send, under their own numbers.
#[inline(always)]
pub(crate) fn sender(intent: &Intent, strategies: &[StrategyId]) -> Outcome {
    let strategy = intent.order.strategy();
    // What risk itself sends never comes from alpha, whatever the list of seats says.
    let own = strategy == StrategyId::RISK;
    let known = intent.source == Source::Alpha && strategies.contains(&strategy) && !own;
    listed(known, strategy.0.into())
}

/// USD-M contracts that trade and whose price grid is known.
#[inline(always)]
pub(crate) fn contract(id: InstrumentId, instrument: &Instrument) -> Outcome {
    let usable =
        instrument.market == Market::UsdM && instrument.trading && instrument.tick.is_some();
    listed(usable, id.0)
}

/// Symbols that are not only observed. The halt may leave any contract, so that it is not asked.
#[inline(always)]
pub(crate) fn tradable(id: InstrumentId, allowed: &[bool]) -> Outcome {
    let is_allowed = allowed.get(id.index()).copied().unwrap_or(false);
    listed(is_allowed, id.0)
}

/// The same, of contracts that exist at this time alone (S0-31): what new risk is asked. What is held to a contract's
/// end the exchange settles, and until then it may be reduced.
#[inline(always)]
pub(crate) fn tradable_at(
    id: InstrumentId,
    allowed: &[bool],
    (instrument, now): (&Instrument, Nanos),
) -> Outcome {
    let is_allowed = allowed.get(id.index()).copied().unwrap_or(false);
    listed(is_allowed && instrument.life.holds(now), id.0)
}

/// An intent on an order names the order's own symbol.
#[inline(always)]
pub(crate) fn symbol_of_order(named: InstrumentId, of_order: InstrumentId) -> Outcome {
    passes(named == of_order, Check::Universe, i128::from(named.0), i128::from(of_order.0))
}

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::Life;
    use fusewire_core::order::{Action, OrderId};

    use super::super::{Fail, Pass};
    use super::*;
    use crate::testing::{BTC, btc, intent};

    fn refuse(id: u16) -> Fail {
        Fail { check: Check::Universe, measured: i128::from(id), limit: 0 }
    }

    fn passed(id: u16) -> Outcome {
        let (measured, limit) = (i128::from(id).into(), 0.into());
        Ok(Pass { check: Check::Universe, measured, limit, value: () })
    }

    #[test]
    fn s0_31_a_symbol_exists_from_its_listing_to_its_end() {
        let at = |listed: Option<u64>, delisted: Option<u64>, now| {
            let life = Life { listed: listed.map(Nanos), delisted: delisted.map(Nanos) };
            let instrument = Instrument { life, ..btc() };
            tradable_at(BTC, &[true], (&instrument, Nanos(now))).is_ok()
        };
        assert!(at(None, None, 0) && at(Some(5), None, 5) && at(None, Some(9), 8));
        assert!(!at(Some(5), None, 4) && !at(Some(5), Some(9), 9));
    }

    #[test]
    fn c12_only_seats_send() {
        let seats = [StrategyId(0), StrategyId(3)];
        let cancel = |strategy| intent(OrderId::new(1, strategy, 1), BTC, Action::Cancel);
        let from = |strategy| sender(&cancel(strategy), &seats);
        assert_eq!(from(StrategyId(3)), passed(3));
        assert_eq!(from(StrategyId(1)), Err(refuse(1)));
        assert_eq!(from(StrategyId::RISK), Err(refuse(255)));
        let with_risk = [StrategyId(0), StrategyId::RISK];
        assert_eq!(sender(&cancel(StrategyId::RISK), &with_risk), Err(refuse(255)));
        let false_flag = Intent { source: Source::Risk, ..cancel(StrategyId(3)) };
        assert_eq!(sender(&false_flag, &seats), Err(refuse(3)));
    }

    #[test]
    fn c12_only_usdm_contracts_that_trade_and_have_a_tick() {
        let id = InstrumentId(7);
        assert_eq!(contract(id, &btc()), passed(7));
        for broken in [
            Instrument { market: Market::CoinM, ..btc() },
            Instrument { market: Market::Spot, ..btc() },
            Instrument { trading: false, ..btc() },
            Instrument { tick: None, ..btc() },
        ] {
            assert_eq!(contract(id, &broken), Err(refuse(7)));
        }
    }

    #[test]
    fn c12_only_symbols_on_the_list() {
        let allowed = [true, false];
        assert_eq!(tradable(InstrumentId(0), &allowed), passed(0));
        assert_eq!(tradable(InstrumentId(1), &allowed), Err(refuse(1)));
        assert_eq!(tradable(InstrumentId(2), &allowed), Err(refuse(2)));
    }

    #[test]
    fn an_order_has_one_symbol() {
        let same = symbol_of_order(InstrumentId(1), InstrumentId(1)).unwrap();
        assert_eq!((same.check, same.measured.get(), same.limit.get()), (Check::Universe, 1, 1));
        let fail = symbol_of_order(InstrumentId(1), InstrumentId(2)).unwrap_err();
        assert_eq!((fail.check, fail.measured, fail.limit), (Check::Universe, 1, 2));
    }
}
