//! `journal stat`: sizes, rates and latencies of a journal.

use std::collections::BTreeMap;

use fusewire_core::journal::View;
use fusewire_core::lane::{Decoded, Lane};
use fusewire_core::units::Nanos;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::Dir;
use crate::journal::walk::{Item, Walk};
use crate::journal::{reading, text};
use crate::outcome::{Done, Failure, Outcome, print};

/// Longest latency that a histogram holds, in ns: a minute.
const LATENCY_MOST_NS: u64 = 60_000_000_000;
/// Digits of a latency that count.
const DIGITS: u8 = 3;

/// Sizes, rates and latencies.
///
/// Rates are by market time and by the machine's clock. Latencies run from when the sequencer took what became
/// an event to when a stage took the message that it answered: those of an inline replay tell what the stages
/// cost, not how fast a pinned run reacts. Where no stamps were taken there are none.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  fusewire journal stat runs/a --json")]
pub(super) struct Args {
    #[command(flatten)]
    dir: Dir,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What is told of a journal.
#[derive(Serialize)]
struct Stat {
    dir: String,
    state: &'static str,
    build: Option<String>,
    strategies: Vec<String>,
    /// The last event that every stage has handled.
    cut: u64,
    /// The last event that is on the medium for certain.
    synced: Option<u64>,
    /// First and last event, UTC.
    first: Option<String>,
    last: Option<String>,
    /// Seconds of market time between them.
    market_s: f64,
    /// Seconds of the machine's clock that it took to write; 0 where no stamps were taken.
    wall_s: f64,
    lanes: BTreeMap<&'static str, LaneStat>,
    /// Events by kind.
    events: BTreeMap<&'static str, u64>,
    /// By stage; none of a stage that took no stamps.
    latency_ns: BTreeMap<&'static str, Latency>,
    damage: Vec<String>,
}

#[derive(Serialize)]
struct LaneStat {
    records: u64,
    bytes: u64,
    segments: u32,
    bytes_per_record: f64,
    records_per_market_s: f64,
    records_per_wall_s: f64,
}

#[derive(Serialize)]
struct Latency {
    p50: u64,
    p90: u64,
    p99: u64,
    #[serde(rename = "p99.9")]
    p999: u64,
    max: u64,
    count: u64,
}

pub(super) fn run(args: &Args) -> Outcome {
    let view = View::open(&args.dir.dir).map_err(Failure::line)?;
    let stat = stat(&view)?;
    let text = if args.json {
        serde_json::to_string_pretty(&stat).map_err(Failure::line)? + "\n"
    } else {
        render(&stat)
    };
    print(&text)?;
    Ok(if stat.damage.is_empty() { Done::Yes } else { Done::No })
}

/// The machine's time that a lane took. Its stamps begin anew when another process goes on with a journal.
#[derive(Clone, Copy, Debug, Default)]
struct Wall {
    span: Option<(u64, u64)>,
    /// What earlier processes took.
    before_ns: u64,
}

impl Wall {
    fn take(&mut self, stamp: u64) {
        self.span = match self.span {
            Some((first, last)) if stamp < last => {
                self.before_ns = self.before_ns.saturating_add(last - first);
                Some((stamp, stamp))
            }
            Some((first, _)) => Some((first, stamp)),
            None => Some((stamp, stamp)),
        };
    }

    fn ns(&self) -> u64 {
        self.before_ns.saturating_add(self.span.map_or(0, |(first, last)| last - first))
    }
}

/// What is counted on the way through.
struct Counts {
    times: Option<(Nanos, Nanos)>,
    /// Those that are there: a lane also knows how many retention dropped.
    records: [u64; Lane::ALL.len()],
    walls: [Wall; Lane::ALL.len()],
    events: BTreeMap<&'static str, u64>,
    /// Stamp of the event at hand, if one was taken.
    event_at: Option<u64>,
    latencies: [Histogram<u64>; 3],
}

/// Stages whose latency is told, in the order of the histograms.
const STAGES: [Lane; 3] = [Lane::Alpha, Lane::Risk, Lane::Gateway];

impl Counts {
    fn new() -> Result<Self, Failure> {
        let histogram = || Histogram::new_with_bounds(1, LATENCY_MOST_NS, DIGITS);
        let latencies = [histogram(), histogram(), histogram()];
        let [a, b, c] = latencies.map(|new| new.map_err(Failure::line));
        Ok(Self {
            times: None,
            records: [0; Lane::ALL.len()],
            walls: [Wall::default(); Lane::ALL.len()],
            events: BTreeMap::new(),
            event_at: None,
            latencies: [a?, b?, c?],
        })
    }

    fn take(&mut self, item: &Item<'_>) {
        self.records[item.lane as usize] += 1;
        // Zero stands for a stamp that nobody took.
        let stamp = item.stamp_ns.filter(|stamp| *stamp > 0);
        if let Decoded::Event(event) = &item.record {
            *self.events.entry(event.body.kind().name()).or_default() += 1;
            self.times = Some((self.times.map_or(event.ts, |(first, _)| first), event.ts));
            self.event_at = stamp;
        }
        let Some(stamp) = stamp else { return };
        self.walls[item.lane as usize].take(stamp);
        let stage = STAGES.iter().position(|stage| *stage == item.lane);
        if let (Some(stage), Some(from)) = (stage, self.event_at)
            && !matches!(item.record, Decoded::Close(_))
        {
            // A clock that has not moved says 0, which no histogram here holds.
            self.latencies[stage].saturating_record(stamp.saturating_sub(from).max(1));
        }
    }
}

fn stat(view: &View) -> Result<Stat, Failure> {
    let header = (!view.is_headless()).then(|| reading::header(view)).transpose()?;
    let header = header.map(|(header, _)| header);
    let mut counts = Counts::new()?;
    let mut walk = Walk::new(view);
    while let Some(item) = walk.next()? {
        counts.take(&item);
    }
    let seconds = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e9;
    let market_s = counts.times.map_or(0.0, |(first, last)| seconds(first.0, last.0));
    let wall_s = seconds(0, counts.walls.iter().map(Wall::ns).max().unwrap_or_default());
    let per = |count: u64, over: f64| if over > 0.0 { count as f64 / over } else { 0.0 };
    let lane = |lane: Lane| {
        let (state, records) = (view.lane(lane), counts.records[lane as usize]);
        let stat = LaneStat {
            records,
            bytes: state.bytes,
            segments: (state.end.segment() - state.first).saturating_add(1),
            bytes_per_record: per(state.bytes, records as f64),
            records_per_market_s: per(records, market_s),
            records_per_wall_s: per(records, wall_s),
        };
        (lane.name(), stat)
    };
    let latencies = STAGES.into_iter().zip(&counts.latencies).filter(|(_, h)| !h.is_empty());
    let synced = view.control.as_ref().and_then(|page| page.synced);
    let synced = synced.map(|lanes| Lane::ALL[1..].iter().map(|l| lanes[*l as usize].seq).min());
    Ok(Stat {
        dir: view.dir.display().to_string(),
        state: view.state.name(),
        build: header.as_ref().map(|h| format!("{} ({})", h.build.version, h.build.commit)),
        strategies: header.map(|header| header.strategies).unwrap_or_default(),
        cut: view.cut,
        synced: synced.flatten(),
        first: counts.times.map(|(first, _)| text::utc(first)),
        last: counts.times.map(|(_, last)| text::utc(last)),
        market_s,
        wall_s,
        lanes: Lane::ALL.into_iter().map(lane).collect(),
        events: counts.events,
        latency_ns: latencies.map(|(stage, h)| (stage.name(), latency(h))).collect(),
        damage: view.damage.iter().map(ToString::to_string).collect(),
    })
}

fn latency(histogram: &Histogram<u64>) -> Latency {
    Latency {
        p50: histogram.value_at_quantile(0.5),
        p90: histogram.value_at_quantile(0.9),
        p99: histogram.value_at_quantile(0.99),
        p999: histogram.value_at_quantile(0.999),
        max: histogram.max(),
        count: histogram.len(),
    }
}

fn render(stat: &Stat) -> String {
    let mut text = format!("{}  {}, {}\n", stat.dir, stat.state, stat.strategies.join(","));
    if let (Some(first), Some(last)) = (&stat.first, &stat.last) {
        text += &format!(
            "{first} .. {last}  {:.3} s, written in {:.3} s\n",
            stat.market_s, stat.wall_s
        );
    }
    let synced = stat.synced.map_or_else(|| "-".to_owned(), |seq| seq.to_string());
    text += &format!("handled up to event {}, synced up to {synced}\n", stat.cut);
    text += "lane         records        bytes  segments  bytes each  each market s  each wall s\n";
    for lane in Lane::ALL {
        let name = lane.name();
        if let Some(of) = stat.lanes.get(name) {
            text += &format!(
                "{name:<8} {:>11} {:>12} {:>9} {:>11.1} {:>14.1} {:>12.0}\n",
                of.records,
                of.bytes,
                of.segments,
                of.bytes_per_record,
                of.records_per_market_s,
                of.records_per_wall_s
            );
        }
    }
    text += "latency ns        p50       p90       p99     p99.9       max     count\n";
    for stage in STAGES {
        if let Some(of) = stat.latency_ns.get(stage.name()) {
            text += &format!(
                "{:<11} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
                stage.name(),
                of.p50,
                of.p90,
                of.p99,
                of.p999,
                of.max,
                of.count
            );
        }
    }
    for damage in &stat.damage {
        text += &format!("damaged: {damage}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use fusewire_core::event::{Body, Event};
    use fusewire_core::journal::Position;

    use super::*;

    /// What is counted of ten events, each with a cancel-all of the gateway behind it.
    fn counted(event_at: fn(u64) -> u64, sent_at: fn(u64) -> u64) -> Counts {
        let mut counts = Counts::new().unwrap();
        for seq in 1..=10 {
            let ts = Nanos(seq);
            let (recv, body) = (ts, Body::Tick);
            let event = Event { seq, ts, recv, frame: 0, instrument: None, last: true, body };
            let sent = Decoded::CancelAll { seq };
            for (lane, stamp, record) in [
                (Lane::Event, event_at(seq), Decoded::Event(event)),
                (Lane::Gateway, sent_at(seq), sent),
            ] {
                let position = Position::default();
                counts.take(&Item { lane, position, stamp_ns: Some(stamp), seq, ts, record });
            }
        }
        counts
    }

    /// Lowest, highest and number of the gateway's latencies, and the ns that the lanes took.
    fn told(counts: &Counts) -> (u64, u64, u64, u64) {
        let [_, _, gateway] = &counts.latencies;
        let wall = counts.walls.iter().map(Wall::ns).max().unwrap();
        (gateway.min(), gateway.max(), gateway.len(), wall)
    }

    #[test]
    fn latencies_run_from_the_stamp_of_an_event() {
        assert_eq!(told(&counted(|seq| 500 * seq, |seq| 500 * seq + 70)), (70, 70, 10, 4_500));
        // A clock that stands still: as fast as can be told, in no time.
        assert_eq!(told(&counted(|_| 7, |_| 7)), (1, 1, 10, 0));
    }

    #[test]
    fn where_no_stamp_was_taken_nothing_is_told_of_it() {
        assert_eq!(told(&counted(|_| 0, |_| 0)), (0, 0, 0, 0));
        assert_eq!(told(&counted(|_| 0, |seq| 100 * seq)), (0, 0, 0, 900));
        assert_eq!(told(&counted(|seq| 100 * seq, |_| 0)), (0, 0, 0, 900));
        // Before the first message there is no stamp yet, and the clock may say anything then.
        let late = counted(|seq| if seq < 3 { 0 } else { 1 << 40 | seq }, |_| 0);
        assert_eq!(told(&late), (0, 0, 0, 7));
    }
}
