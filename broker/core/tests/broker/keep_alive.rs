//! Keep Alive and the connect timeout (§3.1.2.10, §3.1.4).

use std::time::Duration;

use squall_protocol::codec::encode;
use squall_protocol::packet::{Connect, Packet};
use squall_protocol::{ReasonCode, Version};

use crate::harness::Harness;
use crate::packets::*;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn with_keep_alive(connect: Connect, keep_alive: u16) -> Connect {
    Connect {
        keep_alive,
        ..connect
    }
}

/// Silence of one and a half times the Keep Alive ends the connection, within a second
/// [MQTT-3.1.2-22], [3.1.1: MQTT-3.1.2-24].
#[test]
fn silence_of_one_and_a_half_keep_alives_ends_the_connection() {
    for connect in both("c") {
        let version = connect.version;
        let mut world = Harness::new();
        let client = world.join(with_keep_alive(connect, 10));

        world.advance(millis(14_999));
        assert!(!world.is_closed(client));
        world.advance(millis(1_000));

        assert!(world.is_closed(client));
        assert_eq!(world.broker.counters().keep_alive_timeouts, 1);
        let received = world.receive(client);
        if version == Version::V5 {
            assert_eq!(received.disconnect_reason(), ReasonCode::KeepAliveTimeout);
        } else {
            assert!(received.is_empty());
        }
    }
}

/// Any packet counts as a sign of life, not only PINGREQ (§3.1.2.10).
#[test]
fn any_packet_is_a_sign_of_life() {
    let mut world = Harness::new();
    let client = world.join(with_keep_alive(v5("c"), 10));

    for _ in 0..10 {
        world.advance(millis(14_000));
        world.send(client, &Packet::Publish(publish("t", QOS0, "m")));
    }
    assert!(!world.is_closed(client));

    world.advance(millis(16_000));
    assert!(world.is_closed(client));
}

/// A large PUBLISH on a slow link is in progress as long as its bytes come: no PINGREQ fits inside a
/// packet, and the client is not absent [MQTT-3.1.2-20]. Silence after it counts as ever.
#[test]
fn a_packet_in_progress_is_a_sign_of_life() {
    for connect in both("c") {
        let mut world = Harness::new();
        let watcher = world.join(v5("w"));
        world.send(watcher, &subscribe(&[("t", QOS0)]));
        world.receive(watcher);
        let version = connect.version;
        let client = world.join(with_keep_alive(connect, 2));
        let payload = "m".repeat(1024 * 1024);
        let mut bytes = Vec::new();
        encode(
            &Packet::Publish(publish("t", QOS0, &payload)),
            version,
            &mut bytes,
        );

        for chunk in bytes.chunks(20_000) {
            world.advance(millis(100));
            world.send_bytes(client, chunk);
        }

        assert_eq!(world.receive(watcher).payloads(), [payload]);
        assert!(!world.is_closed(client));
        world.advance(millis(4_000));
        assert!(world.is_closed(client));
    }
}

/// A peer that sends its packet one byte a second is closed like a silent one [MQTT-3.1.2-22].
#[test]
fn a_dripping_packet_does_not_keep_a_connection_alive() {
    let mut world = Harness::new();
    let client = world.join(with_keep_alive(v5("c"), 10));
    world.send_bytes(client, &[0x30, 0xFF, 0xFF, 0x03]);

    let mut seconds = 0;
    while !world.is_closed(client) && seconds < 60 {
        world.advance(millis(1_000));
        world.send_bytes(client, b"x");
        seconds += 1;
    }

    assert!((15..=16).contains(&seconds), "{seconds} s");
    assert_eq!(world.broker.counters().keep_alive_timeouts, 1);
}

/// What the server sends is not a sign of life of the client (§3.1.2.10).
#[test]
fn delivery_does_not_keep_a_connection_alive() {
    let mut world = Harness::new();
    let client = world.join(with_keep_alive(v5("c"), 10));
    world.send(client, &subscribe(&[("t", QOS0)]));
    let publisher = world.join(v5("p"));

    for _ in 0..16 {
        world.advance(millis(1_000));
        world.send(publisher, &Packet::Publish(publish("t", QOS0, "m")));
    }

    assert!(world.is_closed(client));
}

/// Keep Alive 0 turns the mechanism off (§3.1.2.10).
#[test]
fn keep_alive_0_never_ends_a_connection() {
    for connect in both("c") {
        let mut world = Harness::new();
        let client = world.join(with_keep_alive(connect, 0));

        world.advance(Duration::from_secs(30 * 24 * 3600));

        assert!(!world.is_closed(client));
    }
}

/// The longest Keep Alive is more than 18 hours (§3.1.2.10).
#[test]
fn the_longest_keep_alive_is_kept_to_the_second() {
    let mut world = Harness::new();
    let client = world.join(with_keep_alive(v4("c"), u16::MAX));

    world.advance(millis(98_302_499));
    assert!(!world.is_closed(client));
    world.advance(millis(1_000));

    assert!(world.is_closed(client));
}

/// A connection without CONNECT is closed after the connect timeout (§3.1.4).
#[test]
fn a_connection_without_connect_is_closed_in_time() {
    let mut world = Harness::with(|config| config.connect_timeout = millis(5_000));
    let client = world.open(Version::V5);
    world.send_bytes(client, &[0x10]);

    world.advance(millis(4_999));
    assert!(!world.is_closed(client));
    world.advance(millis(1_000));

    assert!(world.is_closed(client));
    assert!(world.receive(client).is_empty());
    assert_eq!(world.broker.counters().connections, 0);
}

/// The connect timeout does not outlive CONNECT.
#[test]
fn the_connect_timeout_ends_with_connect() {
    let mut world = Harness::with(|config| config.connect_timeout = millis(5_000));
    let client = world.join(v5("c"));

    world.advance(millis(60_000));

    assert!(!world.is_closed(client));
}

/// A short Keep Alive is kept although the connect timeout was longer.
#[test]
fn a_keep_alive_shorter_than_the_connect_timeout_is_kept() {
    let mut world = Harness::new();
    let client = world.join(with_keep_alive(v5("c"), 1));

    world.advance(millis(2_500));

    assert!(world.is_closed(client));
}
