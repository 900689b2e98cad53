//! What a sweep says at its end, as JSON with stable keys and as text for people.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::Serialize;

use super::registry::Count;
use super::trials::Trial;
use super::work::Ended;
use crate::credibility::Interval;

/// Trials that the text shows; the table has all.
const SHOWN: usize = 20;

/// What a sweep came to.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// `Definition::id`.
    pub sweep: String,
    /// Trials by the definition.
    pub trials: u64,
    /// Those that are done.
    pub done: u64,
    /// Those of them that were done before.
    pub kept: u64,
    /// Those that gave up.
    pub failed: u64,
    /// Those of them that are done whose result the antipattern guard stamps.
    pub not_credible: u64,
    /// True when a signal ended it.
    pub stopped: bool,
    /// Threads that worked on it.
    pub jobs: usize,
    /// Recordings that were decoded once for all trials.
    pub decoded: usize,
    /// The table; none when not every trial has ended.
    pub results: Option<String>,
    /// Where runs are counted.
    pub registry: String,
    /// All runs that were ever registered there, of whatever sweep.
    pub registered: Count,
    /// Wall time, in seconds.
    pub wall_s: f64,
}

/// Trials that the antipattern guard stamps, by code.
#[must_use]
pub fn stamped(ended: &BTreeMap<u64, Ended>) -> Stamped<'_> {
    let mut stamped = Stamped::default();
    for outcome in ended.values() {
        let Ended::Done(results) = outcome else { continue };
        let mut codes = results.not_credible.split(',').filter(|code| !code.is_empty()).peekable();
        stamped.trials += u64::from(codes.peek().is_some());
        for code in codes {
            *stamped.by_code.entry(code).or_default() += 1;
        }
    }
    stamped
}

/// What [`stamped`] found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stamped<'a> {
    /// Trials with at least one finding.
    pub trials: u64,
    /// Trials by what was found in them.
    pub by_code: BTreeMap<&'a str, u64>,
}

impl fmt::Display for Stamped<'_> {
    /// `no-fee (6), no-loss (1)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes = self.by_code.iter().map(|(code, trials)| format!("{code} ({trials})"));
        f.write_str(&codes.collect::<Vec<_>>().join(", "))
    }
}

/// For people.
#[must_use]
pub fn render(summary: &Summary, trials: &[Trial], ended: &BTreeMap<u64, Ended>) -> String {
    let mut text = String::new();
    rows(&mut text, trials, ended);
    let Summary { trials, done, kept, failed, not_credible, jobs, registered, wall_s, .. } =
        summary;
    if *not_credible > 0 {
        // A string takes any text.
        let _ = writeln!(
            text,
            "{not_credible} of {trials} trials are NOT CREDIBLE: {}",
            stamped(ended)
        );
    }
    let lines = [
        format!(
            "sweep     {trials} trials: {done} done ({kept} of them before), {failed} failed, {jobs} jobs, {wall_s:.2} s"
        ),
        match &summary.results {
            Some(path) => format!("results   {path}"),
            None => "results   none yet: run it again with the same arguments to go on".to_owned(),
        },
        format!(
            "registry  {}: {} runs in all, {} done, {} failed, {} different",
            summary.registry,
            registered.runs,
            registered.done,
            registered.failed,
            registered.distinct
        ),
        format!(
            "          the best of {} looks better than it is: deflate its Sharpe ratio by that number",
            registered.runs
        ),
    ];
    text + &lines.join("\n") + "\n"
}

/// The first trials that have ended.
fn rows(text: &mut String, trials: &[Trial], ended: &BTreeMap<u64, Ended>) {
    let head = "trial        total   drawdown    fills  closed  won   95 %            values\n";
    text.push_str(head);
    for trial in trials.iter().take(SHOWN) {
        let Some(outcome) = ended.get(&trial.number) else { continue };
        let values = trial.values.iter().map(|(key, value)| format!("{key}={value}"));
        let values = values.collect::<Vec<_>>().join(" ");
        let number = trial.number;
        let line = match outcome {
            Ended::Failed(why) => format!("{number:>5}  failed: {why}  {values}\n"),
            Ended::Done(results) => {
                let total = results.total.map_or_else(|| "-".to_owned(), |total| cents(total.0));
                let rate = Interval::of(results.wins, results.closed).map_or_else(
                    || format!("{:<5} {:<13}", "-", "-"),
                    |Interval { share, low, high }| {
                        let interval = format!("{:.1} .. {:.1} %", low * 100.0, high * 100.0);
                        format!("{:>3.0} % {interval:<13}", share * 100.0)
                    },
                );
                let drawdown = cents(results.max_drawdown.0);
                let (fills, closed) = (results.fills, results.closed);
                let stamp = match results.not_credible.as_str() {
                    "" => String::new(),
                    codes => format!("  NOT CREDIBLE: {codes}"),
                };
                format!(
                    "{number:>5} {total:>12} {drawdown:>10} {fills:>8} {closed:>7} {rate}   {values}{stamp}\n"
                )
            }
        };
        text.push_str(&line);
    }
    if trials.len() > SHOWN {
        // A string takes any text.
        let _ = writeln!(text, "      … and {} more in the table", trials.len() - SHOWN);
    }
}

/// An amount at 1e-8 with four places, cut towards zero.
fn cents(raw: i128) -> String {
    let sign = if raw < 0 { "-" } else { "" };
    let places = raw.unsigned_abs() / 10_000;
    format!("{sign}{}.{:04}", places / 10_000, places % 10_000)
}

#[cfg(test)]
mod tests {
    use super::super::results::Results;
    use super::*;

    #[test]
    fn stamps_are_counted_by_trial_and_by_code() {
        let done = |codes: &str| {
            let not_credible = codes.to_owned();
            Ended::Done(Box::new(Results { not_credible, ..Results::example() }))
        };
        let all =
            [done(""), done("no-fee"), done("no-fee,no-loss"), Ended::Failed("no-fee".into())];
        let ended: BTreeMap<u64, Ended> = (1..).zip(all).collect();
        let stamped = stamped(&ended);
        assert_eq!((stamped.trials, stamped.to_string().as_str()), (2, "no-fee (2), no-loss (1)"));
    }

    #[test]
    fn amounts_have_four_places_and_their_sign() {
        assert_eq!(cents(-383_061_999), "-3.8306");
        assert_eq!(cents(-9_999), "-0.0000");
        assert_eq!(cents(1_234_500_000_000), "12345.0000");
    }
}
