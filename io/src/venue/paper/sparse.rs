//! Symbols without a book: what fills an order when only trades, or only bars, are known.
//!
//! That a price was reached is no proof that anybody traded with us there (S0-03). An order that takes waits for
//! the first trade, or the first bar that opens, after it got in, and pays half an assumed spread beyond that
//! price. An order that rests is paid when the market went through its price by at least a tick. All that one
//! trade pays together is its quantity, and of a bar a share of its volume. Where a bar can be read in two
//! ways, it is read against the account.

use fusewire_core::assumed::{AssumedBook, InnerBands, ShortestBars};
use fusewire_core::event::{Bar, DepthBand, TouchChange, TouchSource, Trade};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Liquidity, ReportKind, Side, TimeInForce, VenueReason};
use fusewire_core::portfolio::side_index;
use fusewire_core::units::{Nanos, Px, Qty, RATE_DECIMALS, Rate, Round, UsdSum};

use super::desk::{At, Fill, Seen};
use super::orders::OpenOrder;
use super::{COPIES, PaperVenue};
use crate::gateway::Feedbacks;

/// All of a bar's volume.
const WHOLE: Rate = Rate(10_i64.pow(RATE_DECIMALS));

/// What is assumed of symbols without a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SparseConfig {
    /// How wide and how deep a book would be. Default 2 bp and 5,000 USDT.
    pub book: AssumedBook,
    /// Share of a bar's volume that own orders may have, in all. Default 0.05.
    pub bar_volume_share: Rate,
}

impl Default for SparseConfig {
    fn default() -> Self {
        Self { book: AssumedBook::default(), bar_volume_share: Rate(WHOLE.0 / 20) }
    }
}

impl SparseConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn validate(&self) -> Result<(), String> {
        let share = self.bar_volume_share;
        if share <= Rate::ZERO || share > WHOLE {
            return Err(format!("bar_volume_share = {share} is not above 0 and at most 1"));
        }
        self.book.validate()
    }
}

/// What is known of the symbols beside their books.
#[derive(Debug)]
pub(super) struct Sparse {
    config: SparseConfig,
    symbols: Vec<Symbol>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Symbol {
    /// A touch was assumed, and no book has been valid since.
    is_on: bool,
    has_trades: bool,
    /// The price of the newest trade or bar; none after a gap.
    last: Option<Px>,
    /// Longer ones pay nothing.
    bars: ShortestBars,
    /// What stood near the mid, where history tells it.
    bands: InnerBands,
}

/// What can pay: a trade, or the part of a bar that own orders may have.
struct Print {
    /// Who got in at this time or later is not paid.
    opened: Nanos,
    /// The first price.
    open: Px,
    low: Px,
    high: Px,
    /// What it can still pay.
    left: Qty,
    /// By side: no resting order of it is paid.
    blocked: [bool; Side::ALL.len()],
}

impl Sparse {
    /// Nothing is assumed so far.
    pub(super) fn new(config: SparseConfig, symbols: usize) -> Self {
        Self { config, symbols: vec![Symbol::default(); symbols] }
    }

    /// True for a symbol that is traded without a book.
    pub(super) fn is_on(&self, id: InstrumentId) -> bool {
        self.symbols[id.index()].is_on
    }

    /// Takes the newest touch.
    pub(super) fn see_touch(&mut self, id: InstrumentId, change: &TouchChange) {
        match change.source {
            TouchSource::Assumed => self.symbols[id.index()].is_on = true,
            TouchSource::Book | TouchSource::Ticker => {}
        }
    }

    /// Takes what stood within a band.
    pub(super) fn see_band(&mut self, id: InstrumentId, band: &DepthBand) {
        self.symbols[id.index()].bands.see(band);
    }

    /// No frame came for too long: where the market is now is not known.
    pub(super) fn on_gap(&mut self) {
        for symbol in &mut self.symbols {
            symbol.last = None;
        }
    }

    /// True when a bar can pay: it is the exchange's own, and of the shortest kind.
    fn takes_bar(&mut self, id: InstrumentId, bar: &Bar) -> bool {
        let symbol = &mut self.symbols[id.index()];
        if !symbol.is_on || symbol.has_trades {
            return false;
        }
        symbol.bars.takes(bar.interval_s)
    }

    /// The part of a bar's volume that own orders may have, in whole lots.
    fn share(&self, volume: i128, step: Qty) -> Qty {
        // Quantities and amounts are rounded alike.
        let share = UsdSum(volume).times(self.config.bar_volume_share, Round::Down);
        let share = share.map_or(0, |UsdSum(share)| share - share % i128::from(step.0.max(1)));
        Qty(i64::try_from(share.max(0)).unwrap_or(i64::MAX))
    }
}

impl Symbol {
    /// Where the market was at the end of a bar. Trades know it better.
    fn see_close(&mut self, bar: &Bar) {
        if !self.has_trades {
            self.last = Some(bar.close);
        }
    }
}

impl PaperVenue {
    /// True when nobody can say that an order would not have taken: without a book at all, or, of an assumed one,
    /// at the last price and beyond. Whether that trade was at the bid or at the ask, nobody knows.
    pub(super) fn is_blind(&self, order: &OpenOrder) -> bool {
        if self.market.is_valid(order.instrument) {
            return false;
        }
        let symbol = &self.sparse.symbols[order.instrument.index()];
        !symbol.is_on
            || symbol.last.is_none_or(|last| match order.side {
                Side::Buy => order.price >= last,
                Side::Sell => order.price <= last,
            })
    }

    /// True when an order takes from a market that is not seen: it waits for the next trade or bar. So does one
    /// that gets in after a gap, when it is not known whether it would take.
    pub(super) fn waits_for_print(&self, order: &OpenOrder) -> bool {
        let symbol = &self.sparse.symbols[order.instrument.index()];
        symbol.is_on && symbol.last.is_none_or(|last| self.taking_price(order, last).is_some())
    }

    /// What an order would take at when the market is at this price; none when its limit does not reach that.
    fn taking_price(&self, order: &OpenOrder, last: Px) -> Option<Px> {
        let tick = self.universe.get(order.instrument).tick?;
        let price = self.sparse.config.book.opposite(order.side, last, tick)?;
        let limit = self.take_limit(order);
        let reaches = match order.side {
            Side::Buy => price <= limit,
            Side::Sell => price >= limit,
        };
        reaches.then_some(price)
    }

    /// What an order can take when the market is at this price, by the assumption and what bands leave of it.
    fn depth(&self, at: At, order: &OpenOrder, last: Px) -> Qty {
        let instrument = self.universe.get(order.instrument);
        let bands = &self.sparse.symbols[order.instrument.index()].bands;
        let level = self.sparse.config.book.level(order.side, last, instrument, bands, at.ts);
        level.map_or(Qty::ZERO, |(level, _)| level.qty)
    }

    /// A trade of any symbol: pays what a resting order can get of it, by book or without one.
    pub(super) fn on_print(
        &mut self,
        at: At,
        id: InstrumentId,
        trade: &Trade,
        out: &mut Feedbacks,
    ) {
        let symbol = &mut self.sparse.symbols[id.index()];
        (symbol.has_trades, symbol.last) = (true, Some(trade.price));
        if !symbol.is_on {
            self.on_trade(at, id, trade, out);
            return;
        }
        let (price, left) = (trade.price, trade.qty);
        let [open, low, high] = [price; 3];
        let mut print = Print { opened: at.ts, open, low, high, left, blocked: [false; 2] };
        self.pay(at, id, &mut print, out);
    }

    /// A bar, which pays where there are no trades. Stops come first: if it met one, it may have done so before it
    /// reached the price of an order that rests on the same side, and that one is not paid.
    pub(super) fn on_bar(&mut self, at: At, id: InstrumentId, bar: &Bar, out: &mut Feedbacks) {
        if !self.sparse.takes_bar(id, bar) {
            self.sparse.symbols[id.index()].see_close(bar);
            return;
        }
        let step = self.universe.get(id).lot.step;
        let mut print = Print {
            opened: bar.open_time,
            open: bar.open,
            low: bar.low,
            high: bar.high,
            left: self.sparse.share(bar.volume.get(), step),
            blocked: self.conditionals.see_bar(at.seq, id, bar),
        };
        self.pay(at, id, &mut print, out);
        self.sparse.symbols[id.index()].see_close(bar);
        self.enter_fired(at, out);
    }

    /// The book of a symbol is valid: what waited for a print takes from the book instead.
    pub(super) fn leave_sparse(&mut self, at: At, id: InstrumentId, out: &mut Feedbacks) {
        if !self.sparse.is_on(id) || !self.market.is_valid(id) {
            return;
        }
        self.sparse.symbols[id.index()].is_on = false;
        while let Some(index) = self.next_waiting(id, Nanos(u64::MAX)) {
            if !self.fits(index, out) {
                // The next event of the symbol goes on with it.
                self.sparse.symbols[id.index()].is_on = true;
                return;
            }
            let order = self.orders.remove(index);
            self.execute(at, OpenOrder { waits: false, since: at.ts, ..order }, out);
        }
    }

    /// The order that has waited longest for a print, of those that got in before it opened.
    fn next_waiting(&self, id: InstrumentId, opened: Nanos) -> Option<usize> {
        let both = Side::ALL.map(|side| self.orders.side(id, side));
        let waiting = |index: &usize| {
            let order = self.orders.get(*index);
            order.waits && order.since < opened
        };
        let all = both.into_iter().flatten().filter(waiting);
        all.min_by_key(|index| self.orders.get(*index).place)
    }

    /// True when there is room for what becomes of an order: a fill, its end, and the ends of own orders that it
    /// meets. One that would not fit an empty outbox either goes on at once.
    fn fits(&mut self, index: usize, out: &Feedbacks) -> bool {
        let order = self.orders.get(index);
        let met = self.orders.crossing(order.instrument, order.side, order.price).len();
        let fits = out.room() >= COPIES * (met + 3) || out.is_empty();
        self.desk.stats.put_off += u64::from(!fits);
        fits
    }

    /// Pays who waits, then who rests.
    fn pay(&mut self, at: At, id: InstrumentId, print: &mut Print, out: &mut Feedbacks) {
        let before = print.left;
        while let Some(index) = self.next_waiting(id, print.opened) {
            if !self.fits(index, out) {
                return;
            }
            let order = self.orders.remove(index);
            self.take_from_print(at, OpenOrder { waits: false, ..order }, print, out);
        }
        for side in Side::ALL {
            if !print.blocked[side_index(side)] {
                self.pay_resting(at, (id, side), print, out);
            }
        }
        if print.left < before {
            self.expire_useless(at, id, out);
        }
    }

    /// An order that waited takes what the print, and the depth that is assumed, have for it.
    fn take_from_print(
        &mut self,
        at: At,
        mut order: OpenOrder,
        print: &mut Print,
        out: &mut Feedbacks,
    ) {
        let wanted = self.desk.wanted(&order);
        if wanted == Qty::ZERO {
            self.desk.report(at, &mut order, ReportKind::Expired, VenueReason::ReduceOnly, out);
            return;
        }
        let price = self.taking_price(&order, print.open);
        let there = |_| self.depth(at, &order, print.open).min(print.left);
        let qty = price.map_or(Qty::ZERO, there).min(wanted);
        if order.tif == TimeInForce::Fok && qty < wanted {
            self.desk.report(at, &mut order, ReportKind::Expired, VenueReason::NotFillable, out);
            return;
        }
        self.expire_met(at, &order, out);
        if let Some(price) = price.filter(|_| qty > Qty::ZERO) {
            let seen = Seen { touch: Some((print.open, print.open)), opened: Some(print.opened) };
            let fill = Fill { qty, price, liquidity: Liquidity::Taker, payer: at.seq, seen };
            if self.desk.fill(at, &mut order, fill, out) {
                print.left.0 -= qty.0;
            }
        }
        // What is left would have taken from a market that is not seen: it is charged so.
        (order.since, order.blind) = (at.ts, true);
        if !order.is_filled() && !self.stop_at_own(at, &mut order, out) {
            self.settle(at, order, out);
        }
    }

    /// Pays the orders that rest on one side and that the print went through: best price first, then the oldest.
    fn pay_resting(
        &mut self,
        at: At,
        (id, side): (InstrumentId, Side),
        print: &mut Print,
        out: &mut Feedbacks,
    ) {
        let Some(tick) = self.universe.get(id).tick else { return };
        let through = |price: Px| match side {
            Side::Buy => price.checked_sub(tick).is_some_and(|beyond| print.low <= beyond),
            Side::Sell => price.checked_add(tick).is_some_and(|beyond| print.high >= beyond),
        };
        let range = self.orders.side(id, side);
        let (mut index, mut end) = (range.start, range.end);
        while print.left > Qty::ZERO && index < end {
            let order = self.orders.get(index);
            if !through(order.price) {
                return;
            }
            if order.waits || order.since >= print.opened {
                index += 1;
                continue;
            }
            if out.room() < 2 * COPIES {
                self.desk.stats.put_off += 1;
                return;
            }
            let matched = self.pay_order(at, index, (print.left, Some(print.opened)), out);
            print.left.0 -= matched.qty.0;
            if matched.over {
                end -= 1;
            } else {
                index += 1;
            }
        }
    }
}
