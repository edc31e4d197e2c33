//! `--set KEY=VALUE`: a value from the command line that replaces one of the file.

use std::fmt;
use std::str::FromStr;

use squall_toml::nearest::Choice;

/// One `--set KEY=VALUE`.
///
/// The key is dotted, and blocks of which there are many are named: `group.sensors.count`,
/// `group.sensors.publish[0].rate`. An index may be left out if there is one only. The value is
/// TOML, or text without quotes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Override {
    /// The dotted key, as it was written.
    pub key: String,
    /// The value: TOML, or text without quotes.
    pub value: String,
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        // A quoted part of the key may hold one: `thresholds."e2e_latency{qos=1}"`.
        let mut is_quoted = false;
        let position = text.find(|c| {
            is_quoted ^= c == '"';
            c == '=' && !is_quoted
        });
        let (key, value) = match position {
            Some(position) => (text[..position].trim(), text[position + 1..].trim()),
            None => return Err(OverrideError::Malformed),
        };
        if key.is_empty() {
            return Err(OverrideError::Malformed);
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// Why a value cannot be set.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OverrideError {
    /// No `=`, or nothing before it.
    #[error("write it like `group.sensors.count=200`")]
    Malformed,
    /// A key that cannot be read.
    #[error("{key:?} is not a dotted key")]
    MalformedKey {
        /// The key, as it was written.
        key: String,
    },
    /// A block that the file does not have.
    #[error("the scenario has no {list} {written:?}")]
    NoSuchBlock {
        /// The kind of block, as `group`.
        list: String,
        /// The name or index, as it was written.
        written: String,
        /// Names or indexes that exist.
        known: Vec<String>,
    },
    /// A block of which there are many, without a name or an index.
    #[error("the scenario has {count} of {list}: say which")]
    Ambiguous {
        /// The kind of block, as `publish`.
        list: String,
        /// The number of blocks of this kind.
        count: usize,
        /// Names or indexes that exist.
        known: Vec<String>,
    },
    /// A key below a value that is not a table.
    #[error("`{key}` is not a block")]
    NoBlock {
        /// The key, as it was written.
        key: String,
    },
}

impl OverrideError {
    /// The words of which the text had to be one, if that is the error.
    pub(crate) fn choice(&self) -> Option<Choice<'_>> {
        let (written, known) = match self {
            Self::NoSuchBlock { written, known, .. } => (written, known),
            Self::Ambiguous { list, known, .. } => (list, known),
            Self::Malformed | Self::MalformedKey { .. } | Self::NoBlock { .. } => return None,
        };
        Some(Choice {
            written,
            known,
            listed_in: "the file",
            meant: &[],
        })
    }
}
