//! `import`: public history files become a capture.

use std::fmt::Write;
use std::path::PathBuf;

use fusewire_core::instrument::Market;
use fusewire_core::units::Nanos;
use fusewire_io::import::{self, Format, Import, Imported, Input, Options};

use crate::config::Config;
use crate::outcome::{Done, Failure, Outcome, print};
use crate::progress;

/// Turn public history files into a capture that replays without any decoding.
///
/// Plain, gzip and zstd files, and zip archives that hold one. The folder is made in one step at the end: an import
/// that was killed leaves nothing under its name, and the same command again goes on behind the last file that was
/// finished. A row that is wrong ends the import with its file and line, and nothing is left.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    fusewire import klines usdm_1m.csv.zst --out history/klines\n  \
    fusewire import binance-vision BTCUSDT-aggTrades-2025-05-*.zip --market usdm --out history/btc\n  \
    fusewire import tardis binance-futures_incremental_book_L2_2024-01-01_BTCUSDT.csv.gz --out history/book\n  \
    fusewire import funding usdm_funding.csv --out history/funding\n  \
    fusewire import collector recordings/usdm_btcusdt.ns.gz --out decoded/\n\n\
    Then: fusewire replay history/klines history/funding")]
pub struct Args {
    /// binance-vision, tardis, collector, klines, funding, open-interest or liquidations.
    format: Format,
    /// The files. Their order does not matter.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Folder to make. It must not be there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Market of the symbols: usdm, coinm or spot. Default: what the names of the files say (usdm_…), or the folders
    /// of a download.
    #[arg(long)]
    market: Option<Market>,
    /// The symbol of files that name none, or the only one that is wanted.
    #[arg(long)]
    symbol: Option<String>,
    /// Venue that is wanted, where a column names several.
    #[arg(long)]
    venue: Option<String>,
    /// What the files hold, where their names do not tell: aggTrades, klines, incremental_book_L2, …
    #[arg(long, value_name = "TYPE")]
    data_type: Option<String>,
    /// Length of the bars, such as 1m or 4h: refused when the data say another.
    #[arg(long, value_name = "LENGTH", value_parser = import::interval)]
    interval: Option<Nanos>,
    /// Hours by which the times of the files are ahead of UTC.
    #[arg(long, value_name = "HOURS", allow_hyphen_values = true, value_parser = clap::value_parser!(i8).range(-14..=14))]
    utc_offset: Option<i8>,
    /// Go on where bars are missing; the manifest lists them.
    #[arg(long)]
    allow_gaps: bool,
    /// Put rows in the order of time and take those that stand there twice once, where a public file needs it; both are
    /// counted. Rows of one id or time that differ are refused all the same.
    #[arg(long)]
    repair: bool,
    /// Print one JSON document about what was written.
    #[arg(long)]
    json: bool,
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the verb.
///
/// # Errors
/// A file that can not be read or is wrong, with its line, or a folder that can not be written.
pub fn run(args: &Args) -> Outcome {
    let config = Config::load(args.config.as_deref())?;
    let hours = i64::from(args.utc_offset.unwrap_or_default());
    let options = Options {
        market: args.market,
        symbol: args.symbol.clone(),
        venue: args.venue.clone(),
        data_type: args.data_type.clone(),
        interval: args.interval,
        allow_gaps: args.allow_gaps,
        repair: args.repair,
        shift_ns: -hours * 3_600 * Nanos::SECOND.cast_signed(),
    };
    let sizes = args.files.iter().filter_map(|file| std::fs::metadata(file).ok());
    let bar = progress::bytes(sizes.map(|facts| facts.len()).sum(), "import");
    let job = Import {
        format: args.format,
        files: &args.files,
        out: &args.out,
        options: &options,
        scan: config.manifest_options(),
        limits: config.capture_limits(),
    };
    let imported = import::import(&job, &mut |bytes| bar.set_position(bytes));
    let imported = imported.map_err(Failure::line)?;
    bar.finish_and_clear();
    print(&if args.json { json(&imported)? } else { text(&imported) })?;
    Ok(Done::Yes)
}

fn json(imported: &Imported) -> Result<String, Failure> {
    serde_json::to_string_pretty(imported).map(|text| text + "\n").map_err(Failure::line)
}

fn text(imported: &Imported) -> String {
    let mut text = String::new();
    for input in &imported.inputs {
        // Writing to a text can not fail.
        let _ = writeln!(text, "{}", input_line(input));
    }
    for tape in &imported.tapes {
        let [first, last] =
            [tape.first_ns, tape.last_ns].map(|ns| crate::journal::text::utc(Nanos(ns)));
        let _ = writeln!(
            text,
            "tape {}: {} frames from {first} to {last}, {} bytes",
            tape.file, tape.records, tape.bytes
        );
    }
    text
}

fn input_line(input: &Input) -> String {
    let facts = &input.facts;
    let mut line = format!("{}: {} messages", input.file, facts.rows());
    let streams = facts.streams.len();
    let _ = write!(line, " of {streams} stream{}", if streams == 1 { "" } else { "s" });
    if let Some(seconds) = facts.bar_s {
        let _ = write!(line, ", bars of {seconds} s");
    }
    for (count, what) in [
        (facts.skipped, "rows left out"),
        (facts.rounded, "numbers rounded"),
        (
            facts.averages_unknown,
            "forced orders at their limit, because their average price is unknown",
        ),
        (facts.bars_missing, "bars missing"),
        (facts.ids_missing, "ids missing"),
        (facts.rows_moved, "rows put in order"),
        (facts.rows_raised, "rows told with the later one in front of them"),
        (facts.rows_repeated, "repeated rows left out"),
    ] {
        if count > 0 {
            let _ = write!(line, ", {count} {what}");
        }
    }
    line
}
