//! What can be wrong with a scenario, and how it is told.
//!
//! Every error names the file, the line and column, the dotted key, what was expected, and the
//! nearest thing that would have been right. Several are told at once.

use std::fmt;

use squall_protocol::topic::TopicError;

use crate::model::target::UrlError;
use crate::model::threshold::ThresholdError;
use crate::overrides::OverrideError;
use crate::template::TemplateError;
use crate::text::choice::{Choice, nearest};
use crate::text::location::{At, KeyPath};
use crate::text::source::{Place, Sources, Span};
use crate::text::units::{Quantity, UnitError};

/// Everything that is wrong with a scenario: at least one error, in the order of the text.
///
/// `Display` gives the whole report, with the lines in question.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", render_all(self))]
pub struct ScenarioErrors {
    errors: Vec<ScenarioError>,
    /// Errors behind those, which are counted and not told.
    further: usize,
}

/// Errors that are told one by one. Behind so many a person mends the first and looks again.
const ERRORS_SHOWN_MAX: usize = 30;

/// Characters of one value, name or list of names that an error shows.
const TEXT_SHOWN_MAX: usize = 600;

impl ScenarioErrors {
    /// The first 30, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &ScenarioError> {
        self.errors.iter()
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScenarioError {
    /// What.
    pub problem: Problem,
    /// Dotted key as `--set` takes it; empty for the file as a whole.
    pub key: String,
    place: Place,
}

impl ScenarioError {
    /// The file as it was named, or `--set`.
    pub fn file(&self) -> &str {
        &self.place.file
    }

    /// From 1.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// In characters, from 1.
    pub fn column(&self) -> usize {
        self.place.column
    }
}

impl fmt::Display for ScenarioError {
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
        if let Some(suggestion) = self.problem.suggestion() {
            write!(f, " did you mean `{}`?", shortened(suggestion))?;
        }
        writeln!(f)?;
        if !self.key.is_empty() {
            writeln!(f, "{:gutter$} = key: {}", "", shortened(self.key.clone()))?;
        }
        if let Some(expected) = self.problem.expected() {
            writeln!(f, "{:gutter$} = expected: {}", "", shortened(expected))?;
        }
        Ok(())
    }
}

/// `text`, with its middle left out where it would fill a screen: a value of the file may be a page
/// long, and what is wrong with it stands behind it.
fn shortened(text: String) -> String {
    let length = text.chars().count();
    if length <= TEXT_SHOWN_MAX {
        return text;
    }
    let head: String = text.chars().take(TEXT_SHOWN_MAX / 4).collect();
    let tail: String = text.chars().skip(length - TEXT_SHOWN_MAX / 2).collect();
    format!("{head}…{tail}")
}

fn render_all(errors: &ScenarioErrors) -> String {
    let mut texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let total = errors.errors.len() + errors.further;
    if errors.further > 0 {
        texts.push(format!(
            "{total} errors, of which the first {ERRORS_SHOWN_MAX} are shown\n"
        ));
    } else if total > 1 {
        texts.push(format!("{total} errors\n"));
    }
    texts.join("\n")
}

/// What is wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The text is no TOML.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// A document of the right shape that the types of the format refuse all the same.
    #[error("{message}")]
    Unreadable {
        /// What they say.
        message: String,
    },
    /// A key that the format does not have here.
    #[error("unknown key `{key}` in {place}")]
    UnknownKey {
        /// As written.
        key: String,
        /// The block.
        place: String,
        /// Keys that it has.
        known: Vec<String>,
    },
    /// A part of the format that this version does not carry out.
    #[error("{what} is not supported yet")]
    NotSupportedYet {
        /// The key or value.
        what: String,
    },
    /// A key without which a block says nothing.
    #[error("{place} lacks {}", one_of(keys))]
    MissingKey {
        /// The block.
        place: String,
        /// One of these has to be there.
        keys: Vec<String>,
    },
    /// A string where a number should be, and the like.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// Kinds that fit.
        expected: String,
        /// The kind that is there.
        found: &'static str,
    },
    /// A word that is none of those allowed.
    #[error("unknown value {value:?} of `{key}`")]
    UnknownValue {
        /// Whose value.
        key: String,
        /// As written.
        value: String,
        /// Words that are allowed.
        known: Vec<String>,
    },
    /// A text that is no quantity, or of the wrong kind.
    #[error("{value:?} is not {}: {error}", quantity.expected())]
    BadQuantity {
        /// What should be there.
        quantity: Quantity,
        /// As written.
        value: String,
        /// What is wrong with it.
        error: UnitError,
    },
    /// A value beyond what is possible.
    #[error("{value} is out of range, it must be {range}")]
    OutOfRange {
        /// As understood.
        value: String,
        /// What is possible.
        range: String,
    },
    /// Keys of which only one can be there.
    #[error("{} exclude each other: keep one of them", list(keys, "and"))]
    Exclusive {
        /// Those that are there.
        keys: Vec<String>,
    },
    /// A key that makes no sense with what is beside it.
    #[error("`{key}` goes with {condition} only")]
    Misplaced {
        /// The key.
        key: String,
        /// With what it would make sense.
        condition: String,
    },
    /// A key without which another one means nothing.
    #[error("`{key}` is needed for {reason}")]
    Needed {
        /// The key that is missing.
        key: String,
        /// What needs it.
        reason: String,
    },
    /// A reference to something that is not there.
    #[error("no {kind} is named {name:?}")]
    UnknownName {
        /// `group`, `network` or `fault`.
        kind: &'static str,
        /// As written.
        name: String,
        /// Names that exist.
        known: Vec<String>,
    },
    /// A name that another block has.
    #[error("two {kind}s are named {name:?}")]
    DuplicateName {
        /// `group`, `network` or `fault`.
        kind: &'static str,
        /// As written.
        name: String,
    },
    /// A name that cannot be used as one.
    #[error("{name:?} is not a name: use 1 to 100 letters, digits, `-` and `_`")]
    BadName {
        /// As written.
        name: String,
    },
    /// A template that cannot be understood, or not here.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A topic that MQTT does not allow.
    #[error("{text:?}: {error}")]
    Topic {
        /// As written, or as rendered.
        text: String,
        /// The rule (§4.7).
        error: TopicError,
    },
    /// A url that is no address of a broker.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A threshold that cannot be understood.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// A `--set` that cannot be applied.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// Values that are possible one by one and contradict each other.
    #[error("{what}")]
    Contradiction {
        /// Both of them.
        what: String,
        /// What would be right.
        remedy: String,
    },
}

impl Problem {
    /// What was written where one of several words had to be, and those words.
    fn choice(&self) -> Option<Choice<'_>> {
        match self {
            Self::UnknownKey { key, known, .. } => Some(Choice::new(key, known)),
            Self::UnknownValue { value, known, .. } => Some(Choice::new(value, known)),
            Self::UnknownName { name, known, .. } => Some(Choice::new(name, known)),
            Self::Template(error) => error.choice(),
            Self::Threshold(error) => error.choice(),
            Self::Override(error) => error.choice(),
            Self::Syntax { .. }
            | Self::Unreadable { .. }
            | Self::NotSupportedYet { .. }
            | Self::MissingKey { .. }
            | Self::WrongType { .. }
            | Self::BadQuantity { .. }
            | Self::OutOfRange { .. }
            | Self::Exclusive { .. }
            | Self::Misplaced { .. }
            | Self::Needed { .. }
            | Self::DuplicateName { .. }
            | Self::BadName { .. }
            | Self::Topic { .. }
            | Self::Url(_)
            | Self::Contradiction { .. } => None,
        }
    }

    /// What would have been right.
    fn expected(&self) -> Option<String> {
        if let Self::Contradiction { remedy, .. } = self {
            return Some(remedy.clone());
        }
        let known = self.choice()?.known;
        match known {
            [] => None,
            [only] => Some(only.clone()),
            many => Some(format!("one of {}", many.join(", "))),
        }
    }

    /// The nearest thing to what is written.
    fn suggestion(&self) -> Option<String> {
        let Choice { written, known } = self.choice()?;
        nearest(written, known)
    }
}

fn one_of(keys: &[String]) -> String {
    match keys {
        [only] => format!("`{only}`"),
        many => format!("one of {}", list(many, "and")),
    }
}

/// `` `a`, `b` and `c` ``
fn list(keys: &[String], conjunction: &str) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}

/// Collects what is wrong, so that one look at a file tells all of it.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    found: Vec<(Span, KeyPath, Problem)>,
}

impl Diagnostics {
    /// Something is wrong with the value at `at`.
    pub(crate) fn value(&mut self, at: &At<'_>, problem: impl Into<Problem>) {
        self.push(at.span(), at.path().clone(), problem);
    }

    /// Something is wrong with the key at `at`, or with its being there.
    pub(crate) fn key(&mut self, at: &At<'_>, problem: impl Into<Problem>) {
        self.push(at.key_span(), at.path().clone(), problem);
    }

    /// Something is wrong at `span`.
    pub(crate) fn push(&mut self, span: Span, path: KeyPath, problem: impl Into<Problem>) {
        self.found.push((span, path, problem.into()));
    }

    /// Nothing, or every error in the order of the text.
    pub(crate) fn finish(mut self, sources: &Sources) -> Result<(), ScenarioErrors> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|(span, _, _)| span.start);
        let further = self.found.len().saturating_sub(ERRORS_SHOWN_MAX);
        let errors = self
            .found
            .into_iter()
            .take(ERRORS_SHOWN_MAX)
            .map(|(span, path, problem)| ScenarioError {
                problem,
                key: path.to_string(),
                place: sources.place(&span),
            })
            .collect();
        Err(ScenarioErrors { errors, further })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(problem: Problem) -> String {
        let text = "version = 1\nconut = 200\n";
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(12..17, KeyPath::default().key("conut"), problem);
        diagnostics
            .finish(&Sources::new("a.toml", text, &[]))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_report_shows_the_line_and_points_at_the_place() {
        let known = vec!["count".to_owned(), "name".to_owned()];

        let report = report(Problem::UnknownKey {
            key: "conut".to_owned(),
            place: "[[group]]".to_owned(),
            known,
        });

        assert_eq!(
            report,
            "error: unknown key `conut` in [[group]]\n \
             --> a.toml:2:1\n  \
             |\n\
             2 | conut = 200\n  \
             | ^^^^^ did you mean `count`?\n  \
             = key: conut\n  \
             = expected: one of count, name\n"
        );
    }

    #[test]
    fn a_suggestion_is_near_or_not_made() {
        let known = ["count", "client_id", "rate"];

        assert_eq!(nearest("conut", &known), Some("count".to_owned()));
        assert_eq!(nearest("clientid", &known), Some("client_id".to_owned()));
        assert_eq!(nearest("Rate", &known), Some("rate".to_owned()));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("x", &known), None);
    }

    /// Ten thousand mistakes are told as thirty and a number.
    #[test]
    fn many_errors_are_counted() {
        let mut diagnostics = Diagnostics::default();
        for start in 0..10_000 {
            let what = "x".repeat(5_000);
            let problem = Problem::NotSupportedYet { what };
            diagnostics.push(start..start + 1, KeyPath::default(), problem);
        }

        let text = "0".repeat(10_000);
        let errors = diagnostics
            .finish(&Sources::new("a.toml", &text, &[]))
            .unwrap_err();

        let report = errors.to_string();
        assert!(report.ends_with("10000 errors, of which the first 30 are shown\n"));
        assert!(report.len() < 40_000, "{} bytes", report.len());
    }

    #[test]
    fn errors_come_in_the_order_of_the_text() {
        let mut diagnostics = Diagnostics::default();
        for start in [8, 2, 5] {
            let what = format!("at {start}");
            diagnostics.push(
                start..start + 1,
                KeyPath::default(),
                Problem::NotSupportedYet { what },
            );
        }

        let errors = diagnostics
            .finish(&Sources::new("a.toml", "0123456789", &[]))
            .unwrap_err();

        let columns: Vec<usize> = errors.iter().map(ScenarioError::column).collect();
        assert_eq!(columns, [3, 6, 9]);
    }
}
