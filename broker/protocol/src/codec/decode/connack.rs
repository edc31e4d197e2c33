//! Decodes CONNACK (§3.2).

use crate::codec::fields::Fields;
use crate::packet::{Connack, ConnackProperties};
use crate::{PropertyId, ProtocolError, QoS, ReasonCode, Version};

/// A server that knows 3.1.1 only answers a 5.0 CONNECT in its own format, return code 1
/// [3.1.1: MQTT-3.1.2-2]; that is understood as Unsupported Protocol Version.
pub(super) fn decode(fields: &mut Fields<'_>, version: Version) -> Result<Connack, ProtocolError> {
    let is_short = fields.len() == 2;
    let flags = fields.u8()?;
    if flags & 0b1111_1110 != 0 {
        return Err(ProtocolError::ReservedConnackFlags { flags });
    }
    let session_present = flags == 1;
    let (reason, properties) = match version {
        Version::V3_1_1 => (return_code(fields)?, ConnackProperties::default()),
        Version::V5 if is_short => (short_answer(fields)?, ConnackProperties::default()),
        Version::V5 => {
            let reason = fields.reason_code(is_allowed)?;
            (reason, decode_properties(fields)?)
        }
    };
    if session_present && reason.is_error() {
        return Err(ProtocolError::SessionPresentWithError { reason });
    }
    Ok(Connack {
        session_present,
        reason,
        properties,
    })
}

/// Return codes of 3.1.1 [3.1.1: MQTT-3.2.2-6].
fn return_code(fields: &mut Fields<'_>) -> Result<ReasonCode, ProtocolError> {
    Ok(match fields.u8()? {
        0 => ReasonCode::Success,
        1 => ReasonCode::UnsupportedProtocolVersion,
        2 => ReasonCode::ClientIdentifierNotValid,
        3 => ReasonCode::ServerUnavailable,
        4 => ReasonCode::BadUserNameOrPassword,
        5 => ReasonCode::NotAuthorized,
        code => {
            return Err(ProtocolError::ReasonCodeNotAllowed {
                packet: fields.packet(),
                code,
            });
        }
    })
}

/// A 3.1.1 server's refusal of 5.0; any other CONNACK of two bytes lacks its properties.
fn short_answer(fields: &mut Fields<'_>) -> Result<ReasonCode, ProtocolError> {
    match fields.u8()? {
        1 => Ok(ReasonCode::UnsupportedProtocolVersion),
        _ => Err(ProtocolError::Truncated {
            packet: fields.packet(),
        }),
    }
}

fn decode_properties(fields: &mut Fields<'_>) -> Result<ConnackProperties, ProtocolError> {
    let mut section = fields.properties()?;
    let mut properties = ConnackProperties::default();
    let p = &mut properties;
    while let Some(property) = section.next()? {
        match property {
            PropertyId::SessionExpiryInterval => p.session_expiry_interval = Some(section.u32()?),
            PropertyId::ReceiveMaximum => {
                p.receive_maximum = Some(section.u16_above_0(property)?);
            }
            PropertyId::MaximumQoS => {
                p.maximum_qos = Some(match section.flag(property)? {
                    false => QoS::AtMostOnce,
                    true => QoS::AtLeastOnce,
                });
            }
            PropertyId::RetainAvailable => p.retain_available = Some(section.flag(property)?),
            PropertyId::MaximumPacketSize => {
                p.maximum_packet_size = Some(section.u32_above_0(property)?);
            }
            PropertyId::AssignedClientIdentifier => {
                p.assigned_client_identifier = Some(section.owned_string()?);
            }
            PropertyId::TopicAliasMaximum => p.topic_alias_maximum = Some(section.u16()?),
            PropertyId::ReasonString => p.reason_string = Some(section.owned_string()?),
            PropertyId::UserProperty => section.user_property(&mut p.user_properties)?,
            PropertyId::WildcardSubscriptionAvailable => {
                p.wildcard_subscription_available = Some(section.flag(property)?);
            }
            PropertyId::SubscriptionIdentifierAvailable => {
                p.subscription_identifiers_available = Some(section.flag(property)?);
            }
            PropertyId::SharedSubscriptionAvailable => {
                p.shared_subscription_available = Some(section.flag(property)?);
            }
            PropertyId::ServerKeepAlive => p.server_keep_alive = Some(section.u16()?),
            PropertyId::ResponseInformation => {
                p.response_information = Some(section.owned_string()?);
            }
            PropertyId::ServerReference => p.server_reference = Some(section.owned_string()?),
            PropertyId::AuthenticationMethod => {
                p.authentication_method = Some(section.owned_string()?);
            }
            PropertyId::AuthenticationData => {
                p.authentication_data = Some(section.owned_binary()?);
            }
            other => return Err(section.not_allowed(other)),
        }
    }
    Ok(properties)
}

/// Connect Reason Codes (§3.2.2.2).
fn is_allowed(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::Success
            | ReasonCode::UnspecifiedError
            | ReasonCode::MalformedPacket
            | ReasonCode::ProtocolError
            | ReasonCode::ImplementationSpecificError
            | ReasonCode::UnsupportedProtocolVersion
            | ReasonCode::ClientIdentifierNotValid
            | ReasonCode::BadUserNameOrPassword
            | ReasonCode::NotAuthorized
            | ReasonCode::ServerUnavailable
            | ReasonCode::ServerBusy
            | ReasonCode::Banned
            | ReasonCode::BadAuthenticationMethod
            | ReasonCode::TopicNameInvalid
            | ReasonCode::PacketTooLarge
            | ReasonCode::QuotaExceeded
            | ReasonCode::PayloadFormatInvalid
            | ReasonCode::RetainNotSupported
            | ReasonCode::QoSNotSupported
            | ReasonCode::UseAnotherServer
            | ReasonCode::ServerMoved
            | ReasonCode::ConnectionRateExceeded
    )
}
