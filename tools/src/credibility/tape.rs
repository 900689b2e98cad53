//! Profit that is not on the tape: more than perfect foresight makes of it, or credited without a fill (X19).

use fusewire_core::units::UsdSum;

use super::{Facts, Outcome};

/// More profit from prices than the largest positions could have made of every single move.
pub(super) fn beyond(facts: &Facts) -> Outcome {
    let (Some(profit), Some(bound)) = (facts.price_profit, facts.tape_bound) else {
        return Outcome::Unknown(
            "profit from prices, or the moves of the tape, are not told".into(),
        );
    };
    if facts.fills == 0 && profit == UsdSum::ZERO {
        return Outcome::Idle("no fills".into());
    }
    if profit > bound {
        return Outcome::Failed(format!(
            "{profit} USD from prices, where the largest positions held at every move of the tape in the right \
             direction make {bound} USD"
        ));
    }
    Outcome::Passed(format!("{profit} USD from prices, of at most {bound} USD"))
}

/// Profit that no fill, fee or funding explains.
pub(super) fn unsimulated(facts: &Facts) -> Outcome {
    match facts.credited {
        None => Outcome::Unknown("where the profit comes from is not told".into()),
        Some(UsdSum::ZERO) => Outcome::Passed("all profit is from fills, fees and funding".into()),
        Some(credited) => Outcome::Failed(format!(
            "{credited} USD were credited that no fill, fee or funding explains"
        )),
    }
}
