//! Antipattern `bar_crossing`: the same strategy, with fills by whatever bar holds the price of an order (S0-03).
//!
//! The strategy sees the market of a recorded run, event by event, and its orders go to a desk that fills them by
//! `fusewire_tests::bar_crossing`: by the bar that has just closed too, whenever the order got in. What rests comes
//! before stops, as whoever wants to win would have it. The ledger keeps the books, with the fees of the run.

use std::sync::Arc;

use fusewire::journal::header::Header;
use fusewire::journal::reading;
use fusewire::journal::walk::Walk;
use fusewire_core::contract::FeeSchedule;
use fusewire_core::event::{Bar, Body, Event};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::journal::View;
use fusewire_core::lane::{Decoded, Keep};
use fusewire_core::message::AlphaOut;
use fusewire_core::order::{
    Action, Intent, Leg, Liquidity, NewOrder, Report, ReportKind, Side, TimeInForce, VenueReason,
};
use fusewire_core::ring::{Consumer, Producer, RingBuffer};
use fusewire_core::stage::Stage;
use fusewire_core::units::{Px, Qty, Round, Usd};
use fusewire_risk::ledger::Bookkeeper;
use fusewire_strategies::registry::AnyStrategy;
use fusewire_strategies::stage::{AlphaStage, Ports};
use fusewire_tests::bar_crossing::{self, BarCrossing};

use super::books::{Books, ledger_config};

/// Messages of the rings: an event, and all that may follow it.
const RING: usize = 64;

/// The desk of the antipattern, and the strategy before it.
struct Desk {
    alpha: AlphaStage<AnyStrategy>,
    input: Producer<Event>,
    output: Consumer<AlphaOut>,
    fees: FeeSchedule,
    standing: Vec<Standing>,
    /// By instrument: the last bar and its number.
    bars: Vec<Option<(Bar, u64)>>,
    /// By instrument.
    accounts: Vec<BarCrossing>,
    books: Books,
    crossed: u64,
    seq: u64,
}

/// An order at the desk.
#[derive(Clone, Copy)]
struct Standing {
    intent: Intent,
    order: NewOrder,
    /// Of one that waits for its trigger.
    stop: Option<Px>,
    sent: Event,
}

/// What the antipattern makes of a run.
pub(super) struct Crossed {
    /// The ledger of it.
    pub(super) books: Books,
    /// By instrument: accounts that know fills and nothing else, to compare the ledger with.
    pub(super) accounts: Vec<BarCrossing>,
    /// Fills by a bar that had opened before their order was sent.
    pub(super) crossed: u64,
}

/// The strategy of the run in this journal, once more, with fills by crossing bars.
pub(super) fn again(journal: &std::path::Path) -> Crossed {
    let view = View::open(journal).unwrap();
    let (header, _) = reading::header(&view).unwrap();
    let (mut desk, mut walk) = (Desk::new(&header), Walk::without_frames(&view));
    while let Some(item) = walk.next().unwrap() {
        if let Decoded::Event(event) = &item.record {
            match event.body {
                // What the venue of the run made of it is not known here.
                Body::Report(_)
                | Body::Status(_)
                | Body::Rejected(_)
                | Body::Wake
                | Body::Control(_)
                | Body::KillLevel(_)
                | Body::Account(_)
                | Body::Funding(_)
                | Body::OpenInterest(_)
                | Body::DepthBand(_) => {}
                Body::Touch(_)
                | Body::Depth(_)
                | Body::Levels(_)
                | Body::Trade(_)
                | Body::Mark(_)
                | Body::Liquidation(_)
                | Body::Bar(_)
                | Body::BookInvalid(_)
                | Body::Tick
                | Body::Gap => desk.market(event),
            }
        }
    }
    Crossed { books: desk.books, accounts: desk.accounts, crossed: desk.crossed }
}

impl Desk {
    fn new(header: &Header) -> Self {
        let (config, universe) = (header.config().unwrap(), header.universe().unwrap());
        let (input, events) = RingBuffer::new(RING);
        let (out, output) = RingBuffer::new(RING);
        let strategies = config.strategies(&config.run.strategy).unwrap();
        let (bars, accounts) =
            (vec![None; universe.len()], vec![BarCrossing::default(); universe.len()]);
        let alpha = AlphaStage::new(
            &config.alpha_config(),
            strategies.into_iter().map(|(_, strategy)| strategy).collect(),
            Arc::new(universe),
            &header.tradable,
            Ports { input: events, output: out },
            Keep::Digest,
        );
        let (maker, taker) = (config.fees.maker, config.fees.taker);
        let keeper = Bookkeeper::new(&ledger_config(header));
        Self {
            alpha,
            input,
            output,
            fees: FeeSchedule { maker, taker },
            standing: Vec::new(),
            bars,
            accounts,
            books: Books { keeper, rows: Vec::new() },
            crossed: 0,
            seq: 0,
        }
    }

    /// An event of the market, and what becomes of the orders that it brings about.
    fn market(&mut self, event: &Event) {
        self.show(event, event.body);
        if let (Body::Bar(bar), Some(id)) = (event.body, event.instrument) {
            self.bars[id.index()] = Some((bar, self.seq));
            while self.fill_one(event, id) {}
        }
    }

    /// Shows something to the books and to the strategy, and takes what it sends.
    fn show(&mut self, cause: &Event, body: Body) {
        self.seq += 1;
        let event = Event { seq: self.seq, last: true, body, ..*cause };
        self.books.keeper.apply(&event, &mut self.books.rows);
        self.input.push(event).unwrap();
        let mut sent = Vec::new();
        while self.alpha.poll() > 0 {
            while let Ok(message) = self.output.pop() {
                if let AlphaOut::Intent(message) = message {
                    sent.push(message.intent);
                }
            }
        }
        for intent in sent {
            self.books.keeper.approved(&intent, cause.ts);
            self.take(intent, cause);
        }
    }

    fn take(&mut self, intent: Intent, cause: &Event) {
        let (order, stop) = match intent.action {
            Action::New(order) => (order, None),
            Action::Conditional(new) => (new.order, Some(new.trigger.price)),
            Action::Cancel => {
                let place = self.standing.iter().position(|one| one.intent.order == intent.order);
                let one = self.standing.remove(place.expect("what is cancelled stands"));
                self.report(&one, cause, ReportKind::Canceled, None);
                return;
            }
            Action::Amend { .. } | Action::Query => panic!("the strategy does neither"),
        };
        let one = Standing { intent, order, stop, sent: *cause };
        if order.tif == TimeInForce::Ioc && stop.is_none() {
            // Out at the last close.
            let (bar, _) = self.bars[intent.instrument.index()].expect("it entered on a bar");
            let order = NewOrder { price: bar.close, ..order };
            self.fill(&Standing { order, ..one }, cause, Liquidity::Taker);
            return;
        }
        self.standing.push(one);
        self.report(&one, cause, ReportKind::Accepted, None);
    }

    /// Fills the first order that the last bar crosses, what rests before stops.
    fn fill_one(&mut self, cause: &Event, id: InstrumentId) -> bool {
        let Some((bar, _)) = self.bars[id.index()] else { return false };
        let bar = bar_crossing::Bar { low: bar.low.0, high: bar.high.0 };
        for stops in [false, true] {
            let account = &mut self.accounts[id.index()];
            let place = self.standing.iter().position(|one| {
                let mine = one.intent.instrument == id && one.stop.is_some() == stops;
                mine && account.fills(bar, one.crossing())
            });
            if let Some(place) = place {
                let one = self.standing.remove(place);
                self.book(&one, cause, if stops { Liquidity::Taker } else { Liquidity::Maker });
                return true;
            }
        }
        false
    }

    /// Fills at a price that no bar was asked for.
    fn fill(&mut self, one: &Standing, cause: &Event, liquidity: Liquidity) {
        let Standing { order, .. } = one;
        let bar = bar_crossing::Bar { low: order.price.0, high: order.price.0 };
        let account = &mut self.accounts[one.intent.instrument.index()];
        assert!(account.fills(bar, one.crossing()));
        self.book(one, cause, liquidity);
    }

    /// Books a fill, whole and at its own price.
    fn book(&mut self, one: &Standing, cause: &Event, liquidity: Liquidity) {
        let (bar, payer) = self.bars[one.intent.instrument.index()].expect("a bar filled it");
        self.crossed += u64::from(bar.open_time < one.sent.ts);
        self.report(one, cause, ReportKind::Filled, Some((liquidity, payer)));
    }

    fn report(
        &mut self,
        one: &Standing,
        cause: &Event,
        kind: ReportKind,
        fill: Option<(Liquidity, u64)>,
    ) {
        let Standing { intent, order, .. } = *one;
        let price = one.price();
        let mut report = Report {
            order: intent.order,
            kind,
            reason: VenueReason::None,
            side: order.side,
            reduce_only: order.reduce_only,
            leg: Leg::Both,
            liquidity: Liquidity::Maker,
            price: order.price,
            qty: order.qty,
            cum_qty: Qty::ZERO,
            cum_quote: Usd::ZERO,
            cum_fee: Usd::ZERO,
            last_qty: Qty::ZERO,
            last_price: Px::ZERO,
            payer: 0,
            at: cause.ts,
        };
        if let Some((liquidity, payer)) = fill {
            let quote = price.notional(order.qty, Round::HalfEven);
            let fee = self.fees.fee(quote, liquidity).unwrap();
            (report.liquidity, report.payer) = (liquidity, payer);
            if one.stop.is_some() {
                report.reason = VenueReason::Stop;
            }
            (report.last_qty, report.last_price) = (order.qty, price);
            report.cum_qty = order.qty;
            (report.cum_quote, report.cum_fee) = (quote.narrow().unwrap(), fee.narrow().unwrap());
        }
        let event = Event { instrument: Some(intent.instrument), ..*cause };
        self.show(&event, Body::Report(report));
    }
}

impl Standing {
    /// The price at which the antipattern fills it.
    fn price(&self) -> Px {
        self.stop.unwrap_or(self.order.price)
    }

    fn crossing(&self) -> bar_crossing::Order {
        let (price, qty) = (self.price().0, self.order.qty.0);
        bar_crossing::Order { buys: self.order.side == Side::Buy, price, qty }
    }
}
