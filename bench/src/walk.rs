//! A made-up depth stream: a seeded random walk of the mid price with levels around it.
//!
//! The mix follows what USD-M streams look like: about 60 levels a frame, most of them near the touch,
//! a tail out to several per cent (one level in twenty lies beyond 2 %), a third of them removals. The generator keeps its own book, so that
//! removals hit levels that are there and the stream never crosses.

use std::collections::BTreeMap;

use fusewire_core::market::{DepthIds, Level};
use fusewire_core::units::{ONE, Px, Qty};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::frames;
use crate::inputs::{DepthStream, Diff};

/// Frames of the stream.
const FRAMES: usize = 512;
/// Levels of a frame beside those that the moving mid adds: 60 on average.
const LEVELS: std::ops::Range<u64> = 20..92;
/// One tick in raw price units: 0.10.
pub const TICK: Px = Px(ONE / 10);
/// One lot in raw quantity units: 0.001.
const LOT: i64 = ONE / 1_000;
/// Mid price at the start, in ticks.
const MID_TICKS: u64 = 600_000;
/// 0.1 % of the mid, in ticks.
pub const NEAR_TICKS: u64 = MID_TICKS / 1_000;
/// How far levels lie from the mid at most, in ticks: 8 %.
const FAR_TICKS: u64 = MID_TICKS / 100 * 8;
/// Levels of each side of the snapshot.
const SNAPSHOT_LEVELS: usize = 1_000;

/// The stream, the same on every machine.
#[must_use]
pub fn stream() -> DepthStream {
    let mut walk = Walk::new(ChaCha8Rng::seed_from_u64(20_261_121));
    let (bids, asks) = (walk.side(Side::Bid), walk.side(Side::Ask));
    let mut last_id = 5_000_000_000_000;
    let snapshot_id = last_id;
    let diffs: Vec<Diff> = (0..FRAMES)
        .map(|_| {
            let prev = last_id;
            last_id += 40 + walk.below(4_000).cast_signed();
            // The first frame must join the snapshot: U <= lastUpdateId <= u.
            let first = if prev == snapshot_id { prev - 10 } else { prev + 3 };
            let (bids, asks) = walk.frame();
            Diff { ids: DepthIds { first, last: last_id, prev: Some(prev) }, bids, asks }
        })
        .collect();
    let frames = diffs.iter().enumerate().map(|(n, diff)| frames::depth(n, diff)).collect();
    DepthStream { label: "made up", last_id: snapshot_id, bids, asks, diffs, frames }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Bid,
    Ask,
}

/// Lots by ticks.
type Lots = BTreeMap<u64, u64>;

struct Walk {
    rng: ChaCha8Rng,
    /// The best bid may be here, the best ask one tick above.
    mid: u64,
    bids: Lots,
    asks: Lots,
}

impl Walk {
    fn new(rng: ChaCha8Rng) -> Self {
        let mut walk = Self { rng, mid: MID_TICKS, bids: Lots::new(), asks: Lots::new() };
        for side in [Side::Bid, Side::Ask] {
            walk.put(side, 0);
            while walk.lots(side).len() < SNAPSHOT_LEVELS {
                let distance = walk.distance();
                walk.put(side, distance);
            }
        }
        walk
    }

    /// A number below `end`; the bias of the remainder does not matter here.
    fn below(&mut self, end: u64) -> u64 {
        self.rng.next_u64() % end
    }

    fn lots(&mut self, side: Side) -> &mut Lots {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    fn tick(&self, side: Side, distance: u64) -> u64 {
        match side {
            Side::Bid => self.mid - distance,
            Side::Ask => self.mid + 1 + distance,
        }
    }

    /// Ticks from the touch: 62 % within 0.1 %, crowding towards the touch. Most of the rest lies within
    /// 0.5 %, thinning out by distance; an eighth of it is spread over everything up to the farthest.
    fn distance(&mut self) -> u64 {
        if self.below(100) < 62 {
            return self.below(NEAR_TICKS).min(self.below(NEAR_TICKS));
        }
        if self.below(8) == 0 {
            return NEAR_TICKS + self.below(FAR_TICKS - NEAR_TICKS);
        }
        let mut start = NEAR_TICKS;
        while self.below(5) < 2 && start * 4 <= FAR_TICKS {
            start *= 2;
        }
        start + self.below(start)
    }

    fn put(&mut self, side: Side, distance: u64) -> (u64, u64) {
        let tick = self.tick(side, distance);
        // Small quantities are the common ones.
        let digits = u32::try_from(self.below(4)).unwrap_or(0);
        let lots = 1 + self.below(10_u64.pow(digits + 1));
        self.lots(side).insert(tick, lots);
        (tick, lots)
    }

    /// Removes the held level nearest to a distance, unless it is the touch, which must stay.
    fn take(&mut self, side: Side, distance: u64) -> Option<(u64, u64)> {
        let (tick, touch) = (self.tick(side, distance), self.tick(side, 0));
        let lots = self.lots(side);
        let found = match side {
            Side::Bid => lots.range(..=tick).next_back(),
            Side::Ask => lots.range(tick..).next(),
        };
        let tick = found.map(|(tick, _)| *tick).filter(|tick| *tick != touch)?;
        lots.remove(&tick);
        Some((tick, 0))
    }

    fn frame(&mut self) -> (Vec<Level>, Vec<Level>) {
        let (mut bids, mut asks) = (Lots::new(), Lots::new());
        self.move_mid(&mut bids, &mut asks);
        let count = LEVELS.start + self.below(LEVELS.end - LEVELS.start);
        for _ in 0..count {
            let (side, changes) = match self.below(2) {
                0 => (Side::Bid, &mut bids),
                _ => (Side::Ask, &mut asks),
            };
            let distance = self.distance();
            let change = match self.below(3) {
                0 => self.take(side, distance),
                _ => None,
            };
            let (tick, lots) = change.unwrap_or_else(|| self.put(side, distance));
            changes.insert(tick, lots);
        }
        (levels(&bids), levels(&asks))
    }

    /// Moves the mid by a few ticks, and takes away what it crosses.
    fn move_mid(&mut self, bids: &mut Lots, asks: &mut Lots) {
        let most = if self.below(10) == 0 { 25 } else { 3 };
        self.mid = self.mid + self.below(2 * most + 1) - most;
        let (bid, ask) = (self.tick(Side::Bid, 0), self.tick(Side::Ask, 0));
        bids.extend(self.bids.split_off(&ask).into_keys().map(|tick| (tick, 0)));
        let kept = self.asks.split_off(&ask);
        let crossed = std::mem::replace(&mut self.asks, kept);
        asks.extend(crossed.into_keys().map(|tick| (tick, 0)));
        assert!(self.bids.last_key_value().is_none_or(|(tick, _)| *tick <= bid));
        bids.extend([self.put(Side::Bid, 0)]);
        asks.extend([self.put(Side::Ask, 0)]);
    }

    /// All levels of a side, best first as in a snapshot.
    fn side(&mut self, side: Side) -> Vec<Level> {
        let mut all = levels(self.lots(side));
        if side == Side::Bid {
            all.reverse();
        }
        all
    }
}

fn levels(lots: &Lots) -> Vec<Level> {
    let level = |(tick, lots): (&u64, &u64)| Level {
        price: Px(TICK.0 * tick.cast_signed()),
        qty: Qty(LOT * lots.cast_signed()),
    };
    lots.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_what_the_header_says() {
        let stream = stream();
        let levels = stream.levels();
        let per_frame = levels / stream.diffs.len() as u64;
        assert!((50..70).contains(&per_frame), "{per_frame} levels a frame");
        let all = || stream.diffs.iter().flat_map(|diff| diff.bids.iter().chain(&diff.asks));
        let percent = |count: usize| count as u64 * 100 / levels;
        let removed = percent(all().filter(|level| level.qty == Qty::ZERO).count());
        assert!((28..40).contains(&removed), "{removed} % removals");
        // The walk stays near its start, so distances from there will do.
        let mid = TICK.0 * MID_TICKS.cast_signed();
        let within = |permille: i64| {
            percent(all().filter(|l| (l.price.0 - mid).abs() <= mid / 1_000 * permille).count())
        };
        assert!((55..70).contains(&within(1)), "{} % near", within(1));
        assert!((92..97).contains(&within(20)), "{} % within 2 %", within(20));
        assert!((96..100).contains(&within(50)), "{} % within 5 %", within(50));
    }
}
