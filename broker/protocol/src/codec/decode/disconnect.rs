//! Decodes DISCONNECT (§3.14).

use crate::codec::fields::Fields;
use crate::packet::{Disconnect, DisconnectProperties};
use crate::{PropertyId, ProtocolError, ReasonCode, Version};

/// 3.1.1 has no body. In 5.0 a Remaining Length of 0 stands for Normal disconnection
/// (§3.14.2.1), and one of 1 for no properties (§3.14.2.2.1).
pub(super) fn decode(
    fields: &mut Fields<'_>,
    version: Version,
) -> Result<Disconnect, ProtocolError> {
    if version == Version::V3_1_1 || fields.len() == 0 {
        return Ok(Disconnect::default());
    }
    let reason = fields.reason_code(is_allowed)?;
    let mut properties = DisconnectProperties::default();
    if fields.len() == 0 {
        return Ok(Disconnect { reason, properties });
    }
    let mut section = fields.properties()?;
    while let Some(property) = section.next()? {
        match property {
            PropertyId::SessionExpiryInterval => {
                properties.session_expiry_interval = Some(section.u32()?);
            }
            PropertyId::ReasonString => properties.reason_string = Some(section.owned_string()?),
            PropertyId::UserProperty => section.user_property(&mut properties.user_properties)?,
            PropertyId::ServerReference => {
                properties.server_reference = Some(section.owned_string()?);
            }
            other => return Err(section.not_allowed(other)),
        }
    }
    Ok(Disconnect { reason, properties })
}

/// Disconnect Reason Codes of either direction (§3.14.2.1).
fn is_allowed(reason: ReasonCode) -> bool {
    match reason {
        ReasonCode::Success
        | ReasonCode::DisconnectWithWillMessage
        | ReasonCode::UnspecifiedError
        | ReasonCode::MalformedPacket
        | ReasonCode::ProtocolError
        | ReasonCode::ImplementationSpecificError
        | ReasonCode::NotAuthorized
        | ReasonCode::ServerBusy
        | ReasonCode::ServerShuttingDown
        | ReasonCode::KeepAliveTimeout
        | ReasonCode::SessionTakenOver
        | ReasonCode::TopicFilterInvalid
        | ReasonCode::TopicNameInvalid
        | ReasonCode::ReceiveMaximumExceeded
        | ReasonCode::TopicAliasInvalid
        | ReasonCode::PacketTooLarge
        | ReasonCode::MessageRateTooHigh
        | ReasonCode::QuotaExceeded
        | ReasonCode::AdministrativeAction
        | ReasonCode::PayloadFormatInvalid
        | ReasonCode::RetainNotSupported
        | ReasonCode::QoSNotSupported
        | ReasonCode::UseAnotherServer
        | ReasonCode::ServerMoved
        | ReasonCode::SharedSubscriptionsNotSupported
        | ReasonCode::ConnectionRateExceeded
        | ReasonCode::MaximumConnectTime
        | ReasonCode::SubscriptionIdentifiersNotSupported
        | ReasonCode::WildcardSubscriptionsNotSupported => true,
        ReasonCode::GrantedQoS1
        | ReasonCode::GrantedQoS2
        | ReasonCode::NoMatchingSubscribers
        | ReasonCode::NoSubscriptionExisted
        | ReasonCode::ContinueAuthentication
        | ReasonCode::ReAuthenticate
        | ReasonCode::UnsupportedProtocolVersion
        | ReasonCode::ClientIdentifierNotValid
        | ReasonCode::BadUserNameOrPassword
        | ReasonCode::ServerUnavailable
        | ReasonCode::Banned
        | ReasonCode::BadAuthenticationMethod
        | ReasonCode::PacketIdentifierInUse
        | ReasonCode::PacketIdentifierNotFound => false,
    }
}
