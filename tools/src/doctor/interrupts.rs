//! Questions about what may interrupt a stage: interrupts, work of the kernel, the host.

use super::Cost::{Microseconds, Milliseconds};
use super::cpu_list::Cores;
use super::machine::{CPUINFO, Finding, Machine, Question, parse_hundredths};

/// Load above this part of the cores, in percent, means that others compete for them.
const LOAD_PERCENT_MAX: u64 = 50;
/// Stolen time above this, in hundredths of a percent, is felt in the tail.
const STOLEN_HUNDREDTHS_MAX: u64 = 10;
/// Statistics that are gathered this seldom, in s, do not show.
const STAT_INTERVAL_S_MIN: u64 = 10;
/// Interrupts that are named; more would only fill the line.
const NAMED_MAX: usize = 8;

const IRQS: &str = "proc/irq";
const DEFAULT_AFFINITY: &str = "proc/irq/default_smp_affinity";
const WORKQUEUES: &str = "sys/devices/virtual/workqueue/cpumask";
const NMI_WATCHDOG: &str = "proc/sys/kernel/nmi_watchdog";
const STAT_INTERVAL: &str = "proc/sys/vm/stat_interval";
const STAT: &str = "proc/stat";
const LOADAVG: &str = "proc/loadavg";

/// In the order of the report.
pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "irq_default_affinity",
        cost: Microseconds,
        source: DEFAULT_AFFINITY,
        look: irq_default_affinity,
        remedy: "boot with irqaffinity=<the other cores>, so that new interrupts do not land on a stage",
    },
    Question {
        name: "irq_affinity",
        cost: Microseconds,
        source: "proc/irq/*/effective_affinity_list",
        look: irq_affinity,
        remedy: "echo <the other cores> > /proc/irq/<N>/smp_affinity_list; for those that refuse, boot \
                 with isolcpus=managed_irq,domain,<cores of the stages>",
    },
    Question {
        name: "irqbalance",
        cost: Microseconds,
        source: "proc/*/comm",
        look: irqbalance,
        remedy: "systemctl disable --now irqbalance, or IRQBALANCE_BANNED_CPULIST=<cores of the stages> \
                 in its environment: it moves interrupts onto cores that are not isolated",
    },
    Question {
        name: "workqueue_cores",
        cost: Microseconds,
        source: WORKQUEUES,
        look: workqueue_cores,
        remedy: "echo <mask of the other cores> > /sys/devices/virtual/workqueue/cpumask",
    },
    Question {
        name: "nmi_watchdog",
        cost: Microseconds,
        source: NMI_WATCHDOG,
        look: nmi_watchdog,
        remedy: "sysctl kernel.nmi_watchdog=0: it interrupts every core, and takes a counter from perf",
    },
    Question {
        name: "vm_stat_interval",
        cost: Microseconds,
        source: STAT_INTERVAL,
        look: vm_stat_interval,
        remedy: "sysctl vm.stat_interval=120: every core gathers statistics this often",
    },
    Question {
        name: "stolen_time",
        cost: Milliseconds,
        source: STAT,
        look: stolen_time,
        remedy: "the host gives the cores to others: take a machine of its own, or one whose virtual \
                 cores are pinned",
    },
    Question {
        name: "load",
        cost: Milliseconds,
        source: LOADAVG,
        look: load,
        remedy: "other processes compete for the cores: stop them or move them away",
    },
];

/// Whether cores of the stages are among those that something happens on.
fn apart(machine: &Machine, busy: &Cores) -> Option<Finding> {
    machine.of_stage_cores(|cores| {
        let shared = busy.shared_with(cores);
        let measured = match shared.is_empty() {
            true => busy.to_string(),
            false => format!("{busy}, of which {shared} for stages"),
        };
        Some(Finding::when(shared.is_empty(), measured))
    })
}

fn irq_default_affinity(machine: &Machine) -> Option<Finding> {
    apart(machine, &Cores::from_mask(&machine.read(DEFAULT_AFFINITY)?)?)
}

fn irq_affinity(machine: &Machine) -> Option<Finding> {
    let numbers: Vec<u32> =
        machine.names(IRQS).iter().filter_map(|name| name.parse().ok()).collect();
    let targets: Vec<(u32, Cores)> = numbers
        .into_iter()
        .filter_map(|number| Some((number, irq_target(machine, number)?)))
        .collect();
    if targets.is_empty() {
        return None;
    }
    machine.of_stage_cores(|cores| {
        let near = targets.iter().filter(|(_, target)| !target.shared_with(cores).is_empty());
        let mut near: Vec<u32> = near.map(|&(number, _)| number).collect();
        near.sort_unstable();
        let measured = format!("{} of {} go to stages", near.len(), targets.len());
        Some(match near.is_empty() {
            true => Finding::Good(measured),
            false => Finding::Bad(format!("{measured}: {}", some_of(&near))),
        })
    })
}

/// Where an interrupt goes: the effective target where the kernel tells it, else the allowed ones.
fn irq_target(machine: &Machine, number: u32) -> Option<Cores> {
    let list = |file| {
        let text = machine.read(format!("{IRQS}/{number}/{file}"))?;
        Cores::from_list(&text).filter(|cores| !cores.is_empty())
    };
    list("effective_affinity_list").or_else(|| list("smp_affinity_list"))
}

fn some_of(numbers: &[u32]) -> String {
    let named: Vec<String> = numbers.iter().take(NAMED_MAX).map(u32::to_string).collect();
    let rest = if numbers.len() > NAMED_MAX { ", .." } else { "" };
    named.join(", ") + rest
}

/// It spreads interrupts over all cores, but leaves alone those that were isolated at boot.
fn irqbalance(machine: &Machine) -> Option<Finding> {
    let processes = machine.names("proc").into_iter().filter(|name| name.parse::<u32>().is_ok());
    let names: Vec<String> =
        processes.filter_map(|process| machine.read(format!("proc/{process}/comm"))).collect();
    if names.is_empty() {
        return None;
    }
    if !names.iter().any(|name| name == "irqbalance") {
        return Some(Finding::Good("no such process in sight".to_owned()));
    }
    let isolated = machine.isolated_at_boot().unwrap_or_default();
    machine.of_stage_cores(|cores| {
        let missing = cores.without(&isolated);
        Some(match missing.is_empty() {
            true => Finding::Good("runs, leaves isolated cores alone".to_owned()),
            false => Finding::Bad(format!("runs, {missing} not isolated")),
        })
    })
}

fn workqueue_cores(machine: &Machine) -> Option<Finding> {
    apart(machine, &Cores::from_mask(&machine.read(WORKQUEUES)?)?)
}

fn nmi_watchdog(machine: &Machine) -> Option<Finding> {
    let on = machine.read_number::<u32>(NMI_WATCHDOG)? != 0;
    Some(Finding::when(!on, if on { "on" } else { "off" }))
}

fn vm_stat_interval(machine: &Machine) -> Option<Finding> {
    let interval_s: u64 = machine.read_number(STAT_INTERVAL)?;
    Some(Finding::when(interval_s >= STAT_INTERVAL_S_MIN, format!("every {interval_s} s")))
}

/// Time in which a core of this machine wanted to run and the host ran something else.
fn stolen_time(machine: &Machine) -> Option<Finding> {
    let text = machine.read(STAT)?;
    let sums = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // User time has the time of guests in it, which comes again behind the eighth number.
    let sums: Vec<u64> =
        sums.split_whitespace().take(8).map(|sum| sum.parse().ok()).collect::<Option<_>>()?;
    let stolen = sums.get(7)?.checked_mul(10_000)?;
    let all = sums.iter().try_fold(0_u64, |all, sum| all.checked_add(*sum))?;
    let hundredths = stolen.checked_div(all)?;
    let measured = format!("{}.{:02} % since boot", hundredths / 100, hundredths % 100);
    Some(Finding::when(hundredths <= STOLEN_HUNDREDTHS_MAX, measured))
}

fn load(machine: &Machine) -> Option<Finding> {
    let cores = super::cores::count_cpus(&machine.read(CPUINFO)?)?;
    let text = machine.read(LOADAVG)?;
    let average = text.split_whitespace().next()?;
    let percent_of_core = parse_hundredths(average)?;
    let bound = LOAD_PERCENT_MAX.saturating_mul(u64::try_from(cores).ok()?);
    Some(Finding::when(percent_of_core <= bound, format!("{average} on {cores} cores")))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Ok, Unknown, Warn};
    use super::super::fixture::{cpuinfo, found, machine, ok, verdict, warn};
    use super::super::machine::ISOLATED;
    use super::*;

    #[test]
    fn new_interrupts_and_kernel_work_stay_off_the_stages() {
        for (name, path) in
            [("irq_default_affinity", DEFAULT_AFFINITY), ("workqueue_cores", WORKQUEUES)]
        {
            let of = |mask| machine(&[(path, mask)]).with_cores("2-3").found(name);
            assert_eq!(of("3\n"), ok("0-1"));
            assert_eq!(of("00000000,00000007\n"), warn("0-2, of which 2 for stages"));
            assert_eq!(of("all\n").0, Unknown);
            assert_eq!(verdict(name, &[(path, "3\n")]), Unknown);
        }
    }

    #[test]
    fn interrupts_are_judged_by_where_they_go() {
        let (first, second) =
            ("proc/irq/9/effective_affinity_list", "proc/irq/10/smp_affinity_list");
        let allowed = ("proc/irq/9/smp_affinity_list", "0-3\n");
        let other = ("proc/irq/default_smp_affinity", "f\n");
        let of = |first_goes, second_goes| {
            machine(&[(first, first_goes), (second, second_goes), allowed, other]).with_cores("2-3")
        };
        assert_eq!(of("0\n", "0-1\n").found("irq_affinity"), ok("0 of 2 go to stages"));
        assert_eq!(of("3\n", "0-3\n").found("irq_affinity"), warn("2 of 2 go to stages: 9, 10"));
        assert_eq!(of("\n", "?\n").found("irq_affinity"), warn("1 of 1 go to stages: 9"));
        assert_eq!(machine(&[other]).with_cores("2").verdict("irq_affinity"), Unknown);
        assert_eq!(verdict("irq_affinity", &[(first, "0\n")]), Unknown);
        assert_eq!(some_of(&[1; 9]), "1, 1, 1, 1, 1, 1, 1, 1, ..");
    }

    #[test]
    fn irqbalance_must_know_the_isolated_cores() {
        let runs = ("proc/77/comm", "irqbalance\n");
        let of =
            |cores| machine(&[runs, (ISOLATED, "2-3\n")]).with_cores(cores).found("irqbalance");
        assert_eq!(of("2-3").0, Ok);
        assert_eq!(of("2-4"), warn("runs, 4 not isolated"));
        assert_eq!(verdict("irqbalance", &[runs]), Unknown);
        assert_eq!(verdict("irqbalance", &[("proc/1/comm", "init\n")]), Ok);
        assert_eq!(verdict("irqbalance", &[("proc/self/comm", "irqbalance\n")]), Unknown);
    }

    #[test]
    fn the_watchdog_and_the_statistics_are_seldom() {
        let watchdog = |text| verdict("nmi_watchdog", &[(NMI_WATCHDOG, text)]);
        assert_eq!(["0\n", "1\n", "?\n"].map(watchdog), [Ok, Warn, Unknown]);
        let interval = |text| verdict("vm_stat_interval", &[(STAT_INTERVAL, text)]);
        assert_eq!(["10\n", "9\n", "-1\n"].map(interval), [Ok, Warn, Unknown]);
    }

    #[test]
    fn stolen_time_is_a_part_of_all_time() {
        let of = |line| found("stolen_time", &[(STAT, line)]);
        assert_eq!(of("cpu  1000 0 0 8990 0 0 0 10 500 0\ncpu0 1\n"), ok("0.10 % since boot"));
        assert_eq!(of("cpu  1000 0 0 8989 0 0 0 11 500 0\n"), warn("0.11 % since boot"));
        assert_eq!(of("cpu  0 0 0 0 0 0 0 0 0 0\n").0, Unknown);
        assert_eq!(of("cpu  1 2 3\n").0, Unknown);
        assert_eq!(of("cpu0 1 2 3 4 5 6 7 8\n").0, Unknown);
    }

    #[test]
    fn load_is_compared_with_the_cores() {
        let of = |text| found("load", &[(LOADAVG, text), (CPUINFO, &cpuinfo(4, ""))]);
        assert_eq!(of("2.00 1.93 1.87 6/101 457\n"), ok("2.00 on 4 cores"));
        assert_eq!(of("2.01 0.00 0.00 6/101 457\n").0, Warn);
        assert_eq!(of("much\n").0, Unknown);
        assert_eq!(verdict("load", &[(LOADAVG, "0.00 0.00 0.00 1/1 1\n")]), Unknown);
    }
}
