//! The levels behind a window: sorted, in blocks, so that a new level moves a few others and not half of
//! them.

use std::hint::select_unpredictable;

use crate::units::Qty;

/// Levels of a full block.
const BLOCK: usize = 32;

/// Neighbouring levels, worst first.
#[derive(Clone, Copy, Debug)]
struct Block {
    len: usize,
    /// Zero behind the last one.
    keys: [u64; BLOCK],
    qtys: [Qty; BLOCK],
}

/// A block that is in use.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Its worst key.
    worst: u64,
    /// Where it is.
    block: usize,
}

/// Levels by key, within memory taken at construction.
#[derive(Clone, Debug)]
pub(super) struct Far {
    len: usize,
    /// Blocks in use, worst first, so that the window gives and takes at the end. None is empty.
    places: Vec<Place>,
    /// As many as have ever been in use at once.
    blocks: Vec<Block>,
    /// Those of them that are not in use now.
    free: Vec<usize>,
    blocks_max: usize,
}

impl Far {
    /// Empty, for so many levels.
    pub(super) fn new(levels_max: usize) -> Self {
        // Full blocks would do for all levels; a quarter more leaves them room to split.
        let blocks_max = levels_max.div_ceil(BLOCK) * 5 / 4 + 2;
        Self {
            len: 0,
            places: Vec::with_capacity(blocks_max),
            blocks: Vec::with_capacity(blocks_max),
            free: Vec::with_capacity(blocks_max),
            blocks_max,
        }
    }

    /// Number of levels.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Sets the quantity of a key; zero removes it. The caller sees to it that there is room.
    pub(super) fn set(&mut self, key: u64, qty: Qty) {
        let Some(place) = self.place(key) else {
            if qty != Qty::ZERO {
                self.push_best(key, qty);
            }
            return;
        };
        let block = &mut self.blocks[self.places[place].block];
        let index = block.index(key);
        match (block.holds(index, key), qty == Qty::ZERO) {
            (true, false) => block.qtys[index] = qty,
            (true, true) => self.remove(place, index),
            (false, false) => self.insert(place, key, qty),
            (false, true) => {}
        }
    }

    /// The quantity of a key, zero when it is not held.
    pub(super) fn get(&self, key: u64) -> Qty {
        let Some(place) = self.place(key) else { return Qty::ZERO };
        let block = self.block(place);
        let index = block.index(key);
        if block.holds(index, key) { block.qtys[index] } else { Qty::ZERO }
    }

    /// The worst key.
    pub(super) fn worst(&self) -> Option<u64> {
        self.places.first().map(|place| place.worst)
    }

    /// The best level.
    pub(super) fn best(&self) -> Option<(u64, Qty)> {
        self.iter().next()
    }

    /// Takes the best level away.
    pub(super) fn remove_best(&mut self) {
        if let Some(last) = self.places.len().checked_sub(1) {
            self.remove(last, self.block(last).len - 1);
        }
    }

    /// Adds a level that is better than all.
    pub(super) fn push_best(&mut self, key: u64, qty: Qty) {
        let last = self.places.last().map(|place| &mut self.blocks[place.block]);
        match last.filter(|block| block.len < BLOCK) {
            Some(block) => block.insert(block.len, key, qty),
            None => {
                self.reserve_block();
                let mut block = Block::EMPTY;
                block.insert(0, key, qty);
                self.add_block(self.places.len(), block);
            }
        }
        self.len += 1;
    }

    /// All levels, best first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Qty)> {
        (0..self.places.len()).rev().flat_map(|place| self.block(place).iter().rev())
    }

    /// Gives every level a new key, in the same order.
    pub(super) fn rekey(&mut self, new_key: impl Fn(u64) -> u64) {
        for place in &mut self.places {
            let block = &mut self.blocks[place.block];
            for key in &mut block.keys[..block.len] {
                *key = new_key(*key);
            }
            place.worst = block.keys[0];
        }
    }

    /// Empties it and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.free.extend(self.places.drain(..).map(|place| place.block));
        self.len = 0;
    }

    /// The place whose block holds a key if any does; none when there are no levels.
    fn place(&self, key: u64) -> Option<usize> {
        // The first place takes also what is worse than all.
        let (mut first, mut size) = (0, self.places.len());
        while size > 1 {
            let half = size / 2;
            let is_behind = self.places[first + half].worst >= key;
            first = select_unpredictable(is_behind, first + half, first);
            size -= half;
        }
        (size > 0).then_some(first)
    }

    fn block(&self, place: usize) -> &Block {
        &self.blocks[self.places[place].block]
    }

    fn remove(&mut self, place: usize, index: usize) {
        let number = self.places[place].block;
        let block = &mut self.blocks[number];
        block.remove(index);
        if block.len == 0 {
            self.places.remove(place);
            self.free.push(number);
        } else {
            self.places[place].worst = block.keys[0];
        }
        self.len -= 1;
    }

    fn insert(&mut self, place: usize, key: u64, qty: Qty) {
        let mut place = place;
        if self.block(place).len == BLOCK {
            place = self.split(key);
        }
        let block = &mut self.blocks[self.places[place].block];
        block.insert(block.index(key), key, qty);
        self.places[place].worst = block.keys[0];
        self.len += 1;
    }

    /// Makes room in the full block that a key goes to; returns the place that it goes to now.
    #[cold]
    fn split(&mut self, key: u64) -> usize {
        self.reserve_block();
        let place = self.place(key).unwrap_or_default();
        if self.block(place).len < BLOCK {
            return place;
        }
        let better = self.blocks[self.places[place].block].split();
        let is_better = key < better.keys[0];
        self.add_block(place + 1, better);
        place + usize::from(is_better)
    }

    /// Puts a block into use.
    fn add_block(&mut self, place: usize, block: Block) {
        self.places.insert(place, Place { worst: block.keys[0], block: self.blocks.len() });
        match self.free.pop() {
            Some(number) => {
                self.blocks[number] = block;
                self.places[place].block = number;
            }
            None => self.blocks.push(block),
        }
    }

    /// Sees to it that a block can be put into use.
    fn reserve_block(&mut self) {
        if self.free.is_empty() && self.blocks.len() == self.blocks_max {
            self.repack();
        }
    }

    /// Fills all blocks but the last.
    #[cold]
    fn repack(&mut self) {
        let mut filled = 0;
        for place in 0..self.places.len() {
            let number = self.places[place].block;
            // From here on the block may take levels again.
            let block = std::mem::replace(&mut self.blocks[number], Block::EMPTY);
            for (key, qty) in block.iter() {
                filled += usize::from(self.block(filled).len == BLOCK);
                let target = &mut self.blocks[self.places[filled].block];
                target.insert(target.len, key, qty);
                self.places[filled].worst = target.keys[0];
            }
        }
        self.free.extend(self.places.drain(filled + 1..).map(|place| place.block));
    }
}

impl Block {
    const EMPTY: Self = Self { len: 0, keys: [0; BLOCK], qtys: [Qty::ZERO; BLOCK] };

    /// The index of a key, or where it would go: how many are worse.
    fn index(&self, key: u64) -> usize {
        let mut worse = 0;
        for step in [16, 8, 4, 2, 1] {
            let is_worse = self.keys[(worse + step - 1) % BLOCK] > key;
            worse = select_unpredictable(is_worse, worse + step, worse);
        }
        worse + usize::from(self.keys[worse % BLOCK] > key)
    }

    fn holds(&self, index: usize, key: u64) -> bool {
        index < self.len && self.keys[index] == key
    }

    fn insert(&mut self, index: usize, key: u64, qty: Qty) {
        self.keys.copy_within(index..self.len, index + 1);
        self.qtys.copy_within(index..self.len, index + 1);
        (self.keys[index], self.qtys[index]) = (key, qty);
        self.len += 1;
    }

    fn remove(&mut self, index: usize) {
        self.keys.copy_within(index + 1..self.len, index);
        self.qtys.copy_within(index + 1..self.len, index);
        self.len -= 1;
        self.keys[self.len] = 0;
    }

    /// Cuts off the better half.
    fn split(&mut self) -> Self {
        let mut better = Self::EMPTY;
        let half = BLOCK / 2;
        better.keys[..half].copy_from_slice(&self.keys[half..]);
        better.qtys[..half].copy_from_slice(&self.qtys[half..]);
        self.keys[half..].fill(0);
        (self.len, better.len) = (half, half);
        better
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, Qty)> {
        self.keys.iter().copied().zip(self.qtys.iter().copied()).take(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    impl Far {
        /// Panics unless the blocks are sorted, in use or free, and within the memory.
        fn check(&self) {
            let keys: Vec<u64> = self.iter().map(|(key, _)| key).collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "keys rise");
            assert_eq!(keys.len(), self.len);
            for place in &self.places {
                let block = &self.blocks[place.block];
                assert!(block.len > 0 && place.worst == block.keys[0]);
                assert!(block.keys[block.len..].iter().all(|key| *key == 0));
            }
            assert_eq!(self.places.len() + self.free.len(), self.blocks.len());
            assert_eq!(self.blocks.capacity(), self.blocks_max, "no growth");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn agrees_with_a_map(
            levels_max in prop_oneof![1..40_usize, 40..300_usize],
            steps in prop::collection::vec(
                (1..600_u64, 1..40_u64, any::<bool>(), 0..3_u8), 1..60,
            ),
        ) {
            let mut far = Far::new(levels_max);
            let mut plain = BTreeMap::new();
            for (start, run, removes, stride) in steps {
                for key in (0..run).map(|n| start + (n << stride)) {
                    let qty = if removes { Qty::ZERO } else { Qty(key.cast_signed()) };
                    if !removes && plain.len() == levels_max && !plain.contains_key(&key) {
                        let worst = far.worst().expect("full");
                        prop_assert_eq!(plain.pop_last().map(|level| level.0), Some(worst));
                        far.set(worst, Qty::ZERO);
                    }
                    far.set(key, qty);
                    prop_assert_eq!(far.get(key), qty);
                    if removes {
                        plain.remove(&key);
                    } else {
                        plain.insert(key, qty);
                    }
                }
                far.check();
                prop_assert!(far.iter().eq(plain.iter().map(|(key, qty)| (*key, *qty))));
            }
            // The window takes what is best and gives it back.
            let taken: Vec<_> = far.iter().take(40).collect();
            for level in &taken {
                prop_assert_eq!(far.best(), Some(*level));
                far.remove_best();
            }
            far.check();
            taken.iter().rev().for_each(|(key, qty)| far.push_best(*key, *qty));
            far.rekey(|key| key * 3);
            far.check();
            prop_assert!(far.iter().eq(plain.iter().map(|(key, qty)| (key * 3, *qty))));
            far.clear();
            far.check();
        }
    }

    #[test]
    fn half_filled_blocks_are_filled_up_when_none_is_left() {
        let levels_max = 16 * BLOCK;
        let mut far = Far::new(levels_max);
        assert!(far.blocks_max < 2 * 16, "splitting alone would need more");
        for round in 1..20_u64 {
            // Each is worse than those before, so that a block that was split gets no more.
            (1..=levels_max as u64).for_each(|key| far.set(key * round, Qty(1)));
            far.check();
            assert_eq!(far.len(), levels_max);
            (1..=levels_max as u64).for_each(|key| far.set(key * round, Qty::ZERO));
            far.check();
        }
    }
}
