//! The journal as a whole: written, read, cut, damaged, recovered.

use std::path::Path;

use super::*;
use crate::kill::KillSwitch;
use crate::lane::{Lane, RecordKind};

mod rig;
mod whole;
