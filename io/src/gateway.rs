//! The order gateway: the last stage of the pipeline, and the only one that talks to a venue.
//!
//! ```text
//!  risk ─RiskOut─► gateway ─► kill word ─► wire ─► lane ─► venue
//!                     └─────Feedback─────► sequencer
//! ```
//!
//! It sends what risk approved unless the kill level forbids the class at the last moment, and it
//! brings back what risk, it itself or the venue has to say.

mod feedbacks;
mod latch;
mod levels;
mod recorded;
mod stage;
#[cfg(test)]
mod tests;
pub mod wire;

pub use feedbacks::Feedbacks;
pub use recorded::{RecordedOutcome, Violation};
pub use stage::{GatewayCounts, GatewayStage, Ports};

use fusewire_core::event::Event;
use fusewire_core::order::Approved;
use fusewire_core::units::Nanos;

/// What the gateway sends to: an exchange, or what plays one.
///
/// A venue that finds no room in `Feedbacks` leaves work undone; it must not fail.
pub trait Venue {
    /// An event of the sequenced stream, before the verdicts that it caused.
    fn on_event(&mut self, event: &Event, out: &mut Feedbacks);

    /// Sends an approved intent. `seq` and `ts` are those of the event that caused it.
    fn send(&mut self, seq: u64, ts: Nanos, approved: &Approved, out: &mut Feedbacks);

    /// Cancels every order. `seq` and `ts` are those of the last event.
    fn cancel_all(&mut self, seq: u64, ts: Nanos, out: &mut Feedbacks);
}

/// Limits of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayConfig {
    /// How long after its cause a rejection comes back. Default 1 ms; above zero.
    pub local_reject_delay: Nanos,
    /// Feedback of the venue that one message can give rise to, with that of the event before it. Default
    /// 4,096: twice the orders of the paper venue, each with two reports.
    pub feedback_outbox_max: usize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self { local_reject_delay: Nanos(Nanos::MILLI), feedback_outbox_max: 4_096 }
    }
}

impl GatewayConfig {
    /// Least outbox: what the paper venue needs for the smallest of its answers.
    pub const FEEDBACK_OUTBOX_LEAST: usize = 16;
    /// Largest outbox, against a slip that takes all memory.
    pub const FEEDBACK_OUTBOX_MOST: usize = 1 << 20;

    /// Checks the limits.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn validate(&self) -> Result<(), String> {
        if self.local_reject_delay == Nanos(0) {
            return Err("local_reject_delay is zero: a rejection comes after its cause".to_owned());
        }
        let (least, most) = (Self::FEEDBACK_OUTBOX_LEAST, Self::FEEDBACK_OUTBOX_MOST);
        if !(least..=most).contains(&self.feedback_outbox_max) {
            let value = self.feedback_outbox_max;
            return Err(format!("feedback_outbox_max = {value} is not in {least} to {most}"));
        }
        Ok(())
    }
}
