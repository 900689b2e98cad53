//! What one trial came to: the figures of its report, and what its equity did meanwhile.

use serde::{Deserialize, Serialize};

use crate::meter::Equity;
use crate::outcome::Failure;
use crate::report::Report;

use super::fixed::Fixed;

/// Money, in USDT.
pub(super) type Money = Fixed<8>;
/// A return, or a moment of returns.
pub(super) type Statistic = Fixed<15>;

/// The results of a trial. Money is in USDT.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Results {
    /// `digest.decided` of the run.
    pub digest: String,
    /// Books with depth frames that were out of step at the end.
    pub books_lost: u64,
    /// Orders sent.
    pub orders: u64,
    /// Executions.
    pub fills: u64,
    /// Positions that were closed.
    pub closed: u64,
    /// Those that earned more than their fees and funding.
    pub wins: u64,
    /// Realised profit, before fees.
    pub realized: Money,
    /// Fees; positive is a cost.
    pub fees: Money,
    /// Funding; above zero was received.
    pub funding: Money,
    /// At the last marks; none when a position has no mark.
    pub unrealized: Option<Money>,
    /// The sum; none when a part is unknown.
    pub total: Option<Money>,
    /// Largest fall of equity from a peak.
    pub max_drawdown: Money,
    /// The largest fall as a share of its peak.
    pub max_drawdown_share: Option<Statistic>,
    /// Periods with a return.
    pub returns: u64,
    /// Mean of the returns.
    pub return_mean: Option<Statistic>,
    /// Their standard deviation (n − 1).
    pub return_deviation: Option<Statistic>,
    /// Their skewness.
    pub return_skewness: Option<Statistic>,
    /// Their kurtosis: 3 for a normal distribution.
    pub return_kurtosis: Option<Statistic>,
    /// What the antipattern guard found: codes, separated by commas.
    pub not_credible: String,
}

impl Results {
    /// Of a finished run.
    ///
    /// # Errors
    /// Never on a report of this program.
    pub fn new(report: &Report, equity: &Equity) -> Result<Self, Failure> {
        let money = |text: &String| text.parse::<Money>().map_err(Failure::line);
        let pnl = &report.trading.pnl;
        let exits = report.trading.ledger.exits.values();
        let digest = report.trading.digest.get("decided").cloned();
        let (drawdown, share) = equity.drawdown();
        let returns = equity.returns();
        let codes: Vec<&str> = report.credibility.findings.iter().map(|found| found.code).collect();
        let statistic = |value: Option<f64>| value.and_then(Statistic::of_f64);
        Ok(Self {
            digest: digest.ok_or_else(|| Failure::line("a report without digest.decided"))?,
            books_lost: report.lost_books().count() as u64,
            orders: report.trading.orders,
            fills: report.trading.fills,
            closed: exits.clone().map(|exit| exit.count).sum(),
            wins: exits.map(|exit| exit.wins).sum(),
            realized: money(&pnl.realized)?,
            fees: money(&pnl.fees)?,
            funding: money(&pnl.funding)?,
            unrealized: pnl.unrealized.as_ref().map(money).transpose()?,
            total: pnl.total.as_ref().map(money).transpose()?,
            max_drawdown: Fixed(drawdown.0),
            max_drawdown_share: Statistic::of_f64(share),
            returns: returns.count(),
            return_mean: statistic(returns.mean()),
            return_deviation: statistic(returns.deviation()),
            return_skewness: statistic(returns.skewness()),
            return_kurtosis: statistic(returns.kurtosis()),
            not_credible: codes.join(","),
        })
    }

    #[cfg(test)]
    pub(super) fn example() -> Self {
        Self {
            digest: "0aff".to_owned(),
            books_lost: 0,
            orders: 44,
            fills: 38,
            closed: 14,
            wins: 1,
            realized: Fixed(-244_720_000),
            fees: Fixed(138_340_000),
            funding: Fixed(0),
            unrealized: Some(Fixed(0)),
            total: Some(Fixed(-383_060_000)),
            max_drawdown: Fixed(383_060_000),
            max_drawdown_share: Some(Fixed(383_060_000_000)),
            returns: 2,
            return_mean: Some(Fixed(-190_000_000_000)),
            return_deviation: Some(Fixed(10_000_000_000)),
            return_skewness: None,
            return_kurtosis: None,
            not_credible: String::new(),
        }
    }
}
