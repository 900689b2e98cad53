//! Where a journal without its closing records is cut, and what its lanes are then.

use std::io;
use std::path::Path;

use super::control::ControlPage;
use super::examine::{LaneState, number_of};
use crate::lane::{Lane, RecordKind};

/// Lanes whose records name events.
const CUT_LANES: [Lane; 4] = [Lane::Event, Lane::Alpha, Lane::Risk, Lane::Gateway];

/// The last event that every stage has wholly handled, and the lanes up to it.
pub(super) fn cut(
    dir: &Path,
    whole: &[LaneState; Lane::ALL.len()],
    control: Option<&ControlPage>,
) -> io::Result<(u64, [LaneState; Lane::ALL.len()])> {
    let done = |lane: Lane| done(&whole[lane as usize], control);
    // An event without its frame could not be repeated.
    let unfounded = whole[Lane::Event as usize].unfounded;
    let founded = unfounded.map_or(u64::MAX, |event| event.saturating_sub(1));
    let cut = CUT_LANES.into_iter().map(done).min().unwrap_or_default().min(founded);
    let mut lanes = whole.clone();
    for state in &mut lanes {
        // Frames are input, and stay. Nothing that frames the lane does: whoever goes on writes it anew.
        let upto = if state.lane == Lane::Feed { u64::MAX } else { cut };
        if state.last > upto || state.ends_otherwise {
            *state = shortened(dir, state, upto)?;
        }
    }
    Ok((cut, lanes))
}

/// The last event that a lane is known to have wholly handled.
fn done(state: &LaneState, control: Option<&ControlPage>) -> u64 {
    let lane = state.lane as usize;
    // The last event that a record names may have had more records.
    let shown = state.last.saturating_sub(1);
    // What was on the medium is there, also that an event gave the lane nothing.
    let synced = control.and_then(|page| page.synced).map(|lanes| lanes[lane]);
    let synced =
        synced.filter(|synced| synced.position <= state.end).map_or(0, |synced| synced.seq);
    match control.and_then(|page| page.done[lane]) {
        Some(said) if said.position <= state.end => said.seq,
        // Its end was lost.
        Some(said) => shown.min(said.seq).max(synced),
        None => shown.max(synced),
    }
}

/// The lane without what names an event beyond the cut, and without what stands behind its events.
fn shortened(dir: &Path, state: &LaneState, upto: u64) -> io::Result<LaneState> {
    let mut reader = state.reader(dir);
    let mut short = state.emptied();
    while let Ok(record) = reader.next()? {
        let (kind, number) = (record.kind, number_of(record.kind, record.payload));
        let kept = kind == RecordKind::Header as u8 || number.is_some_and(|n| n <= upto);
        if !kept {
            break;
        }
        short.take(kind, number, &reader);
    }
    Ok(short)
}
