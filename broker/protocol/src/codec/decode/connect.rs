//! Decodes CONNECT (§3.1).

use crate::codec::fields::Fields;
use crate::packet::{Connect, ConnectProperties, PacketType, Will, WillProperties};
use crate::{PropertyId, ProtocolError, QoS, Version};

/// Protocol Name of 3.1.1 and 5.0 (§3.1.2.1).
const PROTOCOL_NAME: &[u8] = b"MQTT";
/// Protocol Name of MQTT 3.1, which is refused as a version that is not supported.
const PROTOCOL_NAME_3_1: &[u8] = b"MQIsdp";

const USER_NAME_FLAG: u8 = 0b1000_0000;
const PASSWORD_FLAG: u8 = 0b0100_0000;
const WILL_RETAIN: u8 = 0b0010_0000;
const WILL_QOS: u8 = 0b0001_1000;
const WILL_FLAG: u8 = 0b0000_0100;
const CLEAN_START: u8 = 0b0000_0010;
const RESERVED: u8 = 0b0000_0001;

/// The version that the body of a CONNECT names, if it is one of ours.
pub(in crate::codec) fn version(body: &[u8]) -> Option<Version> {
    protocol(&mut Fields::new(PacketType::Connect, body)).ok()
}

pub(super) fn decode(mut fields: Fields<'_>) -> Result<Connect, ProtocolError> {
    let version = protocol(&mut fields)?;
    let flags = connect_flags(&mut fields, version)?;
    let keep_alive = fields.u16()?;
    let properties = match version {
        Version::V3_1_1 => ConnectProperties::default(),
        Version::V5 => connect_properties(&mut fields)?,
    };
    let client_id = fields.string()?.to_owned();
    let will = match flags & WILL_FLAG {
        0 => None,
        _ => Some(will(&mut fields, flags, version)?),
    };
    let user_name = match flags & USER_NAME_FLAG {
        0 => None,
        _ => Some(fields.string()?.to_owned()),
    };
    let password = match flags & PASSWORD_FLAG {
        0 => None,
        _ => Some(fields.binary()?.to_vec()),
    };
    fields.finish()?;
    Ok(Connect {
        version,
        clean_start: flags & CLEAN_START != 0,
        keep_alive,
        client_id,
        will,
        user_name,
        password,
        properties,
    })
}

/// Protocol Name and Protocol Version (§3.1.2.1, §3.1.2.2).
fn protocol(fields: &mut Fields<'_>) -> Result<Version, ProtocolError> {
    let name = fields.binary()?;
    if name != PROTOCOL_NAME && name != PROTOCOL_NAME_3_1 {
        return Err(ProtocolError::UnknownProtocolName);
    }
    let level = fields.u8()?;
    match level {
        4 if name == PROTOCOL_NAME => Ok(Version::V3_1_1),
        5 if name == PROTOCOL_NAME => Ok(Version::V5),
        _ => Err(ProtocolError::UnsupportedProtocol { level }),
    }
}

/// Connect Flags (§3.1.2.3), checked against each other.
fn connect_flags(fields: &mut Fields<'_>, version: Version) -> Result<u8, ProtocolError> {
    let flags = fields.u8()?;
    if flags & RESERVED != 0 {
        return Err(ProtocolError::ReservedConnectFlag);
    }
    if flags & WILL_FLAG == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0 {
        return Err(ProtocolError::WillFlagsWithoutWill { flags });
    }
    // 5.0 allows a password on its own (§3.1.2.9).
    let has_password_only = flags & (USER_NAME_FLAG | PASSWORD_FLAG) == PASSWORD_FLAG;
    if version == Version::V3_1_1 && has_password_only {
        return Err(ProtocolError::PasswordWithoutUserName);
    }
    will_qos(flags)?;
    Ok(flags)
}

/// Will QoS [MQTT-3.1.2-12].
fn will_qos(flags: u8) -> Result<QoS, ProtocolError> {
    QoS::from_bits((flags & WILL_QOS) >> 3).ok_or(ProtocolError::QoS3 {
        packet: PacketType::Connect,
    })
}

fn will(fields: &mut Fields<'_>, flags: u8, version: Version) -> Result<Will, ProtocolError> {
    let properties = match version {
        Version::V3_1_1 => WillProperties::default(),
        Version::V5 => will_properties(fields)?,
    };
    Ok(Will {
        topic: fields.topic_name()?.to_stored(),
        payload: fields.binary()?.to_vec(),
        qos: will_qos(flags)?,
        retain: flags & WILL_RETAIN != 0,
        properties,
    })
}

fn connect_properties(fields: &mut Fields<'_>) -> Result<ConnectProperties, ProtocolError> {
    let mut section = fields.properties()?;
    let mut properties = ConnectProperties::default();
    let p = &mut properties;
    while let Some(property) = section.next()? {
        match property {
            PropertyId::SessionExpiryInterval => p.session_expiry_interval = Some(section.u32()?),
            PropertyId::ReceiveMaximum => {
                p.receive_maximum = Some(section.u16_above_0(property)?);
            }
            PropertyId::MaximumPacketSize => {
                p.maximum_packet_size = Some(section.u32_above_0(property)?);
            }
            PropertyId::TopicAliasMaximum => p.topic_alias_maximum = Some(section.u16()?),
            PropertyId::RequestResponseInformation => {
                p.request_response_information = Some(section.flag(property)?);
            }
            PropertyId::RequestProblemInformation => {
                p.request_problem_information = Some(section.flag(property)?);
            }
            PropertyId::AuthenticationMethod => {
                p.authentication_method = Some(section.owned_string()?);
            }
            PropertyId::AuthenticationData => {
                p.authentication_data = Some(section.owned_binary()?);
            }
            PropertyId::UserProperty => section.user_property(&mut p.user_properties)?,
            other => return Err(section.not_allowed(other)),
        }
    }
    if p.authentication_data.is_some() && p.authentication_method.is_none() {
        return Err(ProtocolError::NoAuthenticationMethod {
            packet: PacketType::Connect,
        });
    }
    Ok(properties)
}

fn will_properties(fields: &mut Fields<'_>) -> Result<WillProperties, ProtocolError> {
    let mut section = fields.properties()?;
    let mut properties = WillProperties::default();
    let p = &mut properties;
    while let Some(property) = section.next()? {
        match property {
            PropertyId::WillDelayInterval => p.will_delay_interval = Some(section.u32()?),
            PropertyId::PayloadFormatIndicator => {
                p.payload_format_indicator = Some(section.flag(property)?);
            }
            PropertyId::MessageExpiryInterval => p.message_expiry_interval = Some(section.u32()?),
            PropertyId::ContentType => p.content_type = Some(section.owned_string()?),
            PropertyId::ResponseTopic => {
                p.response_topic = Some(section.response_topic()?.to_owned());
            }
            PropertyId::CorrelationData => p.correlation_data = Some(section.owned_binary()?),
            PropertyId::UserProperty => section.user_property(&mut p.user_properties)?,
            other => return Err(section.not_allowed(other)),
        }
    }
    Ok(properties)
}
