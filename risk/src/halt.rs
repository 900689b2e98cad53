//! The halt: at level 2 cancel everything and leave every position, again and again until nothing is
//! open and nothing is held. It asks no strategy and no budget (C18).

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::{Instrument, InstrumentId, LotSize};
use fusewire_core::kill::Level;
use fusewire_core::order::{
    Action, Intent, NewOrder, OrderId, Side, Source, StrategyId, TimeInForce,
};
use fusewire_core::portfolio::Portfolio;
use fusewire_core::units::{Bps, Nanos, Px, Qty, QtySum, RATE_DECIMALS, Round, div_round};

use crate::gate::Gate;
use crate::limits::RiskConfig;
use crate::market::Market;

/// When the halt acted last, and the ids of its orders.
pub(crate) struct Halt {
    session: u16,
    retry: Nanos,
    acted_at: Option<Nanos>,
    /// Orders formed so far.
    counter: u64,
}

impl Halt {
    pub(crate) fn new(config: &RiskConfig) -> Self {
        Self { session: config.session, retry: config.halt_retry, acted_at: None, counter: 0 }
    }

    /// True when the halt is to act at this event: when the level rises to it, then each `retry`.
    pub(crate) fn is_due(&self, event: &Event, level: Level) -> bool {
        if level != Level::Halt {
            return false;
        }
        let waited = |at: Nanos| event.ts.since(at) >= i128::from(self.retry.0);
        let again = event.body == Body::Tick && self.acted_at.is_none_or(waited);
        again || matches!(event.body, Body::KillLevel(_))
    }

    /// Adds what the halt does now to `out`, at most `room` intents: first the cancels, then a reduce
    /// for each position.
    pub(crate) fn form(
        &mut self,
        (portfolio, market, gate): (&Portfolio, &Market, &Gate),
        now: Nanos,
        (room, out): (usize, &mut Vec<Intent>),
    ) {
        self.acted_at = Some(now);
        let cancels = portfolio
            .orders()
            .iter()
            // The halt's own orders do not rest; one that is not answered is queried.
            .filter(|order| order.cancel_since.is_none() && order.strategy() != StrategyId::RISK)
            .map(|order| own(order.id, order.instrument, Action::Cancel));
        out.extend(cancels.take(room));
        for (id, instrument) in (0..).map(InstrumentId).zip(gate.instruments()) {
            if out.len() >= room {
                return;
            }
            let limits = gate.limits();
            let symbol = market.symbol(id);
            let reduce = || {
                let side = portfolio.position(id).reducing_side()?;
                let qty = exit_qty(portfolio.reducible(id, side), &instrument.lot)?;
                let ages = [limits.mark_age_max, limits.book_age_max];
                let near = symbol.price_to_leave_by(side, now, ages)?;
                let mark = symbol.price_to_reduce_by(now, limits.mark_age_max)?;
                let price = exit_price(side, [near, mark], limits.collar, instrument)?;
                Some(NewOrder { side, price, qty, tif: TimeInForce::Ioc, reduce_only: true })
            };
            if let Some(reduce) = reduce() {
                self.counter += 1;
                let order = OrderId::new(self.session, StrategyId::RISK, self.counter);
                out.push(own(order, id, Action::New(reduce)));
            }
        }
    }
}

fn own(order: OrderId, instrument: InstrumentId, action: Action) -> Intent {
    Intent { order, instrument, source: Source::Risk, action }
}

/// The largest quantity on the lot grid that is left; none when that is less than the least lot.
fn exit_qty(left: QtySum, lot: &LotSize) -> Option<Qty> {
    let most = left.0.min(i128::from(lot.max.0));
    let (least, step) = (i128::from(lot.min.0), i128::from(lot.step.0));
    let steps = most.checked_sub(least)?.checked_div(step).filter(|_| most >= least)?;
    let qty = Qty(i64::try_from(least + steps * step).ok()?);
    (qty > Qty::ZERO).then_some(qty)
}

/// The price furthest through that tick, the collar around `near` and PERCENT_PRICE around `mark` allow.
fn exit_price(
    side: Side,
    [near, mark]: [Px; 2],
    collar: Bps,
    instrument: &Instrument,
) -> Option<Px> {
    let (sign, round) = match side {
        Side::Buy => (1, Round::Down),
        Side::Sell => (-1, Round::Up),
    };
    let by_collar = i128::from(near.0) * (Bps::WHOLE + sign * i128::from(collar.0));
    let mut price = div_round(by_collar, Bps::WHOLE, round)?;
    if let Some(band) = instrument.percent_price {
        let factor = match side {
            Side::Buy => band.up,
            Side::Sell => band.down,
        };
        let scaled = i128::from(mark.0) * i128::from(factor.0);
        let edge = div_round(scaled, 10_i128.pow(RATE_DECIMALS), round)?;
        price = match side {
            Side::Buy => price.min(edge),
            Side::Sell => price.max(edge),
        };
    }
    let tick = i128::from(instrument.tick?.0);
    let on_grid = div_round(price, tick, round)?.checked_mul(tick)?;
    i64::try_from(on_grid).ok().map(Px).filter(|price| *price > Px::ZERO)
}

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::PercentPrice;
    use fusewire_core::units::Rate;

    use super::*;
    use crate::testing::{btc, px, qty, sum};

    #[test]
    fn an_exit_lies_on_the_lot_grid_within_what_is_left() {
        let lot = LotSize { min: qty("0.002"), max: qty("10"), step: qty("0.003") };
        let exit = |left: &str| exit_qty(sum(left), &lot);
        assert_eq!(exit("0.001999"), None);
        assert_eq!(exit("0"), None);
        assert_eq!(exit("0.002"), Some(qty("0.002")));
        assert_eq!(exit("0.0079"), Some(qty("0.005")));
        assert_eq!(exit("11"), Some(qty("9.998")));
        let from_zero = LotSize { min: Qty::ZERO, ..lot };
        assert_eq!(exit_qty(sum("0.002"), &from_zero), None);
        assert_eq!(exit_qty(sum("1"), &LotSize { step: Qty::ZERO, ..lot }), None);
    }

    #[test]
    fn an_exit_is_priced_at_the_edge_of_what_is_allowed() {
        let one_percent = Bps::parse(b"100").unwrap();
        let exit = |side, reference: &str, instrument: &Instrument| {
            exit_price(side, [px(reference); 2], one_percent, instrument)
        };
        assert_eq!(exit(Side::Sell, "100.05", &btc()), Some(px("99.1")));
        assert_eq!(exit(Side::Buy, "100.05", &btc()), Some(px("101")));
        let rate = |text: &str| Rate::parse(text.as_bytes()).unwrap();
        let band = Some(PercentPrice { up: rate("1.005"), down: rate("0.995") });
        let narrow = Instrument { percent_price: band, ..btc() };
        assert_eq!(exit(Side::Sell, "100", &narrow), Some(px("99.5")));
        assert_eq!(exit(Side::Buy, "100", &narrow), Some(px("100.5")));
        // A book that left the mark behind is followed as far as the exchange's own band.
        let apart = |near| exit_price(Side::Sell, [px(near), px("100")], one_percent, &btc());
        assert_eq!([apart("97"), apart("80")], [Some(px("96.1")), Some(px("95"))]);
        let coarse = Instrument { tick: Some(px("500")), ..btc() };
        assert_eq!(exit(Side::Buy, "100", &coarse), None);
        assert_eq!(exit(Side::Sell, "100", &Instrument { tick: None, ..btc() }), None);
    }
}
