//! `quoter`: a market maker with post-only quotes on both sides of every tradable symbol, skewed against
//! its inventory.
//!
//! Each symbol has two slots, one a side, with at most one order each. On every event that matters the
//! symbol's wishes are worked out afresh from market, position and kill level, and each slot takes one
//! step towards its wish: send, amend or cancel. What is on its way is waited for.

mod config;
mod price;
mod slot;

pub use config::QuoterConfig;

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::{Instrument, InstrumentId};
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::market::Side;
use fusewire_core::order::ReportKind;
use fusewire_core::portfolio::Position;
use fusewire_core::units::{Bps, Nanos, Px, Qty, Round, Usd, UsdSum};

use crate::market::{Best, Market};
use crate::pacing::{Backoff, MINUTE, Pace};
use crate::sizing;
use crate::strategy::{Orders, Refused, Strategy, View};
use crate::traded::Traded;
use slot::{Done, Kind, Paces, Slot, Step, Turn, Wish};

/// Quotes both sides.
#[derive(Debug)]
pub struct Quoter {
    config: QuoterConfig,
    /// Time between two changes of one side.
    interval: Nanos,
    symbols: Traded<Symbol>,
    quotes: Pace,
    amends: Pace,
    /// The harness took no more while steps were left.
    has_rest: bool,
}

#[derive(Debug)]
struct Symbol {
    instrument: InstrumentId,
    tick: Px,
    market: Market,
    buy: Slot,
    sell: Slot,
    quotes: Pace,
    backoff: Backoff,
    /// Since when the position is being reduced.
    reducing_since: Option<Nanos>,
    /// What both sides were last found to be quoted at.
    quoted: Option<Quoted>,
    /// Neither side has anything to do, as long as this holds.
    settled: Option<Settled>,
}

/// While the touch keeps its prices, a settled symbol has nothing to do for some time: most touches end
/// here. All else that its wishes and orders depend on comes with an event that has them worked out
/// afresh, but for the mark, which unsettles it.
#[derive(Clone, Copy, Debug)]
struct Settled {
    touch: [Px; 2],
    /// Last time at which that is so: then the mark grows old, or a side may be changed.
    until: Nanos,
}

/// Quotes of both sides, and all that they depend on but for what never changes. Most touches bring a new
/// quantity at the same prices, so that they are seldom worked out anew.
#[derive(Clone, Copy, Debug)]
struct Quoted {
    /// Prices of best bid and best ask.
    touch: [Px; 2],
    skew: Bps,
    /// Buy, sell.
    wishes: [Wish; 2],
}

impl Quoter {
    /// A quoter that knows no symbol so far.
    ///
    /// # Panics
    /// When the configuration is not valid.
    #[must_use]
    pub fn new(config: &QuoterConfig) -> Self {
        assert_eq!(config.validate(), Ok(()), "the configuration was validated");
        Self {
            interval: config.change_interval,
            symbols: Traded::none(),
            quotes: Pace::new(config.quotes_per_minute, MINUTE),
            amends: Pace::new(config.amends_per_minute, MINUTE),
            has_rest: false,
            config: config.clone(),
        }
    }

    /// Folds the event and says which symbols it concerns.
    fn take(&mut self, event: &Event, view: &View<'_>) -> Concerned {
        if matches!(event.body, Body::Gap) {
            for symbol in self.symbols.iter_mut() {
                symbol.take(event);
            }
        }
        let place = event.instrument.and_then(|id| self.symbols.place(id));
        let symbol = place.map(|place| &mut self.symbols[place]);
        if let Some(symbol) = symbol {
            symbol.take(event);
            symbol.note_answer(event, view, &self.config);
        }
        match event.body {
            Body::Touch(_) => place
                .filter(|&place| !self.symbols[place].is_settled(event.ts))
                .map_or(Concerned::Nobody, Concerned::One),
            Body::BookInvalid(_) | Body::Report(_) | Body::Status(_) | Body::Rejected(_) => {
                place.map_or(Concerned::Nobody, Concerned::One)
            }
            Body::Tick | Body::Gap | Body::KillLevel(_) => Concerned::All,
            Body::Depth(_)
            | Body::Levels(_)
            | Body::Trade(_)
            | Body::Mark(_)
            | Body::Liquidation(_)
            | Body::Bar(_)
            | Body::Wake
            | Body::Control(_)
            | Body::Account(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_) => Concerned::Nobody,
        }
    }

    /// Takes the steps of all symbols. Those that have taken theirs wait, so that a round after one that
    /// had to stop gets further.
    fn round(&mut self, now: Nanos, view: &View<'_>, orders: &mut Orders<'_>) {
        let mut places = 0..self.symbols.len();
        self.has_rest = places.any(|place| self.work(place, now, view, orders).is_err());
    }

    /// Takes the steps of one symbol; an error says that the harness takes no more for now.
    fn work(
        &mut self,
        place: usize,
        now: Nanos,
        view: &View<'_>,
        orders: &mut Orders<'_>,
    ) -> Result<(), Full> {
        let symbol = &mut self.symbols[place];
        symbol.settled = None;
        let [buy, sell] = [symbol.buy.standing(view), symbol.sell.standing(view)];
        let [wish_to_buy, wish_to_sell] = symbol.wishes(now, view, &self.config);
        let step = Step {
            now,
            interval: self.interval,
            instrument: symbol.instrument,
            tick: symbol.tick,
            may_send: symbol.backoff.is_over(now),
            config: &self.config,
            view,
        };
        let mut paces = Paces {
            quotes: &mut self.quotes,
            symbol_quotes: &mut symbol.quotes,
            amends: &mut self.amends,
        };
        let buying = Turn { side: Side::Buy, wish: wish_to_buy, standing: buy, opposite: sell };
        let buying = done(symbol.buy.step(&step, &buying, &mut paces, orders))?;
        let selling = Turn { side: Side::Sell, wish: wish_to_sell, standing: sell, opposite: buy };
        let selling = done(symbol.sell.step(&step, &selling, &mut paces, orders))?;
        if let (Done::Settled(buying), Done::Settled(selling)) = (buying, selling) {
            symbol.settle(buying.min(selling), &self.config);
        }
        Ok(())
    }
}

/// What became of a step. An order that closed meanwhile, or an id that was passed over, is seen to by the
/// next event.
fn done(stepped: Result<Done, Refused>) -> Result<Done, Full> {
    match stepped {
        Err(refused) if refused.is_full() => Err(Full),
        Err(_) => Ok(Done::Waits),
        Ok(done) => Ok(done),
    }
}

/// The harness takes no more on this event.
struct Full;

/// Which symbols an event concerns.
enum Concerned {
    Nobody,
    One(usize),
    All,
}

impl Strategy for Quoter {
    fn start(&mut self, view: &View<'_>) {
        self.symbols = Traded::new(view, |id, tick| Symbol::new(id, tick, &self.config));
        // Each side changes at most once an interval, so that all sides together keep to the pace of
        // amends and the first symbol does not use it up.
        let sides = 2 * self.symbols.len() as u64;
        let fair = Nanos(sides * MINUTE.0 / u64::from(self.config.amends_per_minute));
        self.interval = self.config.change_interval.max(fair);
    }

    fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        let concerned = self.take(event, view);
        // After a `Depth` the touch may still be that of the book before, see `Market::take`.
        if matches!(event.body, Body::Depth(_)) {
            return;
        }
        match concerned {
            Concerned::All => self.round(event.ts, view, orders),
            // What could not be sent last time goes first: it may be cancels.
            Concerned::Nobody | Concerned::One(_) if self.has_rest => {
                self.round(event.ts, view, orders);
            }
            Concerned::One(place) => {
                self.has_rest = self.work(place, event.ts, view, orders).is_err();
            }
            Concerned::Nobody => {}
        }
    }
}

impl Symbol {
    fn new(instrument: InstrumentId, tick: Px, config: &QuoterConfig) -> Self {
        Self {
            instrument,
            tick,
            market: Market::default(),
            buy: Slot::default(),
            sell: Slot::default(),
            quotes: Pace::new(config.symbol_quotes_per_minute, MINUTE),
            backoff: Backoff::default(),
            reducing_since: None,
            quoted: None,
            settled: None,
        }
    }

    /// Takes what an event of the symbol, or a gap, says of its market.
    fn take(&mut self, event: &Event) {
        self.market.take(&event.body, event.ts);
        if matches!(event.body, Body::Mark(_)) {
            self.settled = None;
        }
    }

    /// True when an event at `now` that moved nothing but quantities changes nothing.
    fn is_settled(&self, now: Nanos) -> bool {
        let Some(settled) = self.settled else { return false };
        now <= settled.until
            && self.market.best().is_some_and(|best| best.prices() == settled.touch)
    }

    /// Neither side has anything to do up to and at this time, as far as its orders go. A position that is
    /// being reduced is never left alone: time tells how.
    fn settle(&mut self, until: Nanos, config: &QuoterConfig) {
        let usable = self.market.best().zip(self.market.mark_until(config.mark_age_max));
        self.settled = usable
            .filter(|_| self.reducing_since.is_none())
            .map(|(best, fresh)| Settled { touch: best.prices(), until: until.min(fresh) });
    }

    /// Backs off after a refusal, and forgets about it after a success. A quote that expired because it
    /// would have taken is neither.
    fn note_answer(&mut self, event: &Event, view: &View<'_>, config: &QuoterConfig) {
        let failed = if let Body::Rejected(rejection) = &event.body {
            view.is_own(rejection.order)
        } else if let Body::Report(report) = &event.body
            && view.is_own(report.order)
        {
            match report.kind {
                ReportKind::Refused | ReportKind::AmendRefused => true,
                ReportKind::Accepted
                | ReportKind::Amended
                | ReportKind::PartialFill
                | ReportKind::Filled => {
                    self.backoff.succeeded();
                    false
                }
                ReportKind::Canceled
                | ReportKind::Expired
                | ReportKind::CancelRefused
                | ReportKind::OutcomeUnknown => false,
                ReportKind::Triggered => false,
            }
        } else {
            false
        };
        if failed {
            self.backoff.failed(event.ts, config.backoff_min, config.backoff_max);
        }
    }

    /// What each side should have: buy, sell.
    fn wishes(&mut self, now: Nanos, view: &View<'_>, config: &QuoterConfig) -> [Wish; 2] {
        let position = view.position_of(self.instrument);
        let (best, mark) = (self.market.best(), self.market.mark(now, config.mark_age_max));
        let (Some(best), Some(mark)) = (best, mark) else { return [Wish::Nothing; 2] };
        let inventory = mark.notional(position.qty, Round::HalfEven);
        self.note_inventory(now, inventory, config);
        let [buy, sell] = self.quotes_at(&best, price::skew(inventory, config), view, config);
        let wish = |side, quote| {
            let reduces = position.reducing_side() == Some(side);
            if reduces && let Some(since) = self.reducing_since {
                let reduce = Reduce { now, since, mark, inventory, position };
                let wish = self.reduce(&reduce, side, &best, view, config);
                if wish != Wish::Nothing {
                    return wish;
                }
            }
            let full = self.reducing_since.is_some();
            let grows = position.qty != Qty::ZERO && !reduces;
            let quotes = view.kill_level() == KillLevel::Run && !(grows && full);
            if quotes { quote } else { Wish::Nothing }
        };
        [wish(Side::Buy, buy), wish(Side::Sell, sell)]
    }

    /// What both sides are quoted at.
    fn quotes_at(
        &mut self,
        best: &Best,
        skew: Bps,
        view: &View<'_>,
        config: &QuoterConfig,
    ) -> [Wish; 2] {
        let touch = best.prices();
        if let Some(quoted) = &self.quoted
            && (quoted.touch, quoted.skew) == (touch, skew)
        {
            return quoted.wishes;
        }
        let instrument = view.instrument(self.instrument);
        let wishes = [Side::Buy, Side::Sell].map(|side| {
            let price = price::quote(best, side, skew, self.tick, config);
            let quote = price.and_then(|price| {
                let qty = sizing::qty_for(instrument, price, config.quote_notional)?;
                Some(Wish::Order { kind: Kind::Quote, price, qty })
            });
            quote.unwrap_or(Wish::Nothing)
        });
        self.quoted = Some(Quoted { touch, skew, wishes });
        wishes
    }

    fn note_inventory(&mut self, now: Nanos, inventory: UsdSum, config: &QuoterConfig) {
        if price::is_above(inventory, config.inventory_max) {
            self.reducing_since.get_or_insert(now);
        } else if !price::is_above(inventory, config.reduce_to) {
            self.reducing_since = None;
        }
    }

    /// The reducing order of a position that grew too large: at the touch at first, through it when that
    /// takes too long. Nothing when the account has nothing to reduce: the quote then does what it can.
    fn reduce(
        &self,
        reduce: &Reduce,
        side: Side,
        best: &Best,
        view: &View<'_>,
        config: &QuoterConfig,
    ) -> Wish {
        if view.kill_level() > KillLevel::NoNewRisk {
            return Wish::Nothing;
        }
        let instrument = view.instrument(self.instrument);
        let patient = reduce.now.since(reduce.since) < i128::from(config.reduce_after.0);
        let (kind, price) = if patient {
            (Kind::Rest, Some(best.own(side)))
        } else {
            let touch = best.opposite(side);
            (Kind::Take, sizing::through(touch, side, config.reduce_slippage, self.tick))
        };
        let slot = match side {
            Side::Buy => &self.buy,
            Side::Sell => &self.sell,
        };
        let free = view.reducible(self.instrument, side).0 + slot.reducing(view);
        let qty = reduce.qty(instrument, free, config);
        let wish = price.zip(qty).map(|(price, qty)| Wish::Order { kind, price, qty });
        wish.unwrap_or(Wish::Nothing)
    }
}

/// A position that is to be reduced.
struct Reduce {
    now: Nanos,
    since: Nanos,
    mark: Px,
    inventory: UsdSum,
    position: Position,
}

impl Reduce {
    /// What is too much, in steps no larger than `reduce_notional`, as far as the account's position
    /// allows; none when that is below one lot.
    fn qty(&self, instrument: &Instrument, free: i128, config: &QuoterConfig) -> Option<Qty> {
        let excess = self.inventory.0.abs() - i128::from(config.reduce_to.0);
        let excess = Usd(i64::try_from(excess.min(i128::from(config.reduce_notional.0))).ok()?);
        let wanted = sizing::lots(instrument, excess, self.mark, Round::Up)?;
        let wanted = i128::from(wanted.max(sizing::least(instrument, self.mark)?).0);
        let most = self.position.size().0.min(free).min(i128::from(instrument.lot.max.0));
        let qty = sizing::steps(instrument, wanted.min(most), Round::Down)?;
        (qty > Qty::ZERO && qty >= instrument.lot.min).then_some(qty)
    }
}

#[cfg(test)]
mod tests;
