//! Reports: every mistake of a file, with its place, the line, a caret and what to write instead.
//!
//! A report is bounded, whatever the file holds: of a long value the middle is left out, and behind
//! [`ERRORS_SHOWN_MAX`] errors the others are only counted.

use std::fmt::{self, Debug, Display};

use crate::at::{At, KeyPath};
use crate::nearest::Choice;
use crate::source::{Place, Sources, Span, printable};

/// Errors that are shown one by one; a reader who has more mends these first.
pub const ERRORS_SHOWN_MAX: usize = 30;

/// Characters of one value, name or list of names that an error shows.
const TEXT_SHOWN_MAX: usize = 600;

/// What can be wrong with files of one kind. `Display` says what it is.
pub trait Problem: Debug + Display {
    /// The words of which a text had to be one, if that is the problem.
    fn choice(&self) -> Option<Choice<'_>>;

    /// What would be right, in words, where [`Self::choice`] does not say it.
    fn remedy(&self) -> Option<String>;

    /// Lines to paste for the value at `at`, if an example helps.
    fn example(&self, at: &KeyPath) -> Option<String>;
}

/// Everything that is wrong with a file: at least one error, in the order of the text.
///
/// `Display` gives the whole report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Errors<P> {
    errors: Vec<Error<P>>,
    /// Errors behind those, which are counted only.
    further: usize,
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error<P> {
    /// What is wrong.
    pub problem: P,
    path: KeyPath,
    place: Place,
}

impl<P> Errors<P> {
    /// The first [`ERRORS_SHOWN_MAX`] errors.
    pub fn iter(&self) -> impl Iterator<Item = &Error<P>> {
        self.errors.iter()
    }

    /// These, and `others` behind them.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.errors.extend(others.errors);
        self.further += others.further;
        self
    }
}

impl<P> Error<P> {
    /// The file as it was named, or `--set`.
    pub fn file(&self) -> &str {
        &self.place.file
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// The column in characters, counted from 1.
    pub fn column(&self) -> usize {
        self.place.column
    }

    /// The dotted key, empty for the file as a whole.
    pub fn key(&self) -> String {
        self.path.to_string()
    }
}

impl<P: Problem> Display for Error<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            file, line, column, ..
        } = &self.place;
        let gutter = line.to_string().len();
        writeln!(f, "error: {}", shortened(self.problem.to_string()))?;
        writeln!(f, "{:gutter$}--> {file}:{line}:{column}", "")?;
        writeln!(f, "{:gutter$} |", "")?;
        let (line_text, caret) = self.place.excerpt();
        writeln!(f, "{line} | {line_text}")?;
        write!(f, "{:gutter$} | {caret}", "")?;
        let choice = self.problem.choice();
        if let Some(suggestion) = choice.and_then(|choice| choice.nearest()) {
            write!(f, " did you mean `{}`?", shortened(suggestion))?;
        }
        writeln!(f)?;
        if !self.path.is_root() {
            writeln!(f, "{:gutter$} = key: {}", "", shortened(self.key()))?;
        }
        let listed = choice.and_then(|choice| choice.listed());
        if let Some(expected) = self.problem.remedy().or(listed) {
            writeln!(f, "{:gutter$} = expected: {}", "", shortened(expected))?;
        }
        if let Some(example) = self.problem.example(&self.path) {
            match example.contains('\n') {
                false => writeln!(f, "{:gutter$} = example: {example}", "")?,
                // Without a margin, so that the lines can be pasted.
                true => writeln!(f, "{:gutter$} = example:\n{example}", "")?,
            }
        }
        Ok(())
    }
}

impl<P: Problem> Display for Errors<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.errors.iter().enumerate() {
            let gap = if n > 0 { "\n" } else { "" };
            write!(f, "{gap}{error}")?;
        }
        let total = self.errors.len() + self.further;
        if self.further > 0 {
            writeln!(
                f,
                "\n{total} errors, of which the first {ERRORS_SHOWN_MAX} are shown"
            )?;
        } else if total > 1 {
            writeln!(f, "\n{total} errors")?;
        }
        Ok(())
    }
}

impl<P: Problem> std::error::Error for Errors<P> {}

/// `text` without control characters, and with its middle left out where it would fill a screen: a
/// value may be a page long, and what is wrong with it stands behind it.
fn shortened(text: String) -> String {
    let length = text.chars().count();
    if length <= TEXT_SHOWN_MAX {
        return printable(&text);
    }
    let head: String = text.chars().take(TEXT_SHOWN_MAX / 4).collect();
    let tail: String = text.chars().skip(length - TEXT_SHOWN_MAX / 2).collect();
    printable(&format!("{head}…{tail}"))
}

/// Collects what is wrong, so that one report shows every mistake of a file.
#[derive(Debug)]
pub struct Diagnostics<P> {
    found: Vec<(Span, KeyPath, P)>,
}

impl<P> Default for Diagnostics<P> {
    fn default() -> Self {
        Self { found: Vec::new() }
    }
}

impl<P> Diagnostics<P> {
    /// Whether nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Notes that something is wrong with the value at `at`.
    pub fn value(&mut self, at: &At<'_>, problem: impl Into<P>) {
        self.push(at.span(), at.path().clone(), problem);
    }

    /// Notes that something is wrong with the key at `at`, or with its being there.
    pub fn key(&mut self, at: &At<'_>, problem: impl Into<P>) {
        self.push(at.key_span(), at.path().clone(), problem);
    }

    /// Notes that something is wrong at `span`.
    pub fn push(&mut self, span: Span, path: KeyPath, problem: impl Into<P>) {
        self.found.push((span, path, problem.into()));
    }

    /// Nothing, or every error in the order of the text.
    ///
    /// # Errors
    /// All that was noted.
    pub fn finish(self, sources: &Sources) -> Result<(), Errors<P>> {
        match self.found.is_empty() {
            true => Ok(()),
            false => Err(self.into_errors(sources)),
        }
    }

    /// What was noted, in the order of the text.
    pub fn into_errors(mut self, sources: &Sources) -> Errors<P> {
        self.found.sort_by_key(|(span, _, _)| span.start);
        let further = self.found.len().saturating_sub(ERRORS_SHOWN_MAX);
        let shown = self.found.into_iter().take(ERRORS_SHOWN_MAX);
        let errors = shown.map(|(span, path, problem)| Error {
            problem,
            path,
            place: sources.place(&span),
        });
        Errors {
            errors: errors.collect(),
            further,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word that was wrong, where `count` or `name` would be right.
    #[derive(Debug)]
    struct Slip(String, Vec<String>);

    impl Slip {
        fn new(written: &str) -> Self {
            let known = ["count", "name"].map(str::to_owned);
            Self(written.to_owned(), known.to_vec())
        }
    }

    impl Display for Slip {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "unknown key `{}`", self.0)
        }
    }

    impl Problem for Slip {
        fn choice(&self) -> Option<Choice<'_>> {
            Some(Choice {
                written: &self.0,
                known: &self.1,
                listed_in: "`help`",
                meant: &[],
            })
        }

        fn remedy(&self) -> Option<String> {
            None
        }

        fn example(&self, at: &KeyPath) -> Option<String> {
            (!at.is_root()).then(|| "[table]\ncount = 1".to_owned())
        }
    }

    fn sources(text: &str) -> Sources {
        Sources::new("a.toml", text, &[])
    }

    #[test]
    fn a_report_shows_the_line_the_place_and_what_to_write() {
        let mut diagnostics: Diagnostics<Slip> = Diagnostics::default();
        let path = KeyPath::default().key("conut");
        diagnostics.push(12..17, path, Slip::new("conut"));

        let report = diagnostics
            .finish(&sources("version = 1\nconut = 200\n"))
            .unwrap_err()
            .to_string();

        assert_eq!(
            report,
            "error: unknown key `conut`\n \
             --> a.toml:2:1\n  \
             |\n\
             2 | conut = 200\n  \
             | ^^^^^ did you mean `count`?\n  \
             = key: conut\n  \
             = expected: one of count, name\n  \
             = example:\n\
             [table]\n\
             count = 1\n"
        );
    }

    /// Ten thousand mistakes are shown as thirty and a number.
    #[test]
    fn many_errors_are_counted() {
        let mut diagnostics: Diagnostics<Slip> = Diagnostics::default();
        for start in 0..10_000 {
            let slip = Slip::new(&"x".repeat(5_000));
            diagnostics.push(start..start + 1, KeyPath::default(), slip);
        }

        let errors = diagnostics.finish(&sources(&"0".repeat(10_000)));

        let report = errors.unwrap_err().to_string();
        assert!(report.ends_with("10000 errors, of which the first 30 are shown\n"));
        assert!(report.len() < 40_000, "{} bytes", report.len());
    }

    #[test]
    fn errors_come_in_the_order_of_the_text() {
        let mut diagnostics: Diagnostics<Slip> = Diagnostics::default();
        for start in [8, 2, 5] {
            diagnostics.push(start..start + 1, KeyPath::default(), Slip::new("x"));
        }

        let errors = diagnostics.finish(&sources("0123456789")).unwrap_err();

        let columns: Vec<usize> = errors.iter().map(Error::column).collect();
        assert_eq!(columns, [3, 6, 9]);
    }
}
