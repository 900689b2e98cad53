//! S0-07: the worst case of the account stays within five times its equity, whatever the operator asks.
//! Measured is the worst case, the limit what the equity carries, both in USD.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::Check;
use fusewire_core::portfolio::{Portfolio, unrealized};
use fusewire_core::units::{Px, UsdSum};

use super::{Fail, Outcome, UNKNOWN, at_most, in_range};
use crate::limits::LEVERAGE_CEILING;

/// The ledger's wallet (opening balance, realised profit, fees, funding, transfers) and unrealised profit.
#[inline(always)]
pub(crate) fn equity(
    wallet: UsdSum,
    portfolio: &Portfolio,
    mark: impl Fn(InstrumentId) -> Option<Px>,
) -> Result<UsdSum, Fail> {
    // A position without a mark is worth nobody knows what.
    let unknown = Fail { check: Check::Leverage, measured: UNKNOWN, limit: 0 };
    let unrealized = unrealized(portfolio, mark).ok_or(unknown)?;
    in_range(wallet.checked_add(unrealized))
}

#[inline(always)]
pub(crate) fn leverage(gross: UsdSum, equity: UsdSum, times: u32) -> Outcome {
    let times = i128::from(times.min(LEVERAGE_CEILING));
    // Without equity nothing is carried, not even an order of zero.
    if equity <= UsdSum::ZERO {
        return Err(Fail { check: Check::Leverage, measured: gross.0, limit: 0 });
    }
    at_most(Check::Leverage, gross.0, in_range(equity.0.checked_mul(times))?)
}

#[cfg(test)]
mod tests {
    use fusewire_core::order::Side;

    use super::*;
    use crate::testing::{BTC, filled, new_order, portfolio, px, track, usd};

    #[test]
    fn s0_07_leverage_never_passes_five() {
        let at = |gross: i128, equity: i128, times| {
            leverage(UsdSum(gross), UsdSum(equity), times).err().map(|fail| {
                assert_eq!((fail.check, fail.measured), (Check::Leverage, gross));
                fail.limit
            })
        };
        assert_eq!(at(500, 100, 5), None);
        assert_eq!(at(501, 100, 5), Some(500));
        assert_eq!(at(501, 100, 50), Some(500), "the ceiling is compiled in");
        assert_eq!(at(201, 100, 2), Some(200));
        assert_eq!(at(0, 0, 5), Some(0));
        assert_eq!(at(0, -1, 5), Some(0));
    }

    #[test]
    fn s0_07_equity_counts_the_wallet_and_open_profit() {
        let mut portfolio = portfolio();
        track(&mut portfolio, 1, BTC, new_order(Side::Buy, "100", "2"));
        filled(&mut portfolio, 1, BTC, Side::Buy, "100", "2");
        track(&mut portfolio, 2, BTC, new_order(Side::Sell, "110", "1"));
        filled(&mut portfolio, 2, BTC, Side::Sell, "110", "1");
        // A thousand and ten realised, less fees of one USD a fill; five open.
        let wallet = UsdSum(usd("1008").0.into());
        let equity_at = |mark| equity(wallet, &portfolio, |_| mark);
        assert_eq!(equity_at(Some(px("105"))), Ok(UsdSum(usd("1013").0.into())));
        let fail = equity_at(None).unwrap_err();
        assert_eq!((fail.check, fail.measured), (Check::Leverage, UNKNOWN));
    }
}
