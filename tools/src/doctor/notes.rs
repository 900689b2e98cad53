//! What is worth knowing about the machine, but neither good nor bad: reported, not scored.

use super::Note;
use super::machine::Machine;

/// Boot options that bear on latency; a name ends at its `=`.
const BOOT_OPTIONS: &[&str] = &[
    "isolcpus",
    "nohz_full",
    "rcu_nocbs",
    "rcu_nocb_poll",
    "irqaffinity",
    "idle",
    "intel_idle.max_cstate",
    "processor.max_cstate",
    "intel_pstate",
    "amd_pstate",
    "nosmt",
    "clocksource",
    "tsc",
    "transparent_hugepage",
    "numa_balancing",
    "nmi_watchdog",
    "nowatchdog",
    "nosoftlockup",
    "skew_tick",
    "threadirqs",
    "preempt",
    "iommu",
];

/// In the order of the report.
pub(super) fn notes(machine: &Machine) -> Vec<Note> {
    let note = |name, measured: Option<String>| Note {
        name,
        measured: measured.unwrap_or_else(|| "not known".to_owned()),
    };
    vec![
        note("virtual_machine", virtual_machine(machine)),
        note("kernel", kernel(machine)),
        note("boot_options", boot_options(machine)),
        note("mitigations", mitigations(machine)),
        note("boost", boost(machine)),
    ]
}

/// Under a hypervisor half of the checks see what it shows, and not the machine.
fn virtual_machine(machine: &Machine) -> Option<String> {
    let virtual_machine = machine.cpuinfo("flags")?.iter().any(|flag| flag == "hypervisor");
    Some(
        if virtual_machine { "yes: the host may stop any core at any time" } else { "no" }
            .to_owned(),
    )
}

/// Release, and how the kernel gives way: `PREEMPT_RT` and its like stand in the version.
fn kernel(machine: &Machine) -> Option<String> {
    let release = machine.read("proc/sys/kernel/osrelease")?;
    let version = machine.read("proc/sys/kernel/version")?;
    let preemption = version.split_whitespace().find(|word| word.starts_with("PREEMPT"));
    Some([release.as_str()].into_iter().chain(preemption).collect::<Vec<_>>().join(", "))
}

fn boot_options(machine: &Machine) -> Option<String> {
    let line = machine.read(super::machine::CMDLINE)?;
    let bears = |option: &&str| BOOT_OPTIONS.contains(&option.split('=').next().unwrap_or(option));
    let options: Vec<&str> = line.split_whitespace().filter(bears).collect();
    Some(if options.is_empty() { "none".to_owned() } else { options.join(" ") })
}

/// They cost time at each entry into the kernel, which the hot path does not make.
fn mitigations(machine: &Machine) -> Option<String> {
    machine.read(super::machine::CMDLINE)?;
    Some(machine.boot_option("mitigations").unwrap_or_else(|| "as the kernel chooses".to_owned()))
}

/// Frequency above the nominal one: faster, but it moves with heat and with what the neighbours do.
fn boost(machine: &Machine) -> Option<String> {
    let cpus = "sys/devices/system/cpu";
    let off = machine.read_number::<u32>(format!("{cpus}/intel_pstate/no_turbo"));
    let on = machine.read_number::<u32>(format!("{cpus}/cpufreq/boost"));
    let on = off.map(|off| off == 0).or(on.map(|on| on != 0))?;
    Some(if on { "on: faster, but it moves with heat and neighbours" } else { "off" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{cpuinfo, machine};
    use super::*;

    fn note(name: &str, files: &[(&str, &str)]) -> String {
        let notes = notes(machine(files).machine());
        notes.into_iter().find(|note| note.name == name).unwrap().measured
    }

    #[test]
    fn a_bare_machine_is_told_from_a_virtual_one() {
        let of = |flags| note("virtual_machine", &[("proc/cpuinfo", &cpuinfo(1, flags))]);
        assert_eq!(of("fpu tsc"), "no");
        assert!(of("fpu hypervisor").starts_with("yes"));
        assert_eq!(note("virtual_machine", &[]), "not known");
    }

    #[test]
    fn the_kernel_says_how_it_gives_way() {
        let release = ("proc/sys/kernel/osrelease", "6.12.1\n");
        let of = |version| note("kernel", &[release, ("proc/sys/kernel/version", version)]);
        assert_eq!(of("#1 SMP PREEMPT_RT Mon Jan 5\n"), "6.12.1, PREEMPT_RT");
        assert_eq!(of("#1 SMP Mon Jan 5\n"), "6.12.1");
        assert_eq!(note("kernel", &[release]), "not known");
    }

    #[test]
    fn boot_options_are_those_that_bear_on_latency() {
        let of = |name, line| note(name, &[("proc/cmdline", line)]);
        let line = "root=/dev/sda1 isolcpus=2-5 tsc=reliable quiet mitigations=off nosmt\n";
        assert_eq!(of("boot_options", line), "isolcpus=2-5 tsc=reliable nosmt");
        assert_eq!(of("boot_options", "quiet\n"), "none");
        assert_eq!(of("mitigations", line), "off");
        assert_eq!(of("mitigations", "quiet\n"), "as the kernel chooses");
        assert_eq!(note("boot_options", &[]), "not known");
        assert_eq!(note("mitigations", &[]), "not known");
    }

    #[test]
    fn both_drivers_say_whether_they_boost() {
        let intel = |text| note("boost", &[("sys/devices/system/cpu/intel_pstate/no_turbo", text)]);
        let other = |text| note("boost", &[("sys/devices/system/cpu/cpufreq/boost", text)]);
        assert!(intel("0\n").starts_with("on") && other("1\n").starts_with("on"));
        assert_eq!([intel("1\n"), other("0\n"), other("?\n")], ["off", "off", "not known"]);
    }
}
