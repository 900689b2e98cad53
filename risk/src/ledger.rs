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
mod booking;
mod bookkeeper;
mod charges;
mod figures;
mod life;
mod quotes;
mod tape;
mod types;

#[cfg(test)]
mod tests;

pub use bookkeeper::Bookkeeper;
pub use tape::Tape;
pub use types::{
    ClosedPosition, ExitPath, OpenPosition, Posting, PostingKind, ReconcileOutcome, Reconciliation,
    Row, TradeRow,
};

use fusewire_core::event::{Body, Event, TouchSource};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{
    AccountReason, Action, Intent, Leg, Liquidity, OrderId, RejectedBy, Report, ReportKind, Status,
    StrategyId, VenueReason,
};
use fusewire_core::portfolio::{Change, Execution, Phase, Portfolio, Position};
use fusewire_core::units::{Nanos, Px, Rate, Usd, UsdSum};

use arrivals::Arrivals;
use life::{Life, Moment};
use quotes::Quote;

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
    slipped: Slipped,
}

/// What fills cost beyond the mids at which they were decided.
#[derive(Clone, Copy, Debug, Default)]
struct Slipped {
    /// Twice of it at 1e-8, of fills that rested and of fills that took; above zero is a cost.
    twice: [i128; Liquidity::ALL.len()],
    /// Fills of orders for which no mid was known.
    unknown: u64,
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

/// The largest exposure so far, at cost, and the wallet at that moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// What all open positions had cost, without signs.
    pub cost: UsdSum,
    /// Exposure over the wallet; the end of the range when nothing was left in it.
    pub over_wallet: Rate,
}

/// How ledger and venue compared so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Comparisons by outcome, in the order of `ReconcileOutcome::ALL`.
    pub outcomes: [u64; ReconcileOutcome::ALL.len()],
    /// The last one that could be made, as it was told.
    pub last: Option<Reconciliation>,
    /// What was booked since and was from before it.
    pub since: UsdSum,
    /// The venue's count of its updates at it.
    n: u64,
}

impl Reconciled {
    /// Ledger less venue at the last comparison, with what has come since of before then; none before the first.
    #[must_use]
    pub fn drift(&self) -> Option<UsdSum> {
        self.last.map(|last| UsdSum(last.drift().0.saturating_add(self.since.0)))
    }
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
    /// Cells with an open position, and their symbols.
    open: Vec<(InstrumentId, usize)>,
    /// By symbol, then leg: the account as the venue nets it.
    account: Vec<Position>,
    quotes: Vec<Quote>,
    tapes: Vec<Tape>,
    exposure: Exposure,
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

impl Booking {
    /// The same for the part of one seat: what ends at risk or the venue without being theirs was closed by their exit.
    fn of_seat(&self, seat: StrategyId) -> Self {
        let exit = match seat {
            StrategyId::RISK => ExitPath::Halt,
            StrategyId::VENUE => ExitPath::Liquidation,
            _ => return *self,
        };
        if self.order.strategy().acts_for_holders() {
            return *self;
        }
        Self { exit, incident: true, ..*self }
    }
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
            slipped: Slipped::default(),
        };
        Self {
            opening: config.opening,
            drift_alert: config.drift_alert,
            drift_block: config.drift_block,
            cells: vec![cell; seats.len() * legs],
            open: Vec::with_capacity(seats.len() * legs),
            account: vec![Position::default(); legs],
            quotes: vec![Quote::default(); config.instruments],
            tapes: vec![Tape::default(); config.instruments],
            exposure: Exposure::default(),
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
                quote.is_assumed = change.source == TouchSource::Assumed;
                if let Some(mid) = quote.twice_mid() {
                    self.tapes[id.index()].twice(mid);
                }
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
            (Body::Trade(trade), Some(id)) => {
                self.quotes[id.index()].has_trades = true;
                self.tapes[id.index()].price(trade.price);
            }
            (Body::Bar(bar), Some(id)) => self.bar(event.seq, id, bar),
            (Body::Tick, _) => self.ticks += 1,
            (Body::Report(report), Some(id)) => self.report(event, id, report, portfolio, out),
            (Body::Status(status), Some(id)) => self.status(event, id, status, portfolio, out),
            (Body::Account(update), instrument) => self.account(event, instrument, update, out),
            // What risk refused never had a price, and its id may be that of an order that lives.
            (Body::Rejected(rejection), _)
                if rejection.action.order().is_some() && rejection.by == RejectedBy::Gateway =>
            {
                self.arrivals.remove(rejection.order);
            }
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
                | Body::Funding(_)
                | Body::OpenInterest(_)
                | Body::DepthBand(_)
                | Body::Bar(_)
                | Body::Wake
                | Body::Rejected(_)
                | Body::Control(_)
                | Body::KillLevel(_),
                _,
            ) => {}
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
                // What another report made up for is charged as the dearer one.
                liquidity: if report.kind.is_fill() { report.liquidity } else { Liquidity::Taker },
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

/// What an order's execution ends a position by.
fn exit_path(order: OrderId, reason: VenueReason) -> ExitPath {
    match (order.strategy(), reason) {
        (StrategyId::RISK, _) => ExitPath::Halt,
        (_, VenueReason::Adl) => ExitPath::Adl,
        (_, VenueReason::Delisted) => ExitPath::Delisted,
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
        // Who holds a contract to its end has meant to.
        ExitPath::Managed
        | ExitPath::Stop
        | ExitPath::TakeProfit
        | ExitPath::Trailing
        | ExitPath::Delisted => false,
    };
    uncertain || forced
}
