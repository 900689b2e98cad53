//! Latencies for people: percentiles of count arrays, by `hdrhistogram`.

use std::collections::BTreeMap;

use fusewire_core::latency::{Counts, Span};
use hdrhistogram::Histogram;
use serde::Serialize;

/// Digits of a latency that count: a bucket of the count arrays is 1.6 % wide.
const DIGITS: u8 = 3;
/// Longest latency that percentiles tell apart, in ns: some 18 minutes.
const MOST_NS: u64 = 1 << 40;

/// One span of a run, in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Half were at most this.
    pub p50: u64,
    /// Nine in ten.
    pub p90: u64,
    /// 99 in a hundred.
    pub p99: u64,
    /// 999 in a thousand.
    #[serde(rename = "p99.9")]
    pub p999: u64,
    /// The longest.
    pub max: u64,
    /// How many were measured.
    pub count: u64,
}

impl Latency {
    /// Percentiles of what was counted.
    #[must_use]
    pub fn of(counts: &Counts) -> Self {
        let histogram = histogram(counts);
        // The histogram's own buckets may end above the longest.
        let at = |part: f64| histogram.value_at_quantile(part).min(counts.max_ns);
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: counts.max_ns,
            count: histogram.len(),
        }
    }
}

/// The latency that a part of those counted does not pass, in ns.
#[must_use]
pub fn quantile(counts: &Counts, part: f64) -> u64 {
    histogram(counts).value_at_quantile(part).min(counts.max_ns)
}

fn histogram(counts: &Counts) -> Histogram<u64> {
    let mut histogram =
        Histogram::new_with_max(MOST_NS, DIGITS).expect("these bounds are among those it can have");
    for (ns, count) in counts.filled() {
        histogram.saturating_record_n(ns, count);
    }
    histogram
}

/// The spans that something was counted for, by name.
#[must_use]
pub fn by_span<'a>(
    spans: impl Iterator<Item = (Span, &'a Counts)>,
) -> BTreeMap<&'static str, Latency> {
    let counted = spans.filter(|(_, counts)| counts.total() > 0);
    counted.map(|(span, counts)| (span.name(), Latency::of(counts))).collect()
}

/// A table of them, in the order of the pipeline; empty when nothing was counted.
#[must_use]
pub fn table(latencies: &BTreeMap<&'static str, Latency>) -> String {
    let mut text = String::new();
    if latencies.is_empty() {
        return text;
    }
    text += "latency ns           p50       p90       p99     p99.9       max     count\n";
    for span in Span::ALL {
        if let Some(of) = latencies.get(span.name()) {
            text += &format!(
                "{:<14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
                span.name(),
                of.p50,
                of.p90,
                of.p99,
                of.p999,
                of.max,
                of.count
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use fusewire_core::latency::Latencies;

    use super::*;

    #[test]
    fn percentiles_are_those_of_the_counts_within_a_bucket() {
        let all = Latencies::private().unwrap();
        let mut recorder = all.recorder(Span::Alpha);
        (1..=1_000).for_each(|ns| recorder.record(ns * 100));
        let of = Latency::of(&all.read(Span::Alpha));
        for (found, exact) in
            [(of.p50, 50_000), (of.p90, 90_000), (of.p99, 99_000), (of.p999, 99_900)]
        {
            assert!(found >= exact && found <= exact + exact / 50, "{found} for {exact}");
        }
        assert_eq!((of.max, of.count), (100_000, 1_000));
    }

    #[test]
    fn only_what_was_measured_is_shown_in_pipeline_order() {
        let all = Latencies::private().unwrap();
        all.recorder(Span::TickToTrade).record(3);
        all.recorder(Span::Feed).record(2);
        let counts = Span::ALL.map(|span| (span, all.read(span)));
        let shown = by_span(counts.iter().map(|(span, counts)| (*span, counts)));
        let text = table(&shown);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].starts_with("feed ") && lines[2].starts_with("tick_to_trade "), "{text}");
        assert_eq!(table(&BTreeMap::new()), "");
    }
}
