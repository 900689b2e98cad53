//! Questions about memory and the clock: what moves pages, and what a reading of the time costs.

use super::Cost::{Microseconds, Milliseconds};
use super::machine::{CPUINFO, Finding, Machine, Question, chosen};

/// Swappiness above this lets the kernel page out the process while memory is free.
const SWAPPINESS_MAX: u32 = 10;

const HUGE_PAGES: &str = "sys/kernel/mm/transparent_hugepage/enabled";
const DEFRAG: &str = "sys/kernel/mm/transparent_hugepage/defrag";
const NUMA_BALANCING: &str = "proc/sys/kernel/numa_balancing";
const CLOCK_SOURCE: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";
const SWAPS: &str = "proc/swaps";
const SWAPPINESS: &str = "proc/sys/vm/swappiness";

/// In the order of the report.
pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "clock_source",
        cost: Microseconds,
        source: CLOCK_SOURCE,
        look: clock_source,
        remedy: "boot with clocksource=tsc tsc=reliable: other sources cost a system call a reading",
    },
    Question {
        name: "tsc",
        cost: Microseconds,
        source: CPUINFO,
        look: tsc,
        remedy: "the time stamp counter stops or changes its pace, and the kernel may leave it for a \
                 slow clock: use a CPU, or a CPU model of the hypervisor, with these flags",
    },
    Question {
        name: "transparent_huge_pages",
        cost: Milliseconds,
        source: HUGE_PAGES,
        look: huge_pages,
        remedy: "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled: with always, the kernel \
                 stops threads to merge pages",
    },
    Question {
        name: "huge_page_defrag",
        cost: Milliseconds,
        source: DEFRAG,
        look: defrag,
        remedy: "echo madvise > /sys/kernel/mm/transparent_hugepage/defrag: with always, a page fault \
                 waits until memory is compacted",
    },
    Question {
        name: "numa_balancing",
        cost: Microseconds,
        source: NUMA_BALANCING,
        look: numa_balancing,
        remedy: "sysctl kernel.numa_balancing=0: it takes pages away to see who misses them, and moves \
                 them",
    },
    Question {
        name: "swap",
        cost: Milliseconds,
        source: SWAPS,
        look: swap,
        remedy: "swapoff -a, or at least sysctl vm.swappiness=1: a page from disk costs milliseconds",
    },
];

fn clock_source(machine: &Machine) -> Option<Finding> {
    let source = machine.read(CLOCK_SOURCE).filter(|source| !source.is_empty())?;
    let cheap = matches!(source.as_str(), "tsc" | "arch_sys_counter");
    Some(Finding::when(cheap, source))
}

/// ARM's counter has one pace by its architecture; x86 says so by two flags.
fn tsc(machine: &Machine) -> Option<Finding> {
    let Some(flags) = machine.cpuinfo("flags") else {
        machine.cpuinfo("Features")?;
        return Some(Finding::Good("the counter of the architecture".to_owned()));
    };
    let mut missing = vec!["constant_tsc", "nonstop_tsc"];
    missing.retain(|wanted| !flags.iter().any(|flag| flag == wanted));
    Some(match missing.as_slice() {
        [] => Finding::Good("constant_tsc, nonstop_tsc".to_owned()),
        missing => Finding::Bad(format!("without {}", missing.join(", "))),
    })
}

fn huge_pages(machine: &Machine) -> Option<Finding> {
    let text = machine.read(HUGE_PAGES)?;
    let mode = chosen(&text)?;
    Some(Finding::when(mode != "always", mode))
}

fn defrag(machine: &Machine) -> Option<Finding> {
    let text = machine.read(DEFRAG)?;
    let mode = chosen(&text)?;
    Some(Finding::when(mode != "always", mode))
}

fn numa_balancing(machine: &Machine) -> Option<Finding> {
    let on = machine.read_number::<u32>(NUMA_BALANCING)? != 0;
    Some(Finding::when(!on, if on { "on" } else { "off" }))
}

fn swap(machine: &Machine) -> Option<Finding> {
    let Some(used_kib) = swap_used_kib(&machine.read(SWAPS)?)? else {
        return Some(Finding::Good("no swap".to_owned()));
    };
    let swappiness: u32 = machine.read_number(SWAPPINESS)?;
    let measured = format!("{used_kib} KiB in use, swappiness {swappiness}");
    Some(Finding::when(used_kib == 0 && swappiness <= SWAPPINESS_MAX, measured))
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

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Ok, Unknown, Warn};
    use super::super::fixture::{cpuinfo, found, ok, verdict, warn};
    use super::*;

    #[test]
    fn clock_sources_that_are_read_without_the_kernel() {
        let clock = |text| verdict("clock_source", &[(CLOCK_SOURCE, text)]);
        assert_eq!([clock("tsc\n"), clock("hpet\n"), clock("\n")], [Ok, Warn, Unknown]);
        let flags = |flags| found("tsc", &[(CPUINFO, &cpuinfo(1, flags))]);
        assert_eq!(flags("tsc constant_tsc nonstop_tsc").0, Ok);
        assert_eq!(flags("tsc constant_tsc nonstop_tsc_s3"), warn("without nonstop_tsc"));
        assert_eq!(verdict("tsc", &[(CPUINFO, "Features : fp\n")]), Ok);
        assert_eq!(verdict("tsc", &[(CPUINFO, "processor : 0\n")]), Unknown);
    }

    #[test]
    fn huge_pages_only_where_they_are_asked_for() {
        let pages = |text| found("transparent_huge_pages", &[(HUGE_PAGES, text)]);
        assert_eq!(pages("always [madvise] never\n"), ok("madvise"));
        assert_eq!(pages("always madvise [never]\n").0, Ok);
        assert_eq!(pages("[always] madvise never\n").0, Warn);
        assert_eq!(pages("always\n").0, Unknown);
        let defrag = |text| found("huge_page_defrag", &[(DEFRAG, text)]);
        assert_eq!(defrag("always defer defer+madvise [madvise] never\n"), ok("madvise"));
        assert_eq!(defrag("[always] defer defer+madvise madvise never\n"), warn("always"));
        assert_eq!(defrag("\n").0, Unknown);
    }

    #[test]
    fn pages_stay_where_they_are() {
        let balancing = |text| verdict("numa_balancing", &[(NUMA_BALANCING, text)]);
        assert_eq!(["0\n", "1\n", "2\n", "\n"].map(balancing), [Ok, Warn, Warn, Unknown]);
    }

    #[test]
    fn swap_in_use_or_eager_is_bad() {
        let header = "Filename\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        let area = |used: u32| format!("{header}/dev/sda2 partition 8388604 {used} -2\n");
        let of =
            |swaps: &str, swappiness| found("swap", &[(SWAPS, swaps), (SWAPPINESS, swappiness)]);
        assert_eq!(of(header, "60\n"), ok("no swap"));
        assert_eq!(of(&area(0), "10\n").0, Ok);
        assert_eq!(of(&area(0), "60\n"), warn("0 KiB in use, swappiness 60"));
        assert_eq!(of(&area(4), "1\n").0, Warn);
        assert_eq!(of(&area(4), "lots\n").0, Unknown);
        assert_eq!(of("", "1\n").0, Unknown);
        assert_eq!(of(&format!("{header}/dev/sda2 partition\n"), "1\n").0, Unknown);
    }
}
