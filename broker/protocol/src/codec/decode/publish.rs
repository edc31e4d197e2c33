//! Decodes PUBLISH (§3.3), in place.

use super::Polled;
use crate::codec::fields::{Fields, Properties};
use crate::packet::{Packet, PacketType, Publish, PublishProperties, SubscriptionIdentifier};
use crate::{PropertyId, ProtocolError, QoS, Version};

/// `flags` were accepted with the fixed header.
///
/// The packet is filled in where it is: it is large, and moving it would cost more than reading
/// it.
#[inline]
pub(super) fn decode<'a>(mut fields: Fields<'a>, flags: u8, version: Version) -> Polled<'a> {
    let packet = PacketType::Publish;
    let qos = QoS::from_bits((flags >> 1) & 0b11).ok_or(ProtocolError::QoS3 { packet })?;
    let topic = fields.topic_name_or_none()?;
    let packet_id = match qos {
        QoS::AtMostOnce => None,
        QoS::AtLeastOnce | QoS::ExactlyOnce => Some(fields.packet_id()?),
    };
    let mut publish = Publish {
        dup: flags & 0b1000 != 0,
        qos,
        retain: flags & 0b0001 != 0,
        topic,
        packet_id,
        properties: PublishProperties::default(),
        payload: &[],
    };
    if version == Version::V5 {
        let section = fields.properties()?;
        if !section.is_empty() {
            decode_properties(section, &mut publish.properties)?;
        }
    }
    if topic.is_aliased() && publish.properties.topic_alias.is_none() {
        return Err(ProtocolError::NoTopic);
    }
    publish.payload = fields.take_rest();
    Ok(Some(Packet::Publish(publish)))
}

fn decode_properties<'a>(
    mut section: Properties<'a>,
    properties: &mut PublishProperties<'a>,
) -> Result<(), ProtocolError> {
    while let Some(property) = section.next()? {
        match property {
            PropertyId::PayloadFormatIndicator => {
                properties.payload_format_indicator = Some(section.flag(property)?);
            }
            PropertyId::MessageExpiryInterval => {
                properties.message_expiry_interval = Some(section.u32()?);
            }
            PropertyId::TopicAlias => {
                let alias = match section.u16()? {
                    0 => return Err(ProtocolError::TopicAliasZero),
                    alias => alias,
                };
                properties.topic_alias = Some(alias);
            }
            PropertyId::ResponseTopic => {
                properties.response_topic = Some(section.response_topic()?);
            }
            PropertyId::CorrelationData => properties.correlation_data = Some(section.binary()?),
            PropertyId::UserProperty => properties.user_properties.push(section.string_pair()?),
            PropertyId::SubscriptionIdentifier => {
                let value = section.variable_byte_integer()?;
                let identifier = SubscriptionIdentifier::new(value)
                    .ok_or(section.wrong_value(property, value))?;
                properties.subscription_identifiers.push(identifier);
            }
            PropertyId::ContentType => properties.content_type = Some(section.string()?),
            other => return Err(section.not_allowed(other)),
        }
    }
    Ok(())
}
