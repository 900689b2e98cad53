//! Where profit came from (S1-27), and what trading cost (S1-26).
//!
//! Each fill is compared with the mid at which its order was decided. At those mids the positions would have made
//! `alpha`; what fills cost beyond them is slippage: above zero for those that took, mostly below for those that
//! rested, which earn the spread. `alpha - slippage = realized + unrealized`.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::StrategyId;
use fusewire_core::units::{Round, UsdSum, div_round};
use fusewire_risk::ledger::Ledger;
use serde::Serialize;

/// Places of a share of something.
pub(super) const SHARE_PLACES: usize = 4;

/// Profit split by cause, in USDT. `total = alpha - slippage_maker - slippage_taker + funding - fees`.
#[derive(Debug, Serialize)]
pub struct Attribution {
    /// At the mids at which orders were decided; none when a position has no mark.
    pub alpha: Option<String>,
    /// What fills that rested cost beyond those mids; below zero was earned.
    pub slippage_maker: String,
    /// What fills that took cost beyond them.
    pub slippage_taker: String,
    /// Fills of orders that no mid is known for: they count as if they had been at it.
    pub mids_unknown: u64,
    /// Price times quantity of all fills.
    pub turnover: String,
    /// Turnover over the opening balance.
    pub turnover_of_balance: String,
    /// Fees over realised and unrealised profit before fees and funding, where that is above zero.
    pub fees_of_gross: Option<String>,
}

/// Profit from prices, fees, and what was traded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gross {
    pub(super) price: Option<UsdSum>,
    pub(super) fees: UsdSum,
    pub(super) turnover: UsdSum,
}

impl Attribution {
    /// Of the whole account.
    pub(super) fn new(ledger: &Ledger, gross: Gross) -> Self {
        let everything = |_: StrategyId, _: InstrumentId| true;
        let ([maker, taker], mids_unknown) = ledger.slippage(everything);
        let alpha = gross.price.map(|price| UsdSum(price.0 + maker.0 + taker.0));
        let earned = gross.price.filter(|price| *price > UsdSum::ZERO);
        Self {
            alpha: alpha.map(|alpha| alpha.to_string()),
            slippage_maker: maker.to_string(),
            slippage_taker: taker.to_string(),
            mids_unknown,
            turnover: gross.turnover.to_string(),
            turnover_of_balance: share(gross.turnover, UsdSum(ledger.opening().0.into()))
                .unwrap_or_default(),
            fees_of_gross: earned.and_then(|price| share(gross.fees, price)),
        }
    }
}

/// One amount over another with four places; none of nothing.
fn share(part: UsdSum, whole: UsdSum) -> Option<String> {
    ratio((part.0, whole.0), SHARE_PLACES, Round::HalfEven)
}

/// One number over another with so many places; none of nothing.
pub(super) fn ratio((part, whole): (i128, i128), places: usize, round: Round) -> Option<String> {
    let scale = 10_i128.pow(u32::try_from(places).ok()?);
    let ratio = div_round(part.checked_mul(scale)?, whole, round)?;
    let sign = if ratio < 0 { "-" } else { "" };
    let ratio = ratio.unsigned_abs();
    let scale = scale.unsigned_abs();
    Some(format!("{sign}{}.{:0places$}", ratio / scale, ratio % scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_four_places_and_its_sign() {
        let of = |part, whole| share(UsdSum(part), UsdSum(whole));
        assert_eq!(of(1, 3).as_deref(), Some("0.3333"));
        assert_eq!(of(-20, 3).as_deref(), Some("-6.6667"));
        assert_eq!(of(5, 5).as_deref(), Some("1.0000"));
        assert_eq!(of(5, 0), None);
        assert_eq!(ratio((2, 3), 6, Round::Down).as_deref(), Some("0.666666"));
    }
}
