//! Ctrl-C and SIGTERM: the first asks for an end in order, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::outcome::Failure;

/// Exit code of a process that a second signal ended: 128 and the number of SIGINT, as shells have it.
const KILLED: i32 = 130;

/// Sets the flag when a signal asks for the end.
///
/// # Errors
/// The system does not take the handler.
pub fn stop(flag: &Arc<AtomicBool>) -> Result<(), Failure> {
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down and only sets it.
        flag::register_conditional_shutdown(signal, KILLED, Arc::clone(flag))
            .map_err(Failure::line)?;
        flag::register(signal, Arc::clone(flag)).map_err(Failure::line)?;
    }
    Ok(())
}
