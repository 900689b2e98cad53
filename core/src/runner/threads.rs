//! Stages on threads of their own: which of them share one, on which core, and how they wait.

use core_affinity::CoreId;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use super::RunError;
use super::crew::{Crew, Member, Role};
use super::worker::{Shared, live};
use crate::kill::KillSwitch;
use crate::stage::DoneSeq;

/// How a thread waits when none of its stages has anything to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Idle {
    /// It keeps looking: fastest, and takes a whole core.
    #[default]
    Spin,
    /// It looks more and more rarely and lets others run in between.
    Backoff,
}

/// When the head takes the next event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gating {
    /// As soon as there is room.
    #[default]
    Free,
    /// When the one before is finished and its feedback taken: threads then change nothing.
    Lockstep,
}

/// Stages that share a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Polled from the last of the pipeline to the first, whatever their order here.
    pub roles: Vec<Role>,
    /// The core that the thread is pinned to; none leaves that to the system.
    pub core: Option<usize>,
}

/// The threads of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threads {
    /// One thread each.
    pub groups: Vec<Group>,
    /// How all of them wait.
    pub idle: Idle,
    /// Priority under SCHED_FIFO, 1 to 99; none for ordinary scheduling.
    pub priority: Option<u8>,
    /// When the head takes the next event.
    pub gating: Gating,
}

/// The highest priority of SCHED_FIFO on Linux.
const PRIORITY_MOST: u8 = 99;
/// Cores that a set of the C library holds.
const CORES_MOST: usize = 1_024;
/// Bytes of a thread's name that Linux keeps.
const NAME_BYTES_MAX: usize = 15;

impl Threads {
    /// Checks that every stage runs on exactly one thread, and that `cores` cores are enough for threads that
    /// never wait.
    ///
    /// # Errors
    /// What is wrong and what to do about it.
    pub fn validate(&self, cores: usize) -> Result<(), String> {
        for role in Role::ALL {
            let times = self.groups.iter().flat_map(|group| &group.roles).filter(|r| **r == role);
            match times.count() {
                1 => {}
                0 => return Err(format!("stage '{}' is on no thread", role.name())),
                _ => return Err(format!("stage '{}' is on more than one thread", role.name())),
            }
        }
        if self.groups.iter().any(|group| group.roles.is_empty()) {
            return Err("a thread has no stage".to_owned());
        }
        if self.priority.is_some_and(|priority| !(1..=PRIORITY_MOST).contains(&priority)) {
            return Err(format!("a priority is 1 to {PRIORITY_MOST}"));
        }
        self.validate_cores(cores)
    }

    fn validate_cores(&self, cores: usize) -> Result<(), String> {
        let threads = self.groups.len();
        if self.idle == Idle::Spin && threads > cores {
            return Err(format!(
                "{threads} threads that spin on {cores} cores would wait for each other: put more stages on \
                 one thread, or let them back off"
            ));
        }
        let mut pinned: Vec<usize> = self.groups.iter().filter_map(|group| group.core).collect();
        pinned.sort_unstable();
        if let Some(core) = pinned.last().filter(|core| **core >= CORES_MOST) {
            return Err(format!("core {core}: their numbers end at {}", CORES_MOST - 1));
        }
        match pinned.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) if self.idle == Idle::Spin => {
                Err(format!("two threads that spin are pinned to core {}", twice[0]))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Group {
    /// The name of its thread, as the system shows it: what of it Linux keeps.
    #[must_use]
    pub fn name(&self) -> String {
        let short = |role: &Role| match role {
            Role::Sequencer => "seq",
            Role::Gateway => "gate",
            Role::Feed | Role::Alpha | Role::Risk => role.name(),
        };
        let all = self.roles.iter().map(short).collect::<Vec<_>>().join("+");
        let name = format!("fw-{all}");
        match (self.roles.first(), self.roles.last()) {
            (Some(first), Some(last)) if name.len() > NAME_BYTES_MAX => {
                format!("fw-{}..{}", short(first), short(last))
            }
            _ => name,
        }
    }

    /// Gives the calling thread its core and priority.
    fn settle(&self, priority: Option<u8>) -> Result<(), RunError> {
        let refused = |what: String| RunError::Thread { thread: self.name(), what };
        if let Some(id) = self.core
            && !core_affinity::set_for_current(CoreId { id })
        {
            return Err(refused(format!("it can not be pinned to core {id}")));
        }
        if let Some(priority) = priority {
            let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
            set_policy(priority, fifo).map_err(|error| {
                refused(format!("priority {priority} of SCHED_FIFO: {error} (RLIMIT_RTPRIO)"))
            })?;
        }
        Ok(())
    }
}

fn set_policy(priority: u8, policy: ThreadSchedulePolicy) -> Result<(), String> {
    let value = priority.try_into()?;
    let wanted = ThreadPriority::Crossplatform(value);
    set_thread_priority_and_policy(thread_native_id(), wanted, policy)
        .map_err(|error| format!("{error:?}"))
}

/// Runs the stages on threads until the feed has ended and nothing is left. Meanwhile `tend` is called again and
/// again on the calling thread; it waits for a while each time, and a parked thread is woken at the end.
///
/// # Errors
/// A fault of the head or of the journal, a panic, or a thread that can not be had. Then the kill level was
/// raised to its highest, and the gateway cancelled everything.
///
/// # Panics
/// When `threads` is not valid: it is checked at start.
pub fn run_threads(
    crew: Crew<'_>,
    threads: &Threads,
    done: &DoneSeq,
    kill: &KillSwitch,
    tend: &mut dyn FnMut(),
) -> Result<(), RunError> {
    let count = threads.groups.len();
    let shared = Shared::new(done, kill, threads.gating, threads.idle, count);
    let mut members = crew.members().map(Some);
    std::thread::scope(|scope| {
        for group in &threads.groups {
            let mut roles = group.roles.clone();
            roles.sort_unstable();
            let take = |role: &Role| members[*role as usize].take();
            let mut own: Vec<Member<'_>> = roles.iter().filter_map(take).collect();
            assert_eq!(own.len(), group.roles.len(), "each stage is on one thread");
            let shared = &shared;
            let settle = move || group.settle(threads.priority);
            let spawned = std::thread::Builder::new()
                .name(group.name())
                .spawn_scoped(scope, move || live(&mut own, shared, settle));
            if let Err(error) = spawned {
                let (thread, what) = (group.name(), error.to_string());
                shared.fail(RunError::Thread { thread, what });
                return;
            }
        }
        while !shared.all_ready(count) {
            tend();
        }
        shared.start();
        while shared.left() > 0 {
            tend();
        }
    });
    shared.failure().cloned().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(roles: &[Role]) -> Group {
        Group { roles: roles.to_vec(), core: None }
    }

    fn threads(groups: Vec<Group>) -> Threads {
        Threads { groups, idle: Idle::Spin, priority: None, gating: Gating::Free }
    }

    fn two() -> Threads {
        let (front, back) = Role::ALL.split_at(2);
        threads(vec![group(front), group(back)])
    }

    #[test]
    fn every_stage_is_on_one_thread() {
        assert_eq!(two().validate(2), Ok(()));
        assert_eq!(threads(vec![group(&Role::ALL)]).validate(1), Ok(()));
        let refused = |groups: Vec<Group>| threads(groups).validate(9).unwrap_err();
        assert_eq!(refused(vec![group(&Role::ALL[1..])]), "stage 'feed' is on no thread");
        let twice = vec![group(&Role::ALL), group(&[Role::Risk])];
        assert_eq!(refused(twice), "stage 'risk' is on more than one thread");
        assert_eq!(refused(vec![group(&Role::ALL), group(&[])]), "a thread has no stage");
    }

    #[test]
    fn threads_that_spin_need_a_core_each() {
        let refused = two().validate(1).unwrap_err();
        assert!(refused.starts_with("2 threads that spin on 1 cores would wait"), "{refused}");
        let mut same = two();
        same.groups.iter_mut().for_each(|group| group.core = Some(3));
        assert_eq!(same.validate(4).unwrap_err(), "two threads that spin are pinned to core 3");
        for mut patient in [two(), same] {
            patient.idle = Idle::Backoff;
            assert_eq!(patient.validate(1), Ok(()));
        }
        let mut far = two();
        far.groups[0].core = Some(1_024);
        assert_eq!(far.validate(2).unwrap_err(), "core 1024: their numbers end at 1023");
    }

    #[test]
    fn a_priority_is_one_of_the_systems() {
        for (priority, fits) in [(0, false), (1, true), (99, true), (100, false)] {
            let threads = Threads { priority: Some(priority), ..two() };
            assert_eq!(threads.validate(2).is_ok(), fits, "{priority}");
        }
    }

    #[test]
    fn names_fit_what_linux_keeps() {
        assert_eq!(group(&Role::ALL[..2]).name(), "fw-feed+seq");
        assert_eq!(group(&Role::ALL[2..]).name(), "fw-alpha..gate");
        assert_eq!(group(&Role::ALL).name(), "fw-feed..gate");
        for role in Role::ALL {
            assert!(group(&[role]).name().len() <= NAME_BYTES_MAX);
        }
    }
}
