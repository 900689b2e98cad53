//! Random values, as a hash of (seed, draw, key): one key more moves no other, and more draws are a longer list of the
//! same.

use super::axis::{PLACES, Range, Scale};
use super::fixed::Fixed;

/// Separates these hashes from all others.
const CONTEXT: &str = "fusewire sweep draw 1";

/// Value `draw` (from 0) of a range whose steps have this size.
pub(super) fn draw(range: &Range, step: i128, seed: u64, draw: u64) -> Fixed<PLACES> {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(&seed.to_le_bytes()).update(&draw.to_le_bytes()).update(range.key.as_bytes());
    let mut bits = [0; 16];
    hasher.finalize_xof().fill(&mut bits);
    let bits = u128::from_le_bytes(bits);
    match range.scale {
        Scale::Uniform => {
            let steps = ((range.hi.0 - range.lo.0) / step + 1).unsigned_abs();
            // Bounds within 10^18 have at most 2^101 steps of the last place, so that a remainder of 128 bits favours
            // no step by more than 2^-27 of its share, and of whole numbers none by more than 2^-67.
            Fixed(range.lo.0 + (bits % steps).cast_signed() * step)
        }
        Scale::Log => logarithmic(range, step, bits as u64),
    }
}

/// By `libm`, so that it does not depend on the machine.
fn logarithmic(range: &Range, step: i128, bits: u64) -> Fixed<PLACES> {
    /// Bits of a double's fraction.
    const FRACTION: u32 = 53;
    let share = (bits >> (u64::BITS - FRACTION)) as f64 / (1_u64 << FRACTION) as f64;
    let (lo, hi) = (libm::log(range.lo.0 as f64), libm::log(range.hi.0 as f64));
    let value = libm::exp(lo + share * (hi - lo)) as i128;
    let nearest = (value + step / 2) / step * step;
    Fixed(nearest.clamp(range.lo.0, range.hi.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, is_whole: bool, seed: u64, count: u64) -> Vec<Fixed<PLACES>> {
        let range: Range = text.parse().unwrap();
        let step = range.step(is_whole).unwrap();
        (0..count).map(|index| draw(&range, step, seed, index)).collect()
    }

    #[test]
    fn draws_stay_within_their_bounds_and_reach_them() {
        let drawn = values("a.b=1..5", true, 7, 200);
        for whole in 1..=5 {
            let count = drawn.iter().filter(|value| value.to_string() == whole.to_string()).count();
            assert!((20..=60).contains(&count), "{whole}: {count} of 200");
        }
        for value in values("a.b=log:0.5..8", false, 7, 500) {
            assert!(value >= "0.5".parse().unwrap() && value <= "8".parse().unwrap());
            assert!(value.to_string().len() <= 6, "{value} has at most 4 places");
        }
    }

    /// Half of the values of a logarithmic range lie below the geometric mean of its bounds.
    #[test]
    fn a_logarithmic_range_is_even_in_its_logarithms() {
        let middle = "2".parse::<Fixed<PLACES>>().unwrap();
        let below = |text| values(text, false, 1, 1_000).iter().filter(|v| **v < middle).count();
        assert!((450..=550).contains(&below("a.b=log:0.5..8")), "{}", below("a.b=log:0.5..8"));
        assert!((150..=250).contains(&below("a.b=0.5..8")), "{}", below("a.b=0.5..8"));
    }

    /// More steps than 64 bits can number: all of the range is drawn from.
    #[test]
    fn a_huge_range_is_drawn_from_to_its_end() {
        let drawn = values("a.b=0.000000000001..1000000000000000000", false, 5, 1_000);
        for quarter in 1..4_i128 {
            let bound = Fixed(quarter * 250_000_000_000_000_000 * 10_i128.pow(PLACES));
            let below = drawn.iter().filter(|value| **value < bound).count();
            let expected = usize::try_from(quarter * 250).unwrap();
            assert!(below.abs_diff(expected) < 50, "{below} of 1000 below {bound}");
        }
    }

    #[test]
    fn a_draw_depends_on_seed_number_and_key_alone() {
        let ten = values("a.b=0..1", false, 3, 10);
        assert_eq!(values("a.b=0..1", false, 3, 20)[..10], ten);
        assert_ne!(values("a.b=0..1", false, 4, 10), ten);
        assert_ne!(values("a.c=0..1", false, 3, 10), ten);
    }
}
