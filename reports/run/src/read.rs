//! Reading and writing run files.

use std::cmp::Ordering;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

use crate::{Run, VERSION, version_1};

/// The JSON Schema of run files, generated from the types that read them.
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(Run)
}

/// A text is not a run file that this squall can read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not a run file at all.
    #[error("not a squall run file: it has no `version`")]
    NotARunFile {
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// It has no byte.
    #[error("not a squall run file: it is empty; {AGAIN}")]
    Empty,
    /// An editor put a mark before it.
    #[error(
        "not a squall run file: it begins with a byte order mark (bytes 0 to 2, EF BB BF); save it as UTF-8 without one"
    )]
    ByteOrderMark,
    /// It is not text.
    #[error("not a squall run file: byte {byte} is not UTF-8; {AGAIN}")]
    NotText {
        /// The first byte that is not, counted from 0.
        byte: usize,
    },
    /// It breaks off.
    #[error(
        "run file is cut short: it ends after byte {bytes} in the middle of something; {AGAIN}"
    )]
    CutShort {
        /// How many bytes it has.
        bytes: usize,
        /// What the parser says, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// It is something else than JSON.
    #[error("not a squall run file: from byte {byte} on it is not JSON; {AGAIN}")]
    NotJson {
        /// Where it stops to be JSON, counted from 0.
        byte: usize,
        /// What the parser says, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// An older squall wrote it.
    #[error(
        "run file has version {found}, this squall reads versions 1 and {VERSION}: make its report with the squall that wrote it, \
         or run the scenario again"
    )]
    OlderVersion {
        /// The version it has.
        found: u64,
    },
    /// A newer squall wrote it.
    #[error(
        "run file has version {found}, this squall reads version {VERSION}: use a newer squall"
    )]
    NewerVersion {
        /// The version it has.
        found: u64,
    },
    /// It is the summary that stands beside the run file.
    #[error(
        "this is the summary of a run, which lacks its samples: give the run file beside it, `run.json`"
    )]
    Summary,
    /// Its version is right and its content is not.
    #[error("run file is damaged")]
    Damaged {
        /// What the parser says, with line and column.
        #[source]
        source: serde_json::Error,
    },
}

/// What to do about a file that is not whole.
const AGAIN: &str = "copy `run.json` of the run again, or run the scenario again";

#[derive(Deserialize)]
struct Head {
    version: u64,
    /// Only the summary has it.
    summary: Option<IgnoredAny>,
}

impl Run {
    /// Reads a run file's bytes, see [`Self::from_json`].
    ///
    /// # Errors
    /// Any [`ReadError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        let text = std::str::from_utf8(bytes).map_err(|error| ReadError::NotText {
            byte: error.valid_up_to(),
        })?;
        Self::from_json(text)
    }

    /// Reads a run file's text.
    ///
    /// The version is looked at first, so that a file of another version says so and nothing else. One of version 1 is
    /// brought into the form of today.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        if text.trim().is_empty() {
            return Err(ReadError::Empty);
        }
        if text.starts_with('\u{feff}') {
            return Err(ReadError::ByteOrderMark);
        }
        let head: Head = serde_json::from_str(text).map_err(|source| match source.classify() {
            Category::Data => ReadError::NotARunFile { source },
            Category::Eof => ReadError::CutShort {
                bytes: text.len(),
                source,
            },
            Category::Io | Category::Syntax => ReadError::NotJson {
                byte: place_of(&source, text),
                source,
            },
        })?;
        let found = head.version;
        match found.cmp(&u64::from(VERSION)) {
            Ordering::Less if found == version_1::FIRST => {
                return version_1::read(text).map_err(|source| ReadError::Damaged { source });
            }
            Ordering::Less => return Err(ReadError::OlderVersion { found }),
            Ordering::Greater => return Err(ReadError::NewerVersion { found }),
            Ordering::Equal => {}
        }
        if head.summary.is_some() {
            return Err(ReadError::Summary);
        }
        serde_json::from_str(text).map_err(|source| ReadError::Damaged { source })
    }

    /// The run file's text, indented, with a line end.
    ///
    /// # Panics
    ///
    /// Never: every map in a run has text for keys. Numbers that are not finite become `null`.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("all keys are text");
        text.push('\n');
        text
    }
}

/// The byte of `text` that an error names by line and column, counted from 0.
fn place_of(error: &serde_json::Error, text: &str) -> usize {
    let lines = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1));
    let before: usize = lines.map(str::len).sum();
    before + error.column().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// What was written is read back whole.
    #[test]
    fn a_run_round_trips() {
        for run in [sample::passing(), sample::failing(), sample::empty()] {
            let back = Run::from_json(&run.to_json()).unwrap();

            assert!(back == run);
        }
    }

    /// The summary that stands beside a run file is not called a damaged one.
    #[test]
    fn a_summary_is_not_taken_for_a_run_file() {
        let summary = crate::SummaryFile::of(&sample::passing());
        let text = serde_json::to_string(&summary).unwrap();

        let error = Run::from_json(&text).unwrap_err();

        assert!(matches!(error, ReadError::Summary), "{error}");
    }

    /// A file of another version says so, whatever else is in it, and what to do.
    #[test]
    fn another_version_is_refused() {
        let older = Run::from_json(r#"{ "version": 0, "old": [1, 2] }"#).unwrap_err();
        let newer = Run::from_json(r#"{ "version": 3, "new": [1, 2] }"#).unwrap_err();

        assert!(matches!(older, ReadError::OlderVersion { found: 0 }));
        assert!(matches!(newer, ReadError::NewerVersion { found: 3 }));
        assert_eq!(
            older.to_string(),
            "run file has version 0, this squall reads versions 1 and 2: make its report with the squall that wrote it, or run the \
             scenario again"
        );
        assert!(newer.to_string().ends_with("use a newer squall"));
    }

    /// A file that is not whole, or not JSON, says at which byte, and what to do.
    #[test]
    fn a_file_that_is_not_whole_says_where() {
        let whole = sample::empty().to_json();
        let half = &whole.as_bytes()[..whole.len() / 2];
        let cut_short = format!("it ends after byte {} in the middle", half.len());

        for (bytes, expected) in [
            (&b""[..], "it is empty; copy `run.json`"),
            (b"\n", "it is empty; copy `run.json`"),
            (
                b"\xef\xbb\xbf{}",
                "(bytes 0 to 2, EF BB BF); save it as UTF-8 without one",
            ),
            (b"{\xff}", "byte 1 is not UTF-8; copy"),
            (half, &cut_short),
            (
                b"{\n  \"version\": 2,\n  oops\n}",
                "from byte 20 on it is not JSON; copy",
            ),
        ] {
            let error = Run::from_bytes(bytes).unwrap_err().to_string();

            assert!(error.contains(expected), "{error}");
        }
    }

    /// A text that is not a run file and a damaged run file are told apart.
    #[test]
    fn other_text_is_refused() {
        let damaged = sample::empty()
            .to_json()
            .replace("\"seed\": 42", "\"seed\": -1");

        assert!(matches!(
            Run::from_json("[]"),
            Err(ReadError::NotARunFile { .. })
        ));
        assert!(matches!(
            Run::from_json(r#"{ "version": 2 }"#),
            Err(ReadError::Damaged { .. })
        ));
        assert!(matches!(
            Run::from_json(&damaged),
            Err(ReadError::Damaged { .. })
        ));
    }

    /// The schema that `squall schema` prints for run files exists and names every part.
    #[test]
    fn the_schema_names_every_part() {
        let schema = schemars::schema_for!(Run).to_value();

        let properties = schema["properties"].as_object().unwrap();

        let parts = serde_json::to_value(sample::empty()).unwrap();
        for part in parts.as_object().unwrap().keys() {
            assert!(properties.contains_key(part), "{part}");
        }
    }
}
