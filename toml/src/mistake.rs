//! What can be wrong with a value or a key, whatever the file is about.

use crate::nearest::Choice;
use crate::quantity::{Quantity, UnitError};

/// One mistake of a kind that every file can have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Mistake {
    /// The text is not TOML.
    #[error("{message}")]
    Syntax {
        /// The parser's message.
        message: String,
    },
    /// A byte that does not belong to UTF-8 text.
    #[error("not UTF-8 text from here on: save the file in the encoding UTF-8")]
    NotUtf8,
    /// A line that ends with CR alone.
    #[error(
        "a line ends with a carriage return alone: save the file with the line ends LF or CR LF"
    )]
    BareCarriageReturn,
    /// A character that cannot be seen, where TOML does not allow it.
    #[error(
        "a character that cannot be seen, U+{code:04X} ({name}): put a plain space there, or nothing"
    )]
    Unseen {
        /// Its number in Unicode.
        code: u32,
        /// What it is called.
        name: &'static str,
    },
    /// `[name]` where `[[name]]` follows.
    #[error("`{name}` may be there several times: write `[[{name}]]` each time")]
    OneTable {
        /// The name of the table.
        name: String,
    },
    /// `[name]` for the second time.
    #[error(
        "`[{name}]` is there twice: write `[[{name}]]` each time if it may be there several times, else join the two"
    )]
    TableAgain {
        /// The name of the table.
        name: String,
    },
    /// A header of a part, as `[[group.publish]]`, without the block that it is a part of.
    #[error(
        "`{part}` belongs to a `[[{name}]]`, and there is none before it: is the header above it misspelt?"
    )]
    WithoutBlock {
        /// The header as it was written, without brackets.
        part: String,
        /// The name of the block.
        name: String,
    },
    /// A key that the format does not have in this table.
    #[error("unknown key `{key}` in {place}")]
    UnknownKey {
        /// The key as it was written.
        key: String,
        /// The table that does not have it.
        place: String,
        /// The keys that the table has.
        known: Vec<String>,
    },
    /// A string where a number should be, and the like.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// The kinds of value that fit.
        expected: String,
        /// The kind that was found, with its article.
        found: &'static str,
    },
    /// A word that is not one of those allowed.
    #[error("unknown value {value:?} of `{key}`")]
    UnknownValue {
        /// The key whose value it is.
        key: String,
        /// The word as it was written.
        value: String,
        /// The words that are allowed.
        known: Vec<String>,
    },
    /// A text that is not a quantity of this kind.
    #[error("{value:?} is not {}: {error}", quantity.expected())]
    BadQuantity {
        /// The kind that belongs there.
        quantity: Quantity,
        /// The text as it was written.
        value: String,
        /// What is wrong with it.
        error: UnitError,
    },
    /// A text that is not what belongs there.
    #[error("{value:?} is not {expected}")]
    Malformed {
        /// The text as it was written.
        value: String,
        /// What belongs there, with its article.
        expected: &'static str,
    },
    /// A value beyond its limits.
    #[error("{value} is out of range, it must be {range}")]
    OutOfRange {
        /// The value as it was understood.
        value: String,
        /// The range, with both limits where there are two.
        range: String,
    },
}

impl Mistake {
    /// The words of which the text had to be one, if that is the mistake. `listed_in` says where a
    /// reader finds all words of the format.
    pub fn choice(&self, listed_in: &'static str) -> Option<Choice<'_>> {
        let (written, known) = match self {
            Self::UnknownKey { key, known, .. } => (key, known),
            Self::UnknownValue { value, known, .. } => (value, known),
            Self::Syntax { .. }
            | Self::NotUtf8
            | Self::BareCarriageReturn
            | Self::Unseen { .. }
            | Self::OneTable { .. }
            | Self::TableAgain { .. }
            | Self::WithoutBlock { .. }
            | Self::WrongType { .. }
            | Self::BadQuantity { .. }
            | Self::Malformed { .. }
            | Self::OutOfRange { .. } => return None,
        };
        Some(Choice {
            written,
            known,
            listed_in,
            meant: &[],
        })
    }
}
