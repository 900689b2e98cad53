//! The journal as a whole: written, read, cut, damaged, recovered.

use std::path::Path;

use super::*;
use crate::kill::KillSwitch;
use crate::lane::{Lane, RecordKind};

mod cut;
mod flip;
mod kill;
mod live;
mod power;
mod rig;
mod segments;
mod story;
mod whole;
