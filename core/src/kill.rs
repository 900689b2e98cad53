//! The kill word: one atomic that says how much may still be done.
//!
//! Anything may raise it, at once, outside the sequenced stream. The gateway reads it as the last thing
//! before it sends; the head of the pipeline reads it before each event and sequences a `KillLevel` when
//! it rose, which is what strategies and risk see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use crate::order::Class;

/// How much may still be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Everything.
    #[default]
    Run,
    /// No new risk.
    NoNewRisk,
    /// Only cancels and the halt's reduces.
    Halt,
    /// Nothing but the gateway's own cancel-all.
    Dead,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 4] = [Self::Run, Self::NoNewRisk, Self::Halt, Self::Dead];

    /// The level of a number; `None` above 3.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// True when an order of this class may leave.
    #[must_use]
    pub fn allows(self, class: Class) -> bool {
        self <= Self::highest_for(class)
    }

    /// The highest level that still allows the class.
    #[must_use]
    pub const fn highest_for(class: Class) -> Self {
        match class {
            Class::NewRisk => Self::Run,
            Class::Reduce => Self::NoNewRisk,
            Class::HaltReduce | Class::Cancel => Self::Halt,
        }
    }
}

/// A handle on the kill word, `epoch * 4 + level`. Clones share the word.
#[derive(Clone, Debug, Default)]
pub struct KillSwitch {
    word: Arc<CachePadded<AtomicU64>>,
}

impl KillSwitch {
    /// A word of its own at `Level::Run`, epoch 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the level, keeping the epoch; a level that is already as high stays.
    pub fn raise(&self, level: Level) {
        // Release pairs with the Acquire of `read`: who sees the level also sees what led to it.
        let raised =
            |word: u64| (word % 4 < level as u64).then_some(word - word % 4 + level as u64);
        // An error means that nothing was to be done.
        let _ = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, raised);
    }

    /// The whole word. The gateway latches the highest that it has seen, so that a word that falls
    /// without a new epoch changes nothing.
    #[must_use]
    pub fn word(&self) -> u64 {
        self.word.load(Ordering::Acquire)
    }

    /// The level now.
    #[must_use]
    pub fn level(&self) -> Level {
        level_of(self.word())
    }
}

/// The level in a kill word.
#[must_use]
pub fn level_of(word: u64) -> Level {
    match word % 4 {
        0 => Level::Run,
        1 => Level::NoNewRisk,
        2 => Level::Halt,
        _ => Level::Dead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raise_never_lowers() {
        let kill = KillSwitch::new();
        let other = kill.clone();
        other.raise(Level::Halt);
        kill.raise(Level::NoNewRisk);
        assert_eq!((kill.level(), kill.word()), (Level::Halt, 2));
        kill.raise(Level::Dead);
        assert_eq!(other.level(), Level::Dead);
    }

    #[test]
    fn each_level_allows_less_than_the_one_below() {
        let allowed = |level: Level| {
            [Class::NewRisk, Class::Reduce, Class::HaltReduce, Class::Cancel]
                .map(|class| level.allows(class))
        };
        assert_eq!(allowed(Level::Run), [true; 4]);
        assert_eq!(allowed(Level::NoNewRisk), [false, true, true, true]);
        assert_eq!(allowed(Level::Halt), [false, false, true, true]);
        assert_eq!(allowed(Level::Dead), [false; 4]);
    }

    #[test]
    fn levels_have_numbers() {
        for level in Level::ALL {
            assert_eq!(Level::from_number(level as u8), Some(level));
            assert_eq!(level_of(8 + level as u64), level);
        }
        assert_eq!(Level::from_number(4), None);
    }
}
