//! What the ledger says at the end: where the money went, how positions ended, and whether the venue agrees.

use std::collections::BTreeMap;

use fusewire_core::units::UsdSum;
use fusewire_risk::ledger::{ExitPath, Exits, Ledger, PostingKind, ReconcileOutcome};
use serde::Serialize;

use crate::engine::Run;

/// The ledger, in USDT. Income is above zero.
#[derive(Debug, Serialize)]
pub struct LedgerReport {
    /// Opening balance.
    pub opening: String,
    /// Balance at the end, unrealised profit left out: the opening balance and all of `postings`.
    pub wallet: String,
    /// What the venue's own books say at that moment; what it did and has not told yet is the difference.
    pub venue_wallet: String,
    /// Sums by kind of posting; those that are zero are left out.
    pub postings: BTreeMap<&'static str, String>,
    /// The part of them that stems from incidents: liquidations, the halt, orders of which nobody knew what had become.
    pub incident: String,
    /// Positions that were closed, by what ended them.
    pub exits: BTreeMap<&'static str, ExitReport>,
    /// Comparisons with the venue, by outcome.
    pub reconciled: BTreeMap<&'static str, u64>,
    /// How far the two were apart at the last of them, with what came later and was from before it; absent before the
    /// first.
    pub drift: Option<String>,
    /// Alerts raised.
    pub alerts: u64,
}

/// Positions that ended in one way.
#[derive(Debug, Serialize)]
pub struct ExitReport {
    /// How many.
    pub count: u64,
    /// Those that earned more than their fees and their funding.
    pub wins: u64,
    /// Realised profit before fees.
    pub realized: String,
    /// Mean of the worst moves against them, in bp of the entry price.
    pub mae_bp: String,
    /// Mean of the best moves for them.
    pub mfe_bp: String,
}

impl LedgerReport {
    /// Of a finished run.
    pub(super) fn new(run: &Run) -> Self {
        let ledger = run.risk.ledger();
        let total = |kind: PostingKind| (kind.name(), ledger.total(kind));
        // The wallet's own line is the sum of the others.
        let lines = PostingKind::ALL.into_iter().filter(|kind| *kind != PostingKind::Wallet);
        let lines = lines.map(total).filter(|(_, sum)| *sum != UsdSum::ZERO);
        Self {
            opening: ledger.opening().to_string(),
            wallet: ledger.wallet().to_string(),
            venue_wallet: run.gateway.venue().wallet().to_string(),
            postings: lines.map(|(name, sum)| (name, sum.to_string())).collect(),
            incident: ledger.incident().to_string(),
            exits: exits(ledger),
            reconciled: reconciled(ledger),
            drift: ledger.reconciled().drift().map(|drift| drift.to_string()),
            alerts: run.risk.counts().alerts,
        }
    }
}

fn exits(ledger: &Ledger) -> BTreeMap<&'static str, ExitReport> {
    let all = ExitPath::ALL.into_iter().zip(ledger.exits()).filter(|(_, exits)| exits.count > 0);
    all.map(|(path, exits)| (path.name(), ExitReport::of(exits))).collect()
}

fn reconciled(ledger: &Ledger) -> BTreeMap<&'static str, u64> {
    let all = ReconcileOutcome::ALL.into_iter().zip(ledger.reconciled().outcomes);
    all.filter(|(_, n)| *n > 0).map(|(outcome, n)| (outcome.name(), n)).collect()
}

impl ExitReport {
    fn of(exits: &Exits) -> Self {
        Self {
            count: exits.count,
            wins: exits.wins,
            realized: exits.realized.to_string(),
            mae_bp: mean_bp(exits.adverse, exits.count),
            mfe_bp: mean_bp(exits.favorable, exits.count),
        }
    }
}

/// The mean of moves in 1e-4 bp, as bp with one place.
fn mean_bp(sum: i128, count: u64) -> String {
    let tenths = sum / i128::from(count.max(1)) / 1_000;
    let sign = if tenths < 0 { "-" } else { "" };
    let tenths = tenths.unsigned_abs();
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_has_one_place_and_its_sign() {
        assert_eq!(mean_bp(-35_000, 2), "-1.7");
        assert_eq!(mean_bp(-9_000, 1), "-0.9");
        assert_eq!(mean_bp(1_234_567, 1), "123.4");
        assert_eq!(mean_bp(0, 0), "0.0");
    }
}
