//! A recorded run as the ledger has it.

use std::fs;
use std::path::Path;

use fusewire::journal::header::Header;
use fusewire::journal::reading;
use fusewire::journal::walk::Walk;
use fusewire_core::event::{Body, Event};
use fusewire_core::journal::View;
use fusewire_core::lane::{Decided, Decoded};
use fusewire_core::order::{OrderId, StrategyId};
use fusewire_core::units::UsdSum;
use fusewire_risk::ledger::{Bookkeeper, ClosedPosition, LedgerConfig, PostingKind, Row, TradeRow};
use fusewire_tests::json;
use serde_json::Value;

use crate::journal::arg;

/// The run of an exhibit.
pub(super) struct Exhibit {
    pub(super) scenario: &'static str,
    pub(super) minutes: &'static str,
    pub(super) symbols: &'static str,
    pub(super) strategy: &'static str,
    /// Its configuration in `docs/exhibits`.
    pub(super) config: &'static str,
    /// When the venue is asked for the account, in seconds.
    pub(super) reconcile: &'static str,
}

impl Exhibit {
    /// Makes the market, runs the strategy over it with the program, and returns what the program reports.
    /// The journal is in `folder`.
    pub(super) fn run(&self, folder: &Path) -> Value {
        let capture = folder.join("usdm_market.ns");
        let market = ["--minutes", self.minutes, "--symbols", self.symbols, "--json"];
        json(&[&["synth", self.scenario, "--out", arg(&capture)][..], &market].concat());
        let config = fs::canonicalize(super::page::file(self.config)).unwrap();
        let how = ["--strategy", self.strategy, "--config", arg(&config)];
        let journal = folder.join("journal");
        let kept = ["--reconcile", self.reconcile, "--journal", arg(&journal)];
        json(&[&["replay", "--json", arg(&capture)], &how[..], &kept].concat())
    }
}

/// What the ledger made of a journal.
pub(super) struct Books {
    pub(super) keeper: Bookkeeper,
    pub(super) rows: Vec<Row>,
}

impl Books {
    /// All of the journal in `folder`.
    pub(super) fn of(folder: &Path) -> Self {
        Self::without(folder, &[])
    }

    /// The same with a blind eye: nothing that is reported on these orders is booked.
    pub(super) fn without(folder: &Path, orders: &[OrderId]) -> Self {
        let view = View::open(&folder.join("journal")).unwrap();
        let (header, _) = reading::header(&view).unwrap();
        let mut keeper = Bookkeeper::new(&ledger_config(&header));
        let (mut rows, mut walk) = (Vec::new(), Walk::without_frames(&view));
        while let Some(item) = walk.next().unwrap() {
            match &item.record {
                Decoded::Event(event) if !orders.iter().any(|order| is_on(event, *order)) => {
                    keeper.apply(event, &mut rows);
                }
                Decoded::Verdict(verdict) => {
                    if let Decided::Approved { intent, .. } = verdict.outcome {
                        keeper.approved(&intent, item.ts);
                    }
                }
                _ => {}
            }
        }
        Self { keeper, rows }
    }

    pub(super) fn trades(&self) -> Vec<TradeRow> {
        let trade = |row: &Row| match row {
            Row::Trade(trade) => Some(*trade),
            _ => None,
        };
        self.rows.iter().filter_map(trade).collect()
    }

    pub(super) fn closed(&self) -> Vec<ClosedPosition> {
        let closed = |row: &Row| match row {
            Row::Closed(closed) => Some(*closed),
            _ => None,
        };
        self.rows.iter().filter_map(closed).collect()
    }

    pub(super) fn total_of(&self, kinds: &[PostingKind]) -> UsdSum {
        UsdSum(kinds.iter().map(|kind| self.keeper.ledger().total(*kind).0).sum())
    }

    /// Every open unit at the last mark.
    pub(super) fn unrealized(&self) -> UsdSum {
        self.keeper.ledger().unrealized().expect("what is held has a mark")
    }

    /// What the account is worth beyond what it was opened with: wallet and every open unit.
    pub(super) fn total(&self) -> UsdSum {
        let ledger = self.keeper.ledger();
        UsdSum(ledger.wallet().0 + self.unrealized().0 - i128::from(ledger.opening().0))
    }
}

fn is_on(event: &Event, order: OrderId) -> bool {
    match &event.body {
        Body::Report(report) => report.order == order,
        Body::Status(status) => status.order == order,
        _ => false,
    }
}

pub(super) fn ledger_config(header: &Header) -> LedgerConfig {
    let config = header.config().unwrap();
    let (alpha, risk) = (config.alpha_config(), config.risk_config());
    let seats = u8::try_from(header.strategies.len()).unwrap();
    LedgerConfig {
        instruments: header.instruments.len(),
        strategies: (0..seats).map(StrategyId).collect(),
        opening: risk.balance,
        orders_max: alpha.orders_max,
        closed_max: alpha.closed_max,
        arrival_max: alpha.arrival_max,
        drift_alert: risk.limits.drift_alert,
        drift_block: risk.limits.drift_block,
    }
}
