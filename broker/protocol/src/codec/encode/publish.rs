//! Encodes PUBLISH (§3.3).

use super::put_section;
use crate::codec::sink::Sink;
use crate::packet::{Publish, PublishProperties};
use crate::{PropertyId, Version};

pub(super) fn put<S: Sink>(publish: &Publish<'_>, version: Version, sink: &mut S) {
    sink.string(publish.topic.as_str());
    if let Some(id) = publish.packet_id {
        sink.u16(id.get());
    }
    if version == Version::V5 {
        put_section(sink, &publish.properties, properties, properties);
    }
    sink.bytes(publish.payload);
}

/// The properties without their length (§3.3.2.3).
pub(in crate::codec) fn properties<S: Sink>(properties: &PublishProperties<'_>, sink: &mut S) {
    sink.flag_property(
        PropertyId::PayloadFormatIndicator,
        properties.payload_format_indicator,
    );
    sink.u32_property(
        PropertyId::MessageExpiryInterval,
        properties.message_expiry_interval,
    );
    sink.u16_property(PropertyId::TopicAlias, properties.topic_alias);
    sink.string_property(PropertyId::ResponseTopic, properties.response_topic);
    sink.binary_property(PropertyId::CorrelationData, properties.correlation_data);
    for (name, value) in &properties.user_properties {
        sink.user_property(name, value);
    }
    for identifier in &properties.subscription_identifiers {
        sink.u8(PropertyId::SubscriptionIdentifier as u8);
        sink.variable_byte_integer(identifier.get() as usize);
    }
    sink.string_property(PropertyId::ContentType, properties.content_type);
}
