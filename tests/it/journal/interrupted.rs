//! Killed at any moment, a run leaves a journal that verifies as far as it goes, and that the same run can
//! go on with to the same end.

use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use fusewire_core::journal::ControlPage;
use fusewire_core::lane::Lane;

use super::*;

/// Between two looks at a journal at work.
const LOOK: Duration = Duration::from_micros(200);
/// After so long something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something holds, which is asked again and again.
pub(super) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let (_keep, never) = channel::<()>();
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited for {what}");
        assert_eq!(never.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout));
    }
}

/// How far the last stage of a journal at work is; zero before it has begun.
pub(super) fn done(dir: &Path) -> u64 {
    let page = ControlPage::read(dir).ok().and_then(Result::ok);
    page.and_then(|page| page.done[Lane::Gateway as usize]).map_or(0, |done| done.seq)
}

/// Starts a run with a journal.
pub(super) fn begin(capture: &Path, dir: &Path, more: &[&str]) -> Child {
    let arguments = ["replay", "--json", arg(capture), "--journal", arg(dir)];
    fusewire_tests::start(&[&arguments[..], more].concat())
}

/// Kills a run once it has come so far; false when it was over before.
fn kill_at(child: &mut Child, dir: &Path, event: u64) -> bool {
    let mut over = false;
    wait_until("the run to come so far", || {
        over = child.try_wait().unwrap().is_some();
        over || done(dir) >= event
    });
    child.kill().unwrap();
    let status = child.wait().unwrap();
    !over && status.code().is_none()
}

/// Leaves the interrupted journal of a run that was killed in the middle.
pub(super) fn stop_early(capture: &Path, dir: &Path, more: &[&str]) {
    let mut child = begin(capture, dir, more);
    assert!(kill_at(&mut child, dir, 3_000), "it was over before it could be killed");
}
