//! Streams of messages.

use std::time::Duration;

use squall_protocol::QoS;

use crate::{MessageProperties, MessageTemplate, Payload};

/// `[[group.publish]]`: a stream of messages of each device.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// A Topic Name for every message; a device has a limited number of them.
    pub topic: MessageTemplate,
    /// QoS that it is published with. Default 0.
    pub qos: QoS,
    /// Whether the broker retains it. Default false.
    pub retain: bool,
    /// Messages per second of one device, above 0. `rate` is divided by the group's `count`,
    /// `every` is inverted.
    pub rate_per_device: f64,
    /// How due times are spread. Default even.
    pub arrival: Arrival,
    /// From the beginning of the load (warm-up included) to the first due time. Default none.
    pub start: Duration,
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

/// How due times are spread. The model is open: nothing that the broker does moves them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Arrival {
    /// Message `n` of the device with `{index}` `i` is due at
    /// `start + (n + i / count) / rate_per_device`: the devices of a group take turns.
    #[default]
    Even,
    /// Gaps are exponential with mean `1 / rate_per_device`, drawn for each device.
    Poisson,
}
