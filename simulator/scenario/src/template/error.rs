//! What can be wrong with a template.

use std::ops::Range;

use squall_toml::nearest::Choice;

/// Why a text is not a template, or not one that can stand in its place.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TemplateError {
    /// A brace that nothing closes.
    #[error("`{{` without `}}`; two of them, `{{{{`, stand for the character")]
    Unclosed,
    /// A brace that nothing opens.
    #[error("`}}` without `{{`; two of them, `}}}}`, stand for the character")]
    Stray,
    /// A name that no placeholder has.
    #[error("unknown placeholder `{{{written}}}`")]
    Unknown {
        /// The placeholder as it was written.
        written: String,
        /// The placeholders that make sense here.
        known: Vec<String>,
    },
    /// A placeholder that has no value, or too many, here.
    #[error("`{{{name}}}` cannot stand in {place}")]
    NotHere {
        /// The name of the placeholder.
        name: String,
        /// The text that it stands in, as `a topic`.
        place: &'static str,
        /// The placeholders that make sense here.
        known: Vec<String>,
    },
    /// A `{csv.x}` where the group has no `feed`.
    #[error("`{{csv.{name}}}` needs a file: the group has no `feed = {{ csv = \"…\" }}`")]
    NoFeed {
        /// The column as it was written.
        name: String,
    },
    /// A `{csv.x}` that the file of the group does not have.
    #[error("the group's CSV file has no column `{name}`")]
    UnknownColumn {
        /// The column as it was written.
        name: String,
        /// The columns that it has.
        known: Vec<String>,
    },
    /// A `{vars.x}` that `[vars]` does not have.
    #[error("`[vars]` has no `{name}`")]
    UnknownVar {
        /// The name as it was written.
        name: String,
        /// The variables that it has.
        known: Vec<String>,
    },
    /// What follows the name of a placeholder makes no sense.
    #[error("malformed `{{{written}}}`, write it like `{{{example}}}`")]
    Malformed {
        /// The placeholder as it was written.
        written: String,
        /// A correct placeholder of this name.
        example: &'static str,
    },
    /// A counter that would make a new topic of every message.
    #[error("`{{{name}}}` makes a new topic of every message: limit it, as in `{{{name} % 100}}`")]
    Unlimited {
        /// The name of the placeholder.
        name: &'static str,
    },
}

/// What other programs call a placeholder, and its name here.
const NAMES_ELSEWHERE: [(&str, &str); 12] = [
    ("now", "now_ms"),
    ("time", "now_ms"),
    ("timestamp", "now_ms"),
    ("device", "client_id"),
    ("device", "index"),
    ("id", "client_id"),
    ("id", "index"),
    ("i", "index"),
    ("counter", "seq"),
    ("guid", "uuid"),
    ("random", "rand.int"),
    ("rand.integer", "rand.int"),
];

impl TemplateError {
    /// The words of which the text had to be one, if that is the error.
    pub(crate) fn choice(&self) -> Option<Choice<'_>> {
        let (written, known, listed_in) = match self {
            Self::Unknown { written, known } => (written, known, "`squall explain`"),
            Self::NotHere { name, known, .. } => (name, known, "`squall explain`"),
            Self::UnknownVar { name, known } => (name, known, "the file"),
            Self::UnknownColumn { name, known } => (name, known, "the CSV file"),
            Self::Unclosed
            | Self::Stray
            | Self::NoFeed { .. }
            | Self::Malformed { .. }
            | Self::Unlimited { .. } => return None,
        };
        // What follows a name, as in `rand.int:1:9` and `seq % 9`, tells nothing about it.
        let name = written.split([':', ' ', '%']).next().unwrap_or(written);
        Some(Choice {
            written: name,
            known,
            listed_in,
            meant: &NAMES_ELSEWHERE,
        })
    }
}

/// Something that is wrong with a template, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Slip {
    /// From the value that was parsed to the text within it.
    pub(crate) path: Vec<Step>,
    /// Bytes of that text.
    pub(crate) text_bytes: usize,
    /// Its bytes that are wrong.
    pub(crate) within: Range<usize>,
    /// What is wrong.
    pub(crate) error: TemplateError,
}

/// A step into a JSON value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// To a member.
    Key(String),
    /// To an item.
    Item(usize),
}
