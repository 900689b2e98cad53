//! A sweep that was killed or stopped goes on to the same table, and what was begun stays counted.

use std::process::Child;

use fusewire_tests::start;

use crate::journal::interrupted::{signal, wait_until};

use super::*;

/// Enough trials that a kill finds it at work.
const MANY: [&str; 4] =
    ["--grid", "run.seed=1,2,3,4,5,6,7,8,9,10", "--grid", "quoter.half_spread_bp=1,2"];
const TRIALS: usize = 20;

pub(super) fn count(path: &Path, event: &str) -> usize {
    let text = fs::read_to_string(path).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let named = format!("{{\"event\":\"{event}\"");
    whole.lines().filter(|line| line.starts_with(&named)).count()
}

/// Starts the sweep and waits until so many trials are done and another one has begun; false when it was over before.
fn run_until(scene: &Scene, out: &str, jobs: &str, wanted: usize) -> (Child, bool) {
    let arguments = scene.arguments(out, &[&MANY[..], &["--jobs", jobs]].concat());
    let mut child = start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let registry = scene.path(out).join("trials.jsonl");
    let mut over = false;
    wait_until("the sweep to come so far", || {
        over = child.try_wait().unwrap().is_some();
        let done = count(&registry, "done");
        over || (done >= wanted && count(&registry, "started") > done)
    });
    (child, !over)
}

/// Killed at several places, and once before the first trial is done, it ends as one that nobody interrupted.
#[test]
fn a_killed_sweep_ends_with_the_same_table() {
    let scene = Scene::new();
    scene.sweep("whole", &MANY);
    for jobs in ["1", "2"] {
        let out = format!("killed{jobs}");
        let registry = scene.path(&out).join("trials.jsonl");
        let mut hits = 0;
        for wanted in [0, 1, 3, 6, 9] {
            let (mut child, at_work) = run_until(&scene, &out, jobs, wanted);
            child.kill().unwrap();
            let killed = child.wait().unwrap().code().is_none();
            hits += usize::from(at_work && killed);
            assert!(count(&registry, "done") >= wanted, "what is done stays done");
        }
        assert!(hits > 2, "{hits} of 5 kills hit it at work");
        let (kept, begun) = (count(&registry, "done"), count(&registry, "started"));
        assert!(!scene.path(&out).join("results.parquet").exists() || kept == TRIALS);
        let summary = scene.sweep(&out, &MANY);
        assert_eq!(number(&summary, "kept"), kept as u64);
        assert!(scene.table(&out) == scene.table("whole"), "{jobs} jobs");
        // Every run counts, those that were killed too.
        let runs = number(&summary["registered"], "runs");
        assert_eq!(runs, (begun + TRIALS - kept) as u64);
        assert!(runs > TRIALS as u64, "some were killed: {runs}");
        assert_eq!(number(&summary["registered"], "distinct"), TRIALS as u64);
    }
}

/// Ctrl-C: exit code 1, no table, the rest runs the next time, and what was in the middle counts as begun.
#[test]
fn a_stopped_sweep_says_so_and_goes_on() {
    let scene = Scene::new();
    scene.sweep("whole", &MANY);
    let registry = scene.path("stopped").join("trials.jsonl");
    let (mut kept, mut begun) = (0, 0);
    for wanted in [2, 5, 8] {
        let (child, at_work) = run_until(&scene, "stopped", "1", wanted);
        assert!(at_work, "it was over before it could be stopped");
        signal(&child, "-INT");
        let (stdout, stderr) = said(&child.wait_with_output().unwrap(), 1);
        assert!(stderr.contains("stopped by a signal"), "{stderr}");
        assert!(stdout.contains("results   none yet"), "{stdout}");
        (kept, begun) = (count(&registry, "done"), count(&registry, "started"));
        assert!((wanted..TRIALS).contains(&kept), "{kept}");
        assert!(!scene.path("stopped").join("results.parquet").exists());
    }
    // A run that ends in order all the same has no end in the registry; a signal may come between two runs.
    assert!(begun > kept, "of three signals none found a run at work: {begun} begun, {kept} done");
    let summary = scene.sweep("stopped", &MANY);
    assert_eq!((number(&summary, "kept"), &summary["stopped"]), (kept as u64, &false.into()));
    assert_eq!(number(&summary["registered"], "runs"), (begun + TRIALS - kept) as u64);
    assert!(scene.table("stopped") == scene.table("whole"));
}

/// Two processes in one folder would run every trial twice.
#[test]
fn a_folder_has_one_sweep_at_a_time() {
    let scene = Scene::new();
    let (mut child, at_work) = run_until(&scene, "busy", "1", 1);
    assert!(at_work);
    let arguments = scene.arguments("busy", &MANY);
    let second = fusewire(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    child.kill().unwrap();
    child.wait().unwrap();
    refused(&second, &["another sweep is at work in this folder"]);
}
