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
    /// A command of a `[[group.publish]]`, which writes the payloads to its standard output, one a line: `./generator.py`. Quotes
    /// count as in a shell, but no shell runs it. One process for all devices of the group starts in the scenario's folder before
    /// the run, finds the seed in `SQUALL_SEED` and the group's name in `SQUALL_GROUP`, and is stopped after the run. Its first line
    /// must come within 10 s. Each message takes the next line, in the order in which the messages are due, whether it can be
    /// sent or not; one that is due when no line is there is not sent, and is counted as such, and a closed loop waits for a
    /// line. Up to 100,000 lines and 32MiB are kept ready. A line may be any bytes up to 1MiB, UTF-8 or not, and an empty one is a payload too; its end is not part of it.
    /// With `stamp = "payload"` a line that begins with `{` and ends with `}` has the stamp as a last member `_squall`, and any
    /// other behind it; with `"property"` or `"none"` the payload is the line. What a command writes does not follow from the seed:
    /// the seed alone does not repeat such a run.
    Command(String),
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
