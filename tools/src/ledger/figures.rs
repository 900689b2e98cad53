//! The figures of a ledger: what `ledger show` prints, summed from rows wherever they come from, so that a
//! journal and its stores can not say different things.

use std::collections::{BTreeMap, VecDeque};

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Leg, StrategyId};
use fusewire_core::units::UsdSum;
use fusewire_risk::ledger::{
    ClosedPosition, OpenPosition, Posting, PostingKind, Reconciliation, Row, TradeRow,
};
use serde::Serialize;

use super::store::{JournalEntry, Progress};
use super::table::{Entry, Table, liquidity_name, side_name};
use crate::export::lanes::Names;
use crate::journal::text::utc;
use crate::report::WinRate;

/// Amounts by kind, as texts; all kinds but that of the wallet, and their sum without transfers as `net`.
pub type Split = BTreeMap<&'static str, String>;

/// The figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// The journal.
    pub journal: JournalFigures,
    /// How far it goes.
    pub watermark: Watermark,
    /// The account.
    pub account: AccountFigures,
    /// Where the money came from, account-wide.
    pub pnl: Split,
    /// The part of it that stems from incidents.
    pub incident: Split,
    /// The same by strategy, symbol and leg.
    pub by: Vec<Part>,
    /// Open positions.
    pub open: Vec<OpenFigures>,
    /// Closed positions that earned more than they cost.
    pub wins: u64,
    /// The share of them, with its interval; none without a closed position.
    pub win_rate: Option<WinRate>,
    /// Closed positions.
    pub closed: Listed<ClosedFigures>,
    /// Executions.
    pub trades: Listed<TradeFigures>,
    /// Price times quantity over all executions.
    pub volume: String,
    /// Comparisons with the venue.
    pub reconciliations: Listed<ReconciliationFigures>,
    /// How many came out how.
    pub outcomes: BTreeMap<&'static str, u64>,
}

/// What is told of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JournalFigures {
    /// Its id.
    pub id: String,
    /// Its session.
    pub session: u16,
    /// When it was made.
    pub created: String,
    /// Who wrote it.
    pub build: String,
    /// Name of the limits in force.
    pub profile: String,
    /// Strategies by seat.
    pub strategies: Vec<String>,
}

/// How far a ledger goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Watermark {
    /// The last event.
    pub seq: u64,
    /// Its time.
    pub ts: String,
    /// Rows so far.
    pub rows: u64,
    /// Digest of the rows.
    pub digest: String,
}

/// The account. Amounts in USDT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountFigures {
    /// At the start.
    pub opening: String,
    /// Now, without what is unrealised.
    pub wallet: String,
    /// Profit of what is open at the marks, as the venue nets it; none when a mark is missing.
    pub unrealized: Option<String>,
    /// Both together.
    pub equity: Option<String>,
}

/// One strategy in one symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its name; none for what is the account's as a whole.
    pub strategy: Option<String>,
    /// Symbol; none for transfers.
    pub symbol: Option<String>,
    /// Leg.
    pub leg: &'static str,
    /// Where the money came from.
    pub pnl: Split,
    /// The part of the net that stems from incidents.
    pub incident: String,
}

/// How many there are, and the last of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// All.
    pub count: u64,
    /// The last ones, oldest first.
    pub last: Vec<T>,
}

/// An open position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of `OpenPosition`")]
pub struct OpenFigures {
    pub strategy: String,
    pub symbol: String,
    pub leg: &'static str,
    pub qty: String,
    pub cost: String,
    pub mark: Option<String>,
    pub unrealized: Option<String>,
    pub entry_seq: u64,
    pub entry: String,
    pub max_adverse_bps: String,
    pub max_favorable_bps: String,
}

/// A closed position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of `ClosedPosition`")]
pub struct ClosedFigures {
    pub n: u64,
    pub strategy: String,
    pub symbol: String,
    pub leg: &'static str,
    pub side: &'static str,
    pub qty: String,
    pub qty_max: String,
    pub entry_seq: u64,
    pub exit_seq: u64,
    pub entry: String,
    pub exit: String,
    pub entry_tick: u64,
    pub exit_tick: u64,
    pub entry_price: String,
    pub exit_price: String,
    pub exit_path: &'static str,
    pub realized: String,
    pub fees: String,
    pub funding: String,
    pub max_adverse_bps: String,
    pub max_favorable_bps: String,
    pub slippage_bps: Option<String>,
    pub incident: bool,
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of `TradeRow`")]
pub struct TradeFigures {
    pub seq: u64,
    pub ts: String,
    pub venue_ts: String,
    pub order_id: String,
    pub strategy: String,
    pub symbol: String,
    pub leg: &'static str,
    pub side: &'static str,
    pub qty: String,
    pub quote: String,
    pub fee: String,
    pub liquidity: &'static str,
    pub payer_seq: u64,
    pub realized: String,
    pub incident: bool,
}

/// A comparison with the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of `Reconciliation`")]
pub struct ReconciliationFigures {
    pub seq: u64,
    pub ts: String,
    pub venue_ts: String,
    pub ledger: String,
    pub venue: String,
    pub drift: String,
    pub outcome: &'static str,
}

/// Whose money it is. Legs go by their place in `Leg::ALL`.
type Owner = (Option<StrategyId>, Option<InstrumentId>, usize);

/// Amounts by kind, and the part of each that stems from incidents.
#[derive(Clone, Copy, Default)]
struct Sums {
    all: [i128; PostingKind::ALL.len()],
    incident: [i128; PostingKind::ALL.len()],
}

/// Sums rows.
pub struct Summing {
    journal: JournalEntry,
    names: Names,
    lines: usize,
    sums: BTreeMap<Owner, Sums>,
    open: Vec<OpenPosition>,
    wins: u64,
    closed: Last<ClosedPosition>,
    trades: Last<TradeRow>,
    volume: i128,
    reconciliations: Last<Reconciliation>,
    outcomes: BTreeMap<&'static str, u64>,
}

/// The last few of many.
struct Last<T> {
    count: u64,
    kept: VecDeque<T>,
}

impl<T> Last<T> {
    const fn new() -> Self {
        Self { count: 0, kept: VecDeque::new() }
    }

    fn push(&mut self, one: T, most: usize) {
        self.count += 1;
        self.kept.push_back(one);
        if self.kept.len() > most {
            self.kept.pop_front();
        }
    }

    fn listed<U>(&self, figures: impl Fn(&T) -> U) -> Listed<U> {
        Listed { count: self.count, last: self.kept.iter().map(figures).collect() }
    }
}

impl Summing {
    /// Nothing so far; of trades, closed positions and reconciliations the last `lines` are going to be shown.
    #[must_use]
    pub fn new(journal: &JournalEntry, lines: usize) -> Self {
        Self {
            names: journal.names(),
            journal: journal.clone(),
            lines,
            sums: BTreeMap::new(),
            open: Vec::new(),
            wins: 0,
            closed: Last::new(),
            trades: Last::new(),
            volume: 0,
            reconciliations: Last::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// A value that no row has, or a sum that leaves its range.
    pub fn take(&mut self, entry: &Entry) -> Result<(), String> {
        if entry.table == Table::OpenPositions {
            self.open.push(entry.open()?);
            return Ok(());
        }
        match entry.row()? {
            Some(Row::Posting(posting)) => self.posting(&posting)?,
            Some(Row::Trade(trade)) => {
                add(&mut self.volume, trade.quote.0.into())?;
                self.trades.push(trade, self.lines);
            }
            Some(Row::Closed(closed)) => {
                self.wins += u64::from(closed.won());
                self.closed.push(closed, self.lines);
            }
            Some(Row::Reconciliation(one)) => {
                *self.outcomes.entry(one.outcome.name()).or_default() += 1;
                self.reconciliations.push(one, self.lines);
            }
            None => {}
        }
        Ok(())
    }

    fn posting(&mut self, posting: &Posting) -> Result<(), String> {
        let leg = Leg::ALL.iter().position(|leg| *leg == posting.leg).unwrap_or_default();
        let sums = self.sums.entry((posting.strategy, posting.instrument, leg)).or_default();
        let at = posting.kind as usize;
        add(&mut sums.all[at], posting.amount.0)?;
        if posting.incident { add(&mut sums.incident[at], posting.amount.0) } else { Ok(()) }
    }

    /// The figures up to a watermark.
    ///
    /// # Errors
    /// A sum leaves its range, or the postings do not add up to zero.
    pub fn figures(&self, progress: &Progress) -> Result<Figures, String> {
        let mut total = Sums::default();
        for sums in self.sums.values() {
            for (to, from) in [(&mut total.all, &sums.all), (&mut total.incident, &sums.incident)] {
                to.iter_mut().zip(from).try_for_each(|(to, from)| add(to, *from))?;
            }
        }
        let sides = total.all.iter().try_fold(0_i128, |sum, one| sum.checked_add(*one));
        if sides != Some(0) {
            let sides = sides.map_or_else(|| "out of range".to_owned(), money);
            return Err(format!("the postings do not add up to zero, but to {sides}"));
        }
        // The wallet's own side has the other sign.
        let change = total.all[PostingKind::Wallet as usize];
        let wallet = i128::from(self.journal.opening.0).checked_sub(change);
        let wallet = wallet.ok_or("the wallet leaves its range")?;
        // The rows say how the ledger's own balance came about: they must lead to it.
        if wallet != progress.wallet.0 {
            let wallet = money(wallet);
            return Err(format!(
                "the rows lead to a wallet of {wallet}, not of {}",
                progress.wallet
            ));
        }
        let unrealized = progress.unrealized.map(|unrealized| unrealized.0);
        let equity = unrealized.and_then(|unrealized| wallet.checked_add(unrealized));
        Ok(Figures {
            journal: self.journal_figures(),
            watermark: Watermark {
                seq: progress.seq,
                ts: utc(progress.ts),
                rows: progress.rows,
                digest: progress.digest.clone(),
            },
            account: AccountFigures {
                opening: self.journal.opening.to_string(),
                wallet: money(wallet),
                unrealized: unrealized.map(money),
                equity: equity.map(money),
            },
            pnl: split(&total.all)?,
            incident: split(&total.incident)?,
            by: self
                .sums
                .iter()
                .map(|(owner, sums)| self.part(*owner, sums))
                .collect::<Result<_, _>>()?,
            open: self.open.iter().map(|open| self.open_figures(open)).collect(),
            wins: self.wins,
            win_rate: WinRate::of(self.wins, self.closed.count),
            closed: self.closed.listed(|closed| self.closed_figures(closed)),
            trades: self.trades.listed(|trade| self.trade_figures(trade)),
            volume: money(self.volume),
            reconciliations: self.reconciliations.listed(reconciliation_figures),
            outcomes: self.outcomes.clone(),
        })
    }

    fn journal_figures(&self) -> JournalFigures {
        let JournalEntry { id, session, created, profile, strategies, .. } = &self.journal;
        JournalFigures {
            id: id.clone(),
            session: *session,
            created: utc(*created),
            build: format!("{} ({})", self.journal.build_version, self.journal.build_commit),
            profile: profile.clone(),
            strategies: strategies.clone(),
        }
    }

    fn part(&self, (strategy, instrument, leg): Owner, sums: &Sums) -> Result<Part, String> {
        Ok(Part {
            strategy: strategy.map(|id| self.names.strategy_text(id)),
            symbol: instrument.map(|id| self.names.symbol_text(id)),
            leg: Leg::ALL[leg].name(),
            pnl: split(&sums.all)?,
            incident: money(net(&sums.incident)?),
        })
    }

    fn open_figures(&self, open: &OpenPosition) -> OpenFigures {
        OpenFigures {
            strategy: self.names.strategy_text(open.strategy),
            symbol: self.names.symbol_text(open.instrument),
            leg: open.leg.name(),
            qty: open.qty.to_string(),
            cost: open.cost.to_string(),
            mark: open.mark.map(|mark| mark.to_string()),
            unrealized: open.unrealized.map(|unrealized| unrealized.to_string()),
            entry_seq: open.entry_seq,
            entry: utc(open.entry_ts),
            max_adverse_bps: open.max_adverse.to_string(),
            max_favorable_bps: open.max_favorable.to_string(),
        }
    }

    fn closed_figures(&self, closed: &ClosedPosition) -> ClosedFigures {
        ClosedFigures {
            n: closed.n,
            strategy: self.names.strategy_text(closed.strategy),
            symbol: self.names.symbol_text(closed.instrument),
            leg: closed.leg.name(),
            side: side_name(closed.side),
            qty: closed.qty.to_string(),
            qty_max: closed.qty_max.to_string(),
            entry_seq: closed.entry_seq,
            exit_seq: closed.exit_seq,
            entry: utc(closed.entry_ts),
            exit: utc(closed.exit_ts),
            entry_tick: closed.entry_tick,
            exit_tick: closed.exit_tick,
            entry_price: closed.entry_price.to_string(),
            exit_price: closed.exit_price.to_string(),
            exit_path: closed.exit.name(),
            realized: closed.realized.to_string(),
            fees: closed.fees.to_string(),
            funding: closed.funding.to_string(),
            max_adverse_bps: closed.max_adverse.to_string(),
            max_favorable_bps: closed.max_favorable.to_string(),
            slippage_bps: closed.slippage.map(|slippage| slippage.to_string()),
            incident: closed.incident,
        }
    }

    fn trade_figures(&self, trade: &TradeRow) -> TradeFigures {
        TradeFigures {
            seq: trade.seq,
            ts: utc(trade.ts),
            venue_ts: utc(trade.at),
            order_id: trade.order.to_string(),
            strategy: self.names.strategy_text(trade.strategy),
            symbol: self.names.symbol_text(trade.instrument),
            leg: trade.leg.name(),
            side: side_name(trade.side),
            qty: trade.qty.to_string(),
            quote: trade.quote.to_string(),
            fee: trade.fee.to_string(),
            liquidity: liquidity_name(trade.liquidity),
            payer_seq: trade.payer,
            realized: trade.realized.to_string(),
            incident: trade.incident,
        }
    }
}

fn reconciliation_figures(one: &Reconciliation) -> ReconciliationFigures {
    ReconciliationFigures {
        seq: one.seq,
        ts: utc(one.ts),
        venue_ts: utc(one.at),
        ledger: one.ledger.to_string(),
        venue: one.venue.to_string(),
        drift: one.drift().to_string(),
        outcome: one.outcome.name(),
    }
}

fn add(to: &mut i128, amount: i128) -> Result<(), String> {
    *to = to.checked_add(amount).ok_or("a sum leaves its range")?;
    Ok(())
}

fn money(raw: i128) -> String {
    UsdSum(raw).to_string()
}

/// What was earned: everything but the wallet's side and transfers.
fn net(sums: &[i128; PostingKind::ALL.len()]) -> Result<i128, String> {
    let mut net = 0;
    for kind in PostingKind::ALL {
        if !matches!(kind, PostingKind::Wallet | PostingKind::Transfer) {
            add(&mut net, sums[kind as usize])?;
        }
    }
    Ok(net)
}

fn split(sums: &[i128; PostingKind::ALL.len()]) -> Result<Split, String> {
    let kinds = PostingKind::ALL.into_iter().filter(|kind| *kind != PostingKind::Wallet);
    let amounts = kinds.map(|kind| (kind.name(), money(sums[kind as usize])));
    Ok(amounts.chain([("net", money(net(sums)?))]).collect())
}
