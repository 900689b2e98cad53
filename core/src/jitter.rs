//! Jitter that is a function of what it is for, not a draw from a stream: an order more or less
//! elsewhere changes nobody else's.

use crate::order::OrderId;
use crate::units::Nanos;

/// A number in 0..bound for a leg of an order; 0 when `bound` is 0.
///
/// The mixing is the finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014), once for each input.
#[must_use]
pub fn below(seed: u64, order: OrderId, leg: u64, bound: u64) -> u64 {
    let mixed = mix(mix(mix(seed) ^ order.0) ^ leg);
    // The high half of the product: unbiased enough, and no division.
    ((u128::from(mixed) * u128::from(bound)) >> 64) as u64
}

/// A span in 0..bound for a leg of an order.
#[must_use]
pub fn span(seed: u64, order: OrderId, leg: u64, bound: Nanos) -> Nanos {
    Nanos(below(seed, order, leg, bound.0))
}

fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_depends_on_seed_order_and_leg_and_stays_below() {
        let base = below(1, OrderId(2), 3, u64::MAX);
        assert_eq!(base, below(1, OrderId(2), 3, u64::MAX));
        for other in [
            below(2, OrderId(2), 3, u64::MAX),
            below(1, OrderId(3), 3, u64::MAX),
            below(1, OrderId(2), 4, u64::MAX),
        ] {
            assert_ne!(base, other);
        }
        let mut counts = [0_u32; 10];
        for leg in 0..10_000 {
            counts[usize::try_from(below(7, OrderId(9), leg, 10)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|n| (900..1_100).contains(n)), "{counts:?}");
        assert_eq!(span(1, OrderId(1), 1, Nanos(0)), Nanos(0));
    }
}
