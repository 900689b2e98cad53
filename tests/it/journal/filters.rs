//! `cat` leaves out what it should and nothing else: every filter, alone and with others, against a naive
//! one over the whole output.

use std::io::{BufRead, BufReader, Read};

use super::tamper::Scene;
use super::*;

/// What a naive reader knows of a line.
struct Line {
    json: String,
    text: String,
    row: Value,
    /// Event; frame of what lies on the lane feed.
    seq: u64,
    ts: u64,
}

/// The whole output, line by line, with what each line counts as.
fn lines(dir: &Path) -> Vec<Line> {
    let (json, shown) = (text("cat", dir, &["--json"]), text("cat", dir, &[]));
    assert_eq!(json.lines().count(), shown.lines().count());
    let (mut last, mut at) = (0, 0);
    let line = |(json, text): (&str, &str)| {
        let row: Value = serde_json::from_str(json).unwrap();
        let is = |record: &str| row["record"] == record;
        if is("event") {
            (last, at) = (number(&row, "seq"), number(&row, "ts_ns"));
        }
        let (seq, ts) = match row["stage"].as_str().unwrap() {
            _ if is("header") => (0, 0),
            _ if is("close") => (number(&row, "last"), at),
            "feed" => (number(&row, "frame"), number(&row, "recv_ns")),
            _ => (last, at),
        };
        Line { json: json.to_owned(), text: text.to_owned(), row, seq, ts }
    };
    json.lines().zip(shown.lines()).map(line).collect()
}

impl Line {
    fn is_one_of(&self, key: &str, wanted: &str) -> bool {
        self.row[key].as_str().is_some_and(|value| wanted.split(',').any(|one| one == value))
    }

    fn strategy(&self) -> Option<&'static str> {
        match self.row["order_id"].as_str()?.split('-').nth(1)? {
            "0" => Some("quoter"),
            "1" => Some("taker"),
            "risk" => Some("risk"),
            other => panic!("seat {other}"),
        }
    }

    /// Whether a filter wants it. `stages` is what `--stage` says beside it.
    fn is_wanted(&self, option: &str, value: &str, stages: &str) -> bool {
        let range = || {
            let (first, last) = value.split_once("..").unwrap_or((value, value));
            let end = |text: &str, open| if text.is_empty() { open } else { text.parse().unwrap() };
            end(first, 0)..=end(last, u64::MAX)
        };
        let is_frame = self.row["stage"] == "feed";
        match option {
            "--stage" => self.is_one_of("stage", value),
            "--symbol" => self.is_one_of("symbol", value),
            "--order" => self.is_one_of("order_id", value),
            "--strategy" => self.strategy().is_some_and(|name| value.split(',').any(|n| n == name)),
            "--kind" => {
                let event = self.row["record"] == "event" && self.is_one_of("kind", value);
                event || self.is_one_of("record", value)
            }
            "--seq" => {
                let counted = !is_frame || stages.split(',').any(|stage| stage == "feed");
                counted && range().contains(&self.seq)
            }
            "--time" => range().contains(&self.ts),
            other => panic!("{other}"),
        }
    }
}

/// Options with their values.
type Filter = Vec<(&'static str, String)>;

fn check(dir: &Path, lines: &[Line], filter: &Filter) -> usize {
    let stages = filter.iter().find(|(option, _)| *option == "--stage");
    let stages = stages.map_or("", |(_, value)| value);
    let wanted = |line: &&Line| filter.iter().all(|(o, value)| line.is_wanted(o, value, stages));
    let wanted: Vec<&Line> = lines.iter().filter(wanted).collect();
    let options: Vec<&str> = filter.iter().flat_map(|(o, value)| [*o, value]).collect();
    let json = text("cat", dir, &[&["--json"], &options[..]].concat());
    let shown = text("cat", dir, &options);
    assert!(json.lines().eq(wanted.iter().map(|line| &line.json)), "{filter:?}");
    assert!(shown.lines().eq(wanted.iter().map(|line| &line.text)), "{filter:?}");
    wanted.len()
}

/// Values of each option: of what there is, of what there is little of, of nothing.
fn values(lines: &[Line]) -> Vec<(&'static str, Vec<String>)> {
    let events = lines.iter().filter(|line| line.row["record"] == "event");
    let events: Vec<&Line> = events.collect();
    let (third, last) = (events[events.len() / 3], events[events.len() - 1]);
    let orders: Vec<&str> = lines.iter().filter_map(|line| line.row["order_id"].as_str()).collect();
    let (one, other) = (orders[0], orders[orders.len() / 2]);
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    vec![
        ("--stage", owned(&["feed", "event", "alpha", "risk,gateway", "feed,gateway"])),
        ("--symbol", owned(&["BTCUSDT", "ETHUSDT", "ETHUSDT,BTCUSDT"])),
        ("--order", vec![one.to_owned(), format!("{other},{one}"), "9-9-9".to_owned()]),
        ("--strategy", owned(&["quoter", "taker,risk", "risk"])),
        ("--kind", owned(&["Report", "Touch,intent", "event", "close,header", "damaged,sent"])),
        (
            "--seq",
            vec![
                third.seq.to_string(),
                format!("{}..{}", third.seq, third.seq + 100),
                format!("..{}", third.seq),
                format!("{}..", last.seq),
                "0..0".to_owned(),
            ],
        ),
        (
            "--time",
            vec![
                third.ts.to_string(),
                format!("..{}", third.ts),
                format!("{}..", third.ts + 1),
                format!("{}..{}", events[50].ts, third.ts),
            ],
        ),
    ]
}

#[test]
fn every_filter_alone_and_with_others_is_what_a_naive_one_gives() {
    let scene = Scene::eventful(&[]);
    let lines = lines(&scene.dir);
    let values = values(&lines);
    let (mut some, mut none) = (0, 0);
    let mut count = |filter: &Filter| match check(&scene.dir, &lines, filter) {
        0 => none += 1,
        _ => some += 1,
    };
    for (option, values) in &values {
        values.iter().for_each(|value| count(&vec![(*option, value.clone())]));
    }
    // Each two together, and each with all that come behind it, with values that change from pair to pair.
    let pick = |index: usize, turn: usize| {
        let (option, values) = &values[index];
        (*option, values[turn % values.len()].clone())
    };
    for one in 0..values.len() {
        for other in one + 1..values.len() {
            count(&vec![pick(one, one + other), pick(other, one * other)]);
            let third = (0..values.len()).find(|index| ![one, other].contains(index)).unwrap();
            count(&vec![pick(one, one), pick(other, other + 1), pick(third, other + 2)]);
        }
        count(&(one..values.len()).map(|index| pick(index, 1)).collect());
    }
    assert!(some > 40 && none > 0, "{some} with lines, {none} without");
}

/// The same with what only a run has that ends in the middle.
#[test]
fn what_was_pending_is_found_by_its_order_and_symbol() {
    let scene = Scene::cut_short();
    let lines = lines(&scene.dir);
    let pending = lines.iter().filter(|line| line.row["record"] == "pending").collect::<Vec<_>>();
    assert!(!pending.is_empty());
    let mut orders = 0;
    for line in pending.iter().filter(|line| line.row["order_id"].is_string()) {
        for (option, key) in [("--order", "order_id"), ("--symbol", "symbol")] {
            let filter = vec![(option, word(&line.row, key).to_owned())];
            assert!(check(&scene.dir, &lines, &filter) > 0);
        }
        orders += 1;
    }
    assert!(orders > 0, "a report was under way");
    let filter = vec![("--kind", "pending".to_owned())];
    assert_eq!(check(&scene.dir, &lines, &filter), pending.len());
    check(&scene.dir, &lines, &vec![("--seq", format!("{}..", pending[0].seq))]);
}

#[test]
fn ranges_may_be_written_in_many_ways() {
    let scene = Scene::cut_short();
    let cat = |option: &str, value: &str| text("cat", &scene.dir, &[option, value]);
    let events = |text: &str| text.lines().filter(|line| line.contains(" event ")).count();
    assert_eq!(events(&cat("--seq", "100..200")), 101);
    assert_eq!(cat("--seq", "100..=200"), cat("--seq", "100..200"));
    assert_eq!(cat("--seq", "..="), cat("--seq", ".."));
    let first = cat("--seq", "1");
    let utc = first.split(' ').next().unwrap();
    assert_eq!(events(&first), 1);
    let same_moment = cat("--time", utc);
    assert!(same_moment.contains(first.trim_end()), "{same_moment}");
    assert_eq!(cat("--time", &format!("{utc}..{utc}")), same_moment);
    assert!(cat("--time", "2020-01-01T00:00:00Z..2020-01-02T00:00:00Z").is_empty());
    // An order is found by its number too, and a kind in any case.
    let order = text("cat", &scene.dir, &["--order", "1-0-1"]);
    assert!(!order.is_empty());
    assert_eq!(text("cat", &scene.dir, &["--order", &((1_u64 << 48) + 1).to_string()]), order);
    assert_eq!(cat("--kind", "REPORT"), cat("--kind", "report"));
}

#[test]
fn names_that_a_journal_does_not_have_are_told_with_those_that_it_has() {
    let scene = Scene::cut_short();
    for (option, value, known) in [
        ("--symbol", "DOGEUSDT", "BTCUSDT, ETHUSDT"),
        ("--symbol", "btcusdt", "BTCUSDT, ETHUSDT"),
        ("--stage", "report", "feed, event, alpha, risk, gateway"),
        ("--kind", "Fill", "Touch, Depth, Levels"),
        ("--kind", "Touch,", "intent, verdict, alert, sent"),
        ("--strategy", "noop", "quoter, taker, risk"),
        ("--order", "1-9", "SESSION-SEAT-COUNTER"),
        ("--order", "1-0-0", "SESSION-SEAT-COUNTER"),
    ] {
        for verb in ["cat", "tail"] {
            refused(&on(verb, &scene.dir, &[option, value]), &[known]);
        }
    }
    for (option, value) in [("--seq", "9..8"), ("--seq", "x"), ("--time", "noon"), ("--seq", "")] {
        let (stdout, stderr) = said(&on("cat", &scene.dir, &[option, value]), 2);
        assert!(stdout.is_empty() && stderr.contains(option), "{stderr}");
    }
}

#[test]
fn a_limit_is_the_first_so_many_wanted_ones() {
    let scene = Scene::cut_short();
    for filter in [&[][..], &["--stage", "risk"], &["--kind", "Trade", "--json"]] {
        let whole = text("cat", &scene.dir, filter);
        for limit in [0, 1, 5, 1_000_000] {
            let count = limit.to_string();
            let some = text("cat", &scene.dir, &[filter, &["--limit", &count]].concat());
            assert!(some.lines().eq(whole.lines().take(limit)), "{filter:?}, {limit}");
        }
    }
}

/// Lines for people end where they end, and JSON lines are whole.
#[test]
fn every_line_is_one_line() {
    for scene in [Scene::eventful(&["--journal-frames", "copy"]), Scene::cut_short()] {
        let shown = text("cat", &scene.dir, &[]);
        for line in shown.lines() {
            assert_eq!(line.trim_end(), line);
            assert!(!line.contains(char::is_control), "{line:?}");
            let columns: Vec<&str> = line.split_whitespace().take(4).collect();
            let [time, count, lane, what] = columns[..] else { panic!("{line}") };
            // A header stands before all times.
            let has_time = if what == "header" { time == "-" } else { time.ends_with('Z') };
            assert!(has_time && LANES.contains(&lane), "{line}");
            let is_number = |text: &str| text.parse::<u64>().is_ok();
            assert!(is_number(count.strip_prefix('f').unwrap_or(count)), "{line}");
        }
        for row in rows(&text("cat", &scene.dir, &["--json"])) {
            assert!(LANES.contains(&word(&row, "stage")), "{row}");
            assert!(row["record"].is_string() && row["stamp_ns"].is_u64(), "{row}");
        }
    }
}

/// `| head` is no failure.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "2");
    let dir = folder.path().join("j");
    record(&capture, &dir, &BOTH);
    for verb in [
        &["cat"][..],
        &["cat", "--json"],
        &["tail", "--lines", "all"],
        &["tail", "-f", "--lines", "all"],
        &["export", "--lane", "event", "--format", "csv"],
        &["export", "--lane", "event", "--format", "parquet"],
    ] {
        let arguments = [&["journal", verb[0], arg(&dir)], &verb[1..]].concat();
        let mut child = fusewire_tests::start(&arguments);
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut first = Vec::new();
        reader.by_ref().take(64).read_until(b'\n', &mut first).unwrap();
        assert!(!first.is_empty(), "{verb:?}");
        drop(reader);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{verb:?}");
    }
}
