//! Lines of words and of drawings.

use std::fmt::Write as _;

use squall_reports::{Margins, wrapped};

/// Columns of a drawing.
const COLUMNS: usize = 60;
/// Fewer than this draw nothing that can be read.
const COLUMNS_MIN: usize = 10;
/// Where a drawing begins, and further lines of words.
pub(super) const INDENT: usize = 4;

/// What is printed, and how wide its lines may be.
pub(super) struct Sheet {
    /// The lines so far.
    pub(super) text: String,
    /// Columns of a line at most; `None` where lines are not broken.
    pub(super) columns: Option<usize>,
}

impl Sheet {
    /// Adds a line of words, broken between them.
    pub(super) fn line(&mut self, content: &str) {
        let words = content.trim_start();
        let first = content.len() - words.len();
        let margins = Margins {
            first,
            next: first + INDENT,
            columns: self.columns,
        };
        self.text.push_str(&wrapped(words, margins));
    }

    /// Adds a line that is a drawing.
    pub(super) fn drawn(&mut self, content: &str) {
        writeln!(self.text, "{content}").expect("a string takes any text");
    }

    /// Columns of a drawing.
    pub(super) fn width(&self) -> usize {
        let room = self
            .columns
            .map_or(COLUMNS, |columns| columns.saturating_sub(INDENT));
        room.clamp(COLUMNS_MIN, COLUMNS)
    }
}
