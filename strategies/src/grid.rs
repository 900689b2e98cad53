//! `grid`: post-only orders on evenly spaced prices around an anchor; each fill is answered by the opposite
//! order one step away, and the two are a pair.
//!
//! A rung is one unit of inventory with at most one order: its entry, or once it is held its exit. Which
//! rungs are held is read off the position, the inner ones first, so that a lost, late or repeated report
//! leaves nothing behind here. There is no stop: what the market does not bring back stays held, and only a
//! ledger that marks every open unit sees what it costs (`docs/exhibits/grid-ping-pong.md`).

mod config;
mod ladder;

pub use config::GridConfig;

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::market::Side;
use fusewire_core::order::{NewOrder, OrderId, ReportKind, TimeInForce};
use fusewire_core::portfolio::{Order, Position};
use fusewire_core::units::{Nanos, ONE, Px, Qty, Round};

use crate::market::{Best, Market};
use crate::pacing::{Backoff, MINUTE, Pace};
use crate::sizing;
use crate::strategy::{Orders, Refused, Strategy, View};
use crate::traded::Traded;
use ladder::{Ladder, passive};

/// Pairs fills on a grid.
#[derive(Debug)]
pub struct Grid {
    config: GridConfig,
    symbols: Traded<Symbol>,
    pace: Pace,
}

#[derive(Debug)]
struct Symbol {
    instrument: InstrumentId,
    tick: Px,
    market: Market,
    /// Since when touch or mark are not known.
    unknown_since: Option<Nanos>,
    ladder: Option<Ladder>,
    rungs: Vec<Rung>,
    pace: Pace,
    backoff: Backoff,
}

#[derive(Clone, Copy, Debug)]
struct Rung {
    /// Of the entry.
    side: Side,
    /// From 1, the one next to the anchor.
    number: u32,
    order: Option<(OrderId, Kind)>,
    /// When its order may be cancelled next.
    cancel_at: Nanos,
    /// When an order of each kind may be sent next.
    send_at: [Nanos; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Entry,
    Exit,
}

/// What all rungs of a symbol need to know at one event.
struct Turn<'a> {
    now: Nanos,
    view: &'a View<'a>,
    config: &'a GridConfig,
    position: Position,
    /// Touch and mark; none when either is not known.
    market: Option<(Best, Px)>,
    /// Entries may stand.
    may_enter: bool,
}

/// What was sent at this event, which the view does not know.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    /// Entered, by side.
    entered: [i128; 2],
    /// Reduce-only.
    reduced: i128,
}

/// The harness takes no more on this event.
struct Full;

impl Grid {
    /// A grid that knows no symbol so far.
    ///
    /// # Panics
    /// When the configuration is not valid.
    #[must_use]
    pub fn new(config: &GridConfig) -> Self {
        assert_eq!(config.validate(), Ok(()), "the configuration was validated");
        Self {
            pace: Pace::new(config.orders_per_minute, MINUTE),
            symbols: Traded::none(),
            config: config.clone(),
        }
    }

    /// All symbols; what the harness does not take now is tried again at the next tick.
    fn work_all(&mut self, now: Nanos, view: &View<'_>, orders: &mut Orders<'_>) {
        let Self { config, symbols, pace, .. } = self;
        let _ = symbols
            .iter_mut()
            .try_for_each(|symbol| symbol.work(now, view, orders, (config, pace)));
    }
}

impl Strategy for Grid {
    fn start(&mut self, view: &View<'_>) {
        self.symbols = Traded::new(view, |id, tick| Symbol::new(id, tick, &self.config));
    }

    fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        let Some(id) = event.instrument else {
            if matches!(event.body, Body::Gap) {
                self.symbols
                    .iter_mut()
                    .for_each(|symbol| symbol.market.take(&event.body, event.ts));
            }
            if matches!(event.body, Body::Tick | Body::Gap | Body::KillLevel(_)) {
                self.work_all(event.ts, view, orders);
            }
            return;
        };
        let Some(place) = self.symbols.place(id) else { return };
        let Self { config, symbols, pace, .. } = self;
        let symbol = &mut symbols[place];
        symbol.market.take(&event.body, event.ts);
        symbol.note_answer(event, view, config);
        // Orders rest where they were put: between answers the clock is fast enough.
        if matches!(event.body, Body::Report(_) | Body::Status(_) | Body::Rejected(_)) {
            let _ = symbol.work(event.ts, view, orders, (config, pace));
        }
    }
}

impl Symbol {
    fn new(instrument: InstrumentId, tick: Px, config: &GridConfig) -> Self {
        let rung = |side| {
            move |number| Rung {
                side,
                number,
                order: None,
                cancel_at: Nanos(0),
                send_at: [Nanos(0); 2],
            }
        };
        let sides = [Side::Buy, Side::Sell];
        Self {
            instrument,
            tick,
            market: Market::default(),
            unknown_since: None,
            ladder: None,
            // From the inside out: what is nearest goes first.
            rungs: (1..=config.levels).flat_map(|n| sides.map(|side| rung(side)(n))).collect(),
            pace: Pace::new(config.symbol_orders_per_minute, MINUTE),
            backoff: Backoff::default(),
        }
    }

    /// Backs off after a refusal, and forgets about it after a success. An order that expired because it
    /// would have taken is neither.
    fn note_answer(&mut self, event: &Event, view: &View<'_>, config: &GridConfig) {
        let failed = if let Body::Rejected(rejection) = &event.body {
            view.is_own(rejection.order)
        } else if let Body::Report(report) = &event.body
            && view.is_own(report.order)
        {
            if matches!(report.kind, ReportKind::Accepted) || report.kind.is_fill() {
                self.backoff.succeeded();
            }
            report.kind == ReportKind::Refused
        } else {
            false
        };
        if failed {
            self.backoff.failed(event.ts, config.backoff_min, config.backoff_max);
        }
    }

    /// One step of every rung.
    fn work(
        &mut self,
        now: Nanos,
        view: &View<'_>,
        orders: &mut Orders<'_>,
        (config, pace): (&GridConfig, &mut Pace),
    ) -> Result<(), Full> {
        let position = view.position_of(self.instrument);
        let market = self.market.best().zip(self.market.mark(now, config.mark_age_max));
        match market {
            Some(_) => self.unknown_since = None,
            None => _ = self.unknown_since.get_or_insert(now),
        }
        let is_left = self.settle(market.as_ref().map(|(best, _)| best), &position, view, config);
        let known = self
            .unknown_since
            .is_none_or(|since| now.since(since) < i128::from(config.unknown_max.0));
        let may_enter = known && !is_left && view.kill_level() == KillLevel::Run;
        let turn = Turn { now, view, config, position, market, may_enter };
        let mut sent = Sent::default();
        for index in 0..self.rungs.len() {
            match self.step(index, &turn, &mut sent, orders, pace) {
                Err(refused) if refused.is_full() => return Err(Full),
                // An order that closed meanwhile, or an id that was passed over, is seen to by the next event.
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Puts the grid in its place; true when the market has left it for good, so that it has to move. It
    /// moves only while nothing is held: what is held is to be left where its pair is.
    fn settle(
        &mut self,
        best: Option<&Best>,
        position: &Position,
        view: &View<'_>,
        config: &GridConfig,
    ) -> bool {
        let Some(best) = best else { return false };
        let is_idle = position.qty == Qty::ZERO
            && self.rungs.iter().all(|rung| rung.standing(view).is_none());
        let is_left =
            position.qty == Qty::ZERO && self.ladder.is_some_and(|ladder| ladder.is_left_by(best));
        if is_idle && (is_left || self.ladder.is_none()) {
            let instrument = view.instrument(self.instrument);
            self.ladder = Ladder::around(best, instrument, self.tick, config);
            return false;
        }
        is_left
    }

    fn step(
        &mut self,
        index: usize,
        turn: &Turn<'_>,
        sent: &mut Sent,
        orders: &mut Orders<'_>,
        pace: &mut Pace,
    ) -> Result<(), Refused> {
        let Some(ladder) = self.ladder else { return Ok(()) };
        let rung = &mut self.rungs[index];
        let held = ladder.held(rung.side, rung.number, &turn.position);
        if let Some((order, kind)) = rung.standing(turn.view) {
            let stays = match kind {
                // What holds the rung already came from another order.
                Kind::Entry => turn.may_enter && (held == 0 || order.cum_qty > Qty::ZERO),
                Kind::Exit => order.remaining().0 <= held,
            };
            return if stays { Ok(()) } else { rung.cancel(order, turn, orders) };
        }
        rung.order = None;
        let kind = if held > 0 { Kind::Exit } else { Kind::Entry };
        if turn.now < rung.send_at[kind as usize] {
            return Ok(());
        }
        let Some((best, mark)) = turn.market.filter(|_| self.backoff.is_over(turn.now)) else {
            return Ok(());
        };
        if held > 0 {
            self.leave(index, (&ladder, &best, held), turn, sent, orders, pace)
        } else if turn.may_enter {
            self.enter(index, (&ladder, &best, mark), turn, sent, orders, pace)
        } else {
            Ok(())
        }
    }

    fn enter(
        &mut self,
        index: usize,
        (ladder, best, mark): (&Ladder, &Best, Px),
        turn: &Turn<'_>,
        sent: &mut Sent,
        orders: &mut Orders<'_>,
        pace: &mut Pace,
    ) -> Result<(), Refused> {
        let Rung { side, number, .. } = self.rungs[index];
        let Some(price) = ladder.entry(side, number) else { return Ok(()) };
        // The market is there already: it comes back, or the rung stays empty.
        let rests = passive(best, side, price, self.tick) == Some(price);
        if !rests || !pace.allows(turn.now) || !self.pace.allows(turn.now) {
            return Ok(());
        }
        let entered = &mut sent.entered[side as usize];
        let qty = i128::from(ladder.qty.0);
        let worst = self.worst(side, turn) + *entered + qty;
        let fits =
            worst * i128::from(mark.0) <= i128::from(turn.config.inventory_max.0) * i128::from(ONE);
        if !fits {
            return Ok(());
        }
        let tif = TimeInForce::Gtx;
        let new = NewOrder { side, price, qty: ladder.qty, tif, reduce_only: false };
        let id = orders.send(self.instrument, new)?;
        *entered += qty;
        self.sent(index, (id, Kind::Entry), turn, Some(pace));
        Ok(())
    }

    /// What may come to be held on a side, at worst.
    fn worst(&self, side: Side, turn: &Turn<'_>) -> i128 {
        let held = match (side, turn.position.qty.0) {
            (Side::Buy, qty) => i128::from(qty).max(0),
            (Side::Sell, qty) => (-i128::from(qty)).max(0),
        };
        let rungs = self.rungs.iter().filter(|rung| rung.side == side);
        let open = rungs.filter_map(|rung| match rung.standing(turn.view) {
            Some((order, Kind::Entry)) => Some(order.remaining().0),
            Some((_, Kind::Exit)) | None => None,
        });
        held + open.sum::<i128>()
    }

    /// Sends the exit of what a rung holds. It only reduces, so that it may leave when new risk may not.
    fn leave(
        &mut self,
        index: usize,
        (ladder, best, held): (&Ladder, &Best, i128),
        turn: &Turn<'_>,
        sent: &mut Sent,
        orders: &mut Orders<'_>,
        pace: &mut Pace,
    ) -> Result<(), Refused> {
        let Rung { side: entered, number, .. } = self.rungs[index];
        let side = entered.opposite();
        if turn.view.kill_level() > KillLevel::NoNewRisk {
            return Ok(());
        }
        let instrument = turn.view.instrument(self.instrument);
        let wanted = ladder.exit(entered, number);
        let price = wanted.and_then(|wanted| passive(best, side, wanted, self.tick));
        let most = held.min(i128::from(instrument.lot.max.0));
        let Some((price, qty)) = price.zip(sizing::steps(instrument, most, Round::Down)) else {
            return Ok(());
        };
        let left = turn.view.reducible(self.instrument, side).0 - sent.reduced;
        let account = turn.view.account_position(self.instrument).reducing_side();
        let reduce_only = account == Some(side);
        let may = if reduce_only {
            i128::from(qty.0) <= left
        } else {
            // Other strategies hold as much the other way: to the account, leaving is new risk.
            let is_paced = pace.allows(turn.now) && self.pace.allows(turn.now);
            let is_run = turn.view.kill_level() == KillLevel::Run;
            is_run && is_paced && sizing::meets_least(instrument, price, qty)
        };
        if !may || qty < instrument.lot.min || qty == Qty::ZERO {
            return Ok(());
        }
        let new = NewOrder { side, price, qty, tif: TimeInForce::Gtx, reduce_only };
        let id = orders.send(self.instrument, new)?;
        sent.reduced += i128::from(qty.0);
        self.sent(index, (id, Kind::Exit), turn, Some(pace).filter(|_| !reduce_only));
        Ok(())
    }

    fn sent(
        &mut self,
        index: usize,
        order: (OrderId, Kind),
        turn: &Turn<'_>,
        pace: Option<&mut Pace>,
    ) {
        // Reducing orders have a budget of their own.
        if let Some(pace) = pace {
            pace.note(turn.now);
            self.pace.note(turn.now);
        }
        let rung = &mut self.rungs[index];
        (rung.order, rung.cancel_at) = (Some(order), Nanos(0));
        rung.send_at[order.1 as usize] = turn.now.after(turn.config.retry);
    }
}

impl Rung {
    /// Its order and what it is for; none when it has none, or one that is over.
    fn standing<'a>(&self, view: &View<'a>) -> Option<(&'a Order, Kind)> {
        let (id, kind) = self.order?;
        view.order(id).map(|order| (order, kind))
    }

    /// Takes its order back, whatever else waits: this is what makes the symbol safe.
    fn cancel(
        &mut self,
        order: &Order,
        turn: &Turn<'_>,
        orders: &mut Orders<'_>,
    ) -> Result<(), Refused> {
        // At the last level the gateway itself cancels everything.
        let leaves = turn.view.kill_level() < KillLevel::Dead;
        if leaves && order.cancel_since.is_none() && turn.now >= self.cancel_at {
            orders.cancel(order.id)?;
            self.cancel_at = turn.now.after(turn.config.retry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
