//! A stand-in for the fold of `fusewire_risk`, until that is there.

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Intent, Leg, Liquidity, StrategyId};
use fusewire_core::units::{Bps, Nanos, Px, Qty, Round, Usd, UsdSum};
use fusewire_risk::ledger::*;

#[allow(missing_docs, dead_code)]
pub struct LedgerConfig {
    pub instruments: usize,
    pub strategies: Vec<StrategyId>,
    pub opening: Usd,
    pub orders_max: usize,
    pub closed_max: usize,
    pub arrival_max: Nanos,
    pub drift_alert: Usd,
    pub drift_block: Usd,
}

#[allow(missing_docs)]
#[derive(Clone, Copy)]
pub struct OpenPosition {
    pub strategy: StrategyId,
    pub instrument: InstrumentId,
    pub leg: Leg,
    pub qty: Qty,
    pub cost: UsdSum,
    pub mark: Option<Px>,
    pub unrealized: Option<UsdSum>,
    pub entry_seq: u64,
    pub entry_ts: Nanos,
    pub max_adverse: Bps,
    pub max_favorable: Bps,
}

#[allow(missing_docs)]
pub struct Ledger {
    opening: Usd,
    wallet: i128,
    fills: u64,
    approved: u64,
    fees: Vec<(u64, i64)>,
    open: Vec<OpenPosition>,
}

#[allow(missing_docs)]
pub struct Bookkeeper(Ledger);

#[allow(missing_docs)]
impl Bookkeeper {
    pub fn new(config: &LedgerConfig) -> Self {
        Self(Ledger {
            opening: config.opening,
            wallet: config.opening.0.into(),
            fills: 0,
            approved: 0,
            fees: vec![],
            open: vec![],
        })
    }
    pub fn approved(&mut self, _intent: &Intent, _now: Nanos) {
        self.0.approved += 1;
    }
    pub fn apply(&mut self, event: &Event, rows: &mut Vec<Row>) {
        let (seq, ts) = (event.seq, event.ts);
        let Body::Report(report) = &event.body else { return };
        if !report.kind.is_fill() {
            return;
        }
        let ledger = &mut self.0;
        let Some(instrument) = event.instrument else { return };
        let strategy = report.order.strategy();
        let key = report.order.0;
        let at = ledger.fees.iter().position(|(order, _)| *order == key).unwrap_or_else(|| {
            ledger.fees.push((key, 0));
            ledger.fees.len() - 1
        });
        let fee = Usd(report.cum_fee.0 - ledger.fees[at].1);
        ledger.fees[at].1 = report.cum_fee.0;
        ledger.fills += 1;
        ledger.wallet -= i128::from(fee.0);
        let quote = report.last_price.notional(report.last_qty, Round::HalfEven);
        rows.push(Row::Trade(TradeRow {
            seq,
            ts,
            at: report.at,
            order: report.order,
            strategy,
            instrument,
            leg: Leg::Both,
            side: report.side,
            qty: report.last_qty,
            quote: quote.narrow().unwrap_or_default(),
            fee,
            liquidity: report.liquidity,
            payer: report.payer,
            realized: UsdSum(0),
            incident: false,
        }));
        let kind = match report.liquidity {
            Liquidity::Maker => PostingKind::FeeMaker,
            Liquidity::Taker => PostingKind::FeeTaker,
        };
        let posting = |line, kind, amount: i64| {
            Row::Posting(Posting {
                seq,
                line,
                ts,
                kind,
                strategy: Some(strategy),
                instrument: Some(instrument),
                leg: Leg::Both,
                order: Some(report.order),
                amount: UsdSum(amount.into()),
                incident: ledger.fills.is_multiple_of(7),
            })
        };
        rows.push(posting(0, PostingKind::Wallet, fee.0));
        rows.push(posting(1, kind, -fee.0));
        if ledger.fills.is_multiple_of(5) {
            rows.push(Row::Closed(ClosedPosition {
                n: ledger.fills / 5,
                strategy,
                instrument,
                leg: Leg::Both,
                side: report.side,
                qty_max: report.qty,
                qty: report.qty,
                entry_seq: 1,
                exit_seq: seq,
                entry_ts: report.at,
                exit_ts: ts,
                entry_tick: 1,
                exit_tick: ledger.approved,
                entry_price: report.price,
                exit_price: report.last_price,
                exit: ExitPath::ALL[(ledger.fills / 5) as usize % 7],
                realized: UsdSum(-3),
                fees: UsdSum(fee.0.into()),
                funding: UsdSum(0),
                max_adverse: Bps(-12_345),
                max_favorable: Bps(1),
                slippage: (ledger.fills.is_multiple_of(10)).then_some(Bps(-7)),
                incident: false,
            }));
        }
        if ledger.fills.is_multiple_of(11) {
            rows.push(Row::Reconciliation(Reconciliation {
                seq,
                ts,
                at: report.at,
                ledger: UsdSum(ledger.wallet),
                venue: UsdSum(ledger.wallet + 1),
                outcome: ReconcileOutcome::Agrees,
            }));
        }
        ledger.open = vec![OpenPosition {
            strategy,
            instrument,
            leg: Leg::Both,
            qty: Qty(-report.last_qty.0),
            cost: quote,
            mark: Some(report.last_price),
            unrealized: Some(UsdSum(-17)),
            entry_seq: seq,
            entry_ts: ts,
            max_adverse: Bps(-1),
            max_favorable: Bps(0),
        }];
    }
    pub fn ledger(&self) -> &Ledger {
        &self.0
    }
}

#[allow(missing_docs)]
impl Ledger {
    pub fn wallet(&self) -> UsdSum {
        UsdSum(self.wallet)
    }
    pub fn opening(&self) -> Usd {
        self.opening
    }
    pub fn open_positions(&self) -> impl Iterator<Item = OpenPosition> {
        self.open.iter().copied()
    }
    pub fn unrealized(&self) -> Option<UsdSum> {
        Some(UsdSum(self.open.iter().filter_map(|o| o.unrealized).map(|u| u.0).sum()))
    }
}
