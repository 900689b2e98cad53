//! Begins the journal of a run, or goes on with an interrupted one, and ends it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use fusewire_core::journal::{Journal, JournalConfig, Opening, RealDisk, Retention, View};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::{Digest, Lane, Record, RecordKind};
use fusewire_core::latency::Latencies;
use fusewire_core::units::Nanos;

use super::header::{Frames, Header};
use super::reading;
use crate::config::{self, Config};
use crate::engine::Run;
use crate::outcome::Failure;

/// Most that one record of a fixed size takes, in bytes.
const RECORD_BYTES: usize = 256;
/// Most that a verdict takes, in bytes: of them there may be thousands at one event.
const VERDICT_BYTES: usize = 128;
/// Room for a copied frame of ordinary size, snapshots included, in bytes. A larger one waits for room.
const FRAME_BYTES: usize = 256 << 10;
/// Most that the record of a line that can not be read takes, in bytes.
const DAMAGED_BYTES: usize = 1_024;

/// What a run should be recorded as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The folder.
    pub dir: PathBuf,
    /// Whether frames are copied or referred to.
    pub frames: Frames,
    /// Go on with an interrupted journal.
    pub resume: bool,
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Writing {
    journal: Journal,
    /// Digest of the header document.
    header: Digest,
}

/// The time by the machine's clock, in ns since 1970.
#[must_use]
pub fn now() -> Nanos {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// A number that no other run of a writer has: time, and process for two in the same nanosecond.
#[must_use]
pub fn fresh_session() -> u64 {
    now().0 ^ u64::from(std::process::id()) << 40
}

/// Begins the journal of a run whose stages have not moved yet. The header goes first.
///
/// # Errors
/// The folder, the disk or the configuration says no, or an interrupted journal is that of another run.
pub fn begin(
    request: &Request,
    header: &Header,
    config: &Config,
    run: &mut Run,
) -> Result<Writing, Failure> {
    let settings = journal_config(config, header);
    let opening = Opening {
        dir: &request.dir,
        config: &settings,
        session: fresh_session(),
        disk: Box::new(RealDisk),
        // A replay ends as soon as its journal stops. Its own switch must not be raised by a disk: what the
        // stages decided from there on would be in the journal, and would not come out again.
        kill: KillSwitch::new(),
    };
    let (begun, document) = if request.resume {
        let document = same_run(request, header)?;
        (Journal::resume(opening), document)
    } else {
        (Journal::create(opening), header.to_json())
    };
    let (journal, appenders) = begun.map_err(Failure::line)?;
    for (lane, appender) in run.lanes_mut().into_iter().zip(appenders) {
        lane.attach(appender);
    }
    let event = run.sequencer.lane_mut();
    event.note(RecordKind::Header, &[&document]).map_err(Failure::line)?;
    // Of this process: an interrupted run's counts end with its process.
    run.latencies = Latencies::create(&mut RealDisk, &request.dir, config.sample())
        .map_err(|error| Failure::line(format!("{}: {error}", request.dir.display())))?;
    Ok(Writing { journal, header: Digest::of(&document) })
}

/// Ends the journal of a run: what is pending, the closing records, the files.
///
/// # Errors
/// The journal stopped before, or the disk says no.
pub fn end(writing: Writing, run: &mut Run) -> Result<(), Failure> {
    let Writing { journal, header } = writing;
    for feedback in run.sequencer.pending() {
        let record = Record::pending(&feedback);
        let event = run.sequencer.lane_mut();
        event.note(RecordKind::Pending, &[record.bytes()]).map_err(Failure::line)?;
    }
    let (frames, last) = (run.feed.lane().records(), run.sequencer.seq());
    let mut appenders = Vec::with_capacity(Lane::ALL.len());
    for (name, lane) in Lane::ALL.into_iter().zip(run.lanes_mut()) {
        let last = if name == Lane::Feed { frames } else { last };
        appenders.extend(lane.close(last, header).map_err(Failure::line)?);
    }
    let appenders = appenders.try_into().map_err(|_| Failure::line("a lane has no journal"))?;
    journal.close(appenders).map_err(Failure::line)
}

/// The header of the interrupted journal, if it is that of the same run. One that was interrupted before it
/// had a header can be that of any run.
fn same_run(request: &Request, header: &Header) -> Result<Vec<u8>, Failure> {
    let view = View::open(&request.dir).map_err(Failure::line)?;
    if view.lanes.iter().all(|lane| lane.records == 0) {
        return Ok(header.to_json());
    }
    let (known, document) = reading::header(&view)?;
    let other: Vec<String> = known
        .differences(header)
        .iter()
        .filter(|difference| difference.decides)
        .map(|difference| {
            format!(
                "{}: the interrupted journal is that of another run: {difference}",
                request.dir.display()
            )
        })
        .collect();
    if !other.is_empty() {
        return Err(Failure(other));
    }
    if known.frames != header.frames {
        return Err(Failure::line(format!(
            "{}: the interrupted journal keeps its frames otherwise (--journal-frames)",
            request.dir.display()
        )));
    }
    Ok(document)
}

fn journal_config(config: &Config, header: &Header) -> JournalConfig {
    let settings = config.journal();
    let risk = config.risk_config();
    let frame = match header.frames {
        Frames::Reference => RECORD_BYTES,
        Frames::Copy => FRAME_BYTES,
    };
    let intents = config.alpha_config().intents_max * header.strategies.len();
    JournalConfig {
        segment_bytes: settings.segment_bytes,
        feed_segment_bytes: match header.frames {
            Frames::Reference => settings.segment_bytes,
            Frames::Copy => settings.feed_segment_bytes,
        },
        disk_max_bytes: settings.disk_max_bytes,
        retention: match settings.retention {
            config::Retention::Stop => Retention::Stop,
            config::Retention::DropOldest => Retention::DropOldest,
        },
        sync_every: Duration::from_millis(u64::from(settings.sync_every_ms)),
        // A frame or what is said of damage, an event, the intents of all strategies, what a halt adds, an
        // order and a cancel-all.
        reserve: [
            frame.max(DAMAGED_BYTES),
            2 * RECORD_BYTES,
            (intents + 1) * RECORD_BYTES,
            (risk.halt_max + 1) * VERDICT_BYTES,
            4 * RECORD_BYTES,
        ],
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::InstrumentId;
    use fusewire_core::lane::{DAMAGED_HEAD_BYTES, DAMAGED_TEXT_BYTES_MAX, Decided, VerdictRecord};
    use fusewire_core::market::Side;
    use fusewire_core::order::{
        Action, Check, Intent, NewOrder, OrderId, RejectedBy, Rejection, Source, StrategyId,
        TimeInForce,
    };
    use fusewire_core::units::{Px, Qty};

    use super::*;

    /// Head, payload and stamp, up to the next multiple of eight.
    fn length(payload: usize) -> usize {
        (16 + payload + 8).next_multiple_of(8)
    }

    /// A record that takes more than its stage kept free would end the run with a panic.
    #[test]
    fn the_longest_records_fit_what_is_kept_free_for_them() {
        let (price, qty, tif) = (Px(1), Qty(1), TimeInForce::Gtx);
        let new = NewOrder { side: Side::Buy, price, qty, tif, reduce_only: true };
        let intent = Intent {
            order: OrderId::new(1, StrategyId(0), 1),
            instrument: InstrumentId(0),
            source: Source::Risk,
            action: Action::New(new),
        };
        let refused = Rejection::new(&intent, RejectedBy::Risk, Check::Collar, 1, 1);
        let verdict = VerdictRecord { seq: 1, index: 0, outcome: Decided::Rejected(refused) };
        let verdict = length(Record::from(&verdict).bytes().len());
        assert!(verdict <= VERDICT_BYTES, "{verdict}");
        assert!(length(DAMAGED_HEAD_BYTES + DAMAGED_TEXT_BYTES_MAX) <= DAMAGED_BYTES);
        // The longest of all other payloads has 120 bytes, see the record's own tests.
        assert!(length(192) <= RECORD_BYTES);
    }

    /// The smallest segment that the configuration allows is one that a run can have.
    #[test]
    fn the_smallest_segment_holds_a_whole_halt() {
        let halt = Config::default().risk_config().halt_max;
        assert!((halt + 1) * VERDICT_BYTES < 1 << 20);
    }
}
