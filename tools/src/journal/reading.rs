//! What every verb that reads a journal begins with.

use fusewire_core::journal::View;
use fusewire_core::lane::{Lane, RecordKind};

use super::header::Header;
use crate::outcome::Failure;

/// The header of a journal, and the document that it was read from.
///
/// # Errors
/// The journal has none, or it can not be read.
pub fn header(view: &View) -> Result<(Header, Vec<u8>), Failure> {
    let failed = |what: String| Failure::line(format!("{}: {what}", view.dir.display()));
    let mut reader = view.reader(Lane::Event);
    let record = reader.next().map_err(|error| failed(error.to_string()))?;
    let document = match record {
        Ok(record) if record.kind == RecordKind::Header as u8 => record.payload.to_vec(),
        Ok(_) | Err(_) if view.is_headless() => {
            return Err(failed("retention dropped the beginning, and the header with it".to_owned()));
        }
        Ok(_) | Err(_) => return Err(failed("the journal has no header".to_owned())),
    };
    let header = Header::from_json(&document).map_err(failed)?;
    Ok((header, document))
}
