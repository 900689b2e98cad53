//! The fold of a journal into rows: the same rows in the same order, however often it is done.

use fusewire_core::event::Body;
use fusewire_core::journal::View;
use fusewire_core::lane::{Decided, Decoded, Lane, VerdictRecord};
use fusewire_core::order::OrderId;
use fusewire_core::units::Nanos;
use fusewire_risk::ledger::{Bookkeeper, Ledger, LedgerConfig, OpenPosition, Row};

use super::store::Progress;
use super::table::Entry;
use crate::config::Config;
use crate::engine;
use crate::journal::groups::Order;
use crate::journal::header::Header;
use crate::journal::walk::Item;
use crate::outcome::Failure;

/// Refuses a journal whose beginning retention dropped: a ledger without it would be another one.
///
/// # Errors
/// The lane of events or that of verdicts does not begin at its beginning.
pub fn refuse_beheaded(view: &View) -> Result<(), Failure> {
    for lane in [Lane::Event, Lane::Risk] {
        if view.lane(lane).first > 1 {
            return Err(Failure::line(format!(
                "{}: lane {}: retention dropped its beginning: a ledger is folded from the first event on",
                view.dir.display(),
                lane.name()
            )));
        }
    }
    Ok(())
}

/// Takes the records of a journal in their order.
pub struct Fold {
    book: Bookkeeper,
    order: Order,
    symbols: usize,
    rows: Vec<Row>,
    /// Of the order that the last event is about, before it was taken.
    arrival: Option<i128>,
    seq: u64,
    ts: Nanos,
    count: u64,
    hasher: blake3::Hasher,
}

impl Fold {
    /// A fold that has seen nothing; `name` is the journal's in errors.
    ///
    /// # Errors
    /// The header says something that it can not say.
    pub fn new(name: &str, header: &Header, config: &Config) -> Result<Self, Failure> {
        let symbols = header.instruments.len();
        let (alpha, limits) = (config.alpha_config(), config.risk_config().limits);
        let ledger = LedgerConfig {
            instruments: symbols,
            strategies: engine::seats(header.strategies.len())?,
            opening: header.account.balance,
            orders_max: alpha.orders_max,
            closed_max: alpha.closed_max,
            arrival_max: alpha.arrival_max,
            drift_alert: limits.drift_alert,
            drift_block: limits.drift_block,
        };
        Ok(Self {
            book: Bookkeeper::new(&ledger),
            order: Order::new(name, symbols),
            symbols,
            rows: Vec::new(),
            arrival: None,
            seq: 0,
            ts: Nanos(0),
            count: 0,
            hasher: blake3::Hasher::new(),
        })
    }

    /// Takes the next record and appends the rows that it gives. True when it was an event.
    ///
    /// # Errors
    /// Events do not follow each other as they must, or a number of a row does not fit a database.
    pub fn take(&mut self, item: &Item<'_>, rows: &mut Vec<Entry>) -> Result<bool, Failure> {
        if !self.step(item)? {
            return Ok(false);
        }
        for (row, index) in self.rows.iter().zip(0..) {
            let entry =
                Entry::of_row(row, self.seq, index).map_err(|what| self.order.fault(what))?;
            entry.digest_into(&mut self.hasher);
            self.count += 1;
            rows.push(entry);
        }
        Ok(true)
    }

    /// Takes the next record, whose rows [`Fold::rows`] has then. True when it was an event.
    ///
    /// # Errors
    /// Events do not follow each other as they must.
    pub fn step(&mut self, item: &Item<'_>) -> Result<bool, Failure> {
        self.rows.clear();
        match &item.record {
            Decoded::Event(event) => {
                self.order.check(event)?;
                (self.seq, self.ts) = (event.seq, event.ts);
                self.arrival = order_of(&event.body)
                    .and_then(|order| self.book.ledger().arrival_twice_mid(order));
                self.book.apply(event, &mut self.rows);
                Ok(true)
            }
            Decoded::Verdict(VerdictRecord {
                outcome: Decided::Approved { intent, .. }, ..
            }) => {
                if intent.instrument.index() >= self.symbols {
                    let what = format!("there is no symbol {}", intent.instrument.0);
                    return Err(self.order.fault(format!("event {}: {what}", item.seq)));
                }
                self.book.approved(intent, item.ts);
                Ok(false)
            }
            Decoded::Verdict(_)
            | Decoded::Frame(_)
            | Decoded::FrameRef(_)
            | Decoded::Damaged(_)
            | Decoded::Header(_)
            | Decoded::Pending(_)
            | Decoded::Intent(_)
            | Decoded::Sent(_)
            | Decoded::Alert(_)
            | Decoded::CancelAll { .. }
            | Decoded::Close(_) => Ok(false),
        }
    }

    /// What the ledger made of the last record, in order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Twice the mid when the order was decided that the last event told of; none when there was no mid.
    #[must_use]
    pub const fn arrival_twice_mid(&self) -> Option<i128> {
        self.arrival
    }

    /// The last event that it took; 0 before the first.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// How far it is, and what came out so far.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let digest = self.hasher.finalize().to_hex().to_string();
        let ledger = self.ledger();
        Progress {
            seq: self.seq,
            ts: self.ts,
            rows: self.count,
            digest,
            wallet: ledger.wallet(),
            unrealized: ledger.unrealized(),
        }
    }

    /// The positions that are open now, by seat, symbol and leg.
    #[must_use]
    pub fn open(&self) -> Vec<OpenPosition> {
        self.ledger().open_positions().collect()
    }

    /// The ledger as it is now.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        self.book.ledger()
    }
}

/// The order that an event may tell an execution of.
fn order_of(body: &Body) -> Option<OrderId> {
    if let Body::Report(report) = body {
        return Some(report.order);
    }
    if let Body::Status(status) = body { Some(status.order) } else { None }
}
