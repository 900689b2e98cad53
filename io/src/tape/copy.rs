//! A recording onto a tape, one frame after another: what the feed would make of each is what stands there.
//!
//! A tape of it gives the same inputs in the same order, or it is not made: a frame that can not be decoded, and one
//! that a tape can not hold, are errors.

use std::path::Path;

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded, Message};

use super::{FrameEncoder, TapeError, TapeSummary, TapeWriter, read};
use crate::capture::{Origin, Record};
use crate::decode::Decoder;
use crate::feed::{Context, is_depth, is_exchange_info, symbol_of};

/// Writes the tape of one recording.
#[derive(Debug)]
pub struct Copier {
    market: Market,
    only_symbol: Option<String>,
    tape: TapeWriter,
    decoder: Decoder,
    decoded: Decoded,
    encoder: FrameEncoder,
    /// What is read back of a frame.
    back: Decoded,
}

/// Called for each message of a frame with its symbol; without one when the tape leaves the message out.
pub type Told<'a> = &'a mut dyn FnMut(Option<&str>, &Message);

impl Copier {
    /// Begins the tape of a recording of `market` that is to stand at `out`. Its bare snapshots are of `only_symbol`.
    ///
    /// # Errors
    /// The file can not be made.
    pub fn create(
        out: &Path,
        market: Market,
        only_symbol: Option<String>,
    ) -> Result<Self, TapeError> {
        Ok(Self {
            market,
            only_symbol,
            tape: TapeWriter::create(out, market)?,
            decoder: Decoder::new(market),
            decoded: Decoded::default(),
            encoder: FrameEncoder::default(),
            back: Decoded::default(),
        })
    }

    /// Adds a frame of the recording.
    ///
    /// # Errors
    /// It can not be decoded, a tape can not hold it, or the file can not be written.
    pub fn add(&mut self, record: &Record<'_>, told: Told<'_>) -> Result<(), String> {
        self.encoder.begin(&[]);
        let mut address = "";
        let frame = match record.origin {
            Origin::Rest { url } if is_exchange_info(url) => {
                // Instruments are read from it, and not by the decoder.
                address = url;
                record.bytes
            }
            // It says nothing, and moves time on all the same.
            Origin::Rest { url } if !is_depth(url) => self.encoder.bytes(),
            Origin::Rest { .. } | Origin::Stream => {
                self.encode(record, told)?;
                self.encoder.bytes()
            }
        };
        self.tape.add(record.recv, address, frame).map_err(|error| error.to_string())
    }

    /// Ends the tape, brings it to the disk and gives it its name.
    ///
    /// # Errors
    /// As of [`TapeWriter::finish`].
    pub fn finish(self) -> Result<TapeSummary, TapeError> {
        self.tape.finish()
    }

    fn encode(&mut self, record: &Record<'_>, told: Told<'_>) -> Result<(), String> {
        let Self { decoder, decoded, encoder, .. } = self;
        decoder.decode(record.bytes, decoded).map_err(|error| error.to_string())?;
        encoder.begin(decoded.stream.of(record.bytes));
        let only_symbol = self.only_symbol.as_deref();
        let context = Context { market: self.market, origin: record.origin, only_symbol };
        let mut count = 0;
        for message in &decoded.messages {
            let symbol = symbol_of(record.bytes, decoded, message, &context);
            let is_kept = match &symbol {
                Some(symbol) => encoder.add(symbol, message, decoded, record.bytes)?,
                None => false,
            };
            debug_assert!(
                is_kept || symbol.is_none() || matches!(message.body, Body::ContractInfo(_))
            );
            count += usize::from(is_kept);
            told(symbol.as_deref().filter(|_| is_kept), message);
        }
        // A reader of the tape would take what it can not read for a fault of the exchange.
        read(encoder.bytes(), &mut self.back)
            .map_err(|error| format!("a tape can not hold this frame: {error}"))?;
        debug_assert_eq!(self.back.messages.len(), count);
        Ok(())
    }
}
