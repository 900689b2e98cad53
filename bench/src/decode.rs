//! Subjects that decode frames: ours and the JSON crates.
//!
//! What is in the time: from the bytes of a frame to numbers in a reused place. For simd-json that
//! includes the copy of the frame that it overwrites; for all peers the small vectors that serde makes
//! for the levels of a depth frame.

use std::hint::black_box;
use std::marker::PhantomData;

use fusewire_core::market::{Decoded, Kind, Kline, Span};
use fusewire_io::decode::Decoder;

use crate::inputs::{FrameSet, MARKET, only_message};
use crate::measure::Subject;
use crate::peers::{Json, Memory};
use crate::wire::{
    AggTradeWire, BookTickerWire, DepthWire, Envelope, KlineWire, LiquidationWire, MarkWire,
    TradeWire, Wire,
};

/// How far a peer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Numbers stay text: less than our decoder does, and a bound for any way of reading numbers.
    Text,
    /// Numbers become fixed point by the core's exact parser: the same result as ours.
    Fixed,
}

/// Our decoder.
pub struct Ours<'f> {
    frames: &'f [Vec<u8>],
    decoder: Decoder,
    out: Decoded,
}

impl<'f> Ours<'f> {
    /// Over the frames of a set.
    #[must_use]
    pub fn new(set: &'f FrameSet) -> Self {
        Self { frames: &set.frames, decoder: Decoder::new(MARKET), out: Decoded::default() }
    }
}

impl Subject for Ours<'_> {
    fn units(&self) -> u64 {
        self.frames.len() as u64
    }

    fn pass(&mut self) {
        for frame in self.frames {
            let good = self.decoder.decode(black_box(frame), &mut self.out).is_ok();
            black_box((good, &self.out));
        }
    }
}

/// A JSON crate.
struct Peer<'f, W: Wire> {
    frames: &'f [Vec<u8>],
    json: Json,
    extent: Extent,
    memory: Memory,
    arena: Decoded,
    wire: PhantomData<W>,
}

impl<W: Wire> Subject for Peer<'_, W> {
    fn units(&self) -> u64 {
        self.frames.len() as u64
    }

    fn pass(&mut self) {
        for frame in self.frames {
            let parsed = self.memory.parse(self.json, black_box(frame.as_slice()));
            let text: Option<Envelope<'_, W::Text<'_>>> = parsed;
            if self.extent == Extent::Fixed
                && let Some(text) = &text
            {
                self.arena.clear();
                let body = W::read(&text.data, &mut self.arena);
                black_box((body, W::symbol(&text.data), text.stream, &self.arena));
            } else {
                black_box(&text);
            }
        }
    }
}

/// A JSON crate over the frames of a set.
///
/// # Panics
/// When the set is of a kind that has no typed frame here.
#[must_use]
pub fn peer<'f>(set: &'f FrameSet, json: Json, extent: Extent) -> Box<dyn Subject + 'f> {
    fn of<'f, W: Wire>(set: &'f FrameSet, json: Json, extent: Extent) -> Box<dyn Subject + 'f> {
        let (memory, arena) = (Memory::default(), Decoded::default());
        let frames = &set.frames;
        Box::new(Peer::<W> { frames, json, extent, memory, arena, wire: PhantomData })
    }
    match set.kind {
        Kind::BookTicker => of::<BookTickerWire>(set, json, extent),
        Kind::Trade => of::<TradeWire>(set, json, extent),
        Kind::AggTrade => of::<AggTradeWire>(set, json, extent),
        Kind::Mark => of::<MarkWire>(set, json, extent),
        Kind::Depth => of::<DepthWire>(set, json, extent),
        Kind::Liquidation => of::<LiquidationWire>(set, json, extent),
        Kind::Kline => of::<KlineWire>(set, json, extent),
        Kind::PartialDepth
        | Kind::Snapshot
        | Kind::ContractInfo
        | Kind::Funding
        | Kind::OpenInterest
        | Kind::DepthBand => {
            panic!("{} is not measured", set.kind.name())
        }
    }
}

/// Checks that every peer reads the same numbers out of every frame as our decoder, and that our decoder
/// does it itself.
///
/// # Errors
/// What differs.
pub fn check(set: &FrameSet) -> Result<(), String> {
    match set.kind {
        Kind::BookTicker => check_as::<BookTickerWire>(set),
        Kind::Trade => check_as::<TradeWire>(set),
        Kind::AggTrade => check_as::<AggTradeWire>(set),
        Kind::Mark => check_as::<MarkWire>(set),
        Kind::Depth => check_as::<DepthWire>(set),
        Kind::Liquidation => check_as::<LiquidationWire>(set),
        Kind::Kline => check_as::<KlineWire>(set),
        Kind::PartialDepth
        | Kind::Snapshot
        | Kind::ContractInfo
        | Kind::Funding
        | Kind::OpenInterest
        | Kind::DepthBand => Err(format!("{} is not measured", set.kind.name())),
    }
}

fn check_as<W: Wire>(set: &FrameSet) -> Result<(), String> {
    let (mut decoder, mut out) = (Decoder::new(MARKET), Decoded::default());
    for frame in &set.frames {
        let shown = || String::from_utf8_lossy(frame);
        let message = only_message(&mut decoder, frame, &mut out)?;
        let message = message.ok_or_else(|| format!("not one message: {}", shown()))?;
        if message.body.kind() != W::KIND {
            return Err(format!("{} and not {}", message.body.kind().name(), W::KIND.name()));
        }
        let (expected, candles) = (message.body, without_texts(&out));
        for json in Json::ALL {
            let (mut memory, mut arena) = (Memory::default(), Decoded::default());
            let parsed: Option<Envelope<'_, W::Text<'_>>> = memory.parse(json, frame);
            let text = parsed.ok_or_else(|| format!("{}: refused {}", json.name(), shown()))?;
            let body = W::read(&text.data, &mut arena);
            let same = body == Some(expected)
                && arena.levels == out.levels
                && arena.klines == candles
                && W::symbol(&text.data).as_bytes() == message.symbol.of(frame)
                && text.stream.as_bytes() == out.stream.of(frame);
            if !same {
                return Err(format!("{}: {body:?}, ours {expected:?}: {}", json.name(), shown()));
            }
        }
    }
    // The hot kinds are read straight; the others by the scanner.
    let scanned = if is_hot(W::KIND) { decoder.scanned() } else { 0 };
    match (scanned, decoder.handed_over()) {
        (0, 0) => Ok(()),
        (scanned, 0) => Err(format!("{scanned} frames went to the scanner")),
        (_, count) => Err(format!("{count} frames went to the slow decoder")),
    }
}

fn is_hot(kind: Kind) -> bool {
    match kind {
        Kind::BookTicker | Kind::Trade | Kind::AggTrade | Kind::Mark | Kind::Depth => true,
        Kind::PartialDepth | Kind::Snapshot | Kind::Liquidation | Kind::Kline => false,
        Kind::ContractInfo | Kind::Funding | Kind::OpenInterest | Kind::DepthBand => false,
    }
}

/// The candles without their texts, which a peer has as borrowed text.
fn without_texts(out: &Decoded) -> Vec<Kline> {
    out.klines.iter().map(|kline| Kline { interval: Span::NONE, ..*kline }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{frames, walk};

    #[test]
    fn peers_read_the_same_out_of_made_up_frames() {
        let sets = frames::sets(&walk::stream());
        assert_eq!(sets.len(), 7);
        for set in &sets {
            assert_eq!(check(set), Ok(()));
        }
    }
}
