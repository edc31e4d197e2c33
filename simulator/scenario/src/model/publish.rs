//! Streams of messages.

use std::sync::Arc;

use squall_protocol::QoS;

use crate::{Content, MessageProperties, MessageTemplate, Pacing, RunSettings, StampPlace};

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
    /// What each message carries. Default `{ size = "16B" }`: the stamp alone.
    pub payload: Content,
    /// Where each message has its stamp. Default in the payload.
    pub stamp: StampPlace,
    /// What else each message says of itself.
    pub properties: MessageProperties,
}

impl Publish {
    /// Bytes of a PUBLISH on average, as far as they are known: its header, and what does not change of topic and
    /// payload.
    pub(crate) fn known_bytes(&self) -> f64 {
        const HEADER_BYTES: f64 = 4.0;
        HEADER_BYTES + self.topic.literal_bytes() as f64 + self.payload.known_bytes()
    }

    /// Bits per second of one device while the stream goes on, on average, as far as they are known.
    pub(crate) fn bits_per_second(&self, run: &RunSettings) -> f64 {
        self.pacing.mean_rate(run) * 8.0 * self.known_bytes()
    }
}
