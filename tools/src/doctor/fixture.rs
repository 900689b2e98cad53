//! Machines made of a few files, for the tests of the questions.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;

use super::machine::Machine;
use super::{Verdict, ask, questions};

/// A machine with some files.
pub(super) struct Fake {
    // Removes the files when it goes.
    _folder: TempDir,
    machine: Machine,
}

/// A machine with these files.
pub(super) fn machine(files: &[(&str, &str)]) -> Fake {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let machine = Machine {
        root: folder.path().to_owned(),
        cores: None,
        journal: PathBuf::from("/data/runs"),
        journal_free_bytes: None,
    };
    Fake { _folder: folder, machine }
}

impl Fake {
    /// The same with cores that the user named.
    pub(super) fn with_cores(mut self, cores: &str) -> Self {
        self.machine.cores = Some(cores.parse().unwrap());
        self
    }

    /// The same with so much room for the journal.
    pub(super) fn with_free_bytes(mut self, bytes: u64) -> Self {
        self.machine.journal_free_bytes = Some(bytes);
        self
    }

    /// The same with a link, as `/sys` is full of.
    pub(super) fn with_link(self, path: &str, target: &str) -> Self {
        let path = self.machine.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What one check says of it.
    pub(super) fn found(&self, name: &str) -> (Verdict, String) {
        let question = questions().find(|question| question.name == name).unwrap();
        let check = ask(question, &self.machine);
        assert_eq!(check.remedy.is_empty(), check.verdict == Verdict::Ok);
        (check.verdict, check.measured)
    }

    pub(super) fn verdict(&self, name: &str) -> Verdict {
        self.found(name).0
    }
}

/// What one check says of a machine with these files.
pub(super) fn found(name: &str, files: &[(&str, &str)]) -> (Verdict, String) {
    machine(files).found(name)
}

pub(super) fn verdict(name: &str, files: &[(&str, &str)]) -> Verdict {
    found(name, files).0
}

pub(super) fn ok(measured: &str) -> (Verdict, String) {
    (Verdict::Ok, measured.to_owned())
}

pub(super) fn warn(measured: &str) -> (Verdict, String) {
    (Verdict::Warn, measured.to_owned())
}

/// A `/proc/cpuinfo`.
pub(super) fn cpuinfo(cores: usize, features: &str) -> String {
    (0..cores).map(|n| format!("processor\t: {n}\nflags\t\t: {features}\n\n")).collect()
}
