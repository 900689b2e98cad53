//! A progress bar on stderr, only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `total` bytes. It hides itself when stderr is no terminal.
#[must_use]
pub fn bytes(total: u64, what: &'static str) -> ProgressBar {
    let style = "{msg:8} {bar:40} {percent:>3} % {decimal_bytes_per_sec:>12}  {eta}";
    let bar = ProgressBar::new(total).with_message(what);
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A bar over the trials of a sweep, of which some were done before.
#[must_use]
pub fn trials(total: u64, before: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message("sweep").with_position(before);
    match ProgressStyle::with_template("{msg:8} {bar:40} {human_pos}/{human_len} trials  {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A spinner that counts frames.
#[must_use]
pub fn count(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::no_length().with_message(what);
    match ProgressStyle::with_template("{msg:8} {spinner} {human_pos} frames  {per_sec}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A bar over so many events. It hides itself when stderr is no terminal.
#[must_use]
pub fn events(total: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(what);
    match ProgressStyle::with_template("{msg:8} {bar:40} {percent:>3} % {per_sec:>14}  {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
