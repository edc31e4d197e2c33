//! Encodes SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK (§3.8 to §3.11).

use super::acknowledgement::put_ack_properties;
use super::put_section;
use crate::codec::sink::Sink;
use crate::packet::{
    RequestedFilter, Suback, Subscribe, SubscribeProperties, SubscriptionOptions, Unsuback,
    Unsubscribe, UserProperties,
};
use crate::{PropertyId, ReasonCode, Version};

/// The only failure that a 3.1.1 SUBACK knows [3.1.1: MQTT-3.9.3-2].
const FAILURE: u8 = 0x80;

pub(super) fn put_subscribe<S: Sink>(subscribe: &Subscribe, version: Version, sink: &mut S) {
    sink.u16(subscribe.id.get());
    if version == Version::V5 {
        put_section(
            sink,
            &subscribe.properties,
            put_subscribe_properties,
            put_subscribe_properties,
        );
    }
    for subscription in &subscribe.subscriptions {
        sink.string(text(&subscription.filter));
        sink.u8(options_byte(subscription.options, version));
    }
    sink.bytes(subscribe.rest.as_bytes());
}

pub(super) fn put_suback<S: Sink>(suback: &Suback, version: Version, sink: &mut S) {
    sink.u16(suback.id.get());
    match version {
        Version::V3_1_1 => {
            for &reason in &suback.reasons {
                sink.u8(return_code(reason));
            }
        }
        Version::V5 => {
            put_ack_properties(&suback.properties, sink);
            put_reasons(&suback.reasons, sink);
        }
    }
}

pub(super) fn put_unsubscribe<S: Sink>(unsubscribe: &Unsubscribe, version: Version, sink: &mut S) {
    sink.u16(unsubscribe.id.get());
    if version == Version::V5 {
        put_section(
            sink,
            &unsubscribe.user_properties,
            put_user_properties,
            put_user_properties,
        );
    }
    for filter in &unsubscribe.filters {
        sink.string(text(filter));
    }
    sink.bytes(unsubscribe.rest.as_bytes());
}

pub(super) fn put_unsuback<S: Sink>(unsuback: &Unsuback, version: Version, sink: &mut S) {
    sink.u16(unsuback.id.get());
    if version == Version::V5 {
        put_ack_properties(&unsuback.properties, sink);
        put_reasons(&unsuback.reasons, sink);
    }
}

fn text(filter: &RequestedFilter) -> &str {
    match filter {
        Ok(filter) => filter.as_str(),
        Err(invalid) => &invalid.text,
    }
}

fn put_subscribe_properties<S: Sink>(properties: &SubscribeProperties, sink: &mut S) {
    if let Some(identifier) = properties.subscription_identifier {
        sink.u8(PropertyId::SubscriptionIdentifier as u8);
        sink.variable_byte_integer(identifier.get() as usize);
    }
    sink.user_properties(&properties.user_properties);
}

fn put_user_properties<S: Sink>(properties: &UserProperties, sink: &mut S) {
    sink.user_properties(properties);
}

fn put_reasons<S: Sink>(reasons: &[ReasonCode], sink: &mut S) {
    for &reason in reasons {
        sink.u8(reason as u8);
    }
}

fn return_code(reason: ReasonCode) -> u8 {
    if reason.is_error() {
        FAILURE
    } else {
        reason as u8
    }
}

/// Subscription Options (§3.8.3.1); in 3.1.1 the QoS is all there is.
fn options_byte(options: SubscriptionOptions, version: Version) -> u8 {
    let qos = options.qos as u8;
    match version {
        Version::V3_1_1 => qos,
        Version::V5 => {
            qos | u8::from(options.no_local) << 2
                | u8::from(options.retain_as_published) << 3
                | (options.retain_handling as u8) << 4
        }
    }
}
