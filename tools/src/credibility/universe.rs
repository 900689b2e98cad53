//! Survivorship: whoever knows today which symbols are still there must not choose by it (S0-31).

use fusewire_core::units::{Nanos, Rate};

use super::{Facts, Outcome, SymbolSpan, Thresholds, Universe};

/// One, as a raw `Rate`.
const WHOLE: u128 = 1_000_000_000_000;
/// Names that a reason lists.
const LISTED_MAX: usize = 4;

/// Symbols that ended are left out, and none of those that were chosen did.
pub(super) fn survivorship(facts: &Facts, thresholds: &Thresholds) -> Outcome {
    let Some(universe) = &facts.universe else {
        return Outcome::Unknown("the symbols to choose from are not told".into());
    };
    if facts.fills == 0 {
        return Outcome::Idle("no fills".into());
    }
    let (chosen, left_out) = (universe.chosen.len(), universe.left_out.len());
    if left_out == 0 {
        return Outcome::Passed(format!("all {chosen} symbols of the data were chosen"));
    }
    let ended = |span: &&SymbolSpan| ended_early(universe, span, thresholds);
    let dead: Vec<&SymbolSpan> = universe.left_out.iter().filter(ended).collect();
    let Some(first) = dead.first() else {
        return Outcome::Passed(format!(
            "{chosen} symbols chosen; none of the other {left_out} ended early"
        ));
    };
    if universe.chosen.iter().any(|span| ended(&span)) {
        return Outcome::Passed(format!(
            "{chosen} symbols chosen, some that ended early among them as among the other {left_out}"
        ));
    }
    let names: Vec<&str> = dead.iter().take(LISTED_MAX).map(|span| span.key.as_str()).collect();
    let more = if dead.len() > names.len() { " and more" } else { "" };
    Outcome::Failed(format!(
        "the {chosen} symbols that were chosen all live to the end of the data, and {} that were left out do not: \
         {}{more} ({} {:.0} s before the end)",
        dead.len(),
        names.join(", "),
        if first.delisted.is_some() { "delisted" } else { "silent from" },
        seconds(universe.last.since(end_of(first)))
    ))
}

fn end_of(span: &SymbolSpan) -> Nanos {
    span.delisted.unwrap_or(span.last).min(span.last)
}

fn ended_early(universe: &Universe, span: &SymbolSpan, thresholds: &Thresholds) -> bool {
    let whole = u128::try_from(universe.last.since(universe.first)).unwrap_or(0);
    let share = share_of(whole, thresholds.ended_early_share);
    let least = u128::from(thresholds.ended_early_min_s) * u128::from(Nanos::SECOND);
    let silent = u128::try_from(universe.last.since(end_of(span))).unwrap_or(0);
    silent > share.max(least)
}

fn share_of(span: u128, share: Rate) -> u128 {
    span.saturating_mul(u128::try_from(share.0).unwrap_or(0)) / WHOLE
}

#[allow(clippy::cast_precision_loss, reason = "shown in whole seconds")]
fn seconds(nanos: i128) -> f64 {
    nanos as f64 / 1e9
}
