//! The gateway's view of the kill word: the highest that it has ever seen.

use fusewire_core::kill::{KillSwitch, Level, level_of};
use fusewire_core::order::{Check, Class, Intent, RejectedBy, Rejection};

/// Remembers the highest kill word, so that one which falls without a new epoch changes nothing.
#[derive(Debug)]
pub(super) struct Latch {
    kill: KillSwitch,
    word: u64,
    /// Epoch in which everything was cancelled.
    cancelled_in: Option<u64>,
}

impl Latch {
    /// Watches a kill word.
    pub(super) fn new(kill: KillSwitch) -> Self {
        Self { kill, word: 0, cancelled_in: None }
    }

    /// Reads the word; returns the level that holds.
    pub(super) fn read(&mut self) -> Level {
        self.word = self.word.max(self.kill.word());
        level_of(self.word)
    }

    /// True once in each epoch whose level came to `Dead`.
    pub(super) fn takes_cancel_all(&mut self) -> bool {
        let epoch = self.word / 4;
        let first = level_of(self.word) == Level::Dead && self.cancelled_in != Some(epoch);
        if first {
            self.cancelled_in = Some(epoch);
        }
        first
    }
}

/// The refusal of an intent of this class at a level; none when it may leave.
pub(super) fn refusal(level: Level, class: Class, intent: &Intent) -> Option<Rejection> {
    if level.allows(class) {
        return None;
    }
    let (measured, limit) = (level as i128, Level::highest_for(class) as i128);
    Some(Rejection::new(intent, RejectedBy::Gateway, Check::KillLevel, measured, limit))
}
