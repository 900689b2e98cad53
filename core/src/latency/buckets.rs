//! The buckets of a count array: as wide as a part of their value, so that few of them span nine decades.

/// Parts that each power of two is cut into, as a power of two: a bucket is at most 1.6 % wide.
const PART_BITS: u32 = 6;
const PARTS: u64 = 1 << PART_BITS;
/// Powers of two above the exact ones. The last bucket takes everything from about 69 s up.
const POWERS: usize = 30;

/// Buckets of a count array.
pub const BUCKETS: usize = PARTS as usize * (POWERS + 1);

/// The bucket that a latency in ns belongs to.
#[must_use]
pub fn bucket_of(ns: u64) -> usize {
    if ns < PARTS {
        return ns as usize;
    }
    let power = ns.ilog2() - PART_BITS;
    let part = (ns >> power) - PARTS;
    let bucket = (u64::from(power) + 1) * PARTS + part;
    (bucket as usize).min(BUCKETS - 1)
}

/// The lowest latency that belongs to a bucket, in ns.
#[must_use]
pub fn lowest_in(bucket: usize) -> u64 {
    let (row, part) = (bucket as u64 / PARTS, bucket as u64 % PARTS);
    if row == 0 { part } else { (PARTS + part) << (row - 1) }
}

/// The highest latency that belongs to a bucket, in ns; the last one takes all above too.
#[must_use]
pub fn highest_in(bucket: usize) -> u64 {
    if bucket >= BUCKETS - 1 { u64::MAX } else { lowest_in(bucket + 1) - 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_meet_without_holes() {
        for bucket in 0..BUCKETS - 1 {
            assert_eq!(bucket_of(lowest_in(bucket)), bucket);
            assert_eq!(bucket_of(highest_in(bucket)), bucket);
            assert_eq!(lowest_in(bucket + 1), highest_in(bucket) + 1);
        }
        assert_eq!((bucket_of(0), bucket_of(u64::MAX)), (0, BUCKETS - 1));
        assert!(lowest_in(BUCKETS - 1) > 60_000_000_000, "a minute is told apart");
    }

    proptest! {
        #[test]
        fn a_bucket_is_narrow(ns in 0_u64..60_000_000_000) {
            let bucket = bucket_of(ns);
            prop_assert!((lowest_in(bucket)..=highest_in(bucket)).contains(&ns));
            prop_assert!((highest_in(bucket) - lowest_in(bucket)) * PARTS <= ns);
        }
    }
}
