//! `[runner]` and `[gates]`: which threads run the stages, how they are measured, and which latencies are too
//! long. Neither changes what a stage decides.

use fusewire_core::latency::Span;
use fusewire_core::runner::{Gating, Group, Idle, Role, Threads};
use fusewire_core::units::Nanos;
use fusewire_io::feed::Pace;
use serde::{Deserialize, Serialize};

use super::Config;
use super::number::micros;

/// Bytes in the `mb` of a key.
const MB: u64 = 1 << 20;
/// Largest of the counts of both sections, against a slip.
const COUNT_MOST: u32 = 1 << 20;
/// How long a window may be, in ms: a minute.
const WINDOW_MS: std::ops::RangeInclusive<u32> = 10..=60_000;
/// The highest priority of SCHED_FIFO.
const PRIORITY_MOST: u8 = 99;

/// `[runner]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunnerSection {
    /// Who polls the stages.
    pub mode: RunnerMode,
    /// Which stages share a thread.
    pub threads: String,
    /// The core of each thread.
    pub cores: Vec<u16>,
    /// How a thread without work waits.
    pub idle: IdleName,
    /// Priority under SCHED_FIFO; 0 for ordinary scheduling.
    pub priority: u8,
    /// Whether the process's memory is locked.
    pub lock_memory: LockMemory,
    /// How fast recorded time goes by.
    pub pace: String,
    /// Captures that are held in memory, in MB.
    pub capture_memory_mb: u32,
}

/// Who polls the stages.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum RunnerMode {
    /// One thread, each event to its end before the next: the one whose results count.
    Inline,
    /// Threads on cores, paced by recorded time: the one whose latencies count.
    Pinned,
    /// Threads that wait for each other before each event: equal to inline.
    Lockstep,
}

impl RunnerMode {
    /// The name in configuration and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Pinned => "pinned",
            Self::Lockstep => "lockstep",
        }
    }
}

/// How a thread without work waits.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IdleName {
    /// It keeps looking.
    Spin,
    /// It looks more and more rarely.
    Backoff,
}

/// Whether memory is locked, so that no page of it is ever read back from a disk.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LockMemory {
    /// It is not.
    Off,
    /// It is where the system allows it.
    Try,
    /// Without it there is no run.
    Require,
}

/// `[gates]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GatesSection {
    /// Of so many messages one is measured at each stage of an inline run.
    pub sample_inline: u32,
    /// The same with threads.
    pub sample_threads: u32,
    /// How long latencies are gathered before they are judged, in ms.
    pub window_ms: u32,
    /// Latencies below which a window is not judged.
    pub samples_min: u32,
    /// Budget for the 99th percentile, in us, 0 for none: of the feed.
    pub feed_p99_us: u32,
    /// Of the sequencer.
    pub sequencer_p99_us: u32,
    /// Of the strategies.
    pub alpha_p99_us: u32,
    /// Of pre-trade risk.
    pub risk_p99_us: u32,
    /// Of the gateway.
    pub gateway_p99_us: u32,
    /// From frame to order.
    pub tick_to_trade_p99_us: u32,
}

impl GatesSection {
    /// The budget of a span; none where none is set.
    #[must_use]
    pub fn budget(&self, span: Span) -> Option<Nanos> {
        let us = match span {
            Span::Feed => self.feed_p99_us,
            Span::Sequencer => self.sequencer_p99_us,
            Span::Alpha => self.alpha_p99_us,
            Span::Risk => self.risk_p99_us,
            Span::Gateway => self.gateway_p99_us,
            Span::TickToTrade => self.tick_to_trade_p99_us,
        };
        (us > 0).then(|| micros(us))
    }
}

impl Config {
    /// Of so many messages one is measured.
    #[must_use]
    pub fn sample(&self) -> u32 {
        match self.runner.mode {
            RunnerMode::Inline => self.gates.sample_inline,
            RunnerMode::Pinned | RunnerMode::Lockstep => self.gates.sample_threads,
        }
    }

    /// The pace of a pinned run.
    ///
    /// # Errors
    /// It is none.
    pub fn pace(&self) -> Result<Pace, String> {
        self.runner.pace.parse()
    }

    /// Bytes of captures that may be held in memory.
    #[must_use]
    pub fn capture_memory_bytes(&self) -> u64 {
        u64::from(self.runner.capture_memory_mb) * MB
    }

    /// The threads of a run that has some.
    ///
    /// # Errors
    /// What of the section makes no sense.
    pub fn threads(&self) -> Result<Threads, String> {
        let section = &self.runner;
        let mut groups = groups(&section.threads)?;
        if !section.cores.is_empty() && section.cores.len() != groups.len() {
            return Err(format!(
                "{} of them for {} threads: name one for each, or none",
                section.cores.len(),
                groups.len()
            ));
        }
        for (group, core) in groups.iter_mut().zip(&section.cores) {
            group.core = Some(usize::from(*core));
        }
        Ok(Threads {
            groups,
            idle: match section.idle {
                IdleName::Spin => Idle::Spin,
                IdleName::Backoff => Idle::Backoff,
            },
            priority: Some(section.priority).filter(|priority| *priority > 0),
            gating: match section.mode {
                RunnerMode::Lockstep => Gating::Lockstep,
                RunnerMode::Inline | RunnerMode::Pinned => Gating::Free,
            },
        })
    }

    /// What is wrong with the keys of both sections: the key, and a text that names it.
    pub(super) fn runner_faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        // How many cores there are is asked where threads are started.
        let check =
            |config: &Self| config.threads().and_then(|threads| threads.validate(usize::MAX));
        if let Err(what) = check(self) {
            let mut bare = self.clone();
            bare.runner.cores.clear();
            let key = if check(&bare).is_ok() { "runner.cores" } else { "runner.threads" };
            faults.push((key, format!("{key}: {what}")));
        }
        if let Err(what) = self.pace() {
            faults.push(("runner.pace", format!("runner.pace: {what}")));
        }
        let gates = &self.gates;
        let counts = [
            ("runner.capture_memory_mb", self.runner.capture_memory_mb),
            ("gates.sample_inline", gates.sample_inline),
            ("gates.sample_threads", gates.sample_threads),
            ("gates.samples_min", gates.samples_min),
        ];
        for (key, value) in counts {
            if !(1..=COUNT_MOST).contains(&value) {
                faults.push((key, format!("{key} = {value} is not in 1 to {COUNT_MOST}")));
            }
        }
        if !WINDOW_MS.contains(&gates.window_ms) {
            let (value, low, high) = (gates.window_ms, WINDOW_MS.start(), WINDOW_MS.end());
            let what = format!("gates.window_ms = {value} is not in {low} to {high}");
            faults.push(("gates.window_ms", what));
        }
        if self.runner.priority > PRIORITY_MOST {
            let value = self.runner.priority;
            let what = format!("runner.priority = {value} is not in 0 to {PRIORITY_MOST}");
            faults.push(("runner.priority", what));
        }
        faults
    }
}

/// The threads of a text such as `feed+sequencer, alpha+risk+gateway`.
fn groups(text: &str) -> Result<Vec<Group>, String> {
    let role = |name: &str| {
        let known = Role::ALL.into_iter().find(|role| role.name() == name);
        known.ok_or_else(|| {
            let names = Role::ALL.map(Role::name).join(", ");
            format!("'{name}' is no stage: {names}")
        })
    };
    let group = |part: &str| {
        let roles = part.split('+').map(|name| role(name.trim())).collect::<Result<_, _>>()?;
        Ok(Group { roles, core: None })
    };
    text.split(',').map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check::overlay;
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        overlay("f.toml", text).err().unwrap_or_default()
    }

    #[test]
    fn threads_are_listed_with_their_stages_and_cores() {
        let text = "[runner]\nthreads = \"feed + sequencer,alpha+risk+gateway\"\ncores = [3, 5]\n\
                    idle = \"backoff\"\npriority = 7\nmode = \"lockstep\"\n";
        let threads = overlay("f.toml", text).unwrap().threads().unwrap();
        let (front, back) = Role::ALL.split_at(2);
        let groups = [(front, 3), (back, 5)];
        let groups = groups.map(|(roles, core)| Group { roles: roles.to_vec(), core: Some(core) });
        let expected = Threads {
            groups: groups.into(),
            idle: Idle::Backoff,
            priority: Some(7),
            gating: Gating::Lockstep,
        };
        assert_eq!(threads, expected);
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_line() {
        for (line, says) in [
            ("threads = \"feed\"", "runner.threads: stage 'sequencer' is on no thread"),
            ("threads = \"feed+book\"", "runner.threads: 'book' is no stage: feed, sequencer,"),
            ("cores = [1, 2, 3]", "f.toml:2: runner.cores: 3 of them for 2 threads"),
            (
                "cores = [1, 1]",
                "f.toml:2: runner.cores: two threads that spin are pinned to core 1",
            ),
            ("priority = 100", "runner.priority = 100 is not in 0 to 99"),
            ("pace = \"fast\"", "runner.pace: 'fast' is no pace: 1x to 1000x, or max"),
            ("capture_memory_mb = 0", "runner.capture_memory_mb = 0 is not in 1 to"),
        ] {
            let found = faults(&format!("[runner]\n{line}\n"));
            assert!(found.iter().any(|fault| fault.contains(says)), "{line}: {found:?}");
        }
        for (line, says) in [
            ("sample_inline = 0", "f.toml:2: gates.sample_inline = 0 is not in 1 to"),
            ("window_ms = 9", "f.toml:2: gates.window_ms = 9 is not in 10 to 60000"),
        ] {
            assert!(faults(&format!("[gates]\n{line}\n"))[0].starts_with(says), "{line}");
        }
    }

    #[test]
    fn budgets_are_by_span_and_none_is_no_gate() {
        let text = "[gates]\nfeed_p99_us = 1\nsequencer_p99_us = 2\nalpha_p99_us = 3\n\
                    risk_p99_us = 4\ngateway_p99_us = 0\ntick_to_trade_p99_us = 6\n";
        let gates = overlay("f.toml", text).unwrap().gates;
        let budgets = Span::ALL.map(|span| gates.budget(span).map(|budget| budget.0));
        let us = |us: u64| Some(us * 1_000);
        assert_eq!(budgets, [us(1), us(2), us(3), us(4), None, us(6)]);
    }

    #[test]
    fn inline_runs_and_threads_are_sampled_apart() {
        let of = |mode: &str| {
            let text = format!(
                "[runner]\nmode = \"{mode}\"\n[gates]\nsample_inline = 5\nsample_threads = 2\n"
            );
            overlay("f.toml", &text).unwrap().sample()
        };
        assert_eq!(["inline", "pinned", "lockstep"].map(of), [5, 2, 2]);
    }
}
