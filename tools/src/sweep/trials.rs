//! The trials of a sweep: each draw at each point of the grid, in a fixed order, and checked before any of them runs.

use crate::config::vary::{Base, KeyKind};
use crate::config::{Config, decides};

use super::axis::{Axis, Range};
use super::draw::draw;

/// Trials of one sweep, against a slip of the keyboard: a grid of five keys with ten values each.
const TRIALS_MAX: u64 = 100_000;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// From 1.
    pub number: u64,
    /// Keys and values, in the order of the command line: those of the grid first.
    pub values: Vec<(String, String)>,
    /// `Config::decisive_hash` of its configuration.
    pub config: blake3::Hash,
}

impl Trial {
    /// Its configuration.
    ///
    /// # Errors
    /// The checks of the configuration: none for a trial of [`trials`] over the same base.
    pub(super) fn config(&self, base: &Base) -> Result<Config, Vec<String>> {
        base.with(&format!("trial {}", self.number), &self.pairs())
    }

    /// A line that is about it, with its values.
    pub(super) fn named(&self, line: &str) -> String {
        let values = self.values.iter().map(|(key, value)| format!("{key}={value}"));
        format!("trial {} ({}): {line}", self.number, values.collect::<Vec<_>>().join(", "))
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
}

/// Every trial of a sweep: each of `draws` draws at each point of the grid, the last key of the grid moving fastest.
///
/// # Errors
/// A key that can not be swept, a value that is refused, too many trials. One line for each fault, with its flag.
pub fn trials(
    config: &Config,
    grid: &[Axis],
    random: &[Range],
    (draws, seed): (u64, u64),
) -> Result<Vec<Trial>, Vec<String>> {
    let base = Base::new(config);
    let faults = faults_of_keys(&base, grid, random);
    if !faults.is_empty() {
        return Err(faults);
    }
    let points = grid.iter().try_fold(1_u64, |all, axis| all.checked_mul(axis.values.len() as u64));
    let count = points.and_then(|points| points.checked_mul(draws));
    let Some(count) = count.filter(|count| *count <= TRIALS_MAX) else {
        return Err(vec![format!("more than {TRIALS_MAX} trials: take fewer values or draws")]);
    };
    let mut steps = Vec::new();
    for range in random {
        let is_whole = base.kind(&range.key) == KeyKind::Integer;
        let step = range.step(is_whole);
        steps.push(step.map_err(|what| vec![format!("--random {}: {what}", range.key)])?);
    }
    let points = count / draws.max(1);
    (0..count)
        .map(|index| {
            let (at, point) = (index / points, index % points);
            let drawn = random
                .iter()
                .zip(&steps)
                .map(|(range, step)| (range.key.clone(), draw(range, *step, seed, at).to_string()));
            let values: Vec<_> = point_of(grid, point).into_iter().chain(drawn).collect();
            checked(&base, index + 1, grid.len(), values)
        })
        .collect()
}

/// The values at a point of the grid.
fn point_of(grid: &[Axis], mut point: u64) -> Vec<(String, String)> {
    let mut values = Vec::with_capacity(grid.len());
    for axis in grid.iter().rev() {
        let count = axis.values.len() as u64;
        let index = usize::try_from(point % count).expect("below the length of a list");
        values.push((axis.key.clone(), axis.values[index].clone()));
        point /= count;
    }
    values.reverse();
    values
}

/// A trial whose configuration passes its checks; a fault names the flag whose value alone has it, else all of them.
fn checked(
    base: &Base,
    number: u64,
    gridded: usize,
    values: Vec<(String, String)>,
) -> Result<Trial, Vec<String>> {
    let mut trial = Trial { number, values, config: blake3::Hash::from_bytes([0; 32]) };
    match trial.config(base) {
        Ok(config) => {
            trial.config = config.decisive_hash();
            Ok(trial)
        }
        Err(_) => {
            let flag = |index: usize| if index < gridded { "--grid" } else { "--random" };
            let pairs = trial.pairs();
            let name =
                |index: usize, (key, value): (&str, &str)| format!("{} {key}={value}", flag(index));
            for (index, pair) in pairs.iter().enumerate() {
                base.with(&name(index, *pair), &[*pair])?;
            }
            let names = pairs.iter().enumerate().map(|(index, pair)| name(index, *pair));
            let all = names.collect::<Vec<_>>().join(" ");
            base.with(&all, &pairs).map(|_| unreachable!("the same values were refused before"))
        }
    }
}

/// Keys that no sweep can vary, or that stand there twice.
fn faults_of_keys(base: &Base, grid: &[Axis], random: &[Range]) -> Vec<String> {
    let grid = grid.iter().map(|axis| ("--grid", axis.key.as_str()));
    let keys: Vec<_> =
        grid.chain(random.iter().map(|range| ("--random", range.key.as_str()))).collect();
    if keys.is_empty() {
        return vec!["nothing to vary: give --grid or --random".to_owned()];
    }
    let mut faults = Vec::new();
    for (index, (flag, key)) in keys.iter().enumerate() {
        if keys[..index].iter().any(|(_, other)| other == key) {
            faults.push(format!("{flag} {key}: the key stands there twice"));
        }
        // An unknown key is for the checks of the configuration, which know the nearest one.
        if let Some(why) = refused(base, key) {
            faults.push(format!("{flag} {key}: {why}"));
        }
    }
    faults
}

/// Why a key can not be swept.
fn refused(base: &Base, key: &str) -> Option<&'static str> {
    if base.kind(key) == KeyKind::List {
        return Some("a list can not be swept");
    }
    if key.starts_with("capture.") {
        return Some("captures are read and judged once, and alike for all trials");
    }
    if key == "latency.from_journal" {
        return Some("legs are taken from a journal once, before the trials");
    }
    let is_known = base.kind(key) != KeyKind::Other;
    (is_known && !decides(key))
        .then_some("it decides nothing, so that all trials would be the same")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(grid: &[&str], random: &[&str], draws: u64) -> Result<Vec<Trial>, Vec<String>> {
        let grid: Vec<Axis> = grid.iter().map(|text| text.parse().unwrap()).collect();
        let random: Vec<Range> = random.iter().map(|text| text.parse().unwrap()).collect();
        trials(&Config::default(), &grid, &random, (draws, 1))
    }

    fn shown(trials: &[Trial]) -> Vec<String> {
        let text = |trial: &Trial| {
            let values = trial.values.iter().map(|(_, value)| value.as_str());
            format!("{}: {}", trial.number, values.collect::<Vec<_>>().join(" "))
        };
        trials.iter().map(text).collect()
    }

    #[test]
    fn a_grid_is_the_product_of_its_values() {
        let found = of(&["quoter.half_spread_bp=1,2", "clock.tick_ms=50,100,200"], &[], 1).unwrap();
        assert_eq!(
            shown(&found),
            ["1: 1 50", "2: 1 100", "3: 1 200", "4: 2 50", "5: 2 100", "6: 2 200"]
        );
        let mut hashes: Vec<String> =
            found.iter().map(|trial| trial.config.to_hex().to_string()).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), 6);
        // 1 bp and 100 ms are the defaults.
        assert_eq!(found[1].config, Config::default().decisive_hash());
    }

    /// Each draw is tried at each point of the grid, so that points are compared on the same draws.
    #[test]
    fn draws_are_the_same_at_each_point_of_the_grid() {
        let found = of(&["run.seed=1,2"], &["quoter.half_spread_bp=1..4"], 3).unwrap();
        assert_eq!(found.len(), 6);
        for pair in found.chunks(2) {
            assert_eq!(pair[0].values[1], pair[1].values[1]);
            assert_eq!((pair[0].values[0].1.as_str(), pair[1].values[0].1.as_str()), ("1", "2"));
        }
        assert_ne!(found[0].values[1], found[2].values[1]);
    }

    #[test]
    fn faults_name_their_flag() {
        for (grid, random, expected) in [
            (
                vec!["quoter.half_spred_bp=1"],
                vec![],
                "--grid quoter.half_spred_bp=1: unknown key 'quoter.half_spred_bp', did you mean 'half_spread_bp'?",
            ),
            (
                vec!["quoter.half_spread_bp=1,x"],
                vec![],
                "--grid quoter.half_spread_bp=x: quoter.half_spread_bp: \"x\" is no decimal",
            ),
            (
                vec![],
                vec!["clock.tick_ms=1.5..2"],
                "--random clock.tick_ms: 1.5 is no whole number",
            ),
            (
                vec![],
                vec!["limits_default.leverage_max=6..9"],
                "--random limits_default.leverage_max=",
            ),
            (
                vec!["run.seed=1"],
                vec!["run.seed=1..9"],
                "--random run.seed: the key stands there twice",
            ),
            (
                vec!["universe.symbols=A,B"],
                vec![],
                "--grid universe.symbols: a list can not be swept",
            ),
            (vec!["runner.idle=spin,backoff"], vec![], "--grid runner.idle: it decides nothing"),
            (
                vec!["capture.gap_max_ms=1,2"],
                vec![],
                "--grid capture.gap_max_ms: captures are read",
            ),
            (vec![], vec![], "nothing to vary: give --grid or --random"),
        ] {
            let faults = of(&grid, &random, 2).unwrap_err();
            assert!(faults[0].starts_with(expected), "{faults:?} should start with {expected}");
        }
    }

    /// Each alone is fine, and the fault is theirs together.
    #[test]
    fn a_fault_of_a_combination_names_all_flags() {
        let of = |inventory: &str, reduce: &str| of(&[inventory, reduce], &[], 1);
        assert!(of("quoter.inventory_max=1000", "quoter.reduce_to=700").is_ok());
        assert!(of("quoter.inventory_max=600", "quoter.reduce_to=500").is_ok());
        let faults = of("quoter.inventory_max=600", "quoter.reduce_to=700").unwrap_err();
        let names = "--grid quoter.inventory_max=600 --grid quoter.reduce_to=700: [quoter] ";
        assert!(faults[0].starts_with(names), "{faults:?}");
    }

    #[test]
    fn too_many_trials_are_refused_before_they_are_made() {
        let faults = of(&["run.seed=1,2"], &["quoter.half_spread_bp=1..4"], 50_001).unwrap_err();
        assert_eq!(faults, ["more than 100000 trials: take fewer values or draws"]);
    }
}
