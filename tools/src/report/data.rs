//! What market data each symbol had, and what was assumed of it where there was no book.

use std::collections::BTreeMap;
use std::fmt::Write;

use fusewire_core::assumed::{DataModel, DataSeen};
use serde::Serialize;

use crate::config::Config;
use crate::engine::Run;

/// Symbols listed one by one in the text; the JSON has all.
const SHOWN: usize = 40;

/// The data of one symbol, and so how its orders were filled.
#[derive(Debug, Serialize)]
pub struct DataReport {
    /// `book`, `trades`, `bars`, or `none`.
    pub model: &'static str,
    /// Touches that were assumed. Of a symbol with a book: before its first frame came.
    pub assumed_touches: u64,
    /// Bands of depth that history told. They bound what is assumed, and nothing else.
    pub depth_bands: u64,
    /// Assumed touches in which a band made a side smaller than `depth_notional`, or empty.
    pub touches_bounded: u64,
    /// Assumed distance of bid and ask, in basis points; none where nothing is assumed now.
    pub spread_bp: Option<String>,
    /// Assumed to stand on each side, in USDT; none where nothing is assumed now.
    pub depth_notional: Option<String>,
    /// Share of a bar's volume that orders can get; none where bars pay nothing.
    pub bar_volume_share: Option<String>,
}

/// The data of all symbols, by report key.
pub(super) fn of(run: &Run, config: &Config) -> BTreeMap<String, DataReport> {
    let assumed = config.assumed_touch();
    let report = |seen: DataSeen| {
        let DataSeen { model, touches: assumed_touches, touches_bounded, bands: depth_bands } =
            seen;
        let book = match model {
            DataModel::None | DataModel::Book => None,
            DataModel::Trades | DataModel::Bars => {
                assumed.map(|touch| touch.book).filter(|_| assumed_touches > 0)
            }
        };
        let share = book.filter(|_| model == DataModel::Bars);
        DataReport {
            model: model.name(),
            assumed_touches,
            depth_bands,
            touches_bounded,
            spread_bp: book.map(|book| book.spread.to_string()),
            depth_notional: book.map(|book| book.depth_notional.to_string()),
            bar_volume_share: share.map(|_| config.assume.bar_volume_share.to_string()),
        }
    };
    let symbols = run.feed.feed().universe().iter();
    symbols.map(|(id, symbol)| (symbol.key(), report(run.sequencer.data(id)))).collect()
}

/// One line for each symbol of which a book is assumed.
pub(super) fn text(out: &mut String, data: &BTreeMap<String, DataReport>) {
    let is_assumed = |report: &DataReport| report.spread_bp.is_some();
    let all = || data.iter().filter(|(_, report)| is_assumed(report));
    for (key, report) in all().take(SHOWN) {
        let known = |part: &Option<String>| part.clone().unwrap_or_default();
        let share = report.bar_volume_share.as_ref();
        let share = share.map(|share| format!(", {share} of a bar's volume")).unwrap_or_default();
        let bounded = match (report.depth_bands, report.touches_bounded) {
            (0, _) => String::new(),
            (bands, touches) => format!(" ({touches} bounded by {bands} depth bands)"),
        };
        let _ = writeln!(
            out,
            "  {key:>10}  filled by {}: no book; spread {} bp, {} USDT a side{share}, {} touches{bounded}",
            report.model,
            known(&report.spread_bp),
            known(&report.depth_notional),
            report.assumed_touches
        );
    }
    if all().count() > SHOWN {
        let _ = writeln!(out, "             and {} more", all().count() - SHOWN);
    }
}
