//! What the questions are put to: a machine under a root folder, and what it is meant for.

use std::fs;
use std::path::{Path, PathBuf};

use super::Cost;
use super::cpu_list::Cores;

/// Cores that were isolated when the machine was booted.
pub(super) const ISOLATED: &str = "sys/devices/system/cpu/isolated";
/// Cores that were isolated later, by partitions of cgroup version 2.
pub(super) const ISOLATED_LATER: &str = "sys/fs/cgroup/cpuset.cpus.isolated";
pub(super) const ONLINE: &str = "sys/devices/system/cpu/online";
pub(super) const CPUINFO: &str = "proc/cpuinfo";
pub(super) const CMDLINE: &str = "proc/cmdline";

/// A machine. Everything that a question may know lies in here, so that a folder can stand for one.
pub(super) struct Machine {
    /// Where its `proc` and `sys` lie.
    pub(super) root: PathBuf,
    /// Cores that the stages will use, where the user says so.
    pub(super) cores: Option<Cores>,
    /// Folder of the journal, or the nearest folder above it that exists; absolute, without links.
    pub(super) journal: PathBuf,
    /// Bytes that are free there for this user.
    pub(super) journal_free_bytes: Option<u64>,
}

/// One question to a machine.
pub(super) struct Question {
    /// Stable key of the check.
    pub(super) name: &'static str,
    /// What a bad answer costs.
    pub(super) cost: Cost,
    /// Where the answer lies, under the root.
    pub(super) source: &'static str,
    /// Looks for it. `None`: a file is missing or says something unexpected.
    pub(super) look: fn(&Machine) -> Option<Finding>,
    /// What to do when the answer is bad.
    pub(super) remedy: &'static str,
}

/// An answer, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// As it should be.
    Good(String),
    /// It should be changed.
    Bad(String),
    /// It was read, but what it means depends on something that is not known.
    Open(String),
}

impl Finding {
    pub(super) fn when(good: bool, measured: impl Into<String>) -> Self {
        if good { Self::Good(measured.into()) } else { Self::Bad(measured.into()) }
    }
}

impl Machine {
    /// The text of a file, trimmed. Kernel files are small; bytes that are no UTF-8 count as missing.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok().map(|text| text.trim().to_owned())
    }

    /// A file that holds one number.
    pub(super) fn read_number<N: std::str::FromStr>(&self, path: impl AsRef<Path>) -> Option<N> {
        self.read(path)?.parse().ok()
    }

    /// What lies in a folder, in the order of names; nothing where there is no such folder.
    pub(super) fn names(&self, folder: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    pub(super) fn has(&self, path: impl AsRef<Path>) -> bool {
        self.root.join(path).exists()
    }

    /// Cores that were isolated when the machine was booted; `None` where the kernel does not say.
    pub(super) fn isolated_at_boot(&self) -> Option<Cores> {
        Cores::from_list(&self.read(ISOLATED)?)
    }

    /// Isolated cores, also those of later; `None` where the kernel does not say.
    pub(super) fn isolated(&self) -> Option<Cores> {
        let later = self.read(ISOLATED_LATER).and_then(|text| Cores::from_list(&text));
        Some(self.isolated_at_boot()?.joined_with(&later.unwrap_or_default()))
    }

    /// Cores of the stages: those that the user named, else all isolated ones, if any.
    pub(super) fn stage_cores(&self) -> Option<Cores> {
        self.cores.clone().or_else(|| self.isolated().filter(|cores| !cores.is_empty()))
    }

    /// Cores of the stages where they are known, else every core.
    pub(super) fn stage_cores_or_all(&self) -> Option<Cores> {
        self.stage_cores().or_else(|| Cores::from_list(&self.read(ONLINE)?))
    }

    /// An answer about the cores of the stages, open where nobody knows them.
    pub(super) fn of_stage_cores(
        &self,
        look: impl FnOnce(&Cores) -> Option<Finding>,
    ) -> Option<Finding> {
        let unknown = "which cores the stages use is not known: none is isolated, no --cores";
        self.stage_cores()
            .map_or_else(|| Some(Finding::Open(unknown.to_owned())), |cores| look(&cores))
    }

    /// The value of a boot option: empty for one without `=`, `None` for one that is not there.
    pub(super) fn boot_option(&self, name: &str) -> Option<String> {
        let line = self.read(CMDLINE)?;
        line.split_whitespace().find_map(|option| {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            (key == name).then(|| value.to_owned())
        })
    }

    /// Words behind the first line of `/proc/cpuinfo` with one of these keys.
    pub(super) fn cpuinfo(&self, key: &str) -> Option<Vec<String>> {
        let text = self.read(CPUINFO)?;
        let value = text.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            (found.trim() == key).then_some(value)
        })?;
        Some(value.split_whitespace().map(str::to_owned).collect())
    }
}

/// The word in brackets of `always [madvise] never`.
pub(super) fn chosen(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(word, _)| word)
}

/// `1.75` as 175.
pub(super) fn parse_hundredths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.')?;
    let fraction: u64 = fraction.parse().ok().filter(|_| fraction.len() == 2)?;
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(fraction)
}
