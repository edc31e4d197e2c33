//! The fixed header (§2.1), lengths, and Packet Identifiers (§2.2.1).

use squall_protocol::packet::{Packet, PacketType};
use squall_protocol::{ProtocolError, ReasonCode, Version};

use crate::vectors::all;
use crate::wire::{decode, framed, read, refusal, rules};

const BOTH: [Version; 2] = [Version::V3_1_1, Version::V5];

/// [MQTT-2.1.3-1] and [3.1.1: MQTT-2.2.2-2]: every wrong value of the flags of every packet
/// whose flags are reserved, SUBSCRIBE, UNSUBSCRIBE and PUBREL included [MQTT-3.8.1-1],
/// [MQTT-3.10.1-1], [MQTT-3.6.1-1], DISCONNECT [MQTT-3.14.1-1] and AUTH [MQTT-3.15.1-1].
#[test]
fn reserved_flags_are_refused() {
    for vector in all() {
        if vector.packet.packet_type() == PacketType::Publish {
            continue;
        }
        for flags in 0..16 {
            let mut bytes = vector.bytes.to_vec();
            let right = bytes[0] & 0x0F;
            bytes[0] = bytes[0] & 0xF0 | flags;

            let outcome = read([bytes.as_slice()], &rules(vector.version));

            let packet = vector.packet.packet_type();
            let expected =
                (flags != right).then_some(ProtocolError::ReservedFlags { packet, flags });
            assert_eq!(outcome.error, expected, "{} {flags:#x}", vector.name);
        }
    }
}

/// Packet type 0 is forbidden (§2.1.2), and 3.1.1 has no type 15.
#[test]
fn reserved_packet_types_are_refused() {
    for version in BOTH {
        assert_eq!(
            decode(version, b"\x00\x00"),
            Err(ProtocolError::ReservedPacketType { bits: 0 })
        );
    }
    assert_eq!(
        decode(Version::V3_1_1, b"\xf0\x00"),
        Err(ProtocolError::ReservedPacketType { bits: 15 })
    );
}

/// [MQTT-1.5.5-1]
#[test]
fn a_length_in_more_bytes_than_it_needs_is_refused() {
    for bytes in [
        b"\xc0\x80\x00".as_slice(),
        b"\xc0\x80\x80\x00",
        b"\xc0\x80\x80\x80\x00",
        b"\xe0\x81\x00\x00",
    ] {
        assert_eq!(refusal(Version::V5, bytes), ReasonCode::MalformedPacket);
    }
}

/// A variable byte integer has at most four bytes (§1.5.5); the fourth byte decides.
#[test]
fn a_length_of_five_bytes_is_refused() {
    for version in BOTH {
        let outcome = read([b"\x30\x80\x80\x80\x80".as_slice()], &rules(version));

        assert_eq!(
            outcome.error,
            Some(ProtocolError::VariableByteIntegerTooLong)
        );
        let outcome = read([b"\x30\xff\xff\xff".as_slice()], &rules(version));
        assert_eq!(outcome.error, None);
    }
}

/// The boundaries of the table in §1.5.5.
#[test]
fn lengths_take_as_few_bytes_as_they_can() {
    for (payload_bytes, header) in [
        (127 - 3, b"\x30\x7f".as_slice()),
        (128 - 3, b"\x30\x80\x01"),
        (16_383 - 3, b"\x30\xff\x7f"),
        (16_384 - 3, b"\x30\x80\x80\x01"),
        (2_097_151 - 3, b"\x30\xff\xff\x7f"),
        (2_097_152 - 3, b"\x30\x80\x80\x80\x01"),
    ] {
        let payload = vec![0; payload_bytes];
        let body = [b"\x00\x01t".as_slice(), &payload].concat();
        let bytes = [header, &body].concat();

        let packet = decode(Version::V3_1_1, &bytes).unwrap();

        let Packet::Publish(publish) = &packet else {
            panic!("no PUBLISH");
        };
        assert_eq!(publish.payload.len(), payload_bytes);
        assert_eq!(crate::wire::encoded(&packet, Version::V3_1_1), bytes);
    }
}

/// [MQTT-2.2.1-3] and [3.1.1: MQTT-2.3.1-1], for every packet with an identifier.
#[test]
fn packet_identifier_0_is_refused() {
    for version in BOTH {
        let section: &[u8] = match version {
            Version::V3_1_1 => b"",
            Version::V5 => b"\0",
        };
        for (first_byte, before, after) in [
            (0x32, b"\x00\x01t".as_slice(), b"x".as_slice()),
            (0x34, b"\x00\x01t", b"x"),
            (0x82, b"", b"\x00\x01t\x00"),
            (0x90, b"", b"\x00"),
            (0xa2, b"", b"\x00\x01t"),
        ] {
            let body = [before, b"\x00\x00", section, after].concat();
            let reason = refusal(version, &framed(first_byte, &body));
            assert_eq!(reason, ReasonCode::ProtocolError, "{first_byte:#04x}");
        }
        for first_byte in [0x40, 0x50, 0x62, 0x70] {
            let reason = refusal(version, &framed(first_byte, b"\x00\x00"));
            assert_eq!(reason, ReasonCode::ProtocolError, "{first_byte:#04x}");
        }
    }
}

/// Bytes after the last field make a packet malformed, whatever the packet. PUBLISH and the lists
/// of SUBSCRIBE, UNSUBSCRIBE and their answers go on to the end.
#[test]
fn bytes_after_the_last_field_are_refused() {
    for (version, bytes) in [
        (
            Version::V3_1_1,
            b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x0a\x00\x01px".as_slice(),
        ),
        (
            Version::V5,
            b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x01px",
        ),
        (Version::V3_1_1, b"\x20\x03\x00\x00\x00"),
        (Version::V5, b"\x20\x04\x00\x00\x00\x00"),
        (Version::V3_1_1, b"\x40\x03\x00\x01\x00"),
        (Version::V3_1_1, b"\x50\x03\x00\x01\x00"),
        (Version::V3_1_1, b"\x62\x03\x00\x01\x00"),
        (Version::V3_1_1, b"\x70\x03\x00\x01\x00"),
        (Version::V5, b"\x40\x05\x00\x01\x00\x00\x00"),
        (Version::V3_1_1, b"\xb0\x03\x00\x01\x00"),
        (Version::V3_1_1, b"\xc0\x01\x00"),
        (Version::V5, b"\xc0\x01\x00"),
        (Version::V3_1_1, b"\xd0\x01\x00"),
        (Version::V5, b"\xd0\x01\x00"),
        (Version::V3_1_1, b"\xe0\x01\x00"),
        (Version::V5, b"\xe0\x03\x00\x00\x00"),
        (Version::V5, b"\xf0\x08\x18\x05\x15\x00\x02ab\x00"),
    ] {
        let bytes_left = 1;
        let error = decode(version, bytes).expect_err("a byte is left");
        let packet = PacketType::from_bits(bytes[0] >> 4).unwrap();
        assert_eq!(
            error,
            ProtocolError::TrailingBytes {
                packet,
                bytes: bytes_left
            }
        );
        assert_eq!(error.reason(), ReasonCode::MalformedPacket);
    }
}

/// 5.0 may leave out the Reason Code Success and the Property Length (§3.4.2.1, §3.14.2.1).
#[test]
fn short_forms_and_long_forms_mean_the_same() {
    for first_byte in [0x40, 0x50, 0x62, 0x70] {
        let short = decode(Version::V5, &framed(first_byte, b"\x00\x01")).unwrap();
        let with_reason = decode(Version::V5, &framed(first_byte, b"\x00\x01\x00")).unwrap();
        let with_length = decode(Version::V5, &framed(first_byte, b"\x00\x01\x00\x00")).unwrap();
        assert_eq!(short, with_reason);
        assert_eq!(short, with_length);
    }
    let short = decode(Version::V5, b"\xe0\x00").unwrap();
    assert_eq!(decode(Version::V5, b"\xe0\x01\x00"), Ok(short.clone()));
    assert_eq!(decode(Version::V5, b"\xe0\x02\x00\x00"), Ok(short));
}
