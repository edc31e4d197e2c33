//! Standard error, whose reader may go away.

use std::io::{self, Write as _};

/// Writes a line to standard error.
///
/// What cannot be written there is dropped: a run of hours does not end because the reader of its
/// progress did, or because the disk with its log is full.
pub fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
