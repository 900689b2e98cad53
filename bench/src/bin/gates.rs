//! Ratios of Fusewire to its peers and to its floor, measured in turns in one run, against gates.
//!
//! Goals are shown and not enforced; a gate that is missed twice makes the exit code 1. `--json` prints
//! the table as JSON.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use fusewire_bench::gates;
use fusewire_bench::inputs::Inputs;
use fusewire_bench::memory;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let json = match arguments.as_slice() {
        [] => false,
        ["--json"] => true,
        [memory::ARGUMENT, folder] => return anonymous(Path::new(folder)),
        _ => return finish(say("usage: gates [--json]\n"), false),
    };
    let report = gates::run(Inputs::load());
    let mut out = io::stdout().lock();
    let written = if json { report.print_json(&mut out) } else { report.print_table(&mut out) };
    finish(written, report.passed)
}

/// What a child of this program does: one run over a folder, whose memory it tells.
fn anonymous(folder: &Path) -> ExitCode {
    match memory::run_over(folder) {
        Ok(kb) => finish(say(&format!("{kb}\n")), true),
        Err(why) => finish(writeln!(io::stderr().lock(), "{why}"), false),
    }
}

fn finish(written: io::Result<()>, passed: bool) -> ExitCode {
    if written.is_ok() && passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}
