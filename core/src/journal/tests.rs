//! The journal as a whole: written, read, cut, damaged, recovered.

use std::path::Path;

use super::*;
use crate::kill::KillSwitch;
use crate::lane::{Lane, RecordKind};

mod any;
mod cut;
mod faults;
mod flip;
mod kill;
mod live;
mod power;
mod retention;
mod rig;
mod segments;
mod stamps;
mod story;
mod whole;
mod windows;
