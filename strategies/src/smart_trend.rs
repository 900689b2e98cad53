//! `smart-trend`: follows a trend of closed bars, with one position a symbol.
//!
//! A trend is entered at a small pull-back behind the close, by an order that rests. What is held has a stop at the
//! venue, a profit that rests, and so many bars of time. Averages need bars before they say anything; what the
//! harness refuses meanwhile (`run.warm_up_s`) is simply tried at a later bar. That an order rests within a bar is no
//! fill: `docs/exhibits/smart-trend.md` shows what becomes of this strategy where it is taken for one.

mod config;
mod trend;

pub use config::SmartTrendConfig;

use fusewire_core::event::{Bar, Body, Event};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::market::Side;
use fusewire_core::order::{NewOrder, OrderId, ReportKind, TimeInForce};
use fusewire_core::units::{Bps, Nanos, Px, Qty, Round};

use crate::leaving;
use crate::market::Market;
use crate::pacing::Backoff;
use crate::protect::{Protection, Terms, Wanted};
use crate::sizing;
use crate::strategy::{Orders, Strategy, View};
use crate::traded::Traded;
use trend::{Averages, Trend};

/// Follows trends.
#[derive(Debug)]
pub struct SmartTrend {
    config: SmartTrendConfig,
    symbols: Traded<Symbol>,
    foreign_bars: u64,
}

#[derive(Debug)]
struct Symbol {
    instrument: InstrumentId,
    tick: Px,
    market: Market,
    averages: Averages,
    /// The order of each kind that is not known to be over.
    orders: [Option<OrderId>; Kind::COUNT],
    /// Bars that closed since the entry was sent, or since the position is held.
    bars: u32,
    /// Bars before the next entry.
    rest_bars: u32,
    is_held: bool,
    /// Distances of the position from its entry: stop and profit.
    stop: Bps,
    profit: Bps,
    /// The profit is sent once for a position.
    profit_sent: bool,
    protection: Protection,
    backoff: Backoff,
    /// No cancel and no exit before this.
    retry_at: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Entry,
    Profit,
    Exit,
}

impl Kind {
    const COUNT: usize = 3;
}

/// What a symbol needs to know at one event.
struct Turn<'a> {
    now: Nanos,
    view: &'a View<'a>,
    config: &'a SmartTrendConfig,
}

impl SmartTrend {
    /// A follower that knows no symbol so far.
    ///
    /// # Panics
    /// When the configuration is not valid.
    #[must_use]
    pub fn new(config: &SmartTrendConfig) -> Self {
        assert_eq!(config.validate(), Ok(()), "the configuration was validated");
        Self { config: config.clone(), symbols: Traded::none(), foreign_bars: 0 }
    }
}

impl Strategy for SmartTrend {
    fn start(&mut self, view: &View<'_>) {
        self.symbols = Traded::new(view, Symbol::new);
    }

    fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        let turn = Turn { now: event.ts, view, config: &self.config };
        let Some(id) = event.instrument else {
            for symbol in self.symbols.iter_mut() {
                symbol.market.take(&event.body, event.ts);
                symbol.work(&turn, orders);
            }
            return;
        };
        let Some(place) = self.symbols.place(id) else { return };
        let symbol = &mut self.symbols[place];
        symbol.market.take(&event.body, event.ts);
        match &event.body {
            Body::Bar(bar) if bar.interval_s != self.config.bar_s => self.foreign_bars += 1,
            Body::Bar(bar) => symbol.on_bar(bar, &turn, orders),
            Body::Report(_) | Body::Status(_) | Body::Rejected(_) => {
                symbol.note_answer(event, &turn);
                symbol.work(&turn, orders);
            }
            // Between bars and answers the clock is fast enough.
            Body::Touch(_)
            | Body::Depth(_)
            | Body::Levels(_)
            | Body::Trade(_)
            | Body::Mark(_)
            | Body::Liquidation(_)
            | Body::BookInvalid(_)
            | Body::Tick
            | Body::Gap
            | Body::Wake
            | Body::Control(_)
            | Body::KillLevel(_)
            | Body::Account(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_) => {}
        }
    }

    fn foreign_bars(&self) -> u64 {
        self.foreign_bars
    }
}

impl Symbol {
    fn new(instrument: InstrumentId, tick: Px) -> Self {
        Self {
            instrument,
            tick,
            market: Market::default(),
            averages: Averages::default(),
            orders: [None; Kind::COUNT],
            bars: 0,
            rest_bars: 0,
            is_held: false,
            stop: Bps::ZERO,
            profit: Bps::ZERO,
            profit_sent: false,
            protection: Protection::default(),
            backoff: Backoff::default(),
            retry_at: Nanos(0),
        }
    }

    /// A closed bar: time goes on, and a trend may be entered.
    fn on_bar(&mut self, bar: &Bar, turn: &Turn<'_>, orders: &mut Orders<'_>) {
        if !self.averages.take(bar, turn.config) {
            return;
        }
        self.bars = self.bars.saturating_add(1);
        self.rest_bars = self.rest_bars.saturating_sub(1);
        self.work(turn, orders);
        if let Some(trend) = self.averages.trend(turn.config) {
            self.enter(&trend, turn, orders);
        }
    }

    /// Exits that are refused are tried more and more slowly; entries wait for later bars anyway.
    fn note_answer(&mut self, event: &Event, turn: &Turn<'_>) {
        let order = event.body.order();
        if order.is_none() || self.orders[Kind::Exit as usize] != order {
            return;
        }
        let (failed, filled) = if let Body::Report(report) = &event.body {
            (report.kind == ReportKind::Refused, report.kind.is_fill())
        } else {
            (matches!(event.body, Body::Rejected(_)), false)
        };
        if failed {
            self.backoff.failed(turn.now, turn.config.retry, turn.config.backoff_max);
        } else if filled {
            self.backoff.succeeded();
        }
    }

    /// What is due without a new bar: answers are taken note of, what is held is protected or left.
    fn work(&mut self, turn: &Turn<'_>, orders: &mut Orders<'_>) {
        self.settle(turn);
        if self.is_held {
            self.hold(turn, orders);
            return;
        }
        self.protection.clear(turn.now, turn.view, orders, turn.config.retry);
        self.cancel(Kind::Profit, turn, orders);
        let is_over = self.bars >= turn.config.entry_bars;
        if is_over || turn.view.kill_level() > KillLevel::Run {
            self.cancel(Kind::Entry, turn, orders);
        }
    }

    /// Draws the consequences of what is over.
    fn settle(&mut self, turn: &Turn<'_>) {
        let is_held = turn.view.position_of(self.instrument).qty != Qty::ZERO;
        for (place, order) in self.orders.iter_mut().enumerate() {
            if order.is_some_and(|id| turn.view.order(id).is_none()) {
                *order = None;
                if place == Kind::Entry as usize && !is_held {
                    self.rest_bars = turn.config.cooldown_bars;
                }
            }
        }
        if is_held && !self.is_held {
            (self.bars, self.profit_sent) = (0, false);
        } else if self.is_held && !is_held {
            self.rest_bars = turn.config.cooldown_bars;
        }
        self.is_held = is_held;
    }

    /// A position: the stop first, then the profit, and out when its time is over or the stop is gone.
    fn hold(&mut self, turn: &Turn<'_>, orders: &mut Orders<'_>) {
        if self.open(Kind::Entry) {
            // What is entered is first known whole.
            self.cancel(Kind::Entry, turn, orders);
            return;
        }
        self.protection.look(turn.view);
        if turn.view.kill_level() > KillLevel::NoNewRisk {
            return;
        }
        if self.bars >= turn.config.hold_bars || self.protection.is_gone() {
            self.leave(turn, orders);
            return;
        }
        let terms = &self.terms(turn.config);
        if self.protection.lacks(terms) {
            let wanted = Wanted { instrument: self.instrument, tick: self.tick, terms };
            self.protection.place(&wanted, turn.view, orders);
        } else if !self.profit_sent {
            self.take_profit(turn, orders);
        }
    }

    fn terms(&self, config: &SmartTrendConfig) -> Terms {
        Terms {
            stop: self.stop,
            take_profit: Bps::ZERO,
            trailing: Bps::ZERO,
            slippage: config.slippage,
            by: config.stop_by,
        }
    }

    /// The order that takes the profit rests, as the stop waits: the venue knows both when nobody answers here.
    fn take_profit(&mut self, turn: &Turn<'_>, orders: &mut Orders<'_>) {
        let position = turn.view.position_of(self.instrument);
        let Some((entry, side)) = position.average_price().zip(position.reducing_side()) else {
            return;
        };
        let instrument = turn.view.instrument(self.instrument);
        let reducible = turn.view.reducible(self.instrument, side).0;
        let most = position.size().0.min(reducible).min(i128::from(instrument.lot.max.0));
        let price = sizing::through(entry, side.opposite(), self.profit, self.tick);
        let qty = sizing::steps(instrument, most, Round::Down).filter(|qty| *qty > Qty::ZERO);
        let Some((price, qty)) = price.zip(qty) else { return };
        let new = NewOrder { side, price, qty, tif: TimeInForce::Gtc, reduce_only: true };
        self.profit_sent = self.send(Kind::Profit, new, orders);
    }

    /// Out at the touch. The profit goes first: what it reserves can not be sold twice.
    fn leave(&mut self, turn: &Turn<'_>, orders: &mut Orders<'_>) {
        if self.open(Kind::Profit) {
            self.cancel(Kind::Profit, turn, orders);
            return;
        }
        // The same order again, too soon, is taken for a mistake.
        if self.open(Kind::Exit) || turn.now < self.retry_at || !self.backoff.is_over(turn.now) {
            return;
        }
        let Some(best) = self.market.best() else { return };
        let slippage = turn.config.slippage;
        if let Some(new) = leaving::exit(self.instrument, &best, slippage, turn.view)
            && self.send(Kind::Exit, new, orders)
        {
            self.retry_at = turn.now.after(turn.config.retry);
        }
    }

    /// Waits behind the close for the trend to come back a little.
    fn enter(&mut self, trend: &Trend, turn: &Turn<'_>, orders: &mut Orders<'_>) {
        let idle = !self.is_held && self.rest_bars == 0 && self.protection.is_clear();
        let free = idle && self.orders == [None; Kind::COUNT];
        if !free || turn.view.kill_level() > KillLevel::Run || self.market.best().is_none() {
            return;
        }
        let config = turn.config;
        let Some(price) = pulled_back(trend, config.pullback_pct, self.tick) else { return };
        let instrument = turn.view.instrument(self.instrument);
        let Some(qty) = sizing::qty_for(instrument, price, config.notional) else { return };
        let (side, tif) = (trend.side, TimeInForce::Gtx);
        if self.send(Kind::Entry, NewOrder { side, price, qty, tif, reduce_only: false }, orders) {
            self.bars = 0;
            self.stop = trend.distance(config.stop_pct, config.stop_min);
            self.profit = trend.distance(config.take_profit_pct, config.take_profit_min);
        }
    }

    fn open(&self, kind: Kind) -> bool {
        self.orders[kind as usize].is_some()
    }

    /// False when the harness takes nothing now: a later event tries again.
    fn send(&mut self, kind: Kind, new: NewOrder, orders: &mut Orders<'_>) -> bool {
        let sent = orders.send(self.instrument, new).ok();
        self.orders[kind as usize] = sent;
        sent.is_some()
    }

    /// Takes an order back, if there is one and no cancel is on its way.
    fn cancel(&mut self, kind: Kind, turn: &Turn<'_>, orders: &mut Orders<'_>) {
        let Some(order) = self.orders[kind as usize].and_then(|id| turn.view.order(id)) else {
            return;
        };
        // At the last level the gateway itself cancels everything.
        let may = turn.now >= self.retry_at && turn.view.kill_level() < KillLevel::Dead;
        if may && order.cancel_since.is_none() && orders.cancel(order.id).is_ok() {
            self.retry_at = turn.now.after(turn.config.retry);
        }
    }
}

/// The price behind the close, on the grid and at least a tick away from it.
fn pulled_back(trend: &Trend, pct: u32, tick: Px) -> Option<Px> {
    let way = (i128::from(trend.range) * i128::from(pct) / 100).max(i128::from(tick.0));
    let (price, round) = match trend.side {
        Side::Buy => (i128::from(trend.close.0) - way, Round::Down),
        Side::Sell => (i128::from(trend.close.0) + way, Round::Up),
    };
    sizing::on_grid(price, 1, tick, round)
}

#[cfg(test)]
mod tests;
