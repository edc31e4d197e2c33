//! The reference of the format says everything about every key, and all that it says is true.
//!
//! What it shows is put into the scenarios of `hosts`, at each place where it may stand, and read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod actions;
mod completeness;
mod editor;
mod explained;
mod host;
mod truth;
