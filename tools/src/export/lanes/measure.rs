//! What a check measured and allowed, in the unit that it counts in.
//!
//! The core keeps both as bare numbers, each check in units of its own; a table with bare numbers in one
//! column would be read wrong.

use fusewire_core::order::{Check, Rejection};
use fusewire_core::units::{BPS_DECIMALS, DECIMALS, Wide};

use super::super::table::DECIMAL_DIGITS;

/// No number of a check is as large. Risk says `i128::MAX` when there is nothing to measure, which would
/// be a number that most readers of decimals refuse.
const BEYOND: u128 = 10_u128.pow(DECIMAL_DIGITS);

/// A refusal in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    /// The check.
    pub(super) check: &'static str,
    /// What it measured, at 1e-8 of its unit; none when there was nothing to measure.
    pub(super) measured: Option<i128>,
    /// What it allows, likewise.
    pub(super) limit: Option<i128>,
    /// What it counts in; none when it does not.
    pub(super) unit: Option<&'static str>,
}

impl Measured {
    pub(super) fn of(rejection: &Rejection) -> Self {
        let check = rejection.check.name();
        let Some((unit, decimals)) = unit(rejection.check) else {
            return Self { check, measured: None, limit: None, unit: None };
        };
        let scaled = |raw: Wide| {
            let number = raw.get().checked_mul(10_i128.pow(DECIMALS - decimals))?;
            (number.unsigned_abs() < BEYOND).then_some(number)
        };
        let (measured, limit) = (scaled(rejection.measured), scaled(rejection.limit));
        Self { check, measured, limit, unit: Some(unit) }
    }
}

/// What a check counts in, and how many places its bare numbers have; none when it measures nothing.
const fn unit(check: Check) -> Option<(&'static str, u32)> {
    match check {
        Check::OrderState | Check::Arithmetic => None,
        Check::KillLevel => Some(("level", 0)),
        Check::Universe => Some(("id", 0)),
        Check::BookFreshness | Check::MarkFreshness | Check::Duplicate => Some(("ns", 0)),
        Check::Tick | Check::PercentPrice | Check::SelfMatch => Some(("price", DECIMALS)),
        Check::Lot | Check::OrderQty | Check::ReduceOnly => Some(("qty", DECIMALS)),
        Check::MinNotional
        | Check::OrderNotional
        | Check::Exposure
        | Check::GrossExposure
        | Check::Leverage
        | Check::LedgerDrift => Some(("usd", DECIMALS)),
        Check::Collar | Check::Trigger => Some(("bp", BPS_DECIMALS)),
        Check::MaxOrders | Check::OpenOrders | Check::Conditionals => Some(("orders", 0)),
        Check::RateNew
        | Check::RateSymbol
        | Check::RateAmend
        | Check::RateCancel
        | Check::RateReduce
        | Check::RateQuery => Some(("messages", 0)),
    }
}
