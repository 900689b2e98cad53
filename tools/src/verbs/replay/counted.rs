//! `--registry`: the run counts as a trial, beside those of sweeps.

use fusewire_io::capture::Unit;

use crate::config::Config;
use crate::engine::{Plan, Setup};
use crate::outcome::Failure;
use crate::sweep::{CaptureId, Counted, Registry, captures_id, instruments_hash};

/// Writes down that the run begins; none without a registry. Recordings are read for their hashes, as by a sweep.
///
/// # Errors
/// A recording can not be read, or a registry not written.
pub(super) fn begin<'a>(
    registries: &'a [Registry],
    unit: Option<Unit>,
    config: &Config,
    plan: &Plan,
    setup: &Setup,
) -> Result<Option<Counted<'a>>, Failure> {
    if registries.is_empty() {
        return Ok(None);
    }
    let captures: Vec<CaptureId> = plan.sources().map(CaptureId::of).collect::<Result<_, _>>()?;
    let instruments: Vec<_> = setup.universe.iter().map(|(_, one)| one.clone()).collect();
    let symbols: Vec<String> = instruments.iter().map(|one| one.key()).collect();
    let unit = unit.map(|unit| unit.to_string());
    let hash = instruments_hash(&instruments);
    let captures = captures_id(&captures, unit.as_deref(), &symbols, &hash);
    Counted::replay(registries, config, captures, &setup.controls).map(Some)
}
