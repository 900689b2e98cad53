//! Several recordings as one, in the order of receive times.

use std::collections::BTreeSet;

use fusewire_core::units::Nanos;

use super::Record;
use super::error::CaptureError;
use super::reader::Reader;

/// Recordings that can be merged. Each step looks at every one, and each holds a file open.
pub const SOURCES_MAX: usize = 256;

/// A merge of recordings.
///
/// A recording is never reordered: a record whose time lies before its predecessor's counts as of the
/// predecessor's time. Equal times go by the order in which the readers were given.
pub struct Merge {
    readers: Vec<Reader>,
    heads: Vec<Head>,
    /// The reader that comes first, once that was found out.
    first: Option<usize>,
}

/// Where a reader stands.
///
/// A head counts by its own time. That gives the order that `Merge` promises without keeping the latest
/// time of each reader: a record was given out because no other head came before it, so a successor
/// with a lower time goes next under either key.
#[derive(Clone, Copy)]
enum Head {
    /// Its next record is not read yet.
    Unread,
    /// Its next record is read and was received then.
    At(Nanos),
    /// It has ended.
    End,
}

impl Merge {
    /// Over readers in the order that settles ties.
    ///
    /// # Errors
    /// The same recording is given twice, or there are more than `SOURCES_MAX`.
    pub fn new(readers: Vec<Reader>) -> Result<Self, CaptureError> {
        let count = readers.len();
        if count > SOURCES_MAX {
            return Err(CaptureError::TooManySources { count });
        }
        let mut places = BTreeSet::new();
        let mut with_place =
            readers.iter().filter_map(|reader| reader.place().map(|place| (place, reader)));
        if let Some((_, twice)) = with_place.find(|(place, _)| !places.insert(*place)) {
            return Err(CaptureError::Twice { file: twice.name().to_owned() });
        }
        Ok(Self { readers, heads: vec![Head::Unread; count], first: None })
    }

    /// The next record of all; `None` at the end. Its `source` is the index of its reader.
    ///
    /// # Errors
    /// The next record of one reader is faulty. Reading can go on as in [`Reader::next`].
    #[allow(clippy::should_implement_trait)] // It lends, which `Iterator` can not.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        let Some(source) = self.first()? else { return Ok(None) };
        (self.heads[source], self.first) = (Head::Unread, None);
        Ok(self.readers[source].record().map(|record| Record { source, ..record }))
    }

    /// When the next record of all was received; `None` at the end.
    ///
    /// # Errors
    /// As in `next`, which then says nothing of it.
    pub fn peek(&mut self) -> Result<Option<Nanos>, CaptureError> {
        let Some(source) = self.first()? else { return Ok(None) };
        Ok(match self.heads[source] {
            Head::At(recv) => Some(recv),
            Head::Unread | Head::End => None,
        })
    }

    /// The readers, as given.
    #[must_use]
    pub fn readers(&self) -> &[Reader] {
        &self.readers
    }

    /// Fills the heads and finds the one that comes first.
    fn first(&mut self) -> Result<Option<usize>, CaptureError> {
        if self.first.is_none() {
            self.first = self.find_first()?;
        }
        Ok(self.first)
    }

    fn find_first(&mut self) -> Result<Option<usize>, CaptureError> {
        let mut first: Option<(usize, Nanos)> = None;
        for (source, head) in self.heads.iter_mut().enumerate() {
            if matches!(head, Head::Unread) {
                *head = self.readers[source].advance()?.map_or(Head::End, Head::At);
            }
            if let Head::At(recv) = *head
                && first.is_none_or(|(_, earliest)| recv < earliest)
            {
                first = Some((source, recv));
            }
        }
        Ok(first.map(|(source, _)| source))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::capture::OpenOptions;
    use crate::capture::testing::reader;

    const START: u64 = 1_723_161_255_000_000_000;

    /// (source, line, receive time, bytes)
    type Seen = (usize, u64, u64, Vec<u8>);

    /// A recording with these times after `START`; every frame is different.
    fn recording(source: usize, offsets: &[u64]) -> String {
        let line = |(at, offset): (usize, &u64)| format!("{} [{source},{at}]\n", START + offset);
        offsets.iter().enumerate().map(line).collect()
    }

    fn merge(files: &[Vec<u64>]) -> Merge {
        let open = |(source, offsets): (usize, &Vec<u64>)| {
            reader("x", recording(source, offsets).as_bytes(), &OpenOptions::default()).unwrap()
        };
        Merge::new(files.iter().enumerate().map(open).collect()).unwrap()
    }

    fn drain(merge: &mut Merge) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some(record) = merge.next().unwrap() {
            seen.push((record.source, record.line, record.recv.0, record.bytes.to_vec()));
        }
        seen
    }

    /// All records, each under the latest time up to it in its file, sorted stably.
    fn naive(files: &[Vec<u64>]) -> Vec<Seen> {
        let mut keyed = Vec::new();
        for (source, offsets) in files.iter().enumerate() {
            let mut latest = 0;
            for (at, offset) in offsets.iter().enumerate() {
                latest = latest.max(*offset);
                let bytes = format!("[{source},{at}]").into_bytes();
                keyed.push((latest, (source, at as u64 + 1, START + offset, bytes)));
            }
        }
        keyed.sort_by_key(|(key, seen)| (*key, seen.0));
        keyed.into_iter().map(|(_, seen)| seen).collect()
    }

    proptest! {
        #[test]
        fn a_merge_equals_the_naive_sort(
            // Few different times, so that ties and steps back are common.
            files in prop::collection::vec(prop::collection::vec(0_u64..12, 1..20), 0..12),
        ) {
            prop_assert_eq!(drain(&mut merge(&files)), naive(&files));
        }
    }

    #[test]
    fn a_step_back_in_time_stays_in_its_place_and_ties_go_to_the_first_source() {
        let order: Vec<_> = drain(&mut merge(&[vec![5, 1, 6], vec![2, 5, 5]]))
            .into_iter()
            .map(|(source, line, ..)| (source, line))
            .collect();
        assert_eq!(order, vec![(1, 1), (0, 1), (0, 2), (1, 2), (1, 3), (0, 3)]);
    }

    #[test]
    fn nothing_to_merge() {
        let mut empty = Merge::new(Vec::new()).unwrap();
        assert!(empty.next().unwrap().is_none());
        assert!(empty.readers().is_empty());
    }

    #[test]
    fn an_error_of_one_source_surfaces_and_the_others_go_on() {
        let bad = format!("{} [1]\nbroken\n{} [2]\n", START + 1, START + 4);
        let readers = [recording(0, &[0, 2, 5]), bad]
            .map(|text| reader("x", text.as_bytes(), &OpenOptions::default()).unwrap());
        let mut merge = Merge::new(readers.into()).unwrap();
        assert_eq!(merge.next().unwrap().map(|record| record.source), Some(0));
        assert_eq!(merge.next().unwrap().map(|record| record.source), Some(1));
        assert!(merge.next().unwrap_err().to_string().contains("line 2"));
        let rest: Vec<_> = drain(&mut merge).into_iter().map(|seen| (seen.0, seen.1)).collect();
        assert_eq!(rest, vec![(0, 2), (1, 3), (0, 3)]);
    }

    #[test]
    fn the_same_file_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = |path: &Path| Reader::open(path, &OpenOptions::default()).unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&first, recording(0, &[1])).unwrap();
        fs::write(&second, recording(0, &[1])).unwrap();
        assert_eq!(drain(&mut Merge::new(vec![open(&first), open(&second)]).unwrap()).len(), 2);
        let detour = folder.path().join(".").join("a");
        let error = Merge::new(vec![open(&first), open(&second), open(&detour)]).err().unwrap();
        assert!(error.to_string().ends_with("/a: given twice"), "{error}");
    }

    #[test]
    fn there_is_a_bound_on_sources() {
        let open = || {
            let input = Box::new(Cursor::new(recording(0, &[1])));
            Reader::from_read("x", input, &OpenOptions::default()).unwrap()
        };
        let readers = |count: usize| (0..count).map(|_| open()).collect();
        assert!(Merge::new(readers(SOURCES_MAX)).is_ok());
        let error = Merge::new(readers(SOURCES_MAX + 1)).err().unwrap();
        assert_eq!(error.to_string(), "257 captures at once: at most 256 can be merged");
    }
}
