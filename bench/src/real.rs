//! Real frames of a recording, loaded into memory; reading and unpacking are not measured.

use std::path::PathBuf;

use fusewire_core::market::{Body, Decoded, Kind, Message};
use fusewire_io::capture::{OpenOptions, Reader};
use fusewire_io::decode::Decoder;

use crate::inputs::{DepthStream, FrameSet, MARKET, diff_of, only_message};

/// Where the recordings of a shared folder are.
const FOLDER: &str = "captures/ws_raw/2024-08-08";
/// Frames taken of each kind: as many as are made up. More would fall out of the caches between two passes,
/// while a feed has its frame in the cache, where the socket read has put it.
const FRAMES: usize = 512;
/// The kinds that the recordings hold.
const KINDS: [Kind; 3] = [Kind::BookTicker, Kind::Trade, Kind::Depth];

/// Inputs from a recording.
pub struct Real {
    /// Name of the file.
    pub file: String,
    /// Frames by kind.
    pub sets: Vec<FrameSet>,
    /// Depth from a snapshot on.
    pub stream: DepthStream,
}

/// Loads the first frames of the first USD-M recording under `FUSEWIRE_SHARED`.
///
/// # Errors
/// Why there is no real input.
pub fn load() -> Result<Real, String> {
    let path = find()?;
    let options = OpenOptions { market: Some(MARKET), ..OpenOptions::default() };
    let mut reader = Reader::open(&path, &options).map_err(|error| error.to_string())?;
    let mut taking = Taking::new();
    while !taking.is_full() {
        let record = reader.next().map_err(|error| error.to_string())?;
        let Some(record) = record else { break };
        taking.take(record.bytes)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    taking.finish(format!("{FOLDER}/{name}"))
}

fn find() -> Result<PathBuf, String> {
    recordings()?.into_iter().next().ok_or_else(|| format!("no usdm_*.gz in {FOLDER}"))
}

/// All USD-M recordings of the day, by name.
///
/// # Errors
/// Why there are none.
pub fn recordings() -> Result<Vec<PathBuf>, String> {
    let shared = std::env::var_os("FUSEWIRE_SHARED").ok_or("FUSEWIRE_SHARED is not set")?;
    let folder = PathBuf::from(shared).join(FOLDER);
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| format!("FUSEWIRE_SHARED has no readable {FOLDER}: {error}"))?;
    let names = entries.filter_map(Result::ok).map(|entry| entry.path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("usdm_") && name.ends_with(".gz")
    };
    let mut found: Vec<PathBuf> = names.filter(is_ours).collect();
    found.sort();
    if found.is_empty() { Err(format!("no usdm_*.gz in {FOLDER}")) } else { Ok(found) }
}

/// What has been taken so far.
struct Taking {
    decoder: Decoder,
    out: Decoded,
    sets: Vec<FrameSet>,
    stream: DepthStream,
    /// A snapshot was seen.
    loaded: bool,
}

impl Taking {
    fn new() -> Self {
        let set = |kind| FrameSet { label: "real", kind, frames: Vec::new() };
        let stream = DepthStream {
            label: "real",
            last_id: 0,
            bids: Vec::new(),
            asks: Vec::new(),
            diffs: Vec::new(),
            frames: Vec::new(),
        };
        let (decoder, out) = (Decoder::new(MARKET), Decoded::default());
        Self { decoder, out, sets: KINDS.map(set).into(), stream, loaded: false }
    }

    fn is_full(&self) -> bool {
        self.sets.iter().all(|set| set.frames.len() == FRAMES) && self.stream.diffs.len() >= FRAMES
    }

    fn take(&mut self, frame: &[u8]) -> Result<(), String> {
        let Some(message) = only_message(&mut self.decoder, frame, &mut self.out)? else {
            return Ok(());
        };
        let kind = message.body.kind();
        let set = self.sets.iter_mut().find(|set| set.kind == kind);
        if let Some(set) = set.filter(|set| set.frames.len() < FRAMES) {
            set.frames.push(frame.to_vec());
        }
        self.take_depth(&message, frame);
        Ok(())
    }

    /// Keeps the first snapshot, the frames before it that it may need, and the frames behind it.
    fn take_depth(&mut self, message: &Message, frame: &[u8]) {
        if let Body::Snapshot(snapshot) = message.body
            && !self.loaded
        {
            self.loaded = true;
            let levels = snapshot.levels;
            self.stream.last_id = snapshot.last_id;
            self.stream.bids = self.out.bids(levels).to_vec();
            self.stream.asks = self.out.asks(levels).to_vec();
        }
        if self.stream.diffs.len() < FRAMES
            && let Some(diff) = diff_of(message, &self.out)
        {
            self.stream.diffs.push(diff);
            self.stream.frames.push(frame.to_vec());
        }
    }

    fn finish(mut self, file: String) -> Result<Real, String> {
        if !self.loaded {
            return Err(format!("{file} has no snapshot among its first frames"));
        }
        // Frames that the snapshot holds already would be measured as work that is none.
        let last_id = self.stream.last_id;
        let before = self.stream.diffs.iter().take_while(|diff| diff.ids.last < last_id).count();
        self.stream.diffs.drain(..before);
        self.stream.frames.drain(..before);
        if self.stream.diffs.is_empty() || self.sets.iter().any(|set| set.frames.is_empty()) {
            return Err(format!("{file} lacks frames of a kind"));
        }
        Ok(Real { file, sets: self.sets, stream: self.stream })
    }
}
