//! Where the gateway has its kill level from: the kill word, or the recording of a run.

use fusewire_core::event::Event;
use fusewire_core::kill::Level;
use fusewire_core::order::Class;

use super::latch::Latch;
use super::recorded::Recorded;

/// The source of the level.
#[derive(Debug)]
pub(super) enum Levels {
    Live(Latch),
    Recorded(Box<Recorded>),
}

/// What is to be done next for an approved verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Cancel everything, then ask again.
    CancelAll,
    Send,
    Block(Level),
    /// Nothing was recorded of it.
    Omit,
}

impl Levels {
    /// An event, before anything is done about it.
    pub(super) fn on_event(&mut self, event: &Event) {
        match self {
            Self::Live(_) => {}
            Self::Recorded(recorded) => recorded.on_event(event),
        }
    }

    /// True when everything is to be cancelled now. `seq` is the last event.
    pub(super) fn takes_cancel_all(&mut self, seq: u64) -> bool {
        match self {
            Self::Live(latch) => {
                latch.read();
                latch.takes_cancel_all()
            }
            Self::Recorded(recorded) => recorded.takes_cancel_all(seq),
        }
    }

    /// What is to be done for an approved verdict. Live, the kill word is read here.
    pub(super) fn step(&mut self, seq: u64, index: u32, class: Class) -> Step {
        match self {
            Self::Live(latch) => {
                let level = latch.read();
                if latch.takes_cancel_all() {
                    Step::CancelAll
                } else if level.allows(class) {
                    Step::Send
                } else {
                    Step::Block(level)
                }
            }
            Self::Recorded(recorded) => recorded.step(seq, index, class),
        }
    }

    /// Whether an order that was to be sent still is: live, the kill word is read again, because encoding took time
    /// and a paper venue more.
    pub(super) fn still_sends(&mut self, class: Class) -> bool {
        match self {
            Self::Live(latch) => latch.read().allows(class),
            Self::Recorded(_) => true,
        }
    }

    /// The last message of an event was handled. True when everything is to be cancelled before the next:
    /// live, that is seen when the next message is looked for.
    pub(super) fn settle(&mut self, seq: u64) -> bool {
        match self {
            Self::Live(_) => false,
            Self::Recorded(recorded) => recorded.settle(seq),
        }
    }
}
