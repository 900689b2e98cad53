//! By hand where the numbers are known, and against a naive account where they are not.

use fusewire_core::book::Touch;
use fusewire_core::event::{Bar, Mark, Origin, TouchChange, TouchSource};
use fusewire_core::latency::Stamp;
use fusewire_core::market::{Level, Side};
use fusewire_core::order::AccountUpdate;
use fusewire_core::order::{NewOrder, OrderState, ReportKind, Source, TimeInForce};
use fusewire_core::units::{Bps, ONE, Qty, Rate, Round, Wide};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

mod by_hand;
mod random;

const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);
const A: StrategyId = StrategyId(0);
const B: StrategyId = StrategyId(1);

fn usd(whole: i64) -> Usd {
    Usd(whole * ONE)
}

fn sum(whole: i64) -> UsdSum {
    UsdSum(i128::from(whole) * i128::from(ONE))
}

/// A bookkeeper, the stream that it is shown, and what it told.
struct Books {
    keeper: Bookkeeper,
    seq: u64,
    ts: u64,
    /// Of the next account update.
    n: u64,
    rows: Vec<Row>,
}

impl Books {
    fn new() -> Self {
        let config = LedgerConfig {
            instruments: 2,
            strategies: vec![A, B],
            opening: usd(10_000),
            orders_max: 64,
            closed_max: 256,
            arrival_max: Nanos(5 * Nanos::SECOND),
            drift_alert: Usd(ONE / 10),
            drift_block: usd(1),
        };
        Self { keeper: Bookkeeper::new(&config), seq: 0, ts: 0, n: 0, rows: Vec::new() }
    }

    fn ledger(&self) -> &Ledger {
        self.keeper.ledger()
    }

    fn see(&mut self, instrument: Option<InstrumentId>, body: Body) {
        (self.seq, self.ts) = (self.seq + 1, self.ts + Nanos::SECOND);
        let (seq, ts) = (self.seq, Nanos(self.ts));
        let stamp = Stamp::default();
        let event = Event { seq, ts, recv: ts, frame: 0, instrument, last: true, stamp, body };
        self.keeper.apply(&event, &mut self.rows);
    }

    fn touch(&mut self, id: InstrumentId, bid: i64, ask: i64) {
        let level = |price: i64| Some(Level { price: Px(price * ONE), qty: Qty(ONE) });
        let touch = Touch { bid: level(bid), ask: level(ask) };
        self.see(Some(id), Body::Touch(TouchChange { touch, source: TouchSource::Book }));
    }

    fn mark(&mut self, id: InstrumentId, price: i64) {
        let mark = Mark {
            price: Px(price * ONE),
            index: None,
            funding_rate: None,
            next_funding: None,
            origin: Origin::Real,
        };
        self.see(Some(id), Body::Mark(mark));
    }

    fn send(&mut self, order: OrderId, id: InstrumentId, side: Side, qty: i64) {
        let new = NewOrder {
            side,
            price: Px(100 * ONE),
            qty: Qty(qty * ONE),
            tif: TimeInForce::Gtc,
            reduce_only: false,
        };
        let source = Source::Alpha;
        let intent = Intent { order, instrument: id, source, action: Action::New(new) };
        self.keeper.approved(&intent, Nanos(self.ts));
    }

    fn report(&mut self, id: InstrumentId, report: Report) {
        let at = Nanos(self.ts + Nanos::SECOND);
        self.see(Some(id), Body::Report(Report { at, ..report }));
    }

    /// One order, sent and filled at once at one price, with a fee in whole USD.
    fn trade(&mut self, order: OrderId, id: InstrumentId, side: Side, (qty, price): (i64, i64)) {
        self.send(order, id, side, qty);
        self.report(id, filled(order, side, (qty, price), 1));
    }

    /// The same, paid by the event of this number.
    fn trade_paid_by(
        &mut self,
        payer: u64,
        order: OrderId,
        id: InstrumentId,
        side: Side,
        (qty, price): (i64, i64),
    ) {
        self.send(order, id, side, qty);
        self.report(id, Report { payer, ..filled(order, side, (qty, price), 1) });
    }

    fn bar(&mut self, id: InstrumentId, interval_s: u32, open_time: Nanos, [low, high]: [Px; 2]) {
        let volume = Wide::from(i128::from(ONE));
        let (quote_volume, open, close) = (Wide::from(0), low, low);
        let trades = 1;
        let bar =
            Bar { open_time, interval_s, trades, open, high, low, close, volume, quote_volume };
        self.see(Some(id), Body::Bar(bar));
    }

    fn update(
        &mut self,
        id: Option<InstrumentId>,
        reason: AccountReason,
        total: i64,
        wallet: UsdSum,
    ) {
        self.n += 1;
        let at = Nanos(self.ts + Nanos::SECOND);
        let update = AccountUpdate { at, ..update(reason, self.n, total, wallet) };
        self.see(id, Body::Account(update));
    }

    fn closed(&self) -> Vec<ClosedPosition> {
        let closed = |row: &Row| if let Row::Closed(closed) = row { Some(*closed) } else { None };
        self.rows.iter().filter_map(closed).collect()
    }

    fn postings(&self) -> Vec<Posting> {
        let posting = |row: &Row| if let Row::Posting(line) = row { Some(*line) } else { None };
        self.rows.iter().filter_map(posting).collect()
    }

    fn outcomes(&self) -> Vec<ReconcileOutcome> {
        let outcome =
            |row: &Row| if let Row::Reconciliation(r) = row { Some(r.outcome) } else { None };
        self.rows.iter().filter_map(outcome).collect()
    }
}

fn update(reason: AccountReason, n: u64, total: i64, wallet: UsdSum) -> AccountUpdate {
    AccountUpdate {
        reason,
        leg: Leg::Both,
        n,
        total: usd(total),
        change: usd(total),
        wallet: wallet.narrow().unwrap(),
        qty: Qty::ZERO,
        price: Px::ZERO,
        rate: Rate::ZERO,
        at: Nanos(0),
    }
}

fn order(strategy: StrategyId, counter: u64) -> OrderId {
    OrderId::new(1, strategy, counter)
}

fn filled(order: OrderId, side: Side, (qty, price): (i64, i64), fee: i64) -> Report {
    Report {
        order,
        kind: ReportKind::Filled,
        reason: VenueReason::None,
        side,
        reduce_only: false,
        leg: Leg::Both,
        liquidity: Liquidity::Taker,
        price: Px(price * ONE),
        qty: Qty(qty * ONE),
        cum_qty: Qty(qty * ONE),
        cum_quote: usd(qty * price),
        cum_fee: usd(fee),
        last_qty: Qty(qty * ONE),
        last_price: Px(price * ONE),
        payer: 7,
        at: Nanos(0),
    }
}
