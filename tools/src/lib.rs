//! The `fusewire` command: composition root, verbs and reports.
//!
//! Results go to stdout, logs and progress to stderr; exit 0 done, 1 it ran and the answer is "no",
//! 2 bad usage or unreadable input.

pub mod cli;
pub mod clock;
pub mod config;
pub mod credibility;
pub mod doctor;
pub mod engine;
pub mod export;
pub mod journal;
pub mod latency;
pub mod ledger;
pub mod meter;
pub mod outcome;
pub mod progress;
pub mod report;
pub mod signals;
pub mod sources;
pub mod sweep;
pub mod verbs;
