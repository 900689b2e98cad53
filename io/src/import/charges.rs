//! What the charges of a file say together: whether their times are those of UTC, and whether they lie as far apart as
//! their rows tell. Single ones lie anywhere (an exchange that halted, a recorder that lost some), so most of them decide.

use fusewire_core::units::Nanos;

use super::error::ImportError;
use super::table::Table;

/// How far from its moment a charge may be stamped, in ns: the exchange writes some milliseconds behind it.
const LATE_NS: u64 = 60 * Nanos::SECOND;
const HOUR_NS: u64 = 3_600 * Nanos::SECOND;
/// The exchange's own distance of two charges, and the grid of the day on which they lie then.
const GRID_HOURS: u64 = 8;

/// Distances that are not the told ones, from which on they count as more than charges that are missing.
const CONTRADICTIONS_MIN: u64 = 2;

/// The charges of one symbol so far.
#[derive(Debug, Default)]
pub(super) struct Charges {
    count: u64,
    last: Option<(Nanos, u64)>,
    /// Distances of two charges, and those of them that are `GRID_HOURS`.
    apart: u64,
    on_step: u64,
    /// Charges that lie beside the grid, and the first of them with its line.
    beside: u64,
    first_beside: Option<(Nanos, u64)>,
    /// What the row before told of its interval, in hours.
    told: Option<u64>,
    /// Distances that are the told ones, and those that are not with the first of them.
    as_told: u64,
    otherwise: u64,
    first_otherwise: Option<Contradiction>,
    /// One that is not even a whole number of intervals: where an interval changes, the next row may tell of it.
    open: Option<Contradiction>,
}

/// A distance that is not what its row tells.
#[derive(Clone, Copy, Debug)]
struct Contradiction {
    line: u64,
    before: u64,
    told: u64,
    hours: u64,
}

impl Contradiction {
    fn error(self, table: &Table) -> ImportError {
        let Self { line, before, told, hours } = self;
        let what = format!(
            "funding_interval_hours {told} contradicts the times: charged {hours} h behind line {before}"
        );
        ImportError::at(table.name(), line, what)
    }
}

impl Charges {
    /// Takes the next charge and the hours of its interval, where its row tells them: above zero.
    ///
    /// # Errors
    /// The row before contradicted its own interval, and this one does not explain it.
    pub(super) fn add(
        &mut self,
        table: &Table,
        at: Nanos,
        told: Option<u64>,
    ) -> Result<(), ImportError> {
        let line = table.line();
        self.count += 1;
        let beside = at.0 % (GRID_HOURS * HOUR_NS);
        if beside > LATE_NS {
            self.beside += 1;
            self.first_beside.get_or_insert((at, line));
        }
        if let Some(open) = self.open.take()
            && told.is_none_or(|told| !open.hours.is_multiple_of(told))
        {
            return Err(open.error(table));
        }
        if let Some((last, before)) = self.last
            && let Some(apart) = at.0.checked_sub(last.0).filter(|apart| *apart > 0)
        {
            self.apart += 1;
            // Of an hour that is none nothing can be said.
            if let Some(hours) = whole_hours(apart) {
                self.on_step += u64::from(hours == GRID_HOURS);
                self.compare(told, hours, [before, line]);
            }
        }
        self.last = Some((at, line));
        self.told = told;
        Ok(())
    }

    fn compare(&mut self, told: Option<u64>, hours: u64, [before, line]: [u64; 2]) {
        let Some(now) = told else { return };
        let around = [now, self.told.unwrap_or(now)];
        if around.contains(&hours) {
            self.as_told += 1;
            return;
        }
        self.otherwise += 1;
        let found = Contradiction { line, before, told: now, hours };
        self.first_otherwise.get_or_insert(found);
        // A whole number of intervals: charges between the two are missing.
        if !around.iter().any(|told| hours.is_multiple_of(*told)) {
            self.open = Some(found);
        }
    }

    /// Judges all of them, at the end of the file.
    ///
    /// # Errors
    /// Most distances are not what the rows tell, or most charges lie beside the grid of UTC.
    pub(super) fn judge(
        &self,
        table: &Table,
        symbol: &str,
        is_shifted: bool,
    ) -> Result<(), ImportError> {
        let most = self
            .first_otherwise
            .filter(|_| self.otherwise >= CONTRADICTIONS_MIN && self.otherwise > self.as_told);
        if let Some(found) = self.open.or(most) {
            return Err(found.error(table));
        }
        let on_step = self.on_step * 2 > self.apart;
        let Some((at, line)) = self.first_beside.filter(|_| self.beside * 2 > self.count) else {
            return Ok(());
        };
        if is_shifted || !on_step {
            return Ok(());
        }
        let hours = at.0 % (GRID_HOURS * HOUR_NS) / HOUR_NS;
        let what = format!(
            "{symbol} is charged every {GRID_HOURS} h, and this is {hours} h beside 0, 8 and 16 o'clock UTC: give the \
             time zone of the file with --utc-offset"
        );
        Err(ImportError::at(table.name(), line, what))
    }
}

/// A distance as hours, if it is a whole number of them.
fn whole_hours(apart: u64) -> Option<u64> {
    let hours = (apart + LATE_NS) / HOUR_NS;
    (hours > 0 && apart.abs_diff(hours * HOUR_NS) <= LATE_NS).then_some(hours)
}
