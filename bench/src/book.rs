//! Subjects that keep an order book: ours, a pair of `BTreeMap`s, and the depth types of hftbacktest.
//!
//! What is in the time: the levels of all diffs of a stream, given as numbers, and a look at the touch
//! after each diff. Ours also checks that the update ids chain and that the book is not crossed, which
//! the others do not. Loading the snapshot is not in the time.

use std::collections::BTreeMap;
use std::hint::black_box;

use fusewire_core::book::{Book, BookConfig, BookSide, Invalid, Outcome, SyncRule};
use fusewire_core::market::{Body, Decoded, Level};
use fusewire_core::units::{Px, Qty};
use fusewire_io::decode::Decoder;

use crate::inputs::{DepthStream, MARKET};
use crate::measure::Subject;
use crate::peers::{Json, Memory};
use crate::walk::TICK;
use crate::wire::{DepthText, DepthWire, Envelope};

#[cfg(feature = "peers")]
mod hft;

#[cfg(feature = "peers")]
pub use hft::{Depth, outside, peer as hft_peer};

/// Our book.
pub struct Ours<'s> {
    stream: &'s DepthStream,
    book: Book,
}

impl<'s> Ours<'s> {
    /// Over the diffs of a stream.
    #[must_use]
    pub fn new(stream: &'s DepthStream) -> Self {
        let book = Book::new(SyncRule::Futures, Some(TICK), &BookConfig::default());
        Self { stream, book }
    }
}

impl Subject for Ours<'_> {
    fn units(&self) -> u64 {
        self.stream.levels()
    }

    fn reset(&mut self) {
        load(&mut self.book, self.stream);
    }

    fn pass(&mut self) {
        for diff in &self.stream.diffs {
            let diff = black_box(diff);
            let outcome = self.book.on_diff(diff.ids, &diff.bids, &diff.asks);
            black_box((outcome, self.book.touch().ok()));
        }
    }
}

fn load(book: &mut Book, stream: &DepthStream) {
    // An invalid book takes any snapshot, also one that it had before.
    book.invalidate(Invalid::Stale);
    let outcome = book.on_snapshot(stream.last_id, &stream.bids, &stream.asks);
    assert_eq!(outcome, Outcome::Buffered, "the snapshot is loaded and waits for its frame");
}

/// What one would write first: a sorted map a side. It trusts its input.
#[derive(Default)]
struct Maps {
    bids: BTreeMap<Px, Qty>,
    asks: BTreeMap<Px, Qty>,
}

impl Maps {
    fn load(&mut self, stream: &DepthStream) {
        self.bids.clear();
        self.asks.clear();
        self.apply(&stream.bids, &stream.asks);
    }

    fn apply(&mut self, bids: &[Level], asks: &[Level]) {
        bids.iter().for_each(|level| set(&mut self.bids, level));
        asks.iter().for_each(|level| set(&mut self.asks, level));
    }

    fn touch(&self) -> (Option<Level>, Option<Level>) {
        let level = |(price, qty): (&Px, &Qty)| Level { price: *price, qty: *qty };
        (self.bids.last_key_value().map(level), self.asks.first_key_value().map(level))
    }
}

fn set(side: &mut BTreeMap<Px, Qty>, level: &Level) {
    if level.qty == Qty::ZERO {
        side.remove(&level.price);
    } else {
        side.insert(level.price, level.qty);
    }
}

/// The pair of `BTreeMap`s.
pub struct MapPeer<'s> {
    stream: &'s DepthStream,
    maps: Maps,
}

impl<'s> MapPeer<'s> {
    /// Over the diffs of a stream.
    #[must_use]
    pub fn new(stream: &'s DepthStream) -> Self {
        Self { stream, maps: Maps::default() }
    }
}

impl Subject for MapPeer<'_> {
    fn units(&self) -> u64 {
        self.stream.levels()
    }

    fn reset(&mut self) {
        self.maps.load(self.stream);
    }

    fn pass(&mut self) {
        for diff in &self.stream.diffs {
            let diff = black_box(diff);
            self.maps.apply(&diff.bids, &diff.asks);
            black_box(self.maps.touch());
        }
    }
}

/// Our decoder and our book: from the bytes of a frame to the new touch.
pub struct OursFromBytes<'s> {
    stream: &'s DepthStream,
    decoder: Decoder,
    out: Decoded,
    book: Book,
}

impl<'s> OursFromBytes<'s> {
    /// Over the frames of a stream.
    #[must_use]
    pub fn new(stream: &'s DepthStream) -> Self {
        let Ours { book, .. } = Ours::new(stream);
        Self { stream, decoder: Decoder::new(MARKET), out: Decoded::default(), book }
    }
}

impl Subject for OursFromBytes<'_> {
    fn units(&self) -> u64 {
        self.stream.frames.len() as u64
    }

    fn reset(&mut self) {
        load(&mut self.book, self.stream);
    }

    fn pass(&mut self) {
        for frame in &self.stream.frames {
            let good = self.decoder.decode(black_box(frame), &mut self.out).is_ok();
            for message in &self.out.messages {
                if let Body::Depth(depth) = message.body {
                    let levels = depth.levels;
                    let (bids, asks) = (self.out.bids(levels), self.out.asks(levels));
                    black_box(self.book.on_diff(depth.ids, bids, asks));
                }
            }
            black_box((good, self.book.touch().ok()));
        }
    }
}

/// simd-json, the core's number parser, and the pair of `BTreeMap`s; levels go straight from the text
/// into the maps.
pub struct SimdMapPeer<'s> {
    stream: &'s DepthStream,
    memory: Memory,
    maps: Maps,
}

impl<'s> SimdMapPeer<'s> {
    /// Over the frames of a stream.
    #[must_use]
    pub fn new(stream: &'s DepthStream) -> Self {
        Self { stream, memory: Memory::default(), maps: Maps::default() }
    }
}

impl Subject for SimdMapPeer<'_> {
    fn units(&self) -> u64 {
        self.stream.frames.len() as u64
    }

    fn reset(&mut self) {
        self.maps.load(self.stream);
    }

    fn pass(&mut self) {
        for frame in &self.stream.frames {
            let parsed = self.memory.parse(Json::Simd, black_box(frame.as_slice()));
            let text: Option<Envelope<'_, DepthText<'_>>> = parsed;
            if let Some(text) = &text {
                let ids = (text.data.E, text.data.T, text.data.U, text.data.u, text.data.pu);
                black_box((ids, text.data.s));
                set_texts(&mut self.maps.bids, &text.data.b);
                set_texts(&mut self.maps.asks, &text.data.a);
            }
            black_box((text.is_some(), self.maps.touch()));
        }
    }
}

fn set_texts(side: &mut BTreeMap<Px, Qty>, levels: &[[&str; 2]]) {
    for level in levels.iter().filter_map(DepthWire::level) {
        set(side, &level);
    }
}

/// Checks that our book stays valid over a stream, and that every peer has the same touch after each
/// diff and the same levels at the end.
///
/// # Errors
/// What differs.
pub fn check(stream: &DepthStream) -> Result<(), String> {
    let Ours { mut book, .. } = Ours::new(stream);
    load(&mut book, stream);
    let mut maps = Maps::default();
    maps.load(stream);
    for diff in &stream.diffs {
        let outcome = book.on_diff(diff.ids, &diff.bids, &diff.asks);
        maps.apply(&diff.bids, &diff.asks);
        let touch = book.touch().map_err(|why| format!("{outcome:?}, {why:?}: {:?}", diff.ids))?;
        if (touch.bid, touch.ask) != maps.touch() {
            return Err(format!("touch {touch:?}, maps {:?}", maps.touch()));
        }
    }
    for (side, map) in [(BookSide::Bid, &maps.bids), (BookSide::Ask, &maps.asks)] {
        let mut ours: Vec<_> = book.top(side, usize::MAX).map(|l| (l.price, l.qty)).collect();
        ours.sort();
        if !ours.into_iter().eq(map.iter().map(|(price, qty)| (*price, *qty))) {
            return Err(format!("{side:?}: the levels differ from the maps"));
        }
    }
    let (mut simd, mut ours) = (SimdMapPeer::new(stream), OursFromBytes::new(stream));
    simd.reset();
    ours.reset();
    simd.pass();
    ours.pass();
    if (simd.maps.bids, simd.maps.asks) != (maps.bids, maps.asks) {
        return Err("simd-json: the levels differ".to_owned());
    }
    if ours.book.touch() != book.touch() || ours.decoder.handed_over() > 0 {
        return Err("from bytes: the touch differs, or the slow decoder ran".to_owned());
    }
    #[cfg(feature = "peers")]
    hft::check(stream)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk;

    #[test]
    fn peers_hold_the_same_book() {
        assert_eq!(check(&walk::stream()), Ok(()));
    }
}
