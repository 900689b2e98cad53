//! The atomics that `words.rs` is written in. The models put others in their place.

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
