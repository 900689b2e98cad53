//! The ordering rules once more, as plainly as they can be said: the oracle of the tests.
//!
//! Frames, ticks, gaps and controls have times that nothing can move. They are laid out in one sorted
//! list; then the list is walked, and in front of each item goes the feedback that is due by then.

use crate::event::{Body, Control, Event};
use crate::instrument::InstrumentId;
use crate::kill::Level;
use crate::message::Feedback;
use crate::sequencer::ControlInput;
use crate::units::Nanos;

/// The two times that the rules depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) tick: Nanos,
    pub(crate) gap_max: Nanos,
}

/// A frame and the events that it gives rise to.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) recv: Nanos,
    pub(crate) number: u64,
    pub(crate) bodies: Vec<(Option<InstrumentId>, Body)>,
}

/// What happens at the far end because of an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reaction {
    pub(crate) feedback: Vec<Feedback>,
    pub(crate) raise: Option<Level>,
}

/// What has a fixed time; at equal times in this order, feedback before all of them.
#[derive(Clone, Debug)]
enum Item {
    Control(Control),
    Tick,
    Frame(Frame),
    Gap,
}

impl Item {
    fn rank(&self) -> u8 {
        match self {
            Self::Control(_) => 1,
            Self::Tick => 2,
            Self::Frame(_) => 3,
            Self::Gap => 4,
        }
    }
}

/// All events of a replay.
pub(crate) fn expected(
    rules: Rules,
    frames: &[Frame],
    controls: &[ControlInput],
    react: &mut dyn FnMut(&Event) -> Reaction,
) -> Vec<Event> {
    let mut model = Model {
        events: Vec::new(),
        pending: Vec::new(),
        ts: Nanos(0),
        raised: Level::Run,
        told: Level::Run,
        react,
    };
    for (at, item) in timeline(rules, frames, controls) {
        model.tell_kill(at);
        while let Some(feedback) = model.take_due(at) {
            model.feedback(feedback);
            model.tell_kill(at);
        }
        model.item(at, item);
    }
    model.events
}

/// Everything with a fixed time, in order, up to the last frame.
fn timeline(rules: Rules, frames: &[Frame], controls: &[ControlInput]) -> Vec<(Nanos, Item)> {
    let mut items: Vec<(Nanos, Item)> =
        controls.iter().map(|input| (input.at, Item::Control(input.control))).collect();
    let mut before: Option<Nanos> = None;
    let mut ticks_after = Nanos(0);
    for frame in frames {
        // Time does not fall, whatever the frame says.
        let at = before.map_or(frame.recv, |before| before.max(frame.recv));
        match before {
            None => ticks_after = at,
            Some(before) => {
                let gap = Nanos(before.0 + rules.gap_max.0);
                if at > gap {
                    items.extend(ticks(rules, ticks_after, gap));
                    items.push((gap, Item::Gap));
                    ticks_after = at;
                }
            }
        }
        items.push((at, Item::Frame(frame.clone())));
        before = Some(at);
    }
    items.extend(ticks(rules, ticks_after, before.unwrap_or_default()));
    items.sort_by_key(|(at, item)| (*at, item.rank()));
    let last_frame = items.iter().rposition(|(_, item)| matches!(item, Item::Frame(_)));
    items.truncate(last_frame.map_or(0, |index| index + 1));
    items
}

/// The multiples of the tick after `from` up to and including `to`.
fn ticks(rules: Rules, from: Nanos, to: Nanos) -> Vec<(Nanos, Item)> {
    let numbers = from.0 / rules.tick.0 + 1..=to.0 / rules.tick.0;
    numbers.map(|number| (Nanos(number * rules.tick.0), Item::Tick)).collect()
}

struct Model<'a> {
    events: Vec<Event>,
    pending: Vec<Feedback>,
    ts: Nanos,
    raised: Level,
    told: Level,
    react: &'a mut dyn FnMut(&Event) -> Reaction,
}

impl Model<'_> {
    /// A level that rose comes before everything else; the first event of all has no time to go by but
    /// that of what follows it.
    fn tell_kill(&mut self, next: Nanos) {
        while self.raised > self.told {
            self.told = self.raised;
            let at = if self.ts == Nanos(0) { next } else { self.ts };
            self.emit(at, None, None, Body::KillLevel(self.told));
        }
    }

    fn take_due(&mut self, at: Nanos) -> Option<Feedback> {
        self.pending.sort_by_key(Feedback::key);
        let due = self.pending.first().is_some_and(|feedback| feedback.due <= at);
        due.then(|| self.pending.remove(0))
    }

    fn feedback(&mut self, feedback: Feedback) {
        self.emit(feedback.due, None, feedback.instrument, Body::from(feedback.body));
    }

    fn item(&mut self, at: Nanos, item: Item) {
        match item {
            Item::Control(control) => {
                let level = match control {
                    Control::Raise(level) => level,
                    Control::GateBreach(_) | Control::Reconcile | Control::Transfer(_) => {
                        Level::Run
                    }
                };
                self.raised = self.raised.max(level);
                self.emit(at, None, None, Body::Control(control));
            }
            Item::Tick => self.emit(at, None, None, Body::Tick),
            Item::Gap => self.emit(at, None, None, Body::Gap),
            Item::Frame(frame) => {
                self.ts = self.ts.max(at);
                for &(instrument, body) in &frame.bodies {
                    self.tell_kill(at);
                    self.emit(at, Some(&frame), instrument, body);
                }
            }
        }
    }

    fn emit(
        &mut self,
        at: Nanos,
        frame: Option<&Frame>,
        instrument: Option<InstrumentId>,
        body: Body,
    ) {
        self.ts = self.ts.max(at);
        let event = Event {
            seq: self.events.len() as u64 + 1,
            ts: self.ts,
            recv: frame.map_or(self.ts, |frame| frame.recv),
            frame: frame.map_or(0, |frame| frame.number),
            instrument,
            last: true,
            stamp: Default::default(),
            body,
        };
        self.events.push(event);
        let reaction = (self.react)(&event);
        self.pending.extend(reaction.feedback);
        self.raised = self.raised.max(reaction.raise.unwrap_or_default());
    }
}
