//! The edges of Fusewire: recorded frames in, decoded messages out.
//!
//! ```text
//!  capture files ─► capture::Merge ─► decode::Decoder ─► feed::Feed (symbol, market, counts) ─► core
//! ```
//!
//! Codecs are sans-IO: bytes in, messages out; the same decoder serves captures, sockets and fuzzers.

pub mod decode;
pub mod exchange_info;
