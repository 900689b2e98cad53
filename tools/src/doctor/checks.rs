//! The checks, each from one or two files of the kernel.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{Check, Verdict};

/// One check of the machine under a root.
type Examination = fn(&Path) -> Check;

/// All checks, in the order of the report.
pub(super) const ALL: [Examination; 10] = [
    cpu_count,
    cpu_features,
    isolated_cores,
    nohz_full,
    frequency_governor,
    huge_pages,
    clock_source,
    swap,
    locked_memory,
    load,
];

/// With this many cores each stage has its own.
const CORES_MIN: usize = 6;
/// Swappiness above this lets the kernel page out the process while memory is free.
const SWAPPINESS_MAX: u32 = 10;
/// Journal segments and rings are locked into memory: this much room is enough for them, in bytes.
const LOCKED_BYTES_MIN: u64 = 1 << 30;
/// Load above this part of the cores, in percent, means that others compete for them.
const LOAD_PERCENT_MAX: u64 = 50;
/// Most CPU numbers that a list is unfolded to; Linux is built for at most 8192.
const CPUS_MAX: u32 = 8_192;

const CPUINFO: &str = "proc/cpuinfo";
const ISOLATED: &str = "sys/devices/system/cpu/isolated";
const NOHZ_FULL: &str = "sys/devices/system/cpu/nohz_full";
const CPUS: &str = "sys/devices/system/cpu";
const HUGE_PAGES: &str = "sys/kernel/mm/transparent_hugepage/enabled";
const CLOCK_SOURCE: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";
const SWAPS: &str = "proc/swaps";
const SWAPPINESS: &str = "proc/sys/vm/swappiness";
const LIMITS: &str = "proc/self/limits";
const LOADAVG: &str = "proc/loadavg";

/// Turns a finding into a check. `None` is a file that is missing or says something unexpected.
fn check(name: &'static str, source: &str, finding: Option<(String, bool)>, remedy: &str) -> Check {
    let (measured, verdict) = match finding {
        Some((measured, true)) => (measured, Verdict::Ok),
        Some((measured, false)) => (measured, Verdict::Warn),
        None => (format!("/{source} does not say"), Verdict::Unknown),
    };
    let remedy = if verdict == Verdict::Ok { String::new() } else { remedy.to_owned() };
    Check { name, measured, verdict, remedy }
}

/// The text of a file, trimmed. Kernel files are small; bytes that are no UTF-8 count as missing.
fn read(root: &Path, path: &str) -> Option<String> {
    fs::read_to_string(root.join(path)).ok().map(|text| text.trim().to_owned())
}

fn cpu_count(root: &Path) -> Check {
    let finding = read(root, CPUINFO).and_then(|text| count_cpus(&text));
    let finding = finding.map(|cores| (format!("{cores} cores"), cores >= CORES_MIN));
    let remedy = "stages will share cores: fine for replay; for latency take 6 cores or more";
    check("cpu_count", CPUINFO, finding, remedy)
}

fn count_cpus(cpuinfo: &str) -> Option<usize> {
    let is_cpu = |line: &&str| line.split(':').next().is_some_and(|key| key.trim() == "processor");
    Some(cpuinfo.lines().filter(is_cpu).count()).filter(|&count| count > 0)
}

fn cpu_features(root: &Path) -> Check {
    let finding = read(root, CPUINFO).and_then(|text| missing_features(&text));
    let finding = finding.map(|missing| match missing.as_slice() {
        [] => ("hardware CRC32C and wide SIMD".to_owned(), true),
        missing => (format!("without {}", missing.join(", ")), false),
    });
    let remedy = "checksums and JSON parsing fall back to slow code: use a CPU, or a CPU model of the \
                  hypervisor, with these features";
    check("cpu_features", CPUINFO, finding, remedy)
}

/// Features that are wanted and not there: SSE4.2 (CRC32C) and AVX2 on x86, their likes on ARM.
fn missing_features(cpuinfo: &str) -> Option<Vec<&'static str>> {
    let (wanted, line) = cpuinfo.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        match key.trim() {
            "flags" => Some((["sse4_2", "avx2"], value)),
            "Features" => Some((["crc32", "asimd"], value)),
            _ => None,
        }
    })?;
    let present: BTreeSet<&str> = line.split_whitespace().collect();
    Some(wanted.into_iter().filter(|feature| !present.contains(feature)).collect())
}

fn isolated_cores(root: &Path) -> Check {
    let finding = read(root, ISOLATED).and_then(|text| {
        let cores = parse_cpu_list(&text)?;
        Some(if cores.is_empty() { ("none".to_owned(), false) } else { (text, true) })
    });
    let remedy =
        "boot with isolcpus=<cores of the stages>, so that the scheduler leaves them alone";
    check("isolated_cores", ISOLATED, finding, remedy)
}

fn nohz_full(root: &Path) -> Check {
    let isolated = read(root, ISOLATED).and_then(|text| parse_cpu_list(&text)).unwrap_or_default();
    let finding = read(root, NOHZ_FULL).and_then(|text| {
        let quiet = parse_cpu_list(&text)?;
        let covered = !quiet.is_empty() && isolated.is_subset(&quiet);
        Some((if quiet.is_empty() { "none".to_owned() } else { text }, covered))
    });
    let remedy = "boot with nohz_full=<the isolated cores>, so that no timer interrupts them";
    check("nohz_full", NOHZ_FULL, finding, remedy)
}

/// Unfolds `2-4,7`. Nothing, or the kernel's `(null)`, is no CPU at all.
fn parse_cpu_list(text: &str) -> Option<BTreeSet<u32>> {
    let mut cpus = BTreeSet::new();
    if text.is_empty() || text == "(null)" {
        return Some(cpus);
    }
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= CPUS_MAX {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

fn frequency_governor(root: &Path) -> Check {
    let governors = governors(root);
    let fast = governors.iter().all(|governor| governor == "performance");
    let measured = governors.into_iter().collect::<Vec<_>>().join(", ");
    let finding = Some((measured, fast)).filter(|(measured, _)| !measured.is_empty());
    let remedy = "cpupower frequency-set -g performance";
    check("frequency_governor", "sys/devices/system/cpu/cpu*/cpufreq", finding, remedy)
}

/// The different governors of all cores; empty where the hypervisor keeps that to itself.
fn governors(root: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(root.join(CPUS)).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| fs::read_to_string(entry.path().join("cpufreq/scaling_governor")).ok())
        .map(|text| text.trim().to_owned())
        .collect()
}

fn huge_pages(root: &Path) -> Check {
    let finding = read(root, HUGE_PAGES).and_then(|text| {
        let mode = chosen(&text)?.to_owned();
        let calm = mode != "always";
        Some((mode, calm))
    });
    let remedy = "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled: with always, the kernel \
                  stops threads to merge pages";
    check("transparent_huge_pages", HUGE_PAGES, finding, remedy)
}

/// The word in brackets of `always [madvise] never`.
fn chosen(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(mode, _)| mode)
}

fn clock_source(root: &Path) -> Check {
    let finding = read(root, CLOCK_SOURCE).filter(|source| !source.is_empty()).map(|source| {
        let cheap = matches!(source.as_str(), "tsc" | "arch_sys_counter");
        (source, cheap)
    });
    let remedy =
        "boot with clocksource=tsc tsc=reliable: other sources cost a system call a reading";
    check("clock_source", CLOCK_SOURCE, finding, remedy)
}

fn swap(root: &Path) -> Check {
    let used_kib = read(root, SWAPS).and_then(|text| swap_used_kib(&text));
    let finding = used_kib.and_then(|used_kib| match used_kib {
        None => Some(("no swap".to_owned(), true)),
        Some(used_kib) => {
            let swappiness: u32 = read(root, SWAPPINESS)?.parse().ok()?;
            let measured = format!("{used_kib} KiB in use, swappiness {swappiness}");
            Some((measured, used_kib == 0 && swappiness <= SWAPPINESS_MAX))
        }
    });
    let remedy =
        "swapoff -a, or at least sysctl vm.swappiness=1: a page from disk costs milliseconds";
    check("swap", SWAPS, finding, remedy)
}

/// KiB in use over all swap areas; the inner `None` means that there are none.
fn swap_used_kib(swaps: &str) -> Option<Option<u64>> {
    let mut lines = swaps.lines();
    lines.next().filter(|header| header.starts_with("Filename"))?;
    let mut sum = None;
    for line in lines {
        let used: u64 = line.split_whitespace().nth(3)?.parse().ok()?;
        sum = Some(used.saturating_add(sum.unwrap_or(0)));
    }
    Some(sum)
}

fn locked_memory(root: &Path) -> Check {
    let finding = read(root, LIMITS).and_then(|text| {
        let limit = soft_memlock(&text)?;
        Some(match limit.parse::<u64>() {
            Ok(bytes) => (format!("{} KiB", bytes / 1_024), bytes >= LOCKED_BYTES_MIN),
            Err(_) => (limit.to_owned(), limit == "unlimited"),
        })
    });
    let remedy = "raise it to 1 GiB or unlimited: ulimit -l, LimitMEMLOCK= in systemd, memlock in \
                  /etc/security/limits.conf";
    check("locked_memory", LIMITS, finding, remedy)
}

/// The soft limit of `Max locked memory`: bytes or `unlimited`.
fn soft_memlock(limits: &str) -> Option<&str> {
    let rest = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
    rest.split_whitespace().next()
}

fn load(root: &Path) -> Check {
    let cores = read(root, CPUINFO).and_then(|text| count_cpus(&text));
    let finding = read(root, LOADAVG).zip(cores).and_then(|(text, cores)| {
        let average = text.split_whitespace().next()?;
        let percent_of_core = parse_hundredths(average)?;
        let bound = LOAD_PERCENT_MAX.saturating_mul(u64::try_from(cores).ok()?);
        Some((format!("{average} on {cores} cores"), percent_of_core <= bound))
    });
    let remedy = "other processes compete for the cores: stop them or move them away";
    check("load", LOADAVG, finding, remedy)
}

/// `1.75` as 175.
fn parse_hundredths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.')?;
    let fraction: u64 = fraction.parse().ok().filter(|_| fraction.len() == 2)?;
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::Verdict::{Ok, Unknown, Warn};
    use super::*;

    /// A machine with these files.
    fn machine(files: &[(&str, &str)]) -> TempDir {
        let root = TempDir::new().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    /// What one check says of a machine with these files.
    fn found(check: Examination, files: &[(&str, &str)]) -> (Verdict, String) {
        let found = check(machine(files).path());
        assert_eq!(found.remedy.is_empty(), found.verdict == Ok);
        (found.verdict, found.measured)
    }

    fn verdict(check: Examination, files: &[(&str, &str)]) -> Verdict {
        found(check, files).0
    }

    fn cpuinfo(cores: usize, features: &str) -> String {
        (0..cores).map(|n| format!("processor\t: {n}\nflags\t\t: {features}\n\n")).collect()
    }

    #[test]
    fn cores_are_counted() {
        assert_eq!(found(cpu_count, &[(CPUINFO, &cpuinfo(6, ""))]), (Ok, "6 cores".to_owned()));
        assert_eq!(found(cpu_count, &[(CPUINFO, &cpuinfo(5, ""))]), (Warn, "5 cores".to_owned()));
        assert_eq!(verdict(cpu_count, &[(CPUINFO, "model name : processor\n")]), Unknown);
        assert_eq!(found(cpu_count, &[]), (Unknown, "/proc/cpuinfo does not say".to_owned()));
    }

    #[test]
    fn features_are_whole_words() {
        let of = |text: &str| found(cpu_features, &[(CPUINFO, text)]);
        assert_eq!(of(&cpuinfo(1, "fpu sse4_2 avx2 tsc")).0, Ok);
        let missing = (Warn, "without sse4_2, avx2".to_owned());
        assert_eq!(of(&cpuinfo(1, "fpu sse4_21 avx my_avx2")), missing);
        assert_eq!(of("processor : 0\nFeatures : fp asimd crc32\n").0, Ok);
        assert_eq!(of("Features : fp asimd\n"), (Warn, "without crc32".to_owned()));
        assert_eq!(of("processor : 0\n").0, Unknown);
    }

    #[test]
    fn cpu_lists_unfold() {
        let list = |text| parse_cpu_list(text).map(|cpus| cpus.into_iter().collect::<Vec<_>>());
        assert_eq!(list("2-4,7"), Some(vec![2, 3, 4, 7]));
        assert_eq!(list("(null)"), Some(vec![]));
        for bad in ["4-2", "a", "1,", "-3", "0-99999999"] {
            assert_eq!(list(bad), None, "{bad}");
        }
    }

    #[test]
    fn isolated_cores_must_be_free_of_ticks() {
        assert_eq!(found(isolated_cores, &[(ISOLATED, "2-5\n")]), (Ok, "2-5".to_owned()));
        assert_eq!(found(isolated_cores, &[(ISOLATED, "\n")]), (Warn, "none".to_owned()));
        assert_eq!(verdict(isolated_cores, &[(ISOLATED, "two\n")]), Unknown);
        let quiet = |nohz| verdict(nohz_full, &[(ISOLATED, "2-5\n"), (NOHZ_FULL, nohz)]);
        assert_eq!(quiet("1-6\n"), Ok);
        assert_eq!(quiet("2-4\n"), Warn);
        assert_eq!(quiet("(null)\n"), Warn);
        assert_eq!(verdict(nohz_full, &[(ISOLATED, "2-5\n")]), Unknown);
        assert_eq!(verdict(nohz_full, &[(NOHZ_FULL, "2\n")]), Ok);
    }

    #[test]
    fn every_core_needs_the_fast_governor() {
        let path = |n| format!("{CPUS}/cpu{n}/cpufreq/scaling_governor");
        let (first, second) = (path(0), path(1));
        let of = |governor| [(first.as_str(), "performance\n"), (second.as_str(), governor)];
        assert_eq!(verdict(frequency_governor, &of("performance\n")), Ok);
        let mixed = (Warn, "performance, powersave".to_owned());
        assert_eq!(found(frequency_governor, &of("powersave\n")), mixed);
        assert_eq!(
            verdict(frequency_governor, &[("sys/devices/system/cpu/cpu0/online", "1")]),
            Unknown
        );
    }

    #[test]
    fn huge_pages_and_clock_source() {
        let pages = |text| found(huge_pages, &[(HUGE_PAGES, text)]);
        assert_eq!(pages("always [madvise] never\n"), (Ok, "madvise".to_owned()));
        assert_eq!(pages("always madvise [never]\n").0, Ok);
        assert_eq!(pages("[always] madvise never\n").0, Warn);
        assert_eq!(pages("always\n").0, Unknown);
        let clock = |text| verdict(clock_source, &[(CLOCK_SOURCE, text)]);
        assert_eq!([clock("tsc\n"), clock("hpet\n"), clock("\n")], [Ok, Warn, Unknown]);
    }

    #[test]
    fn swap_in_use_or_eager_is_bad() {
        let header = "Filename\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        let area = |used: u32| format!("{header}/dev/sda2 partition 8388604 {used} -2\n");
        let of = |swaps: &str, swappiness| found(swap, &[(SWAPS, swaps), (SWAPPINESS, swappiness)]);
        assert_eq!(of(header, "60\n"), (Ok, "no swap".to_owned()));
        assert_eq!(of(&area(0), "10\n").0, Ok);
        assert_eq!(of(&area(0), "60\n"), (Warn, "0 KiB in use, swappiness 60".to_owned()));
        assert_eq!(of(&area(4), "1\n").0, Warn);
        assert_eq!(of(&area(4), "lots\n").0, Unknown);
        assert_eq!(of("", "1\n").0, Unknown);
        assert_eq!(of(&format!("{header}/dev/sda2 partition\n"), "1\n").0, Unknown);
    }

    #[test]
    fn locked_memory_takes_the_soft_limit() {
        let of = |soft: &str| {
            let line = format!("Max locked memory         {soft}     unlimited   bytes\n");
            found(locked_memory, &[(LIMITS, &format!("Limit Soft Hard\n{line}"))])
        };
        assert_eq!(of("unlimited"), (Ok, "unlimited".to_owned()));
        assert_eq!(of("1073741824").0, Ok);
        assert_eq!(of("8388608"), (Warn, "8192 KiB".to_owned()));
        assert_eq!(verdict(locked_memory, &[(LIMITS, "Limit Soft Hard\n")]), Unknown);
    }

    #[test]
    fn load_is_compared_with_the_cores() {
        let of = |text| found(load, &[(LOADAVG, text), (CPUINFO, &cpuinfo(4, ""))]);
        assert_eq!(of("2.00 1.93 1.87 6/101 457\n"), (Ok, "2.00 on 4 cores".to_owned()));
        assert_eq!(of("2.01 0.00 0.00 6/101 457\n").0, Warn);
        assert_eq!(of("much\n").0, Unknown);
        assert_eq!(verdict(load, &[(LOADAVG, "0.00 0.00 0.00 1/1 1\n")]), Unknown);
    }
}
