//! What can be wrong with a journal, in words.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use thiserror::Error;

use super::layout::{Position, Strand};
use crate::kill::{KillSwitch, Level};

/// What is wrong at a place of a file.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// The file ends within its head.
    #[error("the file ends within its head")]
    HeadCut,
    /// The first bytes are those of something else.
    #[error("this is no segment of a journal")]
    NotASegment,
    /// The head was changed.
    #[error("the checksum of the head does not hold")]
    HeadChecksum,
    /// The part of the head that joins it to the segment before was changed.
    #[error("the checksum of the head's second part does not hold")]
    StartChecksum,
    /// Written by a later program.
    #[error("version {0} of the format is not known here (this program reads version 1)")]
    Version(u16),
    /// The head names another lane or number than the file's name.
    #[error("the head is that of another segment")]
    Misplaced,
    /// The file is not there, and a later one is.
    #[error("the segment is missing")]
    Missing,
    /// It does not continue the segment before it.
    #[error("the segment does not continue the one before it")]
    NotJoined,
    /// A record was changed, or a hole torn into the lane: there is more behind it.
    #[error("a record does not verify, and there is more behind it")]
    Record,
    /// The lane ends before what it is known to have held.
    #[error("the lane ends here, and it is known to have gone on")]
    Short,
    /// Other lanes have their closing record, this one does not.
    #[error("the closing record is missing, and other lanes have theirs")]
    NotClosed,
    /// Something stands behind the closing record.
    #[error("there is something behind the closing record")]
    BehindClose,
    /// The control page can not be read.
    #[error("the control page does not verify: how far the lanes were done is not known")]
    Control,
}

/// Damage: where, and what.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{file} at byte {}: {fault}", position.offset())]
pub struct Damage {
    /// Name of the file.
    pub file: String,
    /// The lane, or none for the control page.
    pub strand: Option<Strand>,
    /// Where it begins.
    pub position: Position,
    /// What is wrong.
    pub fault: Fault,
}

/// Why a journal can not be opened, written or mended.
#[derive(Debug, Error)]
pub enum JournalError {
    /// A file or folder can not be made, read or changed.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Another process writes it.
    #[error("{}: another process writes this journal{holder}", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Which process, if it says so.
        holder: String,
    },
    /// There is a journal already.
    #[error(
        "{}: holds a journal already: choose another folder, or go on with an interrupted one (--resume)", path.display()
    )]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds other things.
    #[error("{}: the folder holds other files and no journal: choose an empty one", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// There is no journal.
    #[error("{}: there is no journal here", path.display())]
    NoJournal {
        /// The folder.
        path: PathBuf,
    },
    /// Its beginning was dropped: a run that goes on needs the stream from its start.
    #[error("{}: the beginning of this journal was dropped, so that no run can go on with it", path.display())]
    Headless {
        /// The folder.
        path: PathBuf,
    },
    /// It is complete: there is nothing to go on with.
    #[error("{}: this journal is complete, there is nothing to go on with", path.display())]
    Complete {
        /// The folder.
        path: PathBuf,
    },
    /// A limit of the configuration makes no sense.
    #[error("journal: {0}")]
    Config(String),
    /// It is damaged, and what was asked needs it whole.
    #[error("{}: {damage}", path.display())]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What is damaged first.
        damage: Damage,
    },
    /// Writing had to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl JournalError {
    /// An error of the system about a path.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { path, error }
    }
}

/// Why a writer takes nothing more.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the journal can not go on: {0}")]
pub struct Stopped(pub String);

/// The first reason to stop, shared by all who write. Nothing that is set is ever taken back.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    why: Arc<OnceLock<Stopped>>,
    kill: KillSwitch,
}

impl Stop {
    /// No reason yet; the first one raises `kill` to its highest level.
    pub(super) fn new(kill: KillSwitch) -> Self {
        Self { why: Arc::default(), kill }
    }

    /// Sets the reason, unless there is one: the journal can not go on, and nothing more may be sent.
    pub(super) fn set(&self, why: String) {
        // Before the reason: who sees that it stopped sees that nothing may be sent.
        self.kill.raise(Level::Dead);
        self.end(why);
    }

    /// The journal was closed or given up. Whoever still waits for it must not wait for ever.
    pub(super) fn end(&self, why: String) {
        // The first reason counts; a later one is most likely its consequence.
        let _ = self.why.set(Stopped(why));
    }

    pub(super) fn get(&self) -> Option<&Stopped> {
        self.why.get()
    }

    pub(super) fn is_set(&self) -> bool {
        self.why.get().is_some()
    }
}
