//! The measuring loop: two subjects in turns, so that a slow spell of the machine hits both.

use std::time::{Duration, Instant};

/// Rounds of a comparison.
pub const ROUNDS: usize = 15;
/// How long one side of a round takes at least.
const ROUND: Duration = Duration::from_millis(10);
/// Most passes of a round, against a pass that takes no time.
const PASSES_MAX: u64 = 1_000_000;

/// One implementation doing one piece of work.
pub trait Subject {
    /// Units of work (frames or levels) in a pass.
    fn units(&self) -> u64;
    /// Brings it to the state in which a pass starts. Not measured.
    fn reset(&mut self) {}
    /// Does the work once.
    fn pass(&mut self);
}

/// What a comparison found. Times are ns a unit, medians over the rounds.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// Our side.
    pub ours_ns: f64,
    /// The peer.
    pub peer_ns: f64,
    /// Median of the rounds' peer time by our time: above 1 we are faster.
    pub ratio: f64,
    /// Lowest ratio of a round.
    pub least: f64,
    /// Highest ratio of a round.
    pub most: f64,
}

/// Compares two subjects that do the same work.
///
/// # Panics
/// When the two count their work differently, because then they do not do the same.
pub fn compare(ours: &mut dyn Subject, peer: &mut dyn Subject) -> Comparison {
    assert_eq!(ours.units(), peer.units(), "both sides do the same work");
    let (our_passes, peer_passes) = (passes(ours), passes(peer));
    in_turns(ROUNDS, || time(ours, our_passes), || time(peer, peer_passes))
}

/// Compares two measurements in ns, made in turns in so many rounds.
///
/// # Panics
/// Without a round.
pub fn in_turns(
    rounds: usize,
    mut ours: impl FnMut() -> f64,
    mut peer: impl FnMut() -> f64,
) -> Comparison {
    let mut pairs: Vec<(f64, f64)> = Vec::with_capacity(rounds);
    for round in 0..rounds {
        // Who goes first changes, in case the second finds the caches or the clock different.
        let pair = if round % 2 == 0 {
            let first = ours();
            (first, peer())
        } else {
            let first = peer();
            (ours(), first)
        };
        pairs.push(pair);
    }
    Comparison::of(&pairs)
}

impl Comparison {
    /// Of rounds, each with our time and the peer's in ns.
    ///
    /// # Panics
    /// Without a round.
    #[must_use]
    pub fn of(rounds: &[(f64, f64)]) -> Self {
        let ratios = sorted(rounds.iter().map(|(ours, peer)| peer / ours));
        Self {
            ours_ns: middle(&sorted(rounds.iter().map(|round| round.0))),
            peer_ns: middle(&sorted(rounds.iter().map(|round| round.1))),
            ratio: middle(&ratios),
            least: ratios[0],
            most: ratios[ratios.len() - 1],
        }
    }
}

/// Passes that fill a round. Finding out is the warm-up as well.
fn passes(subject: &mut dyn Subject) -> u64 {
    let mut passes = 1;
    loop {
        let spent = spend(subject, passes);
        if spent >= ROUND || passes >= PASSES_MAX {
            return passes;
        }
        let missing = ROUND.as_secs_f64() / spent.as_secs_f64().max(1e-9);
        passes = (passes as f64 * missing.clamp(1.2, 10.0)).ceil() as u64;
    }
}

/// ns a unit.
fn time(subject: &mut dyn Subject, passes: u64) -> f64 {
    let units = subject.units() as f64 * passes as f64;
    spend(subject, passes).as_secs_f64() * 1e9 / units
}

/// How long some passes take, resets excluded.
pub fn spend(subject: &mut dyn Subject, passes: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..passes {
        subject.reset();
        let start = Instant::now();
        subject.pass();
        spent += start.elapsed();
    }
    spent
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
