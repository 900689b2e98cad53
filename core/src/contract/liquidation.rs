//! The price at which the venue liquidates a position, one-way mode (X1).
//!
//! ```text
//!       wallet - maintenance of others + unrealised of others + auxiliary - side * qty * entry
//!  LP = --------------------------------------------------------------------------------------
//!                               qty * rate - side * qty
//! ```

use thiserror::Error;

use super::{Brackets, RATE_ONE};
use crate::market::Bracket;
use crate::portfolio::Position;
use crate::units::{ONE, Px, Qty, Round, Usd, UsdSum, div_round};

/// When a position is liquidated by the mark price. There is no number for "never": a venue that
/// reports a price of 0 may also mean that it does not know (S0-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Liquidation {
    /// No price liquidates it: there is no position, or its margin outlasts any fall of the mark to
    /// zero, or any rise that a `Px` can hold.
    None,
    /// At this mark and beyond: a long at or below it, a short at or above it. Rounded to the side
    /// that is met first.
    At(Px),
    /// At every price: the margin balance is gone whatever the mark says.
    Always,
}

/// A number left its range: the price is not known, which is never "none".
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a number left its range")]
pub struct OutOfRange;

/// A position: quantity above zero is long, cost has its sign, as in `portfolio::Position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Signed quantity.
    pub qty: Qty,
    /// What it cost: signed quantity times entry price.
    pub cost: UsdSum,
}

impl Holding {
    /// From an entry price. What the venue keeps of it is 1e-8 USD, rounded up against the account.
    #[must_use]
    pub fn at(entry: Px, qty: Qty) -> Self {
        Self { qty, cost: entry.notional(qty, Round::Up) }
    }
}

impl From<&Position> for Holding {
    fn from(position: &Position) -> Self {
        Self { qty: position.qty, cost: position.cost }
    }
}

/// What stands behind a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collateral {
    /// Its own wallet alone.
    Isolated {
        /// The position's isolated wallet.
        wallet: Usd,
    },
    /// All that the account has.
    Cross {
        /// Wallet balance, isolated wallets left out.
        wallet: Usd,
        /// Maintenance margin of the other cross positions.
        other_maintenance: UsdSum,
        /// Unrealised profit of the other cross positions.
        other_unrealized: UsdSum,
    },
}

impl Collateral {
    /// What is there for this position, at its entry price.
    fn free(&self) -> Option<UsdSum> {
        match *self {
            Self::Isolated { wallet } => Some(UsdSum(i128::from(wallet.0))),
            Self::Cross { wallet, other_maintenance, other_unrealized } => {
                UsdSum(i128::from(wallet.0))
                    .checked_sub(other_maintenance)?
                    .checked_add(other_unrealized)
            }
        }
    }
}

/// When `holding` is liquidated. Fees of the liquidation itself are no part of the venue's formula.
///
/// # Errors
/// `OutOfRange` when an amount on the way does not fit: then nothing is known of the price.
pub fn liquidation(
    holding: &Holding,
    collateral: &Collateral,
    brackets: &Brackets,
) -> Result<Liquidation, OutOfRange> {
    if holding.qty == Qty::ZERO {
        return Ok(Liquidation::None);
    }
    let free = collateral.free().ok_or(OutOfRange)?;
    // The venue takes the bracket that holds the notional at the liquidation price, which is what is
    // sought. Rates rise from bracket to bracket, so that the maintenance margin is the highest of the
    // brackets' lines, and the price met first among them is the one of the bracket that holds it.
    let mut first: Option<i128> = None;
    for row in brackets.rows() {
        let price = price_in(row, holding, free).ok_or(OutOfRange)?;
        first = Some(match first {
            None => price,
            Some(other) if holding.qty > Qty::ZERO => other.max(price),
            Some(other) => other.min(price),
        });
    }
    let price = first.ok_or(OutOfRange)?;
    Ok(match (i64::try_from(price), holding.qty > Qty::ZERO) {
        (Ok(price), _) if price > 0 => Liquidation::At(Px(price)),
        (Err(_), false) if price > 0 => Liquidation::None,
        (Err(_), true) if price > 0 => Liquidation::Always,
        (_, true) => Liquidation::None,
        (_, false) => Liquidation::Always,
    })
}

/// The formula in one bracket, at 1e-8, rounded up for a long and down for a short.
fn price_in(row: &Bracket, holding: &Holding, free: UsdSum) -> Option<i128> {
    let (side, round) = match holding.qty > Qty::ZERO {
        true => (1, Round::Up),
        false => (-1, Round::Down),
    };
    let money = free.checked_add(row.auxiliary)?.checked_sub(holding.cost)?;
    let rate = row.maintenance_rate.0 - side * RATE_ONE;
    // Rates have few digits: without the common factor the product would leave i128 above 1e10 USD.
    let factor = gcd(RATE_ONE, rate);
    let (scale, rate) = (i128::from(RATE_ONE / factor), i128::from(rate / factor));
    let numerator = money.0.checked_mul(i128::from(ONE))?.checked_mul(scale)?;
    let denominator = i128::from(holding.qty.0).checked_abs()?.checked_mul(rate)?;
    div_round(numerator, denominator, round)
}

/// Greatest common divisor, above zero as `a` is. Each turn halves the numbers at least every other
/// time, so that there are fewer than 128.
fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs()
}
