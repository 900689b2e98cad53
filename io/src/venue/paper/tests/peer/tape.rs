//! What both are fed with: frames, trades and a script of requests, in the order of their times.

use super::*;

/// What is asked of both.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    New { id: u64, side: Side, tif: Tif, ticks: i64, lots: i64 },
    Cancel { id: u64 },
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Frame(BookInput, Vec<Level>, Vec<Level>),
    Trade(Trade),
    Step(Step),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    items: Vec<(u64, Item)>,
}

impl Tape {
    pub(super) fn push(&mut self, ts: u64, item: Item) {
        self.items.push((ts, item));
    }

    /// Goes through it, in order of time; what was put in first goes first.
    pub(super) fn play(&self, mut each: impl FnMut(u64, &Item)) {
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by_key(|&index| self.items[index].0);
        for index in order {
            let (ts, item) = &self.items[index];
            each(*ts, item);
        }
    }
}

/// A little generator of its own, so that a seed stays the same tape.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 += 1;
        let found = jitter::below(self.0, OrderId(7), 0, bound.cast_unsigned());
        found.cast_signed()
    }
}

/// Fewest lots of a level: more than the script takes over a whole tape, of which each could come from the
/// same one. They give them out again each time.
const LEAST: i64 = 12;
/// Levels of a side that the walk shows.
const LEVELS: i64 = 6;
/// Between two things that happen.
const STEP_NS: u64 = 1_000_000;
/// Between two rounds of the script, and how far into one its orders are cancelled.
const ROUND: u64 = 60;
const CANCEL_AFTER: u64 = 45;

/// A market that walks, and a script of rounds: some orders rest, are cancelled, and then one takes.
struct Walk {
    tape: Tape,
    dice: Dice,
    ts: u64,
    update: i64,
    /// Best bid in ticks; the best ask is one above.
    bid: i64,
    /// Lots from the touch outwards: bids, asks.
    sides: [Vec<i64>; 2],
    ids: u64,
}

/// A tape on which nothing has to be guessed. Own orders have `lots`.
pub(super) fn walk(seed: u64, lots: i64) -> Tape {
    let mut dice = Dice(seed);
    let mut side = || (0..LEVELS).map(|_| LEAST + dice.below(20)).collect();
    let sides = [side(), side()];
    let mut walk = Walk {
        tape: Tape::default(),
        dice,
        ts: 1_000 * STEP_NS,
        update: 0,
        bid: 600_000,
        sides,
        ids: 0,
    };
    walk.begin();
    for step in 0..600 {
        walk.ts += STEP_NS;
        walk.round(step % ROUND, lots);
        match walk.dice.below(20) {
            0..8 => walk.trade(),
            8..19 => walk.change(),
            _ => walk.shift(lots),
        }
    }
    walk.tape
}

impl Walk {
    fn frame(&mut self, changes: [Vec<(i64, i64)>; 2]) {
        let [bids, asks] = changes.map(|side| {
            let level = |(ticks, lots)| Level { price: Px(ticks * TICK), qty: Qty(lots * LOT) };
            side.into_iter().map(level).collect::<Vec<Level>>()
        });
        let prev = self.update;
        self.update += 1;
        let ids = DepthIds { first: prev, last: self.update, prev: Some(prev) };
        let count = |levels: &[Level]| u32::try_from(levels.len()).unwrap();
        let input = BookInput::Diff { ids, bids: count(&bids), asks: count(&asks) };
        self.tape.push(self.ts, Item::Frame(input, bids, asks));
    }

    fn begin(&mut self) {
        let none = BookInput::Snapshot { last_id: 0, bids: 0, asks: 0 };
        self.tape.push(self.ts, Item::Frame(none, vec![], vec![]));
        let all = [0, 1].map(|side| {
            (0..LEVELS).map(|depth| (self.ticks(side, depth), self.lots(side, depth))).collect()
        });
        self.frame(all);
    }

    /// The price of a level, counted from the touch.
    fn ticks(&self, side: usize, depth: i64) -> i64 {
        if side == 0 { self.bid - depth } else { self.bid + 1 + depth }
    }

    fn lots(&self, side: usize, depth: i64) -> i64 {
        self.sides[side][usize::try_from(depth).unwrap()]
    }

    fn set(&mut self, side: usize, depth: i64, lots: i64) {
        self.sides[side][usize::try_from(depth).unwrap()] = lots;
        let mut changes = [vec![], vec![]];
        changes[side].push((self.ticks(side, depth), lots));
        self.frame(changes);
    }

    /// Somebody trades with the best level of a side.
    fn print(&mut self, side: usize, ticks: i64, lots: i64) {
        let aggressor = if side == 0 { Side::Sell } else { Side::Buy };
        let trade = Trade { id: 0, price: Px(ticks * TICK), qty: Qty(lots * LOT), aggressor };
        self.tape.push(self.ts, Item::Trade(trade));
    }

    /// A trade at the touch, and some time later the frame that shows it.
    fn trade(&mut self) {
        let side = usize::try_from(self.dice.below(2)).unwrap();
        let shown = self.lots(side, 0);
        let lots = 1 + self.dice.below(shown);
        self.print(side, self.ticks(side, 0), lots);
        self.ts += STEP_NS / 4;
        self.set(side, 0, (shown - lots).max(LEAST));
    }

    /// Somebody comes or goes at a level.
    fn change(&mut self) {
        let side = usize::try_from(self.dice.below(2)).unwrap();
        let depth = self.dice.below(LEVELS);
        let lots = LEAST + self.dice.below(25);
        self.set(side, depth, lots);
    }

    /// The touch moves by a tick: its level is traded away and one beyond it reached, by enough for the own
    /// order; then the other side follows.
    fn shift(&mut self, own: i64) {
        let side = usize::try_from(self.dice.below(2)).unwrap();
        let shown = self.lots(side, 0);
        let (best, next) = (self.ticks(side, 0), self.ticks(side, 1));
        self.print(side, best, shown);
        // Nothing gets in between this and the frame.
        self.ts += STEP_NS / 8 - 1;
        self.print(side, next, own);
        self.ts += 1;
        let (more, fresh) = (LEAST + self.dice.below(20), LEAST + self.dice.below(20));
        let mut changes = [vec![(best, 0)], vec![(best, fresh)]];
        if side == 1 {
            changes.swap(0, 1);
        }
        self.sides[side].remove(0);
        self.sides[side].push(more);
        self.sides[1 - side].insert(0, fresh);
        let gone = self.ticks(1 - side, LEVELS - 1);
        self.sides[1 - side].pop();
        self.bid += if side == 0 { -1 } else { 1 };
        changes[side].push((self.ticks(side, LEVELS - 1), more));
        changes[1 - side].push((gone, 0));
        self.frame(changes);
    }

    /// What the script does now.
    fn round(&mut self, step: u64, lots: i64) {
        let first = self.ids / 4 * 4;
        if step == 0 {
            for (side, base) in [(Side::Buy, self.bid), (Side::Sell, self.bid + 1)] {
                let away = if side == Side::Buy { -1 } else { 1 };
                let depth = self.dice.below(3);
                self.order(side, Tif::Gtx, base + away * depth, lots);
            }
            self.ids += 1;
        } else if step == CANCEL_AFTER {
            for id in first..first + 2 {
                self.tape.push(self.ts + 1, Item::Step(Step::Cancel { id }));
            }
        } else if step == CANCEL_AFTER + 10 {
            // Long after nothing of its own rests: it takes at most one level.
            let (side, ticks) = if self.dice.below(2) == 0 {
                (Side::Buy, self.bid + 1)
            } else {
                (Side::Sell, self.bid)
            };
            self.order(side, Tif::Ioc, ticks, 1);
        }
    }

    fn order(&mut self, side: Side, tif: Tif, ticks: i64, lots: i64) {
        let step = Step::New { id: self.ids, side, tif, ticks, lots };
        self.ids += 1;
        self.tape.push(self.ts + 1, Item::Step(step));
    }
}
