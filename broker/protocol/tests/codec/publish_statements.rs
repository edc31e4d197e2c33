//! PUBLISH and its acknowledgements (§3.3 to §3.7): what one packet shows.

use squall_protocol::packet::{Packet, PacketType};
use squall_protocol::{ProtocolError, ReasonCode, Version};

use crate::wire::{decode, framed, refusal};

const BOTH: [Version; 2] = [Version::V3_1_1, Version::V5];

/// A PUBLISH of 5.0 with this property section, topic "t" and payload "x".
fn publish_with(section: &[u8]) -> Vec<u8> {
    let length = [section.len() as u8];
    framed(
        0x30,
        &[b"\x00\x01t", length.as_slice(), section, b"x"].concat(),
    )
}

/// [MQTT-3.3.1-4]
#[test]
fn qos_3_is_refused() {
    for version in BOTH {
        for first_byte in [0x36, 0x37, 0x3e, 0x3f] {
            let error = decode(version, &framed(first_byte, b"\x00\x01t\x00\x01\x00")).unwrap_err();

            let packet = PacketType::Publish;
            assert_eq!(error, ProtocolError::QoS3 { packet });
            assert_eq!(error.reason(), ReasonCode::MalformedPacket);
        }
    }
}

/// [MQTT-2.2.1-2] and [3.1.1: MQTT-2.3.1-5]: what would be the identifier is payload.
#[test]
fn a_message_of_qos_0_has_no_packet_identifier() {
    let Ok(Packet::Publish(publish)) = decode(Version::V3_1_1, b"\x30\x05\x00\x01t\x00\x0a") else {
        panic!("refused");
    };

    assert_eq!(publish.packet_id, None);
    assert_eq!(publish.payload, b"\x00\x0a");
}

/// [MQTT-3.3.1-2] and [3.1.1: MQTT-3.3.1-2]
#[test]
fn dup_with_qos_0_is_refused() {
    for version in BOTH {
        for first_byte in [0x38, 0x39] {
            let error = decode(version, &framed(first_byte, b"\x00\x01t\x00"));

            assert_eq!(error, Err(ProtocolError::DupWithQoS0));
        }
    }
}

/// [MQTT-3.3.2-2]
#[test]
fn a_topic_name_with_a_wildcard_is_refused() {
    for topic in [
        b"\x00\x01#".as_slice(),
        b"\x00\x01+",
        b"\x00\x03a/#",
        b"\x00\x02a+",
    ] {
        for version in BOTH {
            let bytes = framed(0x30, &[topic, b"\x00"].concat());
            assert_eq!(refusal(version, &bytes), ReasonCode::MalformedPacket);
        }
    }
}

/// A Topic Name of no characters needs a Topic Alias (§3.3.2.1); 3.1.1 has none
/// [3.1.1: MQTT-4.7.3-1].
#[test]
fn an_empty_topic_without_an_alias_is_refused() {
    let error = decode(Version::V3_1_1, b"\x30\x03\x00\x00x");
    assert_eq!(error, Err(ProtocolError::NoTopic));

    let error = decode(Version::V5, b"\x30\x04\x00\x00\x00x").unwrap_err();
    assert_eq!(error, ProtocolError::NoTopic);
    assert_eq!(error.reason(), ReasonCode::ProtocolError);

    let Ok(Packet::Publish(publish)) = decode(Version::V5, b"\x30\x07\x00\x00\x03\x23\x00\x01x")
    else {
        panic!("refused");
    };
    assert!(publish.topic.is_aliased());
    assert_eq!(publish.properties.topic_alias, Some(1));
}

/// [MQTT-3.3.2-8]
#[test]
fn topic_alias_0_is_refused() {
    assert_eq!(
        refusal(Version::V5, &publish_with(b"\x23\x00\x00")),
        ReasonCode::TopicAliasInvalid
    );
}

/// [MQTT-3.3.2-13]
#[test]
fn a_response_topic_is_utf8() {
    for topic in [b"\x00\x01\xff".as_slice(), b"\x00\x01\x00"] {
        let section = [b"\x08", topic].concat();
        let reason = refusal(Version::V5, &publish_with(&section));
        assert_eq!(reason, ReasonCode::MalformedPacket);
    }
}

/// [MQTT-3.3.2-14]
#[test]
fn a_response_topic_with_a_wildcard_is_refused() {
    for topic in [b"\x00\x01#".as_slice(), b"\x00\x03a/+", b"\x00\x00"] {
        let section = [b"\x08", topic].concat();
        let error = decode(Version::V5, &publish_with(&section)).unwrap_err();
        assert!(
            matches!(error, ProtocolError::ResponseTopic { .. }),
            "{error}"
        );
        assert_eq!(error.reason(), ReasonCode::MalformedPacket);
    }
}

/// [MQTT-3.3.2-17] and [MQTT-3.3.2-18]: equal names stay, in their order.
#[test]
fn user_properties_keep_their_order() {
    let section = b"\x26\x00\x01b\x00\x011\x26\x00\x01a\x00\x012\x26\x00\x01b\x00\x013";

    let Ok(Packet::Publish(publish)) = decode(Version::V5, &publish_with(section)) else {
        panic!("refused");
    };

    let expected = [("b", "1"), ("a", "2"), ("b", "3")];
    assert_eq!(publish.properties.user_properties, expected);
}

/// A message expires after 0 to 4,294,967,295 seconds (§3.3.2.3.3).
#[test]
fn message_expiry_interval_0_is_accepted() {
    let packet = decode(Version::V5, &publish_with(b"\x02\x00\x00\x00\x00"));

    let Ok(Packet::Publish(publish)) = packet else {
        panic!("refused: {packet:?}");
    };
    assert_eq!(publish.properties.message_expiry_interval, Some(0));
}

/// A payload may be empty (§3.3.3), and its topic may begin with any character.
#[test]
fn an_empty_payload_is_accepted() {
    let packet = decode(Version::V3_1_1, b"\x31\x04\x00\x02\xc3\xa9");

    let Ok(Packet::Publish(publish)) = packet else {
        panic!("refused: {packet:?}");
    };
    assert_eq!(publish.payload, b"");
    assert_eq!(publish.topic.as_str(), "é");
}

/// First byte of a packet, what is before and after its Reason Code, and the codes it may have.
type ReasonCodes = (u8, &'static [u8], &'static [u8], Vec<u8>);

/// [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.6.2-1], [MQTT-3.7.2-1], [MQTT-3.14.2-1],
/// [MQTT-3.15.2-1], [MQTT-3.2.2-8], [MQTT-3.9.3-2], [MQTT-3.11.3-2]: the codes in the tables of each packet, and no others.
#[test]
fn every_packet_has_its_own_reason_codes() {
    let answers = vec![0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
    let ends = vec![0x00, 0x92];
    let connack = [0x00, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9f]
        .into_iter()
        .chain(0x80..=0x8a)
        .chain(0x9a..=0x9d)
        .collect();
    let disconnect = [0x00, 0x04, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90]
        .into_iter()
        .chain(0x80..=0x83)
        .chain(0x93..=0xa2)
        .collect();
    let suback = vec![
        0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2,
    ];
    let unsuback = vec![0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91];
    let method = b"\x04\x15\x00\x01m".as_slice();
    let tables: [ReasonCodes; 9] = [
        (0x20, b"\x00", b"\x00", connack),
        (0x40, b"\x00\x01", b"", answers.clone()),
        (0x50, b"\x00\x01", b"", answers),
        (0x62, b"\x00\x01", b"", ends.clone()),
        (0x70, b"\x00\x01", b"", ends),
        (0x90, b"\x00\x01\x00", b"", suback),
        (0xb0, b"\x00\x01\x00", b"", unsuback),
        (0xe0, b"", b"", disconnect),
        (0xf0, b"", method, vec![0x00, 0x18, 0x19]),
    ];
    for (first_byte, before, after, allowed) in tables {
        for code in 0..=255 {
            let bytes = framed(first_byte, &[before, &[code], after].concat());

            let decoded = decode(Version::V5, &bytes);

            let packet = PacketType::from_bits(first_byte >> 4).unwrap();
            if allowed.contains(&code) {
                assert!(decoded.is_ok(), "{packet} {code:#04x}: {decoded:?}");
            } else {
                let error = ProtocolError::ReasonCodeNotAllowed { packet, code };
                assert_eq!(decoded, Err(error), "{packet} {code:#04x}");
            }
        }
    }
}
