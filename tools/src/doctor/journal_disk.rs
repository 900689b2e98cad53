//! Questions about where the journal will lie. What each costs is in docs/journal.md and docs/tuned-linux.md.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::Cost::{Milliseconds, Run};
use super::machine::{Finding, Machine, Question, chosen};
use crate::config::Config;

/// Devices upon devices (partition, LVM, RAID, encryption) that are followed down.
const LAYERS_MAX: u32 = 8;
/// File systems that write in place, so that reserved blocks hold whatever is stored.
const SUITED: &[&str] = &["ext4", "xfs"];

const MOUNTS: &str = "proc/self/mountinfo";
const DEVICES: &str = "sys/dev/block";

/// In the order of the report.
pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "journal_file_system",
        cost: Run,
        source: MOUNTS,
        look: file_system,
        remedy: "put the journal on ext4 or XFS on a local disk",
    },
    Question {
        name: "journal_space",
        cost: Run,
        source: MOUNTS,
        look: space,
        remedy: "make room, or set journal.disk_max_mb below what is free, so that journal.retention \
                 decides what happens and not a full disk",
    },
    Question {
        name: "journal_mount",
        cost: Milliseconds,
        source: MOUNTS,
        look: mount_options,
        remedy: "mount with lazytime, and without sync, dirsync and data=journal: the first store to a \
                 page after a sync notes the file's time, and else may wait for the file system's own \
                 journal to do so",
    },
    Question {
        name: "journal_disk",
        cost: Milliseconds,
        source: "sys/block/*/queue/rotational",
        look: rotational,
        remedy: "take an SSD, best NVMe with power loss protection; virtual disks often say that they \
                 rotate: ask the host, then echo 0 > /sys/block/<disk>/queue/rotational",
    },
    Question {
        name: "journal_disk_scheduler",
        cost: Milliseconds,
        source: "sys/block/*/queue/scheduler",
        look: scheduler,
        remedy: "echo none > /sys/block/<disk>/queue/scheduler (mq-deadline where none is refused): the \
                 others share out the disk by turns, and a sync waits for its own",
    },
    Question {
        name: "journal_stable_writes",
        cost: Milliseconds,
        source: "sys/block/*/queue/stable_writes",
        look: stable_writes,
        remedy: "take a disk without checksums or parity of the kernel over it: with them, a store to a \
                 page that is just being written waits until it is",
    },
];

/// A line of `/proc/self/mountinfo`.
struct Mount {
    /// `major:minor`.
    device: String,
    point: PathBuf,
    kind: String,
    source: String,
    options: Vec<String>,
}

/// The mount that the journal's folder lies on: the deepest, and of those at one place the latest.
fn mount(machine: &Machine) -> Option<Mount> {
    let mounts = machine.read(MOUNTS)?;
    let mounts = mounts.lines().filter_map(parse_mount);
    mounts
        .filter(|mount| machine.journal.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count())
}

fn parse_mount(line: &str) -> Option<Mount> {
    let (here, there) = line.split_once(" - ")?;
    let here: Vec<&str> = here.split(' ').collect();
    let there: Vec<&str> = there.split(' ').collect();
    let options = here.get(5)?.split(',').chain(there.get(2)?.split(','));
    Some(Mount {
        device: (*here.get(2)?).to_owned(),
        point: unescape(here.get(4)?),
        kind: (*there.first()?).to_owned(),
        source: unescape(there.get(1)?).display().to_string(),
        options: options.map(str::to_owned).collect(),
    })
}

/// The kernel writes white space and backslashes in names as `\040`.
fn unescape(text: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let octal = (*first == b'\\').then(|| behind.get(..3)).flatten();
        let code = octal
            .and_then(|digits| str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &behind[3..] } else { behind };
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

fn file_system(machine: &Machine) -> Option<Finding> {
    let mount = mount(machine)?;
    let place = format!("{} at {} ({})", mount.kind, mount.point.display(), mount.source);
    Some(match (SUITED.contains(&mount.kind.as_str()), fault(&mount.kind)) {
        (true, _) => Finding::Good(place),
        (false, Some(fault)) => Finding::Bad(format!("{place}: {fault}")),
        (false, None) => Finding::Open(format!("{place}: not judged")),
    })
}

/// What is known to be wrong with a kind of file system.
fn fault(kind: &str) -> Option<&'static str> {
    if kind.starts_with("fuse") {
        return Some("a page fault waits for another process");
    }
    match kind {
        "tmpfs" | "ramfs" => Some("it is memory, gone after a power failure and lacking elsewhere"),
        "overlay" | "aufs" => Some("the layer of a container, mostly gone with it"),
        "nfs" | "nfs4" | "cifs" | "smb3" | "ceph" | "9p" | "virtiofs" | "lustre" | "gpfs"
        | "beegfs" | "afs" => Some("a page fault or a sync waits for another machine"),
        "btrfs" | "zfs" | "bcachefs" => {
            Some("copies on write, so a full disk ends the process with a signal")
        }
        _ => None,
    }
}

fn space(machine: &Machine) -> Option<Finding> {
    let free = machine.journal_free_bytes?;
    let most = Config::default().journal().disk_max_bytes;
    let gib = |bytes: u64| format!("{}.{} GiB", bytes >> 30, (bytes % (1 << 30) * 10) >> 30);
    let measured = format!("{} free at {}", gib(free), machine.journal.display());
    Some(match free >= most {
        true => Finding::Good(measured),
        false => Finding::Bad(format!("{measured}, journal.disk_max_mb allows {}", gib(most))),
    })
}

fn mount_options(machine: &Machine) -> Option<Finding> {
    let mount = mount(machine)?;
    let has = |wanted: &str| mount.options.iter().any(|option| option == wanted);
    let slow: Vec<_> =
        ["sync", "dirsync", "data=journal"].into_iter().filter(|option| has(option)).collect();
    Some(match (mount.kind.as_str(), slow.is_empty(), has("lazytime")) {
        (_, false, _) => Finding::Bad(slow.join(", ")),
        (kind, true, _) if !SUITED.contains(&kind) => {
            Finding::Open(format!("options of {kind} are not judged"))
        }
        (_, true, true) => Finding::Good("lazytime".to_owned()),
        (_, true, false) => Finding::Bad("without lazytime".to_owned()),
    })
}

/// The devices at the bottom of the one that is mounted; none for a file system without a device.
fn disks(machine: &Machine) -> Option<Vec<PathBuf>> {
    let device = mount(machine)?.device;
    let disks = bottom(&machine.root.join(DEVICES).join(device), LAYERS_MAX);
    Some(disks).filter(|disks| !disks.is_empty())
}

fn bottom(device: &Path, layers: u32) -> Vec<PathBuf> {
    // A link into the tree of devices, where a partition lies in the folder of its disk.
    let Ok(mut device) = fs::canonicalize(device) else { return Vec::new() };
    if device.join("partition").exists() {
        device.pop();
    }
    let below = fs::read_dir(device.join("slaves")).into_iter().flatten().flatten();
    let below: Vec<PathBuf> = below.map(|entry| entry.path()).collect();
    match layers.checked_sub(1) {
        None => Vec::new(),
        Some(_) if below.is_empty() => vec![device],
        Some(layers) => below.iter().flat_map(|device| bottom(device, layers)).collect(),
    }
}

/// An answer from one file of each disk: in words, and whether all is well.
fn on_disks(
    machine: &Machine,
    file: &str,
    judge: fn(&str) -> Option<(&str, bool)>,
) -> Option<Finding> {
    let mut good = true;
    let mut measured = Vec::new();
    for disk in disks(machine)? {
        let text = fs::read_to_string(disk.join("queue").join(file)).ok()?;
        let (words, well) = judge(text.trim())?;
        measured.push(format!("{} {words}", disk.file_name()?.display()));
        good &= well;
    }
    measured.sort();
    Some(Finding::when(good, measured.join(", ")))
}

fn rotational(machine: &Machine) -> Option<Finding> {
    on_disks(machine, "rotational", |text| match text {
        "0" => Some(("does not rotate", true)),
        "1" => Some(("rotates, or says so", false)),
        _ => None,
    })
}

fn scheduler(machine: &Machine) -> Option<Finding> {
    on_disks(machine, "scheduler", |text| match chosen(text).unwrap_or(text) {
        name @ ("none" | "noop" | "mq-deadline" | "deadline" | "kyber") => Some((name, true)),
        name @ ("bfq" | "cfq") => Some((name, false)),
        _ => None,
    })
}

fn stable_writes(machine: &Machine) -> Option<Finding> {
    on_disks(machine, "stable_writes", |text| match text {
        "0" => Some(("does not need them", true)),
        "1" => Some(("needs them", false)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Ok, Unknown, Warn};
    use super::super::fixture::{Fake, found, machine, ok, verdict, warn};
    use super::*;

    const ROOT: &str = "27 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw,discard\n";

    fn mounted(mounts: &str) -> Vec<(&str, &str)> {
        vec![(MOUNTS, mounts)]
    }

    #[test]
    fn the_deepest_and_latest_mount_counts() {
        let place = |mounts: &str| found("journal_file_system", &mounted(mounts));
        assert_eq!(place(ROOT), ok("ext4 at / (/dev/vda1)"));
        let data = "28 27 8:1 / /data rw shared:1 master:2 - xfs /dev/sda1 rw\n";
        assert_eq!(place(&format!("{data}{ROOT}")), ok("xfs at /data (/dev/sda1)"));
        let beside = "28 27 8:1 / /dat rw - tmpfs none rw\n";
        assert_eq!(place(&format!("{ROOT}{beside}")), ok("ext4 at / (/dev/vda1)"));
        let over = "29 28 0:9 / /data rw - tmpfs none rw\n";
        assert_eq!(place(&format!("{ROOT}{data}{over}")).0, Warn);
        assert_eq!(place("27 1 254:1 / /else rw - ext4 /dev/vda1 rw\n").0, Unknown);
        assert_eq!(place("no mounts\n").0, Unknown);
    }

    #[test]
    fn file_systems_are_judged_by_what_they_do_to_a_journal() {
        let of = |kind: &str| {
            verdict("journal_file_system", &mounted(&format!("1 0 0:1 / / rw - {kind} none rw\n")))
        };
        for bad in ["tmpfs", "overlay", "nfs4", "9p", "fuse.sshfs", "fuseblk", "btrfs", "zfs"] {
            assert_eq!(of(bad), Warn, "{bad}");
        }
        assert_eq!([of("ext4"), of("xfs"), of("f2fs"), of("new")], [Ok, Ok, Unknown, Unknown]);
    }

    #[test]
    fn names_with_spaces_are_names() {
        for (text, name) in [("/a\\040b", "/a b"), ("/a\\134", "/a\\"), ("/a\\09", "/a\\09")] {
            assert_eq!(unescape(text), Path::new(name));
        }
        assert_eq!(unescape("\\"), Path::new("\\"));
        assert_eq!(unescape("\\777"), Path::new("\\777"));
    }

    #[test]
    fn there_is_room_for_all_that_a_journal_may_take() {
        let most = Config::default().journal().disk_max_bytes;
        let with = |bytes| machine(&[]).with_free_bytes(bytes);
        assert_eq!(with(most).found("journal_space"), ok("64.0 GiB free at /data/runs"));
        let short = "63.9 GiB free at /data/runs, journal.disk_max_mb allows 64.0 GiB";
        assert_eq!(with(most - 1).found("journal_space"), warn(short));
        assert_eq!(machine(&[]).verdict("journal_space"), Unknown);
    }

    #[test]
    fn times_are_noted_lazily_and_nothing_is_synchronous() {
        let of = |kind: &str, here: &str, there: &str| {
            let line = format!("1 0 8:1 / / rw{here} - {kind} /dev/sda1 rw{there}\n");
            found("journal_mount", &mounted(&line))
        };
        assert_eq!(of("ext4", "", ",lazytime"), ok("lazytime"));
        assert_eq!(of("xfs", ",lazytime", "").0, Ok);
        assert_eq!(of("ext4", ",relatime", ""), warn("without lazytime"));
        assert_eq!(of("xfs", "", ",sync,lazytime"), warn("sync"));
        assert_eq!(of("ext4", "", ",lazytime,data=journal").0, Warn);
        assert_eq!(of("tmpfs", "", "").0, Unknown);
        assert_eq!(verdict("journal_mount", &[]), Unknown);
    }

    /// A virtual disk with a partition, as `/sys` shows it, with one file of its queue.
    fn on_partition(file: &str, text: &str) -> Fake {
        let disk = "sys/devices/pci0/block/vda";
        let (queue, partition) = (format!("{disk}/queue/{file}"), format!("{disk}/vda1/partition"));
        machine(&[(MOUNTS, ROOT), (&queue, text), (&partition, "1\n")])
            .with_link("sys/dev/block/254:1", "../../devices/pci0/block/vda/vda1")
    }

    #[test]
    fn disks_are_asked_and_not_their_partitions() {
        let rotational = |text| on_partition("rotational", text).found("journal_disk");
        assert_eq!(rotational("0\n"), ok("vda does not rotate"));
        assert_eq!(rotational("1\n"), warn("vda rotates, or says so"));
        assert_eq!(rotational("2\n").0, Unknown);
        assert_eq!(verdict("journal_disk", &mounted(ROOT)), Unknown);
        let scheduler = |text| on_partition("scheduler", text).found("journal_disk_scheduler");
        assert_eq!(scheduler("none [mq-deadline] bfq\n"), ok("vda mq-deadline"));
        assert_eq!(scheduler("none\n").0, Ok);
        assert_eq!(scheduler("none mq-deadline [bfq]\n"), warn("vda bfq"));
        assert_eq!(scheduler("none [new]\n").0, Unknown);
        let stable = |text| on_partition("stable_writes", text).found("journal_stable_writes");
        assert_eq!(stable("0\n"), ok("vda does not need them"));
        assert_eq!(stable("1\n"), warn("vda needs them"));
        assert_eq!(stable("\n").0, Unknown);
    }

    #[test]
    fn every_disk_below_a_volume_is_asked() {
        let volume = |second| {
            let mount = "27 1 253:0 / / rw - ext4 /dev/dm-0 rw\n";
            let disk = |name| format!("sys/devices/pci0/block/{name}/queue/rotational");
            let (first_disk, second_disk) = (disk("sda"), disk("sdb"));
            let dm = "sys/devices/virtual/block/dm-0";
            machine(&[(MOUNTS, mount), (&first_disk, "0\n"), (&second_disk, second)])
                .with_link("sys/dev/block/253:0", "../../devices/virtual/block/dm-0")
                .with_link(&format!("{dm}/slaves/sda"), "../../../../pci0/block/sda")
                .with_link(&format!("{dm}/slaves/sdb"), "../../../../pci0/block/sdb")
                .found("journal_disk")
        };
        assert_eq!(volume("0\n"), ok("sda does not rotate, sdb does not rotate"));
        assert_eq!(volume("1\n").0, Warn);
    }

    #[test]
    fn devices_that_lie_upon_themselves_have_no_disk() {
        let ring = machine(&mounted("27 1 253:0 / / rw - ext4 /dev/dm-0 rw\n"))
            .with_link("sys/dev/block/253:0", "../../devices/dm-0")
            .with_link("sys/devices/dm-0/slaves/dm-0", "..");
        assert_eq!(ring.verdict("journal_disk"), Unknown);
    }
}
