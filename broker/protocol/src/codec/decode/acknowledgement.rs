//! Decodes PUBACK, PUBREC, PUBREL and PUBCOMP (§3.4 to §3.7).

use crate::codec::fields::Fields;
use crate::packet::{AckProperties, Puback, Pubcomp, Pubrec, Pubrel};
use crate::{PacketId, PropertyId, ProtocolError, ReasonCode, Version};

pub(super) fn puback(fields: &mut Fields<'_>, version: Version) -> Result<Puback, ProtocolError> {
    let (id, reason, properties) = acknowledgement(fields, version, answers_publish)?;
    Ok(Puback {
        id,
        reason,
        properties,
    })
}

pub(super) fn pubrec(fields: &mut Fields<'_>, version: Version) -> Result<Pubrec, ProtocolError> {
    let (id, reason, properties) = acknowledgement(fields, version, answers_publish)?;
    Ok(Pubrec {
        id,
        reason,
        properties,
    })
}

pub(super) fn pubrel(fields: &mut Fields<'_>, version: Version) -> Result<Pubrel, ProtocolError> {
    let (id, reason, properties) = acknowledgement(fields, version, ends_exchange)?;
    Ok(Pubrel {
        id,
        reason,
        properties,
    })
}

pub(super) fn pubcomp(fields: &mut Fields<'_>, version: Version) -> Result<Pubcomp, ProtocolError> {
    let (id, reason, properties) = acknowledgement(fields, version, ends_exchange)?;
    Ok(Pubcomp {
        id,
        reason,
        properties,
    })
}

/// The layout of all four: 5.0 may leave out the properties, and with them the Reason Code if it
/// is Success (§3.4.2.1, §3.4.2.2.1).
fn acknowledgement(
    fields: &mut Fields<'_>,
    version: Version,
    is_allowed: fn(ReasonCode) -> bool,
) -> Result<(PacketId, ReasonCode, AckProperties), ProtocolError> {
    let id = fields.packet_id()?;
    if version == Version::V3_1_1 || fields.len() == 0 {
        return Ok((id, ReasonCode::Success, AckProperties::default()));
    }
    let reason = fields.reason_code(is_allowed)?;
    if fields.len() == 0 {
        return Ok((id, reason, AckProperties::default()));
    }
    Ok((id, reason, ack_properties(fields)?))
}

/// Reason String and User Properties, as in every acknowledgement (§3.4.2.2).
pub(super) fn ack_properties(fields: &mut Fields<'_>) -> Result<AckProperties, ProtocolError> {
    let mut section = fields.properties()?;
    let mut properties = AckProperties::default();
    while let Some(property) = section.next()? {
        match property {
            PropertyId::ReasonString => properties.reason_string = Some(section.owned_string()?),
            PropertyId::UserProperty => section.user_property(&mut properties.user_properties)?,
            other => return Err(section.not_allowed(other)),
        }
    }
    Ok(properties)
}

/// Reason Codes of PUBACK and PUBREC (§3.4.2.1, §3.5.2.1).
fn answers_publish(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::Success
            | ReasonCode::NoMatchingSubscribers
            | ReasonCode::UnspecifiedError
            | ReasonCode::ImplementationSpecificError
            | ReasonCode::NotAuthorized
            | ReasonCode::TopicNameInvalid
            | ReasonCode::PacketIdentifierInUse
            | ReasonCode::QuotaExceeded
            | ReasonCode::PayloadFormatInvalid
    )
}

/// Reason Codes of PUBREL and PUBCOMP (§3.6.2.1, §3.7.2.1).
fn ends_exchange(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::Success | ReasonCode::PacketIdentifierNotFound
    )
}
