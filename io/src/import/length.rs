//! How long the bars of a file are: the shortest distance of two of one symbol, which must be that of each symbol. What
//! was called five seconds and stood a minute apart once made a back-test that never was, and so would bars of five
//! minutes that are told as those of one: four minutes before they were over (X18).

use std::collections::BTreeMap;
use std::path::Path;

use fusewire_core::units::Nanos;

use super::FileJob;
use super::error::ImportError;
use super::klines::{CLOSE_TIME, OPEN_TIME, WHOSE, open};
use super::table::Table;
use super::time::{interval, interval_name};
use super::whose::{Whose, check_count};

/// Equal distances in a row that are bars of another length, and not bars that are missing: when at least so many ...
const EQUAL_STEPS_MIN: u64 = 5;
/// ... leave out at least so many bars. Minutes without a trade are missing irregularly: with half of them gone the
/// same distance comes twenty times in a row once in 10^12, with four of five gone five times in a row once in 10^5.
const EQUAL_MISSING_MIN: u64 = 20;

/// The bars of one symbol so far: the last, and the shortest distance of two with the line of the second.
struct Spacing {
    last: Nanos,
    shortest: Option<(Nanos, u64)>,
}

/// The length of the bars of a file.
///
/// # Errors
/// Symbols differ in it, what declares it says another one, or nothing tells it.
pub(super) fn length(job: &FileJob<'_>) -> Result<Nanos, ImportError> {
    let mut table = open(job)?;
    let spacings = spacings(job, &mut table)?;
    let shortest = spacings.iter().filter_map(|(symbol, seen)| Some((seen.shortest?, symbol)));
    let shortest = shortest.min();
    let name = table.name();
    let Some(((found, line), symbol)) = shortest else {
        return declared(job, name)?.map(|(length, _)| length).ok_or_else(|| {
            ImportError::of_file(
                name,
                "no two bars of a symbol, so nothing tells how long one is: pass --interval",
            )
        });
    };
    if !found.0.is_multiple_of(Nanos::SECOND) {
        let what = "two bars lie no whole number of seconds apart (X18)";
        return Err(ImportError::at(name, line, what));
    }
    if let Some((declared, by)) = declared(job, name)?.filter(|(declared, _)| found != *declared) {
        let [found, declared] = [found, declared].map(interval_name);
        let what = format!("bars of {found} stand here, and {by} says {declared} (X18)");
        return Err(ImportError::at(name, line, what));
    }
    // Where rows tell their ends, each is checked, and bars that are missing are missing.
    for (other, seen) in spacings.iter().filter(|_| !table.has(CLOSE_TIME)) {
        if let Some((apart, line)) = seen.shortest.filter(|(apart, _)| *apart != found) {
            let [apart, found] = [apart, found].map(interval_name);
            let what = format!(
                "bars of {other} stand {apart} apart or more, and those of {symbol} {found}: one length a file (X18)"
            );
            return Err(ImportError::at(name, line, what));
        }
    }
    Ok(found)
}

fn spacings(
    job: &FileJob<'_>,
    table: &mut Table,
) -> Result<BTreeMap<String, Spacing>, ImportError> {
    let (whose, only) = Whose::new(table, WHOSE, (job.market, job.options))?;
    let mut spacings: BTreeMap<String, Spacing> = BTreeMap::new();
    while table.next()? {
        let Some(symbol) = whose.symbol(table, only.as_ref())? else { continue };
        let at = table.time(OPEN_TIME)?;
        let Some(seen) = spacings.get_mut(&symbol) else {
            spacings.insert(symbol, Spacing { last: at, shortest: None });
            check_count(table, spacings.len())?;
            continue;
        };
        let apart = at.0.checked_sub(seen.last.0).filter(|ns| *ns > 0).map(Nanos);
        if let Some(apart) = apart
            && seen.shortest.is_none_or(|(shortest, _)| apart < shortest)
        {
            seen.shortest = Some((apart, table.line()));
        }
        seen.last = at;
    }
    Ok(spacings)
}

/// What the options or the name of the file say of the length.
fn declared<'a>(job: &'a FileJob<'_>, name: &str) -> Result<Option<(Nanos, &'a str)>, ImportError> {
    if let Some(length) = job.options.interval {
        return Ok(Some((length, "--interval")));
    }
    // BTCUSDT-1m-2024-01-01
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let part = stem.split('-').nth(1).and_then(|part| interval(part).ok());
    Ok(part.map(|length| (length, "the name of the file")))
}

/// The last bar of a symbol, and how often the distance in front of it came in a row.
pub(super) struct Steps {
    /// When the bar opened.
    pub(super) at: Nanos,
    apart: u64,
    count: u64,
    /// Line of the first bar of the row.
    line: u64,
}

impl Steps {
    pub(super) const fn new(at: Nanos) -> Self {
        Self { at, apart: 0, count: 0, line: 0 }
    }

    /// Takes the next bar.
    ///
    /// # Errors
    /// It is one more of bars of another length.
    pub(super) fn step(
        &mut self,
        table: &Table,
        symbol: &str,
        at: Nanos,
        length: Nanos,
    ) -> Result<(), ImportError> {
        let apart = at.0.saturating_sub(self.at.0);
        if apart != self.apart {
            *self = Self { at, apart, count: 0, line: table.line() };
        }
        (self.at, self.count) = (at, self.count + 1);
        let missing = (apart / length.0).saturating_sub(1).saturating_mul(self.count);
        if self.count < EQUAL_STEPS_MIN || missing < EQUAL_MISSING_MIN {
            return Ok(());
        }
        let [longer, length] = [Nanos(apart), length].map(interval_name);
        Err(ImportError::at(
            table.name(),
            self.line,
            format!(
                "{} bars of {symbol} in a row stand {longer} apart from here on, and the file has bars of {length} (X18)",
                self.count
            ),
        ))
    }
}
