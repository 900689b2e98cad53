//! Which segments a folder holds.

use std::fs;
use std::io;
use std::path::Path;

use super::layout::{Strand, parse_name};

/// The segments of a folder by strand and number, as their names say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing(Vec<(Strand, u32)>);

impl Listing {
    /// Looks into a folder; one that is not there holds nothing.
    pub(super) fn of(dir: &Path) -> io::Result<Self> {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if is_nowhere(&error) => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            found.extend(entry?.file_name().to_str().and_then(parse_name));
        }
        found.sort_unstable();
        Ok(Self(found))
    }

    /// Numbers of the segments of a strand, in order.
    pub(super) fn indexes(&self, strand: Strand) -> impl Iterator<Item = u32> {
        let start = self.0.partition_point(|(other, _)| *other < strand);
        self.0[start..]
            .iter()
            .take_while(move |(other, _)| *other == strand)
            .map(|(_, index)| *index)
    }

    /// True when there is a segment of any lane.
    pub(super) fn has_lanes(&self) -> bool {
        self.0.iter().any(|(strand, _)| *strand != Strand::Orphans)
    }
}

fn is_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::Lane;

    #[test]
    fn strands_are_kept_apart_and_numbers_are_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["event-000010.seg", "event-000002.seg", "feed-000001.seg", "event-2.seg", "x"]
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let listing = Listing::of(folder.path()).unwrap();
        let of = |strand| listing.indexes(strand).collect::<Vec<u32>>();
        assert_eq!(of(Strand::Lane(Lane::Event)), [2, 10]);
        assert_eq!(of(Strand::Lane(Lane::Feed)), [1]);
        assert_eq!((of(Strand::Orphans), of(Strand::Lane(Lane::Gateway))), (vec![], vec![]));
        assert!(listing.has_lanes());
        for nothing in [folder.path().join("x"), folder.path().join("nowhere")] {
            assert_eq!(Listing::of(&nothing).unwrap(), Listing::default());
        }
    }
}
