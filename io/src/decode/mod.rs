//! Wire decoding: one frame of bytes in, exact messages out.
//!
//! Three readers give the same answer. `reference` is the slow, obvious one, the definition of what a
//! frame means. `Decoder` begins with `straight`, which takes the hot frames exactly as the exchange
//! sends them; what is not so goes to a single-pass scanner that takes keys in any order, and what is
//! odd even there (escaped keys, unusual envelopes, rare types) to the reference. `differential`
//! compares them and is what property tests, fuzzing and `decode --compare` call.

use fusewire_core::instrument::Market;
use fusewire_core::market::Decoded;

mod digits;
mod error;
mod fast;
pub mod reference;
mod rows;
mod scan;
mod straight;
mod stream;
mod text;

pub use error::{DecodeError, DecodeErrorKind};
pub use fast::Decoder;
pub use stream::{StreamKind, symbol_of_stream};
pub use text::unescape;

/// Most price levels in one frame, both sides together. The deepest frame that the exchange sends is a
/// spot snapshot of 5,000 levels a side; a frame beyond the bound is refused, so arenas stay bounded.
pub const LEVELS_MAX: usize = 16_384;
/// Most rows in one array frame. `!markPrice@arr` had about 1,500 rows in 2026.
pub const ROWS_MAX: usize = 8_192;
/// Most brackets in one contract message. The exchange uses 12 or fewer.
pub const BRACKETS_MAX: usize = 256;

/// Runs the reference, the fast decoder, and its scanner alone over a frame.
///
/// Errors compare as errors: each reader stops at the first fault *it* meets, so kind and offset may
/// differ on a frame with several.
///
/// # Errors
/// A description of the difference. There must never be one.
pub fn differential(frame: &[u8], market: Market) -> Result<(), String> {
    let mut slow = Decoded::default();
    let expected = reference::decode(frame, market, &mut slow);
    let readers = [("fast", Decoder::decode as Reader), ("scanner", Decoder::scan)];
    for (name, read) in readers {
        let mut quick = Decoded::default();
        let found = read(&mut Decoder::new(market), frame, &mut quick);
        let same = match (&expected, &found) {
            (Ok(()), Ok(())) => slow == quick,
            (Err(_), Err(_)) => true,
            (Ok(()), Err(_)) | (Err(_), Ok(())) => false,
        };
        if !same {
            return Err(format!(
                "reference {expected:?} {slow:?}, {name} {found:?} {quick:?}, frame {:?}",
                String::from_utf8_lossy(frame)
            ));
        }
    }
    Ok(())
}

/// A way of a decoder to read a frame.
type Reader = fn(&mut Decoder, &[u8], &mut Decoded) -> Result<(), DecodeError>;

#[cfg(test)]
pub(crate) mod tests;
