//! Standard output, whose reader may go away.

use std::io::{self, ErrorKind, Write as _};

use anyhow::Context as _;

use crate::exit::Failure;

/// Writes `text` to standard output.
///
/// A reader that has seen enough, as `head` has, is not an error; a full disk is one.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Ok(Err(error).context("cannot write to standard output")?)
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// As [`print()`], with an end of line.
pub fn print_line(text: &str) -> Result<(), Failure> {
    print(&format!("{text}\n"))
}
