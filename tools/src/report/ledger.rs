//! What the ledger says at the end: where the money went, how positions ended, and whether the venue agrees.

use std::collections::BTreeMap;
use std::fmt;

use fusewire_core::units::UsdSum;
use fusewire_risk::ledger::{ExitPath, Exits, Ledger, PostingKind, ReconcileOutcome};
use serde::Serialize;

use crate::credibility::Interval;
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
    /// Positions that were closed, whatever ended them.
    pub closed: ClosedReport,
    /// The same by what ended them.
    pub exits: BTreeMap<&'static str, ExitReport>,
    /// Comparisons with the venue, by outcome.
    pub reconciled: BTreeMap<&'static str, u64>,
    /// How far the two were apart at the last of them, with what came later and was from before it; absent before the
    /// first.
    pub drift: Option<String>,
    /// Alerts raised.
    pub alerts: u64,
}

/// Positions that ended.
#[derive(Debug, Serialize)]
pub struct ClosedReport {
    /// How many.
    pub count: u64,
    /// Those that earned more than their fees and their funding.
    pub wins: u64,
    /// The share of them, with its 95 % interval; none without a closed position.
    pub win_rate: Option<WinRate>,
}

/// A win rate. It is never told without its interval (S0-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WinRate {
    /// Wins over closed positions, from 0 to 1.
    pub share: String,
    /// Lower end of Wilson's 95 % interval.
    pub low: String,
    /// Upper end of it.
    pub high: String,
}

impl WinRate {
    /// Of so many wins; none without a closed position.
    #[must_use]
    pub fn of(wins: u64, count: u64) -> Option<Self> {
        let places = |share: f64| format!("{share:.4}");
        let Interval { share, low, high } = Interval::of(wins, count)?;
        Some(Self { share: places(share), low: places(low), high: places(high) })
    }
}

/// `0.4079 (0.3044 to 0.5198)`.
impl fmt::Display for WinRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} to {})", self.share, self.low, self.high)
    }
}

/// Positions that ended in one way.
#[derive(Debug, Serialize)]
pub struct ExitReport {
    /// How many.
    pub count: u64,
    /// Those that earned more than their fees and their funding.
    pub wins: u64,
    /// The share of them, with its 95 % interval.
    pub win_rate: Option<WinRate>,
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
            closed: closed(ledger),
            exits: exits(ledger),
            reconciled: reconciled(ledger),
            drift: ledger.reconciled().drift().map(|drift| drift.to_string()),
            alerts: run.risk.counts().alerts,
        }
    }
}

fn closed(ledger: &Ledger) -> ClosedReport {
    let count = ledger.exits().iter().map(|exits| exits.count).sum();
    let wins = ledger.exits().iter().map(|exits| exits.wins).sum();
    ClosedReport { count, wins, win_rate: WinRate::of(wins, count) }
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
            win_rate: WinRate::of(exits.wins, exits.count),
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
