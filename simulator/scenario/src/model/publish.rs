//! Streams of messages.

use std::sync::Arc;

use squall_protocol::QoS;

use crate::{MessageProperties, MessageTemplate, Pacing, Payload};

/// `[[group.publish]]`: a stream of messages of each device.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// A Topic Name for every message; a device has a limited number of them.
    pub topic: MessageTemplate,
    /// QoS that it is published with. Default 0.
    pub qos: QoS,
    /// Whether the broker retains it. Default false.
    pub retain: bool,
    /// When its messages are due. Each device has a share in it.
    pub pacing: Arc<Pacing>,
    /// What each message carries, with a stamp. Default `{ size = "16B" }`: the stamp alone.
    pub payload: Payload<MessageTemplate>,
    /// What else each message says of itself.
    pub properties: MessageProperties,
}

impl Publish {
    /// Bytes of a PUBLISH at least: its header, and what does not change of topic and payload.
    pub(crate) fn bytes_min(&self) -> u64 {
        const HEADER_BYTES: u64 = 4;
        let fixed = |template: &MessageTemplate| template.literal_bytes() as u64;
        let payload = match &self.payload {
            Payload::Size(bytes) => u64::from(*bytes),
            Payload::Text(template) | Payload::Json(template) => fixed(template),
        };
        HEADER_BYTES + fixed(&self.topic) + payload
    }
}
