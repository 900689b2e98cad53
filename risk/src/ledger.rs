//! The ledger: where every cent of the account came from and went to, folded from sequenced events.
//!
//! ```text
//!  reports, answers ─► portfolio ─► executions ─┐
//!  account updates (funding, fees, transfers) ──┼─► postings = change of the wallet ─► reconciliation
//!  touches, marks ─► lives of open positions ───┘
//! ```
//!
//! Double entry: what an event does to realised profit, fees, funding and so on is posted line by line, and the
//! wallet's own line closes the sum to zero. Each unit is in a position, and marked, from the moment that its fill
//! is known (S0-01, S0-35): there is no pair to wait for. Exits by risk and venue belong to the strategies that
//! held the position. That nothing is lost is asserted at every event that moves money.

mod arrivals;
mod bookkeeper;
mod life;
mod types;

#[cfg(test)]
mod tests;

pub use bookkeeper::Bookkeeper;
pub use types::{
    ClosedPosition, ExitPath, OpenPosition, Posting, PostingKind, ReconcileOutcome, Reconciliation,
    Row, TradeRow,
};

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{
    AccountReason, AccountUpdate, Action, Intent, Leg, Liquidity, OrderId, Report, ReportKind,
    Status, StrategyId, VenueReason,
};
use fusewire_core::portfolio::{Change, Execution, Phase, Portfolio, Position};
use fusewire_core::units::{Nanos, Px, Qty, Usd, UsdSum};

use arrivals::Arrivals;
use life::{Life, Moment};

/// What a ledger is made with. All memory is taken at construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerConfig {
    /// Symbols of the universe.
    pub instruments: usize,
    /// The strategies by seat; risk and venue have seats of their own beside them.
    pub strategies: Vec<StrategyId>,
    /// Opening balance.
    pub opening: Usd,
    /// Open and in-flight orders, whose arrival prices are remembered.
    pub orders_max: usize,
    /// Finished orders that are remembered, see `PortfolioConfig`.
    pub closed_max: usize,
    /// How long after it left an intent may still reach the venue.
    pub arrival_max: Nanos,
    /// Difference between ledger and venue that is an alert. Default 0.10 USD (S0-36).
    pub drift_alert: Usd,
    /// Difference at which new risk is refused. Default 1 USD: ten times the alert.
    pub drift_block: Usd,
}

/// The part of the ledger that one strategy has in one leg of one symbol.
#[derive(Clone, Debug)]
struct Cell {
    position: Position,
    /// Of the open position.
    life: Option<Life>,
    sums: [UsdSum; PostingKind::ALL.len()],
}

/// What the market says of one symbol.
#[derive(Clone, Copy, Debug, Default)]
struct Quote {
    bid: Px,
    ask: Px,
    mark: Option<Px>,
}

impl Quote {
    /// Best bid plus best ask; none without both.
    fn twice_mid(&self) -> Option<i128> {
        let usable = self.bid > Px::ZERO && self.bid < self.ask;
        usable.then(|| i128::from(self.bid.0) + i128::from(self.ask.0))
    }
}

/// What the venue said last for one reason, symbol and leg.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    n: u64,
    total: Usd,
}

/// How positions ended, by exit path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exits {
    /// Positions that ended so.
    pub count: u64,
    /// Those of them that earned more than their fees and what they paid in funding.
    pub wins: u64,
    /// Sum of realised profit before fees and funding.
    pub realized: UsdSum,
    /// Sum of the worst moves, in 1e-4 bp: divide by `count`.
    pub adverse: i128,
    /// Sum of the best moves.
    pub favorable: i128,
}

/// How ledger and venue compared so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Comparisons by outcome, in the order of `ReconcileOutcome::ALL`.
    pub outcomes: [u64; ReconcileOutcome::ALL.len()],
    /// The last one that could be made.
    pub last: Option<Reconciliation>,
}

/// The account's books.
#[derive(Clone, Debug)]
pub struct Ledger {
    opening: Usd,
    drift_alert: Usd,
    drift_block: Usd,
    seats: Vec<StrategyId>,
    instruments: usize,
    /// By seat, then symbol, then leg.
    cells: Vec<Cell>,
    /// Cells with an open position.
    open: Vec<usize>,
    /// By symbol, then leg: the account as the venue nets it.
    account: Vec<Position>,
    quotes: Vec<Quote>,
    arrivals: Arrivals,
    totals: [UsdSum; PostingKind::ALL.len()],
    incident: UsdSum,
    wallet: UsdSum,
    /// Slots by reason, symbol (none is the last) and leg.
    told: Vec<Told>,
    newest: u64,
    /// When the last execution that was booked happened at the venue.
    executed_at: Nanos,
    reconciled: Reconciled,
    exits: [Exits; ExitPath::ALL.len()],
    closed: u64,
    ticks: u64,
    /// Amounts that left their range and were not booked.
    faults: u64,
    parts: Vec<(usize, Execution)>,
    line: u16,
}

/// An execution with what its message says of it.
#[derive(Clone, Copy, Debug)]
struct Booking {
    moment: Moment,
    at: Nanos,
    order: OrderId,
    instrument: InstrumentId,
    leg: Leg,
    execution: Execution,
    liquidity: Liquidity,
    payer: u64,
    exit: ExitPath,
    incident: bool,
    twice_mid: Option<i128>,
}

impl Ledger {
    /// Books with the opening balance and nothing else.
    #[must_use]
    pub fn new(config: &LedgerConfig) -> Self {
        let seats: Vec<_> = config
            .strategies
            .iter()
            .copied()
            .chain([StrategyId::RISK, StrategyId::VENUE])
            .collect();
        let legs = config.instruments * Leg::ALL.len();
        let cell = Cell {
            position: Position::default(),
            life: None,
            sums: [UsdSum::ZERO; PostingKind::ALL.len()],
        };
        Self {
            opening: config.opening,
            drift_alert: config.drift_alert,
            drift_block: config.drift_block,
            cells: vec![cell; seats.len() * legs],
            open: Vec::with_capacity(seats.len() * legs),
            account: vec![Position::default(); legs],
            quotes: vec![Quote::default(); config.instruments],
            arrivals: Arrivals::new(config.orders_max),
            totals: [UsdSum::ZERO; PostingKind::ALL.len()],
            incident: UsdSum::ZERO,
            wallet: UsdSum(i128::from(config.opening.0)),
            told: vec![
                Told::default();
                AccountReason::ALL.len() * (config.instruments + 1) * Leg::ALL.len()
            ],
            newest: 0,
            executed_at: Nanos(0),
            reconciled: Reconciled::default(),
            exits: [Exits::default(); ExitPath::ALL.len()],
            closed: 0,
            ticks: 0,
            faults: 0,
            parts: Vec::with_capacity(seats.len()),
            line: 0,
            instruments: config.instruments,
            seats,
        }
    }

    /// Remembers the mid at the moment at which a new order was decided: the arrival price of its fills.
    pub fn approved(&mut self, intent: &Intent) {
        let quote = self.quotes.get(intent.instrument.index());
        if let (Action::New(_), Some(mid)) = (&intent.action, quote.and_then(Quote::twice_mid)) {
            self.arrivals.insert(intent.order, mid);
        }
    }

    /// Takes the next event, and has `portfolio` take what it says of orders. `out` gets what the ledger
    /// tells, in order.
    pub fn apply(&mut self, event: &Event, portfolio: &mut Portfolio, out: &mut impl FnMut(Row)) {
        match (&event.body, event.instrument) {
            (Body::Touch(change), Some(id)) => {
                let of = |level: Option<fusewire_core::market::Level>| {
                    level.map_or(Px::ZERO, |level| level.price)
                };
                let quote = &mut self.quotes[id.index()];
                (quote.bid, quote.ask) = (of(change.touch.bid), of(change.touch.ask));
                self.observe(id);
            }
            (Body::Mark(mark), Some(id)) => {
                // S0-04: zero means that the venue does not know.
                let mark = Some(mark.price).filter(|price| *price > Px::ZERO);
                self.quotes[id.index()].mark = mark;
                self.observe(id);
            }
            (Body::BookInvalid(_), Some(id)) => {
                let quote = &mut self.quotes[id.index()];
                (quote.bid, quote.ask) = (Px::ZERO, Px::ZERO);
            }
            (Body::Gap, _) => {
                for quote in &mut self.quotes {
                    (quote.bid, quote.ask) = (Px::ZERO, Px::ZERO);
                }
            }
            (Body::Tick, _) => self.ticks += 1,
            (Body::Report(report), Some(id)) => self.report(event, id, report, portfolio, out),
            (Body::Status(status), Some(id)) => self.status(event, id, status, portfolio, out),
            (Body::Account(update), instrument) => self.account(event, instrument, update, out),
            (
                Body::Touch(_)
                | Body::Mark(_)
                | Body::BookInvalid(_)
                | Body::Report(_)
                | Body::Status(_)
                | Body::Depth(_)
                | Body::Levels(_)
                | Body::Trade(_)
                | Body::Liquidation(_)
                | Body::Bar(_)
                | Body::Wake
                | Body::Rejected(_)
                | Body::Control(_)
                | Body::KillLevel(_),
                _,
            ) => {}
        }
    }

    /// Shows the prices at which positions in a symbol could be left to their lives.
    fn observe(&mut self, id: InstrumentId) {
        for &index in &self.open {
            let (place, leg) = self.place_of(index);
            if place != id {
                continue;
            }
            let (quote, _) = (self.quotes[id.index()], leg);
            if let Some(life) = &mut self.cells[index].life {
                life.observe_quote(quote.bid, quote.ask, quote.mark);
            }
        }
    }

    fn moment(&self, event: &Event) -> Moment {
        Moment { seq: event.seq, ts: event.ts, tick: self.ticks }
    }

    fn report(
        &mut self,
        event: &Event,
        instrument: InstrumentId,
        report: &Report,
        portfolio: &mut Portfolio,
        out: &mut impl FnMut(Row),
    ) {
        let before = portfolio.order(report.order).map(|order| order.phase);
        let change = portfolio.apply(event);
        let gone = portfolio.order(report.order).is_none();
        if report.kind == ReportKind::Triggered
            && let Some(mid) = self.quotes[instrument.index()].twice_mid()
        {
            // A conditional order arrives when its trigger comes, not when it was decided.
            self.arrivals.insert(report.order, mid);
        }
        if let Change::Executed(execution) = change {
            let exit = exit_path(report.order, report.reason);
            let booking = Booking {
                moment: self.moment(event),
                at: report.at,
                order: report.order,
                instrument,
                leg: report.leg,
                execution,
                liquidity: report.liquidity,
                payer: if report.kind.is_fill() { report.payer } else { 0 },
                exit,
                incident: is_incident(before, exit),
                twice_mid: self.arrivals.get(report.order),
            };
            self.execute(&booking, out);
        }
        if gone {
            self.arrivals.remove(report.order);
        }
    }

    fn status(
        &mut self,
        event: &Event,
        instrument: InstrumentId,
        status: &Status,
        portfolio: &mut Portfolio,
        out: &mut impl FnMut(Row),
    ) {
        let before = portfolio.order(status.order).map(|order| order.phase);
        let change = portfolio.apply(event);
        let gone = portfolio.order(status.order).is_none();
        if let Change::Executed(execution) = change {
            let exit = exit_path(status.order, VenueReason::None);
            let booking = Booking {
                moment: self.moment(event),
                at: status.at,
                order: status.order,
                instrument,
                leg: Leg::Both,
                execution,
                // Which it was the answer does not say: the dearer one.
                liquidity: Liquidity::Taker,
                payer: 0,
                exit,
                incident: is_incident(before, exit),
                twice_mid: self.arrivals.get(status.order),
            };
            self.execute(&booking, out);
        }
        if gone {
            self.arrivals.remove(status.order);
        }
    }

    /// Books an execution: on the account as the venue nets it, and on those whose it is.
    fn execute(&mut self, booking: &Booking, out: &mut impl FnMut(Row)) {
        self.line = 0;
        let Booking { instrument, leg, execution, .. } = *booking;
        let place = instrument.index() * Leg::ALL.len() + leg as usize;
        let before = self.account[place];
        let Some(after) = before.booked(&execution) else {
            self.faults += 1;
            return;
        };
        self.account[place] = after;
        self.share(booking);
        let mut told = UsdSum::ZERO;
        let parts = std::mem::take(&mut self.parts);
        for &(seat, part) in &parts {
            told.0 += self.book_part(booking, seat, &part, out).0;
        }
        self.parts = parts;
        let realized = UsdSum(after.realized.0 - before.realized.0);
        let netting = UsdSum(realized.0 - told.0);
        self.post(booking, PostingKind::Netting, None, netting, out);
        let change = UsdSum(realized.0 - i128::from(execution.fee.0));
        self.close_sum(booking, change, out);
        let cost = after.cost.0 - before.cost.0;
        self.executed_at = self.executed_at.max(booking.at);
        self.assert_conserved();
        // Cash is what was paid, whatever was made of it.
        let signed = match execution.side {
            fusewire_core::market::Side::Buy => -i128::from(execution.quote.0),
            fusewire_core::market::Side::Sell => i128::from(execution.quote.0),
        };
        assert_eq!(realized.0 - cost, signed, "realised less cost is the cash of an execution");
    }

    /// Whose an execution is: its sender's, but exits by risk and venue are those of the holders, by seat.
    fn share(&mut self, booking: &Booking) {
        self.parts.clear();
        let (strategy, whole) = (booking.order.strategy(), booking.execution);
        let own = self.seat(strategy).unwrap_or(self.seats.len() - 1);
        let mut left = whole;
        if matches!(strategy, StrategyId::RISK | StrategyId::VENUE) {
            for seat in 0..self.seats.len() - 2 {
                let held = self.cells[self.cell(seat, booking.instrument, booking.leg)].position;
                if left.qty == Qty::ZERO || held.reducing_side() != Some(whole.side) {
                    continue;
                }
                let qty = left.qty.0.min(i64::try_from(held.size().0).unwrap_or(i64::MAX));
                let part = cut(&mut left, qty);
                self.parts.push((seat, part));
            }
        }
        if left.qty > Qty::ZERO {
            self.parts.push((own, left));
        }
    }

    /// Books the part of one seat; returns what it realised.
    fn book_part(
        &mut self,
        booking: &Booking,
        seat: usize,
        part: &Execution,
        out: &mut impl FnMut(Row),
    ) -> UsdSum {
        let Booking { moment, instrument, leg, liquidity, incident, .. } = *booking;
        let index = self.cell(seat, instrument, leg);
        let before = self.cells[index].position;
        // The account holds no more than all seats together, so that a seat may leave its range first.
        let Some(after) = before.booked(part) else {
            self.faults += 1;
            return UsdSum::ZERO;
        };
        self.cells[index].position = after;
        let realized = UsdSum(after.realized.0 - before.realized.0);
        let strategy = self.seats[seat];
        out(Row::Trade(TradeRow {
            seq: moment.seq,
            ts: moment.ts,
            at: booking.at,
            order: booking.order,
            strategy,
            instrument,
            leg,
            side: part.side,
            qty: part.qty,
            quote: part.quote,
            fee: part.fee,
            liquidity,
            payer: booking.payer,
            realized,
            incident,
        }));
        self.post(booking, PostingKind::Realized, Some(seat), realized, out);
        let kind = match liquidity {
            Liquidity::Maker => PostingKind::FeeMaker,
            Liquidity::Taker => PostingKind::FeeTaker,
        };
        self.post(booking, kind, Some(seat), UsdSum(-i128::from(part.fee.0)), out);
        self.live(booking, index, (&before, &after), part, out);
        realized
    }

    /// Moves the life of a position on, and tells of it when it ends.
    fn live(
        &mut self,
        booking: &Booking,
        index: usize,
        (before, after): (&Position, &Position),
        part: &Execution,
        out: &mut impl FnMut(Row),
    ) {
        let filled = life::Filled {
            moment: booking.moment,
            part: *part,
            before: *before,
            after: *after,
            twice_mid: booking.twice_mid,
            incident: booking.incident,
        };
        let life = self.cells[index].life.take();
        let was_open = life.is_some();
        let (ended, next) = life::step(life, &filled);
        match next.is_some() {
            true if !was_open => self.open.push(index),
            false => self.open.retain(|open| *open != index),
            true => {}
        }
        self.cells[index].life = next;
        let Some(ended) = ended else { return };
        self.closed += 1;
        let strategy = self.seats[index / (self.instruments * Leg::ALL.len())];
        let row = ended.row(self.closed, strategy, booking.instrument, booking.leg, booking.exit);
        self.note_exit(&row);
        out(Row::Closed(row));
    }

    fn note_exit(&mut self, row: &ClosedPosition) {
        let exits = &mut self.exits[row.exit as usize];
        let net = row.realized.0 - row.fees.0 + row.funding.0;
        exits.count += 1;
        exits.wins += u64::from(net > 0);
        exits.realized.0 += row.realized.0;
        exits.adverse += i128::from(row.max_adverse.0);
        exits.favorable += i128::from(row.max_favorable.0);
    }

    /// Posts a line, if there is something to post.
    fn post(
        &mut self,
        booking: &Booking,
        kind: PostingKind,
        seat: Option<usize>,
        amount: UsdSum,
        out: &mut impl FnMut(Row),
    ) {
        if amount == UsdSum::ZERO {
            return;
        }
        if let Some(seat) = seat {
            let index = self.cell(seat, booking.instrument, booking.leg);
            self.cells[index].sums[kind as usize].0 += amount.0;
        }
        let posting = Posting {
            seq: booking.moment.seq,
            line: self.line,
            ts: booking.moment.ts,
            kind,
            strategy: seat.map(|seat| self.seats[seat]),
            instrument: Some(booking.instrument),
            leg: booking.leg,
            order: Some(booking.order),
            amount,
            incident: booking.incident,
        };
        self.enter(posting, out);
    }

    /// Counts and tells a line.
    fn enter(&mut self, posting: Posting, out: &mut impl FnMut(Row)) {
        self.totals[posting.kind as usize].0 += posting.amount.0;
        if posting.incident && posting.kind != PostingKind::Wallet {
            self.incident.0 += posting.amount.0;
        }
        self.line += 1;
        out(Row::Posting(posting));
    }

    /// The wallet's own line of an execution.
    fn close_sum(&mut self, booking: &Booking, change: UsdSum, out: &mut impl FnMut(Row)) {
        self.wallet.0 += change.0;
        self.post(booking, PostingKind::Wallet, None, UsdSum(-change.0), out);
    }

    /// Takes what the venue says of the account beside fills, and compares the wallets.
    fn account(
        &mut self,
        event: &Event,
        instrument: Option<InstrumentId>,
        update: &AccountUpdate,
        out: &mut impl FnMut(Row),
    ) {
        self.line = 0;
        let symbols = self.instruments + 1;
        let place = instrument.map_or(self.instruments, InstrumentId::index);
        let slot =
            (update.reason as usize * symbols + place) * Leg::ALL.len() + update.leg as usize;
        let told = &mut self.told[slot];
        if update.n <= told.n {
            return;
        }
        // The increase over what is known, so that a lost update is made up for by the next.
        let change = i128::from(update.total.0) - i128::from(told.total.0);
        *told = Told { n: update.n, total: update.total };
        let kind = match update.reason {
            AccountReason::Funding => Some(PostingKind::Funding),
            AccountReason::LiquidationFee => Some(PostingKind::LiquidationFee),
            AccountReason::Insurance => Some(PostingKind::Insurance),
            AccountReason::Transfer => Some(PostingKind::Transfer),
            AccountReason::Snapshot => None,
        };
        if let Some(kind) = kind
            && change != 0
        {
            self.charge(event, instrument, update, (kind, change), out);
        }
        self.reconcile(event, update, out);
    }

    /// Posts a charge, of those who hold the position as far as there are such.
    fn charge(
        &mut self,
        event: &Event,
        instrument: Option<InstrumentId>,
        update: &AccountUpdate,
        (kind, change): (PostingKind, i128),
        out: &mut impl FnMut(Row),
    ) {
        let incident = matches!(kind, PostingKind::LiquidationFee | PostingKind::Insurance);
        let line = |ledger: &Self, seat: Option<usize>, kind, amount| Posting {
            seq: event.seq,
            line: ledger.line,
            ts: event.ts,
            kind,
            strategy: seat.map(|seat| ledger.seats[seat]),
            instrument,
            leg: update.leg,
            order: None,
            amount: UsdSum(amount),
            incident,
        };
        let mut left = change;
        let of_position = matches!(kind, PostingKind::Funding | PostingKind::LiquidationFee);
        if let Some(id) = instrument.filter(|_| of_position) {
            let held = |ledger: &Self, seat| {
                ledger.cells[ledger.cell(seat, id, update.leg)].position.qty.0
            };
            let all: i128 = (0..self.seats.len()).map(|seat| i128::from(held(self, seat))).sum();
            for seat in 0..self.seats.len() {
                let qty = i128::from(held(self, seat));
                let share = match change.checked_mul(qty) {
                    Some(product) if all != 0 => product / all,
                    Some(_) | None => 0,
                };
                if share == 0 {
                    continue;
                }
                left -= share;
                let index = self.cell(seat, id, update.leg);
                let cell = &mut self.cells[index];
                cell.sums[kind as usize].0 += share;
                if let Some(life) = &mut cell.life {
                    life.charge(kind, UsdSum(share));
                }
                let posting = line(self, Some(seat), kind, share);
                self.enter(posting, out);
            }
        }
        if left != 0 {
            let posting = line(self, None, kind, left);
            self.enter(posting, out);
        }
        self.wallet.0 += change;
        let posting = line(self, None, PostingKind::Wallet, -change);
        self.enter(posting, out);
        self.assert_conserved();
    }

    /// Compares the wallets (S0-36).
    fn reconcile(&mut self, event: &Event, update: &AccountUpdate, out: &mut impl FnMut(Row)) {
        let late = update.n < self.newest || update.at < self.executed_at;
        self.newest = self.newest.max(update.n);
        let venue = UsdSum(i128::from(update.wallet.0));
        let drift = (self.wallet.0 - venue.0).unsigned_abs();
        let above = |limit: Usd| drift > u128::from(limit.0.unsigned_abs());
        let outcome = if late {
            ReconcileOutcome::Late
        } else if above(self.drift_block) {
            ReconcileOutcome::Blocks
        } else if above(self.drift_alert) {
            ReconcileOutcome::Drifts
        } else {
            ReconcileOutcome::Agrees
        };
        let (seq, ts, at, ledger) = (event.seq, event.ts, update.at, self.wallet);
        let reconciliation = Reconciliation { seq, ts, at, ledger, venue, outcome };
        self.reconciled.outcomes[outcome as usize] += 1;
        if !late {
            self.reconciled.last = Some(reconciliation);
        }
        out(Row::Reconciliation(reconciliation));
    }

    /// No cent appears or is lost: the postings add up to nothing, the wallet is what they say, and what was
    /// realised less what positions cost is the cash that executions brought.
    fn assert_conserved(&self) {
        let income: i128 = self.totals[1..].iter().map(|total| total.0).sum();
        let opening = i128::from(self.opening.0);
        assert_eq!(income, -self.totals[PostingKind::Wallet as usize].0, "postings add up to zero");
        assert_eq!(self.wallet.0, opening + income, "the wallet is what the postings say");
    }

    fn seat(&self, strategy: StrategyId) -> Option<usize> {
        self.seats.iter().position(|seat| *seat == strategy)
    }

    fn cell(&self, seat: usize, instrument: InstrumentId, leg: Leg) -> usize {
        (seat * self.instruments + instrument.index()) * Leg::ALL.len() + leg as usize
    }

    fn place_of(&self, cell: usize) -> (InstrumentId, Leg) {
        let place = cell / Leg::ALL.len() % self.instruments;
        let id = InstrumentId(u16::try_from(place).expect("a universe has fewer symbols"));
        (id, Leg::ALL[cell % Leg::ALL.len()])
    }
}

/// What can be asked.
impl Ledger {
    /// What the account was opened with.
    #[must_use]
    pub fn opening(&self) -> Usd {
        self.opening
    }

    /// The balance without unrealised profit.
    #[must_use]
    pub fn wallet(&self) -> UsdSum {
        self.wallet
    }

    /// Sum of all postings of a kind; above zero is income.
    #[must_use]
    pub fn total(&self, kind: PostingKind) -> UsdSum {
        self.totals[kind as usize]
    }

    /// The same of one strategy in one symbol, all legs; zero for a strategy without a seat.
    #[must_use]
    pub fn total_of(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        kind: PostingKind,
    ) -> UsdSum {
        let Some(seat) = self.seat(strategy) else { return UsdSum::ZERO };
        let sum = |leg| self.cells[self.cell(seat, instrument, leg)].sums[kind as usize].0;
        UsdSum(Leg::ALL.into_iter().map(sum).sum())
    }

    /// The part of all totals that stems from incidents (S3-14).
    #[must_use]
    pub fn incident(&self) -> UsdSum {
        self.incident
    }

    /// Unrealised profit over every open unit at the last marks; none when one has no mark.
    #[must_use]
    pub fn unrealized(&self) -> Option<UsdSum> {
        let mut sum = UsdSum::ZERO;
        for (index, position) in self.account.iter().enumerate() {
            if position.qty != Qty::ZERO {
                let mark = self.quotes[index / Leg::ALL.len()].mark?;
                sum = sum.checked_add(position.unrealized(mark))?;
            }
        }
        Some(sum)
    }

    /// Seats: the strategies in order, then risk, then the venue.
    #[must_use]
    pub fn seats(&self) -> &[StrategyId] {
        &self.seats
    }

    /// A seat's position in a leg.
    #[must_use]
    pub fn position_of(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        leg: Leg,
    ) -> Position {
        let seat = self.seat(strategy);
        seat.map_or_else(Position::default, |seat| {
            self.cells[self.cell(seat, instrument, leg)].position
        })
    }

    /// The account's position in a leg, as the venue nets it.
    #[must_use]
    pub fn account_position(&self, instrument: InstrumentId, leg: Leg) -> &Position {
        &self.account[instrument.index() * Leg::ALL.len() + leg as usize]
    }

    /// Positions that are open now, by seat, symbol and leg.
    pub fn open_positions(&self) -> impl Iterator<Item = OpenPosition> {
        let legs = self.instruments * Leg::ALL.len();
        self.cells.iter().enumerate().filter_map(move |(index, cell)| {
            let life = cell.life.as_ref()?;
            let (instrument, leg) = self.place_of(index);
            let mark = self.quotes[instrument.index()].mark;
            let (max_adverse, max_favorable) = life.excursions();
            Some(OpenPosition {
                strategy: self.seats[index / legs],
                instrument,
                leg,
                qty: cell.position.qty,
                cost: cell.position.cost,
                mark,
                unrealized: mark.map(|mark| cell.position.unrealized(mark)),
                entry_seq: life.entry().seq,
                entry_ts: life.entry().ts,
                max_adverse,
                max_favorable,
            })
        })
    }

    /// How positions ended, in the order of `ExitPath::ALL`.
    #[must_use]
    pub fn exits(&self) -> &[Exits; ExitPath::ALL.len()] {
        &self.exits
    }

    /// How ledger and venue compared so far.
    #[must_use]
    pub fn reconciled(&self) -> &Reconciled {
        &self.reconciled
    }

    /// Amounts that left their range and were not booked.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.faults
    }
}

/// Cuts `qty` off an execution, with its share of the amounts rounded down; the rest keeps what is left.
fn cut(left: &mut Execution, qty: i64) -> Execution {
    if qty >= left.qty.0 {
        let whole = *left;
        *left = Execution { qty: Qty::ZERO, quote: Usd::ZERO, fee: Usd::ZERO, ..whole };
        return whole;
    }
    let share = |amount: Usd| {
        let part = i128::from(amount.0) * i128::from(qty) / i128::from(left.qty.0);
        Usd(i64::try_from(part).expect("a part of an amount is no larger than it"))
    };
    let part = Execution {
        side: left.side,
        qty: Qty(qty),
        quote: share(left.quote),
        fee: share(left.fee),
    };
    left.qty.0 -= part.qty.0;
    left.quote.0 -= part.quote.0;
    left.fee.0 -= part.fee.0;
    part
}

/// What an order's execution ends a position by.
fn exit_path(order: OrderId, reason: VenueReason) -> ExitPath {
    match (order.strategy(), reason) {
        (StrategyId::RISK, _) => ExitPath::Halt,
        (_, VenueReason::Adl) => ExitPath::Adl,
        (StrategyId::VENUE, _) | (_, VenueReason::Liquidation) => ExitPath::Liquidation,
        (_, VenueReason::Stop) => ExitPath::Stop,
        (_, VenueReason::TakeProfit) => ExitPath::TakeProfit,
        (_, VenueReason::Trailing) => ExitPath::Trailing,
        (_, _) => ExitPath::Managed,
    }
}

/// S3-14. What the venue or the halt did, and what came of orders of which it was not known what had become of
/// them, is no result of a strategy.
fn is_incident(before: Option<Phase>, exit: ExitPath) -> bool {
    let uncertain = matches!(before, Some(Phase::Unknown | Phase::Settling));
    let forced = match exit {
        ExitPath::Liquidation | ExitPath::Adl | ExitPath::Halt => true,
        ExitPath::Managed | ExitPath::Stop | ExitPath::TakeProfit | ExitPath::Trailing => false,
    };
    uncertain || forced
}
