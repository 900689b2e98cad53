//! Latencies taken from what a journal measured.

use fusewire::config::Config;
use fusewire::journal::reading;
use fusewire_core::journal::View;

use super::*;

/// Constant, so that what is measured is what was given; answers take as long as fills, so that none waits for
/// another.
const GIVEN: &str = "[latency]\njitter_us = 0\nnew_us = 4000\namend_us = 3000\ncancel_us = 2000\n\
                     ack_us = 6000\nfill_us = 6000\n";

fn from_journal(dir: &Path) -> String {
    format!("[latency]\njitter_us = 0\nfrom_journal = {:?}\n", arg(dir))
}

/// S0-31: the numbers are taken over, not the path, and give the same run again.
#[test]
fn s0_31_a_run_with_the_latencies_of_a_journal_is_the_run_that_it_recorded() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "1");
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let given = config(folder.path(), "given.toml", GIVEN);
    let one = record(&capture, &first, &[&BOTH[..], &["--config", arg(&given)]].concat());
    let measured = config(folder.path(), "measured.toml", &from_journal(&first));

    let latency = Config::load(Some(&measured)).unwrap().latency;
    assert_eq!((latency.from_journal, latency.new_us), (None, None));
    let all = |quantiles: Option<Vec<(f64, u32)>>, us: u32| {
        let quantiles = quantiles.unwrap();
        assert!(quantiles.iter().all(|point| point.1 == us), "{us}: {quantiles:?}");
    };
    all(latency.new_histogram_us, 4_000);
    all(latency.amend_histogram_us, 3_000);
    all(latency.ack_histogram_us, 6_000);
    all(latency.fill_histogram_us, 6_000);
    if latency.cancel_histogram_us.is_some() {
        all(latency.cancel_histogram_us, 2_000);
    }

    let two = record(&capture, &second, &[&BOTH[..], &["--config", arg(&measured)]].concat());
    assert_eq!(one["digest"], two["digest"]);
    let (header, _) = reading::header(&View::open(&second).unwrap()).unwrap();
    assert!(header.config.contains("new_histogram_us = [["), "{}", header.config);
    assert!(!header.config.contains("from_journal"), "{}", header.config);
    // Whoever verifies it needs the other journal no more.
    fs::remove_dir_all(&first).unwrap();
    said(&on("verify", &second, &[]), 0);
}

#[test]
fn what_is_given_stands_and_what_is_missing_is_named() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    let (traded, idle) = (folder.path().join("traded"), folder.path().join("idle"));
    record(&capture, &traded, &BOTH);
    record(&capture, &idle, &["--strategy", "noop"]);
    let both = from_journal(&traded) + "new_us = 70\nfill_histogram_us = [[1.0, 80]]\n";
    let latency = Config::load(Some(&config(folder.path(), "a", &both))).unwrap().latency;
    assert_eq!((latency.new_us, latency.new_histogram_us), (Some(70), None));
    assert_eq!(latency.fill_histogram_us, Some(vec![(1.0, 80)]));
    assert!(latency.ack_histogram_us.is_some());
    for (dir, part) in [(&idle, "no orders that were answered"), (&folder.path().join("no"), "no")]
    {
        let path = config(folder.path(), "b", &from_journal(dir));
        let faults = Config::load(Some(&path)).unwrap_err();
        let start = format!("{}:3: latency.from_journal: {}: ", path.display(), dir.display());
        assert!(faults[0].starts_with(&start) && faults[0].contains(part), "{faults:?}");
    }
}
