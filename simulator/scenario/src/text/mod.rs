//! The text of a scenario: TOML whose every value knows its place, and the units of its values.
//!
//! Nothing here knows what a scenario is.

pub(crate) mod choice;
pub(crate) mod document;
pub(crate) mod location;
pub(crate) mod source;
pub(crate) mod toml_text;
pub mod units;
