//! Decodes PUBLISH (§3.3), in place.

use crate::codec::fields::{Fields, Properties};
use crate::codec::property::PropertyId;
use crate::packet::{PacketType, Publish, PublishProperties, SubscriptionIdentifier};
use crate::{ProtocolError, QoS, Version};

/// `flags` were accepted with the fixed header.
#[inline]
pub(super) fn decode<'a>(
    mut fields: Fields<'a>,
    flags: u8,
    version: Version,
) -> Result<Publish<'a>, ProtocolError> {
    let packet = PacketType::Publish;
    let qos = QoS::from_bits((flags >> 1) & 0b11).ok_or(ProtocolError::QoS3 { packet })?;
    let topic = fields.topic_name_or_none()?;
    let packet_id = match qos {
        QoS::AtMostOnce => None,
        QoS::AtLeastOnce | QoS::ExactlyOnce => Some(fields.packet_id()?),
    };
    let properties = match version {
        Version::V3_1_1 => PublishProperties::default(),
        Version::V5 => decode_properties(fields.properties()?)?,
    };
    if topic.is_aliased() && properties.topic_alias.is_none() {
        return Err(ProtocolError::NoTopic);
    }
    Ok(Publish {
        dup: flags & 0b1000 != 0,
        qos,
        retain: flags & 0b0001 != 0,
        topic,
        packet_id,
        properties,
        payload: fields.take_rest(),
    })
}

#[inline]
fn decode_properties(mut section: Properties<'_>) -> Result<PublishProperties<'_>, ProtocolError> {
    let mut properties = PublishProperties::default();
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
    Ok(properties)
}
