//! The digest of a lane, taken out of the way of its records: their bytes are copied to memory of a fixed
//! size, and hashed many at a time when the stage has nothing else to do, or when that memory is full.
//!
//! BLAKE3 hashes a record of 100 bytes one block after another. Of whole portions it hashes sixteen pieces of
//! 1 KiB side by side, which takes a fraction of the time a byte.

use super::Digest;

/// Bytes that are hashed in one go: sixteen of the pieces that BLAKE3 hashes side by side, as many as the
/// widest registers hold. The places of portions are multiples of it, because only then are they whole
/// subtrees of the hash.
pub(super) const PORTION_BYTES: usize = 16 << 10;

/// Bytes that may wait: four portions. Where a stage never rests, one record in several hundred has to wait
/// for them to be hashed, and more of them would push the book out of the caches.
const WAITING_BYTES: usize = 4 * PORTION_BYTES;

/// The place of a byte is masked out of its number.
const _: () = assert!(WAITING_BYTES.is_power_of_two());

/// A digest and the bytes that it does not cover yet.
pub(super) struct Digester {
    hasher: blake3::Hasher,
    /// A ring. Byte `n` of all that there ever were stands at `n % WAITING_BYTES`.
    waiting: Box<[u8]>,
    /// Bytes put in so far.
    written: u64,
    /// Bytes hashed so far: whole portions, unless every record is hashed at once.
    hashed: u64,
    /// Up to here bytes can be put in without wrapping around and without meeting those that wait.
    limit: u64,
}

impl Digester {
    pub(super) fn new() -> Self {
        // Not zeros: those the system would hand out page by page, in the middle of the run.
        let waiting = vec![u8::MAX; WAITING_BYTES].into_boxed_slice();
        let limit = WAITING_BYTES as u64;
        Self { hasher: blake3::Hasher::new(), waiting, written: 0, hashed: 0, limit }
    }

    /// Takes a record that lies in pieces.
    pub(super) fn take(&mut self, parts: &[&[u8]]) {
        let length = length_of(parts);
        let after = self.written + 8 + length;
        if after > self.limit {
            return self.take_slowly(length, parts);
        }
        let (at, bytes) = (place(self.written), 8 + length as usize);
        let place = &mut self.waiting[at..at + bytes];
        // There are eight bytes at least.
        let Some((first, mut to)) = place.split_first_chunk_mut() else { return };
        *first = length.to_le_bytes();
        for part in parts {
            let (here, behind) = to.split_at_mut(part.len());
            here.copy_from_slice(part);
            to = behind;
        }
        self.written = after;
    }

    /// What wraps around, finds the memory full, or is larger than the memory is.
    #[cold]
    #[inline(never)]
    fn take_slowly(&mut self, length: u64, parts: &[&[u8]]) {
        self.put(&length.to_le_bytes());
        parts.iter().for_each(|part| self.put(part));
    }

    /// Takes a record, hashes it at once, and returns the digest up to it. Slow: for comparing runs.
    #[cold]
    #[inline(never)]
    pub(super) fn take_hashed(&mut self, parts: &[&[u8]]) -> Digest {
        assert_eq!(self.written, self.hashed, "nothing waits where records are hashed at once");
        self.hasher.update(&length_of(parts).to_le_bytes());
        for part in parts {
            self.hasher.update(part);
        }
        self.digest()
    }

    /// Hashes a portion, if one waits. Returns the bytes hashed.
    pub(super) fn rest(&mut self) -> usize {
        if self.written - self.hashed < PORTION_BYTES as u64 {
            return 0;
        }
        let from = place(self.hashed);
        self.hasher.update(&self.waiting[from..from + PORTION_BYTES]);
        self.hashed += PORTION_BYTES as u64;
        self.set_limit();
        PORTION_BYTES
    }

    /// The digest over all records, those that wait included.
    pub(super) fn digest(&self) -> Digest {
        let mut hasher = self.hasher.clone();
        let (mut from, left) = (place(self.hashed), (self.written - self.hashed) as usize);
        let first = left.min(WAITING_BYTES - from);
        hasher.update(&self.waiting[from..from + first]);
        from = 0;
        hasher.update(&self.waiting[from..left - first]);
        Digest(*hasher.finalize().as_bytes())
    }

    fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.make_room();
            let room = usize::try_from(self.limit - self.written).unwrap_or(usize::MAX);
            let (piece, rest) = bytes.split_at(room.min(bytes.len()));
            let at = place(self.written);
            self.waiting[at..at + piece.len()].copy_from_slice(piece);
            self.written += piece.len() as u64;
            bytes = rest;
        }
    }

    fn make_room(&mut self) {
        if self.written - self.hashed == WAITING_BYTES as u64 {
            while self.rest() > 0 {}
        }
        self.set_limit();
    }

    fn set_limit(&mut self) {
        let to_the_end = WAITING_BYTES - place(self.written);
        self.limit = (self.written + to_the_end as u64).min(self.hashed + WAITING_BYTES as u64);
    }
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digester({} of {} bytes hashed)", self.hashed, self.written)
    }
}

fn place(number: u64) -> usize {
    number as usize % WAITING_BYTES
}

/// The length in front keeps `ab`, `c` apart from `a`, `bc`.
fn length_of(parts: &[&[u8]]) -> u64 {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    length as u64
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Pieces of a record.
    type Pieces = Vec<Vec<u8>>;

    /// What a stage does.
    #[derive(Clone, Debug)]
    enum Step {
        Take(Pieces),
        Rest,
    }

    fn pieces(bytes_max: usize) -> impl Strategy<Value = Pieces> {
        vec(vec(any::<u8>(), 0..=bytes_max), 0..4)
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            20 => pieces(300).prop_map(Step::Take),
            4 => pieces(20_000).prop_map(Step::Take),
            1 => pieces(2 * WAITING_BYTES).prop_map(Step::Take),
            6 => Just(Step::Rest),
        ];
        vec(step, 0..60)
    }

    fn naive(records: &[Pieces]) -> Digest {
        let mut all = Vec::new();
        for pieces in records {
            let record = pieces.concat();
            all.extend((record.len() as u64).to_le_bytes());
            all.extend(record);
        }
        Digest::of(&all)
    }

    fn slices(pieces: &Pieces) -> Vec<&[u8]> {
        pieces.iter().map(Vec::as_slice).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn when_it_rests_changes_no_digest(steps in steps()) {
            let (mut digester, mut at_once) = (Digester::new(), Digester::new());
            let mut records = Vec::new();
            for step in steps {
                match step {
                    Step::Rest => {
                        let waiting = digester.written - digester.hashed;
                        let most = PORTION_BYTES as u64;
                        let expected = if waiting < most { 0 } else { PORTION_BYTES };
                        prop_assert_eq!(digester.rest(), expected);
                    }
                    Step::Take(pieces) => {
                        digester.take(&slices(&pieces));
                        let head = at_once.take_hashed(&slices(&pieces));
                        records.push(pieces);
                        prop_assert_eq!(head, digester.digest());
                        prop_assert_eq!(at_once.rest(), 0);
                    }
                }
                prop_assert!(digester.limit - digester.hashed <= WAITING_BYTES as u64);
                prop_assert!(digester.written <= digester.limit);
            }
            prop_assert_eq!(digester.digest(), naive(&records));
        }
    }

    #[test]
    fn a_stage_that_rests_in_time_never_waits_for_the_hash() {
        let mut digester = Digester::new();
        let (record, mut hashed) = ([3; 100], 0);
        for _ in 0..10_000 {
            digester.take(&[&record]);
            // Less than this is left behind by a rest: whatever comes until the next one has room.
            assert!(digester.written - digester.hashed <= (PORTION_BYTES + 108) as u64);
            hashed += digester.rest() as u64;
        }
        assert_eq!(hashed, digester.hashed);
        assert_eq!(hashed, 10_000 * 108 / PORTION_BYTES as u64 * PORTION_BYTES as u64);
    }

    #[test]
    fn a_stage_that_never_rests_hashes_all_that_waits_once_it_is_full() {
        let mut digester = Digester::new();
        let whole = [7; WAITING_BYTES - 8];
        digester.take(&[&whole]);
        assert_eq!(digester.hashed, 0);
        digester.take(&[]);
        assert_eq!((digester.hashed, digester.written), (65_536, 65_544));
        assert_eq!(digester.digest(), naive(&[vec![whole.to_vec()], vec![]]));
    }
}
