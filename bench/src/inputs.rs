//! What is measured on: frames of one kind, or a depth stream from its snapshot on.

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded, DepthIds, Kind, Level, Message};
use fusewire_io::decode::Decoder;

use crate::{frames, real, walk};

/// The market of every input.
pub const MARKET: Market = Market::UsdM;

/// Frames of one kind.
pub struct FrameSet {
    /// Which input it is, for the tables.
    pub label: &'static str,
    /// Kind of every frame.
    pub kind: Kind,
    /// The frames, each with exactly one message.
    pub frames: Vec<Vec<u8>>,
}

impl FrameSet {
    /// What decoding it is called in tables.
    #[must_use]
    pub fn work(&self) -> String {
        format!("decode {}", self.kind.name())
    }
}

/// One diff of a depth stream, decoded.
pub struct Diff {
    /// Update ids.
    pub ids: DepthIds,
    /// Bids in wire order.
    pub bids: Vec<Level>,
    /// Asks in wire order.
    pub asks: Vec<Level>,
}

/// A snapshot and the diffs that chain to it without a gap, as bytes and as numbers.
pub struct DepthStream {
    /// Which input it is, for the tables.
    pub label: &'static str,
    /// `lastUpdateId` of the snapshot.
    pub last_id: i64,
    /// Bids of the snapshot.
    pub bids: Vec<Level>,
    /// Asks of the snapshot.
    pub asks: Vec<Level>,
    /// The diffs.
    pub diffs: Vec<Diff>,
    /// The same diffs as frames.
    pub frames: Vec<Vec<u8>>,
}

impl DepthStream {
    /// Levels in all diffs.
    #[must_use]
    pub fn levels(&self) -> u64 {
        self.diffs.iter().map(|diff| (diff.bids.len() + diff.asks.len()) as u64).sum()
    }
}

/// All inputs.
pub struct Inputs {
    /// For decoding, by kind.
    pub sets: Vec<FrameSet>,
    /// For books.
    pub streams: Vec<DepthStream>,
    /// What a reader of the results has to know about them.
    pub notes: Vec<String>,
}

impl Inputs {
    /// Made-up inputs, and real ones if `FUSEWIRE_SHARED` names a folder with captures.
    ///
    /// # Panics
    /// When an input is not what it says it is.
    #[must_use]
    pub fn load() -> Self {
        let (mut streams, mut notes) = (vec![walk::stream()], Vec::new());
        let mut sets = frames::sets(&streams[0]);
        match real::load() {
            Ok(real) => {
                notes.push(format!("real: {}", real.file));
                sets.extend(real.sets);
                streams.push(real.stream);
            }
            Err(why) => notes.push(format!(
                "!!!! NO REAL INPUT: {why}; the rows on real frames are SKIPPED, \
                 only made-up frames are measured !!!!"
            )),
        }
        Self { sets, streams, notes }
    }
}

/// The one message of a frame, or `None` when it has not exactly one.
///
/// # Errors
/// The decoder's error as text.
pub fn only_message(
    decoder: &mut Decoder,
    frame: &[u8],
    out: &mut Decoded,
) -> Result<Option<Message>, String> {
    decoder.decode(frame, out).map_err(|error| error.to_string())?;
    let one = out.messages.len() == 1 && out.ignored.is_empty();
    Ok(out.messages.first().copied().filter(|_| one))
}

/// The diff that a frame was decoded into.
#[must_use]
pub fn diff_of(message: &Message, out: &Decoded) -> Option<Diff> {
    let Body::Depth(depth) = message.body else { return None };
    let (bids, asks) = (out.bids(depth.levels).to_vec(), out.asks(depth.levels).to_vec());
    Some(Diff { ids: depth.ids, bids, asks })
}
