//! What a message carries.

use crate::{DeviceTemplate, MessageTemplate, Sizes};

/// What each message of a stream carries, with a stamp.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// As many bytes: the stamp, then filling.
    Size(Sizes),
    /// A text.
    Text(MessageTemplate),
    /// A JSON object: every rendering begins with `{`, ends with `}` and has at least one member.
    Json(MessageTemplate),
}

impl Payload {
    /// Bytes of a rendering that are known: the mean of the sizes, or what is in each rendering of a template.
    pub fn known_bytes(&self) -> f64 {
        match self {
            Self::Size(sizes) => sizes.mean(),
            Self::Text(template) | Self::Json(template) => template.literal_bytes() as f64,
        }
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
}
