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
    /// Bytes of a PUBLISH on average, as far as they are known: its header, the mean of the sizes of its payloads, and
    /// what topics, properties and other payloads have at least.
    pub(crate) fn known_bytes(&self) -> f64 {
        const HEADER_BYTES: usize = 4;
        const PACKET_ID_BYTES: usize = 2;
        /// The User Property `squall` and 32 digits (§3.3.2.3.7).
        const STAMP_PROPERTY_BYTES: usize = 5 + 6 + 32;
        let stamp = match self.stamp {
            StampPlace::Payload | StampPlace::None => 0,
            StampPlace::Property => STAMP_PROPERTY_BYTES,
        };
        let properties = match self.properties.known_bytes() + stamp {
            0 => 0,
            // Their length stands before them.
            bytes => 1 + bytes,
        };
        let packet_id = match self.qos {
            QoS::AtMostOnce => 0,
            QoS::AtLeastOnce | QoS::ExactlyOnce => PACKET_ID_BYTES,
        };
        let beside = HEADER_BYTES + self.topic.known_bytes() + packet_id + properties;
        beside as f64 + self.payload.known_bytes(self.stamp)
    }

    /// Bits per second of one device while the stream goes on, on average, as far as they are known.
    pub(crate) fn bits_per_second(&self, run: &RunSettings) -> f64 {
        self.pacing.mean_rate(run) * 8.0 * self.known_bytes()
    }
}
