//! `replay --registry`: who repeats replays by hand until one looks good makes trials too (X12).

use fusewire_tests::start;

use crate::journal::interrupted::{signal, wait_until};

use super::stopped::count;
use super::*;

/// A replay over the scene's capture, counted in a file.
fn replay(scene: &Scene, more: &[&str]) -> Value {
    let registry = scene.path("all.jsonl");
    let head = ["replay", "--json", arg(&scene.capture), "--registry", arg(&registry)];
    json(&[&head[..], more].concat())
}

/// A replay of a trial's configuration is that trial again; commands make it another run. The sweep goes on with its own.
#[test]
fn x12_replays_count_beside_trials_and_are_no_trials_of_a_sweep() {
    let scene = Scene::new();
    let registry = scene.path("all.jsonl");
    let shared = [&GRID[..2], &["--registry", arg(&registry)]].concat();
    let before = scene.sweep("a", &shared);
    assert_eq!(number(&before["registered"], "runs"), 2);
    let report = replay(&scene, &[]);
    replay(&scene, &["--check-past=2"]);
    replay(&scene, &["--raise", "2@30"]);
    let file = config(scene.folder.path(), "c.toml", "[quoter]\nhalf_spread_bp = \"2\"\n");
    replay(&scene, &["--config", arg(&file), "--seed", "42"]);
    let lines = lines(&registry);
    assert_eq!((events(&lines, "started"), events(&lines, "done")), (6, 6), "no run to look back");
    let (trials, replays) = lines.split_at(4);
    let (begun, done) = (&replays[0], &replays[1]);
    let of_no_sweep = (&begun["sweep"], &begun["trial"], &begun["values"]);
    assert_eq!(of_no_sweep, (&"".into(), &1.into(), &serde_json::json!({})));
    for key in ["strategy", "seed", "captures"] {
        assert_eq!(begun[key], trials[0][key], "{key}");
    }
    let results = &done["results"];
    assert_eq!(results["digest"], report["digest"]["decided"]);
    assert_eq!(results["max_drawdown"], report["kpi"]["drawdown_max"]);
    assert_eq!((&results["total"], &results["fills"]), (&report["pnl"]["total"], &report["fills"]));
    // Of six runs these are the same: the first trial, with the default, and both replays without a command; the second
    // trial and the last one.
    let same = trials.iter().find(|line| line["values"]["quoter.half_spread_bp"] == "2").unwrap();
    assert_eq!(replays[6]["config"], same["config"]);
    assert_eq!(
        (&replays[2]["config"], replays[4]["config"] == begun["config"]),
        (&begun["config"], false)
    );
    let again = scene.sweep("a", &shared);
    assert_eq!((number(&again, "kept"), number(&again["registered"], "runs")), (2, 6));
    assert_eq!(number(&again["registered"], "distinct"), 3, "{again}");
    // A folder's own registry may be asked for too: its lines are no trials.
    let own = scene.path("a").join("trials.jsonl");
    json(&["replay", "--json", arg(&scene.capture), "--registry", arg(&own)]);
    let again = scene.sweep("a", &GRID[..2]);
    assert_eq!((number(&again, "kept"), number(&again["registered"], "runs")), (2, 3));
}

/// What gave up says why; what was stopped has only begun.
#[test]
fn x12_replays_that_fail_or_are_stopped_count() {
    let scene = Scene::new();
    let registry = scene.path("all.jsonl");
    let head = ["replay", arg(&scene.capture), "--registry", arg(&registry)];
    // The folder of the journal is not empty.
    refused(&fusewire(&[&head[..], &["--journal", arg(scene.folder.path())]].concat()), &[]);
    let found = lines(&registry);
    assert_eq!((events(&found, "started"), events(&found, "failed")), (1, 1));
    assert!(found[1]["error"].as_str().is_some_and(|why| !why.is_empty()), "{}", found[1]);
    let slow = ["--runner", "pinned", "--pace", "1x", "--config"];
    let file = config(
        scene.folder.path(),
        "r.toml",
        "[runner]\nthreads = \"feed+sequencer+alpha+risk+gateway\"\nidle = \"backoff\"\nlock_memory = \"off\"\n",
    );
    let child = start(&[&head[..], &slow, &[arg(&file)]].concat());
    wait_until("the run to begin", || count(&registry, "started") == 2);
    signal(&child, "-TERM");
    said(&child.wait_with_output().unwrap(), 1);
    let found = lines(&registry);
    assert_eq!((found.len(), events(&found, "started"), events(&found, "failed")), (3, 2, 1));
    // A run on threads is a run.
    let fast = ["--runner", "pinned", "--pace", "max", "--config", arg(&file)];
    assert!(fusewire(&[&head[..], &fast].concat()).status.success());
    assert_eq!(events(&lines(&registry), "done"), 1);
}

#[test]
fn x12_a_file_that_is_no_registry_is_left_alone() {
    let scene = Scene::new();
    let notes = scene.path("notes.txt");
    fs::write(&notes, "what I meant to do\n").unwrap();
    let output = fusewire(&["replay", arg(&scene.capture), "--registry", arg(&notes)]);
    refused(&output, &["notes.txt: is no registry of trials"]);
    assert_eq!(fs::read_to_string(&notes).unwrap(), "what I meant to do\n");
}
