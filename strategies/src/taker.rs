//! `taker`: follows a lasting imbalance of the top five levels with a marketable order, and leaves after
//! a fixed time.
//!
//! One position a symbol at a time: enter, protect if that is asked for (see `protect`), hold, reduce until
//! flat, cool down. What an order did is read
//! off the fold, so that a lost, late or repeated report leaves nothing behind here.

mod config;
mod imbalance;

pub use config::TakerConfig;

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::order::{NewOrder, OrderId, ReportKind, TimeInForce};
use fusewire_core::portfolio::Position;
use fusewire_core::units::{Nanos, Px, Qty};

use crate::leaving;
use crate::market::Market;
use crate::pacing::Backoff;
use crate::protect::{Protection, Wanted};
use crate::sizing;
use crate::strategy::{Orders, Strategy, View};
use crate::traded::Traded;
use imbalance::{Imbalance, LEVELS};

/// Takes on imbalance.
#[derive(Debug)]
pub struct Taker {
    config: TakerConfig,
    symbols: Traded<Symbol>,
}

#[derive(Debug)]
struct Symbol {
    instrument: InstrumentId,
    tick: Px,
    market: Market,
    imbalance: Imbalance,
    order: Option<OrderId>,
    /// Since when there is a position.
    held_since: Option<Nanos>,
    /// No entry before this.
    enter_at: Nanos,
    /// No exit before this.
    exit_at: Nanos,
    exit_backoff: Backoff,
    protection: Protection,
}

impl Taker {
    /// A taker that knows no symbol so far.
    ///
    /// # Panics
    /// When the configuration is not valid.
    #[must_use]
    pub fn new(config: &TakerConfig) -> Self {
        assert_eq!(config.validate(), Ok(()), "the configuration was validated");
        Self { config: config.clone(), symbols: Traded::none() }
    }
}

impl Strategy for Taker {
    fn start(&mut self, view: &View<'_>) {
        self.symbols = Traded::new(view, Symbol::new);
    }

    fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        let config = &self.config;
        let Some(id) = event.instrument else {
            for symbol in self.symbols.iter_mut() {
                symbol.take(event, view, config);
                symbol.protect(event.ts, view, orders, config);
                symbol.exit(event.ts, view, orders, config);
            }
            return;
        };
        let Some(place) = self.symbols.place(id) else { return };
        let symbol = &mut self.symbols[place];
        let is_new_view = symbol.take(event, view, config);
        // After a `Depth` the touch may still be that of the book before, see `Market::take`.
        if matches!(event.body, Body::Depth(_)) {
            return;
        }
        symbol.protect(event.ts, view, orders, config);
        symbol.exit(event.ts, view, orders, config);
        if is_new_view {
            symbol.enter(event.ts, view, orders, config);
        }
    }

    fn levels(&self) -> u8 {
        LEVELS
    }
}

impl Symbol {
    fn new(instrument: InstrumentId, tick: Px) -> Self {
        Self {
            instrument,
            tick,
            market: Market::default(),
            imbalance: Imbalance::default(),
            order: None,
            held_since: None,
            enter_at: Nanos(0),
            exit_at: Nanos(0),
            exit_backoff: Backoff::default(),
            protection: Protection::default(),
        }
    }

    /// Folds the event; true when it completes a view of the levels.
    fn take(&mut self, event: &Event, view: &View<'_>, config: &TakerConfig) -> bool {
        self.market.take(&event.body, event.ts);
        self.note_answer(event, view, config);
        self.settle(event.ts, view, config);
        if let Body::Levels(piece) = &event.body {
            return self.imbalance.take(piece, config.threshold_ppm);
        }
        if matches!(event.body, Body::BookInvalid(_) | Body::Gap) {
            self.imbalance.reset();
        }
        false
    }

    /// Exits that are refused are tried more and more slowly; entries wait for the cool-down anyway.
    fn note_answer(&mut self, event: &Event, view: &View<'_>, config: &TakerConfig) {
        if let Body::Rejected(rejection) = &event.body {
            if view.is_own(rejection.order) && !self.protection.has(rejection.order) {
                self.exit_backoff.failed(event.ts, config.exit_retry, config.exit_backoff_max);
            }
        } else if let Body::Report(report) = &event.body
            && view.is_own(report.order)
            && !self.protection.has(report.order)
        {
            if report.kind == ReportKind::Refused {
                self.exit_backoff.failed(event.ts, config.exit_retry, config.exit_backoff_max);
            } else if report.kind.is_fill() {
                self.exit_backoff.succeeded();
            }
        }
    }

    /// Draws the consequences when the order is over.
    fn settle(&mut self, now: Nanos, view: &View<'_>, config: &TakerConfig) {
        let is_flat = self.position(view).qty == Qty::ZERO;
        if let Some(id) = self.order
            && view.order(id).is_none()
        {
            self.order = None;
            self.exit_at = now.after(config.exit_retry);
            if is_flat {
                self.enter_at = now.after(config.cooldown);
            }
        }
        if is_flat {
            self.held_since = None;
        } else {
            self.held_since.get_or_insert(now);
        }
    }

    fn enter(
        &mut self,
        now: Nanos,
        view: &View<'_>,
        orders: &mut Orders<'_>,
        config: &TakerConfig,
    ) {
        let idle = self.order.is_none() && self.held_since.is_none();
        let free = idle && now >= self.enter_at && self.protection.is_clear();
        if !free || view.kill_level() > KillLevel::Run {
            return;
        }
        let marked = self.market.mark(now, config.mark_age_max).is_some();
        let (Some(best), true) = (self.market.best(), marked) else { return };
        let Some(side) = self.imbalance.confirmed(config.confirm) else { return };
        let touch = best.opposite(side);
        let Some(price) = sizing::through(touch, side, config.slippage, self.tick) else { return };
        let instrument = view.instrument(self.instrument);
        let Some(qty) = sizing::qty_for(instrument, price, config.notional) else { return };
        self.send(NewOrder { side, price, qty, tif: TimeInForce::Ioc, reduce_only: false }, orders);
    }

    /// Keeps what protects the position.
    fn protect(
        &mut self,
        now: Nanos,
        view: &View<'_>,
        orders: &mut Orders<'_>,
        config: &TakerConfig,
    ) {
        if self.held_since.is_none() {
            self.protection.clear(now, view, orders, config.exit_retry);
            return;
        }
        self.protection.look(view);
        // What is entered is first known whole, and what is left is not protected anew.
        let may = self.order.is_none() && view.kill_level() <= KillLevel::NoNewRisk;
        if may && self.protection.lacks(&config.terms()) {
            let terms = &config.terms();
            let wanted = Wanted { instrument: self.instrument, tick: self.tick, terms };
            self.protection.place(&wanted, view, orders);
        }
    }

    /// Leaves the position once it was held for long enough, or what protects it is gone. An unusable book has no price to leave at:
    /// the exit waits for the next valid one.
    fn exit(&mut self, now: Nanos, view: &View<'_>, orders: &mut Orders<'_>, config: &TakerConfig) {
        let Some(since) = self.held_since else { return };
        let is_due = now.since(since) >= i128::from(config.hold.0) || self.protection.is_gone();
        let may = self.order.is_none() && now >= self.exit_at && self.exit_backoff.is_over(now);
        if !is_due || !may || view.kill_level() > KillLevel::NoNewRisk {
            return;
        }
        if let Some(best) = self.market.best()
            && let Some(new) = leaving::exit(self.instrument, &best, config.slippage, view)
        {
            self.send(new, orders);
        }
    }

    fn send(&mut self, new: NewOrder, orders: &mut Orders<'_>) {
        // When the harness takes no more, the next event tries again.
        if let Ok(id) = orders.send(self.instrument, new) {
            self.order = Some(id);
        }
    }

    fn position(&self, view: &View<'_>) -> Position {
        view.position_of(self.instrument)
    }
}

#[cfg(test)]
mod tests;
