//! A venue that plays the paper venue and remembers everything that passes: the events, what was sent,
//! what it said and when that falls due.

use fusewire_core::event::Event;
use fusewire_core::message::Feedback;
use fusewire_core::order::{Approved, Class, Intent};
use fusewire_core::ring::{Consumer, Producer, RingBuffer};
use fusewire_core::units::Nanos;
use fusewire_io::gateway::{Feedbacks, Venue};
use fusewire_io::venue::paper::PaperVenue;

/// An order that reached the venue's side of the gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) seq: u64,
    pub(crate) intent: Intent,
    pub(crate) class: Class,
}

/// The paper venue, watched.
pub(crate) struct Watched {
    pub(crate) paper: PaperVenue,
    own: Feedbacks,
    ring: (Producer<Feedback>, Consumer<Feedback>),
    pub(crate) events: Vec<Event>,
    pub(crate) sent: Vec<Sent>,
    /// With the event during which it was said.
    pub(crate) said: Vec<(u64, Feedback)>,
    seq: u64,
}

impl Watched {
    /// `room` is that of the gateway's outbox.
    pub(crate) fn new(paper: PaperVenue, room: usize) -> Self {
        Self {
            paper,
            own: Feedbacks::new(room),
            ring: RingBuffer::new(room + 1),
            events: Vec::new(),
            sent: Vec::new(),
            said: Vec::new(),
            seq: 0,
        }
    }

    fn pass_on(&mut self, out: &mut Feedbacks) {
        self.own.flush(&mut self.ring.0);
        while let Ok(feedback) = self.ring.1.pop() {
            self.said.push((self.seq, feedback));
            let Feedback { due, cause_seq, instrument, body, .. } = feedback;
            assert!(out.push(due, cause_seq, instrument, body), "room as the venue saw it");
        }
    }
}

impl Venue for Watched {
    fn on_event(&mut self, event: &Event, out: &mut Feedbacks) {
        self.seq = event.seq;
        self.events.push(*event);
        self.paper.on_event(event, &mut self.own);
        self.pass_on(out);
    }

    fn send(&mut self, seq: u64, ts: Nanos, approved: &Approved, out: &mut Feedbacks) {
        self.sent.push(Sent { seq, intent: *approved.intent(), class: approved.class() });
        self.paper.send(seq, ts, approved, &mut self.own);
        self.pass_on(out);
    }

    fn cancel_all(&mut self, seq: u64, ts: Nanos, out: &mut Feedbacks) {
        self.paper.cancel_all(seq, ts, &mut self.own);
        self.pass_on(out);
    }
}
