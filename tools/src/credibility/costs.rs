//! Costs that a result leaves out: fees, the spread, funding, liquidation (S0-32).

use fusewire_core::units::{BPS_DECIMALS, Bps, UsdSum};

use super::{Facts, Outcome, Thresholds, Volume};

/// One bp as a share, turned around.
const BP_PER_WHOLE: i128 = 10_i128.pow(4);

/// An amount in raw `Bps` of another, rounded down; none of nothing.
fn in_bp(part: UsdSum, of: UsdSum) -> Option<Bps> {
    let scale = BP_PER_WHOLE * 10_i128.pow(BPS_DECIMALS);
    let ratio = part.0.checked_mul(scale)?.checked_div_euclid(of.0)?;
    i64::try_from(ratio).ok().map(Bps)
}

/// Fills cost no fee, or one below what any tier charges.
pub(super) fn fee(facts: &Facts, thresholds: &Thresholds) -> Outcome {
    if facts.fills == 0 {
        return Outcome::Idle("no fills".into());
    }
    if facts.maker.is_none() && facts.taker.is_none() {
        return Outcome::Unknown("fees are not told".into());
    }
    let Volume { quote, fees, fills } = facts.taker.unwrap_or_default();
    let charged = in_bp(fees, quote);
    let least = thresholds.taker_fee_min_bp;
    if let Some(charged) = charged.filter(|charged| *charged < least) {
        return Outcome::Failed(format!(
            "{fills} fills that took cost {fees} USD on {quote} USD, {charged} bp: no exchange charges less than {least} bp"
        ));
    }
    let made = facts.maker.unwrap_or_default();
    let rebate = in_bp(UsdSum(-made.fees.0), made.quote);
    let most = thresholds.maker_rebate_max_bp;
    if let Some(rebate) = rebate.filter(|rebate| *rebate > most) {
        return Outcome::Failed(format!(
            "{} fills that rested were paid {rebate} bp for it on {} USD: no exchange pays more than {most} bp",
            made.fills, made.quote
        ));
    }
    if made.quote > UsdSum::ZERO && made.fees == UsdSum::ZERO {
        return Outcome::Failed(format!(
            "{} fills that rested cost no fee on {} USD",
            made.fills, made.quote
        ));
    }
    let least = thresholds.maker_fee_min_bp;
    let nearly_free = |charged: &Bps| charged.0.saturating_abs() < least.0;
    if let Some(charged) = in_bp(made.fees, made.quote).filter(nearly_free) {
        return Outcome::Failed(format!(
            "{} fills that rested cost {} USD on {} USD, {charged} bp: no tier charges or pays less than {least} bp",
            made.fills, made.fees, made.quote
        ));
    }
    let told = |kind: &str, volume: Volume| {
        in_bp(volume.fees, volume.quote).map(|bp| format!("{bp} bp on what {kind}"))
    };
    let parts = [told("took", facts.taker.unwrap_or_default()), told("rested", made)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return Outcome::Unknown("the traded volume is not told".into());
    }
    Outcome::Passed(parts.join(", "))
}

/// Fills that took paid no spread.
pub(super) fn slippage(facts: &Facts, thresholds: &Thresholds) -> Outcome {
    if facts.fills == 0 {
        return Outcome::Idle("no fills".into());
    }
    let least = thresholds.assumed_spread_min_bp;
    if let Some(spread) = facts.assumed_spread.filter(|spread| *spread < least) {
        return Outcome::Failed(format!(
            "without a book a spread of {spread} bp is assumed, less than the {least} bp of the most liquid perpetuals"
        ));
    }
    let Some(crossing) = facts.crossing else {
        return Outcome::Unknown("prices of fills beside the mid are not told".into());
    };
    if crossing.fills == 0 {
        return Outcome::Idle("no fill took at a known mid".into());
    }
    let bp = in_bp(crossing.beyond, crossing.quote).unwrap_or_default();
    if crossing.beyond <= UsdSum::ZERO {
        return Outcome::Failed(format!(
            "{} fills that took got the mid or better, {bp} bp beyond it on average: they paid no spread",
            crossing.fills
        ));
    }
    Outcome::Passed(format!(
        "{} fills that took paid {bp} bp beyond the mid on average",
        crossing.fills
    ))
}

/// Positions were held across funding and not charged.
pub(super) fn funding(facts: &Facts) -> Outcome {
    let Some(funding) = facts.funding else {
        return Outcome::Unknown("funding is not told".into());
    };
    if funding.held == 0 {
        return Outcome::Idle("nothing was held at a funding boundary".into());
    }
    let missed = funding.held.saturating_sub(funding.charged);
    if missed > 0 {
        return Outcome::Failed(format!(
            "positions were held at {} funding boundaries and {missed} of them were not charged",
            funding.held
        ));
    }
    Outcome::Passed(format!(
        "charged at all {} boundaries at which something was held",
        funding.held
    ))
}

/// Exposure above the wallet, and nothing that liquidates it, or that for nothing.
pub(super) fn leverage(facts: &Facts, thresholds: &Thresholds) -> Outcome {
    let Some(leverage) = facts.leverage else {
        return Outcome::Unknown("exposure is not told".into());
    };
    let (used, free) = (leverage.used, thresholds.leverage_free);
    if used <= free {
        return Outcome::Idle(format!("exposure was at most {used} of the wallet"));
    }
    let (fee, least) = (leverage.fee, thresholds.liquidation_fee_min_bp);
    let missing = if !leverage.liquidates {
        "nothing liquidates it".to_owned()
    } else if fee < least {
        format!("a liquidation costs {fee} bp: no contract is liquidated for less than {least} bp")
    } else {
        return Outcome::Passed(format!(
            "exposure up to {used} of the wallet, liquidated at a fee of {fee} bp"
        ));
    };
    Outcome::Failed(format!("exposure was up to {used} of the wallet, and {missing}"))
}
