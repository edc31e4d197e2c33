//! What a message carries, as the file writes it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SizesFile;
use crate::template::JsonValue;

/// What a message carries.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PayloadTable")]
pub(crate) enum PayloadFile {
    /// This number of bytes, or one drawn for each message: a stamp of 16 bytes, then filling.
    Size(SizesFile),
    /// A text, as a template.
    Text(String),
    /// An object whose texts are templates.
    Json(IndexMap<String, JsonValue>),
    /// Bytes as hexadecimal digits, two for each byte, with spaces between bytes where that helps.
    Hex(String),
    /// The bytes of a file, as they are. Its path counts from the scenario's folder.
    File(String),
}

/// What a message carries: a text, or a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Payload")]
pub(crate) enum PayloadForms {
    /// A text, as a template, as `{ text = "on" }`.
    Text(String),
    /// A size, a text or an object.
    Payload(PayloadFile),
}

impl From<PayloadForms> for PayloadFile {
    fn from(forms: PayloadForms) -> Self {
        match forms {
            PayloadForms::Text(text) => Self::Text(text),
            PayloadForms::Payload(payload) => payload,
        }
    }
}
