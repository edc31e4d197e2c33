//! One message, encoded once and appended to many connections' buffers.
//!
//! Between subscribers of one version only the flags, the Packet Identifier and in 5.0 a few
//! properties differ. So the topic and everything after the Packet Identifier are kept as bytes,
//! and an append writes a new fixed header and copies the two parts.
//!
//! Layout of `bytes`: topic with its length, then in 5.0 the property length and the properties,
//! then the payload.

use super::encode::publish_properties;
use super::header::variable_byte_integer_len;
use super::publish_flags::PublishFlags;
use super::sink::{Length, Sink};
use crate::packet::{Publish, SubscriptionIdentifier};
use crate::{PacketId, PropertyId, QoS, Version};

/// Properties that differ from subscriber to subscriber. 3.1.1 has none: they are left out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PublishExtras<'a> {
    /// Seconds that are left, in place of the template's; left as it is if `None`. A template
    /// without a Message Expiry Interval gets none [MQTT-3.3.2-6].
    pub message_expiry_interval: Option<u32>,
    /// Identifiers of the subscriptions that matched, after those of the template.
    pub subscription_identifiers: &'a [SubscriptionIdentifier],
}

/// A PUBLISH encoded for one version, without its flags and Packet Identifier.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublishTemplate {
    version: Version,
    bytes: Box<[u8]>,
    /// Where the topic ends and a Packet Identifier goes.
    topic_end: u32,
    /// Where the properties begin, after their length; `topic_end` in 3.1.1.
    properties_begin: u32,
    /// Where the payload begins.
    payload_begin: u32,
    /// Where the four bytes of the Message Expiry Interval are; 0 if there are none.
    message_expiry_at: u32,
}

impl PublishTemplate {
    /// Encodes `publish` but for its flags and Packet Identifier, which are not looked at.
    ///
    /// # Panics
    ///
    /// As [`super::encode`].
    pub fn new(publish: &Publish<'_>, version: Version) -> Self {
        let mut properties_bytes = Length::default();
        let mut length_bytes = 0;
        if version == Version::V5 {
            publish_properties(&publish.properties, &mut properties_bytes);
            length_bytes = variable_byte_integer_len(properties_bytes.0);
        }
        let topic_end = 2 + publish.topic.as_str().len();
        let properties_begin = topic_end + length_bytes;
        let payload_begin = properties_begin + properties_bytes.0;
        let total = payload_begin + publish.payload.len();
        // With an identifier it must still be a packet; this also makes the positions fit.
        variable_byte_integer_len(total + 2);

        let mut bytes = Vec::with_capacity(total);
        bytes.string(publish.topic.as_str());
        if version == Version::V5 {
            bytes.variable_byte_integer(properties_bytes.0);
            publish_properties(&publish.properties, &mut bytes);
        }
        bytes.bytes(publish.payload);
        debug_assert_eq!(bytes.len(), total);
        Self {
            version,
            bytes: bytes.into_boxed_slice(),
            topic_end: topic_end as u32,
            properties_begin: properties_begin as u32,
            payload_begin: payload_begin as u32,
            message_expiry_at: message_expiry_at(publish, version, properties_begin) as u32,
        }
    }

    /// The version it is encoded for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Bytes that [`Self::append`] appends at `qos`, fixed header included.
    pub fn encoded_len(&self, qos: QoS) -> usize {
        let remaining_length = self.bytes.len() + packet_id_bytes(qos);
        1 + variable_byte_integer_len(remaining_length) + remaining_length
    }

    /// Bytes that [`Self::append_with`] appends at `qos`, fixed header included.
    pub fn encoded_len_with(&self, qos: QoS, extras: &PublishExtras<'_>) -> usize {
        let remaining_length = self.remaining_length_with(qos, self.extra_bytes(extras));
        1 + variable_byte_integer_len(remaining_length) + remaining_length
    }

    /// Appends one copy to `out`.
    ///
    /// # Panics
    ///
    /// Unless `packet_id` is there exactly if the QoS is 1 or 2 [MQTT-2.2.1-2].
    #[inline]
    pub fn append(&self, out: &mut Vec<u8>, flags: PublishFlags, packet_id: Option<PacketId>) {
        let remaining_length = self.bytes.len() + packet_id_bytes(flags.qos);
        put_header(out, flags, packet_id, remaining_length);
        let (topic, rest) = self.bytes.split_at(self.topic_end as usize);
        out.extend_from_slice(topic);
        if let Some(id) = packet_id {
            out.u16(id.get());
        }
        out.extend_from_slice(rest);
    }

    /// Appends one copy with properties of its own to `out`.
    ///
    /// # Panics
    ///
    /// As [`Self::append`], and if the packet would have more than 268,435,460 bytes.
    pub fn append_with(
        &self,
        out: &mut Vec<u8>,
        flags: PublishFlags,
        packet_id: Option<PacketId>,
        extras: &PublishExtras<'_>,
    ) {
        let extra_bytes = self.extra_bytes(extras);
        let remaining_length = self.remaining_length_with(flags.qos, extra_bytes);
        put_header(out, flags, packet_id, remaining_length);
        out.extend_from_slice(&self.bytes[..self.topic_end as usize]);
        if let Some(id) = packet_id {
            out.u16(id.get());
        }
        if self.version == Version::V5 {
            let properties_bytes = (self.payload_begin - self.properties_begin) as usize;
            out.variable_byte_integer(properties_bytes + extra_bytes);
            self.put_properties(out, extras);
        }
        out.extend_from_slice(&self.bytes[self.payload_begin as usize..]);
    }

    /// The template's properties with its Message Expiry Interval replaced, then the extras.
    fn put_properties(&self, out: &mut Vec<u8>, extras: &PublishExtras<'_>) {
        let begin = out.len();
        let properties_begin = self.properties_begin as usize;
        out.extend_from_slice(&self.bytes[properties_begin..self.payload_begin as usize]);
        if let Some(seconds) = extras.message_expiry_interval
            && self.message_expiry_at != 0
        {
            let at = begin + self.message_expiry_at as usize - properties_begin;
            out[at..at + 4].copy_from_slice(&seconds.to_be_bytes());
        }
        put_subscription_identifiers(extras, out);
    }

    fn extra_bytes(&self, extras: &PublishExtras<'_>) -> usize {
        let mut length = Length::default();
        if self.version == Version::V5 {
            put_subscription_identifiers(extras, &mut length);
        }
        length.0
    }

    fn remaining_length_with(&self, qos: QoS, extra_bytes: usize) -> usize {
        let grown_length_bytes = match self.version {
            Version::V3_1_1 => 0,
            Version::V5 => {
                let properties_bytes = (self.payload_begin - self.properties_begin) as usize;
                variable_byte_integer_len(properties_bytes + extra_bytes)
                    - variable_byte_integer_len(properties_bytes)
            }
        };
        self.bytes.len() + packet_id_bytes(qos) + grown_length_bytes + extra_bytes
    }
}

/// Reserves for the whole packet and writes its fixed header.
#[inline]
fn put_header(
    out: &mut Vec<u8>,
    flags: PublishFlags,
    packet_id: Option<PacketId>,
    remaining_length: usize,
) {
    assert_eq!(
        packet_id.is_some(),
        flags.qos != QoS::AtMostOnce,
        "a packet identifier belongs to QoS 1 and 2"
    );
    out.reserve(1 + variable_byte_integer_len(remaining_length) + remaining_length);
    out.u8(flags.first_byte());
    out.variable_byte_integer(remaining_length);
}

fn put_subscription_identifiers<S: Sink>(extras: &PublishExtras<'_>, sink: &mut S) {
    for identifier in extras.subscription_identifiers {
        sink.u8(PropertyId::SubscriptionIdentifier as u8);
        sink.variable_byte_integer(identifier.get() as usize);
    }
}

/// Where the value of the Message Expiry Interval is in the template; 0 if it has none.
///
/// Only the Payload Format Indicator, two bytes, is encoded before it.
fn message_expiry_at(publish: &Publish<'_>, version: Version, properties_begin: usize) -> usize {
    let properties = &publish.properties;
    if version == Version::V3_1_1 || properties.message_expiry_interval.is_none() {
        return 0;
    }
    let format_bytes = match properties.payload_format_indicator {
        Some(_) => 2,
        None => 0,
    };
    properties_begin + format_bytes + 1
}

const fn packet_id_bytes(qos: QoS) -> usize {
    match qos {
        QoS::AtMostOnce => 0,
        QoS::AtLeastOnce | QoS::ExactlyOnce => 2,
    }
}
