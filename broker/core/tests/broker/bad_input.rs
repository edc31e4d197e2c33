//! What breaks the protocol ends the connection, with the right code where there is one (§4.13).

use squall_protocol::packet::Packet;
use squall_protocol::{ReasonCode, Version};

use crate::harness::Harness;
use crate::packets::*;

/// Packets that no client may send, and what each is answered with.
const BAD_PACKETS: [(&str, &[u8], ReasonCode); 8] = [
    (
        "PINGREQ with flags",
        &[0xC1, 0x00],
        ReasonCode::MalformedPacket,
    ),
    (
        "PUBREL without its flags",
        &[0x60, 0x02, 0x00, 0x01],
        ReasonCode::MalformedPacket,
    ),
    (
        "QoS 3",
        &[0x36, 0x03, 0x00, 0x01, b't'],
        ReasonCode::MalformedPacket,
    ),
    (
        "reserved packet type",
        &[0x00, 0x00],
        ReasonCode::MalformedPacket,
    ),
    (
        "length of five bytes",
        &[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        ReasonCode::MalformedPacket,
    ),
    (
        "CONNACK from a client",
        &[0x20, 0x03, 0x00, 0x00, 0x00],
        ReasonCode::ProtocolError,
    ),
    (
        "PINGRESP from a client",
        &[0xD0, 0x00],
        ReasonCode::ProtocolError,
    ),
    (
        "SUBSCRIBE without filters",
        &[0x82, 0x03, 0x00, 0x01, 0x00],
        ReasonCode::ProtocolError,
    ),
];

/// A 5.0 client is told the code and closed [MQTT-4.13.1-1]; a 3.1.1 client is closed
/// [3.1.1: MQTT-4.8.0-1].
#[test]
fn bad_packets_are_answered_with_their_code_and_closed() {
    for (name, bytes, expected) in BAD_PACKETS {
        let mut world = Harness::new();
        let client = world.join(v5("c"));

        world.send_bytes(client, bytes);

        assert_eq!(
            world.receive(client).disconnect_reason(),
            expected,
            "{name}"
        );
        assert!(world.is_closed(client), "{name}");
        assert_eq!(world.broker.counters().protocol_errors, 1, "{name}");
    }
    for (name, bytes, _) in BAD_PACKETS {
        let mut world = Harness::new();
        let client = world.join(v4("c"));

        world.send_bytes(client, bytes);

        assert!(world.receive(client).is_empty(), "{name}");
        assert!(world.is_closed(client), "{name}");
    }
}

/// Packets of 3.1.1 that its specification forbids end the connection and deliver nothing.
#[test]
fn bad_packets_of_3_1_1_close_the_connection() {
    let cases: [(&str, &[u8]); 8] = [
        ("[3.1.1: MQTT-3.3.1-4] QoS 3", &[0x36, 5, 0, 1, b't', 0, 1]),
        (
            "[3.1.1: MQTT-3.3.2-2] wildcard in a topic",
            &[0x30, 4, 0, 2, b'a', b'+'],
        ),
        (
            "[3.1.1: MQTT-4.7.3-2] null character",
            &[0x30, 4, 0, 2, b'a', 0],
        ),
        ("[3.1.1: MQTT-3.6.1-1] PUBREL flags", &[0x60, 2, 0, 1]),
        (
            "[3.1.1: MQTT-3.8.1-1] SUBSCRIBE flags",
            &[0x80, 6, 0, 1, 0, 1, b't', 0],
        ),
        (
            "[3.1.1: MQTT-3.8.3-4] requested QoS 3",
            &[0x82, 6, 0, 1, 0, 1, b't', 3],
        ),
        (
            "[3.1.1: MQTT-4.7.1-1] # before the end",
            &[0x82, 8, 0, 1, 0, 3, b'#', b'/', b'a', 0],
        ),
        (
            "[3.1.1: MQTT-3.10.1-1] UNSUBSCRIBE flags",
            &[0xA0, 5, 0, 1, 0, 1, b't'],
        ),
    ];
    for (name, bytes) in cases {
        let mut world = Harness::new();
        let watcher = world.join(v5("watcher"));
        world.send(watcher, &subscribe(&[("#", QOS0)]));
        world.receive(watcher);
        let client = world.join(v4("c"));

        world.send_bytes(client, bytes);

        assert!(world.is_closed(client), "{name}");
        assert!(world.receive(client).is_empty(), "{name}");
        assert!(world.receive(watcher).is_empty(), "{name}");
    }
}

/// Nothing that follows a refused CONNECT is processed [MQTT-3.1.4-6], [3.1.1: MQTT-3.1.4-5].
#[test]
fn nothing_after_a_refused_connect_counts() {
    let mut world = Harness::new();
    let watcher = world.join(v5("watcher"));
    world.send(watcher, &subscribe(&[("t", QOS0)]));
    world.receive(watcher);
    let client = world.open(Version::V3_1_1);
    let refused = [0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 0, 0, 0, 0, 0];
    let publish = [0x30, 3, 0, 1, b't'];

    world.send_bytes(client, &[&refused[..], &publish[..]].concat());

    assert_eq!(world.receive_bytes(client), [0x20, 2, 0, 2]);
    assert!(world.is_closed(client));
    assert!(world.receive(watcher).is_empty());
}

/// What follows the bad packet is not looked at.
#[test]
fn nothing_after_a_bad_packet_counts() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));

    world.send_bytes(client, &[0xC1, 0x00, 0xC0, 0x00, 0xC0, 0x00]);

    let reason = world.receive(client).disconnect_reason();
    assert_eq!(reason, ReasonCode::MalformedPacket);
}

/// The first packet is CONNECT, or there is no second [MQTT-3.1.0-1], [3.1.1: MQTT-3.1.0-1].
#[test]
fn a_first_packet_other_than_connect_is_not_answered() {
    for bytes in [
        &[0xC0, 0x00][..],
        &[0x30, 0x03, 0x00, 0x01, b't'],
        b"GET / HTTP/1.1",
    ] {
        let mut world = Harness::new();
        let client = world.open(Version::V3_1_1);

        world.send_bytes(client, bytes);

        assert!(world.receive(client).is_empty());
        assert!(world.is_closed(client));
    }
}

/// A second CONNECT is a protocol error [MQTT-3.1.0-2], [3.1.1: MQTT-3.1.0-2].
#[test]
fn a_second_connect_ends_the_connection() {
    for connect in both("c") {
        let version = connect.version;
        let mut world = Harness::new();
        let client = world.join(connect.clone());

        world.send(client, &Packet::Connect(Box::new(connect)));

        assert!(world.is_closed(client));
        if version == Version::V5 {
            let reason = world.receive(client).disconnect_reason();
            assert_eq!(reason, ReasonCode::ProtocolError);
        }
    }
}

/// A second CONNECT is a protocol error whatever it says [MQTT-3.1.0-2]: DISCONNECT may not carry the
/// Reason Codes that refuse a first one [MQTT-3.14.2-1].
#[test]
fn a_second_connect_is_a_protocol_error_whatever_it_says() {
    let rest = [2, 0, 0, 0, 0, 1, b'c'];
    let connect_of = |name: &[u8; 4], level: u8| {
        let header = [0x10, 14, 0, 4];
        [&header[..], name, &[level], &rest[..]].concat()
    };
    for (case, second) in [
        ("unknown level", connect_of(b"MQTT", 9)),
        ("3.1.1 within 5.0", connect_of(b"MQTT", 4)),
        ("unknown name", connect_of(b"AMQP", 5)),
        ("a truncated body", [0x10, 2, 0, 4].to_vec()),
    ] {
        let mut world = Harness::new();
        let client = world.join(v5("c"));

        world.send_bytes(client, &second);

        let reason = world.receive(client).disconnect_reason();
        assert_eq!(reason, ReasonCode::ProtocolError, "{case}");
        assert!(world.is_closed(client), "{case}");
    }
}

/// An unknown version is refused in its own way [MQTT-3.1.2-2], [3.1.1: MQTT-3.1.2-2].
#[test]
fn an_unknown_version_is_refused() {
    let connect_of = |level| {
        let header = [0x10, 0x0D, 0x00, 0x04, b'M', b'Q', b'T', b'T'];
        let rest = [level, 0x02, 0x00, 0x00, 0x00, 0x01, b'c'];
        [&header[..], &rest[..]].concat()
    };
    for (level, answer) in [
        (3, &[0x20, 0x02, 0x00, 0x01][..]),
        (6, &[0x20, 0x03, 0x00, 0x84, 0x00]),
    ] {
        let mut world = Harness::new();
        let client = world.open(Version::V5);

        world.send_bytes(client, &connect_of(level));

        assert_eq!(world.receive_bytes(client), answer, "level {level}");
        assert!(world.is_closed(client));
    }
}

/// A malformed CONNECT of 5.0 is told so, one of 3.1.1 is only closed [MQTT-3.1.4-1],
/// [3.1.1: MQTT-3.1.4-1].
#[test]
fn a_malformed_connect_is_refused() {
    let connect_of = |level, properties: &[u8]| {
        let length = 13 + properties.len() as u8;
        let header = [0x10, length, 0x00, 0x04, b'M', b'Q', b'T', b'T'];
        // The reserved flag is set.
        let flags = [level, 0x03, 0x00, 0x00];
        [&header[..], &flags, properties, &[0x00, 0x01, b'c']].concat()
    };
    let mut world = Harness::new();

    let new = world.open(Version::V5);
    world.send_bytes(new, &connect_of(5, &[0x00]));
    let old = world.open(Version::V3_1_1);
    world.send_bytes(old, &connect_of(4, &[]));

    let connack = world.take_connack(new);
    assert_eq!(connack.reason, ReasonCode::MalformedPacket);
    assert!(world.receive(old).is_empty());
    assert!(world.is_closed(new) && world.is_closed(old));
}

/// A packet larger than we take is refused by its header alone [MQTT-3.2.2-15].
#[test]
fn a_packet_larger_than_announced_is_refused() {
    let mut world = Harness::with(|config| config.maximum_packet_size = 100.try_into().unwrap());
    let client = world.join(v5("c"));

    world.send_bytes(client, &[0x30, 0x7F]);

    let reason = world.receive(client).disconnect_reason();
    assert_eq!(reason, ReasonCode::PacketTooLarge);
    assert!(world.is_closed(client));
}

/// A client that asks for no problem information is told the code and no text [MQTT-3.1.2-29].
/// A DISCONNECT of ours never has a Session Expiry Interval [MQTT-3.14.2-2].
#[test]
fn problem_information_can_be_refused() {
    for (wanted, has_text) in [(None, true), (Some(true), true), (Some(false), false)] {
        let mut world = Harness::new();
        let mut connect = v5("c");
        connect.properties.request_problem_information = wanted;
        let client = world.join(connect);

        world.send_bytes(client, &[0xC1, 0x00]);

        let Packet::Disconnect(disconnect) = world.receive(client).packet() else {
            panic!("DISCONNECT");
        };
        assert_eq!(disconnect.properties.reason_string.is_some(), has_text);
        assert_eq!(disconnect.properties.session_expiry_interval, None);
    }
}

/// The text of a DISCONNECT is left out if the client does not take a packet of that length
/// [MQTT-3.14.2-3].
#[test]
fn a_disconnect_fits_the_clients_maximum_packet_size() {
    let mut world = Harness::new();
    let mut connect = v5("c");
    connect.properties.maximum_packet_size = Some(25);
    let client = world.join(connect);

    world.send_bytes(client, &[0xC1, 0x00]);

    assert_eq!(world.receive_bytes(client), [0xE0, 1, 0x81]);
}

/// The same bytes have the same effect however they are split.
#[test]
fn a_stream_may_be_split_anywhere() {
    let mut whole = Harness::new();
    let client = whole.join(v5("c"));
    let stream = [
        &[0x82, 0x07, 0x00, 0x01, 0x00, 0x00, 0x01, b't', 0x01][..],
        &[0x32, 0x07, 0x00, 0x01, b't', 0x00, 0x02, 0x00, b'm'],
        &[0xC0, 0x00],
    ]
    .concat();
    whole.send_bytes(client, &stream);
    let expected = whole.receive_bytes(client);
    assert!(expected.len() > 20);

    for split in 1..stream.len() {
        let mut world = Harness::new();
        let client = world.join(v5("c"));
        world.send_bytes(client, &stream[..split]);
        world.send_bytes(client, &stream[split..]);
        assert_eq!(world.receive_bytes(client), expected, "split at {split}");
    }
}
