//! Latencies as a journal measured them: the quantiles of each leg of its orders.
//!
//! The way there is the venue's time in the first answer less the time of the event that caused the request;
//! the way back is the time of the event that an answer became, less the venue's.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use fusewire_core::event::{Body, Event};
use fusewire_core::journal::View;
use fusewire_core::lane::Decoded;
use fusewire_core::order::{Action, OrderId, Report, ReportKind, VenueReason};
use fusewire_core::units::Nanos;

use super::latency::{Latency, QuantilesUs};
use crate::journal::walk::Walk;
use crate::outcome::Failure;

/// The quantiles that are taken over, in millionths.
const SHARES_PPM: [u32; 10] =
    [0, 100_000, 250_000, 500_000, 750_000, 900_000, 950_000, 990_000, 999_000, 1_000_000];

impl Latency {
    /// Puts what `from_journal` measured in the place of its name. Legs that are given stand as they are;
    /// one that the journal has no sample of keeps the common latency of its direction.
    ///
    /// # Errors
    /// The journal can not be read, or holds no order that was answered.
    pub(super) fn resolve(&mut self) -> Result<(), String> {
        let Some(dir) = self.from_journal.take() else { return Ok(()) };
        // What can not be read is named with its path.
        let measured = Samples::of(Path::new(&dir))?;
        if measured.there[0].is_empty() {
            return Err(format!("{dir}: the journal has no orders that were answered"));
        }
        let [new, amend, cancel] = measured.there;
        let [ack, fill] = measured.back;
        for (place, samples) in self.unset().into_iter().zip([new, amend, cancel, ack, fill]) {
            if let Some(place) = place {
                *place = quantiles(samples);
            }
        }
        Ok(())
    }
}

/// Spans in ns as they were measured.
#[derive(Debug, Default)]
struct Samples {
    /// New, amend, cancel.
    there: [Vec<u64>; 3],
    /// Ack, fill.
    back: [Vec<u64>; 2],
    /// When the requests left that have no answer yet.
    waiting: BTreeMap<OrderId, [VecDeque<Nanos>; 3]>,
    /// The last answer on an order: faults may bring it twice.
    last: BTreeMap<OrderId, (ReportKind, Nanos)>,
}

impl Samples {
    fn of(dir: &Path) -> Result<Self, String> {
        let said = |failure: Failure| failure.0.join("; ");
        let view = View::open(dir).map_err(|error| error.to_string())?;
        let mut samples = Self::default();
        let mut walk = Walk::without_frames(&view);
        while let Some(item) = walk.next().map_err(said)? {
            match &item.record {
                Decoded::Event(event) => samples.hear(event),
                Decoded::Sent(sent) if sent.blocked_at.is_none() => {
                    let leg = match sent.intent.action {
                        Action::New(_) | Action::Conditional(_) => 0,
                        Action::Amend { .. } => 1,
                        Action::Cancel => 2,
                        Action::Query => continue,
                    };
                    let waiting = samples.waiting.entry(sent.intent.order).or_default();
                    waiting[leg].push_back(item.ts);
                }
                Decoded::Sent(_)
                | Decoded::Frame(_)
                | Decoded::FrameRef(_)
                | Decoded::Damaged(_)
                | Decoded::Header(_)
                | Decoded::Pending(_)
                | Decoded::Intent(_)
                | Decoded::Verdict(_)
                | Decoded::Alert(_)
                | Decoded::CancelAll { .. }
                | Decoded::Close(_) => {}
            }
        }
        Ok(samples)
    }

    fn hear(&mut self, event: &Event) {
        let Body::Report(report) = &event.body else { return };
        let said = (report.kind, report.at);
        if !report.kind.is_fill() && self.last.insert(report.order, said) == Some(said) {
            return;
        }
        let back = &mut self.back[usize::from(report.kind.is_fill())];
        back.extend(span(report.at, event.ts));
        let Some(leg) = answered(report) else { return };
        let sent = self.waiting.get_mut(&report.order).and_then(|sent| sent[leg].pop_front());
        self.there[leg].extend(sent.and_then(|sent| span(sent, report.at)));
    }
}

/// The request that a report is the answer to.
fn answered(report: &Report) -> Option<usize> {
    match report.kind {
        ReportKind::Accepted | ReportKind::Refused => Some(0),
        ReportKind::Amended | ReportKind::AmendRefused => Some(1),
        ReportKind::CancelRefused => Some(2),
        // An amend can end an order, too.
        ReportKind::Canceled => Some(if report.reason == VenueReason::None { 2 } else { 1 }),
        ReportKind::PartialFill
        | ReportKind::Filled
        | ReportKind::Expired
        | ReportKind::Triggered
        | ReportKind::OutcomeUnknown => None,
    }
}

fn span(from: Nanos, to: Nanos) -> Option<u64> {
    u64::try_from(to.since(from)).ok()
}

/// Quantiles in us, rounded up and never zero; none without a sample.
fn quantiles(mut samples: Vec<u64>) -> Option<QuantilesUs> {
    samples.sort_unstable();
    let count = u64::try_from(samples.len()).ok().filter(|count| *count > 0)?;
    let point = |share_ppm: u32| {
        let rank = (count * u64::from(share_ppm)).div_ceil(1_000_000).max(1);
        let ns = samples[usize::try_from(rank - 1).unwrap_or(0)];
        let us = u32::try_from(ns.div_ceil(Nanos::MICRO).max(1)).unwrap_or(u32::MAX);
        (f64::from(share_ppm) / 1e6, us)
    };
    Some(SHARES_PPM.into_iter().map(point).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples_rounded_up() {
        assert_eq!(quantiles(vec![]), None);
        let one = quantiles(vec![1_001]).unwrap();
        assert!(one.iter().all(|(_, us)| *us == 2), "{one:?}");
        let found = quantiles((1..=1_000).rev().map(|us| us * 1_000).collect()).unwrap();
        let us: Vec<u32> = found.iter().map(|(_, us)| *us).collect();
        assert_eq!(us, [1, 100, 250, 500, 750, 900, 950, 990, 999, 1_000]);
        assert_eq!(quantiles(vec![0]).unwrap()[0], (0.0, 1));
    }
}
