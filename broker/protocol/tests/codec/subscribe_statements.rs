//! SUBSCRIBE to UNSUBACK (§3.8 to §3.11): what one packet shows.

use squall_protocol::codec::{next_filters, next_subscriptions};
use squall_protocol::packet::{Packet, PacketType, RetainHandling, Suback};
use squall_protocol::{ProtocolError, QoS, ReasonCode, Version};

use crate::wire::{decode, encoded, framed, id, read, refusal, rules};

const BOTH: [Version; 2] = [Version::V3_1_1, Version::V5];

/// A SUBSCRIBE or UNSUBSCRIBE of `version` with this payload.
fn request(version: Version, first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let section: &[u8] = match version {
        Version::V3_1_1 => b"",
        Version::V5 => b"\0",
    };
    framed(first_byte, &[b"\x00\x01", section, payload].concat())
}

/// [MQTT-3.8.3-2] and [3.1.1: MQTT-3.8.3-3]
#[test]
fn a_subscribe_without_filters_is_refused() {
    for version in BOTH {
        let error = decode(version, &request(version, 0x82, b"")).unwrap_err();

        let packet = PacketType::Subscribe;
        assert_eq!(error, ProtocolError::Empty { packet });
        assert_eq!(error.reason(), ReasonCode::ProtocolError);
    }
}

/// [MQTT-3.10.3-2] and [3.1.1: MQTT-3.10.3-2]
#[test]
fn an_unsubscribe_without_filters_is_refused() {
    for version in BOTH {
        let error = decode(version, &request(version, 0xa2, b"")).unwrap_err();

        let packet = PacketType::Unsubscribe;
        assert_eq!(error, ProtocolError::Empty { packet });
        assert_eq!(error.reason(), ReasonCode::ProtocolError);
    }
}

/// A Topic Filter comes with its options (§3.8.3).
#[test]
fn a_filter_without_options_is_refused() {
    for version in BOTH {
        let bytes = request(version, 0x82, b"\x00\x01t");
        assert_eq!(refusal(version, &bytes), ReasonCode::MalformedPacket);
        let second = request(version, 0x82, b"\x00\x01t\x00\x00\x01u");
        assert_eq!(refusal(version, &second), ReasonCode::MalformedPacket);
    }
}

/// 3.1.1 has all but two bits reserved (§3.8.3 there), 5.0 the upper two [MQTT-3.8.3-5]. QoS 3
/// and Retain Handling 3 are Protocol Errors of their own (§3.8.3.1).
#[test]
fn every_options_byte_is_judged() {
    for options in 0..=255 {
        let payload = [b"\x00\x01t".as_slice(), &[options]].concat();

        let decoded = decode(Version::V3_1_1, &request(Version::V3_1_1, 0x82, &payload));
        assert_eq!(decoded.is_ok(), options < 3, "{options:#010b}");

        let decoded = decode(Version::V5, &request(Version::V5, 0x82, &payload));
        let packet = PacketType::Subscribe;
        let expected = if options & 0b1100_0000 != 0 {
            Some(ProtocolError::ReservedSubscriptionOptions { options })
        } else if options & 0b11 == 3 {
            Some(ProtocolError::QoS3 { packet })
        } else if options & 0b0011_0000 == 0b0011_0000 {
            Some(ProtocolError::RetainHandling3)
        } else {
            None
        };
        assert_eq!(decoded.err(), expected, "{options:#010b}");
    }
}

#[test]
fn qos_3_and_retain_handling_3_are_protocol_errors() {
    for options in [0x03, 0x30] {
        let payload = [b"\x00\x01t".as_slice(), &[options]].concat();
        let bytes = request(Version::V5, 0x82, &payload);
        assert_eq!(refusal(Version::V5, &bytes), ReasonCode::ProtocolError);
    }
}

#[test]
fn options_are_read_bit_by_bit() {
    let bytes = request(Version::V5, 0x82, b"\x00\x01t\x16");

    let Ok(Packet::Subscribe(subscribe)) = decode(Version::V5, &bytes) else {
        panic!("refused");
    };

    let options = subscribe.subscriptions[0].options;
    assert_eq!(options.qos, QoS::ExactlyOnce);
    assert!(options.no_local);
    assert!(!options.retain_as_published);
    assert_eq!(options.retain_handling, RetainHandling::SendIfNew);
}

/// [MQTT-3.8.3-4]
#[test]
fn no_local_on_a_shared_subscription_is_refused() {
    let bytes = request(Version::V5, 0x82, b"\x00\x0a$share/p/p\x04");

    let error = decode(Version::V5, &bytes).unwrap_err();

    assert_eq!(error, ProtocolError::NoLocalOnShare);
    assert_eq!(error.reason(), ReasonCode::ProtocolError);
}

/// SUBSCRIBE payloads with `filter` at the beginning and at the end.
fn lists_with(filter: &str) -> [Vec<u8>; 2] {
    let bad = [&[0, filter.len() as u8], filter.as_bytes()].concat();
    [
        [bad.as_slice(), b"\x00", b"\x00\x01t", b"\x00"].concat(),
        [b"\x00\x01t", b"\x00".as_slice(), &bad, b"\x00"].concat(),
    ]
}

/// In 3.1.1 one bad filter refuses the packet, wherever it is in the list
/// [3.1.1: MQTT-4.7.1-2], [3.1.1: MQTT-4.7.1-3], [3.1.1: MQTT-4.7.3-1].
#[test]
fn an_invalid_filter_refuses_the_packet_in_3_1_1() {
    for filter in ["a#", "#/a", "a+", "$share/a+/t", ""] {
        for list in lists_with(filter) {
            let reason = refusal(Version::V3_1_1, &request(Version::V3_1_1, 0x82, &list));
            assert_eq!(reason, ReasonCode::MalformedPacket, "{filter}");
        }
        let bad = [&[0, filter.len() as u8], filter.as_bytes()].concat();
        let reason = refusal(Version::V3_1_1, &request(Version::V3_1_1, 0xa2, &bad));
        assert_eq!(reason, ReasonCode::MalformedPacket, "{filter}");
    }
}

/// In 5.0 each filter has its own answer [MQTT-3.8.4-6]: [MQTT-4.7.1-1], [MQTT-4.7.1-2],
/// [MQTT-4.8.2-1], [MQTT-4.8.2-2] and [MQTT-4.7.3-1] say what is not a filter; the others are read.
#[test]
fn an_invalid_filter_is_told_apart_in_5() {
    for filter in [
        "a#",
        "#/a",
        "a+",
        "$share/g",
        "$share//t",
        "$share/a+/t",
        "",
    ] {
        for (place, list) in lists_with(filter).iter().enumerate() {
            let packet = decode(Version::V5, &request(Version::V5, 0x82, list));

            let Ok(Packet::Subscribe(subscribe)) = packet else {
                panic!("refused: {filter}");
            };
            let [invalid, valid] = [place, 1 - place].map(|at| &subscribe.subscriptions[at].filter);
            let invalid = invalid.as_ref().expect_err(filter);
            assert_eq!(&*invalid.text, filter);
            assert_eq!(valid.as_ref().expect("valid").as_str(), "t");
        }
    }
}

/// A null character makes the packet malformed in both versions [MQTT-1.5.4-2].
#[test]
fn a_filter_with_a_null_character_refuses_the_packet() {
    for version in BOTH {
        for list in lists_with("a\0b") {
            let reason = refusal(version, &request(version, 0x82, &list));
            assert_eq!(reason, ReasonCode::MalformedPacket);
        }
    }
}

/// A shared subscription is one in 3.1.1 too.
#[test]
fn a_shared_subscription_is_accepted_in_both_versions() {
    for version in BOTH {
        let bytes = request(version, 0x82, b"\x00\x10$share/app/job/#\x01");
        let Ok(Packet::Subscribe(subscribe)) = decode(version, &bytes) else {
            panic!("refused");
        };
        let filter = subscribe.subscriptions[0].filter.as_ref().expect("valid");
        let share = filter.share().expect("shared");
        assert_eq!(share.group, "app");
        assert_eq!(share.filter.as_str(), "job/#");
    }
}

/// [3.1.1: MQTT-3.9.3-2]
#[test]
fn a_suback_of_3_1_1_has_four_codes() {
    for code in 0..=255 {
        let decoded = decode(Version::V3_1_1, &[0x90, 3, 0, 1, code]);

        let is_allowed = [0x00, 0x01, 0x02, 0x80].contains(&code);
        assert_eq!(decoded.is_ok(), is_allowed, "{code:#04x}");
    }
}

#[test]
fn every_error_is_0x80_in_a_suback_of_3_1_1() {
    let suback = Packet::Suback(Suback {
        id: id(1),
        properties: Default::default(),
        reasons: vec![ReasonCode::NotAuthorized, ReasonCode::GrantedQoS1],
    });

    let bytes = encoded(&suback, Version::V3_1_1);

    assert_eq!(bytes, b"\x90\x04\x00\x01\x80\x01");
}

/// There is a code for every filter, and a filter in every request (§3.9.3, §3.11.3).
#[test]
fn an_answer_without_codes_is_refused() {
    assert!(decode(Version::V3_1_1, b"\x90\x02\x00\x01").is_err());
    assert!(decode(Version::V5, b"\x90\x03\x00\x01\x00").is_err());
    assert!(decode(Version::V5, b"\xb0\x03\x00\x01\x00").is_err());
    // 3.1.1 has no codes there.
    assert!(decode(Version::V3_1_1, b"\xb0\x02\x00\x01").is_ok());
}

/// The same of 16,384 bytes to 2 MiB.
fn long_request(version: Version, first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let section: &[u8] = match version {
        Version::V3_1_1 => b"",
        Version::V5 => b"\0",
    };
    let body = [b"\x00\x01", section, payload].concat();
    let length = [
        0x80 | body.len() & 0x7F,
        0x80 | body.len() >> 7 & 0x7F,
        body.len() >> 14,
    ];
    [
        &[first_byte],
        length.map(|byte| byte as u8).as_slice(),
        &body,
    ]
    .concat()
}

/// A long SUBSCRIBE or UNSUBSCRIBE is taken apart piece by piece, and is the same bytes again.
#[test]
fn a_long_request_is_decoded_in_pieces() {
    for version in BOTH {
        let texts: Vec<String> = (0..5_000).map(|nth| format!("{nth}/+")).collect();
        let mut subscribe_payload = Vec::new();
        let mut unsubscribe_payload = Vec::new();
        for text in &texts {
            let field = [&[0, text.len() as u8], text.as_bytes()].concat();
            subscribe_payload.extend([field.as_slice(), &[1]].concat());
            unsubscribe_payload.extend(field);
        }
        let subscribe_bytes = long_request(version, 0x82, &subscribe_payload);
        let unsubscribe_bytes = long_request(version, 0xa2, &unsubscribe_payload);

        let Ok(Packet::Subscribe(mut subscribe)) = decode(version, &subscribe_bytes) else {
            panic!("SUBSCRIBE");
        };
        let Ok(Packet::Unsubscribe(mut unsubscribe)) = decode(version, &unsubscribe_bytes) else {
            panic!("UNSUBSCRIBE");
        };

        let again = encoded(&Packet::Subscribe(subscribe.clone()), version);
        assert_eq!(again, subscribe_bytes);
        let again = encoded(&Packet::Unsubscribe(unsubscribe.clone()), version);
        assert_eq!(again, unsubscribe_bytes);
        assert!(subscribe.subscriptions.len() < texts.len());
        for bytes in [&subscribe_bytes, &unsubscribe_bytes] {
            let in_parts = read(bytes.chunks(1000), &rules(version));
            assert_eq!(in_parts, read([bytes.as_slice()], &rules(version)));
            assert_eq!(in_parts.packets.len(), 1);
        }
        let mut subscribed = subscribe.subscriptions;
        let mut unsubscribed = unsubscribe.filters;
        while !subscribe.rest.as_bytes().is_empty() {
            subscribed.extend(next_subscriptions(&mut subscribe.rest).unwrap());
        }
        while !unsubscribe.rest.as_bytes().is_empty() {
            unsubscribed.extend(next_filters(&mut unsubscribe.rest).unwrap());
        }
        let subscribed: Vec<_> = subscribed
            .iter()
            .map(|s| s.filter.as_ref().unwrap().as_str())
            .collect();
        let unsubscribed: Vec<_> = unsubscribed
            .iter()
            .map(|f| f.as_ref().unwrap().as_str())
            .collect();
        assert_eq!(subscribed, texts);
        assert_eq!(unsubscribed, texts);
    }
}
