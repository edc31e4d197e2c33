//! What can be wrong with a scenario, beside the mistakes that any file can have.

use squall_protocol::topic::TopicError;
use squall_toml::at::KeyPath;
use squall_toml::mistake::Mistake;
use squall_toml::nearest::Choice;
use squall_toml::report;

use crate::file::examples;
use crate::model::sources::SourceError;
use crate::model::target::UrlError;
use crate::model::threshold::ThresholdError;
use crate::overrides::OverrideError;
use crate::template::TemplateError;

/// Everything that is wrong with a scenario: at least one error, in the order of the text.
///
/// `Display` gives the whole report, with the lines in question.
pub type ScenarioErrors = report::Errors<Problem>;

/// One thing that is wrong with a scenario, and where.
pub type ScenarioError = report::Error<Problem>;

/// Collects what is wrong with a scenario.
pub(crate) type Diagnostics = report::Diagnostics<Problem>;

/// What is wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A mistake of a kind that every file can have.
    #[error(transparent)]
    Mistake(#[from] Mistake),
    /// A document of the right shape that the types of the format refuse all the same.
    #[error("{message}")]
    Unreadable {
        /// The message of the types.
        message: String,
    },
    /// A block without a key that it must have.
    #[error("{place} lacks {}", one_of(keys))]
    MissingKey {
        /// The block that lacks it.
        place: String,
        /// One of these has to be there.
        keys: Vec<String>,
    },
    /// A whole number where a quantity with its unit belongs.
    #[error("expected {expected}, found an integer")]
    WithoutUnit {
        /// The kinds of value that fit.
        expected: String,
        /// The same number with a unit, as a line to paste.
        proposal: String,
    },
    /// Keys of which only one can be there.
    #[error("{} exclude each other: keep one of them", list(keys, "and"))]
    Exclusive {
        /// Those that are there.
        keys: Vec<String>,
    },
    /// A key that means nothing without another key or value.
    #[error("`{key}` goes with {condition} only")]
    Misplaced {
        /// The key that is out of place.
        key: String,
        /// What has to be there with it.
        condition: String,
    },
    /// A key without which another one means nothing.
    #[error("`{key}` is needed for {reason}")]
    Needed {
        /// The key that is missing, in the block of the key that needs it.
        key: String,
        /// What needs it.
        reason: String,
    },
    /// A reference to a block that the file does not have.
    #[error("no {kind} is named {name:?}")]
    UnknownName {
        /// `group`, `network` or `fault`.
        kind: &'static str,
        /// The name as it was written.
        name: String,
        /// Names that exist.
        known: Vec<String>,
    },
    /// A name that another block has.
    #[error("two {kind}s are named {name:?}")]
    DuplicateName {
        /// `group`, `network` or `fault`.
        kind: &'static str,
        /// The name as it was written.
        name: String,
    },
    /// A text that cannot be a name.
    #[error("{name:?} is not a name: use 1 to 100 letters, digits, `-` and `_`")]
    BadName {
        /// The text as it was written.
        name: String,
    },
    /// A template that cannot be understood, or not here.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A topic that MQTT does not allow.
    #[error("{text:?}: {error}")]
    Topic {
        /// The topic as it was written, or as a device renders it.
        text: String,
        /// The rule (§4.7).
        error: TopicError,
    },
    /// A url that is not the address of a broker.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Text that names no address to connect from.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A threshold that cannot be understood.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// A `--set` that cannot be applied.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// What is wrong is so in one combination of the matrix.
    #[error("this is so with {}", settings.join(" and "))]
    InCombination {
        /// The values of its axes, as `--set` takes them.
        settings: Vec<String>,
    },
    /// Values that are possible one by one and contradict each other.
    #[error("{what}")]
    Contradiction {
        /// Both of them.
        what: String,
        /// What would be right.
        remedy: String,
    },
}

/// What other programs call a key, and its name here.
const KEYS_ELSEWHERE: [(&str, &str); 6] = [
    ("version", "protocol"),
    ("address", "url"),
    ("broker", "url"),
    ("host", "url"),
    ("uri", "url"),
    ("command", "spawn"),
];

impl report::Problem for Problem {
    fn choice(&self) -> Option<Choice<'_>> {
        match self {
            Self::Mistake(mistake) => {
                let choice = mistake.choice("`squall explain`")?;
                Some(Choice {
                    meant: &KEYS_ELSEWHERE,
                    ..choice
                })
            }
            Self::Template(error) => error.choice(),
            Self::Threshold(error) => error.choice(),
            Self::Override(error) => error.choice(),
            Self::UnknownName { name, known, .. } => Some(Choice {
                written: name,
                known,
                listed_in: "the file",
                meant: &[],
            }),
            Self::Unreadable { .. }
            | Self::MissingKey { .. }
            | Self::WithoutUnit { .. }
            | Self::Exclusive { .. }
            | Self::Misplaced { .. }
            | Self::Needed { .. }
            | Self::DuplicateName { .. }
            | Self::BadName { .. }
            | Self::Topic { .. }
            | Self::Url(_)
            | Self::Source(_)
            | Self::InCombination { .. }
            | Self::Contradiction { .. } => None,
        }
    }

    fn remedy(&self) -> Option<String> {
        if let Self::Contradiction { remedy, .. } = self {
            return Some(remedy.clone());
        }
        None
    }

    fn example(&self, at: &KeyPath) -> Option<String> {
        if let Self::MissingKey { keys, .. } = self {
            return keys.iter().find_map(|key| examples::of(&at.key(key)));
        }
        if let Self::WithoutUnit { proposal, .. } = self {
            return Some(proposal.clone());
        }
        if let Self::Needed { key, .. } = self {
            return examples::of(&at.beside(key));
        }
        if let Self::Mistake(Mistake::WrongType { .. }) = self {
            return examples::of(at);
        }
        None
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
