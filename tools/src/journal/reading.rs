//! What every verb that reads a journal begins with.

use std::path::Path;

use fusewire_core::journal::{ControlPage, State, View};
use fusewire_core::lane::{CloseRecord, Lane, RecordKind, decode};

use super::header::Header;
use super::walk::limit_of;
use crate::export::lanes::Names;
use crate::outcome::{Done, Failure, Outcome};

/// What stands behind the numbers in a journal's records; nothing when retention dropped the header.
///
/// # Errors
/// The header can not be read.
pub fn names(view: &View) -> Result<Names, Failure> {
    if view.is_headless() {
        return Ok(Names::default());
    }
    header(view).map(|(header, _)| header.names())
}

/// "No" for a journal that is damaged: what could be shown was shown, and this is what could not.
#[must_use]
pub fn verdict(view: &View) -> Done {
    for damage in &view.damage {
        tracing::error!("{}: damaged: {damage}", view.dir.display());
    }
    if view.damage.is_empty() { Done::Yes } else { Done::No }
}

/// The header of a journal, and the document that it was read from.
///
/// # Errors
/// The journal has none, or it can not be read.
pub fn header(view: &View) -> Result<(Header, Vec<u8>), Failure> {
    let document = document(view)?;
    let header = Header::from_json(&document)
        .map_err(|what| Failure::line(format!("{}: {what}", view.dir.display())))?;
    Ok((header, document))
}

/// The document of the header as it stands, whatever it says.
///
/// # Errors
/// The journal has none.
pub fn document(view: &View) -> Result<Vec<u8>, Failure> {
    let failed = |what: &str| Failure::line(format!("{}: {what}", view.dir.display()));
    let mut reader = view.reader(Lane::Event);
    match reader.next().map_err(|error| failed(&error.to_string()))? {
        Ok(record) if record.kind == RecordKind::Header as u8 => Ok(record.payload.to_vec()),
        Ok(_) | Err(_) if view.is_headless() => {
            Err(failed("retention dropped the beginning, and the header with it"))
        }
        Ok(_) | Err(_) if view.state == State::Open => {
            Err(failed("the journal has no header yet: its writer has just begun"))
        }
        Ok(_) | Err(_) => Err(failed("the journal has no header")),
    }
}

/// The closing record of a lane; none when it has none.
///
/// # Errors
/// The lane can not be read, or the record says something that this program does not know.
pub fn close(view: &View, lane: Lane) -> Result<Option<CloseRecord>, Failure> {
    if !view.lane(lane).closed {
        return Ok(None);
    }
    let failed = |what: String| {
        Failure::line(format!("{}: lane {}: {what}", view.dir.display(), lane.name()))
    };
    let mut reader = view.reader(lane);
    while let Ok(record) = reader.next().map_err(|error| failed(error.to_string()))? {
        if record.kind == RecordKind::Close as u8 {
            return decode::close(record.payload)
                .map(Some)
                .map_err(|error| failed(error.to_string()));
        }
    }
    Ok(None)
}

/// How far a journal at work may be read now.
///
/// # Errors
/// The control page can not be read.
pub fn limit(dir: &Path) -> Result<u64, Failure> {
    let failed = |what: String| Failure::line(format!("{}: {what}", dir.display()));
    let page = ControlPage::read(dir).map_err(|error| failed(error.to_string()))?;
    page.map(|page| limit_of(&page)).map_err(|fault| failed(fault.to_string()))
}

/// Says why nothing more comes: the writer is gone, or what it wrote is damaged.
///
/// # Errors
/// The journal can not be read.
pub fn ended_early(dir: &Path) -> Outcome {
    let view = View::open(dir).map_err(Failure::line)?;
    if verdict(&view) == Done::Yes {
        tracing::error!("{}: the writer ended without closing the journal", dir.display());
    }
    Ok(Done::No)
}
