//! What comes out of a rerun otherwise than it was recorded, in words.

use fusewire_core::lane::{Digest, Lane, RecordKind, decode};
use fusewire_core::message::Feedback;
use fusewire_core::sequencer::{ExpectedFull, Mismatch, Unexpected};
use fusewire_io::gateway::Violation;

use super::text;
use crate::export::lanes::Names;

/// The first thing that does not come out as it was recorded.
#[derive(Debug)]
pub enum Divergence {
    /// A record of the lane alpha, risk or gateway.
    Record {
        /// The lane.
        lane: Lane,
        /// The event that caused it.
        seq: u64,
        /// Its place among the lane's records of that event.
        index: usize,
        /// What was recorded; none when it was nothing.
        recorded: Option<(RecordKind, Vec<u8>)>,
        /// What came out; none when it was nothing.
        made: Option<(RecordKind, Vec<u8>)>,
    },
    /// A market event.
    Market(Box<Mismatch>),
    /// A report, rejection or wake that neither gateway nor venue gives.
    Feedback(Box<Unexpected>),
    /// Feedback that was pending at the end and does not come out.
    PendingMissing(Feedback),
    /// Feedback that comes out and was neither sequenced nor pending.
    PendingLeft(Feedback),
    /// Something that the gateway can not have done.
    Violation(Violation),
    /// More feedback than a run can have had.
    Full(ExpectedFull),
    /// No stage moves.
    Stuck {
        /// The event.
        seq: u64,
    },
    /// The frames can not be taken from where they were.
    Frames(String),
    /// A lane's digest is not that of its closing record.
    Digest {
        /// The lane.
        lane: Lane,
        /// Records and digest as recorded.
        recorded: (u64, Digest),
        /// Records and digest as they came out.
        made: (u64, Digest),
    },
    /// The header is not the one that the journal was closed with.
    Header,
    /// The closing record of one lane names another header than those of the others.
    HeaderOf(Lane),
    /// The closing record of a lane names another last event, of the feed lane another last frame.
    Last {
        /// The lane.
        lane: Lane,
        /// As its closing record says.
        recorded: u64,
        /// As its records say.
        made: u64,
    },
    /// A record says something that this program does not know.
    Unreadable(String),
}

impl Divergence {
    /// The lane that it shows in, when it shows in one.
    #[must_use]
    pub fn lane(&self) -> Option<Lane> {
        match self {
            Self::Record { lane, .. }
            | Self::Digest { lane, .. }
            | Self::HeaderOf(lane)
            | Self::Last { lane, .. } => Some(*lane),
            Self::Market(_)
            | Self::Feedback(_)
            | Self::PendingMissing(_)
            | Self::PendingLeft(_)
            | Self::Header => Some(Lane::Event),
            Self::Violation(_) => Some(Lane::Gateway),
            Self::Frames(_) => Some(Lane::Feed),
            Self::Full(_) | Self::Stuck { .. } | Self::Unreadable(_) => None,
        }
    }

    /// The event that it shows at, when it shows at one.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Record { seq, .. } | Self::Stuck { seq } => Some(*seq),
            Self::Market(mismatch) => Some(mismatch.seq),
            Self::Feedback(unexpected) => Some(unexpected.recorded.seq),
            Self::Violation(violation) => Some(seq_of(violation)),
            Self::PendingMissing(_)
            | Self::PendingLeft(_)
            | Self::Full(_)
            | Self::Frames(_)
            | Self::Digest { .. }
            | Self::Header
            | Self::HeaderOf(_)
            | Self::Last { .. }
            | Self::Unreadable(_) => None,
        }
    }

    /// In lines: what it is, then `recorded` and `comes out`.
    #[must_use]
    pub fn lines(&self, names: &Names) -> Vec<String> {
        match self {
            Self::Record { lane, seq, index, recorded, made } => {
                let number = index + 1;
                let head = format!("lane {}, event {seq}: record {number}", lane.name());
                pair(head, [recorded, made].map(|one| payload(one.as_ref(), names)))
            }
            Self::Market(mismatch) => {
                let event = |event: &Option<_>| {
                    event.as_ref().map_or_else(nothing, |event| text::timed_event(event, names))
                };
                let head =
                    format!("lane event, event {}: the frames give another event", mismatch.seq);
                pair(head, [event(&mismatch.recorded), event(&mismatch.regenerated)])
            }
            Self::Feedback(unexpected) => {
                let seq = unexpected.recorded.seq;
                let head = format!("lane event, event {seq}: gateway and venue do not say that");
                let nearest = unexpected.nearest.as_ref();
                let nearest = nearest.map_or_else(nothing, |one| text::feedback(one, names));
                pair(head, [text::timed_event(&unexpected.recorded, names), nearest])
            }
            Self::PendingMissing(one) => {
                let head = "lane event: pending at the end, and does not come out".to_owned();
                pair(head, [text::feedback(one, names), nothing()])
            }
            Self::PendingLeft(one) => {
                let head =
                    "lane event: comes out, and was neither sequenced nor pending".to_owned();
                pair(head, [nothing(), text::feedback(one, names)])
            }
            Self::Violation(violation) => {
                vec![format!("lane gateway: {}", violation_text(violation))]
            }
            Self::Full(full) => vec![full.to_string()],
            Self::Stuck { seq } => vec![format!("event {seq}: no stage moves")],
            Self::Frames(what) => vec![format!("lane feed: {what}")],
            Self::Digest { lane, recorded, made } => {
                let head = format!("lane {}: its closing record", lane.name());
                let show = |(records, digest): &(u64, Digest)| {
                    format!("{records} records, digest {digest}")
                };
                pair(head, [show(recorded), show(made)])
            }
            Self::Header => {
                vec![
                    "lane event: the header is not the one that the journal was closed with"
                        .to_owned(),
                ]
            }
            Self::HeaderOf(lane) => {
                let lane = lane.name();
                vec![format!("lane {lane}: its closing record names the digest of another header")]
            }
            Self::Last { lane, recorded, made } => {
                let head = format!("lane {}: its closing record", lane.name());
                pair(head, [recorded, made].map(|last| format!("last {last}")))
            }
            Self::Unreadable(what) => vec![what.clone()],
        }
    }
}

fn pair(head: String, [recorded, made]: [String; 2]) -> Vec<String> {
    vec![head, format!("  recorded   {recorded}"), format!("  comes out  {made}")]
}

fn nothing() -> String {
    "nothing".to_owned()
}

fn payload(record: Option<&(RecordKind, Vec<u8>)>, names: &Names) -> String {
    let Some((kind, payload)) = record else { return nothing() };
    match decode::decode(*kind, payload) {
        Ok(record) => text::what(&record, names),
        Err(error) => format!("{}: {error}", kind.name()),
    }
}

fn seq_of(violation: &Violation) -> u64 {
    match violation {
        Violation::SentBelowLevel { seq, .. }
        | Violation::BlockedWrongly { seq, .. }
        | Violation::NotAskedFor { seq, .. }
        | Violation::NoOutcome { seq, .. }
        | Violation::NoCancelAll { seq } => *seq,
    }
}

fn violation_text(violation: &Violation) -> String {
    match violation {
        Violation::SentBelowLevel { seq, index, level, class } => format!(
            "event {seq}, verdict {index}: sent as {} although the kill level was {} by then",
            text::class_name(*class),
            *level as u8
        ),
        Violation::BlockedWrongly { seq, index, blocked_at, level, class } => format!(
            "event {seq}, verdict {index}: blocked at kill level {} as {}, while the level was {} by then",
            *blocked_at as u8,
            text::class_name(*class),
            *level as u8
        ),
        Violation::NotAskedFor { seq, outcome } => {
            format!("event {seq}: {outcome:?}, and no verdict asks for it")
        }
        Violation::NoOutcome { seq, index } => {
            format!("event {seq}, verdict {index}: approved, and neither sent nor blocked")
        }
        Violation::NoCancelAll { seq } => {
            format!("event {seq}: kill level 3 was sequenced before everything was cancelled")
        }
    }
}
