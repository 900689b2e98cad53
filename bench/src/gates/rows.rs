//! Checks every input, then measures everything.

use crate::book::{self, MapPeer, OursFromBytes, SimdMapPeer};
use crate::decode::{self, Extent};
use crate::desk::Checks;
use crate::hop::{self, Carrier, hop_ns};
use crate::inputs::{DepthStream, FrameSet, Inputs};
use crate::journal::{self, WritePeer};
use crate::measure::{ROUNDS, Subject, compare, in_turns};
use crate::order::{self, Encoding, SerdePeer};
use crate::peers::Json;

use super::report::{Key, Report};
#[cfg(not(feature = "peers"))]
use super::table::GATES;
use super::table::{CHECKS, gate_of};
use super::whole;

/// All rows.
///
/// # Panics
/// When two sides of a comparison do not do the same.
#[must_use]
pub fn run(inputs: Inputs) -> Report {
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
    for set in inputs.sets.iter().filter(|set| set.work() == "decode bookTicker") {
        checks_row(&mut report, set);
    }
    encode_row(&mut report);
    hop_rows(&mut report);
    whole::rows(&mut report);
    backtest_rows(&mut report);
    report.finish();
    report
}

/// One comparison in ns.
fn measure(
    report: &mut Report,
    (work, input, unit): (&str, &'static str, &'static str),
    ours: &mut dyn Subject,
    (peer_name, peer): (&str, &mut dyn Subject),
) {
    let key = Key { input, unit, measured_in: "ns" };
    report.add(key, [gate_of(work, peer_name)], || [compare(ours, peer)]);
}

fn decode_rows(report: &mut Report, set: &FrameSet) {
    let work = set.work();
    let key = (work.as_str(), set.label, "frame");
    let mut ours = decode::Ours::new(set);
    for json in Json::ALL {
        let mut peer = decode::peer(set, json, Extent::Fixed);
        measure(report, key, &mut ours, (json.name(), &mut *peer));
    }
    let mut peer = decode::peer(set, Json::Simd, Extent::Text);
    measure(report, key, &mut ours, ("simd-json, text only", &mut *peer));
}

fn stream_rows(report: &mut Report, stream: &DepthStream) {
    let key = ("decode + apply depthUpdate", stream.label, "frame");
    let (mut ours, mut peer) = (OursFromBytes::new(stream), SimdMapPeer::new(stream));
    measure(report, key, &mut ours, ("simd-json + BTreeMap", &mut peer));
    let key = ("book", stream.label, "level");
    let mut ours = book::Ours::new(stream);
    measure(report, key, &mut ours, ("BTreeMap", &mut MapPeer::new(stream)));
    hft_rows(report, stream, &mut ours);
}

fn journal_row(report: &mut Report) {
    let ours = journal::Ours::new(journal::Extent::Append);
    let mut ours = ours.unwrap_or_else(|error| panic!("{error}"));
    let mut peer = WritePeer::new().unwrap_or_else(|error| panic!("{error}"));
    let key = ("journal append 128 B", "made up", "record");
    measure(report, key, &mut ours, ("write(2)", &mut peer));
}

/// The made-up set is as long as a pass of the checks; a real one of another length is not compared.
fn checks_row(report: &mut Report, set: &FrameSet) {
    let (mut ours, mut peer) = (Checks::new(), decode::peer(set, Json::Simd, Extent::Fixed));
    if peer.units() == ours.units() {
        let key = (CHECKS, set.label, "order");
        measure(report, key, &mut ours, ("simd-json bookTicker", &mut *peer));
    }
}

fn encode_row(report: &mut Report) {
    let orders = order::approved();
    assert_eq!(order::check(&orders), Ok(()), "a wrong peer is a wrong comparison");
    let (mut ours, mut peer) = (Encoding::new(&orders), SerdePeer::new(&orders));
    let key = ("encode one order", "made up", "order");
    measure(report, key, &mut ours, ("serde_json", &mut peer));
}

fn hop_rows(report: &mut Report) {
    let cores = match hop::cores() {
        Ok(cores) => cores,
        Err(why) => return report.skip("hops", &why),
    };
    let key = Key { input: "made up", unit: "hop", measured_in: "ns" };
    for peer in [Carrier::Bare, Carrier::ArrayQueue, Carrier::SegQueue] {
        let both = || in_turns(ROUNDS, || hop_ns(Carrier::Ring, cores), || hop_ns(peer, cores));
        report.add(key, [gate_of("hop, ring", peer.name())], || [both()]);
    }
}

/// A whole back-test beside theirs, on one real recording.
#[cfg(feature = "peers")]
fn backtest_rows(report: &mut Report) {
    use super::table::{BACKTEST, BACKTEST_BARE};
    use crate::backtest::{Day, Theirs};
    use crate::pipeline::{Course, Journal, Whole};
    use crate::tape::Tape;

    let day = match Day::load() {
        Ok(day) => day,
        Err(why) => return report.skip(BACKTEST, &why),
    };
    let read = || -> Result<_, String> {
        let tape = Tape::load(&day.recordings)?;
        let course =
            |journal| Ok::<_, String>(Course::busy(&day.recordings, "quoter")?.reading(journal));
        Ok((tape, course(Journal::On)?, course(Journal::Off)?))
    };
    let (tape, recorded, bare) = read().unwrap_or_else(|error| panic!("{error}"));
    let requests = bare.requests().unwrap_or_else(|error| panic!("{error}"));
    let mut theirs = Theirs::new(&day, requests);
    for (work, course) in [(BACKTEST, &recorded), (BACKTEST_BARE, &bare)] {
        let mut ours = Whole::new(course, &tape).counted_in(day.rows());
        measure(report, (work, "real", "row"), &mut ours, ("hftbacktest", &mut theirs));
    }
    let orders = theirs.orders;
    assert!(requests > 500, "{requests} requests are too few");
    report.notes.push(format!(
        "back-test: {} rows in {} frames, {requests} requests of ours, {orders} orders of theirs, each cancelled",
        day.rows(),
        tape.len()
    ));
}

#[cfg(not(feature = "peers"))]
fn backtest_rows(report: &mut Report) {
    use super::table::{BACKTEST, BACKTEST_BARE};

    let what = [BACKTEST, BACKTEST_BARE]
        .map(|work| format!("{work} against hftbacktest: not built (feature peers)"));
    report.not_built.extend(what);
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
        measure(report, ("book", stream.label, "level"), ours, (depth.name(), &mut *peer));
    }
}

#[cfg(not(feature = "peers"))]
fn hft_rows(report: &mut Report, stream: &DepthStream, _: &mut book::Ours<'_>) {
    let gates = GATES.iter().filter(|gate| gate.peer.starts_with("hftbacktest"));
    report.not_built.extend(gates.map(|gate| {
        format!("{} ({}) against {}: not built (feature peers)", gate.work, stream.label, gate.peer)
    }));
}
