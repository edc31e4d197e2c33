//! Short forms of a value, where they can mean one thing only.
//!
//! A field that takes one says so with `deserialize_with` and, for the schema, `with`; what comes out is
//! the long form, so nothing after this knows which was written.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// Reads an optional value in its short or its long form.
pub(super) fn option<'de, D, Forms, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    Forms: Deserialize<'de> + Into<T>,
{
    let forms = Option::<Forms>::deserialize(deserializer)?;
    Ok(forms.map(Into::into))
}

/// Reads one text, or a list of them.
pub(super) fn texts<'de, D>(deserializer: D) -> Result<Vec<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(match TextsFile::deserialize(deserializer)? {
        TextsFile::One(text) => vec![text],
        TextsFile::Many(texts) => texts,
    })
}

/// One text, or a list of them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Texts")]
pub(super) enum TextsFile {
    /// One.
    One(String),
    /// Several.
    Many(#[schemars(length(min = 1, max = 1_000))] Vec<String>),
}
