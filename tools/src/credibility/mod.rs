//! The antipattern guard: is a result to be believed?
//!
//! ```text
//!  a finished run ─┐
//!                  ├─► Facts ─► judge(Facts, Thresholds) ─► Credibility: findings, and what each check saw
//!  anybody's claim ┘
//! ```
//!
//! Pure functions, one file for each group of antipatterns. What a result does not say is no finding: it is named
//! among the checks as unknown, so that nobody takes silence for a pass.

mod costs;
mod fact;
mod fills;
mod of_run;
mod past;
mod results;
mod tape;
pub mod truncation;
mod universe;
mod wilson;

#[cfg(test)]
mod tests;

pub use fact::{
    Crossing, Excursions, Facts, Funding, Leverage, Past, SymbolSpan, Told, Universe, Volume,
};
pub use of_run::of_run;
pub use wilson::Interval;

use std::collections::BTreeMap;

use serde::Serialize;

/// From where on a result is not believed: the section `[credibility]`.
pub use crate::config::CredibilitySection as Thresholds;

/// What is looked for. The names are the codes of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Symbols that ended were left out.
    Survivorship,
    /// The past depends on the future.
    LookAhead,
    /// Fills cost no fee.
    NoFee,
    /// Fills that took paid no spread.
    NoSlippage,
    /// Positions were held across funding and not charged.
    NoFunding,
    /// Exposure above the wallet, and nothing that liquidates it.
    NoLeverageCost,
    /// Bars paid orders that were not there when they opened.
    BarCrossing,
    /// Too many positions, and none lost.
    NoLoss,
    /// Positions never moved while they were open.
    NoExcursion,
    /// More profit than perfect foresight could have made.
    BeyondTape,
    /// Profit that no fill, fee or funding explains.
    UnsimulatedEdge,
    /// A win rate without its confidence interval.
    NoInterval,
}

impl Check {
    /// All checks, in the order in which they are told.
    pub const ALL: [Self; 12] = [
        Self::Survivorship,
        Self::LookAhead,
        Self::NoFee,
        Self::NoSlippage,
        Self::NoFunding,
        Self::NoLeverageCost,
        Self::BarCrossing,
        Self::NoLoss,
        Self::NoExcursion,
        Self::BeyondTape,
        Self::UnsimulatedEdge,
        Self::NoInterval,
    ];

    /// The code in findings and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Survivorship => "survivorship",
            Self::LookAhead => "look-ahead",
            Self::NoFee => "no-fee",
            Self::NoSlippage => "no-slippage",
            Self::NoFunding => "no-funding",
            Self::NoLeverageCost => "no-leverage-cost",
            Self::BarCrossing => "bar-crossing",
            Self::NoLoss => "no-loss",
            Self::NoExcursion => "no-excursion",
            Self::BeyondTape => "beyond-tape",
            Self::UnsimulatedEdge => "unsimulated-edge",
            Self::NoInterval => "no-interval",
        }
    }

    fn look(self, facts: &Facts, thresholds: &Thresholds) -> Outcome {
        match self {
            Self::Survivorship => universe::survivorship(facts, thresholds),
            Self::LookAhead => past::look_ahead(facts),
            Self::NoFee => costs::fee(facts, thresholds),
            Self::NoSlippage => costs::slippage(facts, thresholds),
            Self::NoFunding => costs::funding(facts),
            Self::NoLeverageCost => costs::leverage(facts, thresholds),
            Self::BarCrossing => fills::bar_crossing(facts),
            Self::NoLoss => results::no_loss(facts, thresholds),
            Self::NoExcursion => results::no_excursion(facts, thresholds),
            Self::BeyondTape => tape::beyond(facts),
            Self::UnsimulatedEdge => tape::unsimulated(facts),
            Self::NoInterval => results::no_interval(facts),
        }
    }
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// It looked and found nothing; what it saw.
    Passed(String),
    /// The antipattern is there: why.
    Failed(String),
    /// There is nothing that it could be found in, and why.
    Idle(String),
    /// The result does not say enough: what is missing.
    Unknown(String),
}

/// One antipattern that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Name of the check.
    pub code: &'static str,
    /// What was seen, in one line.
    pub reason: String,
}

/// What one check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// `passed`, `failed`, `idle` (nothing to look at) or `unknown` (the result does not say).
    pub outcome: &'static str,
    /// What it saw, or why it could not.
    pub note: String,
}

/// The verdict on a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Credibility {
    /// True without a finding.
    pub credible: bool,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Every check, by its name.
    pub checks: BTreeMap<&'static str, CheckReport>,
    /// Said of a result without a closed position.
    pub note: Option<String>,
}

impl Credibility {
    /// `NOT CREDIBLE: reason`, a line for each finding.
    pub fn stamps(&self) -> impl Iterator<Item = String> {
        self.findings
            .iter()
            .map(|Finding { code, reason }| format!("NOT CREDIBLE: {reason} ({code})"))
    }

    /// How many checks came out in a way.
    #[must_use]
    pub fn count(&self, outcome: &str) -> usize {
        self.checks.values().filter(|check| check.outcome == outcome).count()
    }
}

/// Judges a result.
#[must_use]
pub fn judge(facts: &Facts, thresholds: &Thresholds) -> Credibility {
    let mut findings = Vec::new();
    let mut checks = BTreeMap::new();
    for check in Check::ALL {
        let (outcome, note) = match check.look(facts, thresholds) {
            Outcome::Passed(note) => ("passed", note),
            Outcome::Idle(note) => ("idle", note),
            Outcome::Unknown(note) => ("unknown", note),
            Outcome::Failed(reason) => {
                findings.push(Finding { code: check.name(), reason: reason.clone() });
                ("failed", reason)
            }
        };
        checks.insert(check.name(), CheckReport { outcome, note });
    }
    let nothing = (facts.closed == 0).then(|| "nothing to judge: no closed position".to_owned());
    Credibility { credible: findings.is_empty(), findings, checks, note: nothing }
}
