//! TOML files: each value with the place where it was written, quantities with units, and reports
//! of everything that is wrong.
//!
//! `document` reads a file: `node` is its tree, `source` the text that it came from, `at` a place in it.
//! `quantity` reads and prints durations, sizes and bit rates; `value` takes one value of one kind
//! within one range. `mistake` names what can be wrong in any file, `report` collects the mistakes
//! and shows them with file, line, column, a caret and what to write instead, and `secret` hides what no error
//! may show. The crate that reads a
//! file knows what its keys mean. Nothing here opens a file: its text comes in.

pub mod at;
pub mod document;
mod hints;
pub mod mistake;
pub mod nearest;
pub mod node;
pub mod quantity;
pub mod quote;
pub mod report;
pub mod secret;
pub mod source;
pub mod value;
