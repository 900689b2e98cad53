//! What was decided and done, as a record tells it. None of it is an `Approved`: that is the proof that
//! risk approved in this run, and reading a file proves nothing.

use crate::kill::Level as KillLevel;
use crate::message::VerdictMessage;
use crate::order::{Class, Intent, Rejection, Verdict};

/// A verdict as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictRecord {
    /// `seq` of the event that caused the intent.
    pub seq: u64,
    /// Its place among the verdicts of this `seq`, from 0.
    pub index: u32,
    /// The verdict.
    pub outcome: Decided,
}

/// The answer to an intent, as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It went to the gateway.
    Approved {
        /// What was approved.
        intent: Intent,
        /// As what it was approved.
        class: Class,
    },
    /// It came back as a sequenced event.
    Rejected(Rejection),
}

impl From<&VerdictMessage> for VerdictRecord {
    fn from(message: &VerdictMessage) -> Self {
        let outcome = match &message.verdict {
            Verdict::Approved(approved) => {
                Decided::Approved { intent: *approved.intent(), class: approved.class() }
            }
            Verdict::Rejected(rejection) => Decided::Rejected(*rejection),
        };
        Self { seq: message.seq, index: message.index, outcome }
    }
}

/// What the gateway did with an approved intent, as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentRecord {
    /// `seq` of the event that caused the intent.
    pub seq: u64,
    /// Its place among the verdicts of this `seq`, from 0.
    pub index: u32,
    /// The kill level that blocked it; none when it was sent.
    pub blocked_at: Option<KillLevel>,
    /// What was approved.
    pub intent: Intent,
    /// As what it was approved.
    pub class: Class,
}

/// The orderly end of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseRecord {
    /// Records of the lane that its digest covers.
    pub records: u64,
    /// The last event that the stage has wholly handled; of the feed lane the last frame.
    pub last: u64,
    /// The digest of the lane.
    pub digest: [u8; 32],
    /// The digest of the header document, which no lane's digest covers.
    pub header: [u8; 32],
}
