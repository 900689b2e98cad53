//! The events of a journal, each with what the stages behind the sequencer made of it.

use fusewire_core::event::Event;
use fusewire_core::journal::View;
use fusewire_core::lane::{Decoded, Lane, Record, RecordKind, SentRecord};
use fusewire_core::message::Feedback;

use super::walk::{Item, Walk};
use crate::outcome::Failure;

/// What a gateway record says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gateway {
    /// An order was sent or blocked.
    Sent(SentRecord),
    /// Everything was cancelled.
    CancelAll,
}

/// An event and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The event; none for what the gateway did before the first.
    pub event: Option<Event>,
    /// Payloads of the lanes alpha, risk and gateway, in their order.
    pub derived: [Vec<(RecordKind, Vec<u8>)>; 3],
    /// The gateway's records once more, decoded.
    pub gateway: Vec<Gateway>,
}

/// Lanes of the derived records.
pub const DERIVED: [Lane; 3] = [Lane::Alpha, Lane::Risk, Lane::Gateway];

impl Group {
    /// Number of the event; zero before the first.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.event.map_or(0, |event| event.seq)
    }

    fn take(&mut self, item: &Item<'_>) {
        let record = match &item.record {
            Decoded::Intent(message) => Record::intent(message),
            Decoded::Verdict(verdict) => Record::from(verdict),
            Decoded::Sent(sent) => {
                self.gateway.push(Gateway::Sent(*sent));
                Record::from(sent)
            }
            Decoded::CancelAll { seq } => {
                self.gateway.push(Gateway::CancelAll);
                Record::cancel_all(*seq)
            }
            Decoded::Frame(_)
            | Decoded::FrameRef(_)
            | Decoded::Damaged(_)
            | Decoded::Header(_)
            | Decoded::Event(_)
            | Decoded::Pending(_)
            | Decoded::Close(_) => return,
        };
        let lane = DERIVED.into_iter().position(|lane| lane == item.lane);
        let lane = lane.expect("these records lie on these lanes, the decoder sees to it");
        self.derived[lane].push((record.kind(), record.bytes().to_vec()));
    }
}

/// Goes through the events of a journal.
pub struct Groups {
    walk: Walk,
    /// The event that the last call came to, whose group is not complete.
    next: Option<Group>,
}

impl Groups {
    /// From the first event on. What was pending at the end is another question, see `pending`.
    #[must_use]
    pub fn new(view: &View) -> Self {
        Self { walk: Walk::without_frames(view), next: Some(Group::default()) }
    }

    /// The next event with what became of it; `None` at the end. The first group may have no event.
    ///
    /// # Errors
    /// A lane can not be read, or a record says something that this program does not know.
    #[allow(clippy::should_implement_trait)] // It fails.
    pub fn next(&mut self) -> Result<Option<Group>, Failure> {
        let Some(mut group) = self.next.take() else { return Ok(None) };
        while let Some(item) = self.walk.next()? {
            if let Decoded::Event(event) = &item.record {
                self.next = Some(Group { event: Some(*event), ..Group::default() });
                break;
            }
            group.take(&item);
        }
        Ok(Some(group))
    }
}

/// The feedback that was not sequenced when a run ended.
///
/// # Errors
/// As of `Groups::next`.
pub fn pending(view: &View) -> Result<Vec<Feedback>, Failure> {
    let mut walk = Walk::without_frames(view);
    let mut pending = Vec::new();
    while let Some(item) = walk.next()? {
        if let Decoded::Pending(feedback) = item.record {
            pending.push(feedback);
        }
    }
    Ok(pending)
}
