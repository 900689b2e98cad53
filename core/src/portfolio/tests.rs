//! The fold under what a network and a forgetful venue do to reports.

mod faults;
