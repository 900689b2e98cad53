//! The events of a journal, each with what the stages behind the sequencer made of it.

use fusewire_core::event::Event;
use fusewire_core::journal::View;
use fusewire_core::lane::{Decoded, Lane, Record, RecordKind, SentRecord, decode};
use fusewire_core::message::Feedback;
use fusewire_core::units::Nanos;

use super::reading;
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
            Decoded::Alert(alert) => Record::alert(alert),
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
    order: Order,
    /// The event that the last call came to, whose group is not complete; or why there is none.
    next: Option<Result<Group, Failure>>,
}

/// What holds from one event to the next. The stages rely on it, so that a file must not break it.
pub(crate) struct Order {
    name: String,
    /// How many symbols there are.
    symbols: usize,
    seq: u64,
    ts: Nanos,
}

impl Order {
    /// Before the first event of a journal with so many symbols.
    pub(crate) fn new(name: &str, symbols: usize) -> Self {
        Self { name: name.to_owned(), symbols, seq: 0, ts: Nanos(0) }
    }

    /// A fault of the journal.
    pub(crate) fn fault(&self, what: impl std::fmt::Display) -> Failure {
        Failure::line(format!("{}: {what}", self.name))
    }

    pub(crate) fn check(&mut self, event: &Event) -> Result<(), Failure> {
        let wrong = |what: String| {
            Err(Failure::line(format!("{}: lane event, event {}: {what}", self.name, event.seq)))
        };
        if event.seq != self.seq + 1 {
            return wrong(format!("it stands where event {} belongs", self.seq + 1));
        }
        if event.ts < self.ts {
            return wrong("its time lies before that of the event before it".to_owned());
        }
        if let Some(symbol) = event.instrument.filter(|symbol| symbol.index() >= self.symbols) {
            return wrong(format!("there is no symbol {}", symbol.0));
        }
        (self.seq, self.ts) = (event.seq, event.ts);
        Ok(())
    }
}

impl Groups {
    /// From the first event on. What was pending at the end is another question, see `pending`.
    #[must_use]
    pub fn new(view: &View) -> Self {
        let name = view.dir.display().to_string();
        // Without a header nothing can be run again, and nothing depends on the number.
        let symbols = reading::names(view).map_or(0, |names| names.symbols.len());
        let order = Order::new(&name, symbols);
        Self { walk: Walk::without_frames(view), order, next: Some(Ok(Group::default())) }
    }

    /// The next event with what became of it; `None` at the end. The first group may have no event.
    ///
    /// # Errors
    /// A lane can not be read, a record says something that this program does not know, or events do not
    /// follow each other as they must.
    #[allow(clippy::should_implement_trait)] // It fails.
    pub fn next(&mut self) -> Result<Option<Group>, Failure> {
        let Some(mut group) = self.next.take().transpose()? else { return Ok(None) };
        while let Some(item) = self.walk.next()? {
            if let Decoded::Event(event) = &item.record {
                // Whoever goes through the events comes to the one before it first.
                let next = Group { event: Some(*event), ..Group::default() };
                self.next = Some(self.order.check(event).map(|()| next));
                break;
            }
            group.take(&item);
        }
        Ok(Some(group))
    }
}

/// The feedback that was not sequenced when a run ended. A record of it that can not be decoded is left out:
/// who goes through the groups meets it there.
///
/// # Errors
/// The lane can not be read.
pub fn pending(view: &View) -> Result<Vec<Feedback>, Failure> {
    let mut reader = view.reader(Lane::Event);
    let mut pending = Vec::new();
    let failed = |error| Failure::line(format!("{}: lane event: {error}", view.dir.display()));
    while let Ok(record) = reader.next().map_err(failed)? {
        if record.kind == RecordKind::Pending as u8 {
            pending.extend(decode::pending(record.payload).ok());
        }
    }
    Ok(pending)
}
