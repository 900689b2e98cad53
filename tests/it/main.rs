//! End to end, one module a concern:
//!
//! - `import`: history files from the command line, recordings against their tapes, kills
//! - `books`: real captures end at the recorded touch, and the crossed-book detector fires
//! - `exhibits`: what the pages in `docs/exhibits` say was seen, and comes out again
//! - `credibility`: planted antipatterns are stamped, honest runs that lose are not
//! - `html_report`, `browser`: the page says what text and JSON say, and looks as it should
//! - `differential`: both decoders over every real frame and fixture
//! - `bad_input`: one clear line, exit 2, nothing written
//! - `commands`: every verb from the command line
//! - `synthetic`: synthetic captures through the whole program
//! - `allocation`: between decode and order nothing is allocated after warm-up
//! - `pipeline`: from frame to fill and back, the same every time
//! - `truncation`: a shorter capture gives a prefix of the longer run
//! - `warm_up`: strategies see and do not send, by the time of events
//! - `contract`: the message contract under a hostile strategy and a lossy way back
//! - `gate_and_wire`: the kill word between approval and wire
//! - `golden`: journals that some build recorded once come out again
//! - `kpi`: key figures against figures that are made another way
//! - `ledger_store`: the ledger in databases, each row once whenever the writer is killed
//! - `look_ahead`: a past that changes when its future is cut off is stamped
//! - `money`: funding, every exit path, a venue that misbehaves, and a ledger that it must agree with
//! - `journal`: journals from the command line
//! - `sparse`: captures without a book, and the antipattern of bars that fill what they touch
//! - `depth_bands`: sums of depth from history files, and what they leave of an assumed book
//! - `sweep`: many configurations over one capture, each run counted
//! - `smart_trend`: the strategy of bars through the whole program
//! - `runners`: threads, kill levels at any moment, latency gates
//! - `journal_capture`: a run over what a journal recorded is the run that it recorded

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "tests look at the messages that they are about"
)]

mod allocation;
mod bad_input;
mod books;
mod browser;
mod commands;
mod contract;
mod credibility;
mod depth_bands;
mod differential;
mod exhibits;
mod gate_and_wire;
mod golden;
mod html_report;
mod import;
mod journal;
mod journal_capture;
mod kpi;
mod ledger_store;
mod look_ahead;
mod money;
mod pipeline;
mod runners;
mod smart_trend;
mod sparse;
mod sweep;
mod synthetic;
mod truncation;
mod warm_up;
