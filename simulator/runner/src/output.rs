//! Standard output, whose reader may go away, and the width of terminals.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd;

use anyhow::Context as _;
use rustix::termios::tcgetwinsize;
use squall_reports::{Margins, wrapped};

use crate::exit::Failure;

/// How wide the terminal is that shows `output`, in columns; `None` for a file or a pipe.
pub fn columns(output: impl AsFd) -> Option<usize> {
    let size = tcgetwinsize(output).ok()?;
    // A terminal that does not know says 0.
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// `text` in lines that fit the terminal of standard output; those after the first begin at `next`.
pub fn fitted(text: &str, next: usize) -> String {
    let margins = Margins {
        first: 0,
        next,
        columns: columns(io::stdout()),
    };
    wrapped(text, margins)
}

/// `text` as lines below a heading, set in and fitted to the terminal.
pub fn below(text: &str) -> String {
    fitted(&format!("    {text}"), 4)
}

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

/// `text` as one word for a POSIX shell. No argument of a process has a null character.
pub fn shell_word(text: &str) -> Cow<'_, str> {
    shlex::try_quote(text).unwrap_or(Cow::Borrowed(text))
}
