//! Ratios of Fusewire to its peers, measured in turns in one run, against floors.
//!
//! Goals are shown and not enforced; a floor that is missed twice makes the exit code 1. `--json` prints
//! the table as JSON.

use std::io::{self, Write};
use std::process::ExitCode;

use fusewire_bench::book::{self, MapPeer, OursFromBytes, SimdMapPeer};
use fusewire_bench::decode::{self, Extent};
use fusewire_bench::inputs::{DepthStream, FrameSet, Inputs};
use fusewire_bench::journal::{self, WritePeer};
use fusewire_bench::measure::{Comparison, Subject, compare};
use fusewire_bench::peers::Json;
use serde::Serialize;

/// What is asked of the ratio of one comparison: its goal, and the floor below which a build fails.
struct Gate {
    work: &'static str,
    peer: &'static str,
    goal: Option<f64>,
    floor: f64,
}

const fn gate(work: &'static str, peer: &'static str, goal: Option<f64>, floor: f64) -> Gate {
    Gate { work, peer, goal, floor }
}

/// All gates.
///
/// The floors catch a build that has become slow, not a slow machine: each is about 60 % of the ratio that
/// was measured when it was set (2026-11-21, 2 shared virtual cores; `docs/performance.md` has the
/// table), so that an ordinary noisy run passes with a wide margin, but not below 1.0. The exceptions are
/// peers that do less than we do: simd-json when it leaves the numbers as text, and the ROI vector, a
/// bare array without checks. A floor holds for made-up and real frames alike. Raise them when the code
/// gets faster.
const GATES: &[Gate] = &[
    gate("decode bookTicker", "simd-json", Some(8.0), 1.1),
    gate("decode bookTicker", "simd-json, text only", None, 0.8),
    gate("decode bookTicker", "sonic-rs", None, 1.0),
    gate("decode bookTicker", "serde_json", None, 1.2),
    gate("decode trade", "simd-json", Some(8.0), 1.1),
    gate("decode trade", "simd-json, text only", None, 0.8),
    gate("decode trade", "sonic-rs", None, 1.0),
    gate("decode trade", "serde_json", None, 1.2),
    gate("decode aggTrade", "simd-json", Some(8.0), 1.1),
    gate("decode aggTrade", "simd-json, text only", None, 0.8),
    gate("decode aggTrade", "sonic-rs", None, 1.0),
    gate("decode aggTrade", "serde_json", None, 1.2),
    gate("decode markPriceUpdate", "simd-json", Some(8.0), 1.1),
    gate("decode markPriceUpdate", "simd-json, text only", None, 0.8),
    gate("decode markPriceUpdate", "sonic-rs", None, 1.0),
    gate("decode markPriceUpdate", "serde_json", None, 1.2),
    gate("decode depthUpdate", "simd-json", None, 3.4),
    gate("decode depthUpdate", "simd-json, text only", None, 1.7),
    gate("decode depthUpdate", "sonic-rs", None, 3.2),
    gate("decode depthUpdate", "serde_json", None, 3.8),
    gate("decode forceOrder", "simd-json", None, 1.2),
    gate("decode forceOrder", "simd-json, text only", None, 0.8),
    gate("decode forceOrder", "sonic-rs", None, 1.1),
    gate("decode forceOrder", "serde_json", None, 1.4),
    gate("decode kline", "simd-json", None, 1.3),
    gate("decode kline", "simd-json, text only", None, 0.8),
    gate("decode kline", "sonic-rs", None, 1.2),
    gate("decode kline", "serde_json", None, 1.6),
    gate("decode + apply depthUpdate", "simd-json + BTreeMap", Some(4.0), 3.4),
    gate("book", "BTreeMap", None, 3.2),
    gate("book", "hftbacktest ROI vector", Some(4.0), 0.8),
    gate("book", "hftbacktest HashMap", None, 1.7),
    gate("book", "hftbacktest BTree", None, 4.5),
    gate("journal append 128 B", "write(2)", Some(60.0), 7.0),
];

/// One row of the table.
#[derive(Serialize)]
struct Row {
    work: String,
    input: &'static str,
    unit: &'static str,
    ours_ns: f64,
    peer: String,
    peer_ns: f64,
    ratio: f64,
    ratio_least: f64,
    ratio_most: f64,
    goal: Option<f64>,
    floor: f64,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Pass,
    /// The first measurement missed the floor, the second did not.
    PassOnSecondTry,
    Fail,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::PassOnSecondTry => "pass (2nd try)",
            Self::Fail => "FAIL",
        }
    }
}

/// The report as `--json` prints it.
#[derive(Default, Serialize)]
struct Report {
    passed: bool,
    notes: Vec<String>,
    rows: Vec<Row>,
    not_built: Vec<String>,
}

impl Report {
    fn measure(
        &mut self,
        (work, input, unit): (&str, &'static str, &'static str),
        ours: &mut dyn Subject,
        (peer_name, peer): (&str, &mut dyn Subject),
    ) {
        let gate = GATES.iter().find(|gate| gate.work == work && gate.peer == peer_name);
        let gate = gate.expect("each comparison has its line in the table of gates");
        let (found, verdict) = judge(gate.floor, || compare(ours, peer));
        self.rows.push(Row {
            work: work.to_owned(),
            input,
            unit,
            ours_ns: found.ours_ns,
            peer: peer_name.to_owned(),
            peer_ns: found.peer_ns,
            ratio: found.ratio,
            ratio_least: found.least,
            ratio_most: found.most,
            goal: gate.goal,
            floor: gate.floor,
            verdict,
        });
    }
}

/// Measures, and once more when the floor is missed, because the machine may have been busy.
fn judge(floor: f64, mut measure: impl FnMut() -> Comparison) -> (Comparison, Verdict) {
    let first = measure();
    if first.ratio >= floor {
        return (first, Verdict::Pass);
    }
    let second = measure();
    let verdict = if second.ratio >= floor { Verdict::PassOnSecondTry } else { Verdict::Fail };
    (second, verdict)
}

fn main() -> ExitCode {
    let json = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--json" => true,
        _ => return finish(say("usage: gates [--json]\n"), false),
    };
    let inputs = Inputs::load();
    let report = run(inputs);
    let written = if json { print_json(&report) } else { print_table(&report) };
    finish(written, report.passed)
}

fn finish(written: io::Result<()>, passed: bool) -> ExitCode {
    if written.is_ok() && passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Checks every input, then measures everything.
fn run(inputs: Inputs) -> Report {
    let mut report = Report { notes: inputs.notes, ..Report::default() };
    for set in &inputs.sets {
        assert_eq!(decode::check(set), Ok(()), "a wrong peer is a wrong comparison");
    }
    for stream in &inputs.streams {
        assert_eq!(book::check(stream), Ok(()), "a wrong peer is a wrong comparison");
    }
    assert_eq!(journal::check(), Ok(()), "a wrong peer is a wrong comparison");
    for set in &inputs.sets {
        decode_rows(&mut report, set);
    }
    for stream in &inputs.streams {
        stream_rows(&mut report, stream);
    }
    journal_row(&mut report);
    report.passed = report.rows.iter().all(|row| row.verdict != Verdict::Fail);
    report
}

fn decode_rows(report: &mut Report, set: &FrameSet) {
    let work = format!("decode {}", set.kind.name());
    let key = (work.as_str(), set.label, "frame");
    let mut ours = decode::Ours::new(set);
    for json in Json::ALL {
        let mut peer = decode::peer(set, json, Extent::Fixed);
        report.measure(key, &mut ours, (json.name(), &mut *peer));
    }
    let mut peer = decode::peer(set, Json::Simd, Extent::Text);
    report.measure(key, &mut ours, ("simd-json, text only", &mut *peer));
}

fn stream_rows(report: &mut Report, stream: &DepthStream) {
    let key = ("decode + apply depthUpdate", stream.label, "frame");
    let (mut ours, mut peer) = (OursFromBytes::new(stream), SimdMapPeer::new(stream));
    report.measure(key, &mut ours, ("simd-json + BTreeMap", &mut peer));
    let key = ("book", stream.label, "level");
    let mut ours = book::Ours::new(stream);
    report.measure(key, &mut ours, ("BTreeMap", &mut MapPeer::new(stream)));
    hft_rows(report, stream, &mut ours);
}

fn journal_row(report: &mut Report) {
    let ours = journal::Ours::new(journal::Extent::Append);
    let mut ours = ours.unwrap_or_else(|error| panic!("{error}"));
    let mut peer = WritePeer::new().unwrap_or_else(|error| panic!("{error}"));
    let key = ("journal append 128 B", "made up", "record");
    report.measure(key, &mut ours, ("write(2)", &mut peer));
}

#[cfg(feature = "peers")]
fn hft_rows(report: &mut Report, stream: &DepthStream, ours: &mut book::Ours<'_>) {
    report.notes.push(format!(
        "{}: {} of {} levels lie outside of the ROI vector, which drops them",
        stream.label,
        book::outside(stream),
        stream.levels()
    ));
    for depth in book::Depth::ALL {
        let mut peer = book::hft_peer(stream, depth);
        report.measure(("book", stream.label, "level"), ours, (depth.name(), &mut *peer));
    }
}

#[cfg(not(feature = "peers"))]
fn hft_rows(report: &mut Report, stream: &DepthStream, _: &mut book::Ours<'_>) {
    let gates = GATES.iter().filter(|gate| gate.peer.starts_with("hftbacktest"));
    report.not_built.extend(gates.map(|gate| {
        format!("{} ({}) against {}: not built (feature peers)", gate.work, stream.label, gate.peer)
    }));
}

fn say(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

fn print_json(report: &Report) -> io::Result<()> {
    let text = serde_json::to_string_pretty(report).map_err(io::Error::other)?;
    say(&format!("{text}\n"))
}

fn print_table(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for note in &report.notes {
        writeln!(out, "{note}")?;
    }
    writeln!(
        out,
        "\n| work | input | ours ns | peer | peer ns | ratio (least..most) | goal | floor | verdict |\n\
         |---|---|--:|---|--:|--:|--:|--:|---|"
    )?;
    for row in &report.rows {
        let goal = row.goal.map_or_else(|| "-".to_owned(), |goal| format!("{goal:.1}"));
        writeln!(
            out,
            "| {} / {} | {} | {:.1} | {} | {:.1} | {:.2} ({:.2}..{:.2}) | {goal} | {:.1} | {} |",
            row.work,
            row.unit,
            row.input,
            row.ours_ns,
            row.peer,
            row.peer_ns,
            row.ratio,
            row.ratio_least,
            row.ratio_most,
            row.floor,
            row.verdict.name(),
        )?;
    }
    for row in &report.not_built {
        writeln!(out, "{row}")?;
    }
    let below = report.rows.iter().filter(|row| row.goal.is_some_and(|goal| row.ratio < goal));
    writeln!(
        out,
        "\nratio: peer time by our time, median of the rounds. Goals are a report: {} rows are below \
         theirs.\nFloors {}.",
        below.count(),
        if report.passed { "hold" } else { "do NOT hold" },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_floor_is_measured_once_more() {
        let judged = |ratios: &[f64]| {
            let mut left = ratios.iter();
            let (found, verdict) = judge(2.0, || {
                let ratio = *left.next().expect("no more measurements than expected");
                Comparison { ours_ns: 1.0, peer_ns: ratio, ratio, least: ratio, most: ratio }
            });
            (found.ratio.to_bits(), verdict, left.count())
        };
        assert_eq!(judged(&[2.0, 1.0]), (2.0_f64.to_bits(), Verdict::Pass, 1));
        assert_eq!(judged(&[1.9, 2.1]), (2.1_f64.to_bits(), Verdict::PassOnSecondTry, 0));
        assert_eq!(judged(&[1.9, 1.8]), (1.8_f64.to_bits(), Verdict::Fail, 0));
    }

    #[test]
    fn no_floor_lies_above_its_goal_or_below_what_is_agreed() {
        for gate in GATES {
            assert!(gate.goal.is_none_or(|goal| gate.floor < goal), "{} {}", gate.work, gate.peer);
            let does_less = ["simd-json, text only", "hftbacktest ROI vector"].contains(&gate.peer);
            assert!(gate.floor >= 1.0 || does_less, "{} {}", gate.work, gate.peer);
        }
    }
}
