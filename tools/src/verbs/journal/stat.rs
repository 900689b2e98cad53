//! `journal stat`: sizes, rates and latencies of a journal.

use std::collections::BTreeMap;

use fusewire_core::journal::View;
use fusewire_core::lane::{Decoded, Lane};
use fusewire_core::latency::RecordedLatencies;
use fusewire_core::units::Nanos;
use serde::Serialize;

use super::Dir;
use crate::journal::walk::{Item, Walk};
use crate::journal::{reading, text};
use crate::latency::{self, Latency};
use crate::outcome::{Done, Failure, Outcome, print};

/// Sizes, rates and latencies.
///
/// Rates are by market time and by the machine's clock. Latencies are those that the run counts, also while it
/// goes on: those of an inline replay tell what the stages cost, those of a pinned run how fast it reacts.
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
    /// Seconds of the machine's clock that it took to write.
    wall_s: f64,
    lanes: BTreeMap<&'static str, LaneStat>,
    /// Events by kind.
    events: BTreeMap<&'static str, u64>,
    /// By stage, of the process that wrote last.
    latency_ns: BTreeMap<&'static str, Latency>,
    /// Of so many messages one was measured at each stage boundary.
    latency_sample: Option<u32>,
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
}

impl Counts {
    fn new() -> Self {
        Self {
            times: None,
            records: [0; Lane::ALL.len()],
            walls: [Wall::default(); Lane::ALL.len()],
            events: BTreeMap::new(),
        }
    }

    fn take(&mut self, item: &Item<'_>) {
        self.records[item.lane as usize] += 1;
        if let Decoded::Event(event) = &item.record {
            *self.events.entry(event.body.kind().name()).or_default() += 1;
            self.times = Some((self.times.map_or(event.ts, |(first, _)| first), event.ts));
        }
        // Zero stands for a stamp that nobody took.
        if let Some(stamp) = item.stamp_ns.filter(|stamp| *stamp > 0) {
            self.walls[item.lane as usize].take(stamp);
        }
    }
}

fn stat(view: &View) -> Result<Stat, Failure> {
    let header = (!view.is_headless()).then(|| reading::header(view)).transpose()?;
    let header = header.map(|(header, _)| header);
    let mut counts = Counts::new();
    let recorded = RecordedLatencies::read(&view.dir)
        .map_err(|error| Failure::line(format!("{}: {error}", view.dir.display())))?;
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
    let spans = recorded.iter().flat_map(|recorded| &recorded.spans);
    let latency_ns = latency::by_span(spans.map(|(span, counts)| (*span, counts)));
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
        latency_ns,
        latency_sample: recorded.map(|recorded| recorded.sample),
        damage: view.damage.iter().map(ToString::to_string).collect(),
    })
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
    text += &latency::table(&stat.latency_ns);
    for damage in &stat.damage {
        text += &format!("damaged: {damage}\n");
    }
    text
}
