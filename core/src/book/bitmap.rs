//! Occupancy of a ring of slots: one bit a slot, and above it one bit a word that is not zero.
//!
//! With the summary the next held slot is found by looking at a handful of words whatever the distance,
//! so that removing the best level costs the same in a dense and in a sparse book.

const BITS: usize = u64::BITS as usize;

/// A fixed ring of bits.
#[derive(Clone, Debug)]
pub(super) struct Bitmap {
    words: Box<[u64]>,
    /// Bit w is set exactly when `words[w]` is not zero.
    summary: Box<[u64]>,
}

impl Bitmap {
    /// All clear. `len` is a multiple of 64.
    pub(super) fn new(len: usize) -> Self {
        assert!(len > 0 && len.is_multiple_of(BITS), "a ring of whole words");
        let words = len / BITS;
        Self {
            words: vec![0; words].into_boxed_slice(),
            summary: vec![0; words.div_ceil(BITS)].into_boxed_slice(),
        }
    }

    /// Sets a bit; true when it was clear before.
    pub(super) fn set(&mut self, bit: usize) -> bool {
        let (index, mask) = (bit / BITS, 1 << (bit % BITS));
        let word = &mut self.words[index];
        let fresh = *word & mask == 0;
        *word |= mask;
        self.summary[index / BITS] |= 1 << (index % BITS);
        fresh
    }

    /// Clears a bit; true when it was set before.
    pub(super) fn clear(&mut self, bit: usize) -> bool {
        let (index, mask) = (bit / BITS, 1 << (bit % BITS));
        let word = &mut self.words[index];
        let held = *word & mask != 0;
        *word &= !mask;
        if *word == 0 {
            self.summary[index / BITS] &= !(1 << (index % BITS));
        }
        held
    }

    /// Clears all bits.
    pub(super) fn clear_all(&mut self) {
        self.words.fill(0);
        self.summary.fill(0);
    }

    /// The first set bit at or after `from`, going on at bit 0 after the last one.
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        let index = from / BITS;
        let rest = self.words[index] & (!0 << (from % BITS));
        if rest != 0 {
            return Some(index * BITS + rest.trailing_zeros() as usize);
        }
        let index = self.next_word(index + 1).or_else(|| self.next_word(0))?;
        Some(index * BITS + self.words[index].trailing_zeros() as usize)
    }

    /// The first word at or after `from` that is not zero; does not go round.
    fn next_word(&self, from: usize) -> Option<usize> {
        let first = from / BITS;
        let rest = self.summary.get(first)? & (!0 << (from % BITS));
        if rest != 0 {
            return Some(first * BITS + rest.trailing_zeros() as usize);
        }
        let later = first + 1;
        let (skipped, word) =
            self.summary[later..].iter().enumerate().find(|(_, word)| **word != 0)?;
        Some((later + skipped) * BITS + word.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain_next(bits: &[bool], from: usize) -> Option<usize> {
        (0..bits.len()).map(|step| (from + step) % bits.len()).find(|bit| bits[*bit])
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_array(
            words in prop_oneof![Just(1_usize), Just(2), Just(64), Just(256)],
            steps in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..200),
        ) {
            let len = words * 64;
            let (mut bitmap, mut plain) = (Bitmap::new(len), vec![false; len]);
            for (index, set) in steps {
                let bit = index.index(len);
                let changed = if set { bitmap.set(bit) } else { bitmap.clear(bit) };
                prop_assert_eq!(changed, plain[bit] != set);
                plain[bit] = set;
                for from in [0, bit, (bit + 1) % len, len - 1] {
                    prop_assert_eq!(bitmap.next(from), plain_next(&plain, from));
                }
            }
            bitmap.clear_all();
            prop_assert_eq!(bitmap.next(0), None);
        }
    }
}
