//! The journal: what every stage adds to a run, on disk, before anybody else sees it.
//!
//! ```text
//!  stage ─► Appender ─► segment (mapped) ─► next segment …      reader ─► records, also of a live journal
//!                          ▲  prepared            │ full
//!                          └──────── keeper ◄─────┘             recover ─► the longest verified prefix
//! ```
//!
//! `docs/journal.md` is the format and what it promises. Of this crate only the journal, and the count arrays of
//! latencies beside it, touch files.

mod atomic;
mod behind;
mod checksum;
mod config;
mod control;
mod cut;
mod disk;
mod error;
mod examine;
mod keeper;
mod layout;
mod listing;
pub(crate) mod memory;
mod mend;
mod open;
mod orphans;
mod reader;
mod recover;
mod repeat;
mod segment;
#[cfg(test)]
mod tests;
mod words;
mod writer;

pub use checksum::crc32c;
pub use config::{JournalConfig, Retention};
pub use control::{ControlPage, Done, Kept};
pub use disk::{Disk, RealDisk};
pub use error::{Damage, Fault, JournalError, Stopped};
pub use examine::{LaneState, State, View};
pub use layout::{HEAD_BYTES, Position, RECORD_HEAD_BYTES, Strand, VERSION, segment_name};
pub use open::{Begun, Journal, Opening, is_open};
pub use reader::{End, LaneReader, RawRecord};
pub use recover::{Recovery, recover};
pub use writer::{Appender, Watch};
