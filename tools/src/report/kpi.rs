//! Key figures of a run (S1-26): how steady it earned, how deep it fell, how much it was refused, how much dearer its fills
//! might have been, and how much of the market it saw.
//!
//! Turnover, and fees of gross profit, stand under `attribution`. A hit rate by confidence needs intents that carry one.

use std::collections::BTreeMap;
use std::fmt::Write;

use fusewire_core::units::{Nanos, Round, UsdSum, div_round};
use fusewire_io::manifest::Manifest;
use serde::Serialize;

use super::attribution::{SHARE_PLACES, ratio};
use super::text::cents;
use super::trading::Pnl;
use crate::engine::Run;
use crate::meter::{Lateness, Meter, Sharpe, WINDOW_DAYS};

/// How much more fills that took may have cost, in bp: from the smallest step that people speak of to the spread of a
/// thin market.
const WORSE_BP: [(&str, i128); 3] = [("1", 1), ("2", 2), ("5", 5)];
/// Basis points of the whole.
const WHOLE_BP: i128 = 10_000;
/// Places of a share of time: a second of a month shows.
const TIME_PLACES: usize = 6;

/// Key figures. Amounts are in USDT.
#[derive(Debug, Serialize)]
pub struct Kpi {
    /// The Sharpe ratio of daily returns over the last 30 days.
    pub sharpe_30d: SharpeReport,
    /// Largest fall of equity from a peak, looked at each `clock.tick_ms` of event time and at the end.
    pub drawdown_max: String,
    /// Largest fall as a share of its peak, from 0 to 1; it need not be the same fall.
    pub drawdown_max_share: String,
    /// Rejected intents over all verdicts, from 0 to 1; none without a verdict.
    pub veto_rate: Option<String>,
    /// What the result would be if fills that took had cost more.
    pub slippage_sensitivity: Sensitivity,
    /// The share of event time, from the first event to the last, in which the kill level was 0 and so new risk not
    /// blocked as a whole; none of a run without time.
    pub uptime: Option<String>,
    /// The share of the capture's time outside of the silences that its manifest counts, from 0 to 1 (everything);
    /// rounded down; none of a capture without time.
    pub data_completeness: Option<String>,
    /// Event time of decisions that strategies made on a bar, less the close of that bar.
    pub bar_close_to_decision_ms: BarToDecision,
}

/// A rolling Sharpe ratio: mean over standard deviation of daily returns, times the root of 365.
#[derive(Debug, Serialize)]
pub struct SharpeReport {
    /// Whole days (UTC) with a return.
    pub days: u64,
    /// Over the last 30 of them; none of fewer, and when they are all the same.
    pub last: Option<String>,
    /// The lowest there was over any 30 counted days in a row.
    pub low: Option<String>,
    /// The highest.
    pub high: Option<String>,
}

/// The result if each fill that took had cost more.
#[derive(Debug, Serialize)]
pub struct Sensitivity {
    /// Profit in USDT by how many bp more, in bp; none when it is unknown anyway.
    pub total: BTreeMap<&'static str, Option<String>>,
    /// How many bp more bring it to zero, rounded down; none when it is not above zero, or nothing took.
    pub break_even_bp: Option<String>,
}

/// How late decisions on bars were, in ms. Below zero where the recorder's clock stood behind the exchange's.
#[derive(Debug, Serialize)]
pub struct BarToDecision {
    /// Half were at most so late; none without one.
    pub p50: Option<f64>,
    /// The latest.
    pub max: Option<f64>,
    /// Intents that strategies formed on a bar.
    pub count: u64,
}

impl Kpi {
    /// Of a finished run.
    pub(super) fn new(run: &Run, meter: &Meter, manifest: &Manifest) -> Self {
        let counts = run.risk.counts();
        let rejected: u64 = counts.rejected.iter().sum();
        let (fall, share) = meter.equity().drawdown();
        let (up, whole) = meter.uptime().parts();
        let total = Pnl::total_of_account(run.risk.ledger());
        let took = run.gateway.venue().stats().taker_quote;
        Self {
            sharpe_30d: SharpeReport::of(meter.sharpe()),
            drawdown_max: fall.to_string(),
            drawdown_max_share: places(share),
            veto_rate: part(rejected, counts.approved + rejected, SHARE_PLACES),
            slippage_sensitivity: Sensitivity::of(total, took),
            uptime: part(up, whole, TIME_PLACES),
            data_completeness: completeness(manifest),
            bar_close_to_decision_ms: BarToDecision::of(meter.late()),
        }
    }
}

impl SharpeReport {
    fn of(sharpe: &Sharpe) -> Self {
        let range = sharpe.range();
        Self {
            days: sharpe.days(),
            last: sharpe.last().map(places),
            low: range.map(|(low, _)| places(low)),
            high: range.map(|(_, high)| places(high)),
        }
    }
}

impl Sensitivity {
    /// Of a total, and the turnover of fills that took.
    fn of(total: Option<UsdSum>, took: UsdSum) -> Self {
        let less = |bp: i128| {
            let cost = div_round(took.0.checked_mul(bp)?, WHOLE_BP, Round::HalfEven)?;
            total?.0.checked_sub(cost).map(|total| UsdSum(total).to_string())
        };
        let earned = total.filter(|total| *total > UsdSum::ZERO);
        let break_even = earned.and_then(|total| total.0.checked_mul(WHOLE_BP));
        Self {
            total: WORSE_BP.into_iter().map(|(name, bp)| (name, less(bp))).collect(),
            break_even_bp: break_even
                .and_then(|total| ratio((total, took.0), SHARE_PLACES, Round::Down)),
        }
    }
}

impl BarToDecision {
    fn of(late: &Lateness) -> Self {
        let ms = |micros: i64| micros as f64 / 1e3;
        Self { p50: late.median().map(ms), max: late.max().map(ms), count: late.count() }
    }
}

/// The part of the capture's time that is in none of its silences. Unknown where silence is the rule, as between bars under
/// a `capture.gap_max_ms` that is made for streams.
fn completeness(manifest: &Manifest) -> Option<String> {
    if manifest.silences.count.saturating_mul(2) > manifest.frames {
        return None;
    }
    let whole = manifest.last_recv.0.saturating_sub(manifest.first_recv.0);
    let silent = manifest.silences.total_ms.saturating_mul(Nanos::MILLI);
    part(whole.saturating_sub(silent), whole, TIME_PLACES)
}

fn part(part: u64, whole: u64, places: usize) -> Option<String> {
    ratio((part.into(), whole.into()), places, Round::Down)
}

/// A statistic with four places, and no zero below zero.
fn places(value: f64) -> String {
    let text = format!("{value:.SHARE_PLACES$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        Some(_) | None => text,
    }
}

/// Three lines for people.
pub(super) fn text(out: &mut String, kpi: &Kpi) {
    let known = |figure: &Option<String>| figure.clone().unwrap_or_else(|| "unknown".to_owned());
    let _ = writeln!(
        out,
        "figures  drawdown {}, at most {} of a peak; {} of verdicts rejected; new risk allowed {} of the time; {} of the \
         capture without a gap",
        cents(&kpi.drawdown_max),
        kpi.drawdown_max_share,
        known(&kpi.veto_rate),
        known(&kpi.uptime),
        known(&kpi.data_completeness)
    );
    sharpe(out, &kpi.sharpe_30d);
    let Sensitivity { total, break_even_bp } = &kpi.slippage_sensitivity;
    let worse = total.iter().map(|(bp, total)| {
        let total = total.as_deref().map_or_else(|| "unknown".to_owned(), cents);
        format!("{bp} bp {total}")
    });
    let worse: Vec<String> = worse.collect();
    let _ = write!(out, "         total, if taking had cost more: {}", worse.join(", "));
    let even = break_even_bp.as_ref().map(|bp| format!("; zero at {bp} bp"));
    let _ = writeln!(out, "{}", even.unwrap_or_default());
    let BarToDecision { p50, max, count } = &kpi.bar_close_to_decision_ms;
    if let Some((p50, max)) = p50.zip(*max) {
        let _ = writeln!(
            out,
            "         {count} intents on bars, p50 {p50} ms and at most {max} ms behind their close"
        );
    }
}

fn sharpe(out: &mut String, SharpeReport { days, last, low, high }: &SharpeReport) {
    let _ = match (last, low, high) {
        (Some(last), Some(low), Some(high)) => writeln!(
            out,
            "         Sharpe ratio of the last {WINDOW_DAYS} of {days} days {last}, {low} to {high} in the run"
        ),
        _ if *days < WINDOW_DAYS as u64 => {
            writeln!(out, "         no Sharpe ratio: {days} whole days, and it takes {WINDOW_DAYS}")
        }
        (_, Some(low), Some(high)) => writeln!(
            out,
            "         no Sharpe ratio of the last {WINDOW_DAYS} of {days} days, which are all the same; {low} to {high} \
             in the run"
        ),
        _ => writeln!(out, "         no Sharpe ratio: {days} days, all the same"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> UsdSum {
        UsdSum(fusewire_core::units::Usd::parse(text.as_bytes()).unwrap().0.into())
    }

    /// 20,000 USDT of taking cost 2 USDT a bp: 7 USDT are gone at 3.5 bp.
    #[test]
    fn fills_that_took_cost_more() {
        let earned = Sensitivity::of(Some(usd("7")), usd("20000"));
        let totals: Vec<_> = earned.total.values().map(|total| total.as_deref().unwrap()).collect();
        assert_eq!(totals, ["5", "3", "-3"]);
        assert_eq!(earned.total.keys().copied().collect::<Vec<_>>(), ["1", "2", "5"]);
        assert_eq!(earned.break_even_bp.as_deref(), Some("3.5000"));
        let lost = Sensitivity::of(Some(usd("-0.5")), usd("20000"));
        assert_eq!(lost.total["1"].as_deref(), Some("-2.5"));
        assert_eq!(lost.break_even_bp, None, "it is below zero already");
        let rested = Sensitivity::of(Some(usd("7")), usd("0"));
        assert_eq!((rested.total["5"].as_deref(), rested.break_even_bp), (Some("7"), None));
        let unknown = Sensitivity::of(None, usd("20000"));
        assert_eq!((&unknown.total["1"], unknown.break_even_bp), (&None, None));
    }

    #[test]
    fn time_in_a_silence_is_not_complete() {
        let of = |span_ms: u64, total_ms| {
            let mut manifest = Manifest { first_recv: Nanos(7), ..Manifest::default() };
            manifest.last_recv = Nanos(7 + span_ms * Nanos::MILLI);
            manifest.silences.total_ms = total_ms;
            completeness(&manifest)
        };
        assert_eq!(of(120_000, 0).as_deref(), Some("1.000000"));
        assert_eq!(of(120_000, 30_000).as_deref(), Some("0.750000"));
        assert_eq!(of(u64::from(u32::MAX), 1).as_deref(), Some("0.999999"), "never rounded up");
        assert_eq!(of(0, 0), None);
    }

    #[test]
    fn days_are_told_before_there_are_enough() {
        let of = |values: &[f64]| {
            let (mut sharpe, mut out) = (Sharpe::default(), String::new());
            values.iter().for_each(|value| sharpe.add(*value));
            let report = SharpeReport::of(&sharpe);
            super::sharpe(&mut out, &report);
            (report.last, out)
        };
        let up_and_down: Vec<f64> = [0.03, -0.01].into_iter().cycle().take(31).collect();
        let (last, text) = of(&up_and_down[..29]);
        assert_eq!(last, None);
        assert_eq!(text.trim(), "no Sharpe ratio: 29 whole days, and it takes 30");
        let (last, text) = of(&up_and_down[..30]);
        assert_eq!(last.as_deref(), Some("9.3919"));
        let told = "Sharpe ratio of the last 30 of 30 days 9.3919, 9.3919 to 9.3919 in the run";
        assert_eq!(text.trim(), told);
        assert_eq!(of(&[0.0; 30]).1.trim(), "no Sharpe ratio: 30 days, all the same");
        let flat = [&up_and_down[..30], &[0.0; 30]].concat();
        assert!(of(&flat).1.contains("which are all the same; "), "{}", of(&flat).1);
    }

    #[test]
    fn a_statistic_is_never_a_zero_below_zero() {
        assert_eq!([-0.000_01, 0.0, -1.5].map(places), ["0.0000", "0.0000", "-1.5000"]);
    }
}
