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

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::InstrumentId;
    use fusewire_core::order::{Action, OrderId, Source};

    use super::*;

    fn intent() -> Intent {
        let (order, instrument) = (OrderId(7), InstrumentId(3));
        Intent { order, instrument, source: Source::Alpha, action: Action::Cancel }
    }

    /// Each class up to the highest level that allows it, and the refusal says both levels.
    #[test]
    fn each_level_blocks_its_classes() {
        let highest = [
            (Class::NewRisk, Level::Run),
            (Class::Reduce, Level::NoNewRisk),
            (Class::HaltReduce, Level::Halt),
            (Class::Cancel, Level::Halt),
        ];
        for (class, limit) in highest {
            for level in Level::ALL {
                let refused = refusal(level, class, &intent());
                assert_eq!(refused.is_some(), level > limit, "{class:?} at {level:?}");
                let Some(rejection) = refused else { continue };
                assert_eq!(
                    (rejection.by, rejection.check),
                    (RejectedBy::Gateway, Check::KillLevel)
                );
                assert_eq!(rejection.measured.get(), level as i128);
                assert_eq!(rejection.limit.get(), limit as i128);
                assert_eq!((rejection.order, rejection.instrument), (OrderId(7), InstrumentId(3)));
                assert_eq!(rejection.action, Action::Cancel);
            }
        }
    }

    #[test]
    fn a_raise_is_seen_at_once_and_never_forgotten() {
        let kill = KillSwitch::new();
        let mut latch = Latch::new(kill.clone());
        assert_eq!(latch.read(), Level::Run);
        kill.raise(Level::Halt);
        assert_eq!(latch.read(), Level::Halt);
        // A word that fell without a new epoch, as after a restart of who owns it.
        latch.kill = KillSwitch::new();
        latch.kill.raise(Level::NoNewRisk);
        assert_eq!(latch.read(), Level::Halt);
    }

    #[test]
    fn everything_is_cancelled_once_in_an_epoch() {
        let mut latch = Latch::new(KillSwitch::new());
        let mut at = |epoch: u64, level: Level| {
            latch.word = epoch * 4 + level as u64;
            latch.takes_cancel_all()
        };
        assert!(!at(0, Level::Halt));
        assert!(at(0, Level::Dead));
        assert!(!at(0, Level::Dead));
        assert!(!at(1, Level::Run));
        assert!(at(1, Level::Dead));
        assert!(!at(1, Level::Dead));
    }
}
