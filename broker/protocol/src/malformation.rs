//! Packets that break the rules of MQTT on purpose, one for each rule: to see whether a server ends the connection.
//!
//! A server that detects a Malformed Packet or a Protocol Error must close the Network Connection
//! ([MQTT-4.13.1-1], [3.1.1: MQTT-4.8.0-1]). A server of 5.0 may say why, with a DISCONNECT before.

use crate::{ReasonCode, Version};

/// Topic Name of the PUBLISH packets among them.
const TOPIC: &[u8] = b"squall/malformed";

/// A rule that a packet breaks.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Malformation {
    /// PINGREQ with a reserved flag of the fixed header.
    ReservedFlags,
    /// Packet type 0.
    ReservedType,
    /// PUBLISH with QoS 3.
    Qos3,
    /// PUBLISH of QoS 1 with Packet Identifier 0.
    PacketIdZero,
    /// PUBLISH to a topic with a wildcard.
    WildcardTopic,
    /// PUBLISH to a topic with a surrogate, which is not UTF-8.
    InvalidUtf8,
    /// PUBLISH to a topic with the null character.
    NullCharacter,
    /// A second CONNECT.
    SecondConnect,
    /// A Remaining Length of five bytes.
    OverlongLength,
    /// SUBSCRIBE without a Topic Filter.
    EmptySubscribe,
    /// SUBSCRIBE that ends within its Topic Filter.
    Truncated,
    /// PUBLISH with a property that does not exist: MQTT 5.0 only.
    UnknownProperty,
}

impl Malformation {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::ReservedFlags,
        Self::ReservedType,
        Self::Qos3,
        Self::PacketIdZero,
        Self::WildcardTopic,
        Self::InvalidUtf8,
        Self::NullCharacter,
        Self::SecondConnect,
        Self::OverlongLength,
        Self::EmptySubscribe,
        Self::Truncated,
        Self::UnknownProperty,
    ];

    /// Its name in scenario files, run files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReservedFlags => "reserved_flags",
            Self::ReservedType => "reserved_type",
            Self::Qos3 => "qos_3",
            Self::PacketIdZero => "packet_id_zero",
            Self::WildcardTopic => "wildcard_topic",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::NullCharacter => "null_character",
            Self::SecondConnect => "second_connect",
            Self::OverlongLength => "overlong_length",
            Self::EmptySubscribe => "empty_subscribe",
            Self::Truncated => "truncated",
            Self::UnknownProperty => "unknown_property",
        }
    }

    /// Whether `version` has what it breaks.
    pub const fn exists_in(self, version: Version) -> bool {
        match self {
            Self::UnknownProperty => matches!(version, Version::V5),
            Self::ReservedFlags
            | Self::ReservedType
            | Self::Qos3
            | Self::PacketIdZero
            | Self::WildcardTopic
            | Self::InvalidUtf8
            | Self::NullCharacter
            | Self::SecondConnect
            | Self::OverlongLength
            | Self::EmptySubscribe
            | Self::Truncated => true,
        }
    }

    /// The statement, or else the section, of the specification of `version` that it breaks.
    pub const fn source(self, version: Version) -> &'static str {
        let (of_5, of_3_1_1) = match self {
            Self::ReservedFlags => ("MQTT-2.1.3-1", "MQTT-2.2.2-2"),
            Self::ReservedType => ("§2.1.2", "§2.2.1"),
            Self::Qos3 => ("MQTT-3.3.1-4", "MQTT-3.3.1-4"),
            Self::PacketIdZero => ("MQTT-2.2.1-3", "MQTT-2.3.1-1"),
            Self::WildcardTopic => ("MQTT-3.3.2-2", "MQTT-3.3.2-2"),
            Self::InvalidUtf8 => ("MQTT-1.5.4-1", "MQTT-1.5.3-1"),
            Self::NullCharacter => ("MQTT-1.5.4-2", "MQTT-1.5.3-2"),
            Self::SecondConnect => ("MQTT-3.1.0-2", "MQTT-3.1.0-2"),
            Self::OverlongLength => ("§1.5.5", "§2.2.3"),
            Self::EmptySubscribe => ("MQTT-3.8.3-2", "MQTT-3.8.3-3"),
            Self::Truncated => ("§4.13.1", "§4.8"),
            Self::UnknownProperty => ("§2.2.2.2", "§4.8"),
        };
        match version {
            Version::V5 => of_5,
            Version::V3_1_1 => of_3_1_1,
        }
    }

    /// Whether a DISCONNECT may give `reason` for it (§3.14.2.1, §4.13.1): that of a Malformed Packet or of a Protocol Error,
    /// whichever the server takes it for, one for the very case, or the one that says nothing.
    pub const fn allows(self, reason: ReasonCode) -> bool {
        let is_general = matches!(
            reason,
            ReasonCode::MalformedPacket | ReasonCode::ProtocolError | ReasonCode::UnspecifiedError
        );
        let is_of_the_case = match self {
            Self::WildcardTopic | Self::InvalidUtf8 | Self::NullCharacter => {
                matches!(reason, ReasonCode::TopicNameInvalid)
            }
            Self::EmptySubscribe | Self::Truncated => {
                matches!(reason, ReasonCode::TopicFilterInvalid)
            }
            // Four bytes of it are more than any packet may have.
            Self::OverlongLength => matches!(reason, ReasonCode::PacketTooLarge),
            Self::ReservedFlags
            | Self::ReservedType
            | Self::Qos3
            | Self::PacketIdZero
            | Self::SecondConnect
            | Self::UnknownProperty => false,
        };
        is_general || is_of_the_case
    }

    /// The packet, for a connection of `version` that had its CONNACK.
    pub fn encode(self, version: Version) -> Vec<u8> {
        match self {
            Self::ReservedFlags => vec![0xC1, 0],
            Self::ReservedType => vec![0, 0],
            Self::Qos3 => packet(0x36, &[&text(TOPIC), &[0, 1], none(version), b"x"]),
            Self::PacketIdZero => packet(0x32, &[&text(TOPIC), &[0, 0], none(version), b"x"]),
            Self::WildcardTopic => publish(b"squall/malformed/#", version),
            Self::InvalidUtf8 => publish(b"squall/\xED\xA0\x80", version),
            Self::NullCharacter => publish(b"squall/\0", version),
            Self::SecondConnect => {
                let level = match version {
                    Version::V3_1_1 => 4,
                    Version::V5 => 5,
                };
                // Clean Start, a Keep Alive of 60 s, and an empty Client Identifier.
                let fixed = [level, 0b10, 0, 60];
                packet(0x10, &[&text(b"MQTT"), &fixed, none(version), &text(b"")])
            }
            Self::OverlongLength => vec![0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            Self::EmptySubscribe => packet(0x82, &[&[0, 1], none(version)]),
            Self::Truncated => packet(0x82, &[&[0, 1], none(version), &[0, 16], b"a"]),
            Self::UnknownProperty => packet(0x30, &[&text(TOPIC), &[2, 0x7F, 0], b"x"]),
        }
    }
}

/// A PUBLISH of QoS 0.
fn publish(topic: &[u8], version: Version) -> Vec<u8> {
    packet(0x30, &[&text(topic), none(version), b"x"])
}

/// A packet of fewer than 128 bytes behind its fixed header.
fn packet(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u8::try_from(body.len()).expect("they are short");
    assert!(length < 0x80, "a longer one needs another byte");
    let mut bytes = vec![first, length];
    bytes.extend(body);
    bytes
}

/// A string with its length.
fn text(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("they are short");
    [&[0, length], text].concat()
}

/// No properties, where there may be some.
fn none(version: Version) -> &'static [u8] {
    match version {
        Version::V3_1_1 => &[],
        Version::V5 => &[0],
    }
}
