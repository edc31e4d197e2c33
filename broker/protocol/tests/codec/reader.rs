//! `PacketReader`: memory, limits and the version of a connection.

use squall_protocol::codec::{DecodeRules, PacketReader};
use squall_protocol::packet::{Packet, PacketType};
use squall_protocol::{ProtocolError, Version};

use crate::wire::{decode, rules, rules_before_connect};

const PUBLISH: &[u8] = b"\x30\x07\x00\x03a/bhi";

#[test]
fn a_reader_between_packets_owns_no_memory() {
    let mut reader = PacketReader::new();
    let rules = rules(Version::V3_1_1);

    let mut input = &PUBLISH[..4];
    assert_eq!(reader.poll_packet(&mut input, &rules), Ok(None));
    assert!(reader.memory_bytes() > 0);
    let mut input = &PUBLISH[4..];
    assert!(matches!(
        reader.poll_packet(&mut input, &rules),
        Ok(Some(_))
    ));
    assert_eq!(reader.poll_packet(&mut input, &rules), Ok(None));

    assert_eq!(reader.memory_bytes(), 0);
}

#[test]
fn a_packet_that_is_whole_is_decoded_where_it_lies() {
    let mut reader = PacketReader::new();
    let bytes = PUBLISH.to_vec();
    let mut input = bytes.as_slice();

    let packet = reader.poll_packet(&mut input, &rules(Version::V3_1_1));

    let Ok(Some(Packet::Publish(publish))) = packet else {
        panic!("no PUBLISH: {packet:?}");
    };
    assert!(std::ptr::eq(publish.payload, &raw const bytes[7..]));
    assert_eq!(publish.properties.user_properties.capacity(), 0);
    assert_eq!(publish.properties.subscription_identifiers.capacity(), 0);
    assert_eq!(reader.memory_bytes(), 0);
}

/// 268,435,455 bytes announced by a header take no memory before they come.
#[test]
fn an_announced_length_reserves_nothing() {
    let mut reader = PacketReader::new();
    let mut input: &[u8] = b"\x30\xff\xff\xff\x7f\x00\x03a/b";

    assert_eq!(
        reader.poll_packet(&mut input, &rules(Version::V5)),
        Ok(None)
    );

    assert!(reader.memory_bytes() <= 32, "{}", reader.memory_bytes());
}

#[test]
fn a_packet_in_parts_grows_to_its_length_and_no_further() {
    let mut bytes = vec![0x30, 0x85, 0x80, 0x04, 0x00, 0x03];
    bytes.extend_from_slice(b"a/b");
    bytes.resize(65_541 + 4, b'x');
    let mut reader = PacketReader::new();

    let (parts, end) = bytes.split_at(bytes.len() - 1);
    for part in parts.chunks(1000) {
        let mut input = part;
        assert_eq!(
            reader.poll_packet(&mut input, &rules(Version::V3_1_1)),
            Ok(None)
        );
    }
    assert!(reader.memory_bytes() <= bytes.len());

    let mut input = end;
    let packet = reader.poll_packet(&mut input, &rules(Version::V3_1_1));
    let Ok(Some(Packet::Publish(publish))) = packet else {
        panic!("no PUBLISH");
    };
    assert_eq!(publish.payload.len(), bytes.len() - 9);
}

/// The header alone decides (§3.1.2.11.4): nothing of the body has come yet.
#[test]
fn a_packet_above_the_maximum_is_refused_by_its_header() {
    let rules = DecodeRules {
        version: Some(Version::V5),
        maximum_packet_size: 1000,
    };
    let refused = |mut input: &[u8]| PacketReader::new().poll_packet(&mut input, &rules).err();

    // 3 bytes of header and 998 of body.
    assert_eq!(
        refused(b"\x30\xe6\x07"),
        Some(ProtocolError::PacketTooLarge {
            packet: PacketType::Publish,
            bytes: 1001,
            limit: 1000,
        })
    );
    assert_eq!(refused(b"\x30\xe5\x07"), None);
}

/// [MQTT-3.1.0-1]: the first byte decides, no memory is taken.
#[test]
fn before_connect_any_other_packet_is_refused_by_its_first_byte() {
    for bits in 2..=15_u8 {
        let mut reader = PacketReader::new();
        let first_byte = [bits << 4];
        let mut input = first_byte.as_slice();

        let answer = reader.poll_packet(&mut input, &rules_before_connect());

        let packet = PacketType::from_bits(bits).unwrap();
        assert_eq!(answer, Err(ProtocolError::ConnectExpected { packet }));
        assert_eq!(reader.memory_bytes(), 0);
    }
}

#[test]
fn the_version_of_a_connect_is_known_even_if_it_is_malformed() {
    let versions: [(&[u8], Option<Version>); 3] = [
        // The reserved flag is set.
        (
            b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x0a\x00\x01p",
            Some(Version::V3_1_1),
        ),
        // The Property Length is missing.
        (b"\x10\x0a\x00\x04MQTT\x05\x02\x00\x0a", Some(Version::V5)),
        (b"\x10\x0d\x00\x04MQTT\x06\x02\x00\x0a\x00\x01p", None),
    ];
    for (mut input, version) in versions {
        let mut reader = PacketReader::new();
        assert_eq!(reader.connect_version(), None);

        let answer = reader.poll_packet(&mut input, &rules_before_connect());

        assert!(answer.is_err());
        assert_eq!(reader.connect_version(), version);
    }
}

#[test]
fn connect_tells_its_own_version_whatever_the_rules() {
    let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01p";

    let Ok(Packet::Connect(connect)) = decode(Version::V5, connect) else {
        panic!("no CONNECT");
    };

    assert_eq!(connect.version, Version::V3_1_1);
}
