//! S0-36: while the ledger and the venue disagree about the money, nothing new is risked on either's word.
//! Measured is the difference at the last comparison, in USD.

use fusewire_core::order::Check;
use fusewire_core::units::{Usd, UsdSum};

use super::{Outcome, at_most};

#[inline(always)]
pub(crate) fn ledger_drift(drift: UsdSum, limit: Usd) -> Outcome {
    at_most(Check::LedgerDrift, drift.0, i128::from(limit.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::usd;

    #[test]
    fn s0_36_a_drift_beyond_the_limit_refuses() {
        let drift = |text| UsdSum(i128::from(usd(text).0));
        assert!(ledger_drift(drift("1"), usd("1")).is_ok());
        let fail = ledger_drift(drift("1.00000001"), usd("1")).unwrap_err();
        assert_eq!(
            (fail.check, fail.measured, fail.limit),
            (Check::LedgerDrift, 100_000_001, 100_000_000)
        );
    }
}
