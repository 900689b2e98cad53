//! The trading side of the report: verdicts, orders, positions, money, assumptions, digests.

use std::collections::BTreeMap;

use fusewire_core::assumed::DataModel;
use fusewire_core::event::EventKind;
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::order::{Check, Leg, StrategyId};
use fusewire_core::portfolio::{Portfolio, Position};
use fusewire_core::units::{Px, Qty, UsdSum};
use fusewire_risk::ledger::{Ledger, PostingKind};
use fusewire_strategies::strategy::{Refused, Strategy};
use serde::Serialize;

use super::account::{Account, AccountReport};
use super::attribution::{Attribution, Gross};
use super::data::{self, DataReport};
use super::ledger::LedgerReport;
use crate::config::{AssumptionSet, Config};
use crate::engine::Run;

/// What counts as fees.
const CHARGED: [PostingKind; 4] = [
    PostingKind::FeeMaker,
    PostingKind::FeeTaker,
    PostingKind::LiquidationFee,
    PostingKind::Insurance,
];

/// What the pipeline decided and what came of it. Counts are those of the sequenced stream: what the
/// stream does not tell has not happened.
#[derive(Debug, Serialize)]
pub struct Trading {
    /// Sequenced events by kind.
    pub events: BTreeMap<&'static str, u64>,
    /// All sequenced events.
    pub events_total: u64,
    /// Seconds from the first event on in which strategies saw and did not send.
    pub warm_up_s: u32,
    /// What strategies tried to send and their harness did not take, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Bars that a strategy passed over, as they are of another length than it was told; none left out.
    pub foreign_bars: BTreeMap<String, u64>,
    /// Intents: of strategies and of risk itself.
    pub intents: u64,
    /// Those of them that risk formed itself: queries, the halt.
    pub intents_of_risk: u64,
    /// Intents that passed every check.
    pub approved: u64,
    /// Intents refused, by check.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Orders sent to the venue.
    pub orders: u64,
    /// Bytes of the requests encoded for them and for their amends, cancels and queries.
    pub wire_bytes: u64,
    /// Executions that the stream told of.
    pub fills: u64,
    /// Feedback that was still on its way when the input ended; nothing is drained.
    pub pending: u64,
    /// Orders open or in flight at the end.
    pub open_orders: u64,
    /// Limits in force.
    pub profile: &'static str,
    /// Kill level at the end.
    pub kill_level: u8,
    /// Positions by report key, flat and untraded ones left out.
    pub positions: BTreeMap<String, PositionReport>,
    /// Profit of the account.
    pub pnl: Pnl,
    /// Equity, margins and leverage of the account.
    pub account: AccountReport,
    /// Where the profit came from, and what trading cost.
    pub attribution: Attribution,
    /// Profit by strategy.
    pub by_strategy: BTreeMap<String, Pnl>,
    /// What the ledger says.
    pub ledger: LedgerReport,
    /// What the venue itself counts.
    pub venue: BTreeMap<&'static str, String>,
    /// What stood in for what the capture lacks.
    pub assumptions: BTreeMap<&'static str, String>,
    /// What market data each symbol had, by report key, and what was assumed where there was no book.
    pub data: BTreeMap<String, DataReport>,
    /// Digest of each lane, of those behind the feed's (`decided`), and of all.
    pub digest: BTreeMap<&'static str, String>,
}

/// One position.
#[derive(Debug, Serialize)]
pub struct PositionReport {
    /// Quantity, below zero when short.
    pub qty: String,
    /// Average entry price.
    pub average_price: Option<String>,
    /// Latest mark price.
    pub mark: Option<String>,
    /// Where the venue would liquidate it, the other positions as they stand; none when no price would.
    pub liquidation_price: Option<String>,
    /// Quantity bought and sold.
    pub bought: String,
    /// See `bought`.
    pub sold: String,
    /// Its part of the profit.
    pub pnl: Pnl,
}

/// Profit in USDT. `total = realized + unrealized + funding - fees`.
#[derive(Debug, Serialize)]
pub struct Pnl {
    /// Realised, before fees.
    pub realized: String,
    /// What fills cost beyond the mids at which they were decided: a part of `realized` and `unrealized`.
    pub slippage: String,
    /// At the latest marks; none when a position has no mark.
    pub unrealized: Option<String>,
    /// Fees, those of liquidations included, less what the insurance fund took over; positive is a cost.
    pub fees: String,
    /// Funding; above zero was received.
    pub funding: String,
    /// The sum; none when a part is unknown.
    pub total: Option<String>,
}

impl Trading {
    /// What a finished run says.
    #[must_use]
    pub fn new(run: &Run, config: &Config, names: &[String]) -> Self {
        let universe = run.feed.feed().universe();
        let counts = run.risk.counts();
        let events = run.sequencer.counts();
        let kinds = EventKind::ALL.into_iter().zip(*events).filter(|(_, n)| *n > 0);
        let checks = Check::ALL.into_iter().zip(counts.rejected).filter(|(_, n)| *n > 0);
        let refused = Refused::ALL.into_iter().zip(run.alpha.counts().refused);
        let refused = refused.filter(|(_, n)| *n > 0);
        let foreign = names.iter().cloned().zip(run.alpha.strategies());
        let foreign = foreign.map(|(name, strategy)| (name, strategy.foreign_bars()));
        let account = run.risk.portfolio();
        let mark = |id| run.risk.mark(id);
        let risk = config.risk_config();
        let ledger = run.risk.ledger();
        let money = (config.account.balance, ledger.wallet());
        let whole = Account::new(account, universe, money, &mark);
        Self {
            events: kinds.map(|(kind, n)| (kind.name(), n)).collect(),
            events_total: events.iter().sum(),
            warm_up_s: config.run.warm_up_s,
            refused: refused.map(|(why, n)| (why.name(), n)).collect(),
            foreign_bars: foreign.filter(|(_, n)| *n > 0).collect(),
            intents: counts.intents + counts.own,
            intents_of_risk: counts.own,
            approved: counts.approved,
            rejected: checks.map(|(check, n)| (check.name(), n)).collect(),
            orders: run.gateway.counts().new,
            wire_bytes: run.gateway.counts().wire_bytes,
            fills: account.executions(),
            pending: run.sequencer.pending().len() as u64,
            open_orders: account.orders().len() as u64,
            profile: risk.profile.name(),
            kill_level: run.risk.level() as u8,
            positions: positions((account, ledger), universe, &whole, &mark),
            account: whole.report(risk.limits.leverage_max),
            pnl: Pnl::of_account(ledger),
            attribution: Attribution::new(ledger, gross(run)),
            by_strategy: by_strategy(ledger, universe, names, &mark),
            ledger: LedgerReport::new(run),
            venue: venue(run),
            assumptions: assumptions(run, config),
            data: data::of(run, config),
            digest: digests(run),
        }
    }
}

impl Pnl {
    fn of(
        positions: impl Iterator<Item = (InstrumentId, Position)>,
        mark: &impl Fn(InstrumentId) -> Option<Px>,
        slippage: UsdSum,
        of_kind: impl Fn(PostingKind) -> UsdSum,
    ) -> Self {
        let mut sum = Some(UsdSum::ZERO);
        let mut realized = UsdSum::ZERO;
        for (id, position) in positions {
            realized.0 += position.realized.0;
            let open = match (position.qty, mark(id)) {
                (Qty::ZERO, _) => Some(UsdSum::ZERO),
                (_, mark) => mark.map(|mark| position.unrealized(mark)),
            };
            sum = sum.zip(open).and_then(|(sum, open)| sum.checked_add(open));
        }
        Self::from_parts((realized, sum, slippage), of_kind)
    }

    fn of_account(ledger: &Ledger) -> Self {
        let total = |kind| ledger.total(kind);
        let realized = total(PostingKind::Realized).0 + total(PostingKind::Netting).0;
        let slippage = slippage(ledger, |_, _| true);
        Self::from_parts((UsdSum(realized), ledger.unrealized(), slippage), total)
    }

    /// `total` of the account as a number.
    pub(super) fn total_of_account(ledger: &Ledger) -> Option<UsdSum> {
        let kinds = [PostingKind::Realized, PostingKind::Netting, PostingKind::Funding];
        let booked = kinds.into_iter().chain(CHARGED).map(|kind| ledger.total(kind).0);
        ledger.unrealized()?.checked_add(UsdSum(booked.sum()))
    }

    fn from_parts(
        (realized, unrealized, slippage): (UsdSum, Option<UsdSum>, UsdSum),
        of_kind: impl Fn(PostingKind) -> UsdSum,
    ) -> Self {
        let fees = -CHARGED.into_iter().map(|kind| of_kind(kind).0).sum::<i128>();
        let funding = of_kind(PostingKind::Funding);
        let total = unrealized.map(|open| UsdSum(realized.0 + open.0 + funding.0 - fees));
        Self {
            realized: realized.to_string(),
            slippage: slippage.to_string(),
            unrealized: unrealized.map(|open| open.to_string()),
            fees: UsdSum(fees).to_string(),
            funding: funding.to_string(),
            total: total.map(|total| total.to_string()),
        }
    }
}

/// What fills cost beyond the mids at which they were decided.
fn slippage(ledger: &Ledger, which: impl Fn(StrategyId, InstrumentId) -> bool) -> UsdSum {
    UsdSum(ledger.slippage(which).0.iter().map(|part| part.0).sum())
}

/// Profit from prices alone, fees, and what was traded.
fn gross(run: &Run) -> Gross {
    let ledger = run.risk.ledger();
    let sum = |kinds: &[PostingKind]| kinds.iter().map(|kind| ledger.total(*kind).0).sum::<i128>();
    let realized = sum(&[PostingKind::Realized, PostingKind::Netting]);
    Gross {
        price: ledger.unrealized().map(|open| UsdSum(open.0 + realized)),
        fees: UsdSum(-sum(&CHARGED)),
        turnover: run.gateway.venue().stats().traded(),
    }
}

fn account_positions<'a>(
    account: &'a Portfolio,
    universe: &'a Universe,
) -> impl Iterator<Item = (InstrumentId, Position)> + 'a {
    universe.iter().map(|(id, _)| (id, *account.position(id)))
}

fn positions(
    (account, ledger): (&Portfolio, &Ledger),
    universe: &Universe,
    whole: &Account<'_>,
    mark: &impl Fn(InstrumentId) -> Option<Px>,
) -> BTreeMap<String, PositionReport> {
    let traded =
        |(_, position): &(InstrumentId, Position)| position.bought.0 != 0 || position.sold.0 != 0;
    let report = |(id, position): (InstrumentId, Position)| {
        let instrument = universe.get(id);
        let report = PositionReport {
            qty: position.qty.to_string(),
            average_price: position.average_price().map(|price| price.to_string()),
            mark: mark(id).map(|price| price.to_string()),
            liquidation_price: whole.liquidation_price(id).map(|price| price.to_string()),
            bought: position.bought.to_string(),
            sold: position.sold.to_string(),
            pnl: Pnl::of(
                [(id, position)].into_iter(),
                mark,
                slippage(ledger, |_, of| of == id),
                |kind| {
                    let of = |seat: &StrategyId| ledger.total_of(*seat, id, kind).0;
                    UsdSum(ledger.seats().iter().map(of).sum())
                },
            ),
        };
        (instrument.key(), report)
    };
    account_positions(account, universe).filter(traded).map(report).collect()
}

fn by_strategy(
    ledger: &Ledger,
    universe: &Universe,
    names: &[String],
    mark: &impl Fn(InstrumentId) -> Option<Px>,
) -> BTreeMap<String, Pnl> {
    let seats = names.iter().zip(0..).map(|(name, seat)| (name.clone(), StrategyId(seat)));
    let of = |strategy| {
        let held = |(id, _)| (id, ledger.position_of(strategy, id, Leg::Both));
        let sum = |kind| {
            let of = |(id, _)| ledger.total_of(strategy, id, kind).0;
            UsdSum(universe.iter().map(of).sum())
        };
        let slipped = slippage(ledger, |who, _| who == strategy);
        Pnl::of(universe.iter().map(held), mark, slipped, sum)
    };
    let has_any = |strategy| {
        let held = |id| ledger.position_of(strategy, id, Leg::Both) != Position::default();
        let paid =
            |id| PostingKind::ALL.iter().any(|kind| ledger.total_of(strategy, id, *kind).0 != 0);
        universe.iter().any(|(id, _)| held(id) || paid(id))
    };
    // Nearly always all that it closed was somebody's.
    let venue = Some(("venue".to_owned(), StrategyId::VENUE)).filter(|(_, who)| has_any(*who));
    seats
        .chain([("risk".to_owned(), StrategyId::RISK)])
        .chain(venue)
        .map(|(name, strategy)| (name, of(strategy)))
        .collect()
}

fn digests(run: &Run) -> BTreeMap<&'static str, String> {
    let lanes = run.lanes().map(|(lane, writer)| (lane.name(), writer.digest().to_string()));
    let several = [("decided", run.decided().to_string()), ("all", run.digest().to_string())];
    lanes.into_iter().chain(several).collect()
}

/// What the venue counts itself, lost reports included.
fn venue(run: &Run) -> BTreeMap<&'static str, String> {
    let stats = run.gateway.venue().stats();
    [
        ("maker_fills", stats.maker_fills.to_string()),
        ("taker_fills", stats.taker_fills.to_string()),
        ("maker_quote", stats.maker_quote.to_string()),
        ("taker_quote", stats.taker_quote.to_string()),
        ("expired", stats.expired.to_string()),
        ("refused", stats.refused.to_string()),
        ("amended", stats.amended.to_string()),
        ("canceled", stats.canceled.to_string()),
        ("triggered", stats.triggered.to_string()),
        ("liquidations", stats.liquidations.to_string()),
        ("deleveraged", stats.deleveraged.to_string()),
        ("fundings", stats.fundings.to_string()),
        ("funding_unknown", stats.funding_unknown.to_string()),
        ("unknown_outcomes", stats.unknown_outcomes.to_string()),
        ("fills_withheld", stats.withheld.to_string()),
        ("reports_lost", stats.lost.to_string()),
        ("reports_repeated", stats.repeated.to_string()),
        ("reports_delayed", stats.delayed.to_string()),
    ]
    .into_iter()
    .collect()
}

/// What stood in for what the capture lacks or does not say.
fn assumptions(run: &Run, config: &Config) -> BTreeMap<&'static str, String> {
    let mut all = BTreeMap::from([
        ("set", config.assume.set.name().to_owned()),
        ("balance", format!("{} USDT", config.account.balance)),
        ("fees", config.fees.describe()),
        ("venue_time", "receive time is taken as venue time".to_owned()),
    ]);
    all.insert("latency", config.latency.describe());
    all.insert("queue", config.paper.describe_queue());
    if config.assume.set == AssumptionSet::None {
        return all;
    }
    let events = run.sequencer.counts();
    let (marks, assumed) = (events[EventKind::Mark as usize], run.sequencer.assumed_marks());
    let mark = match assumed {
        0 => format!("recorded: {marks} events"),
        _ => {
            let mut symbols = run.feed.feed().universe().iter();
            let has_bars = symbols.any(|(id, _)| run.sequencer.data(id).model == DataModel::Bars);
            let from = if has_bars { "trades and bars" } else { "trades" };
            format!("assumed from {from}: {assumed} of {marks} events")
        }
    };
    all.insert("mark", mark);
    all.insert("brackets", "built-in table, for margin and liquidation".to_owned());
    all.insert("margin", config.margin.describe());
    all
}
