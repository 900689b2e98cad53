//! What a run looked like over time: equity, drawdown, prices with fills, closed positions, the kill switch's log.
//!
//! An observer: it folds the run's journal after its end and touches nothing of it. Memory is bounded whatever the run's
//! length: curves keep the lowest and the highest value of a fixed number of spans, points are thinned out evenly.

mod buckets;
mod thinned;

pub use buckets::{Bucket, Buckets};
pub use thinned::Thinned;

use std::path::Path;

use fusewire_core::event::{Body, Control, Event};
use fusewire_core::instrument::{Instrument, Universe};
use fusewire_core::journal::View;
use fusewire_core::lane::Decoded;
use fusewire_core::units::{Nanos, Px, UsdSum};
use fusewire_risk::ledger::{ClosedPosition, PostingKind, Row, TradeRow};
use serde::Serialize;

use crate::journal::reading;
use crate::journal::text::{body_text, utc};
use crate::journal::walk::Walk;
use crate::ledger::fold::{self, Fold};
use crate::ledger::table::Entry;
use crate::outcome::Failure;

/// Spans of a curve: about one for each pixel of a chart.
const SPANS: usize = 800;
/// Symbols of which prices are kept.
const SYMBOLS_MAX: usize = 64;
/// Fills kept of one symbol, and closed positions kept in all.
const POINTS_MAX: usize = 2_000;
/// Lines of the kill switch's log.
const KILL_LOG_MAX: usize = 100;

/// Series for charts, and the figures that belong to them.
pub struct Series {
    /// The figures.
    pub figures: Curves,
    /// From when to when.
    pub span: (Nanos, Nanos),
    /// Wallet and unrealised profit, less what was put in and taken out, in USD.
    pub equity: Buckets,
    /// How far it was below its highest value so far, in USD; at most 0.
    pub drawdown: Buckets,
    /// Symbols that were traded.
    pub symbols: Vec<SymbolSeries>,
    /// Closed positions.
    pub closed: Thinned<ClosedPosition>,
}

/// Prices of one symbol, and the fills on them.
pub struct SymbolSeries {
    /// Report key.
    pub key: String,
    /// Mid, or the last price where there is no book.
    pub prices: Buckets,
    /// Fills.
    pub fills: Thinned<TradeRow>,
}

/// The figures of the curves, in USDT.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Curves {
    /// Times at which equity was looked at: each mark and each event that moved money.
    pub looks: u64,
    /// Lowest equity.
    pub equity_low: String,
    /// Highest equity.
    pub equity_high: String,
    /// Equity at the last look.
    pub equity_last: String,
    /// The deepest fall from a highest value so far.
    pub drawdown_max: String,
    /// The same over that highest value, from 0 to 1, with four places.
    pub drawdown_max_share: String,
    /// When it was at its deepest; none without a drawdown.
    pub drawdown_at: Option<String>,
    /// Times that money was put in or taken out, which the curves leave out.
    pub transfers: u64,
    /// The sum of it; below zero was taken out.
    pub transferred: String,
    /// Raises of the kill level and what asked for them, the first ones.
    pub kill_log: Vec<KillEntry>,
}

/// One line of the kill switch's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KillEntry {
    /// Number of the event.
    pub seq: u64,
    /// When, UTC.
    pub at: String,
    /// What happened.
    pub what: String,
}

/// Equity while it is being looked at.
#[derive(Default)]
struct Equity {
    looks: u64,
    low: Option<i128>,
    high: Option<i128>,
    last: i128,
    peak: i128,
    /// Deepest fall, the peak that it is from, and when.
    deepest: (i128, i128, Nanos),
}

impl Equity {
    fn look(&mut self, ts: Nanos, equity: i128) -> i128 {
        self.looks += 1;
        self.low = Some(self.low.map_or(equity, |low| low.min(equity)));
        self.high = Some(self.high.map_or(equity, |high| high.max(equity)));
        self.last = equity;
        self.peak = if self.looks == 1 { equity } else { self.peak.max(equity) };
        let below = self.peak - equity;
        if below > self.deepest.0 {
            self.deepest = (below, self.peak, ts);
        }
        -below
    }

    fn figures(&self, (transfers, sum): (u64, UsdSum), kill_log: Vec<KillEntry>) -> Curves {
        let text = |raw: i128| UsdSum(raw).to_string();
        let (deepest, peak, at) = self.deepest;
        let share = if peak > 0 { deepest as f64 / peak as f64 } else { 0.0 };
        Curves {
            looks: self.looks,
            equity_low: text(self.low.unwrap_or(0)),
            equity_high: text(self.high.unwrap_or(0)),
            equity_last: text(self.last),
            drawdown_max: text(deepest),
            drawdown_max_share: format!("{share:.4}"),
            drawdown_at: (deepest > 0).then(|| utc(at)),
            transfers,
            transferred: sum.to_string(),
            kill_log,
        }
    }
}

/// A fold under way.
struct Folding {
    equity: Equity,
    curve: Buckets,
    drawdown: Buckets,
    symbols: Vec<SymbolSeries>,
    closed: Thinned<ClosedPosition>,
    /// How many, and their sum.
    transfers: (u64, UsdSum),
    kill_log: Vec<KillEntry>,
}

impl Series {
    /// Folds the journal of a finished run over these symbols.
    ///
    /// # Errors
    /// The journal can not be read, or retention dropped its beginning.
    pub fn of_journal(
        dir: &Path,
        universe: &Universe,
        span: (Nanos, Nanos),
    ) -> Result<Self, Failure> {
        let view = View::open(dir).map_err(Failure::line)?;
        fold::refuse_beheaded(&view)?;
        let (header, _) = reading::header(&view)?;
        let name = dir.display().to_string();
        let mut fold = Fold::new(&name, &header, &header.config()?)?;
        let mut folding = Folding::new(universe, span);
        let mut rows: Vec<Entry> = Vec::new();
        let mut walk = Walk::without_frames(&view);
        folding.look(span.0, &fold);
        while let Some(item) = walk.next()? {
            fold.take(&item, &mut rows)?;
            let Decoded::Event(event) = &item.record else { continue };
            folding.event(event);
            let moved = !rows.is_empty();
            for entry in rows.drain(..) {
                let row = entry.row().map_err(|what| Failure::line(format!("{name}: {what}")))?;
                folding.row(row);
            }
            if moved || matches!(event.body, Body::Mark(_)) {
                folding.look(event.ts, &fold);
            }
        }
        Ok(folding.finish(span))
    }
}

impl Folding {
    fn new(universe: &Universe, span: (Nanos, Nanos)) -> Self {
        let symbol = |(_, symbol): (_, &Instrument)| SymbolSeries {
            key: symbol.key(),
            prices: Buckets::new(span, SPANS),
            fills: Thinned::new(POINTS_MAX),
        };
        Self {
            equity: Equity::default(),
            curve: Buckets::new(span, SPANS),
            drawdown: Buckets::new(span, SPANS),
            symbols: universe.iter().take(SYMBOLS_MAX).map(symbol).collect(),
            closed: Thinned::new(POINTS_MAX),
            transfers: (0, UsdSum::ZERO),
            kill_log: Vec::new(),
        }
    }

    fn look(&mut self, ts: Nanos, fold: &Fold) {
        let ledger = fold.ledger();
        let Some(UsdSum(equity)) = ledger.traded_equity() else { return };
        let below = self.equity.look(ts, equity);
        self.curve.push(ts, usd(equity));
        self.drawdown.push(ts, usd(below));
    }

    fn event(&mut self, event: &Event) {
        let price = match &event.body {
            Body::Touch(change) => {
                let both = change.touch.bid.zip(change.touch.ask);
                both.map(|(bid, ask)| f64::midpoint(units(bid.price), units(ask.price)))
            }
            Body::Bar(bar) => Some(units(bar.close)),
            Body::KillLevel(_) | Body::Control(Control::Raise(_)) => {
                self.note(event);
                None
            }
            Body::Depth(_)
            | Body::Levels(_)
            | Body::Trade(_)
            | Body::Mark(_)
            | Body::Liquidation(_)
            | Body::BookInvalid(_)
            | Body::Tick
            | Body::Gap
            | Body::Wake
            | Body::Report(_)
            | Body::Status(_)
            | Body::Rejected(_)
            | Body::Control(Control::GateBreach(_) | Control::Reconcile | Control::Transfer(_))
            | Body::Account(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_) => None,
        };
        let symbol = event.instrument.and_then(|id| self.symbols.get_mut(id.index()));
        if let Some((price, symbol)) = price.zip(symbol) {
            symbol.prices.push(event.ts, price);
        }
    }

    fn note(&mut self, event: &Event) {
        if self.kill_log.len() < KILL_LOG_MAX {
            let what = body_text(&event.body);
            self.kill_log.push(KillEntry { seq: event.seq, at: utc(event.ts), what });
        }
    }

    fn row(&mut self, row: Option<Row>) {
        match row {
            Some(Row::Trade(trade)) => {
                if let Some(symbol) = self.symbols.get_mut(trade.instrument.index()) {
                    symbol.fills.push(trade);
                }
            }
            Some(Row::Closed(closed)) => self.closed.push(closed),
            Some(Row::Posting(posting)) if posting.kind == PostingKind::Transfer => {
                self.transfers.0 += 1;
                self.transfers.1.0 += posting.amount.0;
            }
            Some(Row::Posting(_) | Row::Reconciliation(_)) | None => {}
        }
    }

    fn finish(self, span: (Nanos, Nanos)) -> Series {
        let traded = |symbol: &SymbolSeries| symbol.fills.count() > 0;
        Series {
            figures: self.equity.figures(self.transfers, self.kill_log),
            span,
            equity: self.curve,
            drawdown: self.drawdown,
            symbols: self.symbols.into_iter().filter(traded).collect(),
            closed: self.closed,
        }
    }
}

/// An amount for a chart. Figures are told exactly, beside it.
fn usd(raw: i128) -> f64 {
    raw as f64 / 1e8
}

/// A price for a chart.
pub(super) fn units(price: Px) -> f64 {
    price.0 as f64 / 1e8
}
