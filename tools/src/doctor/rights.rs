//! Questions about what the process may do: lock memory, run first, use its cores all of the time.
//!
//! The answers are those of the user and the group that run `doctor`, so the service's user has to.

use super::Cost::{Milliseconds, Run};
use super::cpu_list::Cores;
use super::machine::{Finding, Machine, ONLINE, Question};

/// Journal segments and rings are locked into memory: this much room is enough for them, in bytes.
const LOCKED_BYTES_MIN: u64 = 1 << 30;
/// Bits of a set of capabilities, which lift the limits.
const CAP_IPC_LOCK: u32 = 14;
const CAP_SYS_NICE: u32 = 23;

const LIMITS: &str = "proc/self/limits";
const STATUS: &str = "proc/self/status";
const RT_RUNTIME: &str = "proc/sys/kernel/sched_rt_runtime_us";
const RT_PERIOD: &str = "proc/sys/kernel/sched_rt_period_us";
const GROUPS: &str = "proc/self/cgroup";
const HIERARCHY: &str = "sys/fs/cgroup";

/// In the order of the report.
pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "locked_memory",
        cost: Milliseconds,
        source: LIMITS,
        look: locked_memory,
        remedy: "raise it to 1 GiB or unlimited: ulimit -l, LimitMEMLOCK= in systemd, memlock in \
                 /etc/security/limits.conf",
    },
    Question {
        name: "realtime_priority",
        cost: Milliseconds,
        source: LIMITS,
        look: realtime_priority,
        remedy: "allow it: LimitRTPRIO=50 in systemd, rtprio in /etc/security/limits.conf; without, a \
                 stage can not go before ordinary work on its core",
    },
    Question {
        name: "realtime_throttling",
        cost: Milliseconds,
        source: RT_RUNTIME,
        look: realtime_throttling,
        remedy: "sysctl kernel.sched_rt_runtime_us=-1, on isolated cores only: a spinning thread of \
                 real-time priority is else stopped for the rest of each period",
    },
    Question {
        name: "cgroup_cpu_quota",
        cost: Milliseconds,
        source: GROUPS,
        look: cpu_quota,
        remedy: "take the quota away (CPUQuota= in systemd, --cpus of a container): a spinning thread \
                 uses it up and is stopped until the next period",
    },
    Question {
        name: "cgroup_cpuset",
        cost: Run,
        source: GROUPS,
        look: cpuset,
        remedy: "allow the cores of the stages: AllowedCPUs= in systemd, --cpuset-cpus of a container; \
                 pinning to another core fails",
    },
];

/// The soft limit on a line of `/proc/self/limits`: a number or `unlimited`.
fn soft_limit(machine: &Machine, name: &str) -> Option<String> {
    let limits = machine.read(LIMITS)?;
    let rest = limits.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next().map(str::to_owned)
}

fn has_capability(machine: &Machine, bit: u32) -> bool {
    let set = machine.read(STATUS).and_then(|status| {
        let digits = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
        u64::from_str_radix(digits.trim(), 16).ok()
    });
    set.is_some_and(|set| set >> bit & 1 == 1)
}

fn locked_memory(machine: &Machine) -> Option<Finding> {
    let limit = soft_limit(machine, "Max locked memory")?;
    let (measured, enough) = match limit.parse::<u64>() {
        Ok(bytes) => (format!("{} KiB", bytes / 1_024), bytes >= LOCKED_BYTES_MIN),
        Err(_) => (limit.clone(), limit == "unlimited"),
    };
    Some(match !enough && has_capability(machine, CAP_IPC_LOCK) {
        true => Finding::Good(format!("{measured}, lifted by CAP_IPC_LOCK")),
        false => Finding::when(enough, measured),
    })
}

fn realtime_priority(machine: &Machine) -> Option<Finding> {
    let limit = soft_limit(machine, "Max realtime priority")?;
    let allowed = limit == "unlimited" || limit.parse::<u32>().ok()? > 0;
    Some(match !allowed && has_capability(machine, CAP_SYS_NICE) {
        true => Finding::Good(format!("{limit}, lifted by CAP_SYS_NICE")),
        false => Finding::when(allowed, limit),
    })
}

fn realtime_throttling(machine: &Machine) -> Option<Finding> {
    let runtime_us: i64 = machine.read_number(RT_RUNTIME)?;
    if runtime_us < 0 {
        return Some(Finding::Good("off".to_owned()));
    }
    let period_us: i64 = machine.read_number(RT_PERIOD)?;
    let measured = format!("{runtime_us} us of every {period_us} us");
    Some(Finding::when(runtime_us >= period_us, measured))
}

/// Folders of this process's group for a controller, its own first and the root last. A container sees its
/// own group as the root, or does not see the folders above it.
fn group_folders(machine: &Machine, controller: &str) -> Option<Vec<String>> {
    let groups = machine.read(GROUPS)?;
    let group = |wanted: &dyn Fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            wanted(controllers).then_some(path)
        })
    };
    let first = group(&|controllers| controllers.split(',').any(|found| found == controller));
    let (base, path) = match first {
        Some(path) => (format!("{HIERARCHY}/{controller}"), path),
        None => (HIERARCHY.to_owned(), group(&str::is_empty)?),
    };
    if !machine.has(format!("{base}/cgroup.procs")) {
        return None;
    }
    let mut folders = Vec::new();
    let mut path = path.trim_end_matches('/');
    while let Some((above, _)) = path.rsplit_once('/') {
        folders.push(format!("{base}{path}"));
        path = above;
    }
    folders.push(base);
    Some(folders)
}

/// The lowest group with a quota, looked for in both versions of cgroups.
fn cpu_quota(machine: &Machine) -> Option<Finding> {
    for folder in group_folders(machine, "cpu")? {
        let quota = match machine.read(format!("{folder}/cpu.max")) {
            Some(text) => text.split_whitespace().next()?.to_owned(),
            None => match machine.read(format!("{folder}/cpu.cfs_quota_us")) {
                Some(text) => text,
                None => continue,
            },
        };
        if quota != "max" && quota != "-1" {
            return Some(Finding::Bad(format!("{quota} us of each period")));
        }
    }
    Some(Finding::Good("none".to_owned()))
}

fn cpuset(machine: &Machine) -> Option<Finding> {
    let files = ["cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"];
    let allowed = group_folders(machine, "cpuset")?.into_iter().find_map(|folder| {
        let text = files.iter().find_map(|file| machine.read(format!("{folder}/{file}")))?;
        Cores::from_list(&text).filter(|cores| !cores.is_empty())
    })?;
    let wanted = machine.stage_cores().or_else(|| Cores::from_list(&machine.read(ONLINE)?))?;
    let missing = wanted.without(&allowed);
    Some(match missing.is_empty() {
        true => Finding::Good(allowed.to_string()),
        false => Finding::Bad(format!("{allowed}, not {missing}")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Ok, Unknown, Warn};
    use super::super::fixture::{found, machine, ok, verdict, warn};
    use super::*;

    fn limits(name: &str, soft: &str) -> String {
        format!("Limit Soft Hard Units\n{name:<26}{soft}     unlimited   \n")
    }

    /// The capabilities of a process that has only this one.
    fn only(bit: u32) -> String {
        format!("Name:\tx\nCapEff:\t{:016x}\n", 1_u64 << bit)
    }

    #[test]
    fn locked_memory_takes_the_soft_limit() {
        let of = |soft| found("locked_memory", &[(LIMITS, &limits("Max locked memory", soft))]);
        assert_eq!(of("unlimited"), ok("unlimited"));
        assert_eq!(of("1073741824").0, Ok);
        assert_eq!(of("8388608"), warn("8192 KiB"));
        assert_eq!(verdict("locked_memory", &[(LIMITS, "Limit Soft Hard\n")]), Unknown);
    }

    #[test]
    fn realtime_priority_takes_the_soft_limit() {
        let of =
            |soft| found("realtime_priority", &[(LIMITS, &limits("Max realtime priority", soft))]);
        assert_eq!(of("50"), ok("50"));
        assert_eq!(of("0"), warn("0"));
        assert_eq!(of("some").0, Unknown);
        assert_eq!(verdict("realtime_priority", &[]), Unknown);
    }

    #[test]
    fn a_capability_lifts_its_own_limit() {
        for (name, limit, bit, other) in [
            ("locked_memory", "Max locked memory", CAP_IPC_LOCK, CAP_SYS_NICE),
            ("realtime_priority", "Max realtime priority", CAP_SYS_NICE, CAP_IPC_LOCK),
        ] {
            let of = |bit| verdict(name, &[(LIMITS, &limits(limit, "0")), (STATUS, &only(bit))]);
            assert_eq!([of(bit), of(other)], [Ok, Warn], "{name}");
        }
    }

    #[test]
    fn realtime_threads_may_spin_all_of_the_time() {
        let of = |runtime| {
            found("realtime_throttling", &[(RT_RUNTIME, runtime), (RT_PERIOD, "1000000\n")])
        };
        assert_eq!(of("-1\n"), ok("off"));
        assert_eq!(of("1000000\n").0, Ok);
        assert_eq!(of("950000\n"), warn("950000 us of every 1000000 us"));
        assert_eq!(of("most\n").0, Unknown);
        assert_eq!(verdict("realtime_throttling", &[(RT_RUNTIME, "950000\n")]), Unknown);
    }

    #[test]
    fn a_quota_counts_wherever_it_is_set() {
        let own = (GROUPS, "0::/trade.slice/fusewire.service\n");
        let root = ("sys/fs/cgroup/cgroup.procs", "");
        let of = |path, text| found("cgroup_cpu_quota", &[own, root, (path, text)]);
        let service = "sys/fs/cgroup/trade.slice/fusewire.service/cpu.max";
        assert_eq!(of(service, "max 100000\n"), ok("none"));
        assert_eq!(of(service, "50000 100000\n"), warn("50000 us of each period"));
        assert_eq!(of("sys/fs/cgroup/trade.slice/cpu.max", "50000 100000\n").0, Warn);
        assert_eq!(of("sys/fs/cgroup/cpu.max", "50000 100000\n").0, Warn);
        assert_eq!(of(service, "\n").0, Unknown);
        assert_eq!(verdict("cgroup_cpu_quota", &[own]), Unknown);
        assert_eq!(verdict("cgroup_cpu_quota", &[root]), Unknown);
    }

    #[test]
    fn the_first_version_of_cgroups_is_read_too() {
        let own = (GROUPS, "3:cpu,cpuacct:/jobs\n0::/\n");
        let root = ("sys/fs/cgroup/cpu/cgroup.procs", "");
        let of = |quota| {
            let quota = ("sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us", quota);
            found("cgroup_cpu_quota", &[own, root, quota])
        };
        assert_eq!(of("-1\n"), ok("none"));
        assert_eq!(of("20000\n").0, Warn);
    }

    #[test]
    fn the_cpuset_must_have_the_cores_of_the_stages() {
        let own = (GROUPS, "0::/a/b\n");
        let root = ("sys/fs/cgroup/cgroup.procs", "");
        let above = ("sys/fs/cgroup/a/cpuset.cpus.effective", "0-3\n");
        let of = |cores| machine(&[own, root, above]).with_cores(cores).found("cgroup_cpuset");
        assert_eq!(of("2-3"), ok("0-3"));
        assert_eq!(of("3-5"), warn("0-3, not 4-5"));
        assert_eq!(found("cgroup_cpuset", &[own, root, above, (ONLINE, "0-7\n")]).0, Warn);
        assert_eq!(verdict("cgroup_cpuset", &[own, root, above]), Unknown);
        assert_eq!(machine(&[own, root]).with_cores("2").verdict("cgroup_cpuset"), Unknown);
    }
}
