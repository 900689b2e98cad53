//! A venue that takes orders and answers nothing: decisions are verified without what became of them.

use fusewire_core::event::Event;
use fusewire_core::order::Approved;
use fusewire_core::units::Nanos;

use crate::gateway::{Feedbacks, Venue};

/// The end of the road.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullVenue;

impl Venue for NullVenue {
    fn on_event(&mut self, _event: &Event, _out: &mut Feedbacks) {}

    fn send(&mut self, _seq: u64, _ts: Nanos, _approved: &Approved, _out: &mut Feedbacks) {}

    fn cancel_all(&mut self, _seq: u64, _ts: Nanos, _out: &mut Feedbacks) {}
}
