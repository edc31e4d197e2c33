//! PUBLISH (§3.3).

use super::SubscriptionIdentifier;
use crate::topic::TopicName;
use crate::{PacketId, QoS};

/// An Application Message on its way (§3.3). It borrows from the buffer it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Publish<'a> {
    /// Whether this may be a re-delivery (§3.3.1.1); never with QoS 0 [MQTT-3.3.1-2].
    pub dup: bool,
    /// Quality of Service (§3.3.1.2).
    pub qos: QoS,
    /// Whether to store the message, or whether it comes from the store (§3.3.1.3).
    pub retain: bool,
    /// Topic Name. Empty only where a Topic Alias stands for it and no role has resolved it yet.
    pub topic: TopicName<&'a str>,
    /// Present exactly if QoS is 1 or 2 [MQTT-2.2.1-2].
    pub packet_id: Option<PacketId>,
    /// Empty in 3.1.1.
    pub properties: PublishProperties<'a>,
    /// Application Message, any bytes, possibly none.
    pub payload: &'a [u8],
}

/// PUBLISH properties (§3.3.2.3). `None` stands for an absent property.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PublishProperties<'a> {
    /// Whether the payload is UTF-8 text; absent is no.
    pub payload_format_indicator: Option<bool>,
    /// Seconds the message lives; absent: without end.
    pub message_expiry_interval: Option<u32>,
    /// Stands for the Topic Name on this connection; never 0 [MQTT-3.3.2-8].
    pub topic_alias: Option<u16>,
    /// Topic Name for a response.
    pub response_topic: Option<&'a str>,
    /// Data that ties a response to its request.
    pub correlation_data: Option<&'a [u8]>,
    /// User properties, in order [MQTT-3.3.2-18].
    pub user_properties: Vec<(&'a str, &'a str)>,
    /// Identifiers of the subscriptions that matched; only from the server [MQTT-3.3.4-6].
    pub subscription_identifiers: Vec<SubscriptionIdentifier>,
    /// MIME type or any other description of the payload.
    pub content_type: Option<&'a str>,
}
