//! The depth types of hftbacktest 0.9, fed through their level-2 interface.
//!
//! They take prices and quantities as `f64`, so those are made outside the time. The vector depth holds
//! only a range of interest and drops every level outside of it; the range here is the mid plus and
//! minus 10 %, which is narrow enough to suit it and covers what a strategy looks at.

use std::hint::black_box;

use fusewire_core::market::Level;
use fusewire_core::units::ONE;
use hftbacktest::depth::{
    BTreeMarketDepth, HashMapMarketDepth, L2MarketDepth, MarketDepth, ROIVectorMarketDepth,
};
use hftbacktest::types::Side;

use crate::inputs::DepthStream;
use crate::measure::Subject;
use crate::walk::TICK;

/// Tick size in quote currency.
const TICK_SIZE: f64 = TICK.0 as f64 / ONE as f64;
/// Lot size in coins.
const LOT_SIZE: f64 = 0.001;
/// The range of interest reaches this far from the mid.
const ROI: f64 = 0.10;

/// A depth type of hftbacktest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// `ROIVectorMarketDepth`.
    RoiVector,
    /// `HashMapMarketDepth`.
    HashMap,
    /// `BTreeMarketDepth`.
    BTree,
}

impl Depth {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RoiVector, Self::HashMap, Self::BTree];

    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoiVector => "hftbacktest ROI vector",
            Self::HashMap => "hftbacktest HashMap",
            Self::BTree => "hftbacktest BTree",
        }
    }
}

/// A price and a quantity.
type Pair = (f64, f64);

struct Peer<D> {
    depth: D,
    snapshot: (Vec<Pair>, Vec<Pair>),
    diffs: Vec<(Vec<Pair>, Vec<Pair>)>,
    levels: u64,
}

impl<D: L2MarketDepth + MarketDepth> Peer<D> {
    fn new(stream: &DepthStream, depth: D) -> Self {
        let diffs = stream.diffs.iter().map(|diff| (pairs(&diff.bids), pairs(&diff.asks)));
        Self {
            depth,
            snapshot: (pairs(&stream.bids), pairs(&stream.asks)),
            diffs: diffs.collect(),
            levels: stream.levels(),
        }
    }

    fn touch(&self) -> [i64; 2] {
        [self.depth.best_bid_tick(), self.depth.best_ask_tick()]
    }
}

impl<D: L2MarketDepth + MarketDepth> Subject for Peer<D> {
    fn units(&self) -> u64 {
        self.levels
    }

    fn reset(&mut self) {
        self.depth.clear_depth(Side::None, f64::NAN);
        apply(&mut self.depth, &self.snapshot);
    }

    fn pass(&mut self) {
        for diff in &self.diffs {
            apply(&mut self.depth, black_box(diff));
            let quantities = (self.depth.best_bid_qty(), self.depth.best_ask_qty());
            black_box((self.touch(), quantities));
        }
    }
}

fn apply<D: L2MarketDepth>(depth: &mut D, (bids, asks): &(Vec<Pair>, Vec<Pair>)) {
    for &(price, qty) in bids {
        depth.update_bid_depth(price, qty, 0);
    }
    for &(price, qty) in asks {
        depth.update_ask_depth(price, qty, 0);
    }
}

fn pairs(levels: &[Level]) -> Vec<Pair> {
    let float = |raw: i64| raw as f64 / ONE as f64;
    levels.iter().map(|level| (float(level.price.0), float(level.qty.0))).collect()
}

fn roi(stream: &DepthStream) -> (f64, f64) {
    let mid = stream.bids.first().map_or(0.0, |level| level.price.0 as f64 / ONE as f64);
    (mid * (1.0 - ROI), mid * (1.0 + ROI))
}

/// A depth type over the diffs of a stream.
#[must_use]
pub fn peer(stream: &DepthStream, depth: Depth) -> Box<dyn Subject> {
    match depth {
        Depth::RoiVector => Box::new(Peer::new(stream, roi_vector(stream))),
        Depth::HashMap => Box::new(Peer::new(stream, HashMapMarketDepth::new(TICK_SIZE, LOT_SIZE))),
        Depth::BTree => Box::new(Peer::new(stream, BTreeMarketDepth::new(TICK_SIZE, LOT_SIZE))),
    }
}

fn roi_vector(stream: &DepthStream) -> ROIVectorMarketDepth {
    let (low, high) = roi(stream);
    ROIVectorMarketDepth::new(TICK_SIZE, LOT_SIZE, low, high)
}

/// Levels of the diffs that lie outside the range of interest, which the vector depth drops.
#[must_use]
pub fn outside(stream: &DepthStream) -> u64 {
    let (low, high) = roi(stream);
    let all = stream.diffs.iter().flat_map(|diff| [pairs(&diff.bids), pairs(&diff.asks)]);
    all.flatten().filter(|(price, _)| *price < low || *price > high).count() as u64
}

/// Checks the touch of each depth type after every diff.
///
/// # Errors
/// What differs.
pub(super) fn check(stream: &DepthStream) -> Result<(), String> {
    let expected = touches(stream);
    let name = |depth: Depth| move |error: String| format!("{}: {error}", depth.name());
    check_one(Peer::new(stream, roi_vector(stream)), &expected).map_err(name(Depth::RoiVector))?;
    let hash = HashMapMarketDepth::new(TICK_SIZE, LOT_SIZE);
    check_one(Peer::new(stream, hash), &expected).map_err(name(Depth::HashMap))?;
    let tree = BTreeMarketDepth::new(TICK_SIZE, LOT_SIZE);
    check_one(Peer::new(stream, tree), &expected).map_err(name(Depth::BTree))
}

/// Best ticks after every diff, by maps.
fn touches(stream: &DepthStream) -> Vec<[i64; 2]> {
    let mut maps = super::Maps::default();
    maps.load(stream);
    let ticks = |level: Option<Level>| level.map_or(0, |level| level.price.0 / TICK.0);
    let after = |diff: &crate::inputs::Diff| {
        maps.apply(&diff.bids, &diff.asks);
        let (bid, ask) = maps.touch();
        [ticks(bid), ticks(ask)]
    };
    stream.diffs.iter().map(after).collect()
}

fn check_one<D: L2MarketDepth + MarketDepth>(
    mut peer: Peer<D>,
    expected: &[[i64; 2]],
) -> Result<(), String> {
    peer.reset();
    let Peer { depth, diffs, .. } = &mut peer;
    for (number, (diff, expected)) in diffs.iter().zip(expected).enumerate() {
        apply(depth, diff);
        let found = [depth.best_bid_tick(), depth.best_ask_tick()];
        if found != *expected {
            return Err(format!("touch {found:?} and not {expected:?} after diff {number}"));
        }
    }
    Ok(())
}
