//! One import from its files to its folder.

use std::cell::OnceCell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;

use super::between::{gaps, refuse_overlaps};
use super::error::ImportError;
use super::facts::Facts;
use super::kind::DataType;
use super::manifest::{Imported, Input, MANIFEST_NAME, Tape};
use super::recorded::Together;
use super::repair::{self, Repaired};
use super::sink::Sink;
use super::sort::{Sorter, merge, run_name};
use super::staging::{DoneFile, Staging, write_synced};
use super::{FileJob, Format, Options, Prices, depth, history, klines, recorded, tardis, trades};
use crate::capture::{CaptureLimits, market_of_name};
use crate::manifest::ManifestOptions;

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct Import<'a> {
    /// Format of the files.
    pub format: Format,
    /// The files. Their order does not matter.
    pub files: &'a [PathBuf],
    /// The folder that is to come to be.
    pub out: &'a Path,
    /// What the caller knows of the files.
    pub options: &'a Options,
    /// How recordings are judged.
    pub scan: ManifestOptions,
    /// Bounds of reading recordings.
    pub limits: CaptureLimits,
}

/// Imports. `progress` is called with the bytes of the files that are done.
///
/// # Errors
/// A file can not be read or is wrong, or the folder can not be written. Nothing is left then.
pub fn import(job: &Import<'_>, progress: &mut dyn FnMut(u64)) -> Result<Imported, ImportError> {
    refuse_idle(job)?;
    let mut files: Vec<&PathBuf> = job.files.iter().collect();
    // By name, so that equal times do not depend on the command line.
    files.sort_by_key(|path| (path.file_name().map(ToOwned::to_owned), (*path).clone()));
    let which = format!("{} {:?}", job.format.name(), job.options);
    let mut staging = Staging::open(job.out, &which)?;
    match run(job, &files, &mut staging, progress) {
        Ok(imported) => staging.finish().map(|()| imported),
        Err(error) => {
            staging.discard();
            Err(error)
        }
    }
}

/// What the caller says and a format does not ask for would be believed to have an effect.
fn refuse_idle(job: &Import<'_>) -> Result<(), ImportError> {
    let Options { market: _, symbol, venue, data_type, interval, allow_gaps, repair, shift_ns } =
        job.options;
    let is_table = match job.format {
        Format::Collector | Format::Tardis => false,
        Format::BinanceVision
        | Format::Klines
        | Format::Funding
        | Format::OpenInterest
        | Format::Liquidations => true,
    };
    let has_types = matches!(job.format, Format::BinanceVision | Format::Tardis);
    let has_bars = matches!(job.format, Format::BinanceVision | Format::Klines);
    let idle = [
        ("--symbol", symbol.is_some(), job.format != Format::Collector),
        ("--venue", venue.is_some(), is_table),
        ("--data-type", data_type.is_some(), has_types),
        ("--interval", interval.is_some(), has_bars),
        ("--allow-gaps", *allow_gaps, has_bars),
        ("--repair", *repair, is_table),
        ("--utc-offset", *shift_ns != 0, is_table),
    ];
    match idle.iter().find(|(_, is_said, applies)| *is_said && !applies) {
        Some((flag, ..)) => {
            let what = format!("{flag} does not apply to this format");
            Err(ImportError::of_file(job.format.name(), what))
        }
        None => Ok(()),
    }
}

fn run(
    job: &Import<'_>,
    files: &[&PathBuf],
    staging: &mut Staging,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, ImportError> {
    let mut done = Vec::new();
    let (mut market, mut bytes) = (None, 0);
    let all = Together::new(files, job.options, (&job.scan, job.limits));
    for path in files {
        let (input, of_file) = identity(path)?;
        let is_same = |other: &DoneFile| {
            (&other.input.file, &other.input.blake3) == (&input.file, &input.blake3)
        };
        if done.iter().any(is_same) {
            return Err(ImportError::of_file(&path.display().to_string(), "given twice"));
        }
        if job.format != Format::Collector {
            let name = path.display().to_string();
            let of_file = market_of(job, path)?;
            if market.is_some_and(|market| market != of_file) {
                return Err(ImportError::of_file(&name, "of another market than the others"));
            }
            market = Some(of_file);
        }
        let one = match staging.find_done(&input.file, input.bytes, &input.blake3) {
            Some(one) => one,
            None => {
                let one = read_file(job, path, input, (market, &all), staging)?;
                staging.note(one.clone())?;
                one
            }
        };
        done.push(one);
        bytes += of_file;
        progress(bytes);
    }
    refuse_overlaps(&done)?;
    gaps(&mut done, job.options)?;
    let tapes = tapes(job, &done, market, staging)?;
    let inputs = done.into_iter().map(|one| one.input).collect();
    let format = job.format.name().to_owned();
    let imported = Imported { version: Imported::VERSION, format, inputs, tapes };
    let path = staging.result().join(MANIFEST_NAME);
    let text = serde_json::to_string_pretty(&imported).map_err(io::Error::other);
    text.and_then(|text| write_synced(&path, (text + "\n").as_bytes()))
        .map_err(|error| ImportError::of_file(&path.display().to_string(), error))?;
    Ok(imported)
}

/// Name, length and hash of a file.
fn identity(path: &Path) -> Result<(Input, u64), ImportError> {
    let name = path.display().to_string();
    if let Ok(facts) = std::fs::metadata(path)
        && !facts.is_file()
    {
        let what = if facts.is_dir() {
            "is a folder: give the files in it"
        } else {
            "is no file: it is read more than once, so a pipe has to be saved first"
        };
        return Err(ImportError::of_file(&name, what));
    }
    let hash = || {
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut File::open(path)?, &mut hasher)?;
        Ok(hasher)
    };
    let hasher: blake3::Hasher = hash()
        .map_err(|error: io::Error| ImportError::of_file(&name, format!("cannot read: {error}")))?;
    let file = path.file_name().map(|file| file.to_string_lossy().into_owned());
    let bytes = hasher.count();
    let blake3 = hasher.finalize().to_hex().to_string();
    let input = Input { file: file.unwrap_or(name), bytes, blake3, facts: Facts::default() };
    Ok((input, bytes))
}

/// The market of a file, by the options, its name, or where it lay at the exchange's; files of Tardis say it
/// themselves.
fn market_of(job: &Import<'_>, path: &Path) -> Result<Market, ImportError> {
    let name = path.display().to_string();
    if let Some(market) = job.options.market.or_else(|| market_of_name(&name)) {
        return Ok(market);
    }
    let found = match job.format {
        Format::Tardis => tardis::market_of(path)?,
        Format::BinanceVision => market_of_folders(path),
        Format::Collector
        | Format::Klines
        | Format::Funding
        | Format::OpenInterest
        | Format::Liquidations => None,
    };
    found.ok_or_else(|| {
        ImportError::of_file(
            &name,
            "market unknown: pass --market usdm|coinm|spot, or name the file usdm_…",
        )
    })
}

/// `futures/um`, `futures/cm` or `spot` among the folders of a file, the nearest of them.
fn market_of_folders(path: &Path) -> Option<Market> {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    parts.iter().enumerate().rev().find_map(|(at, part)| {
        let in_futures = at > 0 && parts[at - 1] == "futures";
        match *part {
            "um" if in_futures => Some(Market::UsdM),
            "cm" if in_futures => Some(Market::CoinM),
            "spot" => Some(Market::Spot),
            _ => None,
        }
    })
}

fn read_file(
    job: &Import<'_>,
    path: &Path,
    mut input: Input,
    (market, all): (Option<Market>, &Together<'_>),
    staging: &Staging,
) -> Result<DoneFile, ImportError> {
    let name = path.display().to_string();
    let Some(market) = market else {
        let run = run_name(staging.next_run());
        input.facts = recorded::read(path, &staging.folder().join(&run), all)?;
        let tape = Some(recorded::tape_name(&name));
        return Ok(DoneFile { input, runs: vec![run], tape });
    };
    let kind = DataType::of(job.format, path, job.options.data_type.as_deref())
        .map_err(|what| ImportError::of_file(&name, what))?;
    let mut sorter = Sorter::new(staging.folder(), market, staging.next_run());
    let mut sink = Sink::new(&mut sorter);
    let is_mark = kind == DataType::MarkPriceKlines;
    let prices = if is_mark { Prices::Mark } else { Prices::Traded };
    let (options, folder) = (job.options, staging.folder());
    let file = FileJob { path, market, prices, options, folder, repaired: OnceCell::new() };
    let read = match kind {
        DataType::Klines | DataType::MarkPriceKlines => klines::read,
        DataType::AggTrades => trades::read_agg_trades,
        DataType::Trades => trades::read_trades,
        DataType::BookTicker => trades::read_tickers,
        DataType::FundingRate => history::read_funding,
        DataType::Metrics => history::read_interest,
        DataType::LiquidationSnapshot => history::read_liquidations,
        DataType::BookDepth => depth::read,
        DataType::IncrementalBookL2 => tardis::read_book,
        DataType::BookSnapshot => tardis::read_snapshots,
        DataType::DerivativeTicker => tardis::read_ticker,
        DataType::Liquidations => tardis::read_liquidations,
        DataType::TardisTrades => tardis::read_trades,
    };
    read(&file, &mut sink)?;
    input.facts = std::mem::take(&mut sink.facts);
    if let Some(Repaired { moved, repeated, skipped, .. }) = file.repaired.into_inner() {
        input.facts.rows_moved = moved;
        input.facts.rows_repeated = repeated;
        input.facts.skipped += skipped;
        repair::clear(folder).map_err(|error| ImportError::of_file(&name, error))?;
    }
    if input.facts.rows() == 0 {
        let skipped = input.facts.skipped;
        let what = format!("nothing to import: {skipped} rows were not asked for");
        return Err(ImportError::of_file(&name, what));
    }
    let runs = sorter.take_runs().map_err(|error| ImportError::of_file(&name, error))?;
    Ok(DoneFile { input, runs, tape: None })
}

/// Makes the tapes of the result. Runs stay where they are: it may have to be done again.
fn tapes(
    job: &Import<'_>,
    done: &[DoneFile],
    market: Option<Market>,
    staging: &Staging,
) -> Result<Vec<Tape>, ImportError> {
    let result = staging.result();
    let runs: Vec<String> = done.iter().flat_map(|one| one.runs.clone()).collect();
    let failed = |file: &str, error: &dyn std::fmt::Display| ImportError::of_file(file, error);
    if let Some(market) = market {
        let file = format!("{}_{}.tape", market.name(), job.format.name());
        let summary = merge(staging.folder(), &runs, market, &result.join(&file));
        let summary = summary.map_err(|error| failed(&file, &error))?;
        return Ok(vec![Tape::new(&file, market, &summary)]);
    }
    let mut tapes = Vec::new();
    for one in done {
        let file = one.tape.clone().unwrap_or_default();
        if tapes.iter().any(|tape: &Tape| tape.file == file) {
            return Err(failed(&file, &"two recordings would have this name"));
        }
        let run = one.runs.first().map(|run| staging.folder().join(run)).unwrap_or_default();
        let market = crate::tape::TapeReader::open(&run);
        let market = market.map_err(|error| failed(&file, &error))?.market();
        let summary = merge(staging.folder(), &one.runs, market, &result.join(&file));
        let summary = summary.map_err(|error| failed(&file, &error))?;
        tapes.push(Tape::new(&file, market, &summary));
    }
    Ok(tapes)
}
