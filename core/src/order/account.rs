//! What the venue says of the account's money beside fills.

use crate::units::{Nanos, Px, Qty, Rate, Usd};

use super::Leg;

/// Why the venue tells of the account (`ACCOUNT_UPDATE`, its field `m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum AccountReason {
    /// Funding was settled on a position (`FUNDING_FEE`).
    Funding,
    /// The fee of a liquidation was charged (`INSURANCE_CLEAR` of the exchange).
    LiquidationFee,
    /// The insurance fund took over a balance below zero.
    Insurance,
    /// Money was put in or taken out (`DEPOSIT`, `WITHDRAW`).
    Transfer,
    /// It was asked for: nothing changed.
    Snapshot,
}

impl AccountReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Funding, Self::LiquidationFee, Self::Insurance, Self::Transfer, Self::Snapshot];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Funding => "funding",
            Self::LiquidationFee => "liquidation_fee",
            Self::Insurance => "insurance",
            Self::Transfer => "transfer",
            Self::Snapshot => "snapshot",
        }
    }
}

/// News of the account. As a report it carries cumulative amounts: one that is lost or comes twice does no
/// harm, because the ledger books the increase over what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountUpdate {
    /// Why.
    pub reason: AccountReason,
    /// The leg of the position that it is about.
    pub leg: Leg,
    /// The venue's count of its updates, from 1: an older one changes nothing.
    pub n: u64,
    /// Everything that came to the wallet so far for this reason, and this symbol if there is one; below zero
    /// was paid. Zero for a snapshot.
    pub total: Usd,
    /// What of it came now.
    pub change: Usd,
    /// Wallet balance behind it.
    pub wallet: Usd,
    /// Signed quantity of the position that it was charged on; zero without one.
    pub qty: Qty,
    /// Mark price that it was computed with; zero without one.
    pub price: Px,
    /// Funding rate; zero for other reasons.
    pub rate: Rate,
    /// When it happened at the venue; of funding the boundary itself, of a total that is told again that moment.
    pub at: Nanos,
}

impl AccountUpdate {
    /// Whether it only tells a total again, because the balance was asked for: nothing came to the wallet with it.
    /// A charge of nothing names the price that it was computed with.
    #[must_use]
    pub fn is_repeat(&self) -> bool {
        self.reason != AccountReason::Snapshot && self.change == Usd::ZERO && self.price == Px::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_listed_in_order() {
        for (index, reason) in AccountReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }
}
