//! CONNECT (§3.1), CONNACK (§3.2), AUTH (§3.15): what one packet shows.

use squall_protocol::packet::{Connack, ConnackProperties, Packet, PacketType};
use squall_protocol::{ProtocolError, ReasonCode, Version};

use crate::wire::{decode, encoded, framed, refusal};

/// A CONNECT of `version` with these flags and this payload after the client identifier "p".
fn connect(version: Version, flags: u8, payload: &[u8]) -> Vec<u8> {
    let section: &[u8] = match version {
        Version::V3_1_1 => b"",
        Version::V5 => b"\0",
    };
    let head = [0, 4, b'M', b'Q', b'T', b'T', version as u8, flags, 0, 10];
    framed(0x10, &[&head, section, b"\x00\x01p", payload].concat())
}

fn assert_malformed(bytes: &[u8]) {
    // CONNECT tells its own version.
    assert_eq!(refusal(Version::V5, bytes), ReasonCode::MalformedPacket);
}

/// [MQTT-3.1.2-1]
#[test]
fn another_protocol_name_is_refused() {
    for name in [
        b"\x00\x03MQT".as_slice(),
        b"\x00\x05MQTTT",
        b"\x00\x04MQTU",
        b"\x00\x04mqtt",
        b"\x00\x00",
    ] {
        let bytes = framed(0x10, &[name, b"\x04\x02\x00\x0a\x00\x01p"].concat());

        let error = decode(Version::V5, &bytes);

        assert_eq!(error, Err(ProtocolError::UnknownProtocolName));
    }
}

/// [MQTT-3.1.2-2] and [3.1.1: MQTT-3.1.2-2]: the error names the level, so that it can be
/// answered with 0x84 or 0x01.
#[test]
fn an_unknown_protocol_version_is_its_own_error() {
    for level in (0..=255).filter(|level| ![4, 5].contains(level)) {
        let body = [
            b"\x00\x04MQTT".as_slice(),
            &[level],
            b"\x02\x00\x0a\x00\x01p",
        ]
        .concat();

        let error = decode(Version::V5, &framed(0x10, &body)).unwrap_err();

        assert_eq!(error, ProtocolError::UnsupportedProtocol { level });
        assert_eq!(error.reason(), ReasonCode::UnsupportedProtocolVersion);
    }
}

/// MQTT 3.1 is another protocol version, whose name was MQIsdp.
#[test]
fn mqtt_3_1_is_an_unsupported_version() {
    let error = decode(
        Version::V5,
        b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x0a\x00\x01p",
    );

    assert_eq!(error, Err(ProtocolError::UnsupportedProtocol { level: 3 }));
}

/// [MQTT-3.1.2-3]
#[test]
fn the_reserved_connect_flag_is_refused() {
    assert_malformed(&connect(Version::V3_1_1, 0b0000_0011, b""));
    assert_malformed(&connect(Version::V5, 0b0000_0011, b""));
}

/// [MQTT-3.1.2-11] and [3.1.1: MQTT-3.1.2-13]
#[test]
fn will_qos_without_a_will_is_refused() {
    for version in [Version::V3_1_1, Version::V5] {
        assert_malformed(&connect(version, 0b0000_1010, b""));
        assert_malformed(&connect(version, 0b0001_0010, b""));
        assert_malformed(&connect(version, 0b0001_1010, b""));
    }
}

/// [MQTT-3.1.2-13] and [3.1.1: MQTT-3.1.2-15]
#[test]
fn will_retain_without_a_will_is_refused() {
    assert_malformed(&connect(Version::V3_1_1, 0b0010_0010, b""));
    assert_malformed(&connect(Version::V5, 0b0010_0010, b""));
}

/// [MQTT-3.1.2-12] and [3.1.1: MQTT-3.1.2-14]
#[test]
fn will_qos_3_is_refused() {
    assert_malformed(&connect(Version::V3_1_1, 0b0001_1110, b"\x00\x01w\x00\x00"));
    assert_malformed(&connect(Version::V5, 0b0001_1110, b"\x00\x00\x01w\x00\x00"));
}

/// [MQTT-3.1.2-9] and [3.1.1: MQTT-3.1.2-9]: the Will Flag asks for the will's fields.
#[test]
fn a_will_flag_without_a_will_is_refused() {
    assert_malformed(&connect(Version::V3_1_1, 0b0000_0110, b""));
    assert_malformed(&connect(Version::V3_1_1, 0b0000_0110, b"\x00\x01w"));
    assert_malformed(&connect(Version::V5, 0b0000_0110, b"\x00\x00\x01w"));
}

/// A will is published to a Topic Name (§3.1.3.3, §4.7.3).
#[test]
fn a_will_topic_is_a_topic_name() {
    for topic in [b"\x00\x01#".as_slice(), b"\x00\x03a/+", b"\x00\x00"] {
        let payload = [topic, b"\x00\x00"].concat();
        assert_malformed(&connect(Version::V3_1_1, 0b0000_0110, &payload));
    }
}

/// [MQTT-3.1.2-16], [MQTT-3.1.2-18] and [3.1.1: MQTT-3.1.2-18]: fields without their flag are
/// bytes left over.
#[test]
fn a_user_name_without_its_flag_is_refused() {
    assert_malformed(&connect(Version::V3_1_1, 0b0000_0010, b"\x00\x01u"));
    assert_malformed(&connect(Version::V5, 0b0000_0010, b"\x00\x01u"));
    assert_malformed(&connect(
        Version::V3_1_1,
        0b1000_0010,
        b"\x00\x01u\x00\x01p",
    ));
    assert_malformed(&connect(Version::V5, 0b1000_0010, b"\x00\x01u\x00\x01p"));
}

/// [MQTT-3.1.2-17], [MQTT-3.1.2-19] and [3.1.1: MQTT-3.1.2-19]
#[test]
fn a_user_name_flag_without_a_user_name_is_refused() {
    for version in [Version::V3_1_1, Version::V5] {
        assert_malformed(&connect(version, 0b1000_0010, b""));
        assert_malformed(&connect(version, 0b1100_0010, b"\x00\x01u"));
    }
}

/// [3.1.1: MQTT-3.1.2-22]; 5.0 allows it (§3.1.2.9).
#[test]
fn a_password_without_a_user_name_is_refused_in_3_1_1_only() {
    let error = decode(
        Version::V5,
        &connect(Version::V3_1_1, 0b0100_0010, b"\x00\x01p"),
    );
    assert_eq!(error, Err(ProtocolError::PasswordWithoutUserName));

    let accepted = decode(
        Version::V5,
        &connect(Version::V5, 0b0100_0010, b"\x00\x01p"),
    );
    let Ok(Packet::Connect(accepted)) = accepted else {
        panic!("refused: {accepted:?}");
    };
    assert_eq!(accepted.user_name, None);
    assert_eq!(accepted.password.as_deref(), Some(b"p".as_slice()));
}

/// [MQTT-3.1.3-3]: there is always one, though it may be empty [MQTT-3.1.3-6].
#[test]
fn a_client_identifier_is_there() {
    assert_malformed(b"\x10\x0a\x00\x04MQTT\x04\x02\x00\x0a");
    assert!(decode(Version::V5, b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00").is_ok());
}

/// [MQTT-3.1.3-1]: will, user name and password follow in this order, whatever they contain.
#[test]
fn the_payload_has_its_fields_in_order() {
    let payload = b"\x00\x02p1\x00\x02p2\x00\x02p3\x00\x02p4";
    let packet = decode(Version::V5, &connect(Version::V3_1_1, 0b1100_0110, payload));

    let Ok(Packet::Connect(connect)) = packet else {
        panic!("refused: {packet:?}");
    };
    let will = connect.will.expect("a will");
    assert_eq!(connect.client_id, "p");
    assert_eq!(will.topic.as_str(), "p1");
    assert_eq!(will.payload, b"p2");
    assert_eq!(connect.user_name.as_deref(), Some("p3"));
    assert_eq!(connect.password.as_deref(), Some(b"p4".as_slice()));
}

/// Keep Alive 0 turns it off (§3.1.2.10).
#[test]
fn keep_alive_0_is_accepted() {
    let packet = decode(
        Version::V5,
        b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p",
    );

    let Ok(Packet::Connect(connect)) = packet else {
        panic!("refused: {packet:?}");
    };
    assert_eq!(connect.keep_alive, 0);
}

/// Authentication Data needs a method (§3.1.2.11.10), and so does AUTH (§3.15.2.2.2).
#[test]
fn authentication_data_without_a_method_is_refused() {
    let connect = b"\x10\x12\x00\x04MQTT\x05\x02\x00\x0a\x04\x16\x00\x01d\x00\x01p";
    assert_eq!(refusal(Version::V5, connect), ReasonCode::ProtocolError);

    let auth = b"\xf0\x06\x18\x04\x16\x00\x01d";
    assert_eq!(refusal(Version::V5, auth), ReasonCode::ProtocolError);
}

/// [MQTT-3.2.2-1]
#[test]
fn reserved_connack_flags_are_refused() {
    for flags in 2..=255 {
        let bytes = [0x20, 2, flags, 0];
        let error = decode(Version::V3_1_1, &bytes);
        assert_eq!(error, Err(ProtocolError::ReservedConnackFlags { flags }));
    }
}

/// [MQTT-3.2.2-6] and [3.1.1: MQTT-3.2.2-4]
#[test]
fn session_present_with_an_error_is_refused() {
    for (version, bytes) in [
        (Version::V3_1_1, b"\x20\x02\x01\x05".as_slice()),
        (Version::V5, b"\x20\x03\x01\x87\x00"),
    ] {
        let reason = ReasonCode::NotAuthorized;
        let error = decode(version, bytes);
        assert_eq!(
            error,
            Err(ProtocolError::SessionPresentWithError { reason })
        );
    }
}

/// Return codes 6 to 255 are reserved in 3.1.1 (§3.2.2.3 there).
#[test]
fn reserved_return_codes_are_refused() {
    for code in 6..=255 {
        let error = decode(Version::V3_1_1, &[0x20, 2, 0, code]);

        let packet = PacketType::Connack;
        assert_eq!(
            error,
            Err(ProtocolError::ReasonCodeNotAllowed { packet, code })
        );
    }
}

/// A server without 5.0 refuses it in the form of 3.1.1 [3.1.1: MQTT-3.1.2-2].
#[test]
fn the_refusal_of_a_3_1_1_server_is_understood() {
    let packet = decode(Version::V5, b"\x20\x02\x00\x01");

    let Ok(Packet::Connack(connack)) = packet else {
        panic!("refused: {packet:?}");
    };
    assert_eq!(connack.reason, ReasonCode::UnsupportedProtocolVersion);
    assert!(decode(Version::V5, b"\x20\x02\x00\x00").is_err());
}

/// 3.1.1 has five return codes for all that 5.0 can say (§3.2.2.3 there).
#[test]
fn every_error_has_a_return_code_in_3_1_1() {
    for (reason, code) in [
        (ReasonCode::Success, 0),
        (ReasonCode::UnsupportedProtocolVersion, 1),
        (ReasonCode::ClientIdentifierNotValid, 2),
        (ReasonCode::ServerUnavailable, 3),
        (ReasonCode::ServerBusy, 3),
        (ReasonCode::QuotaExceeded, 3),
        (ReasonCode::BadUserNameOrPassword, 4),
        (ReasonCode::BadAuthenticationMethod, 4),
        (ReasonCode::NotAuthorized, 5),
        (ReasonCode::Banned, 5),
    ] {
        let connack = Packet::Connack(Box::new(Connack {
            session_present: false,
            reason,
            properties: ConnackProperties::default(),
        }));

        assert_eq!(encoded(&connack, Version::V3_1_1), [0x20, 2, 0, code]);
    }
}

/// A string field has a length of two bytes (§1.5.4): no packet can carry a longer one.
#[test]
#[should_panic(expected = "a field has at most 65,535 bytes")]
fn a_string_that_no_packet_can_carry_is_not_encoded() {
    let connack = Packet::Connack(Box::new(Connack {
        session_present: false,
        reason: ReasonCode::UnspecifiedError,
        properties: ConnackProperties {
            reason_string: Some("x".repeat(65_536)),
            ..ConnackProperties::default()
        },
    }));

    encoded(&connack, Version::V5);
}
