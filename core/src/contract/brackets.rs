//! Maintenance margin by brackets of notional.
//!
//! A bracket holds notionals above its floor up to its cap. Its auxiliary amount makes the margin of one
//! bracket begin where that of the one below ends, so that
//! `maintenance = notional * rate - auxiliary` is continuous and bends upwards only.

use thiserror::Error;

use super::RATE_ONE;
use crate::market::Bracket;
use crate::units::{ONE, Rate, Round, UsdSum, div_round};

/// Most brackets of one symbol. The exchange uses 12 or fewer.
pub const BRACKETS_MAX: usize = 16;

/// How far an auxiliary amount may lie from what it should be: the exchange gives full cents.
const AUXILIARY_TOLERANCE: i128 = ONE as i128 / 100;

/// The brackets of one symbol, checked. It lies in one piece, so that new ones can be taken on the hot
/// path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Brackets {
    rows: [Bracket; BRACKETS_MAX],
    count: usize,
}

/// Why a list of brackets can not be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("bracket {place}: {fault}")]
pub struct BracketsError {
    /// Place of the bracket in the list, from 1.
    pub place: usize,
    /// What is wrong with it.
    pub fault: BracketFault,
}

/// What is wrong with a bracket.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BracketFault {
    /// There is none.
    #[error("there must be at least one")]
    Missing,
    /// One more than `BRACKETS_MAX`.
    #[error("more brackets than {BRACKETS_MAX}")]
    TooMany,
    /// The list is not in order, or lacks one.
    #[error("its number is not its place")]
    Number,
    /// The floor is not the cap of the bracket below; zero for the first.
    #[error("it does not begin where the one below ends")]
    Floor,
    /// The cap is not above the floor.
    #[error("its cap is not above its floor")]
    Cap,
    /// The rate is not between 0 and 1, or below that of the bracket below.
    #[error("its rate is not between 0 and 1, or lower than that of the one below")]
    Rate,
    /// The auxiliary amount would make the maintenance margin jump.
    #[error("its auxiliary amount does not join it to the one below")]
    Auxiliary,
    /// The highest leverage is below one.
    #[error("its highest leverage is below 1")]
    Leverage,
    /// A number left its range.
    #[error("a number is out of range")]
    Range,
}

impl Brackets {
    /// Checks and takes the brackets of a symbol, lowest first.
    ///
    /// # Errors
    /// They do not form one continuous scale; the error names the first bracket that breaks it.
    pub fn new(rows: &[Bracket]) -> Result<Self, BracketsError> {
        let (count, mut kept) = (rows.len(), [Bracket::default(); BRACKETS_MAX]);
        let Some(room) = kept.get_mut(..count) else {
            return Err(BracketsError { place: BRACKETS_MAX + 1, fault: BracketFault::TooMany });
        };
        if rows.is_empty() {
            return Err(BracketsError { place: 1, fault: BracketFault::Missing });
        }
        let mut below = Bracket::default();
        for (place, row) in (1..).zip(rows) {
            check(place, row, &below).map_err(|fault| BracketsError { place, fault })?;
            below = *row;
        }
        room.copy_from_slice(rows);
        Ok(Self { rows: kept, count })
    }

    /// The brackets, lowest first.
    #[must_use]
    pub fn rows(&self) -> &[Bracket] {
        &self.rows[..self.count]
    }

    /// The bracket that holds a notional, its sign left out. The highest one reaches beyond its cap:
    /// the cap bounds what may be opened, and what is open keeps needing margin when the mark rises.
    #[must_use]
    pub fn holding(&self, notional: UsdSum) -> &Bracket {
        let size = notional.0.unsigned_abs();
        let below = self.rows().partition_point(|row| row.notional_cap.0.unsigned_abs() < size);
        &self.rows[below.min(self.count - 1)]
    }

    /// Maintenance margin of a notional, its sign left out, rounded up; none when it leaves its range.
    #[must_use]
    pub fn maintenance(&self, notional: UsdSum) -> Option<UsdSum> {
        let row = self.holding(notional);
        let size = UsdSum(notional.0.checked_abs()?);
        let margin = size.times(row.maintenance_rate, Round::Up)?.checked_sub(row.auxiliary)?;
        Some(margin.max(UsdSum::ZERO))
    }

    /// Highest leverage at which a notional may be opened; none above the last cap.
    #[must_use]
    pub fn leverage_max(&self, notional: UsdSum) -> Option<i64> {
        let row = self.holding(notional);
        let fits = notional.0.unsigned_abs() <= row.notional_cap.0.unsigned_abs();
        fits.then_some(row.leverage_max)
    }
}

impl std::fmt::Debug for Brackets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rows()).finish()
    }
}

/// Checks a bracket against the one below; that of the first is all zero.
fn check(place: usize, row: &Bracket, below: &Bracket) -> Result<(), BracketFault> {
    if usize::try_from(row.number) != Ok(place) {
        return Err(BracketFault::Number);
    }
    if row.notional_floor != below.notional_cap {
        return Err(BracketFault::Floor);
    }
    if row.notional_cap <= row.notional_floor {
        return Err(BracketFault::Cap);
    }
    let Rate(rate) = row.maintenance_rate;
    if !(1..RATE_ONE).contains(&rate) || row.maintenance_rate < below.maintenance_rate {
        return Err(BracketFault::Rate);
    }
    let joined = auxiliary(row, below).ok_or(BracketFault::Range)?;
    let off = row.auxiliary.checked_sub(joined).ok_or(BracketFault::Range)?;
    if off.0.unsigned_abs() > AUXILIARY_TOLERANCE.unsigned_abs() {
        return Err(BracketFault::Auxiliary);
    }
    if row.leverage_max < 1 {
        return Err(BracketFault::Leverage);
    }
    Ok(())
}

/// The auxiliary amount that joins a bracket to the one below.
pub(super) fn auxiliary(row: &Bracket, below: &Bracket) -> Option<UsdSum> {
    let step = row.maintenance_rate.checked_sub(below.maintenance_rate)?;
    let product = row.notional_floor.0.checked_mul(i128::from(step.0))?;
    let jump = div_round(product, i128::from(RATE_ONE), Round::HalfEven)?;
    below.auxiliary.checked_add(UsdSum(jump))
}
