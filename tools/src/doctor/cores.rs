//! Questions about the cores that the stages spin on.

use super::Cost::{Microseconds, Milliseconds, Nanoseconds};
use super::cpu_list::Cores;
use super::machine::{CPUINFO, Finding, ISOLATED, Machine, ONLINE, Question};

/// With this many cores each stage has its own.
const CORES_MIN: usize = 6;
/// Waking from a state within this time, in us, is no worse than a cache miss or an interrupt.
const IDLE_LATENCY_US_MAX: u64 = 10;

const CPUS: &str = "sys/devices/system/cpu";
const NOHZ_FULL: &str = "sys/devices/system/cpu/nohz_full";
const NODES: &str = "sys/devices/system/node";

/// In the order of the report.
pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "cpu_count",
        cost: Milliseconds,
        source: CPUINFO,
        look: cpu_count,
        remedy: "stages will share cores: fine for replay; for latency take 6 cores or more",
    },
    Question {
        name: "cpu_features",
        cost: Nanoseconds,
        source: CPUINFO,
        look: cpu_features,
        remedy: "checksums and JSON parsing fall back to slow code: use a CPU, or a CPU model of the \
                 hypervisor, with these features",
    },
    Question {
        name: "stage_cores",
        cost: Microseconds,
        source: ONLINE,
        look: stage_cores,
        remedy: "give the stages cores that are online, and leave core 0 to the kernel, which puts \
                 there what it can not put elsewhere",
    },
    Question {
        name: "isolated_cores",
        cost: Milliseconds,
        source: ISOLATED,
        look: isolated_cores,
        remedy: "boot with isolcpus=managed_irq,domain,<cores of the stages>, so that the scheduler \
                 leaves them alone",
    },
    Question {
        name: "nohz_full",
        cost: Microseconds,
        source: NOHZ_FULL,
        look: nohz_full,
        remedy: "boot with nohz_full=<cores of the stages>, so that no timer interrupts them (the \
                 kernel must be built with NO_HZ_FULL)",
    },
    Question {
        name: "smt_siblings",
        cost: Nanoseconds,
        source: "sys/devices/system/cpu/cpu*/topology/thread_siblings_list",
        look: smt_siblings,
        remedy: "boot with nosmt, or take one thread of each core and set the other offline: echo 0 > \
                 /sys/devices/system/cpu/cpu<N>/online",
    },
    Question {
        name: "numa_nodes",
        cost: Nanoseconds,
        source: "sys/devices/system/node/online",
        look: numa_nodes,
        remedy: "take the cores of one node, that of the network card: \
                 /sys/class/net/<card>/device/numa_node",
    },
    Question {
        name: "frequency_governor",
        cost: Microseconds,
        source: "sys/devices/system/cpu/cpu*/cpufreq",
        look: frequency_governor,
        remedy: "cpupower frequency-set -g performance",
    },
    Question {
        name: "idle_states",
        cost: Microseconds,
        source: "sys/devices/system/cpu/cpu*/cpuidle",
        look: idle_states,
        remedy: "cpupower idle-set -D 11 turns off every state that takes 11 us or more; or let a \
                 process hold /dev/cpu_dma_latency open with 0 in it, which doctor can not see",
    },
];

fn cpu_count(machine: &Machine) -> Option<Finding> {
    let cores = count_cpus(&machine.read(CPUINFO)?)?;
    Some(Finding::when(cores >= CORES_MIN, format!("{cores} cores")))
}

pub(super) fn count_cpus(cpuinfo: &str) -> Option<usize> {
    let is_cpu = |line: &&str| line.split(':').next().is_some_and(|key| key.trim() == "processor");
    Some(cpuinfo.lines().filter(is_cpu).count()).filter(|&count| count > 0)
}

/// SSE4.2 (CRC32C) and AVX2 on x86, their likes on ARM.
fn cpu_features(machine: &Machine) -> Option<Finding> {
    let flags = machine.cpuinfo("flags").map(|flags| (["sse4_2", "avx2"], flags));
    let (wanted, present) = flags
        .or_else(|| machine.cpuinfo("Features").map(|features| (["crc32", "asimd"], features)))?;
    let missing: Vec<_> =
        wanted.into_iter().filter(|wanted| !present.iter().any(|found| found == wanted)).collect();
    Some(match missing.as_slice() {
        [] => Finding::Good("hardware CRC32C and wide SIMD".to_owned()),
        missing => Finding::Bad(format!("without {}", missing.join(", "))),
    })
}

fn stage_cores(machine: &Machine) -> Option<Finding> {
    let online = Cores::from_list(&machine.read(ONLINE)?)?;
    machine.of_stage_cores(|cores| {
        let absent = cores.without(&online);
        Some(match (absent.is_empty(), cores.contains(0)) {
            (false, _) => Finding::Bad(format!("{cores}, of which {absent} not online")),
            (true, true) => Finding::Bad(format!("{cores}, core 0 among them")),
            (true, false) => Finding::Good(format!("{cores} of {online}")),
        })
    })
}

fn isolated_cores(machine: &Machine) -> Option<Finding> {
    let isolated = machine.isolated()?;
    let missing = machine.cores.as_ref().map(|cores| cores.without(&isolated)).unwrap_or_default();
    Some(match (isolated.is_empty(), missing.is_empty()) {
        (true, _) => Finding::Bad("none".to_owned()),
        (false, true) => Finding::Good(isolated.to_string()),
        (false, false) => Finding::Bad(format!("{isolated}, not {missing}")),
    })
}

fn nohz_full(machine: &Machine) -> Option<Finding> {
    let quiet = Cores::from_list(&machine.read(NOHZ_FULL)?)?;
    let missing = machine.stage_cores().unwrap_or_default().without(&quiet);
    Some(match (quiet.is_empty(), missing.is_empty()) {
        (true, _) => Finding::Bad("none".to_owned()),
        (false, true) => Finding::Good(quiet.to_string()),
        (false, false) => Finding::Bad(format!("{quiet}, not {missing}")),
    })
}

/// Threads of one core share its units and its first caches: an idle sibling costs nothing, a busy one half.
fn smt_siblings(machine: &Machine) -> Option<Finding> {
    let online = Cores::from_list(&machine.read(ONLINE)?)?;
    let siblings = |core: u32| {
        let path = format!("{CPUS}/cpu{core}/topology/thread_siblings_list");
        Cores::from_list(&machine.read(path)?)
    };
    let groups: Vec<Cores> = online.iter().map(siblings).collect::<Option<_>>()?;
    let shared = |cores: &Cores| {
        let groups = groups.iter().filter(|group| group.len() > 1);
        groups.fold(Cores::default(), |sum, group| match group.shared_with(cores).is_empty() {
            true => sum,
            false => sum.joined_with(group),
        })
    };
    if shared(&online).is_empty() {
        return Some(Finding::Good("no core has siblings".to_owned()));
    }
    machine.of_stage_cores(|cores| {
        let shared = shared(cores);
        let measured = match shared.is_empty() {
            true => format!("{cores} have no siblings"),
            false => format!("{shared} share cores"),
        };
        Some(Finding::when(shared.is_empty(), measured))
    })
}

fn numa_nodes(machine: &Machine) -> Option<Finding> {
    let nodes = Cores::from_list(&machine.read(format!("{NODES}/online"))?)?;
    if nodes.len() == 1 {
        return Some(Finding::Good("1 node".to_owned()));
    }
    let of_node = |node: u32| {
        let cores = Cores::from_list(&machine.read(format!("{NODES}/node{node}/cpulist"))?)?;
        Some((node, cores))
    };
    let cores_by_node: Vec<(u32, Cores)> = nodes.iter().map(of_node).collect::<Option<_>>()?;
    machine.of_stage_cores(|cores| {
        let used = cores_by_node.iter().filter(|(_, node)| !node.shared_with(cores).is_empty());
        let used: Cores = used.map(|&(node, _)| node).collect();
        let measured = format!("{} nodes, {cores} on {used}", nodes.len());
        Some(Finding::when(used.len() == 1, measured))
    })
}

/// The governors of the stages' cores; a hypervisor mostly keeps that to itself.
fn frequency_governor(machine: &Machine) -> Option<Finding> {
    let cores = machine.stage_cores_or_all()?;
    let governor = |core: u32| machine.read(format!("{CPUS}/cpu{core}/cpufreq/scaling_governor"));
    let mut governors: Vec<String> = cores.iter().map(governor).collect::<Option<_>>()?;
    governors.sort();
    governors.dedup();
    Some(Finding::when(governors == ["performance"], governors.join(", ")))
}

/// The slowest way back from idle on the cores of the stages.
fn idle_states(machine: &Machine) -> Option<Finding> {
    if machine.boot_option("idle").as_deref() == Some("poll") {
        return Some(Finding::Good("idle=poll".to_owned()));
    }
    let mut deepest: Option<(u64, String)> = None;
    for core in machine.stage_cores_or_all()?.iter() {
        let folder = format!("{CPUS}/cpu{core}/cpuidle");
        for state in machine.names(&folder) {
            deepest = deepest.max(Some(idle_state(machine, &format!("{folder}/{state}"))?));
        }
    }
    let (latency_us, name) = deepest?;
    Some(Finding::when(latency_us <= IDLE_LATENCY_US_MAX, format!("{latency_us} us for {name}")))
}

/// Time to wake up in us, and name, of a state; a state that is off takes none.
fn idle_state(machine: &Machine, folder: &str) -> Option<(u64, String)> {
    let off = machine.read_number::<u64>(format!("{folder}/disable"))? != 0;
    let latency_us = machine.read_number(format!("{folder}/latency"))?;
    let name = machine.read(format!("{folder}/name"))?;
    Some(if off { (0, "POLL".to_owned()) } else { (latency_us, name) })
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Ok, Unknown, Warn};
    use super::super::fixture::{cpuinfo, found, machine, ok, verdict, warn};
    use super::*;

    #[test]
    fn cores_are_counted() {
        let of = |cores| found("cpu_count", &[(CPUINFO, &cpuinfo(cores, ""))]);
        assert_eq!(of(6), ok("6 cores"));
        assert_eq!(of(5), warn("5 cores"));
        assert_eq!(verdict("cpu_count", &[(CPUINFO, "model name : processor\n")]), Unknown);
        assert_eq!(found("cpu_count", &[]), (Unknown, "/proc/cpuinfo does not say".to_owned()));
    }

    #[test]
    fn features_are_whole_words() {
        let of = |text: &str| found("cpu_features", &[(CPUINFO, text)]);
        assert_eq!(of(&cpuinfo(1, "fpu sse4_2 avx2 tsc")).0, Ok);
        assert_eq!(of(&cpuinfo(1, "fpu sse4_21 avx my_avx2")), warn("without sse4_2, avx2"));
        assert_eq!(of("processor : 0\nFeatures : fp asimd crc32\n").0, Ok);
        assert_eq!(of("Features : fp asimd\n"), warn("without crc32"));
        assert_eq!(of("processor : 0\n").0, Unknown);
    }

    #[test]
    fn stage_cores_are_online_and_not_the_first() {
        let of = |cores| machine(&[(ONLINE, "0-7\n")]).with_cores(cores).found("stage_cores");
        assert_eq!(of("2-5"), ok("2-5 of 0-7"));
        assert_eq!(of("0,2"), warn("0,2, core 0 among them"));
        assert_eq!(of("6-9"), warn("6-9, of which 8-9 not online"));
        assert_eq!(
            found("stage_cores", &[(ONLINE, "0-7\n"), (ISOLATED, "2-3\n")]),
            ok("2-3 of 0-7")
        );
        assert_eq!(verdict("stage_cores", &[(ONLINE, "0-7\n"), (ISOLATED, "\n")]), Unknown);
        assert_eq!(machine(&[]).with_cores("2").verdict("stage_cores"), Unknown);
    }

    #[test]
    fn the_cores_of_the_stages_must_be_isolated() {
        let of = |isolated| machine(&[(ISOLATED, isolated)]);
        assert_eq!(of("2-5\n").found("isolated_cores"), ok("2-5"));
        assert_eq!(of("\n").found("isolated_cores"), warn("none"));
        assert_eq!(of("two\n").verdict("isolated_cores"), Unknown);
        assert_eq!(of("2-5\n").with_cores("3-4").verdict("isolated_cores"), Ok);
        assert_eq!(of("2-4\n").with_cores("3-6").found("isolated_cores"), warn("2-4, not 5-6"));
        let later = [(ISOLATED, "\n"), (super::super::machine::ISOLATED_LATER, "6-7\n")];
        assert_eq!(found("isolated_cores", &later), ok("6-7"));
    }

    #[test]
    fn the_cores_of_the_stages_must_be_free_of_ticks() {
        let quiet = |nohz| found("nohz_full", &[(ISOLATED, "2-5\n"), (NOHZ_FULL, nohz)]);
        assert_eq!(quiet("1-6\n").0, Ok);
        assert_eq!(quiet("2-4\n"), warn("2-4, not 5"));
        assert_eq!(quiet("(null)\n"), warn("none"));
        assert_eq!(verdict("nohz_full", &[(ISOLATED, "2-5\n")]), Unknown);
        assert_eq!(verdict("nohz_full", &[(NOHZ_FULL, "2\n")]), Ok);
    }

    #[test]
    fn siblings_count_only_beside_a_stage() {
        let path = |n| format!("{CPUS}/cpu{n}/topology/thread_siblings_list");
        let paths: Vec<String> = (0..4).map(path).collect();
        let with = |siblings: [&str; 4]| {
            let mut files = vec![(ONLINE, "0-3\n")];
            files.extend(paths.iter().map(String::as_str).zip(siblings));
            machine(&files)
        };
        let mixed = || with(["0,2", "1", "0,2", "3"]);
        assert_eq!(mixed().with_cores("1,3").found("smt_siblings"), ok("1,3 have no siblings"));
        assert_eq!(mixed().with_cores("2-3").found("smt_siblings"), warn("0,2 share cores"));
        assert_eq!(mixed().verdict("smt_siblings"), Unknown);
        assert_eq!(with(["0", "1", "2", "3"]).verdict("smt_siblings"), Ok);
        assert_eq!(verdict("smt_siblings", &[(ONLINE, "0-3\n")]), Unknown);
    }

    #[test]
    fn stages_stay_on_one_node() {
        let nodes = "sys/devices/system/node/online";
        let first = ("sys/devices/system/node/node0/cpulist", "0-3\n");
        let second = ("sys/devices/system/node/node1/cpulist", "4-7\n");
        let two = || machine(&[(nodes, "0-1\n"), first, second]);
        assert_eq!(found("numa_nodes", &[(nodes, "0\n")]), ok("1 node"));
        assert_eq!(two().with_cores("4-5").found("numa_nodes"), ok("2 nodes, 4-5 on 1"));
        assert_eq!(two().with_cores("3-4").found("numa_nodes"), warn("2 nodes, 3-4 on 0-1"));
        assert_eq!(two().with_cores("9").verdict("numa_nodes"), Warn);
        assert_eq!(two().verdict("numa_nodes"), Unknown);
        assert_eq!(verdict("numa_nodes", &[(nodes, "0-1\n"), first]), Unknown);
    }

    #[test]
    fn the_stages_need_the_fast_governor() {
        let path = |n| format!("{CPUS}/cpu{n}/cpufreq/scaling_governor");
        let (first, second) = (path(0), path(1));
        let of = |governor| {
            machine(&[(ONLINE, "0-1\n"), (first.as_str(), "performance\n"), (&second, governor)])
        };
        assert_eq!(of("performance\n").verdict("frequency_governor"), Ok);
        let mixed = of("powersave\n");
        assert_eq!(mixed.found("frequency_governor"), warn("performance, powersave"));
        assert_eq!(mixed.with_cores("0").verdict("frequency_governor"), Ok);
        assert_eq!(verdict("frequency_governor", &[(ONLINE, "0\n")]), Unknown);
    }

    #[test]
    fn deep_idle_states_that_are_on_are_bad() {
        let state = |core, n, key: &str| format!("{CPUS}/cpu{core}/cpuidle/state{n}/{key}");
        let keys: Vec<[String; 3]> = [(1, 0), (1, 1), (2, 0)]
            .map(|(core, n)| ["name", "latency", "disable"].map(|key| state(core, n, key)))
            .to_vec();
        let of = |latency, off| {
            let values = [["C1", "2\n", "0\n"], ["C6", latency, off], ["C6", "400\n", "0\n"]];
            let files = keys.iter().flatten().map(String::as_str);
            machine(&files.zip(values.into_iter().flatten()).collect::<Vec<_>>()).with_cores("1")
        };
        assert_eq!(of("10\n", "0\n").found("idle_states"), ok("10 us for C6"));
        assert_eq!(of("133\n", "0\n").found("idle_states"), warn("133 us for C6"));
        assert_eq!(of("133\n", "1\n").found("idle_states"), ok("2 us for C1"));
        assert_eq!(of("?\n", "0\n").verdict("idle_states"), Unknown);
        assert_eq!(machine(&[]).with_cores("1").verdict("idle_states"), Unknown);
        assert_eq!(found("idle_states", &[("proc/cmdline", "quiet idle=poll\n")]), ok("idle=poll"));
    }
}
