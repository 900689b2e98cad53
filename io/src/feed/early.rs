//! What ends a run before its input does: a signal, or a time that the input is cut off behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fusewire_core::units::Nanos;

use crate::capture::{CaptureError, Merge};

/// When a feed ends early, if it does.
#[derive(Default)]
pub(super) struct Early {
    /// Set by who wants the run to end.
    pub(super) stop: Option<Arc<AtomicBool>>,
    /// The last moment at which a frame is taken: it is as if the capture ended before the first later one.
    pub(super) until: Option<Nanos>,
}

impl Early {
    /// Nothing else is read on the word of this flag, so it needs no order.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// True for a frame that lies behind the cut.
    pub(super) fn cuts_off(&self, received: Nanos) -> bool {
        self.until.is_some_and(|until| received > until)
    }

    /// True when the next frame is not to be taken.
    ///
    /// # Errors
    /// That of reading it, which is told once.
    pub(super) fn is_over(&self, merge: &mut Merge) -> Result<bool, CaptureError> {
        if self.until.is_none() {
            return Ok(self.is_stopped());
        }
        let next = merge.peek()?;
        Ok(self.is_stopped() || next.is_some_and(|received| self.cuts_off(received)))
    }
}
