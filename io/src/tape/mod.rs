//! Tapes: captures that were decoded beforehand, read from a memory map without any JSON.
//!
//! A tape is a capture like any other: a row of frames with receive times. Only what a frame looks like differs:
//! it holds messages as numbers instead of text (`frame`), and says so in its first byte, so that the one decoder
//! reads both and a journal can keep either. A file of them is a head, blocks with a checksum each, and an end
//! (`format`); one without its end was never finished and is refused.

mod copy;
pub mod format;
pub mod frame;
mod read;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use copy::{Copier, Told};
pub use frame::FrameEncoder;
pub use read::is_tape;
pub(crate) use read::read;
pub use reader::TapeReader;
pub use writer::{TapeError, TapeSummary, TapeWriter};
