//! Bar crossing: that a bar touched a price is no proof that anybody traded with us there (S0-03).

use super::{Facts, Outcome};

/// Bars paid orders that were not there when they opened.
pub(super) fn bar_crossing(facts: &Facts) -> Outcome {
    match (facts.fills, facts.bar_crossed) {
        (0, _) => Outcome::Idle("no fills".into()),
        (_, None) => Outcome::Unknown("what paid for each fill is not told".into()),
        (fills, Some(0)) => Outcome::Passed(format!(
            "none of {fills} fills was paid by a bar from before its order"
        )),
        (fills, Some(crossed)) => Outcome::Failed(format!(
            "{crossed} of {fills} fills were paid by a bar that had opened before their order was in"
        )),
    }
}
