//! What the venue does when the margin is gone, and when somebody else's is.
//!
//! The account is one-way and cross: all of it stands behind every position. At each mark of a symbol that is held,
//! maintenance margin by the brackets is compared with the margin balance. When it is reached, the venue ends
//! all orders, then closes the positions, the one that needs most margin first, by an immediate order at the
//! price at which nothing would be left. What the book does not take at that price the insurance fund does. A
//! fee on all of it comes on top, and a balance below zero is the fund's. The exchange may close in steps, bracket
//! by bracket; all at once is never cheaper.

use fusewire_core::contract::{self, Brackets};
use fusewire_core::event::Liquidation;
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::order::{
    AccountReason, Action, Intent, Liquidity, NewOrder, OrderId, ReportKind, Side, Source,
    StrategyId, TimeInForce, TriggerPrice, VenueReason,
};
use fusewire_core::portfolio::Execution;
use fusewire_core::units::{ONE, Px, Qty, Rate, Round, Usd, UsdSum, div_round};

use super::desk::{At, Fill, Seen, against_account};
use super::money::Charge;
use super::orders::OpenOrder;
use super::{COPIES, PaperVenue, order_of};
use crate::gateway::Feedbacks;

/// Session of the venue's own orders. Its strategy number is nobody else's.
const SESSION: u16 = 1;

/// What liquidations need beside the account.
#[derive(Debug)]
pub(super) struct Liquidator {
    brackets: Vec<Brackets>,
    /// Orders that the venue sent.
    counter: u64,
    /// It has begun and is not done.
    pending: bool,
}

/// The account's margin at the last marks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Margin {
    /// Balance and unrealised profit.
    pub(super) equity: UsdSum,
    /// What it must not fall to.
    maintenance: UsdSum,
    /// The position that needs most.
    largest: Option<InstrumentId>,
}

impl Liquidator {
    /// Brackets as assumed: captures do not say.
    pub(super) fn new(universe: &Universe) -> Self {
        let brackets = universe.iter().map(|(_, one)| contract::assumed(&one.symbol)).collect();
        Self { brackets, counter: 0, pending: false }
    }
}

impl PaperVenue {
    /// The margin; none when a position has no mark, or a number leaves its range.
    pub(super) fn margin(&self) -> Option<Margin> {
        let mut margin =
            Margin { equity: self.desk.wallet(), maintenance: UsdSum::ZERO, largest: None };
        let mut most = UsdSum::ZERO;
        for (id, _) in self.universe.iter() {
            let position = self.desk.portfolio.position(id);
            if position.qty == Qty::ZERO {
                continue;
            }
            let mark = self.mark(id)?;
            let notional = self.notional(id)?;
            let needed = self.liquidator.brackets[id.index()].maintenance(notional)?;
            margin.equity = margin.equity.checked_add(position.unrealized(mark))?;
            margin.maintenance = margin.maintenance.checked_add(needed)?;
            if needed > most || margin.largest.is_none() {
                (most, margin.largest) = (needed, Some(id));
            }
        }
        Some(margin)
    }

    /// True when the account can not carry this order at the exchange's leverage (-2019).
    pub(super) fn lacks_margin(&self, order: &OpenOrder) -> bool {
        if order.reduce_only {
            return false;
        }
        // What it closes asks for nothing.
        let closed = self.desk.reducible(order.instrument, order.side);
        let opened = Qty(order.remaining().0.saturating_sub(closed.0).max(0));
        // Without a mark the venue can not tell, and risk refuses before it comes to that.
        let Some(margin) = self.margin().filter(|_| opened > Qty::ZERO) else { return false };
        let added = UsdSum(order.price.notional(opened, Round::Up).0);
        let asked = self.initial_margin((order.instrument, added));
        asked.is_none_or(|asked| asked > margin.equity)
    }

    /// Initial margin of all positions and of a notional that is added to one: each at the exchange's leverage, or at the
    /// most that its bracket allows. None where no bracket allows it.
    fn initial_margin(&self, (added_to, added): (InstrumentId, UsdSum)) -> Option<UsdSum> {
        let mut sum = UsdSum::ZERO;
        for (id, _) in self.universe.iter() {
            let mut notional = self.notional(id)?;
            if id == added_to {
                notional = notional.checked_add(added)?;
            }
            if notional > UsdSum::ZERO {
                let most = self.liquidator.brackets[id.index()].leverage_max(notional)?;
                let leverage = self.leverage.min(u32::try_from(most).ok()?);
                sum = sum.checked_add(contract::initial_margin(notional, leverage)?)?;
            }
        }
        Some(sum)
    }

    /// What a position is worth at the last mark, without sign; none without a mark.
    fn notional(&self, id: InstrumentId) -> Option<UsdSum> {
        let qty = self.desk.portfolio.position(id).qty;
        if qty == Qty::ZERO {
            return Some(UsdSum::ZERO);
        }
        self.mark(id)?.notional(qty, Round::Up).0.checked_abs().map(UsdSum)
    }

    /// The last mark of a symbol.
    pub(super) fn mark(&self, id: InstrumentId) -> Option<Px> {
        self.conditionals.last(id, TriggerPrice::Mark)
    }

    /// A mark came: is the margin still there? What was begun goes on at every event.
    pub(super) fn watch_margin(
        &mut self,
        at: At,
        marked: Option<InstrumentId>,
        out: &mut Feedbacks,
    ) {
        let held = |id| self.desk.portfolio.position(id).qty != Qty::ZERO;
        if !self.liquidator.pending && !marked.is_some_and(held) {
            return;
        }
        loop {
            // While nobody can tell, what was begun stays begun.
            let Some(margin) = self.margin() else { return };
            let Some(id) = margin.largest else { break };
            if margin.equity > margin.maintenance && !self.liquidator.pending {
                return;
            }
            self.liquidator.pending = true;
            if !self.cancel_open(at, VenueReason::Liquidation, out) {
                return;
            }
            // NEW, one fill by the fund, the fee, and what the book gives.
            if out.room() < 6 * COPIES {
                self.desk.stats.put_off += 1;
                return;
            }
            if !self.liquidate(at, id, &margin, out) {
                // Amounts beyond their range: at the next mark again, and not for ever at this one.
                self.liquidator.pending = false;
                return;
            }
        }
        if self.liquidator.pending && out.room() >= COPIES {
            self.liquidator.pending = false;
            self.insure(at, out);
        }
    }

    /// Closes one position; false when that could not be booked.
    fn liquidate(
        &mut self,
        at: At,
        id: InstrumentId,
        margin: &Margin,
        out: &mut Feedbacks,
    ) -> bool {
        let position = *self.desk.portfolio.position(id);
        let (Some(side), Some(mark)) = (position.reducing_side(), self.mark(id)) else {
            return false;
        };
        let tick = self.universe.get(id).tick.unwrap_or(Px(1));
        let others = margin.equity.0 - position.unrealized(mark).0;
        let price = bankruptcy(position.qty, position.cost.0, others, tick);
        let qty = self.desk.reducible(id, side);
        let mut order = self.order_of_venue(at, id, (side, price, qty), VenueReason::Liquidation);
        self.desk.stats.liquidations += 1;
        self.desk.report(at, &mut order, ReportKind::Accepted, VenueReason::None, out);
        let levels_max = (out.room() / COPIES).saturating_sub(3);
        let found = if self.market.crosses(id, side, price) {
            self.market.look(id, side, price, qty, levels_max)
        } else {
            Qty::ZERO
        };
        let quote = self.closing_quote(&order, found);
        let whole = quote.narrow().map(|quote| Execution { side, qty, quote, fee: Usd::ZERO });
        if whole.is_some_and(|whole| self.desk.portfolio.fits(StrategyId::VENUE, id, &whole)) {
            // While the position is there, so that the fee is of who holds it.
            self.charge_fee(at, id, quote, (position.qty, mark), out);
        }
        if found > Qty::ZERO {
            self.take(at, &mut order, out);
        }
        if !order.is_filled() {
            // The fund takes the rest at the price at which nothing is left, by the mark that asked for it.
            let fill = Fill {
                qty: order.remaining(),
                price,
                liquidity: Liquidity::Taker,
                payer: at.seq,
                seen: Seen::default(),
            };
            if !self.desk.fill(at, &mut order, fill, out) {
                self.desk.stats.out_of_range += 1;
                self.desk.report(at, &mut order, ReportKind::Expired, VenueReason::None, out);
            }
        }
        order.is_filled()
    }

    /// What closing is going to come to: what the book was found to offer, and the rest at the order's price.
    fn closing_quote(&self, order: &OpenOrder, found: Qty) -> UsdSum {
        let round = against_account(order.side);
        let offers = (0..).map_while(|index| self.market.offer(index));
        let offers = offers.map(|offer| offer.price.notional(offer.qty, round).0);
        let taken: i128 = if found > Qty::ZERO { offers.sum() } else { 0 };
        let rest = order.price.notional(Qty(order.qty.0 - found.0), round);
        UsdSum(taken.saturating_add(rest.0))
    }

    /// The fee on what is closed.
    fn charge_fee(
        &mut self,
        at: At,
        id: InstrumentId,
        quote: UsdSum,
        (qty, price): (Qty, Px),
        out: &mut Feedbacks,
    ) {
        let fee = quote.times(self.liquidation_fee, Round::Up).and_then(UsdSum::narrow);
        let Some(Usd(fee)) = fee else {
            self.desk.stats.out_of_range += 1;
            return;
        };
        let charge = Charge {
            reason: AccountReason::LiquidationFee,
            instrument: Some(id),
            change: Usd(-fee),
            qty,
            price,
            rate: Rate::ZERO,
            when: at.ts,
        };
        self.desk.charge(at, &charge, out);
    }

    /// A balance below zero is the fund's.
    fn insure(&mut self, at: At, out: &mut Feedbacks) {
        let wallet = self.desk.wallet();
        if wallet < UsdSum::ZERO
            && let Some(missing) = UsdSum(-wallet.0).narrow()
        {
            let charge = Charge::of_account(AccountReason::Insurance, missing, at.ts);
            self.desk.charge(at, &charge, out);
        }
    }

    /// Somebody was liquidated. With the configured share, by a hash, the venue takes the opposite position from
    /// this account if it is in profit, at the price of that liquidation (S2-19, rank 4 of the exchange's queue).
    pub(super) fn deleverage(
        &mut self,
        at: At,
        id: InstrumentId,
        forced: &Liquidation,
        out: &mut Feedbacks,
    ) {
        let position = *self.desk.portfolio.position(id);
        // Who was long sells, and who is short buys it back.
        let side = forced.side.opposite();
        let in_profit = position.unrealized(forced.price) > UsdSum::ZERO;
        if position.reducing_side() != Some(side) || !in_profit || out.room() < 3 * COPIES {
            return;
        }
        if !self.desk.deleverages(at.seq) {
            return;
        }
        let qty = forced.qty.min(self.desk.reducible(id, side));
        if qty <= Qty::ZERO || forced.price <= Px::ZERO {
            return;
        }
        let terms = (side, forced.price, qty);
        let mut order = self.order_of_venue(at, id, terms, VenueReason::Adl);
        self.desk.stats.deleveraged += 1;
        self.desk.report(at, &mut order, ReportKind::Accepted, VenueReason::None, out);
        let fill = Fill {
            qty,
            price: forced.price,
            liquidity: Liquidity::Taker,
            payer: at.seq,
            seen: Seen::default(),
        };
        if !self.desk.fill(at, &mut order, fill, out) {
            self.desk.stats.out_of_range += 1;
            self.desk.report(at, &mut order, ReportKind::Expired, VenueReason::None, out);
        }
        self.expire_useless(at, id, out);
    }

    pub(super) fn order_of_venue(
        &mut self,
        at: At,
        instrument: InstrumentId,
        (side, price, qty): (Side, Px, Qty),
        path: VenueReason,
    ) -> OpenOrder {
        self.liquidator.counter += 1;
        let order = OrderId::new(SESSION, StrategyId::VENUE, self.liquidator.counter);
        let new = NewOrder { side, price, qty, tif: TimeInForce::Ioc, reduce_only: true };
        let intent = Intent { order, instrument, source: Source::Risk, action: Action::New(new) };
        OpenOrder { path, ..order_of(&intent, &new, at.ts) }
    }
}

/// The price at which the account is worth nothing when this position is closed there, `others` being what it is
/// worth without it: on the tick grid, rounded against the account, and never below one tick.
fn bankruptcy(qty: Qty, cost: i128, others: i128, tick: Px) -> Px {
    let money = cost.saturating_sub(others);
    let (round, size) = match qty.0 > 0 {
        true => (Round::Down, i128::from(qty.0)),
        false => (Round::Up, i128::from(qty.0)),
    };
    let price = money.checked_mul(i128::from(ONE)).and_then(|m| div_round(m, size, round));
    let ticks = price.and_then(|price| div_round(price, i128::from(tick.0), round));
    let price = ticks.and_then(|ticks| ticks.checked_mul(i128::from(tick.0)));
    // Beyond its range: the end of it that is against the account.
    let beyond = if qty.0 > 0 { tick.0 } else { i64::MAX - i64::MAX % tick.0 };
    let price = price.and_then(|price| i64::try_from(price).ok()).unwrap_or(beyond);
    Px(price.max(tick.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Px {
        Px::parse(text.as_bytes()).unwrap()
    }

    /// Bought 2 at 100 with 30 behind it: nothing is left at 85. Sold 2 at 100: at 115.
    #[test]
    fn nothing_is_left_at_the_bankruptcy_price() {
        let one = i128::from(ONE);
        let at = |qty: i64, cost: i128, others: i128| {
            bankruptcy(Qty(qty * ONE), cost * one, others * one, price("0.1"))
        };
        assert_eq!(at(2, 200, 30), price("85"));
        assert_eq!(at(-2, -200, 30), price("115"));
        assert_eq!(at(3, 300, 10), price("96.6"), "96.666.. for a long is rounded down");
        assert_eq!(at(-3, -300, 10), price("103.4"), "103.333.. for a short is rounded up");
        assert_eq!(at(2, 200, 500), price("0.1"), "more behind it than it can lose");
    }
}
