//! Truncation replay: the same run again with its future cut off must give the same past (X20).
//!
//! Two runs are compared by the digests of all prefixes of their lanes, eight bytes a record. Whatever looked ahead
//! (a strategy, or data that was prepared with all of a capture) decides something else when there is less to look at.

use fusewire_core::lane::{Digest, Lane};
use fusewire_core::units::Nanos;

use super::Past;
use crate::engine::Run;
use crate::journal::text::utc;
use crate::outcome::Failure;

/// What a run did, record by record.
pub struct Trace {
    lanes: Vec<(Lane, Vec<u64>)>,
}

impl Trace {
    /// Of a run whose lanes kept their prefixes; none of one whose lanes did not.
    #[must_use]
    pub fn of(run: &Run) -> Option<Self> {
        let lanes = run.lanes().map(|(lane, writer)| Some((lane, writer.prefixes()?.to_vec())));
        Some(Self { lanes: lanes.into_iter().collect::<Option<_>>()? })
    }

    /// Where a shorter run parts from this one: the lanes that differ, each with the number of its first record that
    /// does, from 1.
    fn parts_from(&self, shorter: &Self) -> Vec<(Lane, u64)> {
        let both = self.lanes.iter().zip(&shorter.lanes);
        let parted = both.filter_map(|((lane, whole), (_, short))| {
            let same = whole.iter().zip(short).take_while(|(whole, short)| whole == short).count();
            (same < short.len()).then_some((*lane, same as u64 + 1))
        });
        parted.collect()
    }
}

/// Runs again for each cut and compares with the whole run. The first difference ends it.
///
/// # Errors
/// That of a run.
pub fn check(
    whole: &Trace,
    cuts: &[Nanos],
    run: &mut dyn FnMut(Nanos) -> Result<Trace, Failure>,
) -> Result<Past, Failure> {
    for (cut, made) in cuts.iter().zip(1..) {
        let parted = whole.parts_from(&run(*cut)?);
        if !parted.is_empty() {
            let lane =
                |(lane, record): &(Lane, u64)| format!("{} from record {record} on", lane.name());
            let lanes: Vec<String> = parted.iter().map(lane).collect();
            let what = format!("cut off after {}, lanes differ: {}", utc(*cut), lanes.join(", "));
            return Ok(Past { cuts: made, difference: Some(what) });
        }
    }
    Ok(Past { cuts: cuts.len() as u64, difference: None })
}

/// Where to cut: places within a span that only a seed decides, in the order of time. A span without length has none.
#[must_use]
pub fn places((first, last): (Nanos, Nanos), seed: u64, count: u32) -> Vec<Nanos> {
    let length = last.0.saturating_sub(first.0);
    if length == 0 {
        return Vec::new();
    }
    let place = |n: u32| {
        let digest = Digest::of(&[&b"cut"[..], &seed.to_le_bytes(), &n.to_le_bytes()].concat());
        // The last frame stays out, so that there is always something that was cut off.
        Nanos(first.0 + digest.head() % length)
    };
    let mut places: Vec<Nanos> = (0..count).map(place).collect();
    places.sort();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(alpha: &[u64]) -> Trace {
        Trace { lanes: vec![(Lane::Feed, vec![1, 2, 3]), (Lane::Alpha, alpha.to_vec())] }
    }

    #[test]
    fn x20_a_run_that_is_no_prefix_is_named_with_its_first_record() {
        let whole = trace(&[5, 6, 7]);
        for (shorter, parted) in [
            (trace(&[5, 6, 7]), vec![]),
            (trace(&[]), vec![]),
            (trace(&[5, 9]), vec![(Lane::Alpha, 2)]),
            (trace(&[5, 6, 7, 8]), vec![(Lane::Alpha, 4)]),
        ] {
            assert_eq!(whole.parts_from(&shorter), parted);
        }
        let mut runs = vec![trace(&[9]), trace(&[5])];
        let mut next = |_| Ok(runs.pop().unwrap());
        let cuts = [Nanos(1), Nanos(2), Nanos(3)];
        let past = check(&whole, &cuts, &mut next).unwrap();
        let what =
            "cut off after 1970-01-01T00:00:00.000000002Z, lanes differ: alpha from record 1 on";
        assert_eq!(
            (past.cuts, past.difference.as_deref()),
            (2, Some(what)),
            "the third is not made"
        );
    }

    #[test]
    fn places_are_those_of_the_seed_and_leave_the_end_out() {
        let span = (Nanos(100), Nanos(200));
        let found = places(span, 7, 50);
        assert_eq!((found.len(), &found), (50, &places(span, 7, 50)));
        assert!(found.is_sorted() && found.iter().all(|at| (100..200).contains(&at.0)));
        assert_ne!(found, places(span, 8, 50));
        assert!(places((Nanos(9), Nanos(9)), 7, 3).is_empty());
    }
}
