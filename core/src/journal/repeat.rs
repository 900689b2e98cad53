//! What an interrupted run left, met again by the run that goes on with it: the same, or it is not that run.

use super::reader::{End, LaneReader};
use crate::lane::Lane;

/// The records of one lane that must come out once more.
pub(super) struct Repeat {
    lane: Lane,
    reader: LaneReader,
}

impl std::fmt::Debug for Repeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Repeat({} at {:?})", self.lane.name(), self.reader.position())
    }
}

impl Repeat {
    /// The records that `reader` gives.
    pub(super) fn new(lane: Lane, reader: LaneReader) -> Self {
        Self { lane, reader }
    }

    /// True when the next one is this record; false when there is none left.
    ///
    /// # Errors
    /// The next one is another: in words.
    pub(super) fn meet(&mut self, kind: u8, parts: &[&[u8]]) -> Result<bool, String> {
        let (lane, number) = (self.lane.name(), self.reader.records() + 1);
        match self.reader.next() {
            Ok(Ok(record)) if record.kind == kind && is_made_of(record.payload, parts) => Ok(true),
            Ok(Ok(_)) => Err(format!(
                "record {number} of lane {lane} comes out otherwise than before the interruption: \
                 program, capture or configuration changed"
            )),
            Ok(Err(End::Limit)) => Ok(false),
            // What was there when the run was resumed must not be taken for having ended.
            Ok(Err(End::Segment(damage))) => Err(damage.to_string()),
            Ok(Err(End::Unpublished | End::Invalid)) => {
                Err(format!("record {number} of lane {lane} can not be read any more"))
            }
            Err(error) => Err(format!("lane {lane}: {error}")),
        }
    }
}

fn is_made_of(whole: &[u8], parts: &[&[u8]]) -> bool {
    let mut rest = whole;
    for part in parts {
        match rest.strip_prefix(*part) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_made_of;

    #[test]
    fn a_record_is_the_sum_of_its_parts() {
        assert!(is_made_of(b"abc", &[b"a", b"", b"bc"]));
        for parts in [&[b"ab".as_slice()][..], &[b"abc", b"d"], &[b"abd"], &[]] {
            assert!(!is_made_of(b"abc", parts), "{parts:?}");
        }
    }
}
