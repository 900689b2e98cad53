//! The results table: one row a trial, in the order of trials, whoever ran it and when.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::credibility::Interval;
use crate::export::table::{Column, ColumnKind, Value};
use crate::export::{self, ExportError, Format};
use crate::outcome::Failure;

use super::axis::PLACES;
use super::fixed::Fixed;
use super::results::Results;
use super::trials::Trial;
use super::work::Ended;

/// A share between 0 and 1.
type Share = Fixed<6>;

const fn column(name: &'static str, kind: ColumnKind, about: &'static str) -> Column {
    Column { name, kind, about }
}

const fn u64(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::U64, about)
}

const fn text(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::Text, about)
}

const fn money(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::Decimal { scale: 8 }, about)
}

const fn share(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::Decimal { scale: 6 }, about)
}

const fn statistic(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::Decimal { scale: 15 }, about)
}

/// The columns before those of the swept keys.
const HEAD: [Column; 3] = [
    u64("trial", "number of the trial, from 1"),
    text("status", "`done`, `failed`; nothing else is known of a trial that failed"),
    text("config", "hash of its configuration, as far as that can change a decision"),
];

/// The columns behind those of the swept keys.
const TAIL: [Column; 23] = [
    text(
        "digest",
        "`digest.decided` of the run: over all lanes but that of the frames, the same for a recording and its tape",
    ),
    u64("books_lost", "books with depth frames that were out of step at the end"),
    u64("orders", "orders sent"),
    u64("fills", "executions"),
    u64("closed", "positions that were closed"),
    u64("wins", "those that earned more than their fees and funding"),
    share("win_rate", "`wins` of `closed`; null without one"),
    share("win_rate_low", "lower end of its 95 % interval (Wilson)"),
    share("win_rate_high", "upper end of it"),
    money("realized", "realised profit before fees, USDT"),
    money("fees", "fees; positive is a cost"),
    money("funding", "funding; above zero was received"),
    money("unrealized", "of what is open, at the last marks; null when a position has no mark"),
    money("total", "`realized + unrealized + funding - fees`"),
    money(
        "max_drawdown",
        "largest fall of equity from a peak, looked at each `clock.tick_ms` and at the end",
    ),
    statistic("max_drawdown_share", "largest fall as a share of its peak"),
    u64("returns", "periods with a return"),
    statistic("return_mean", "mean return of a period, as a share of equity"),
    statistic("return_deviation", "standard deviation of returns (n - 1)"),
    statistic("return_skewness", "skewness of returns"),
    statistic("return_kurtosis", "kurtosis of returns; 3 for a normal distribution"),
    text("not_credible", "what the antipattern guard found, by code; null when nothing"),
    text("error", "why it failed, else null"),
];

/// How the values of a swept key are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Integer,
    Decimal,
    Text,
}

impl Told {
    /// The narrowest that takes all values.
    fn of<'a>(values: impl Iterator<Item = &'a str> + Clone) -> Self {
        if values.clone().all(|value| value.parse::<i64>().is_ok()) {
            return Self::Integer;
        }
        let are_decimals = values.clone().all(|value| value.parse::<Fixed<PLACES>>().is_ok());
        if are_decimals { Self::Decimal } else { Self::Text }
    }

    const fn kind(self) -> ColumnKind {
        match self {
            Self::Integer => ColumnKind::I64,
            Self::Decimal => ColumnKind::Decimal { scale: PLACES },
            Self::Text => ColumnKind::Text,
        }
    }

    fn value(self, text: &str) -> Value<'_> {
        let told = match self {
            Self::Integer => text.parse().ok().map(Value::I64),
            Self::Decimal => {
                text.parse::<Fixed<PLACES>>().ok().map(|value| Value::Decimal(value.0))
            }
            Self::Text => None,
        };
        told.unwrap_or_else(|| text.into())
    }
}

/// Writes the table, whole or not at all, and leaves nothing beside it. Every trial has ended.
///
/// # Errors
/// It can not be written.
pub fn write(
    path: &Path,
    format: Format,
    trials: &[Trial],
    ended: &BTreeMap<u64, Ended>,
) -> Result<(), Failure> {
    let partial = path.with_extension("partial");
    let written = into(&partial, format, trials, ended).map_err(Failure::line).and_then(|()| {
        fs::rename(&partial, path)
            .map_err(|error| Failure::line(format!("{}: {error}", path.display())))
    });
    if written.is_err() {
        // What could not be written may not be there either; why it failed is told already.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn into(
    path: &Path,
    format: Format,
    trials: &[Trial],
    ended: &BTreeMap<u64, Ended>,
) -> Result<(), ExportError> {
    let keys: Vec<&String> = trials
        .first()
        .into_iter()
        .flat_map(|trial| trial.values.iter().map(|(key, _)| key))
        .collect();
    let values = |at: usize| trials.iter().map(move |trial| trial.values[at].1.as_str());
    let told: Vec<Told> = (0..keys.len()).map(|at| Told::of(values(at))).collect();
    let mut columns = HEAD.to_vec();
    for (key, told) in keys.into_iter().zip(&told) {
        // Columns live as long as the program, and a program writes one such table.
        columns.push(column(key.clone().leak(), told.kind(), "value of a swept key"));
    }
    columns.extend(TAIL);
    let mut sink = export::create(format, path, columns.leak())?;
    for trial in trials {
        let hash = trial.config.to_hex().to_string();
        let outcome = ended.get(&trial.number);
        let status = if matches!(outcome, Some(Ended::Done(_))) { "done" } else { "failed" };
        let mut row: Vec<Value<'_>> = vec![trial.number.into(), status.into(), hash.into()];
        row.extend(trial.values.iter().zip(&told).map(|((_, value), told)| told.value(value)));
        match outcome {
            Some(Ended::Done(results)) => row.extend(tail(results)),
            Some(Ended::Failed(why)) => {
                row.extend((1..TAIL.len()).map(|_| Value::Null));
                row.push(why.as_str().into());
            }
            None => unreachable!("a table is written when every trial has ended"),
        }
        sink.row(&row)?;
    }
    sink.finish()
}

fn tail(results: &Results) -> [Value<'_>; TAIL.len()] {
    let rate = Interval::of(results.wins, results.closed);
    let rate = |pick: fn(Interval) -> f64| {
        rate.and_then(|rate| Share::of_f64(pick(rate)))
            .map_or(Value::Null, |share| Value::Decimal(share.0))
    };
    [
        results.digest.as_str().into(),
        results.books_lost.into(),
        results.orders.into(),
        results.fills.into(),
        results.closed.into(),
        results.wins.into(),
        rate(|rate| rate.share),
        rate(|rate| rate.low),
        rate(|rate| rate.high),
        results.realized.into(),
        results.fees.into(),
        results.funding.into(),
        results.unrealized.into(),
        results.total.into(),
        results.max_drawdown.into(),
        results.max_drawdown_share.into(),
        results.returns.into(),
        results.return_mean.into(),
        results.return_deviation.into(),
        results.return_skewness.into(),
        results.return_kurtosis.into(),
        match results.not_credible.as_str() {
            "" => Value::Null,
            codes => codes.into(),
        },
        Value::Null,
    ]
}

impl<const SCALE: u32> From<Fixed<SCALE>> for Value<'_> {
    fn from(value: Fixed<SCALE>) -> Self {
        Self::Decimal(value.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page that describes the table.
    const PAGE: &str = include_str!("../../../docs/sweep.md");

    #[test]
    fn the_page_describes_every_column() {
        let (_, section) = PAGE.split_once("\n## The table\n").unwrap();
        let found: Vec<_> = section.lines().filter(|line| line.starts_with("| `")).collect();
        for c in HEAD.iter().chain(&TAIL) {
            let line = format!("| `{}` | `{}` | {} |", c.name, c.kind, c.about);
            assert!(found.contains(&line.as_str()), "not on the page: {line}");
        }
        assert_eq!(found.len(), HEAD.len() + TAIL.len() + 1, "and one line for the swept keys");
    }

    fn trial(number: u64, values: &[(&str, &str)]) -> Trial {
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Trial { number, values: values.collect(), config: blake3::hash(&number.to_le_bytes()) }
    }

    #[test]
    fn a_row_has_the_values_and_what_came_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.csv");
        let trials = [
            trial(
                1,
                &[("run.seed", "1"), ("quoter.half_spread_bp", "1.5"), ("run.strategy", "taker")],
            ),
            trial(
                2,
                &[("run.seed", "2"), ("quoter.half_spread_bp", "2"), ("run.strategy", "grid")],
            ),
        ];
        let ended = BTreeMap::from([
            (1, Ended::Done(Box::new(Results::example()))),
            (2, Ended::Failed("no room".to_owned())),
        ]);
        write(&path, Format::Csv, &trials, &ended).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(
            "trial,status,config,run.seed,quoter.half_spread_bp,run.strategy,digest,"
        ));
        assert!(
            lines[1].contains(",1,1.5,taker,0aff,0,44,38,14,1,0.071429,0.012722,0.314687,-2.4472,"),
            "{}",
            lines[1]
        );
        assert!(
            lines[2].contains(",2,2,grid,,,") && lines[2].ends_with(",no room"),
            "{}",
            lines[2]
        );
        assert!(!folder.path().join("results.partial").exists());
    }

    #[test]
    fn a_table_that_can_not_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.csv");
        fs::create_dir(&path).unwrap();
        let ended = BTreeMap::from([(1, Ended::Failed("no room".to_owned()))]);
        let Failure(lines) = write(&path, Format::Csv, &[trial(1, &[])], &ended).unwrap_err();
        assert!(lines[0].contains("results.csv: "), "{lines:?}");
        assert!(!folder.path().join("results.partial").exists());
    }
}
