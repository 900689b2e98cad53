//! Rows of the ledger as rows of database tables: the same tables, columns and values in every store.
//!
//! A value is a whole number, a decimal as a whole number of its last place, a text or a flag. There are no
//! floating-point numbers, so that what is read back is what was written.

use fusewire_core::order::{Liquidity, Side};
use fusewire_risk::ledger::{OpenPosition, Row};

use super::cells::{Reader, Writer};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Int,
    /// A price, quantity or amount of money: a decimal of 8 places.
    Amount,
    /// Basis points: a decimal of 4 places.
    Bps,
    /// A text.
    Text,
    /// True or false.
    Flag,
}

/// A column besides the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// None.
    Null,
    /// A whole number.
    Int(i64),
    /// A decimal in units of its last place.
    Fixed(i128),
    /// A text.
    Text(String),
    /// True or false.
    Flag(bool),
}

/// A table whose rows come from the fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    /// Executions.
    Trades,
    /// Lines of the ledger.
    Postings,
    /// Positions that were closed.
    Positions,
    /// Comparisons with the venue.
    Reconciliations,
    /// Positions that are open at the watermark: replaced with each batch.
    OpenPositions,
}

/// One row with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its table.
    pub table: Table,
    /// The event that caused it; of an open position the watermark.
    pub seq: u64,
    /// Its place among all rows of this event, whatever their tables, from 0.
    pub index: u32,
    /// The values of the table's columns, in order.
    pub cells: Vec<Cell>,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

const TRADES: &[Column] = &[
    column("ts", Kind::Int),
    column("venue_ts", Kind::Int),
    column("order_id", Kind::Text),
    column("strategy", Kind::Int),
    column("symbol", Kind::Int),
    column("leg", Kind::Text),
    column("side", Kind::Text),
    column("qty", Kind::Amount),
    column("quote", Kind::Amount),
    column("fee", Kind::Amount),
    column("liquidity", Kind::Text),
    column("payer_seq", Kind::Int),
    column("realized", Kind::Amount),
    column("incident", Kind::Flag),
];

const POSTINGS: &[Column] = &[
    column("line", Kind::Int),
    column("ts", Kind::Int),
    column("kind", Kind::Text),
    column("strategy", Kind::Int),
    column("symbol", Kind::Int),
    column("leg", Kind::Text),
    column("order_id", Kind::Text),
    column("amount", Kind::Amount),
    column("incident", Kind::Flag),
];

const POSITIONS: &[Column] = &[
    column("n", Kind::Int),
    column("strategy", Kind::Int),
    column("symbol", Kind::Int),
    column("leg", Kind::Text),
    column("side", Kind::Text),
    column("qty_max", Kind::Amount),
    column("qty", Kind::Amount),
    column("entry_seq", Kind::Int),
    column("entry_ts", Kind::Int),
    column("exit_ts", Kind::Int),
    column("entry_tick", Kind::Int),
    column("exit_tick", Kind::Int),
    column("entry_price", Kind::Amount),
    column("exit_price", Kind::Amount),
    column("exit_path", Kind::Text),
    column("realized", Kind::Amount),
    column("fees", Kind::Amount),
    column("funding", Kind::Amount),
    column("max_adverse_bps", Kind::Bps),
    column("max_favorable_bps", Kind::Bps),
    column("slippage_bps", Kind::Bps),
    column("incident", Kind::Flag),
];

const RECONCILIATIONS: &[Column] = &[
    column("ts", Kind::Int),
    column("venue_ts", Kind::Int),
    column("ledger", Kind::Amount),
    column("venue", Kind::Amount),
    column("outcome", Kind::Text),
];

const OPEN_POSITIONS: &[Column] = &[
    column("strategy", Kind::Int),
    column("symbol", Kind::Int),
    column("leg", Kind::Text),
    column("qty", Kind::Amount),
    column("cost", Kind::Amount),
    column("mark", Kind::Amount),
    column("unrealized", Kind::Amount),
    column("entry_seq", Kind::Int),
    column("entry_ts", Kind::Int),
    column("max_adverse_bps", Kind::Bps),
    column("max_favorable_bps", Kind::Bps),
];

impl Table {
    /// All tables, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Trades, Self::Postings, Self::Positions, Self::Reconciliations, Self::OpenPositions];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::Postings => "postings",
            Self::Positions => "positions",
            Self::Reconciliations => "reconciliations",
            Self::OpenPositions => "open_positions",
        }
    }

    /// Its columns behind the key `journal, session, seq, idx`.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Trades => TRADES,
            Self::Postings => POSTINGS,
            Self::Positions => POSITIONS,
            Self::Reconciliations => RECONCILIATIONS,
            Self::OpenPositions => OPEN_POSITIONS,
        }
    }
}

impl Entry {
    /// A row of the fold.
    ///
    /// # Errors
    /// A number is above 2^63 - 1.
    pub fn of_row(row: &Row, seq: u64, index: u32) -> Result<Self, String> {
        assert_eq!(seq_of(row), seq, "the rows of an event name it");
        let mut cells = Writer::default();
        let table = match row {
            Row::Trade(trade) => cells.trade(trade),
            Row::Posting(posting) => cells.posting(posting),
            Row::Closed(closed) => cells.closed(closed),
            Row::Reconciliation(reconciliation) => cells.reconciliation(reconciliation),
        };
        let table = table.map_err(|what| format!("event {seq}, row {index}: {what}"))?;
        assert_eq!(
            cells.len(),
            table.columns().len(),
            "each column of {} has a value",
            table.name()
        );
        Ok(Self { table, seq, index, cells: cells.done() })
    }

    /// A position that is open at the watermark `seq`.
    ///
    /// # Errors
    /// A number is above 2^63 - 1.
    pub fn of_open(open: &OpenPosition, seq: u64, index: u32) -> Result<Self, String> {
        let mut cells = Writer::default();
        cells.open(open).map_err(|what| format!("open position {index}: {what}"))?;
        let table = Table::OpenPositions;
        assert_eq!(cells.len(), table.columns().len(), "each column has a value");
        Ok(Self { table, seq, index, cells: cells.done() })
    }

    /// The row that it was made of; none for an open position.
    ///
    /// # Errors
    /// A value that no row has: somebody else wrote it.
    pub fn row(&self) -> Result<Option<Row>, String> {
        let mut cells = Reader::new(self);
        Ok(Some(match self.table {
            Table::Trades => Row::Trade(cells.trade(self.seq)?),
            Table::Postings => Row::Posting(cells.posting(self.seq)?),
            Table::Positions => Row::Closed(cells.closed(self.seq)?),
            Table::Reconciliations => Row::Reconciliation(cells.reconciliation(self.seq)?),
            Table::OpenPositions => return Ok(None),
        }))
    }

    /// The open position that it was made of.
    ///
    /// # Errors
    /// As of `row`.
    pub fn open(&self) -> Result<OpenPosition, String> {
        assert_eq!(self.table, Table::OpenPositions, "only these are open");
        Reader::new(self).open()
    }

    /// Takes it into a digest: every bit of what it says and nothing of how a store keeps it.
    pub fn digest_into(&self, hasher: &mut blake3::Hasher) {
        hasher.update(&[self.table as u8]);
        hasher.update(&self.seq.to_le_bytes());
        hasher.update(&self.index.to_le_bytes());
        for cell in &self.cells {
            match cell {
                Cell::Null => hasher.update(&[0]),
                Cell::Int(value) => hasher.update(&[1]).update(&value.to_le_bytes()),
                Cell::Fixed(value) => hasher.update(&[2]).update(&value.to_le_bytes()),
                Cell::Text(text) => {
                    let length = u64::try_from(text.len()).expect("a usize has at most 64 bits");
                    hasher.update(&[3]).update(&length.to_le_bytes()).update(text.as_bytes())
                }
                Cell::Flag(flag) => hasher.update(&[4, u8::from(*flag)]),
            };
        }
    }
}

/// The event that a row names.
const fn seq_of(row: &Row) -> u64 {
    match row {
        Row::Trade(trade) => trade.seq,
        Row::Posting(posting) => posting.seq,
        Row::Closed(closed) => closed.exit_seq,
        Row::Reconciliation(reconciliation) => reconciliation.seq,
    }
}

/// The name of a side in databases and reports.
#[must_use]
pub const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// The name of a role in databases and reports.
#[must_use]
pub const fn liquidity_name(liquidity: Liquidity) -> &'static str {
    match liquidity {
        Liquidity::Maker => "maker",
        Liquidity::Taker => "taker",
    }
}
