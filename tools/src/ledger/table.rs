//! Rows of the ledger as rows of database tables: the same tables, columns and values in every store.
//!
//! A value is a whole number, a decimal as a whole number of its last place, a text or a flag. There are no
//! floating-point numbers, so that what is read back is what was written.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Leg, Liquidity, Side, StrategyId};
use fusewire_core::units::{Bps, Nanos, Px, Qty, Usd, UsdSum};
use fusewire_risk::ledger::{
    ClosedPosition, ExitPath, Posting, PostingKind, ReconcileOutcome, Reconciliation, Row, TradeRow,
};

use super::open::OpenRow;
use crate::journal::order_id::parse_order_id;

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
        let mut cells = Writer(Vec::new());
        let table = match row {
            Row::Trade(trade) => cells.trade(trade),
            Row::Posting(posting) => cells.posting(posting),
            Row::Closed(closed) => cells.closed(closed),
            Row::Reconciliation(reconciliation) => cells.reconciliation(reconciliation),
        };
        let table = table.map_err(|what| format!("event {seq}, row {index}: {what}"))?;
        assert_eq!(
            cells.0.len(),
            table.columns().len(),
            "each column of {} has a value",
            table.name()
        );
        Ok(Self { table, seq, index, cells: cells.0 })
    }

    /// A position that is open at the watermark `seq`.
    ///
    /// # Errors
    /// A number is above 2^63 - 1.
    pub fn of_open(open: &OpenRow, seq: u64, index: u32) -> Result<Self, String> {
        let mut cells = Writer(Vec::new());
        cells.open(open).map_err(|what| format!("open position {index}: {what}"))?;
        let table = Table::OpenPositions;
        assert_eq!(cells.0.len(), table.columns().len(), "each column has a value");
        Ok(Self { table, seq, index, cells: cells.0 })
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
    pub fn open(&self) -> Result<OpenRow, String> {
        assert_eq!(self.table, Table::OpenPositions, "only these are open");
        Reader::new(self).open()
    }

    /// Takes it into a digest: every bit of what it says and nothing of how a store keeps it.
    pub fn hash(&self, hasher: &mut blake3::Hasher) {
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

/// Makes cells.
struct Writer(Vec<Cell>);

impl Writer {
    fn int(&mut self, name: &str, value: u64) -> Result<(), String> {
        let value = i64::try_from(value)
            .map_err(|_| format!("{name}: {value} is more than a database column holds"))?;
        self.0.push(Cell::Int(value));
        Ok(())
    }

    fn small(&mut self, value: impl Into<i64>) {
        self.0.push(Cell::Int(value.into()));
    }

    fn fixed(&mut self, value: impl Into<i128>) {
        self.0.push(Cell::Fixed(value.into()));
    }

    fn maybe_fixed(&mut self, value: Option<impl Into<i128>>) {
        self.0.push(value.map_or(Cell::Null, |value| Cell::Fixed(value.into())));
    }

    fn text(&mut self, text: impl ToString) {
        self.0.push(Cell::Text(text.to_string()));
    }

    fn maybe_text(&mut self, text: Option<impl ToString>) {
        self.0.push(text.map_or(Cell::Null, |text| Cell::Text(text.to_string())));
    }

    fn maybe_small(&mut self, value: Option<impl Into<i64>>) {
        self.0.push(value.map_or(Cell::Null, |value| Cell::Int(value.into())));
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(Cell::Flag(flag));
    }

    fn trade(&mut self, trade: &TradeRow) -> Result<Table, String> {
        self.int("ts", trade.ts.0)?;
        self.int("venue_ts", trade.at.0)?;
        self.text(trade.order);
        self.small(trade.strategy.0);
        self.small(trade.instrument.0);
        self.text(trade.leg.name());
        self.text(side_name(trade.side));
        self.fixed(trade.qty.0);
        self.fixed(trade.quote.0);
        self.fixed(trade.fee.0);
        self.text(liquidity_name(trade.liquidity));
        self.int("payer_seq", trade.payer)?;
        self.fixed(trade.realized.0);
        self.flag(trade.incident);
        Ok(Table::Trades)
    }

    fn posting(&mut self, posting: &Posting) -> Result<Table, String> {
        self.small(posting.line);
        self.int("ts", posting.ts.0)?;
        self.text(posting.kind.name());
        self.maybe_small(posting.strategy.map(|strategy| strategy.0));
        self.maybe_small(posting.instrument.map(|instrument| instrument.0));
        self.text(posting.leg.name());
        self.maybe_text(posting.order);
        self.fixed(posting.amount.0);
        self.flag(posting.incident);
        Ok(Table::Postings)
    }

    fn closed(&mut self, closed: &ClosedPosition) -> Result<Table, String> {
        self.int("n", closed.n)?;
        self.small(closed.strategy.0);
        self.small(closed.instrument.0);
        self.text(closed.leg.name());
        self.text(side_name(closed.side));
        self.fixed(closed.qty_max.0);
        self.fixed(closed.qty.0);
        self.int("entry_seq", closed.entry_seq)?;
        self.int("entry_ts", closed.entry_ts.0)?;
        self.int("exit_ts", closed.exit_ts.0)?;
        self.int("entry_tick", closed.entry_tick)?;
        self.int("exit_tick", closed.exit_tick)?;
        self.fixed(closed.entry_price.0);
        self.fixed(closed.exit_price.0);
        self.text(closed.exit.name());
        self.fixed(closed.realized.0);
        self.fixed(closed.fees.0);
        self.fixed(closed.funding.0);
        self.fixed(closed.max_adverse.0);
        self.fixed(closed.max_favorable.0);
        self.maybe_fixed(closed.slippage.map(|slippage| slippage.0));
        self.flag(closed.incident);
        Ok(Table::Positions)
    }

    fn reconciliation(&mut self, one: &Reconciliation) -> Result<Table, String> {
        self.int("ts", one.ts.0)?;
        self.int("venue_ts", one.at.0)?;
        self.fixed(one.ledger.0);
        self.fixed(one.venue.0);
        self.text(one.outcome.name());
        Ok(Table::Reconciliations)
    }

    fn open(&mut self, open: &OpenRow) -> Result<(), String> {
        self.small(open.strategy.0);
        self.small(open.instrument.0);
        self.text(open.leg.name());
        self.fixed(open.qty.0);
        self.fixed(open.cost.0);
        self.maybe_fixed(open.mark.map(|mark| mark.0));
        self.maybe_fixed(open.unrealized.map(|unrealized| unrealized.0));
        self.int("entry_seq", open.entry_seq)?;
        self.int("entry_ts", open.entry_ts.0)?;
        self.fixed(open.max_adverse.0);
        self.fixed(open.max_favorable.0);
        Ok(())
    }
}

/// Takes cells apart, column by column.
struct Reader<'a> {
    entry: &'a Entry,
    next: usize,
}

impl<'a> Reader<'a> {
    fn new(entry: &'a Entry) -> Self {
        Self { entry, next: 0 }
    }

    fn cell(&mut self) -> &'a Cell {
        self.next += 1;
        &self.entry.cells[self.next - 1]
    }

    /// What is wrong with the cell that was taken last.
    fn wrong(&self, what: &str) -> String {
        let Entry { table, seq, index, cells } = self.entry;
        let (column, cell) = (table.columns()[self.next - 1].name, &cells[self.next - 1]);
        format!("{}, seq {seq}, idx {index}, {column}: {cell:?} is {what}", table.name())
    }

    fn number<T: TryFrom<i64>>(&mut self) -> Result<T, String> {
        self.maybe_number()?.ok_or_else(|| self.wrong("no number"))
    }

    fn maybe_number<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, String> {
        match self.cell() {
            Cell::Null => Ok(None),
            Cell::Int(value) => {
                T::try_from(*value).map(Some).map_err(|_| self.wrong("out of range"))
            }
            Cell::Fixed(_) | Cell::Text(_) | Cell::Flag(_) => Err(self.wrong("no whole number")),
        }
    }

    fn nanos(&mut self) -> Result<Nanos, String> {
        self.number().map(Nanos)
    }

    fn fixed<T: TryFrom<i128>>(&mut self) -> Result<T, String> {
        self.maybe_fixed()?.ok_or_else(|| self.wrong("no amount"))
    }

    fn maybe_fixed<T: TryFrom<i128>>(&mut self) -> Result<Option<T>, String> {
        match self.cell() {
            Cell::Null => Ok(None),
            Cell::Fixed(value) => {
                T::try_from(*value).map(Some).map_err(|_| self.wrong("out of range"))
            }
            Cell::Int(_) | Cell::Text(_) | Cell::Flag(_) => Err(self.wrong("no decimal")),
        }
    }

    fn text(&mut self) -> Result<&'a str, String> {
        match self.cell() {
            Cell::Text(text) => Ok(text),
            Cell::Null | Cell::Int(_) | Cell::Fixed(_) | Cell::Flag(_) => {
                Err(self.wrong("no text"))
            }
        }
    }

    fn one_of<T: Copy>(
        &mut self,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<T, String> {
        let text = self.text()?;
        let found = all.iter().copied().find(|one| name(*one) == text);
        found.ok_or_else(|| self.wrong("not known here"))
    }

    fn flag(&mut self) -> Result<bool, String> {
        match self.cell() {
            Cell::Flag(flag) => Ok(*flag),
            Cell::Null | Cell::Int(_) | Cell::Fixed(_) | Cell::Text(_) => {
                Err(self.wrong("neither true nor false"))
            }
        }
    }

    fn leg(&mut self) -> Result<Leg, String> {
        self.one_of(&Leg::ALL, Leg::name)
    }

    fn strategy(&mut self) -> Result<StrategyId, String> {
        self.number().map(StrategyId)
    }

    fn instrument(&mut self) -> Result<InstrumentId, String> {
        self.number().map(InstrumentId)
    }

    fn trade(&mut self, seq: u64) -> Result<TradeRow, String> {
        Ok(TradeRow {
            seq,
            ts: self.nanos()?,
            at: self.nanos()?,
            order: parse_order_id(self.text()?)?,
            strategy: self.strategy()?,
            instrument: self.instrument()?,
            leg: self.leg()?,
            side: self.one_of(&Side::ALL, side_name)?,
            qty: Qty(self.fixed()?),
            quote: Usd(self.fixed()?),
            fee: Usd(self.fixed()?),
            liquidity: self.one_of(&Liquidity::ALL, liquidity_name)?,
            payer: self.number()?,
            realized: UsdSum(self.fixed()?),
            incident: self.flag()?,
        })
    }

    fn posting(&mut self, seq: u64) -> Result<Posting, String> {
        Ok(Posting {
            seq,
            line: self.number()?,
            ts: self.nanos()?,
            kind: self.one_of(&PostingKind::ALL, PostingKind::name)?,
            strategy: self.maybe_number()?.map(StrategyId),
            instrument: self.maybe_number()?.map(InstrumentId),
            leg: self.leg()?,
            order: match self.cell() {
                Cell::Null => None,
                Cell::Text(text) => Some(parse_order_id(text)?),
                Cell::Int(_) | Cell::Fixed(_) | Cell::Flag(_) => return Err(self.wrong("no text")),
            },
            amount: UsdSum(self.fixed()?),
            incident: self.flag()?,
        })
    }

    fn closed(&mut self, seq: u64) -> Result<ClosedPosition, String> {
        Ok(ClosedPosition {
            n: self.number()?,
            strategy: self.strategy()?,
            instrument: self.instrument()?,
            leg: self.leg()?,
            side: self.one_of(&Side::ALL, side_name)?,
            qty_max: Qty(self.fixed()?),
            qty: Qty(self.fixed()?),
            entry_seq: self.number()?,
            exit_seq: seq,
            entry_ts: self.nanos()?,
            exit_ts: self.nanos()?,
            entry_tick: self.number()?,
            exit_tick: self.number()?,
            entry_price: Px(self.fixed()?),
            exit_price: Px(self.fixed()?),
            exit: self.one_of(&ExitPath::ALL, ExitPath::name)?,
            realized: UsdSum(self.fixed()?),
            fees: UsdSum(self.fixed()?),
            funding: UsdSum(self.fixed()?),
            max_adverse: Bps(self.fixed()?),
            max_favorable: Bps(self.fixed()?),
            slippage: self.maybe_fixed()?.map(Bps),
            incident: self.flag()?,
        })
    }

    fn reconciliation(&mut self, seq: u64) -> Result<Reconciliation, String> {
        Ok(Reconciliation {
            seq,
            ts: self.nanos()?,
            at: self.nanos()?,
            ledger: UsdSum(self.fixed()?),
            venue: UsdSum(self.fixed()?),
            outcome: self.one_of(&ReconcileOutcome::ALL, ReconcileOutcome::name)?,
        })
    }

    fn open(&mut self) -> Result<OpenRow, String> {
        Ok(OpenRow {
            strategy: self.strategy()?,
            instrument: self.instrument()?,
            leg: self.leg()?,
            qty: Qty(self.fixed()?),
            cost: UsdSum(self.fixed()?),
            mark: self.maybe_fixed()?.map(Px),
            unrealized: self.maybe_fixed()?.map(UsdSum),
            entry_seq: self.number()?,
            entry_ts: self.nanos()?,
            max_adverse: Bps(self.fixed()?),
            max_favorable: Bps(self.fixed()?),
        })
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
