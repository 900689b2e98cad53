//! The JSON crates that our decoder is measured against, each at its typed best.

use serde::Deserialize;
use simd_json::Buffers;

/// A JSON crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Json {
    /// `simd-json`: picks its instruction set at run time; parses in place.
    Simd,
    /// `sonic-rs`: instruction set of the build, which is the baseline unless told otherwise.
    Sonic,
    /// `serde_json`.
    Serde,
}

impl Json {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Simd, Self::Sonic, Self::Serde];

    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simd => "simd-json",
            Self::Sonic => "sonic-rs",
            Self::Serde => "serde_json",
        }
    }
}

/// What a crate keeps from frame to frame, so that it allocates as little as it can.
#[derive(Default)]
pub struct Memory {
    /// simd-json overwrites its input, so it gets a copy; a feed that owns its receive buffer would not
    /// need the copy, which costs a few ns a frame.
    copy: Vec<u8>,
    buffers: Buffers,
}

impl Memory {
    /// Parses a frame; `None` when the crate refuses it.
    pub fn parse<'a, T: Deserialize<'a>>(&'a mut self, json: Json, frame: &'a [u8]) -> Option<T> {
        match json {
            Json::Simd => {
                self.copy.clear();
                self.copy.extend_from_slice(frame);
                simd_json::serde::from_slice_with_buffers(&mut self.copy, &mut self.buffers).ok()
            }
            Json::Sonic => sonic_rs::from_slice(frame).ok(),
            Json::Serde => serde_json::from_slice(frame).ok(),
        }
    }
}
