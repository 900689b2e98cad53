//! The edges of Fusewire: recorded frames in, decoded messages out.
//!
//! ```text
//!  capture files ─► capture::Merge ─► feed::Feed (decode, symbol, counts) ─► core
//!                                └──► manifest::scan (what the capture holds, what is wrong with it)
//! ```
//!
//! Codecs are sans-IO: bytes in, messages out; the same decoder serves captures, sockets and fuzzers.

pub mod capture;
pub mod decode;
pub mod exchange_info;
pub mod feed;
pub mod gateway;
pub mod import;
pub mod manifest;
pub mod synth;
pub mod tape;
pub mod venue;
