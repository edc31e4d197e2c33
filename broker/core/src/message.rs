//! One Application Message as the broker keeps it: a body that all its waiting copies share.
//!
//! A message gets a body only when it must outlive the packet it came in: to be queued, to be
//! retained, or to be sent again. Its bytes are copied once, to their exact size. What differs
//! from recipient to recipient fits beside the reference ([`Copied`], 16 bytes).

use std::rc::Rc;
use std::time::Duration;

use squall_protocol::packet::{Publish, PublishProperties, SubscriptionIdentifier, UserProperties};
use squall_protocol::topic::TopicName;
use squall_protocol::{Instant, QoS};

use crate::keys::GroupKey;
use crate::timer::NEVER;

/// A message that outlives its packet.
#[derive(Debug)]
pub(crate) struct Message {
    topic: TopicName<Box<str>>,
    payload: Box<[u8]>,
    /// `None` if the publisher set none.
    properties: Option<Box<Properties>>,
    expires_at: Instant,
    /// What [`bytes_to_keep`] says of it.
    bytes: usize,
    /// As published; a copy's may be lower.
    qos: QoS,
    /// RETAIN as published.
    retain: bool,
}

#[derive(Debug, Default)]
struct Properties {
    payload_format_indicator: Option<bool>,
    response_topic: Option<Box<str>>,
    correlation_data: Option<Box<[u8]>>,
    user_properties: UserProperties,
    content_type: Option<Box<str>>,
    /// For a copy with more identifiers than [`Copied`] has room for.
    subscription_identifiers: Vec<SubscriptionIdentifier>,
}

impl Message {
    /// Copies a message that came in at `now`.
    pub(crate) fn new(publish: &Publish<'_>, now: Instant) -> Self {
        let properties = &publish.properties;
        let expires_at = match properties.message_expiry_interval {
            Some(seconds) => now + Duration::from_secs(seconds.into()),
            None => NEVER,
        };
        Self {
            topic: publish.topic.to_stored(),
            payload: publish.payload.into(),
            properties: Properties::copy(properties),
            expires_at,
            bytes: bytes_to_keep(publish),
            qos: publish.qos,
            retain: publish.retain,
        }
    }

    pub(crate) fn topic(&self) -> TopicName<&str> {
        self.topic.borrowed()
    }

    /// QoS it was published with.
    pub(crate) fn qos(&self) -> QoS {
        self.qos
    }

    /// From when it must not be sent; the end of time for never.
    pub(crate) fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// Whether its Message Expiry Interval has passed [MQTT-3.3.2-5].
    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at <= now
    }

    /// What it counts for where bytes are limited.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The packet as it was published, but for the time that is left [MQTT-3.3.2-6].
    ///
    /// A started second counts as left, so that a message that waited less than one keeps its
    /// interval.
    pub(crate) fn to_publish(&self, now: Instant) -> Publish<'_> {
        let mut properties = match &self.properties {
            Some(properties) => properties.to_publish(),
            None => PublishProperties::default(),
        };
        if self.expires_at != NEVER {
            let left = self.expires_at.saturating_since(now);
            let seconds = left.as_nanos().div_ceil(1_000_000_000);
            properties.message_expiry_interval = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        }
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: self.topic.borrowed(),
            packet_id: None,
            properties,
            payload: &self.payload,
        }
    }
}

impl Properties {
    /// `None` if there is nothing to keep.
    fn copy(properties: &PublishProperties<'_>) -> Option<Box<Self>> {
        let is_empty = properties.payload_format_indicator.is_none()
            && properties.response_topic.is_none()
            && properties.correlation_data.is_none()
            && properties.user_properties.is_empty()
            && properties.content_type.is_none()
            && properties.subscription_identifiers.is_empty();
        if is_empty {
            return None;
        }
        Some(Box::new(Self {
            payload_format_indicator: properties.payload_format_indicator,
            response_topic: properties.response_topic.map(Into::into),
            correlation_data: properties.correlation_data.map(Into::into),
            user_properties: properties
                .user_properties
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            content_type: properties.content_type.map(Into::into),
            subscription_identifiers: properties.subscription_identifiers.clone(),
        }))
    }

    fn to_publish(&self) -> PublishProperties<'_> {
        PublishProperties {
            payload_format_indicator: self.payload_format_indicator,
            response_topic: self.response_topic.as_deref(),
            correlation_data: self.correlation_data.as_deref(),
            user_properties: self
                .user_properties
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            content_type: self.content_type.as_deref(),
            subscription_identifiers: self.subscription_identifiers.clone(),
            ..PublishProperties::default()
        }
    }
}

/// Bytes of the topic, payload and properties that a message keeps. Each User Property counts with
/// the memory that holds it: five bytes on the wire, if it is empty, are ten times as many here.
pub(crate) fn bytes_to_keep(publish: &Publish<'_>) -> usize {
    let properties = &publish.properties;
    let user_properties = properties.user_properties.iter();
    publish.topic.as_str().len()
        + publish.payload.len()
        + properties.response_topic.map_or(0, str::len)
        + properties.correlation_data.map_or(0, <[u8]>::len)
        + properties.content_type.map_or(0, str::len)
        + user_properties
            .map(|(name, value)| size_of::<(String, String)>() + name.len() + value.len())
            .sum::<usize>()
}

/// What differs from recipient to recipient in their copies of a message, in 32 bits: a Subscription
/// Identifier has 28.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CopyOptions(u32);

const IDENTIFIER_MASK: u32 = (1 << 28) - 1;
const RETAIN_BIT: u32 = 1 << 28;
const QOS_SHIFT: u32 = 29;

impl CopyOptions {
    pub(crate) fn new(qos: QoS, retain: bool, identifier: Option<SubscriptionIdentifier>) -> Self {
        let identifier = identifier.map_or(0, SubscriptionIdentifier::get);
        let retain = if retain { RETAIN_BIT } else { 0 };
        Self(identifier | retain | (qos as u32) << QOS_SHIFT)
    }

    /// QoS of this copy.
    pub(crate) fn qos(self) -> QoS {
        match self.0 >> QOS_SHIFT {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        }
    }

    /// RETAIN flag of this copy.
    pub(crate) fn retain(self) -> bool {
        self.0 & RETAIN_BIT != 0
    }

    /// The only Subscription Identifier; more than one are in the body.
    pub(crate) fn identifier(self) -> Option<SubscriptionIdentifier> {
        SubscriptionIdentifier::new(self.0 & IDENTIFIER_MASK)
    }
}

/// One recipient's copy of a message that waits to be sent or to be acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    pub(crate) message: Rc<Message>,
    pub(crate) options: CopyOptions,
    /// The shared subscription it came through.
    pub(crate) group: Option<GroupKey>,
}

impl Copied {
    /// The packet to send, with the time that is left and without a Packet Identifier.
    pub(crate) fn to_publish(&self, now: Instant) -> Publish<'_> {
        let mut publish = self.message.to_publish(now);
        publish.qos = self.options.qos();
        publish.retain = self.options.retain();
        let identifiers = &mut publish.properties.subscription_identifiers;
        identifiers.extend(self.options.identifier());
        publish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish<'a>(properties: PublishProperties<'a>) -> Publish<'a> {
        Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: TopicName::new("a/b").unwrap(),
            packet_id: None,
            properties,
            payload: b"payload",
        }
    }

    /// A reference to a message fits in 16 bytes, so that long queues stay small.
    #[test]
    fn a_copy_is_a_reference_and_eight_bytes() {
        assert_eq!(size_of::<Copied>(), 16);
    }

    /// User Properties and all others come back unaltered and in order [MQTT-3.3.2-18].
    #[test]
    fn a_message_keeps_its_properties() {
        let publish = publish(PublishProperties {
            payload_format_indicator: Some(true),
            response_topic: Some("re"),
            correlation_data: Some(b"7"),
            user_properties: vec![("b", "1"), ("a", "2"), ("b", "3")],
            content_type: Some("text/plain"),
            ..PublishProperties::default()
        });

        let message = Message::new(&publish, Instant::ZERO);

        assert_eq!(message.to_publish(Instant::ZERO), publish);
    }

    /// Limits of queues and of the store count the memory of User Properties too, which their
    /// names and values may hardly show.
    #[test]
    fn user_properties_count_with_their_memory() {
        let publish = publish(PublishProperties {
            response_topic: Some("re"),
            correlation_data: Some(b"7"),
            user_properties: vec![("", ""); 1000],
            content_type: Some("text/plain"),
            ..PublishProperties::default()
        });

        let message = Message::new(&publish, Instant::ZERO);

        let pairs = 1000 * size_of::<(String, String)>();
        assert_eq!(message.bytes(), 3 + 7 + 2 + 1 + 10 + pairs);
    }

    /// The interval sent is the one received minus the time waited [MQTT-3.3.2-6].
    #[test]
    fn the_expiry_interval_counts_down() {
        let publish = publish(PublishProperties {
            message_expiry_interval: Some(10),
            ..PublishProperties::default()
        });
        let start = Instant::ZERO + Duration::from_secs(5);
        let message = Message::new(&publish, start);

        for (waited_ms, left) in [(0, 10), (999, 10), (2_000, 8), (9_999, 1)] {
            let now = start + Duration::from_millis(waited_ms);
            let properties = message.to_publish(now).properties;
            assert_eq!(properties.message_expiry_interval, Some(left));
            assert!(!message.is_expired(now));
        }
        assert!(message.is_expired(start + Duration::from_secs(10)));
    }

    /// Each option comes back from the packed form.
    #[test]
    fn copy_options_are_packed_without_loss() {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            for retain in [false, true] {
                for identifier in [None, SubscriptionIdentifier::new(268_435_455)] {
                    let options = CopyOptions::new(qos, retain, identifier);
                    assert_eq!(options.qos(), qos);
                    assert_eq!(options.retain(), retain);
                    assert_eq!(options.identifier(), identifier);
                }
            }
        }
    }
}
