//! Random integers. Only the raw 64-bit output of the generator is used, with mappings of our own, so
//! that a new version of a crate's range sampling can not change the bytes of a capture.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random stream of one symbol.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    /// A stream that depends on nothing but `key`.
    pub(super) fn new(key: u64) -> Self {
        let mut seed = [0; 32];
        for (word, chunk) in (0_u64..).zip(seed.chunks_exact_mut(8)) {
            chunk.copy_from_slice(&mix(key.wrapping_add(word)).to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// An integer in `0..bound`, zero when `bound` is zero. The bias is below `bound` / 2^64.
    pub(super) fn below(&mut self, bound: i64) -> i64 {
        let bound = u128::from(bound.max(0).unsigned_abs());
        let scaled = (u128::from(self.0.next_u64()) * bound) >> 64;
        i64::try_from(scaled).unwrap_or(0)
    }

    /// An integer in `low..=high`.
    pub(super) fn within(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// A span in `low..=high` ms.
    pub(super) fn millis(&mut self, low: i64, high: i64) -> u64 {
        self.within(low, high).max(0).unsigned_abs()
    }

    /// True in `percent` of 100 draws.
    pub(super) fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    /// A bell around zero within `-4 * scale..=4 * scale`, standard deviation about 1.15 `scale`.
    pub(super) fn bell(&mut self, scale: i64) -> i64 {
        (0..4).map(|_| self.within(-scale, scale)).sum()
    }
}

/// A hash of one word (the finaliser of SplitMix64).
pub(super) fn mix(word: u64) -> u64 {
    let mut x = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A hash of a seed and some text.
pub(super) fn mix_text(seed: u64, text: &str) -> u64 {
    text.bytes().fold(mix(seed), |hash, byte| mix(hash ^ u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_range_and_reach_both_ends() {
        let mut random = Random::new(1);
        let draws: Vec<i64> = (0..1_000).map(|_| random.within(-2, 2)).collect();
        assert_eq!(draws.iter().min(), Some(&-2));
        assert_eq!(draws.iter().max(), Some(&2));
        assert!((0..1_000).all(|_| random.bell(10).abs() <= 40));
        assert_eq!(random.below(0), 0);
        let hits = (0..10_000).filter(|_| random.chance(30)).count();
        assert!((2_700..3_300).contains(&hits), "{hits}");
    }

    #[test]
    fn text_and_seed_both_matter() {
        assert_ne!(mix_text(1, "BTCUSDT"), mix_text(2, "BTCUSDT"));
        assert_ne!(mix_text(1, "BTCUSDT"), mix_text(1, "BTCUSDC"));
    }
}
