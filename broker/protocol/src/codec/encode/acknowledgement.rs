//! Encodes PUBACK, PUBREC, PUBREL and PUBCOMP (§3.4 to §3.7).

use super::put_section;
use crate::codec::sink::Sink;
use crate::packet::AckProperties;
use crate::{PacketId, PropertyId, ReasonCode, Version};

/// The layout of all four. 5.0 leaves out what may be left out: empty properties, and then the
/// Reason Code if it is Success (§3.4.2.1).
pub(super) fn put<S: Sink>(
    id: PacketId,
    reason: ReasonCode,
    properties: &AckProperties,
    version: Version,
    sink: &mut S,
) {
    sink.u16(id.get());
    let is_plain = is_empty(properties);
    if version == Version::V3_1_1 || (is_plain && reason == ReasonCode::Success) {
        return;
    }
    sink.u8(reason as u8);
    if !is_plain {
        put_ack_properties(properties, sink);
    }
}

/// The property section of every acknowledgement (§3.4.2.2).
pub(super) fn put_ack_properties<S: Sink>(properties: &AckProperties, sink: &mut S) {
    put_section(sink, properties, put_each, put_each);
}

fn put_each<S: Sink>(properties: &AckProperties, sink: &mut S) {
    sink.string_property(
        PropertyId::ReasonString,
        properties.reason_string.as_deref(),
    );
    sink.user_properties(&properties.user_properties);
}

fn is_empty(properties: &AckProperties) -> bool {
    properties.reason_string.is_none() && properties.user_properties.is_empty()
}
