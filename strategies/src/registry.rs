//! The strategies that can be named on the command line and in configuration.

use fusewire_core::market::Message;
use thiserror::Error;

use crate::noop::Noop;

/// Names of all strategies, in registry order.
pub const NAMES: [&str; 1] = ["noop"];

/// A strategy of the closed set: dispatch is a `match`, not a virtual call.
#[derive(Clone, Debug)]
pub enum AnyStrategy {
    /// Sends nothing.
    Noop(Noop),
}

/// A name that no strategy has.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("unknown strategy '{0}' (known: {known})", known = NAMES.join(", "))]
pub struct UnknownStrategy(String);

impl AnyStrategy {
    /// The strategy of that name.
    ///
    /// # Errors
    /// No strategy has that name.
    pub fn by_name(name: &str) -> Result<Self, UnknownStrategy> {
        match name {
            "noop" => Ok(Self::Noop(Noop::default())),
            _ => Err(UnknownStrategy(name.to_owned())),
        }
    }

    /// Hands one market message to the strategy.
    pub fn on_message(&mut self, message: &Message) {
        match self {
            Self::Noop(noop) => noop.on_message(message),
        }
    }

    /// Messages that the strategy has seen.
    #[must_use]
    pub fn seen(&self) -> u64 {
        match self {
            Self::Noop(noop) => noop.seen(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_resolves_and_no_other() {
        for name in NAMES {
            assert!(AnyStrategy::by_name(name).is_ok(), "{name}");
        }
        let error = AnyStrategy::by_name("martingale").unwrap_err();
        assert_eq!(error.to_string(), "unknown strategy 'martingale' (known: noop)");
    }
}
