//! One symbol of a capture: its messages and whether its book can be built.

use std::collections::BTreeMap;

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, DepthIds, Kind, Message};
use fusewire_core::units::Nanos;
use serde::Serialize;

use super::problem::Problem;
use super::time::utc;

/// Breaks whose times are kept. A recording with more of them has no use for the rest.
const GAP_TIMES_MAX: usize = 1_024;

/// What a capture holds of one symbol.
#[derive(Clone, Debug, Serialize)]
pub struct SymbolSummary {
    /// Market.
    pub market: &'static str,
    /// Symbol as the exchange writes it.
    pub symbol: String,
    /// Messages by kind.
    pub messages: BTreeMap<&'static str, u64>,
    /// Breaks in the chain of depth updates.
    pub depth_gaps: u64,
    /// Depth snapshots.
    pub snapshots: u64,
    /// True when the symbol appears in streams of its own, not only in all-market ones.
    pub own_streams: bool,
    /// Receive times of the first and the last message that shows it traded (books, trades, candles), not in the JSON;
    /// none without one: funding, open interest, forced orders and marks come of what nobody trades, too.
    #[serde(skip)]
    pub span: Option<(Nanos, Nanos)>,
}

/// The same, while it is being counted.
pub(super) struct SymbolScan {
    market: Market,
    symbol: String,
    counts: [u64; Kind::ALL.len()],
    pub(super) own_streams: bool,
    span: Option<(Nanos, Nanos)>,
    chain: Option<i64>,
    /// `lastUpdateId` of a snapshot that no frame has joined yet.
    snapshot_id: Option<i64>,
    gaps: u64,
    /// When the first breaks were seen.
    gap_times: Vec<Nanos>,
    pub(super) snapshots: u64,
    pub(super) last_snapshot: Option<Nanos>,
}

impl SymbolScan {
    pub(super) fn new(market: Market, symbol: String) -> Self {
        Self {
            market,
            symbol,
            counts: [0; Kind::ALL.len()],
            own_streams: false,
            span: None,
            chain: None,
            snapshot_id: None,
            gaps: 0,
            gap_times: Vec::new(),
            snapshots: 0,
            last_snapshot: None,
        }
    }

    pub(super) fn message(&mut self, message: &Message, received: Nanos) {
        self.counts[message.body.kind() as usize] += 1;
        match &message.body {
            Body::Depth(depth) => self.depth(&depth.ids, received),
            Body::Snapshot(snapshot) => {
                self.snapshots += 1;
                self.last_snapshot = self.last_snapshot.max(Some(received));
                // A book that is further already does without it.
                let is_ahead = self.chain.is_none_or(|last| snapshot.last_id > last);
                self.snapshot_id = self.snapshot_id.max(is_ahead.then_some(snapshot.last_id));
            }
            Body::PartialDepth(_)
            | Body::BookTicker(_)
            | Body::Trade(_)
            | Body::AggTrade(_)
            | Body::Kline(_) => {}
            Body::Mark(_)
            | Body::Liquidation(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_)
            | Body::ContractInfo(_) => return,
        }
        let (first, last) = self.span.unwrap_or((received, received));
        self.span = Some((first.min(received), last.max(received)));
    }

    /// Futures frames name the frame before them; spot frames continue its numbers. A frame that joins the snapshot in
    /// front of it follows whatever the chain was: nothing that the snapshot does not hold is missing.
    fn depth(&mut self, ids: &DepthIds, received: Nanos) {
        let follows = match (self.chain, self.market) {
            (None, _) => true,
            (Some(last), Market::Spot) => last.checked_add(1) == Some(ids.first),
            (Some(last), Market::UsdM | Market::CoinM) => ids.prev == Some(last),
        };
        if !self.joins(ids) && !follows {
            self.gaps += 1;
            if self.gap_times.len() < GAP_TIMES_MAX {
                self.gap_times.push(received);
            }
        }
        self.chain = Some(ids.last);
    }

    /// True for the frame at which a book goes on from a snapshot: spot asks for the update behind it, futures for its
    /// last one again.
    fn joins(&mut self, ids: &DepthIds) -> bool {
        let joint = self.snapshot_id.map(|last| match self.market {
            Market::Spot => last.saturating_add(1),
            Market::UsdM | Market::CoinM => last,
        });
        let Some(joint) = joint.filter(|joint| *joint <= ids.last) else { return false };
        self.snapshot_id = None;
        ids.first <= joint
    }

    /// Snapshots that a file could attribute to this symbol only at its end.
    pub(super) fn bare_snapshots(&mut self, count: u64, last: Nanos) {
        self.counts[Kind::Snapshot as usize] += count;
        self.snapshots += count;
        self.last_snapshot = self.last_snapshot.max(Some(last));
    }

    pub(super) fn problems(&self, key: &str) -> Option<Problem> {
        let frames = self.counts[Kind::Depth as usize];
        if frames > 0 && self.snapshots == 0 {
            return Some(Problem::broken(
                "no-snapshot",
                key,
                format!("{frames} depth frames and no snapshot, so the book can not be built"),
                "add the recording that holds the snapshot (the one before this), or pass \
                 --allow-broken to run without this book",
            ));
        }
        let first = *self.gap_times.first()?;
        let gaps = self.gaps;
        // A bare snapshot is attributed at the end of its file, so that breaks and snapshots meet here.
        let unmended = |time: &&Nanos| self.last_snapshot.is_none_or(|snapshot| snapshot <= **time);
        let all_kept = self.gaps == self.gap_times.len() as u64;
        let last_kept = self.gap_times.last().filter(|_| !all_kept);
        let Some(from) = self.gap_times.iter().find(unmended).or(last_kept) else {
            return Some(Problem::note(
                "depth-gap",
                key,
                format!("{gaps} breaks in the depth updates, the first at {}", utc(first)),
                "the book is invalid from each break to the next snapshot",
            ));
        };
        Some(Problem::broken(
            "depth-gap",
            key,
            format!(
                "{gaps} breaks in the depth updates, and from {} on no snapshot that mends them",
                utc(*from)
            ),
            "cut the capture there, leave out recordings that overlap, or pass --allow-broken to run \
             with the book invalid from then on",
        ))
    }

    pub(super) fn summary(&self) -> SymbolSummary {
        let counted = Kind::ALL.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        SymbolSummary {
            market: self.market.name(),
            symbol: self.symbol.clone(),
            messages: counted.map(|(kind, count)| (kind.name(), count)).collect(),
            depth_gaps: self.gaps,
            snapshots: self.snapshots,
            own_streams: self.own_streams,
            span: self.span,
        }
    }
}
