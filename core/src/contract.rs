//! Contract arithmetic of USD-M perpetuals: fees, margins, brackets, liquidation price.
//!
//! Pure functions on fixed point. What does not fit the grid is rounded against the account, so that no
//! cost is too small and no margin too low. Amounts are none, never zero, when a number leaves its
//! range; the liquidation price has a type of its own, because "none" is a good answer there.

mod assumed;
mod brackets;
mod liquidation;
#[cfg(test)]
mod tests;

pub use assumed::assumed;
pub use brackets::{BRACKETS_MAX, BracketFault, Brackets, BracketsError};
pub use liquidation::{Collateral, Holding, Liquidation, OutOfRange, liquidation};

use crate::order::Liquidity;
use crate::units::{Px, Qty, RATE_DECIMALS, Rate, Round, UsdSum, div_round};

/// A rate of one, or a whole turn of leverage, in raw units.
const RATE_ONE: i64 = 10_i64.pow(RATE_DECIMALS);

/// What the venue charges for a trade, as a share of its notional. Below zero is a rebate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeSchedule {
    /// For a fill that rested.
    pub maker: Rate,
    /// For a fill that took.
    pub taker: Rate,
}

impl FeeSchedule {
    /// Largest rate that is believed, either way: 1 %. The venue's own go up to 0.05 %.
    const RATE_MAX: i64 = RATE_ONE / 100;

    /// Checks the rates.
    ///
    /// # Errors
    /// A rate beyond 1 %, or a taker rate below zero, with the field's name.
    pub fn validate(&self) -> Result<(), String> {
        for (field, rate, least) in
            [("maker", self.maker, -Self::RATE_MAX), ("taker", self.taker, 0)]
        {
            if !(least..=Self::RATE_MAX).contains(&rate.0) {
                let (least, most) = (Rate(least), Rate(Self::RATE_MAX));
                return Err(format!("{field} is {rate}; it must lie between {least} and {most}"));
            }
        }
        Ok(())
    }

    /// The fee on a notional at or above zero, rounded up; none when it leaves its range.
    #[must_use]
    pub fn fee(&self, notional: UsdSum, liquidity: Liquidity) -> Option<UsdSum> {
        notional.times(self.rate(liquidity), Round::Up)
    }

    /// The fee on a fill, rounded against the account: a fee is a share of the notional rounded up, a
    /// rebate one of the notional rounded down. None when a number leaves its range.
    #[must_use]
    pub fn fill_fee(&self, price: Px, qty: Qty, liquidity: Liquidity) -> Option<UsdSum> {
        let round = if self.rate(liquidity) < Rate::ZERO { Round::Down } else { Round::Up };
        self.fee(price.notional(qty, round), liquidity)
    }

    fn rate(&self, liquidity: Liquidity) -> Rate {
        match liquidity {
            Liquidity::Maker => self.maker,
            Liquidity::Taker => self.taker,
        }
    }
}

impl Default for FeeSchedule {
    /// A regular user without discounts: maker 0.02 %, taker 0.05 %.
    fn default() -> Self {
        Self { maker: Rate(200_000_000), taker: Rate(500_000_000) }
    }
}

/// Margin that a position needs when it is opened, rounded up: `|notional| / leverage`. None without
/// leverage.
#[must_use]
pub fn initial_margin(notional: UsdSum, leverage: u32) -> Option<UsdSum> {
    div_round(notional.0.checked_abs()?, i128::from(leverage), Round::Up).map(UsdSum)
}

/// How many times `equity` the notional is, rounded up. None when equity is not above zero (there is
/// no leverage then that could pass a limit), or when the ratio passes about nine million.
#[must_use]
pub fn leverage(notional: UsdSum, equity: UsdSum) -> Option<Rate> {
    ratio(notional.0.checked_abs()?, equity)
}

/// Maintenance margin as a share of the margin balance, rounded up: the venue liquidates at one. None
/// when the balance is not above zero, which is worse than any ratio, or when it leaves its range.
#[must_use]
pub fn margin_ratio(maintenance: UsdSum, balance: UsdSum) -> Option<Rate> {
    ratio(maintenance.0, balance)
}

fn ratio(part: i128, whole: UsdSum) -> Option<Rate> {
    if whole <= UsdSum::ZERO {
        return None;
    }
    let scaled = part.checked_mul(i128::from(RATE_ONE))?;
    i64::try_from(div_round(scaled, whole.0, Round::Up)?).ok().map(Rate)
}
