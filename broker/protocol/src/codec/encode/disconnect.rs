//! Encodes DISCONNECT (§3.14).

use super::put_section;
use crate::codec::sink::Sink;
use crate::packet::{Disconnect, DisconnectProperties};
use crate::{PropertyId, ReasonCode, Version};

/// 3.1.1 has no body. 5.0 leaves out empty properties, and then the Reason Code if it is Normal
/// disconnection (§3.14.2.1).
pub(super) fn put<S: Sink>(disconnect: &Disconnect, version: Version, sink: &mut S) {
    let is_plain = disconnect.properties == DisconnectProperties::default();
    let is_normal = disconnect.reason == ReasonCode::Success;
    if version == Version::V3_1_1 || (is_plain && is_normal) {
        return;
    }
    sink.u8(disconnect.reason as u8);
    if !is_plain {
        put_section(sink, &disconnect.properties, put_each, put_each);
    }
}

fn put_each<S: Sink>(properties: &DisconnectProperties, sink: &mut S) {
    sink.u32_property(
        PropertyId::SessionExpiryInterval,
        properties.session_expiry_interval,
    );
    sink.string_property(
        PropertyId::ReasonString,
        properties.reason_string.as_deref(),
    );
    sink.user_properties(&properties.user_properties);
    sink.string_property(
        PropertyId::ServerReference,
        properties.server_reference.as_deref(),
    );
}
