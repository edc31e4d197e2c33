//! Turns packets into bytes (§3).
//!
//! What the version cannot say is left out: properties and most Reason Codes in 3.1.1. The model
//! is trusted to be one that decoding could have made; nothing is checked again, except that a
//! length fits its field.

mod acknowledgement;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod publish;
mod subscribe;

pub(super) use publish::properties as publish_properties;

use super::header::{required_flags, variable_byte_integer_len};
use super::publish_flags::PublishFlags;
use super::sink::{Length, Sink};
use crate::Version;
use crate::packet::{Packet, Publish};

/// Appends `packet` to `out`, as `version` has it.
///
/// One reservation of the exact length, then copies.
///
/// # Panics
///
/// If a string or binary field has more than 65,535 bytes, if the packet would have more than
/// 268,435,460, or for AUTH in 3.1.1: no such packets exist.
pub fn encode(packet: &Packet<'_>, version: Version, out: &mut Vec<u8>) {
    if let Packet::Publish(publish) = packet {
        return encode_publish(publish, version, out);
    }
    let remaining_length = remaining_length(packet, version);
    out.reserve(1 + variable_byte_integer_len(remaining_length) + remaining_length);
    let packet_type = packet.packet_type();
    out.u8((packet_type as u8) << 4 | required_flags(packet_type));
    out.variable_byte_integer(remaining_length);
    put_body(packet, version, out);
}

/// Appends a PUBLISH that is not in a [`Packet`], as [`encode`] does.
///
/// # Panics
///
/// As [`encode`].
pub fn encode_publish(publish: &Publish<'_>, version: Version, out: &mut Vec<u8>) {
    let mut remaining_length = Length::default();
    publish::put(publish, version, &mut remaining_length);
    let Length(remaining_length) = remaining_length;
    out.reserve(1 + variable_byte_integer_len(remaining_length) + remaining_length);
    let flags = PublishFlags {
        dup: publish.dup,
        qos: publish.qos,
        retain: publish.retain,
    };
    out.u8(flags.first_byte());
    out.variable_byte_integer(remaining_length);
    publish::put(publish, version, out);
}

/// Bytes that [`encode`] appends, fixed header included.
///
/// # Panics
///
/// As [`encode`].
pub fn encoded_len(packet: &Packet<'_>, version: Version) -> usize {
    let remaining_length = remaining_length(packet, version);
    1 + variable_byte_integer_len(remaining_length) + remaining_length
}

fn remaining_length(packet: &Packet<'_>, version: Version) -> usize {
    let mut length = Length::default();
    put_body(packet, version, &mut length);
    length.0
}

/// Everything after the fixed header.
fn put_body<S: Sink>(packet: &Packet<'_>, version: Version, sink: &mut S) {
    match packet {
        Packet::Connect(connect) => connect::put(connect, sink),
        Packet::Connack(connack) => connack::put(connack, version, sink),
        Packet::Publish(publish) => publish::put(publish, version, sink),
        Packet::Puback(puback) => {
            acknowledgement::put(puback.id, puback.reason, &puback.properties, version, sink);
        }
        Packet::Pubrec(pubrec) => {
            acknowledgement::put(pubrec.id, pubrec.reason, &pubrec.properties, version, sink);
        }
        Packet::Pubrel(pubrel) => {
            acknowledgement::put(pubrel.id, pubrel.reason, &pubrel.properties, version, sink);
        }
        Packet::Pubcomp(pubcomp) => {
            acknowledgement::put(
                pubcomp.id,
                pubcomp.reason,
                &pubcomp.properties,
                version,
                sink,
            );
        }
        Packet::Subscribe(subscribe) => subscribe::put_subscribe(subscribe, version, sink),
        Packet::Suback(suback) => subscribe::put_suback(suback, version, sink),
        Packet::Unsubscribe(unsubscribe) => {
            subscribe::put_unsubscribe(unsubscribe, version, sink);
        }
        Packet::Unsuback(unsuback) => subscribe::put_unsuback(unsuback, version, sink),
        Packet::Pingreq | Packet::Pingresp => {}
        Packet::Disconnect(disconnect) => disconnect::put(disconnect, version, sink),
        Packet::Auth(auth) => {
            assert!(version == Version::V5, "3.1.1 has no AUTH");
            auth::put(auth, sink);
        }
    }
}

/// A property section with its length before it (§2.2.2.1). `put` writes the properties; it runs
/// once to count and once to write.
fn put_section<S, T>(sink: &mut S, properties: &T, count: fn(&T, &mut Length), put: fn(&T, &mut S))
where
    S: Sink,
{
    let mut length = Length::default();
    count(properties, &mut length);
    sink.variable_byte_integer(length.0);
    put(properties, sink);
}
