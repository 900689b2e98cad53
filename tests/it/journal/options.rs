//! Whatever a run was told on the command line or in a file is in its journal: it verifies from anywhere, with
//! the configuration gone.

use fusewire_tests::fusewire_in;

use super::*;

/// An exchangeInfo answer that gives BTCUSDT a coarser lot than the built-in table.
const INFO: &str = r#"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","filters":[
    {"filterType":"PRICE_FILTER","tickSize":"0.10"},
    {"filterType":"LOT_SIZE","minQty":"0.002","maxQty":"500","stepSize":"0.002"}]}]}"#;

/// Every key that a file may change for a run, in one file.
const CONFIG: &str = "[run]\nseed = \"18446744073709551615\"\n[universe]\nsymbols = [\"ETHUSDT\", \"BTCUSDT\"]\n\
                      tradable = [\"ETHUSDT\"]\n[account]\nbalance = \"2500.5\"\n[clock]\ntick_ms = 50\n\
                      [[instrument]]\nmarket = \"usdm\"\nsymbol = \"ETHUSDT\"\ncontract = \"perpetual\"\n\
                      tick = \"0.05\"\nlot_step = \"0.001\"\nlot_max = \"900\"\n";

#[test]
fn a_run_with_any_options_verifies_from_another_folder() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "1");
    // A name that tells nothing: market and unit come from the command line.
    let bare = folder.path().join("frames.txt");
    fs::copy(&capture, &bare).unwrap();
    let info = config(folder.path(), "info.json", INFO);
    let file = config(folder.path(), "all.toml", CONFIG);
    let elsewhere = scratch();
    let options: [&[&str]; 8] = [
        &["--strategy", "noop"],
        &["--strategy", "taker,quoter", "--seed", "18446744073709551615"],
        &["--strategy", "quoter", "--profile", "bench"],
        &["--symbols", "ETHUSDT"],
        &["--symbols", "ETHUSDT,BTCUSDT", "--raise", "1@20", "--raise", "3@40"],
        &["--exchange-info", arg(&info), "--strategy", "quoter,taker"],
        &["--config", arg(&file), "--strategy", "quoter,taker"],
        &["--market", "usdm", "--unit", "ns", "--strategy", "taker"],
    ];
    for (index, options) in options.into_iter().enumerate() {
        let dir = folder.path().join(index.to_string());
        let capture = if options.contains(&"--unit") { "frames.txt" } else { "usdm_burst1.ns" };
        let relative = ["replay", capture, "--json", "--journal", arg(&dir)];
        let (stdout, _) = said(&fusewire_in(folder.path(), &[&relative, options].concat()), 0);
        let report: Value = serde_json::from_str(&stdout).unwrap();
        for more in [&[][..], &["--decisions-only"]] {
            let verify = ["journal", "verify", arg(&dir), "--json"];
            let output = fusewire_in(elsewhere.path(), &[&verify, more].concat());
            let found: Value = serde_json::from_str(&said(&output, 0).0).unwrap();
            assert_eq!(found["same"], true, "{options:?}");
            assert_eq!(found["events"], report["events_total"], "{options:?}");
            assert_eq!(
                found["intents"].as_u64() == Some(0),
                options.contains(&"noop"),
                "{options:?}"
            );
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}

/// The files that a run was configured by may go: the journal holds what they said.
#[test]
fn the_files_that_configured_a_run_are_not_needed_again() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "1");
    let (info, file) =
        (config(folder.path(), "info.json", INFO), config(folder.path(), "all.toml", CONFIG));
    let dir = folder.path().join("j");
    let options = ["--exchange-info", arg(&info), "--config", arg(&file)];
    record(&capture, &dir, &[&BOTH[..], &options].concat());
    fs::remove_file(&info).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(document("verify", &dir, &[])["same"], true);
    let cat = text("cat", &dir, &["--json", "--kind", "header"]);
    let header = &rows(&cat)[0]["header"];
    assert_eq!(header["seed"], u64::MAX);
    let symbols: Vec<&str> =
        header["instruments"].as_array().unwrap().iter().map(|one| word(one, "symbol")).collect();
    assert_eq!(
        (symbols, &header["tradable"]),
        (vec!["ETHUSDT", "BTCUSDT"], &serde_json::json!([0]))
    );
}

/// A capture with a line that can not be read, taken all the same, verifies in both modes.
#[test]
fn a_damaged_capture_that_was_let_through_verifies() {
    for mode in [&[][..], &["--journal-frames", "copy"]] {
        let scene = tamper::Scene::eventful(mode);
        let found = document("verify", &scene.dir, &[]);
        let damaged = text("cat", &scene.dir, &["--kind", "damaged"]);
        assert_eq!((&found["same"], damaged.lines().count()), (&true.into(), 1));
        assert!(damaged.contains("usdm_burst1.ns"), "{damaged}");
    }
}

/// What can not be printed is said once, with exit 2.
#[test]
fn a_full_standard_output_is_a_line() {
    let scene = tamper::Scene::cut_short();
    for verb in ["ls", "stat", "cat", "tail", "verify", "export"] {
        let export = ["--lane", "event", "--format", "csv"];
        let more = if verb == "export" { &export[..] } else { &[] };
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let arguments = [&["journal", verb, arg(&scene.dir)], more].concat();
        let child = fusewire_tests::start_onto(full.into(), &arguments);
        let (_, stderr) = said(&child.wait_with_output().unwrap(), 2);
        assert_eq!(stderr.lines().count(), 1, "{verb}: {stderr}");
        assert!(stderr.contains("stdout: No space left"), "{verb}: {stderr}");
    }
}
