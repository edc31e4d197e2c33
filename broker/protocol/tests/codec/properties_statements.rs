//! Properties (§2.2.2): which packet has which, how often, with which values.

use squall_protocol::PropertyId;
use squall_protocol::packet::PacketType;
use squall_protocol::{ProtocolError, ReasonCode, Version};

use crate::wire::{decode, framed};

/// Where a property section can be: before and after it, the first byte of its packet, and the
/// properties of the table in §2.2.2.2.
struct Section {
    name: &'static str,
    first_byte: u8,
    before: &'static [u8],
    after: &'static [u8],
    allowed: &'static [u32],
}

const SECTIONS: [Section; 13] = [
    Section {
        name: "CONNECT",
        first_byte: 0x10,
        before: b"\x00\x04MQTT\x05\x02\x00\x0a",
        after: b"\x00\x01p",
        allowed: &[0x11, 0x15, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27],
    },
    Section {
        name: "will",
        first_byte: 0x10,
        before: b"\x00\x04MQTT\x05\x06\x00\x0a\x00\x00\x01p",
        after: b"\x00\x01w\x00\x00",
        allowed: &[0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26],
    },
    Section {
        name: "CONNACK",
        first_byte: 0x20,
        before: b"\x00\x00",
        after: b"",
        allowed: &[
            0x11, 0x12, 0x13, 0x15, 0x16, 0x1a, 0x1c, 0x1f, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27,
            0x28, 0x29, 0x2a,
        ],
    },
    Section {
        name: "PUBLISH",
        first_byte: 0x30,
        before: b"\x00\x01t",
        after: b"x",
        allowed: &[0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x23, 0x26],
    },
    Section {
        name: "PUBACK",
        first_byte: 0x40,
        before: b"\x00\x01\x00",
        after: b"",
        allowed: &[0x1f, 0x26],
    },
    Section {
        name: "PUBREC",
        first_byte: 0x50,
        before: b"\x00\x01\x00",
        after: b"",
        allowed: &[0x1f, 0x26],
    },
    Section {
        name: "PUBREL",
        first_byte: 0x62,
        before: b"\x00\x01\x00",
        after: b"",
        allowed: &[0x1f, 0x26],
    },
    Section {
        name: "PUBCOMP",
        first_byte: 0x70,
        before: b"\x00\x01\x00",
        after: b"",
        allowed: &[0x1f, 0x26],
    },
    Section {
        name: "SUBSCRIBE",
        first_byte: 0x82,
        before: b"\x00\x01",
        after: b"\x00\x01t\x00",
        allowed: &[0x0b, 0x26],
    },
    Section {
        name: "SUBACK",
        first_byte: 0x90,
        before: b"\x00\x01",
        after: b"\x00",
        allowed: &[0x1f, 0x26],
    },
    Section {
        name: "UNSUBSCRIBE",
        first_byte: 0xa2,
        before: b"\x00\x01",
        after: b"\x00\x01t",
        allowed: &[0x26],
    },
    Section {
        name: "UNSUBACK",
        first_byte: 0xb0,
        before: b"\x00\x01",
        after: b"\x00",
        allowed: &[0x1f, 0x26],
    },
    Section {
        name: "DISCONNECT",
        first_byte: 0xe0,
        before: b"\x00",
        after: b"",
        allowed: &[0x11, 0x1c, 0x1f, 0x26],
    },
];

impl Section {
    fn packet(&self) -> PacketType {
        PacketType::from_bits(self.first_byte >> 4).expect("a packet type")
    }

    /// The packet with these properties in the section.
    fn with(&self, properties: &[u8]) -> Vec<u8> {
        let length = [properties.len() as u8];
        let body = [self.before, &length, properties, self.after].concat();
        framed(self.first_byte, &body)
    }
}

/// A good value of the property, by its type in the table of §2.2.2.2.
fn value_of(identifier: u32) -> &'static [u8] {
    match identifier {
        0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => b"\x01",
        0x13 | 0x21 | 0x22 | 0x23 => b"\x00\x01",
        0x02 | 0x11 | 0x18 | 0x27 => b"\x00\x00\x00\x01",
        0x0b => b"\x01",
        0x26 => b"\x00\x01n\x00\x01v",
        _ => b"\x00\x01s",
    }
}

fn property(identifier: u32) -> Vec<u8> {
    [&[identifier as u8], value_of(identifier)].concat()
}

/// Every property that has a meaning.
fn all_properties() -> impl Iterator<Item = (u32, PropertyId)> {
    (0..128).filter_map(|identifier| Some((identifier, PropertyId::from_identifier(identifier)?)))
}

#[test]
fn there_are_27_properties() {
    assert_eq!(all_properties().count(), 27);
}

/// The table of §2.2.2.2, packet by packet: what is not in its row makes a packet malformed.
/// Authentication Data, which needs a method in CONNECT, has tests of its own.
#[test]
fn every_packet_takes_its_properties_and_no_others() {
    for section in SECTIONS {
        for (identifier, id) in all_properties() {
            if id == PropertyId::AuthenticationData && section.name == "CONNECT" {
                continue;
            }
            let decoded = decode(Version::V5, &section.with(&property(identifier)));

            let name = section.name;
            if section.allowed.contains(&identifier) {
                assert!(decoded.is_ok(), "{name} with {id}: {decoded:?}");
            } else {
                let packet = section.packet();
                let error = ProtocolError::PropertyNotAllowed {
                    packet,
                    property: id,
                };
                assert_eq!(decoded, Err(error), "{name} with {id}");
                assert_eq!(error.reason(), ReasonCode::MalformedPacket);
            }
        }
    }
}

/// Only User Property is a list, and in PUBLISH the Subscription Identifier, of which a server
/// sends one for each subscription that matched (§3.3.2.3.8).
#[test]
fn a_property_twice_is_refused() {
    for section in SECTIONS {
        for &identifier in section.allowed {
            let twice = [property(identifier), property(identifier)].concat();

            let decoded = decode(Version::V5, &section.with(&twice));

            let name = section.name;
            let is_list = identifier == 0x26 || (name == "PUBLISH" && identifier == 0x0b);
            if is_list {
                assert!(decoded.is_ok(), "{name} with {identifier:#04x} twice");
            } else {
                let error = ProtocolError::DuplicateProperty {
                    packet: section.packet(),
                    property: PropertyId::from_identifier(identifier).unwrap(),
                };
                assert_eq!(decoded, Err(error), "{name} with {identifier:#04x} twice");
                assert_eq!(error.reason(), ReasonCode::ProtocolError);
            }
        }
    }
}

/// A value is there as a whole, within the section (§2.2.2.1).
#[test]
fn a_property_without_its_value_is_refused() {
    for section in SECTIONS {
        for &identifier in section.allowed {
            let whole = property(identifier);
            for length in 1..whole.len() {
                let decoded = decode(Version::V5, &section.with(&whole[..length]));

                let packet = section.packet();
                let name = section.name;
                let error = ProtocolError::Truncated { packet };
                assert_eq!(decoded, Err(error), "{name} with {identifier:#04x}");
            }
        }
    }
}

#[test]
fn an_unknown_property_is_refused() {
    for section in SECTIONS {
        for identifier in (0..128).filter(|&id| PropertyId::from_identifier(id).is_none()) {
            let properties = [identifier as u8, 0x01];

            let error = decode(Version::V5, &section.with(&properties)).unwrap_err();

            let packet = section.packet();
            assert_eq!(error, ProtocolError::UnknownProperty { packet, identifier });
            assert_eq!(error.reason(), ReasonCode::MalformedPacket);
        }
    }
}

/// An identifier is a variable byte integer (§2.2.2.2), in as few bytes as it can be
/// [MQTT-1.5.5-1].
#[test]
fn identifiers_are_variable_byte_integers() {
    for (identifier, expected) in [
        (b"\x80\x01".as_slice(), true),
        (b"\xff\xff\xff\x7f", true),
        (b"\xa6\x00", false),
        (b"\x80\x80\x80\x80\x01", false),
    ] {
        let properties = [identifier, b"\x00\x01n\x00\x01v"].concat();
        let error = decode(Version::V5, &SECTIONS[3].with(&properties)).unwrap_err();

        let is_unknown = matches!(error, ProtocolError::UnknownProperty { .. });
        assert_eq!(is_unknown, expected, "{error}");
        assert_eq!(error.reason(), ReasonCode::MalformedPacket);
    }
}

/// Values that the sections of each property call Protocol Errors.
#[test]
fn values_out_of_range_are_refused() {
    for (name, properties) in [
        ("CONNECT", b"\x17\x02".as_slice()),
        ("CONNECT", b"\x19\x02"),
        ("CONNECT", b"\x21\x00\x00"),
        ("CONNECT", b"\x27\x00\x00\x00\x00"),
        ("will", b"\x01\x02"),
        ("CONNACK", b"\x21\x00\x00"),
        ("CONNACK", b"\x24\x02"),
        ("CONNACK", b"\x25\x02"),
        ("CONNACK", b"\x27\x00\x00\x00\x00"),
        ("CONNACK", b"\x28\x02"),
        ("CONNACK", b"\x29\xff"),
        ("CONNACK", b"\x2a\x02"),
        ("PUBLISH", b"\x01\x02"),
        ("PUBLISH", b"\x0b\x00"),
        ("SUBSCRIBE", b"\x0b\x00"),
    ] {
        let section = SECTIONS
            .iter()
            .find(|section| section.name == name)
            .expect("a section");

        let error = decode(Version::V5, &section.with(properties)).unwrap_err();

        assert!(
            matches!(error, ProtocolError::PropertyValue { .. }),
            "{error}"
        );
        assert_eq!(error.reason(), ReasonCode::ProtocolError);
    }
}

/// Subscription Identifiers are 1 to 268,435,455 in as few bytes as they can be
/// (§3.8.2.1.2, [MQTT-1.5.5-1]).
#[test]
fn subscription_identifiers_are_variable_byte_integers() {
    let subscribe = &SECTIONS[8];
    for good in [
        b"\x0b\x7f".as_slice(),
        b"\x0b\x80\x01",
        b"\x0b\xff\xff\xff\x7f",
    ] {
        assert!(decode(Version::V5, &subscribe.with(good)).is_ok());
    }
    for bad in [b"\x0b\x80\x00".as_slice(), b"\x0b\x80\x80\x80\x80\x01"] {
        let error = decode(Version::V5, &subscribe.with(bad)).unwrap_err();
        assert_eq!(error.reason(), ReasonCode::MalformedPacket);
    }
}

/// A section that is longer than its packet is malformed, and reserves nothing.
#[test]
fn a_property_length_beyond_the_packet_is_refused() {
    let error = decode(Version::V5, b"\x30\x07\x00\x01t\xff\xff\xff\x7f").unwrap_err();

    let packet = PacketType::Publish;
    assert_eq!(error, ProtocolError::Truncated { packet });
}

/// [MQTT-2.2.2-1]: no properties are a Property Length of 0, not nothing.
#[test]
fn a_missing_property_length_is_refused() {
    for bytes in [
        b"\x10\x0a\x00\x04MQTT\x05\x02\x00\x0a".as_slice(),
        b"\x20\x02\x00\x00",
        b"\x30\x03\x00\x01t",
        b"\x82\x02\x00\x01",
        b"\xa2\x02\x00\x01",
        b"\xf0\x01\x18",
    ] {
        let error = decode(Version::V5, bytes).unwrap_err();
        assert!(matches!(error, ProtocolError::Truncated { .. }), "{error}");
    }
}
