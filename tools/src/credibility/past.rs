//! Look-ahead: with the future cut off, the past must be the same (X20).

use super::{Facts, Outcome, Past};

/// The past depends on what came later.
pub(super) fn look_ahead(facts: &Facts) -> Outcome {
    match &facts.past {
        None => Outcome::Unknown("not run again with the future cut off (--check-past)".into()),
        Some(Past { difference: Some(what), .. }) => {
            Outcome::Failed(format!("the past depends on the future: {what}"))
        }
        Some(Past { cuts: 0, .. }) => Outcome::Idle("too short to be cut".into()),
        Some(Past { cuts, .. }) => {
            Outcome::Passed(format!("the same past with the future cut off at {cuts} places"))
        }
    }
}
