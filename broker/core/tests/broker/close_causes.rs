//! Every close says whose connection it was and why, in the words of the log line.

use std::time::Duration;

use squall_protocol::packet::Packet;
use squall_protocol::{ReasonCode, Version};

use crate::harness::{Client, Harness};
use crate::packets::{QOS0, disconnect, goodbye, subscribe, v4, v5, v5_kept};

/// The log's answer to "why was client c disconnected?".
fn assert_cause(world: &Harness, client: Client, cause: &str) {
    assert_eq!(world.close_log(client), Some((Some("c"), cause.to_owned())));
}

/// A client that leaves says with which code.
#[test]
fn a_disconnect_of_the_client_is_a_cause() {
    let mut world = Harness::new();
    let polite = world.join(v4("c"));
    world.send(polite, &goodbye());
    assert_cause(&world, polite, "the client disconnected");

    let abrupt = world.join(v5("c"));
    world.send(abrupt, &disconnect(ReasonCode::DisconnectWithWillMessage));

    assert_cause(
        &world,
        abrupt,
        "the client disconnected: Disconnect with Will Message",
    );
}

/// What the client did wrong is in the line.
#[test]
fn a_broken_protocol_is_a_cause() {
    let mut world = Harness::new();
    let client = world.join(v4("c"));

    world.send(client, &Packet::Pingresp);

    assert_cause(
        &world,
        client,
        "the client broke the protocol: PINGRESP from a client",
    );
}

/// A refused client has no Session, so its connection has no Client Identifier yet.
#[test]
fn a_refusal_is_a_cause() {
    let mut world = Harness::with(|config| config.sessions_max = 0);

    let client = world.try_connect(v5("c"));

    let expected = Some((None, "CONNECT refused: Quota exceeded".to_owned()));
    assert_eq!(world.close_log(client), expected);
}

/// A client that takes no packet as large as the answer to it would wait for it in vain.
#[test]
fn an_answer_too_large_is_a_cause() {
    let mut world = Harness::new();
    let mut connect = v5("c");
    connect.properties.maximum_packet_size = Some(30);
    let client = world.join(connect);

    world.send(client, &subscribe(&[("t", QOS0); 30]));

    assert_cause(&world, client, "an answer is larger than the client takes");
}

/// A connection that never said who it is.
#[test]
fn a_missing_connect_is_a_cause() {
    let mut world = Harness::with(|config| config.connect_timeout = Duration::from_secs(5));
    let client = world.open(Version::V5);

    world.advance(Duration::from_secs(6));

    let expected = Some((None, "no CONNECT in time".to_owned()));
    assert_eq!(world.close_log(client), expected);
}

/// Silence, [MQTT-3.1.2-22].
#[test]
fn silence_is_a_cause() {
    let mut world = Harness::new();
    let mut connect = v5("c");
    connect.keep_alive = 2;
    let client = world.join(connect);

    world.advance(Duration::from_secs(4));

    assert_cause(&world, client, "silent for one and a half keep alives");
}

/// A client that sends and does not read.
#[test]
fn a_full_outbox_is_a_cause() {
    let mut world = Harness::with_outboxes(100, 1000);
    let client = world.join(v5("c"));
    world.stall(client);

    for _ in 0..=500 {
        world.send(client, &Packet::Pingreq);
    }

    assert_cause(&world, client, "too much waits to be read by the client");
}

/// Another connection with the Client Identifier, whether it goes on with the Session or not.
#[test]
fn a_takeover_is_a_cause() {
    for newcomer in [v5("c"), v5_kept("c")] {
        let mut world = Harness::new();
        let displaced = world.join(v5_kept("c"));

        world.join(newcomer);

        assert_cause(
            &world,
            displaced,
            "another connection took its client identifier",
        );
    }
}

/// The server stops.
#[test]
fn a_shutdown_is_a_cause() {
    let mut world = Harness::new();
    let client = world.join(v4("c"));

    world.shut_down();

    assert_cause(&world, client, "the server stops");
}

/// A transport that ended without DISCONNECT: the shell tells the broker, which knows whose it was.
#[test]
fn a_lost_transport_is_a_cause() {
    let mut world = Harness::new();
    let client = world.join(v4("c"));

    world.lose(client);

    assert_cause(&world, client, "the transport ended without DISCONNECT");
}
