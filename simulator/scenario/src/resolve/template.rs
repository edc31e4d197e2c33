//! Templates: what goes into them, and where one that is wrong is so.

use squall_toml::at::At;
use squall_toml::source::Span;

use super::Resolver;
use super::csv_table::CsvTable;
use crate::file::FeedFile;
use crate::template::{Fixed, Slip, Step};

impl Resolver<'_> {
    /// What stands for the same in all of `group`.
    pub(super) fn fixed<'f>(&'f self, group: &'f str) -> Fixed<'f> {
        Fixed {
            group,
            vars: &self.vars,
            feed: self.feed.as_deref(),
            seed: self.seed,
        }
    }

    /// Reads the file that a group's placeholders take from; the group's templates are resolved after it.
    pub(super) fn resolve_feed(&mut self, file: Option<&FeedFile>, at: &At<'_>) {
        self.feed = None;
        let Some(FeedFile { csv }) = file else { return };
        let read = self.surroundings.file(csv);
        let read = read.map_err(|error| error.to_string());
        match read.and_then(|bytes| CsvTable::read_all(&bytes)) {
            Ok(table) => self.feed = Some(table.into_columns()),
            Err(cause) => {
                let what = format!("no feed from {csv:?}: {cause}");
                let remedy = "a first row with the names of the columns, and at least one row";
                self.contradiction(&at.key("csv"), what, remedy.to_owned());
            }
        }
    }

    /// The template; `None` if anything is wrong with it, which is noted where it is.
    pub(super) fn or_note<T>(&mut self, template: Result<T, Vec<Slip>>, at: &At<'_>) -> Option<T> {
        let slips = match template {
            Ok(template) => return Some(template),
            Err(slips) => slips,
        };
        self.note_slips(slips, at, |at| at.span());
        None
    }

    /// Likewise for a template that is a key of its table.
    pub(super) fn or_note_key<T>(
        &mut self,
        template: Result<T, Vec<Slip>>,
        at: &At<'_>,
    ) -> Option<T> {
        let noted = template.map_err(|slips| self.note_slips(slips, at, |at| at.key_span()));
        noted.ok()
    }

    /// Notes what is wrong with a text, which stands at `span_of` its place.
    fn note_slips(&mut self, slips: Vec<Slip>, at: &At<'_>, span_of: fn(&At<'_>) -> Span) {
        for slip in slips {
            let at = slip.path.iter().fold(at.clone(), |at, step| match step {
                Step::Key(key) => at.key(key),
                Step::Item(index) => at.item(*index),
            });
            let span = span_of(&at);
            // Between its quotes a text is written as it is, unless something in it is escaped.
            let is_literal = span.len() == slip.text_bytes + 2;
            let span = match is_literal {
                true => span.start + 1 + slip.within.start..span.start + 1 + slip.within.end,
                false => span,
            };
            self.diagnostics.push(span, at.path().clone(), slip.error);
        }
    }
}
