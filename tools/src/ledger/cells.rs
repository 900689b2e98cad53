//! Rows to cells and back: the place of each field is that of its column.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Leg, Liquidity, OrderId, Side, StrategyId};
use fusewire_core::units::{Bps, Nanos, Px, Qty, Usd, UsdSum};
use fusewire_risk::ledger::{
    ClosedPosition, ExitPath, OpenPosition, Posting, PostingKind, ReconcileOutcome, Reconciliation,
    TradeRow,
};

use super::table::{Cell, Entry, Table, liquidity_name, side_name};
use crate::journal::order_id::parse_order_id;

/// Makes cells.
#[derive(Default)]
pub(super) struct Writer(Vec<Cell>);

impl Writer {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn done(self) -> Vec<Cell> {
        self.0
    }

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

    pub(super) fn trade(&mut self, trade: &TradeRow) -> Result<Table, String> {
        self.int("ts", trade.ts.0)?;
        self.int("venue_ts", trade.at.0)?;
        self.text(order_text(trade.order));
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

    pub(super) fn posting(&mut self, posting: &Posting) -> Result<Table, String> {
        self.small(posting.line);
        self.int("ts", posting.ts.0)?;
        self.text(posting.kind.name());
        self.maybe_small(posting.strategy.map(|strategy| strategy.0));
        self.maybe_small(posting.instrument.map(|instrument| instrument.0));
        self.text(posting.leg.name());
        self.maybe_text(posting.order.map(order_text));
        self.fixed(posting.amount.0);
        self.flag(posting.incident);
        Ok(Table::Postings)
    }

    pub(super) fn closed(&mut self, closed: &ClosedPosition) -> Result<Table, String> {
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

    pub(super) fn reconciliation(&mut self, one: &Reconciliation) -> Result<Table, String> {
        self.int("ts", one.ts.0)?;
        self.int("venue_ts", one.at.0)?;
        self.fixed(one.ledger.0);
        self.fixed(one.venue.0);
        self.text(one.outcome.name());
        Ok(Table::Reconciliations)
    }

    pub(super) fn open(&mut self, open: &OpenPosition) -> Result<(), String> {
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

/// An order as people write it; one that no session makes, as a number.
fn order_text(order: OrderId) -> String {
    let text = order.to_string();
    if parse_order_id(&text) == Ok(order) { text } else { order.0.to_string() }
}

/// Takes cells apart, column by column.
pub(super) struct Reader<'a> {
    entry: &'a Entry,
    next: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(entry: &'a Entry) -> Self {
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

    pub(super) fn trade(&mut self, seq: u64) -> Result<TradeRow, String> {
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

    pub(super) fn posting(&mut self, seq: u64) -> Result<Posting, String> {
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

    pub(super) fn closed(&mut self, seq: u64) -> Result<ClosedPosition, String> {
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

    pub(super) fn reconciliation(&mut self, seq: u64) -> Result<Reconciliation, String> {
        Ok(Reconciliation {
            seq,
            ts: self.nanos()?,
            at: self.nanos()?,
            ledger: UsdSum(self.fixed()?),
            venue: UsdSum(self.fixed()?),
            outcome: self.one_of(&ReconcileOutcome::ALL, ReconcileOutcome::name)?,
        })
    }

    pub(super) fn open(&mut self) -> Result<OpenPosition, String> {
        Ok(OpenPosition {
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

#[cfg(test)]
mod tests {
    use fusewire_risk::ledger::Row;

    use super::*;

    fn trade(order: OrderId) -> TradeRow {
        TradeRow {
            seq: 7,
            ts: Nanos(1),
            at: Nanos(2),
            order,
            strategy: StrategyId::RISK,
            instrument: InstrumentId(u16::MAX),
            leg: Leg::Short,
            side: Side::Sell,
            qty: Qty(i64::MIN),
            quote: Usd(i64::MAX),
            fee: Usd(-1),
            liquidity: Liquidity::Taker,
            payer: 3,
            realized: UsdSum(i128::MIN),
            incident: true,
        }
    }

    fn posting(kind: PostingKind, order: Option<OrderId>) -> Posting {
        Posting {
            seq: 7,
            line: u16::MAX,
            ts: Nanos(4),
            kind,
            strategy: order.map(OrderId::strategy),
            instrument: order.map(|_| InstrumentId(5)),
            leg: Leg::Both,
            order,
            amount: UsdSum(i128::MAX),
            incident: order.is_none(),
        }
    }

    fn closed(exit: ExitPath, slippage: Option<Bps>) -> ClosedPosition {
        ClosedPosition {
            n: 1,
            strategy: StrategyId(2),
            instrument: InstrumentId(3),
            leg: Leg::Long,
            side: Side::Buy,
            qty_max: Qty(4),
            qty: Qty(5),
            entry_seq: 6,
            exit_seq: 7,
            entry_ts: Nanos(8),
            exit_ts: Nanos(9),
            entry_tick: 10,
            exit_tick: 11,
            entry_price: Px(12),
            exit_price: Px(13),
            exit,
            realized: UsdSum(-14),
            fees: UsdSum(15),
            funding: UsdSum(16),
            max_adverse: Bps(-17),
            max_favorable: Bps(18),
            slippage,
            incident: false,
        }
    }

    fn rows() -> Vec<Row> {
        let order = OrderId::new(u16::MAX, StrategyId(254), OrderId::COUNTER_MAX);
        let mut rows = vec![Row::Trade(trade(order)), Row::Trade(trade(OrderId(7)))];
        let venue = OrderId::new(1, StrategyId::VENUE, 2);
        for kind in PostingKind::ALL {
            rows.extend(
                [Some(order), Some(venue), None].map(|order| Row::Posting(posting(kind, order))),
            );
        }
        for exit in ExitPath::ALL {
            rows.extend([None, Some(Bps(i64::MIN))].map(|bps| Row::Closed(closed(exit, bps))));
        }
        rows.extend(ReconcileOutcome::ALL.map(|outcome| {
            let (ledger, venue) = (UsdSum(1), UsdSum(-2));
            let (ts, at) = (Nanos(1), Nanos(2));
            Row::Reconciliation(Reconciliation { seq: 7, ts, at, ledger, venue, outcome })
        }));
        rows
    }

    #[test]
    fn rows_come_back_from_their_cells_and_each_has_a_digest_of_its_own() {
        let mut digests = std::collections::BTreeSet::new();
        for (row, index) in rows().iter().zip(0..) {
            let entry = Entry::of_row(row, 7, index).unwrap();
            assert_eq!(entry.row().unwrap().as_ref(), Some(row));
            let mut hasher = blake3::Hasher::new();
            Entry { index: 0, ..entry }.digest_into(&mut hasher);
            assert!(digests.insert(hasher.finalize().to_hex().to_string()), "{row:?}");
        }
        let open = OpenPosition {
            strategy: StrategyId(1),
            instrument: InstrumentId(2),
            leg: Leg::Both,
            qty: Qty(-3),
            cost: UsdSum(4),
            mark: None,
            unrealized: None,
            entry_seq: 5,
            entry_ts: Nanos(6),
            max_adverse: Bps(-7),
            max_favorable: Bps(8),
        };
        let marked = OpenPosition { mark: Some(Px(9)), unrealized: Some(UsdSum(-10)), ..open };
        for open in [open, marked] {
            assert_eq!(Entry::of_open(&open, 7, 0).unwrap().open(), Ok(open));
        }
    }

    #[test]
    fn what_no_row_has_is_an_error_that_names_its_place() {
        let row = Row::Posting(posting(PostingKind::Funding, None));
        let good = Entry::of_row(&row, 7, 3).unwrap();
        for (column, cell) in [
            (0, Cell::Int(70_000)),
            (0, Cell::Null),
            (1, Cell::Int(-1)),
            (2, Cell::Text("tips".to_owned())),
            (3, Cell::Text("quoter".to_owned())),
            (6, Cell::Text("1-0".to_owned())),
            (7, Cell::Int(1)),
            (8, Cell::Int(1)),
        ] {
            let mut entry = good.clone();
            entry.cells[column] = cell;
            let error = entry.row().unwrap_err();
            assert!(error.contains("postings, seq 7, idx 3") || error.contains("1-0"), "{error}");
        }
        let late = Posting { ts: Nanos(u64::MAX), ..posting(PostingKind::Funding, None) };
        let error = Entry::of_row(&Row::Posting(late), 7, 3).unwrap_err();
        assert!(error.contains("event 7, row 3: ts: 18446744073709551615"), "{error}");
    }
}
