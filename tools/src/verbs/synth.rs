//! `synth`: a deterministic synthetic capture in the exchange's wire format.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use fusewire_core::instrument::{Instrument, Market, common};
use fusewire_io::capture::Sidecar;
use fusewire_io::synth::{Options, Scenario, Synth};
use serde::Serialize;

use crate::outcome::{Done, Failure, Outcome, print};
use crate::progress;

/// Write a deterministic synthetic capture in real wire format.
///
/// The same options give the same bytes on every machine.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  fusewire synth calm --out usdm_btcusdt_calm.ns.gz\n  \
                  fusewire synth burst --out bursts/ --symbols BTCUSDT,ETHUSDT --minutes 10 --seed 7\n\n\
                  A path that ends in / (or is a folder) gets one file a symbol. The ending decides the \
                  compression: .gz, .zst, or none.")]
pub struct Args {
    /// calm, burst or grid-drift.
    scenario: Scenario,
    /// File or folder to write.
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Every seed is another market.
    #[arg(long, default_value_t = Options::default().seed)]
    seed: u64,
    /// USD-M symbols of the built-in table.
    #[arg(long, value_delimiter = ',', default_value = "BTCUSDT", value_name = "SYMBOL,..")]
    symbols: Vec<String>,
    /// Length in minutes of market time, 1 to 1440.
    #[arg(long, default_value_t = Options::default().minutes)]
    minutes: u32,
    /// Replace a file that is there. Empty ones and those that synth made are replaced anyway.
    #[arg(long)]
    force: bool,
    /// Print one JSON document about what was written.
    #[arg(long)]
    json: bool,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    path: String,
    symbols: Vec<String>,
    frames: u64,
    bytes: u64,
}

/// Runs the verb.
///
/// # Errors
/// Options out of bounds, or a path that can not be written. Nothing half-written stays behind.
pub fn run(args: &Args) -> Outcome {
    let instruments = args.symbols.iter().map(|s| instrument(s)).collect::<Result<Vec<_>, _>>()?;
    let options = Options {
        scenario: args.scenario,
        seed: args.seed,
        minutes: args.minutes,
        instruments,
        ..Options::default()
    };
    options.validate().map_err(Failure::line)?;
    let folder = args.out.is_dir() || args.out.to_string_lossy().ends_with('/');
    let paths = targets(&args.out, folder, &options);
    for (path, _) in &paths {
        check_target(path, args.force)?;
    }
    if folder {
        let failed = |error| Failure::line(format!("{}: {error}", args.out.display()));
        fs::create_dir_all(&args.out).map_err(failed)?;
    }
    let written: Vec<Written> =
        paths.iter().map(|(path, options)| write_file(path, options)).collect::<Result<_, _>>()?;
    if args.json {
        print(&(serde_json::to_string_pretty(&written).map_err(Failure::line)? + "\n"))?;
    } else {
        for file in &written {
            print(&format!(
                "{}: {} frames, {} bytes, {}\n",
                file.path,
                file.frames,
                file.bytes,
                file.symbols.join(" ")
            ))?;
        }
    }
    Ok(Done::Yes)
}

fn instrument(symbol: &str) -> Result<Instrument, Failure> {
    common(Market::UsdM, symbol).ok_or_else(|| {
        Failure::line(format!("unknown symbol: {symbol} is not in the built-in USD-M table"))
    })
}

/// What goes where: into a folder one file a symbol.
fn targets(out: &Path, folder: bool, options: &Options) -> Vec<(PathBuf, Options)> {
    if !folder {
        return vec![(out.to_owned(), options.clone())];
    }
    let one = |instrument: &Instrument| {
        let name = format!("usdm_{}_{}.ns.gz", instrument.symbol.to_lowercase(), options.scenario);
        (out.join(name), Options { instruments: vec![instrument.clone()], ..options.clone() })
    };
    options.instruments.iter().map(one).collect()
}

/// A recording can not be made again, so none is replaced unasked, and a device never; and a name must not
/// say another market or unit than the content.
fn check_target(path: &Path, force: bool) -> Result<(), Failure> {
    let refuse = |why: &str| Err(Failure::line(format!("{}: {why}", path.display())));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.starts_with("spot_") || name.starts_with("coinm_") {
        return refuse("synthetic captures are USD-M, and the name says another market");
    }
    if name.split('.').skip(1).any(|part| part == "us") {
        return refuse("synthetic captures are in ns, and the name says us");
    }
    let own = is_empty_or_synthetic(path);
    for path in [path.to_owned(), Sidecar::path(path)] {
        let refuse = |why: &str| Err(Failure::line(format!("{}: {why}", path.display())));
        match fs::symlink_metadata(&path) {
            Ok(data) if !data.is_file() => return refuse("not a regular file"),
            Ok(_) if !force && !own => return refuse("is there already (--force replaces it)"),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// True when nothing is lost by writing there: an empty file, or a capture that was made here and can be
/// made again.
fn is_empty_or_synthetic(path: &Path) -> bool {
    let empty = fs::metadata(path).is_ok_and(|data| data.len() == 0);
    let note = fs::read_to_string(Sidecar::path(path))
        .ok()
        .and_then(|text| serde_json::from_str::<Sidecar>(&text).ok())
        .and_then(|sidecar| sidecar.note);
    empty || note.is_some_and(|note| note.starts_with(NOTE_START))
}

/// How the note of a synthetic capture begins.
const NOTE_START: &str = "synthetic: ";

fn write_file(path: &Path, options: &Options) -> Result<Written, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::line(format!("{}: {error}", path.display()));
    let mut synth = Synth::new(options).map_err(|error| failed(&error))?;
    // Written beside its place and moved there when it is whole.
    let mut name = path.file_name().ok_or_else(|| failed(&"no file name"))?.to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let frames = write_lines(&partial, path, &mut synth).inspect_err(|_| {
        // The partial file may not exist; the error that counts is the first.
        let _ = fs::remove_file(&partial);
    });
    let frames = frames.map_err(|error| failed(&error))?;
    let symbols: Vec<String> = options.instruments.iter().map(|i| i.symbol.clone()).collect();
    // The sidecar first: a capture under its final name is complete.
    sidecar(options, &symbols).write(path).map_err(Failure::line)?;
    fs::rename(&partial, path).map_err(|error| failed(&error))?;
    let bytes = fs::metadata(path).map_err(|error| failed(&error))?.len();
    Ok(Written { path: path.display().to_string(), symbols, frames, bytes })
}

fn sidecar(options: &Options, symbols: &[String]) -> Sidecar {
    Sidecar {
        version: Sidecar::VERSION,
        market: Market::UsdM.name().to_owned(),
        unit: "ns".to_owned(),
        symbols: symbols.to_vec(),
        note: Some(format!(
            "{NOTE_START}{}, seed {}, {} min",
            options.scenario, options.seed, options.minutes
        )),
    }
}

fn write_lines(partial: &Path, path: &Path, synth: &mut Synth) -> std::io::Result<u64> {
    let file = BufWriter::new(File::create(partial)?);
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending {
        Some("gz") => {
            let mut out = GzEncoder::new(file, Compression::default());
            let frames = pour(synth, &mut out)?;
            out.finish()?.flush()?;
            Ok(frames)
        }
        Some("zst") => {
            let mut out = zstd::Encoder::new(file, 0)?;
            let frames = pour(synth, &mut out)?;
            out.finish()?.flush()?;
            Ok(frames)
        }
        _ => {
            let mut out = file;
            let frames = pour(synth, &mut out)?;
            out.flush()?;
            Ok(frames)
        }
    }
}

fn pour(synth: &mut Synth, out: &mut dyn Write) -> std::io::Result<u64> {
    let bar = progress::count("synth");
    let (mut line, mut frames) = (Vec::new(), 0_u64);
    while synth.next_line(&mut line) {
        out.write_all(&line)?;
        line.clear();
        frames += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(frames)
}
