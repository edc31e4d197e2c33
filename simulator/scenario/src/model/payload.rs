//! What a message carries.

use std::sync::Arc;

use crate::{DeviceTemplate, MessageTemplate, Sizes};

/// What stands before the digits of a stamp behind a text or other bytes.
const BEFORE_STAMP: &str = " #squall:";

/// What the messages of a stream carry, beside their stamps.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// What is made of the scenario and the seed.
    Composed(Payload),
    /// The next line of a command's standard output.
    Lines(LineCommand),
}

/// A command that gives payloads, one a line: one process for a stream of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineCommand {
    /// The program and its arguments: at least the program.
    pub words: Vec<String>,
}

impl LineCommand {
    /// The command as one line that splits into the same words again.
    pub fn text(&self) -> String {
        let words = self.words.iter().map(String::as_str);
        shlex::try_join(words).expect("a command that was split has no null character")
    }
}

impl Content {
    /// Bytes of a payload that are known: of a line its stamp, if that is in it.
    pub(crate) fn known_bytes(&self, stamp: StampPlace) -> f64 {
        match self {
            Self::Composed(payload) => payload.known_bytes(stamp),
            Self::Lines(_) => stamp.bytes_in(BEFORE_STAMP) as f64,
        }
    }
}

/// What each message carries, beside its stamp.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// As many bytes: the stamp, then filling.
    Size(Sizes),
    /// A text.
    Text(MessageTemplate),
    /// A JSON object: every rendering begins with `{`, ends with `}` and has at least one member.
    Json(MessageTemplate),
    /// The same bytes in each message.
    Bytes(FixedBytes),
}

/// Bytes that a file gives.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedBytes {
    /// The bytes.
    pub bytes: Arc<[u8]>,
    /// Where they are from.
    pub source: BytesSource,
}

/// Where bytes are from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BytesSource {
    /// Hexadecimal digits in the scenario.
    Hex,
    /// The file of this path, beside the scenario.
    File(String),
}

/// Where a message has its stamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StampPlace {
    /// In the payload.
    Payload,
    /// In a User Property (MQTT 5.0, §3.3.2.3.7).
    Property,
    /// Nowhere: it is counted, not told from others.
    None,
}

impl StampPlace {
    /// Bytes that a payload of filling has at least.
    pub(crate) const fn bytes_min(self) -> u64 {
        match self {
            Self::Payload => 16,
            Self::Property | Self::None => 0,
        }
    }

    /// Bytes that a stamp adds to a readable payload: its digits, and what is `written` around them.
    fn bytes_in(self, written: &str) -> usize {
        match self {
            Self::Payload => written.len() + 32,
            Self::Property | Self::None => 0,
        }
    }

    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payload => "payload",
            Self::Property => "property",
            Self::None => "none",
        }
    }
}

impl Payload {
    /// Bytes of a payload that are known, with its stamp if that is in it: the mean of the sizes, or what every rendering
    /// of a template has at least.
    pub(crate) fn known_bytes(&self, stamp: StampPlace) -> f64 {
        let known = match self {
            Self::Size(sizes) => return sizes.mean(),
            Self::Text(template) => template.known_bytes() + stamp.bytes_in(BEFORE_STAMP),
            Self::Json(template) => template.known_bytes() + stamp.bytes_in(",\"_squall\":\"\""),
            Self::Bytes(fixed) => fixed.bytes.len() + stamp.bytes_in(BEFORE_STAMP),
        };
        known as f64
    }
}

/// What a will carries.
#[derive(Clone, Debug, PartialEq)]
pub enum WillPayload {
    /// This number of bytes of filling.
    Size(u32),
    /// A text.
    Text(DeviceTemplate),
    /// A JSON object, as in [`Payload::Json`].
    Json(DeviceTemplate),
    /// These bytes.
    Bytes(FixedBytes),
}
