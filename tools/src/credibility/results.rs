//! Results that are too good: no loss, no move, a win rate that claims to be exact (S0-03, S0-05).

use super::{Excursions, Facts, Outcome, Thresholds, Told};

/// Too many positions, and none lost.
pub(super) fn no_loss(facts: &Facts, thresholds: &Thresholds) -> Outcome {
    let (closed, wins) = (facts.closed, facts.wins);
    let losses = closed.saturating_sub(wins);
    if wins > closed {
        return Outcome::Failed(format!("{wins} wins of {closed} closed positions"));
    }
    let least = u64::from(thresholds.wins_only_min);
    if losses > 0 {
        return Outcome::Passed(format!("{losses} of {closed} closed positions lost"));
    }
    if closed < least {
        return Outcome::Idle(format!("{closed} closed positions, too few to miss a loss among"));
    }
    Outcome::Failed(format!("{wins} wins and no loss: from {least} positions on, some lose"))
}

/// Positions never moved while they were open, or never against them.
pub(super) fn no_excursion(facts: &Facts, thresholds: &Thresholds) -> Outcome {
    let Some(Excursions { adverse, favorable }) = facts.excursions else {
        return if facts.closed == 0 {
            Outcome::Idle("no closed positions".into())
        } else {
            Outcome::Unknown("moves while positions were open are not told".into())
        };
    };
    let closed = facts.closed;
    if closed < u64::from(thresholds.flat_moves_min) {
        return Outcome::Idle(format!("{closed} closed positions, too few to miss a move"));
    }
    if adverse == 0 && favorable == 0 {
        return Outcome::Failed(format!("MAE and MFE of all {closed} closed positions are zero"));
    }
    if adverse == 0 && closed >= u64::from(thresholds.wins_only_min) {
        return Outcome::Failed(format!(
            "none of {closed} positions was ever below its entry: MAE is zero"
        ));
    }
    Outcome::Passed(format!("{closed} closed positions moved while they were open"))
}

/// A win rate without its confidence interval.
pub(super) fn no_interval(facts: &Facts) -> Outcome {
    match facts.win_rate {
        Told::Not => Outcome::Idle("no win rate is told".into()),
        Told::Alone => Outcome::Failed("a win rate is told without its confidence interval".into()),
        Told::With(interval) => Outcome::Passed(format!("win rate {}", interval.text())),
    }
}
