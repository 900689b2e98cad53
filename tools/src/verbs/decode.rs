//! `decode`: frames in, one JSON line each out.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;
use fusewire_core::market::Decoded;
use fusewire_io::capture::{CaptureLimits, OpenOptions, Reader};
use fusewire_io::decode::{DecodeError, Decoder, differential, reference};
use fusewire_io::tape::TapeReader;
use fusewire_io::tape::format::MAGIC;

use crate::outcome::{Done, Failure, Outcome};

mod line;

/// Decode raw frames: one JSON line a frame, or a typed error with its byte offset.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire decode frames.txt\n  zcat usdm_btcusdt.ns.gz | head -5 | fusewire decode -\n  \
                  fusewire decode usdm_btcusdt.ns.gz --compare > /dev/null\n\n\
                  A line is a frame, or `<receive time> <frame>`. Recordings (gzip, zstd, cryptofeed) and \
                  tapes of an import are read too."
)]
pub struct Args {
    /// File of frames; `-` for standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Use the slow reference decoder.
    #[arg(long)]
    reference: bool,
    /// Use both decoders; a difference prints "mismatch":true and gives exit code 1.
    #[arg(long, conflicts_with = "reference")]
    compare: bool,
    /// Market of the frames: usdm, coinm or spot. Default: the file name's prefix, else usdm.
    #[arg(long)]
    market: Option<Market>,
}

/// Runs the verb.
///
/// # Errors
/// A file that can not be read.
pub fn run(args: &Args) -> Outcome {
    let stdin = args.file == Path::new("-");
    if !stdin && args.file.is_file() && TapeReader::is_one(&args.file).unwrap_or(false) {
        return tape(args);
    }
    let mut run = Run::new(args);
    let name = if stdin { "standard input".to_owned() } else { args.file.display().to_string() };
    let opened: io::Result<Box<dyn Read + Send>> = if stdin {
        Ok(Box::new(io::stdin()))
    } else {
        File::open(&args.file).map(|file| Box::new(file) as Box<dyn Read + Send>)
    };
    let failed = |error: io::Error| Failure::line(format!("{name}: {error}"));
    let input = opened.and_then(super::unpacked).map_err(failed)?;
    let read = run.input(&name, input);
    run.outcome(read)
}

/// Prints the frames of a tape, which hold messages as numbers: there is no JSON for the other decoder to read.
fn tape(args: &Args) -> Outcome {
    if args.reference || args.compare {
        let name = args.file.display();
        let what = "is a tape, which was decoded already: --reference and --compare do not apply";
        return Err(Failure::line(format!("{name}: {what}")));
    }
    let options = OpenOptions { market: args.market, ..OpenOptions::default() };
    let reader = Reader::open(&args.file, &options).map_err(Failure::line)?;
    let mut run = Run::new(&Args { market: reader.market(), file: args.file.clone(), ..*args });
    let read = run.records(reader);
    run.outcome(read)
}

/// Why the loop over the lines ended early.
enum Stop {
    /// Nobody reads our output any more, as after `| head`.
    Reader,
    /// Input or output failed.
    Failed(Failure),
}

enum Mode {
    Fast,
    Reference,
    Compare,
}

struct Run {
    mode: Mode,
    market: Market,
    decoder: Decoder,
    decoded: Decoded,
    out: io::BufWriter<io::Stdout>,
    mismatches: u64,
}

impl Run {
    fn new(args: &Args) -> Self {
        let market = args.market.or_else(|| market_of(&args.file)).unwrap_or(Market::UsdM);
        let mode = match (args.reference, args.compare) {
            (true, _) => Mode::Reference,
            (false, true) => Mode::Compare,
            (false, false) => Mode::Fast,
        };
        Self {
            mode,
            market,
            decoder: Decoder::new(market),
            decoded: Decoded::default(),
            out: io::BufWriter::new(io::stdout()),
            mismatches: 0,
        }
    }

    /// A recording of several connections, or lines of frames; told by how it begins.
    fn input(&mut self, name: &str, mut input: Box<dyn BufRead + Send>) -> Result<(), Stop> {
        let failed = |error| Stop::Failed(Failure::line(format!("{name}: {error}")));
        if input.fill_buf().map_err(failed)?.starts_with(&MAGIC) {
            return Err(failed(io::Error::other(
                "a tape is read from its file, not packed or from a pipe",
            )));
        }
        if is_recording(input.fill_buf().map_err(failed)?) {
            return self.recording(name, input);
        }
        self.lines(name, input)
    }

    /// Lines of frames, each with or without a receive time before it.
    fn lines(&mut self, name: &str, mut input: impl BufRead) -> Result<(), Stop> {
        let limit = CaptureLimits::default().line_bytes_max;
        let (mut line, mut number) = (Vec::new(), 0_u64);
        loop {
            line.clear();
            number += 1;
            let failed = |error| Stop::Failed(Failure::line(format!("{name}:{number}: {error}")));
            let taken = input
                .by_ref()
                .take(limit as u64 + 1)
                .read_until(b'\n', &mut line)
                .map_err(|e| failed(e.to_string()))?;
            if taken == 0 {
                return self.finish();
            }
            if taken > limit {
                return Err(failed(format!("the line is longer than {limit} bytes")));
            }
            let frame = without_time(line.trim_ascii());
            if !frame.is_empty() {
                self.frame(frame)?;
            }
        }
    }

    fn recording(&mut self, name: &str, input: Box<dyn BufRead + Send>) -> Result<(), Stop> {
        let options = OpenOptions { market: Some(self.market), ..OpenOptions::default() };
        let failed = |error| Stop::Failed(Failure::line(error));
        self.records(Reader::from_read(name, Box::new(input), &options).map_err(failed)?)
    }

    fn records(&mut self, mut reader: Reader) -> Result<(), Stop> {
        let failed = |error| Stop::Failed(Failure::line(error));
        while let Some(record) = reader.next().map_err(failed)? {
            self.frame(record.bytes)?;
        }
        self.finish()
    }

    fn frame(&mut self, frame: &[u8]) -> Result<(), Stop> {
        let result = self.decode(frame);
        let same = !matches!(self.mode, Mode::Compare) || differential(frame, self.market).is_ok();
        self.mismatches += u64::from(!same);
        let text = line::describe(frame, &self.decoded, result, same);
        self.write(text.as_bytes())
    }

    fn decode(&mut self, frame: &[u8]) -> Result<(), DecodeError> {
        match self.mode {
            Mode::Reference => reference::decode(frame, self.market, &mut self.decoded),
            Mode::Fast | Mode::Compare => self.decoder.decode(frame, &mut self.decoded),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.out.write_all(bytes).and_then(|()| self.out.write_all(b"\n")).map_err(stop)
    }

    /// What a run that ended like this comes to.
    fn outcome(&self, read: Result<(), Stop>) -> Outcome {
        match read {
            Ok(()) | Err(Stop::Reader) if self.mismatches > 0 => Ok(Done::No),
            Ok(()) | Err(Stop::Reader) => Ok(Done::Yes),
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }

    fn finish(&mut self) -> Result<(), Stop> {
        self.out.flush().map_err(stop)
    }
}

fn stop(error: io::Error) -> Stop {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Stop::Reader;
    }
    Stop::Failed(Failure::line(format!("stdout: {error}")))
}

fn market_of(path: &Path) -> Option<Market> {
    let name = path.file_name()?.to_str()?;
    name.split_once('_')?.0.parse().ok()
}

/// A recording of several connections, which has a format of its own.
fn is_recording(head: &[u8]) -> bool {
    let starts = [&b"{\"t\":\"header\""[..], b"configuration: ", b"https://", b"wss://"];
    let seconds = head.iter().position(|b| !b.is_ascii_digit() && *b != b'.');
    let timed = seconds.is_some_and(|at| at > 0 && head[at..].starts_with(b": "));
    timed || starts.iter().any(|start| head.starts_with(start))
}

/// The frame behind `<receive time> `, if one stands before it.
fn without_time(line: &[u8]) -> &[u8] {
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    match line.get(digits) {
        Some(b' ') if digits > 0 => line[digits..].trim_ascii(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receive_time_is_taken_off_and_a_bare_number_is_a_frame() {
        assert_eq!(without_time(b"1700000000000000000 {}"), b"{}");
        assert_eq!(without_time(b"{\"a\":1}"), b"{\"a\":1}");
        assert_eq!(without_time(b"5"), b"5");
    }

    #[test]
    fn recordings_are_told_from_lines_of_frames() {
        assert!(is_recording(b"1617647797.59: {}"));
        assert!(is_recording(b"{\"t\":\"header\",\"format\":2}"));
        assert!(!is_recording(b"{\"e\":\"trade\"}"));
        assert!(!is_recording(b"1617647797590000000 {}"));
    }
}
