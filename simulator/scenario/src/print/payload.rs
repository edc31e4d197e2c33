//! What messages and wills carry, written out.

use squall_toml::quantity::format_size;
use squall_toml::quote::quote;

use super::distribution::sizes;
use crate::{BytesSource, Content, FixedBytes, Payload, WillPayload};

/// The payload of the messages of a stream as one value.
pub(super) fn of_stream(content: &Content) -> String {
    match content {
        Content::Composed(payload) => of_message(payload),
        Content::Lines(command) => format!("{{ command = {} }}", quote(&command.text())),
    }
}

/// The payload of a message as one value.
pub(super) fn of_message(payload: &Payload) -> String {
    match payload {
        Payload::Size(drawn) => format!("{{ size = {} }}", sizes(drawn)),
        Payload::Text(template) => text(template.source()),
        Payload::Json(template) => json(template.source()),
        Payload::Bytes(fixed) => bytes(fixed),
    }
}

/// The payload of a will as one value.
pub(super) fn of_will(payload: &WillPayload) -> String {
    match payload {
        WillPayload::Size(size) => {
            format!("{{ size = {} }}", quote(&format_size((*size).into())))
        }
        WillPayload::Text(template) => text(template.source()),
        WillPayload::Json(template) => json(template.source()),
        WillPayload::Bytes(fixed) => bytes(fixed),
    }
}

fn text(source: &str) -> String {
    format!("{{ text = {} }}", quote(source))
}

fn bytes(fixed: &FixedBytes) -> String {
    match &fixed.source {
        BytesSource::Hex => {
            let digits = fixed.bytes.iter().map(|byte| format!("{byte:02x}"));
            format!("{{ hex = {} }}", quote(&digits.collect::<String>()))
        }
        BytesSource::File(path) => format!("{{ file = {} }}", quote(path)),
    }
}

/// Its source is an inline table.
fn json(source: &str) -> String {
    format!("{{ json = {source} }}")
}
