//! Encodes CONNACK (§3.2).

use super::put_section;
use crate::codec::sink::Sink;
use crate::packet::{Connack, ConnackProperties};
use crate::{PropertyId, QoS, ReasonCode, Version};

pub(super) fn put<S: Sink>(connack: &Connack, version: Version, sink: &mut S) {
    sink.u8(u8::from(connack.session_present));
    match version {
        Version::V3_1_1 => sink.u8(return_code(connack.reason)),
        Version::V5 => {
            sink.u8(connack.reason as u8);
            put_section(sink, &connack.properties, put_each, put_each);
        }
    }
}

/// The return code of 3.1.1 that says the most of what `reason` says
/// [3.1.1: MQTT-3.2.2-6]. What has none of its own is "server unavailable".
fn return_code(reason: ReasonCode) -> u8 {
    let named = [
        (ReasonCode::UnsupportedProtocolVersion, 1),
        (ReasonCode::ClientIdentifierNotValid, 2),
        (ReasonCode::BadUserNameOrPassword, 4),
        (ReasonCode::BadAuthenticationMethod, 4),
        (ReasonCode::NotAuthorized, 5),
        (ReasonCode::Banned, 5),
    ];
    let found = named.iter().find(|(of, _)| *of == reason);
    let other = if reason.is_error() { 3 } else { 0 };
    found.map_or(other, |(_, code)| *code)
}

fn put_each<S: Sink>(properties: &ConnackProperties, sink: &mut S) {
    let p = properties;
    sink.u32_property(PropertyId::SessionExpiryInterval, p.session_expiry_interval);
    sink.u16_property(PropertyId::ReceiveMaximum, p.receive_maximum);
    // Absent stands for QoS 2; there is no value for it (§3.2.2.3.4).
    let maximum_qos = match p.maximum_qos {
        Some(QoS::AtMostOnce) => Some(false),
        Some(QoS::AtLeastOnce) => Some(true),
        Some(QoS::ExactlyOnce) | None => None,
    };
    sink.flag_property(PropertyId::MaximumQoS, maximum_qos);
    sink.flag_property(PropertyId::RetainAvailable, p.retain_available);
    sink.u32_property(PropertyId::MaximumPacketSize, p.maximum_packet_size);
    sink.string_property(
        PropertyId::AssignedClientIdentifier,
        p.assigned_client_identifier.as_deref(),
    );
    sink.u16_property(PropertyId::TopicAliasMaximum, p.topic_alias_maximum);
    sink.string_property(PropertyId::ReasonString, p.reason_string.as_deref());
    sink.user_properties(&p.user_properties);
    sink.flag_property(
        PropertyId::WildcardSubscriptionAvailable,
        p.wildcard_subscription_available,
    );
    sink.flag_property(
        PropertyId::SubscriptionIdentifierAvailable,
        p.subscription_identifiers_available,
    );
    sink.flag_property(
        PropertyId::SharedSubscriptionAvailable,
        p.shared_subscription_available,
    );
    sink.u16_property(PropertyId::ServerKeepAlive, p.server_keep_alive);
    sink.string_property(
        PropertyId::ResponseInformation,
        p.response_information.as_deref(),
    );
    sink.string_property(PropertyId::ServerReference, p.server_reference.as_deref());
    sink.string_property(
        PropertyId::AuthenticationMethod,
        p.authentication_method.as_deref(),
    );
    sink.binary_property(
        PropertyId::AuthenticationData,
        p.authentication_data.as_deref(),
    );
}
