//! The HTML report: the same figures as text and JSON, nothing from outside, everything escaped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fusewire_tests::{fusewire, fusewire_with};
use serde_json::Value;

fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs `replay --json --report`; the report as JSON and the page.
fn both(folder: &Path, arguments: &[&str]) -> (Value, String) {
    let path = folder.join("report.html");
    let output = fusewire(&[&["replay", "--json", "--report", arg(&path)], arguments].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"));
    (json, fs::read_to_string(path).unwrap())
}

fn unescape(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Every figure of a page: its pointer and what stands there.
fn figures(page: &str) -> Vec<(String, String)> {
    let parts = page.split("<data data-key=\"").skip(1);
    let figure = |part: &str| {
        let (key, rest) = part.split_once("\">").unwrap();
        let (text, _) = rest.split_once("</data>").unwrap();
        (unescape(key), unescape(text))
    };
    parts.map(figure).collect()
}

/// What a value should look like.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn leaves(at: &str, value: &Value, out: &mut BTreeSet<String>) {
    let token = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(all) if !all.is_empty() => {
            all.iter().for_each(|(key, value)| leaves(&format!("{at}/{}", token(key)), value, out));
        }
        Value::Array(all) if !all.is_empty() => {
            all.iter().enumerate().for_each(|(n, value)| leaves(&format!("{at}/{n}"), value, out));
        }
        _ => drop(out.insert(at.to_owned())),
    }
}

fn assert_agrees(json: &Value, page: &str) {
    let found = figures(page);
    for (key, text) in &found {
        assert_eq!(*text, shown(json.pointer(key)), "{key}");
    }
    let keys: BTreeSet<String> = found.into_iter().map(|(key, _)| key).collect();
    let mut all = BTreeSet::new();
    leaves("", json, &mut all);
    let missing: Vec<&String> = all.difference(&keys).collect();
    assert!(missing.is_empty() && all.len() > 200, "{missing:?}");
}

/// Issue 7, part 4: text, JSON and HTML agree on every figure.
#[test]
fn text_json_and_html_agree() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--strategy", "quoter,taker", "--raise", "2@100"];
    let (json, page) = both(folder.path(), &arguments);
    assert_agrees(&json, &page);
    assert_eq!(json["curves"]["kill_log"].as_array().map(Vec::len), Some(2), "{}", json["curves"]);
    let text = fusewire(&[&["replay"], &arguments[..]].concat());
    assert_text_agrees(&json, &String::from_utf8(text.stdout).unwrap());
}

/// Four places of an amount, as the text shows it.
fn cents(value: &Value) -> String {
    let text = value.as_str().unwrap_or("unknown");
    if text == "unknown" {
        return text.to_owned();
    }
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}.{places:0<4.4}")
}

fn assert_text_agrees(json: &Value, text: &str) {
    let mut rows = BTreeMap::from([("account", &json["pnl"])]);
    let objects = |key: &str| json[key].as_object().unwrap().iter();
    rows.extend(objects("by_strategy").map(|(name, pnl)| (name.as_str(), pnl)));
    rows.extend(objects("positions").map(|(name, position)| (name.as_str(), &position["pnl"])));
    let (_, table) = text.split_once("\nprofit ").unwrap();
    for (name, pnl) in rows {
        let expected: Vec<String> =
            ["realized", "unrealized", "fees", "funding", "total", "slippage"]
                .map(|key| cents(&pnl[key]))
                .into();
        let line = |line: &&str| {
            line.starts_with("         ") && line.trim_start().starts_with(&format!("{name} "))
        };
        let line = table.lines().find(line).unwrap_or_else(|| panic!("{name} in {table}"));
        let found: Vec<&str> = line.split_whitespace().skip(1).take(6).collect();
        assert_eq!(found, expected, "{name}");
    }
    let of = |pointer: &str| shown(json.pointer(pointer));
    for expected in [
        format!("account  equity {}, notional {}", of("/account/equity"), of("/account/notional")),
        format!(
            "{} of {} closed positions won",
            of("/ledger/closed/wins"),
            of("/ledger/closed/count")
        ),
        format!(
            "won: {} ({} to {})",
            of("/ledger/closed/win_rate/share"),
            of("/ledger/closed/win_rate/low"),
            of("/ledger/closed/win_rate/high")
        ),
        format!("{} intents ({} of risk itself)", of("/intents"), of("/intents_of_risk")),
        format!("{} fills, {} open", of("/fills"), of("/open_orders")),
        format!("slippage of makers {}", cents(&json["attribution"]["slippage_maker"])),
        format!(
            "turnover {} ({} x balance)",
            cents(&json["attribution"]["turnover"]),
            of("/attribution/turnover_of_balance")
        ),
        format!("digest {}", of("/digest/all")),
    ] {
        assert!(text.contains(&expected), "{expected:?} in {text}");
    }
}

#[test]
fn a_page_needs_nothing_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let (_, page) = both(folder.path(), &[]);
    for word in ["http:", "https:", "<script", " src=", "url(", "@import", "javascript:"] {
        assert!(!page.contains(word), "{word}");
    }
    for id in
        ["chart-equity", "chart-drawdown", "chart-excursions", "chart-price-0", "chart-price-1"]
    {
        assert_eq!(page.matches(&format!("<svg id=\"{id}\"")).count(), 1, "{id}");
    }
    assert!(
        page.contains("equity_low") && page.contains("[limits_default]"),
        "figures and configuration"
    );
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
}

/// What is not to be believed is said first, and names from outside are no markup.
#[test]
fn a_stamp_stands_on_the_page_and_names_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let planted = folder.path().join("planted.toml");
    fs::write(&planted, "[fees]\nmaker = \"0\"\n").unwrap();
    let named = folder.path().join("usdm_<b>&\"x'.ns");
    let made = ["synth", "burst", "--minutes", "1", "--out", arg(&named)];
    assert!(fusewire(&made).status.success());
    let (json, page) = both(folder.path(), &["--config", arg(&planted), arg(&named)]);
    assert_agrees(&json, &page);
    let reason = json["credibility"]["findings"][0]["reason"].as_str().unwrap();
    let stamp = format!("<div class=\"verdict no\">NOT CREDIBLE: {reason} (no-fee)</div>");
    assert!(page.contains(&stamp), "{stamp}");
    assert!(
        !page.contains("<b>&") && page.contains("&lt;b&gt;&amp;&quot;x&#39;"),
        "the file's name"
    );
}

/// The temporary journal goes; one that was asked for stays, and gives the same page but for what was measured.
#[test]
fn the_temporary_journal_is_removed_and_makes_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let temp = folder.path().join("tmp");
    fs::create_dir(&temp).unwrap();
    let (page, journal) = (folder.path().join("a.html"), folder.path().join("j"));
    let variables = [("TMPDIR", arg(&temp))];
    let scratch = fusewire_with(&variables, &["replay", "--json", "--report", arg(&page)]);
    assert!(scratch.status.success(), "{}", String::from_utf8_lossy(&scratch.stderr));
    assert_eq!(fs::read_dir(&temp).unwrap().count(), 0, "nothing is left");
    let arguments = ["--journal", arg(&journal)];
    let (kept, _) = both(folder.path(), &arguments);
    let scratch: Value = serde_json::from_slice(&scratch.stdout).unwrap();
    assert_eq!((&scratch["curves"], &scratch["digest"]), (&kept["curves"], &kept["digest"]));
    assert!(journal.is_dir());
}

/// Money that is put in or taken out is neither a gain nor a fall.
#[test]
fn transfers_move_no_curve() {
    let folder = tempfile::tempdir().unwrap();
    let curves = |transfers: &[&str]| {
        let (report, page) = both(folder.path(), transfers);
        let moved = report["ledger"]["postings"]["transfer"].as_str().map(str::to_owned);
        let mut curves = report["curves"].as_object().unwrap().clone();
        let looks = curves.remove("looks").unwrap().as_u64().unwrap();
        let [count, sum] = ["transfers", "transferred"].map(|key| curves.remove(key).unwrap());
        let left_out = sum.as_str().filter(|_| count == 1).map(str::to_owned);
        assert_eq!(left_out, moved, "the page says what it leaves out");
        assert_eq!(page.contains("put in or taken out is left out"), moved.is_some());
        (moved, looks, curves)
    };
    let (none, looks, still) = curves(&[]);
    assert_eq!(none, None);
    for (transfer, sum) in [("--transfer=-5000@60", "-5000"), ("--transfer=5000@60", "5000")] {
        let (moved, more, curves) = curves(&[transfer]);
        assert_eq!((moved.as_deref(), more), (Some(sum), looks + 1), "it was booked and looked at");
        assert_eq!(curves, still, "{transfer}");
    }
}

/// A journal that may lose its beginning has no charts, which is said before hours of work.
#[test]
fn a_journal_that_drops_its_beginning_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let [file, page, journal] = ["c.toml", "x.html", "j"].map(|name| folder.path().join(name));
    fs::write(&file, "[journal]\nretention = \"drop-oldest\"\n").unwrap();
    let report = ["replay", "--config", arg(&file), "--report", arg(&page)];
    let output = fusewire(&[&report[..], &["--journal", arg(&journal)]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(2), 1), "{stderr}");
    assert!(stderr.contains("--report") && stderr.contains("drop-oldest"), "{stderr}");
    assert!(output.stdout.is_empty() && !journal.exists() && !page.exists());
    // A journal of the report's own drops nothing.
    assert!(fusewire(&report).status.success() && page.exists());
}

#[test]
fn a_page_that_can_not_be_written_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("no/report.html");
    for (path, fault) in
        [(nowhere.as_path(), "its folder is not there"), (folder.path(), "it is a folder")]
    {
        let output = fusewire(&["replay", "--report", arg(path)]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("--report") && stderr.contains(fault), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}
