//! `noop`: sees everything and sends nothing. The control group, and the way to look at a capture.

use fusewire_core::event::Event;

use crate::strategy::{Orders, Strategy, View};

/// Sends nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noop;

impl Strategy for Noop {
    fn on_event(&mut self, _event: &Event, _view: &View<'_>, _orders: &mut Orders<'_>) {}
}
