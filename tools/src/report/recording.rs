//! The journal that charts are drawn from: the one that is recorded anyway, or one in the system's folder for temporary
//! files, which goes when it has been read.

use std::path::{Path, PathBuf};

use crate::config::{Config, Retention};
use crate::journal::header::Frames;
use crate::journal::writing::{Request, fresh_session};
use crate::outcome::Failure;

/// Where a run is recorded for its report.
pub struct Recording {
    dir: PathBuf,
    is_scratch: bool,
}

impl Recording {
    /// The journal that was asked for, or a temporary one: where it is, what to ask the run for, and with which
    /// configuration, as a temporary journal may drop nothing.
    #[must_use]
    pub fn of(journal: Option<Request>, config: &Config) -> (Self, Request, Config) {
        let mut config = config.clone();
        if let Some(request) = journal {
            return (Self { dir: request.dir.clone(), is_scratch: false }, request, config);
        }
        config.journal.retention = Retention::Stop;
        let dir = std::env::temp_dir().join(format!("fusewire-report-{:016x}", fresh_session()));
        // By reference: the frames themselves are in no chart.
        let request = Request { dir: dir.clone(), frames: Frames::Reference, resume: false };
        (Self { dir, is_scratch: true }, request, config)
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if self.is_scratch
            && let Err(error) = std::fs::remove_dir_all(&self.dir)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("{}: {error}: remove it by hand", self.dir.display());
        }
    }
}

/// Where a report is to go: the path, or what a link there points to.
///
/// # Errors
/// Something is there that is no file, as a folder or a device: it would be replaced.
fn place(path: &Path) -> Result<PathBuf, Failure> {
    let Ok(there) = std::fs::metadata(path) else { return Ok(path.to_owned()) };
    let whole = path.canonicalize().ok().filter(|_| there.is_file());
    whole.ok_or_else(|| {
        Failure::line(format!(
            "--report {}: it is a folder or a device: name a file",
            path.display()
        ))
    })
}

/// Writes a report whole or not at all, and leaves nothing beside it.
///
/// # Errors
/// The file can not be written, or something is there that is no file.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::line(format!("{}: {error}", path.display()));
    let place = place(path)?;
    let mut beside = place.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &place));
    if written.is_err() {
        // What could not be written may not be there either; why it failed is told already.
        let _ = std::fs::remove_file(&beside);
    }
    written.map_err(failed)
}

/// Refuses a report of a journal that may lose its beginning while it is written, before the run.
///
/// # Errors
/// The configuration drops the oldest segments of the journal that was asked for.
pub fn refuse_beheaded(journal: &Path, config: &Config) -> Result<(), Failure> {
    match config.journal.retention {
        Retention::Stop => Ok(()),
        Retention::DropOldest => Err(Failure::line(format!(
            "--report needs all of --journal {}, and [journal] retention = \"drop-oldest\" may drop its beginning: leave \
             out --journal, or set it to \"stop\"",
            journal.display()
        ))),
    }
}

/// Refuses a path that a report can not be written to, before the run.
///
/// # Errors
/// It is a folder or a device, or its own folder is not there.
pub fn refuse_unwritable(path: &Path) -> Result<(), Failure> {
    place(path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            let what = "its folder is not there";
            Err(Failure::line(format!("--report {}: {what}", path.display())))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_can_not_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.html");
        std::fs::create_dir(&path).unwrap();
        let Failure(lines) = write(&path, "page").unwrap_err();
        assert!(lines[0].contains("x.html: "), "{lines:?}");
        assert!(!folder.path().join("x.html.part").exists());
    }

    /// A device would become a file, and a link one of its own.
    #[test]
    fn a_report_takes_the_place_of_a_file_and_of_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.html"), folder.path().join("b.html"));
        write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, "new").unwrap();
        assert!(link.is_symlink() && std::fs::read_to_string(&file).unwrap() == "new");
        // As a device is, and nothing that a test that fails could harm.
        let socket = folder.path().join("c.html");
        let _held = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let Failure(lines) = refuse_unwritable(&socket).unwrap_err();
        assert!(lines[0].ends_with("c.html: it is a folder or a device: name a file"), "{lines:?}");
        assert!(write(&socket, "page").is_err() && !socket.is_file());
    }
}
