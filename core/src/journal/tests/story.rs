//! What the files of a journal say, read without the journal's own code, and what the format's rules make of it.

use std::fs;

use super::rig::Held;
use super::*;

/// A record as it lies in its lane.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) start: Position,
    pub(super) end: Position,
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
}

impl Piece {
    /// The event or frame that it names.
    fn number(&self) -> Option<u64> {
        let frames = [RecordKind::Header, RecordKind::Pending, RecordKind::Close];
        let names = !frames.iter().any(|kind| *kind as u8 == self.kind);
        names.then(|| u64::from_le_bytes(self.payload[..8].try_into().unwrap()))
    }
}

/// A whole journal: its records, where its segments end, and its control page.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) pieces: [Vec<Piece>; Lane::ALL.len()],
    /// Behind the last record of each lane, or the start of a segment that holds none yet.
    pub(super) ends: [Position; Lane::ALL.len()],
    pub(super) control: ControlPage,
}

/// Reads a journal that nothing is wrong with.
pub(super) fn story(dir: &Path) -> Story {
    let mut ends = [Position::default(); Lane::ALL.len()];
    let pieces = Lane::ALL.map(|lane| {
        let (pieces, end) = walk(dir, lane);
        ends[lane as usize] = end;
        pieces
    });
    Story { pieces, ends, control: ControlPage::read(dir).unwrap().unwrap() }
}

fn walk(dir: &Path, lane: Lane) -> (Vec<Piece>, Position) {
    let (mut pieces, mut segment, mut at) = (Vec::new(), 1, 128);
    let read = |segment| fs::read(dir.join(format!("{}-{segment:06}.seg", lane.name()))).ok();
    let is_used = |bytes: &Vec<u8>| bytes.len() >= 128 && bytes[64..128] != [0; 64];
    let mut bytes = read(segment).unwrap();
    loop {
        let four = |at: usize| bytes.get(at..at + 4).map(|four| four.try_into().unwrap());
        let word = four(at).map_or(0, u32::from_le_bytes);
        let next = read(segment + 1).filter(is_used);
        match (word, next) {
            (u32::MAX, Some(next)) => (bytes, segment, at) = (next, segment + 1, 128),
            // An earlier writer's last segment is cut where it ended.
            (0, Some(next)) if at == bytes.len() => (bytes, segment, at) = (next, segment + 1, 128),
            (0, _) => return (pieces, Position::new(segment, at as u32)),
            (length, _) => {
                let payload = u32::from_le_bytes(four(at + 8).unwrap()) as usize;
                let end = at + length as usize;
                pieces.push(Piece {
                    start: Position::new(segment, at as u32),
                    end: Position::new(segment, end as u32),
                    kind: bytes[at + 12],
                    payload: bytes[at + 16..at + 16 + payload].to_vec(),
                });
                at = end;
            }
        }
    }
}

impl Story {
    /// Where a lane ends that is only good up to `upto`: behind the last record before it, or at the start of
    /// a segment that was gone over to.
    pub(super) fn end_before(&self, lane: Lane, upto: Position) -> Position {
        let ends = self.pieces[lane as usize].iter().map(|piece| piece.end);
        let last = ends.filter(|end| *end <= upto).max().unwrap_or(Position::new(1, 128));
        if upto.offset() < 128 { last } else { last.max(Position::new(upto.segment(), 128)) }
    }

    /// The cut and the lanes of an interrupted journal whose lanes are good up to these ends: `docs/journal.md`,
    /// Recovery.
    pub(super) fn cut(&self, ends: &[Position; Lane::ALL.len()]) -> (u64, [Held; Lane::ALL.len()]) {
        let cut = Lane::ALL[1..].iter().map(|lane| self.done(*lane, ends)).min().unwrap();
        let cut = cut.min(self.founded(ends));
        let lanes = Lane::ALL.map(|lane| {
            let upto = if lane == Lane::Feed { u64::MAX } else { cut };
            let good = self.good(lane, ends);
            let kept = good.take_while(|piece| match piece.number() {
                Some(number) => number <= upto,
                None => piece.kind == RecordKind::Header as u8,
            });
            kept.map(|piece| (piece.kind, piece.payload.clone())).collect()
        });
        (cut, lanes)
    }

    /// The last event before the first one above the watermark whose frame is not there.
    fn founded(&self, ends: &[Position; 5]) -> u64 {
        let frames = self.good(Lane::Feed, ends).filter_map(Piece::number).last().unwrap_or(0);
        let synced = self.control.synced.map(|lanes| lanes[Lane::Event as usize].position);
        let Some(synced) = synced else { return u64::MAX };
        if self.is_short(Lane::Feed, ends[Lane::Feed as usize]) {
            // Frames are missing that were on the medium: that is damage, and the events stay.
            return u64::MAX;
        }
        // In these journals the frame of an event has the event's number.
        let mut events = self.good(Lane::Event, ends).filter(|piece| piece.start >= synced);
        let first = events.find_map(|piece| piece.number().filter(|number| *number > frames));
        first.map_or(u64::MAX, |event| event - 1)
    }

    fn good(&self, lane: Lane, ends: &[Position; 5]) -> impl Iterator<Item = &Piece> {
        let end = ends[lane as usize];
        self.pieces[lane as usize].iter().take_while(move |piece| piece.end <= end)
    }

    /// The last event that a lane has wholly handled.
    fn done(&self, lane: Lane, ends: &[Position; 5]) -> u64 {
        let shown = self.good(lane, ends).filter_map(Piece::number).last().unwrap_or(0);
        let shown = shown.saturating_sub(1);
        let end = ends[lane as usize];
        let synced = self.control.synced.map(|lanes| lanes[lane as usize]);
        let synced = synced.filter(|done| done.position <= end).map_or(0, |done| done.seq);
        match self.control.done[lane as usize] {
            Some(done) if done.position <= end => done.seq,
            Some(done) => shown.min(done.seq).max(synced),
            None => shown.max(synced),
        }
    }

    /// True when a lane that ends here lost what the watermark says was on the medium.
    pub(super) fn is_short(&self, lane: Lane, end: Position) -> bool {
        self.control.synced.is_some_and(|lanes| lanes[lane as usize].position > end)
    }
}

/// Every lane holds exactly what it should, and the cut is where it should be.
pub(super) fn assert_holds(view: &View, (cut, lanes): &(u64, [Held; 5]), what: &str) {
    assert_eq!(view.cut, *cut, "{what}");
    for lane in Lane::ALL {
        let (held, should) = (rig::held(view, lane), &lanes[lane as usize]);
        assert_eq!(held.len(), should.len(), "{what}: {}", lane.name());
        assert!(held == *should, "{what}: a record of {} differs", lane.name());
    }
}

impl Story {
    /// Where the lanes of a folder end that holds the same files but for some that were changed: at the last
    /// record up to which every byte is where it was.
    pub(super) fn ends_in(&self, whole: &Path, changed: &Path) -> [Position; Lane::ALL.len()] {
        Lane::ALL.map(|lane| self.end_in(lane, whole, changed))
    }

    fn end_in(&self, lane: Lane, whole: &Path, changed: &Path) -> Position {
        let read = |dir: &Path, segment| {
            fs::read(dir.join(segment_name(Strand::Lane(lane), segment))).unwrap_or_default()
        };
        let (mut end, last) = (Position::new(1, 128), self.ends[lane as usize]);
        for segment in 1..=last.segment() {
            let (old, new) = (read(whole, segment), read(changed, segment));
            let same = |from: Position, to: Position| {
                let range = from.offset() as usize..to.offset() as usize;
                new.get(range.clone()).is_some_and(|bytes| bytes == &old[range])
            };
            let start = Position::new(segment, 128);
            if !same(Position::new(segment, 0), start) {
                return end;
            }
            end = start;
            let pieces = self.pieces[lane as usize].iter();
            for piece in pieces.filter(|piece| piece.start.segment() == segment) {
                if !same(piece.start, piece.end) {
                    return end;
                }
                end = piece.end;
            }
            if segment < last.segment() && !same(end, Position::new(segment, end.offset() + 8)) {
                return end;
            }
        }
        end
    }

    /// True when a record behind the end of a lane is still where it was.
    pub(super) fn has_more(&self, lane: Lane, end: Position, whole: &Path, changed: &Path) -> bool {
        self.pieces[lane as usize].iter().filter(|piece| piece.start >= end).any(|piece| {
            let name = segment_name(Strand::Lane(lane), piece.start.segment());
            let range = piece.start.offset() as usize..piece.end.offset() as usize;
            let of = |dir: &Path| {
                fs::read(dir.join(&name))
                    .ok()
                    .and_then(|all| Some(all.get(range.clone())?.to_vec()))
            };
            of(changed).is_some_and(|bytes| Some(bytes) == of(whole))
        })
    }
}
