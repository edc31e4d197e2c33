//! Decodes SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK (§3.8 to §3.11).

use super::acknowledgement::ack_properties;
use crate::codec::fields::Fields;
use crate::packet::{
    AckProperties, PacketType, RequestedFilter, RetainHandling, Suback, Subscribe,
    SubscribeProperties, Subscription, SubscriptionIdentifier, SubscriptionOptions,
    UndecodedFilters, Unsuback, Unsubscribe, UserProperties,
};
use crate::{PropertyId, ProtocolError, QoS, ReasonCode, Version};

/// Filters that are decoded at once.
const PIECE_FILTERS: usize = 1024;
/// Bytes after which no further filter is decoded at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Decodes a SUBSCRIBE as far as one piece goes; what is left of `fields` is for its `rest`.
pub(super) fn subscribe(
    fields: &mut Fields<'_>,
    version: Version,
) -> Result<Subscribe, ProtocolError> {
    let id = fields.packet_id()?;
    let properties = match version {
        Version::V3_1_1 => SubscribeProperties::default(),
        Version::V5 => subscribe_properties(fields)?,
    };
    let subscriptions = piece(fields, |fields| subscription(fields, version))?;
    check_not_empty(fields, subscriptions.len())?;
    Ok(Subscribe {
        id,
        properties,
        subscriptions,
        rest: UndecodedFilters::default(),
    })
}

/// Decodes the next subscriptions of a long SUBSCRIBE; none at its end.
pub fn next_subscriptions(rest: &mut UndecodedFilters) -> Result<Vec<Subscription>, ProtocolError> {
    let version = rest.version();
    next_piece(rest, PacketType::Subscribe, |fields| {
        subscription(fields, version)
    })
}

/// Decodes the next filters of a long UNSUBSCRIBE; none at its end.
pub fn next_filters(rest: &mut UndecodedFilters) -> Result<Vec<RequestedFilter>, ProtocolError> {
    let version = rest.version();
    next_piece(rest, PacketType::Unsubscribe, |fields| {
        fields.requested_filter(version)
    })
}

fn next_piece<T>(
    rest: &mut UndecodedFilters,
    packet: PacketType,
    decode: impl FnMut(&mut Fields<'_>) -> Result<T, ProtocolError>,
) -> Result<Vec<T>, ProtocolError> {
    let mut fields = Fields::new(packet, rest.as_bytes());
    let entries = piece(&mut fields, decode)?;
    let left = fields.len();
    rest.decoded_to(left);
    Ok(entries)
}

/// Decodes filters until enough are decoded for one piece or there are no more.
fn piece<T>(
    fields: &mut Fields<'_>,
    mut decode: impl FnMut(&mut Fields<'_>) -> Result<T, ProtocolError>,
) -> Result<Vec<T>, ProtocolError> {
    let stop_at = fields.len().saturating_sub(PIECE_BYTES);
    let mut entries = Vec::new();
    while fields.len() > stop_at && entries.len() < PIECE_FILTERS {
        entries.push(decode(fields)?);
    }
    Ok(entries)
}

fn subscription(fields: &mut Fields<'_>, version: Version) -> Result<Subscription, ProtocolError> {
    let filter = fields.requested_filter(version)?;
    let options = subscription_options(fields, version)?;
    let is_shared = || filter.as_ref().is_ok_and(|filter| filter.share().is_some());
    if options.no_local && is_shared() {
        return Err(ProtocolError::NoLocalOnShare);
    }
    Ok(Subscription { filter, options })
}

pub(super) fn suback(fields: &mut Fields<'_>, version: Version) -> Result<Suback, ProtocolError> {
    let id = fields.packet_id()?;
    let (properties, is_allowed): (_, fn(ReasonCode) -> bool) = match version {
        Version::V3_1_1 => (AckProperties::default(), is_suback_return_code),
        Version::V5 => (ack_properties(fields)?, is_suback_reason),
    };
    let reasons = reason_codes(fields, is_allowed)?;
    Ok(Suback {
        id,
        properties,
        reasons,
    })
}

/// Decodes an UNSUBSCRIBE as far as one piece goes; what is left of `fields` is for its `rest`.
pub(super) fn unsubscribe(
    fields: &mut Fields<'_>,
    version: Version,
) -> Result<Unsubscribe, ProtocolError> {
    let id = fields.packet_id()?;
    let user_properties = match version {
        Version::V3_1_1 => UserProperties::new(),
        Version::V5 => unsubscribe_properties(fields)?,
    };
    let filters = piece(fields, |fields| fields.requested_filter(version))?;
    check_not_empty(fields, filters.len())?;
    Ok(Unsubscribe {
        id,
        user_properties,
        filters,
        rest: UndecodedFilters::default(),
    })
}

pub(super) fn unsuback(
    fields: &mut Fields<'_>,
    version: Version,
) -> Result<Unsuback, ProtocolError> {
    let id = fields.packet_id()?;
    let (properties, reasons) = match version {
        Version::V3_1_1 => (AckProperties::default(), Vec::new()),
        Version::V5 => {
            let properties = ack_properties(fields)?;
            (properties, reason_codes(fields, is_unsuback_reason)?)
        }
    };
    Ok(Unsuback {
        id,
        properties,
        reasons,
    })
}

fn subscribe_properties(fields: &mut Fields<'_>) -> Result<SubscribeProperties, ProtocolError> {
    let mut section = fields.properties()?;
    let mut properties = SubscribeProperties::default();
    while let Some(property) = section.next()? {
        match property {
            PropertyId::SubscriptionIdentifier => {
                let value = section.variable_byte_integer()?;
                let identifier = SubscriptionIdentifier::new(value)
                    .ok_or(section.wrong_value(property, value))?;
                properties.subscription_identifier = Some(identifier);
            }
            PropertyId::UserProperty => section.user_property(&mut properties.user_properties)?,
            other => return Err(section.not_allowed(other)),
        }
    }
    Ok(properties)
}

fn unsubscribe_properties(fields: &mut Fields<'_>) -> Result<UserProperties, ProtocolError> {
    let mut section = fields.properties()?;
    let mut user_properties = UserProperties::new();
    while let Some(property) = section.next()? {
        match property {
            PropertyId::UserProperty => section.user_property(&mut user_properties)?,
            other => return Err(section.not_allowed(other)),
        }
    }
    Ok(user_properties)
}

/// The byte after each Topic Filter: Subscription Options, of which 3.1.1 has the QoS only
/// (§3.8.3.1).
fn subscription_options(
    fields: &mut Fields<'_>,
    version: Version,
) -> Result<SubscriptionOptions, ProtocolError> {
    let options = fields.u8()?;
    let reserved = match version {
        Version::V3_1_1 => 0b1111_1100,
        Version::V5 => 0b1100_0000,
    };
    if options & reserved != 0 {
        return Err(ProtocolError::ReservedSubscriptionOptions { options });
    }
    let packet = fields.packet();
    let qos = QoS::from_bits(options & 0b11).ok_or(ProtocolError::QoS3 { packet })?;
    let retain_handling = match (options >> 4) & 0b11 {
        0 => RetainHandling::SendAtSubscribe,
        1 => RetainHandling::SendIfNew,
        2 => RetainHandling::DoNotSend,
        _ => return Err(ProtocolError::RetainHandling3),
    };
    Ok(SubscriptionOptions {
        qos,
        no_local: options & 0b100 != 0,
        retain_as_published: options & 0b1000 != 0,
        retain_handling,
    })
}

/// One Reason Code for each Topic Filter, to the end of the packet; at least one.
fn reason_codes(
    fields: &mut Fields<'_>,
    is_allowed: fn(ReasonCode) -> bool,
) -> Result<Vec<ReasonCode>, ProtocolError> {
    let mut reasons = Vec::with_capacity(fields.len());
    while fields.len() > 0 {
        reasons.push(fields.reason_code(is_allowed)?);
    }
    check_not_empty(fields, reasons.len())?;
    Ok(reasons)
}

fn check_not_empty(fields: &Fields<'_>, entries: usize) -> Result<(), ProtocolError> {
    match entries {
        0 => Err(ProtocolError::Empty {
            packet: fields.packet(),
        }),
        _ => Ok(()),
    }
}

/// Return codes of a 3.1.1 SUBACK [3.1.1: MQTT-3.9.3-2].
fn is_suback_return_code(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::Success
            | ReasonCode::GrantedQoS1
            | ReasonCode::GrantedQoS2
            | ReasonCode::UnspecifiedError
    )
}

/// Reason Codes of a 5.0 SUBACK (§3.9.3).
fn is_suback_reason(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::Success
            | ReasonCode::GrantedQoS1
            | ReasonCode::GrantedQoS2
            | ReasonCode::UnspecifiedError
            | ReasonCode::ImplementationSpecificError
            | ReasonCode::NotAuthorized
            | ReasonCode::TopicFilterInvalid
            | ReasonCode::PacketIdentifierInUse
            | ReasonCode::QuotaExceeded
            | ReasonCode::SharedSubscriptionsNotSupported
            | ReasonCode::SubscriptionIdentifiersNotSupported
            | ReasonCode::WildcardSubscriptionsNotSupported
    )
}

/// Reason Codes of a 5.0 UNSUBACK (§3.11.3).
fn is_unsuback_reason(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::Success
            | ReasonCode::NoSubscriptionExisted
            | ReasonCode::UnspecifiedError
            | ReasonCode::ImplementationSpecificError
            | ReasonCode::NotAuthorized
            | ReasonCode::TopicFilterInvalid
            | ReasonCode::PacketIdentifierInUse
    )
}
