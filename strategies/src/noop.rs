//! `noop`: sees everything and sends nothing. The control group, and the way to look at a capture.

use fusewire_core::market::Message;

/// Sends nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noop {
    seen: u64,
}

impl Noop {
    /// Takes one market message.
    pub fn on_message(&mut self, _message: &Message) {
        self.seen += 1;
    }

    /// Messages seen so far.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }
}
