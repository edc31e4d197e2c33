//! Reading and writing run files.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::error::Category;

use crate::{Run, VERSION};

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
    /// It is not JSON, or not to its end: truncated, empty, or another kind of file.
    #[error("not a squall run file: it is not JSON; was it written to its end?")]
    NotJson {
        /// What the parser says, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// An older squall wrote it.
    #[error(
        "run file has version {found}, this squall reads version {VERSION}: make its report with the squall that wrote it, \
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
    /// Its version is right and its content is not.
    #[error("run file is damaged")]
    Damaged {
        /// What the parser says, with line and column.
        #[source]
        source: serde_json::Error,
    },
}

#[derive(Deserialize)]
struct Head {
    version: u64,
}

impl Run {
    /// Reads a run file's text.
    ///
    /// The version is looked at first, so that a file of another version says so and nothing else.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let head: Head = serde_json::from_str(text).map_err(|source| match source.classify() {
            Category::Data => ReadError::NotARunFile { source },
            Category::Io | Category::Syntax | Category::Eof => ReadError::NotJson { source },
        })?;
        let found = head.version;
        match found.cmp(&u64::from(VERSION)) {
            Ordering::Less => return Err(ReadError::OlderVersion { found }),
            Ordering::Greater => return Err(ReadError::NewerVersion { found }),
            Ordering::Equal => {}
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

    /// A file of another version says so, whatever else is in it, and what to do.
    #[test]
    fn another_version_is_refused() {
        let older = Run::from_json(r#"{ "version": 1, "old": [1, 2] }"#).unwrap_err();
        let newer = Run::from_json(r#"{ "version": 3, "new": [1, 2] }"#).unwrap_err();

        assert!(matches!(older, ReadError::OlderVersion { found: 1 }));
        assert!(matches!(newer, ReadError::NewerVersion { found: 3 }));
        assert_eq!(
            older.to_string(),
            "run file has version 1, this squall reads version 2: make its report with the squall that wrote it, or run the \
             scenario again"
        );
        assert!(newer.to_string().ends_with("use a newer squall"));
    }

    /// A file that breaks off says that it is not whole, not that it lacks something.
    #[test]
    fn a_truncated_file_is_not_json() {
        let whole = sample::empty().to_json();

        for text in ["", "\u{feff}{}", &whole[..whole.len() / 2]] {
            let error = Run::from_json(text).unwrap_err();

            assert!(matches!(error, ReadError::NotJson { .. }), "{error:?}");
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
