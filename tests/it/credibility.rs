//! The antipattern guard from the command line: each antipattern that a configuration or a choice of symbols can plant
//! is stamped with its reason in text and JSON, with exit code 1, and honest runs that lose are not (S0-32).

use std::fs;
use std::path::{Path, PathBuf};

use fusewire_tests::{fusewire, json};
use serde_json::Value;

fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs `replay` twice, as JSON and as text; the exit code, the report and the text.
fn replay(arguments: &[&str]) -> (i32, Value, String) {
    let json = fusewire(&[&["replay", "--json"], arguments].concat());
    let stderr = String::from_utf8_lossy(&json.stderr);
    let report = serde_json::from_slice(&json.stdout).unwrap_or_else(|_| panic!("{stderr}"));
    let text = fusewire(&[&["replay"], arguments].concat());
    assert_eq!(text.status.code(), json.status.code(), "{stderr}");
    (json.status.code().unwrap(), report, String::from_utf8(text.stdout).unwrap())
}

/// The run is stamped with this finding and no other, in all its forms.
fn assert_stamped(arguments: &[&str], code: &str, reason: &str) {
    let (exit, report, text) = replay(arguments);
    let findings = report["credibility"]["findings"].as_array().unwrap();
    let [finding] = &findings[..] else { panic!("{arguments:?}: {findings:?}") };
    assert_eq!(finding["code"], code, "{arguments:?}");
    let found = finding["reason"].as_str().unwrap();
    assert!(found.contains(reason), "{found:?} should contain {reason:?}");
    assert_eq!((exit, &report["credibility"]["credible"]), (1, &false.into()), "{arguments:?}");
    assert_eq!(report["credibility"]["checks"][code]["outcome"], "failed");
    assert_eq!(text.lines().next(), Some(&*format!("NOT CREDIBLE: {found} ({code})")));
}

/// The run is believed; returns its report.
fn assert_believed(arguments: &[&str]) -> Value {
    let (exit, report, text) = replay(arguments);
    assert_eq!((exit, &report["credibility"]["credible"]), (0, &true.into()), "{report}");
    assert!(text.starts_with("credible ") && !text.contains("NOT CREDIBLE"), "{text}");
    report
}

fn config(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("planted.toml");
    fs::write(&path, text).unwrap();
    path
}

/// The step that CI runs over the sample: honest losers are believed, whoever traded, and nothing is left unlooked at
/// but what costs another run.
#[test]
fn s0_32_honest_runs_over_the_sample_are_believed() {
    for strategy in ["quoter", "taker", "grid", "quoter,taker,grid"] {
        let report = assert_believed(&["--strategy", strategy]);
        let unknown: Vec<&str> = report["credibility"]["checks"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, check)| check["outcome"] == "unknown")
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(unknown, ["look-ahead"], "{strategy}");
        assert!(report["fills"].as_u64().unwrap() > 10, "{strategy} trades");
        // The grid's open inventory happens to be worth more at the end.
        let loses = report["pnl"]["total"].as_str().unwrap().starts_with('-');
        assert!(loses || strategy == "grid", "{strategy} loses");
    }
    let idle = assert_believed(&["--strategy", "noop"]);
    assert_eq!(idle["credibility"]["note"], "nothing to judge: no closed position");
}

/// S0-05: no win rate without its interval, in text as in JSON.
#[test]
fn s0_05_win_rates_have_intervals() {
    let (_, report, text) = replay(&[]);
    let closed = &report["ledger"]["closed"];
    assert_eq!((&closed["count"], &closed["wins"]), (&14.into(), &1.into()));
    // Wilson's interval of 1 in 14, by hand: center 0.1637, half width 0.1510.
    let rate = &closed["win_rate"];
    assert_eq!(
        (&rate["share"], &rate["low"], &rate["high"]),
        (&"0.0714".into(), &"0.0127".into(), &"0.3147".into())
    );
    assert!(text.contains("1 of 14 closed positions won: 0.0714 (0.0127 to 0.3147)"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("j");
    json(&["replay", "--json", "--journal", arg(&journal)]);
    let shown = json(&["ledger", "show", arg(&journal), "--json"]);
    assert_eq!((&shown["wins"], &shown["win_rate"]), (&closed["wins"], rate));
}

#[test]
fn s0_32_no_fee() {
    let folder = tempfile::tempdir().unwrap();
    let free = config(folder.path(), "[fees]\nmaker = \"0\"\ntaker = \"0\"\n");
    assert_stamped(&["--config", arg(&free)], "no-fee", "fills that rested cost no fee");
    assert_stamped(&["--config", arg(&free), "--strategy", "taker"], "no-fee", "0 bp");
    // X17: 5 bp with its decimal point in the wrong place.
    let slipped = config(folder.path(), "[fees]\ntaker = \"0.00005\"\n");
    let arguments = ["--config", arg(&slipped), "--strategy", "taker"];
    assert_stamped(&arguments, "no-fee", "0.5 bp: no exchange charges less than 1 bp");
}

#[test]
fn s0_32_no_leverage_cost() {
    let folder = tempfile::tempdir().unwrap();
    // A small account, so that the quoter's orders are more than it holds.
    let planted = "[account]\nbalance = \"150\"\n[margin]\nliquidation_fee = \"0\"\n";
    let planted = config(folder.path(), planted);
    assert_stamped(&["--config", arg(&planted)], "no-leverage-cost", "a liquidation costs 0 bp");
    let honest = config(folder.path(), "[account]\nbalance = \"150\"\n");
    assert_believed(&["--config", arg(&honest)]);
}

/// A synthetic capture as text.
fn synth(folder: &Path, symbol: &str, minutes: u32) -> String {
    let path = folder.join(format!("usdm_{symbol}.ns"));
    let minutes = minutes.to_string();
    json(&[
        "synth",
        "burst",
        "--symbols",
        symbol,
        "--minutes",
        &minutes,
        "--json",
        "--out",
        arg(&path),
    ]);
    fs::read_to_string(path).unwrap()
}

/// The lines of a capture that hold one of these words, all received so much later.
fn only(text: &str, words: &[&str], later_ns: u64) -> String {
    let kept = text.lines().filter(|line| words.iter().any(|word| line.contains(word)));
    let moved = kept.map(|line| {
        let (received, frame) = line.split_once(' ').unwrap();
        format!("{} {frame}\n", received.parse::<u64>().unwrap() + later_ns)
    });
    moved.collect()
}

#[test]
fn s0_32_no_slippage() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("usdm_trades.ns");
    let text = synth(folder.path(), "BTCUSDT", 1);
    fs::write(&capture, only(&text, &["@aggTrade", "@markPrice"], 0)).unwrap();
    let capture = arg(&capture);
    let planted = config(folder.path(), "[assume]\nspread_bp = \"0\"\n");
    let arguments =
        [capture, "--strategy", "taker,quoter", "--raise", "2@50", "--config", arg(&planted)];
    assert_stamped(&arguments, "no-slippage", "a spread of 0 bp is assumed");
    assert_believed(&arguments[..5]);
}

/// The capture is received across 08:00 UTC and holds no marks, so that rate and boundary are assumed.
#[test]
fn s0_32_no_funding() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("usdm_boundary.ns");
    let later = (8 * 3_600 - 30) * 1_000_000_000;
    let text = synth(folder.path(), "BTCUSDT", 2);
    let words = ["@aggTrade", "@depth", "@bookTicker", "\"lastUpdateId\""];
    fs::write(&capture, only(&text, &words, later)).unwrap();
    let capture = arg(&capture);
    let planted = config(folder.path(), "[assume]\nfunding_rate = \"0\"\n");
    let arguments = [capture, "--strategy", "quoter,taker", "--config", arg(&planted)];
    assert_stamped(&arguments, "no-funding", "of them were not charged");
    let honest = assert_believed(&arguments[..3]);
    assert_eq!(honest["credibility"]["checks"]["no-funding"]["outcome"], "passed");
}

/// ETH ends a minute in, as what is delisted does; who chooses only what lives to the end is stamped.
#[test]
fn s0_32_survivorship() {
    let folder = tempfile::tempdir().unwrap();
    let long = synth(folder.path(), "BTCUSDT", 3);
    let short = synth(folder.path(), "ETHUSDT", 1);
    let captures = folder.path().join("captures");
    fs::create_dir(&captures).unwrap();
    fs::write(captures.join("usdm_btc.ns"), long).unwrap();
    fs::write(captures.join("usdm_eth.ns"), short).unwrap();
    let captures = arg(&captures);
    assert_stamped(
        &[captures, "--symbols", "BTCUSDT"],
        "survivorship",
        "ETHUSDT (silent from 120 s",
    );
    let both = assert_believed(&[captures]);
    assert_eq!(both["credibility"]["checks"]["survivorship"]["outcome"], "passed");
    assert_believed(&[captures, "--symbols", "ETHUSDT"]);
    // What nobody trades ends nowhere: funding that goes on for a day moves no end, and one forced order is no life.
    let (funding, forced) = (folder.path().join("f.csv"), folder.path().join("l.csv"));
    let rows = "symbol,time_ms,funding_rate\nXRPUSDT,1767657600000,0.0001\n";
    fs::write(&funding, rows).unwrap();
    let rows = "time,symbol,side,original_quantity,price,average_price,last_fill_quantity,accumulated_fill_quantity\n\
                1767571201000,SOLUSDT,SELL,1,100,100,1,1\n";
    fs::write(&forced, rows).unwrap();
    let beside = ["funding", "liquidations"].map(|format| folder.path().join(format));
    for (format, (file, out)) in
        ["funding", "liquidations"].into_iter().zip([&funding, &forced].into_iter().zip(&beside))
    {
        json(&["import", format, "--json", arg(file), "--market", "usdm", "--out", arg(out)]);
    }
    let one = [captures, arg(&beside[0]), "--symbols", "BTCUSDT"];
    assert_stamped(&one, "survivorship", "ETHUSDT (silent from 120 s");
    assert_believed(&[captures, arg(&beside[1]), "--symbols", "BTCUSDT,ETHUSDT"]);
    // Followed and not traded is left out as well.
    let config = folder.path().join("tradable.toml");
    fs::write(&config, "[universe]\ntradable = [\"BTCUSDT\"]\n").unwrap();
    let told = "ETHUSDT (silent from 120 s";
    assert_stamped(&[captures, "--config", arg(&config)], "survivorship", told);
    // Nobody traded, so that nothing was won by the choice.
    assert_believed(&[captures, "--symbols", "BTCUSDT", "--strategy", "noop"]);
}
