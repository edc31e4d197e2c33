//! Two connections with one Client Identifier: the later one wins (§3.1.4).

use std::time::Duration;

use squall_protocol::ReasonCode;
use squall_protocol::packet::Packet;

use crate::harness::Harness;
use crate::packets::*;

/// The old connection is told 0x8E and closed [MQTT-3.1.4-3].
#[test]
fn a_displaced_5_0_client_is_told_why() {
    let mut world = Harness::new();
    let old = world.join(v5_kept("c"));

    let (new, connack) = world.connect(v5_kept("c"));

    let reason = world.receive(old).disconnect_reason();
    assert_eq!(reason, ReasonCode::SessionTakenOver);
    assert!(world.is_closed(old));
    assert!(!world.is_closed(new));
    assert!(connack.session_present);
    assert_eq!(world.broker.counters().clients_connected, 1);
    assert_eq!(world.broker.counters().takeovers, 1);
}

/// A 3.1.1 client is only closed [3.1.1: MQTT-3.1.4-2].
#[test]
fn a_displaced_3_1_1_client_is_closed() {
    let mut world = Harness::new();
    let old = world.join(v4_kept("c"));

    let (_, connack) = world.connect(v4_kept("c"));

    assert!(world.receive(old).is_empty());
    assert!(world.is_closed(old));
    assert!(connack.session_present);
}

/// A Session that would end with its connection ends with the takeover (§3.1.2.11.2).
#[test]
fn a_session_without_expiry_is_not_taken_over() {
    for (clean, kept) in both("c").into_iter().zip(both_kept("c")) {
        let mut world = Harness::new();
        let old = world.join(clean);

        let (_, connack) = world.connect(kept);

        assert!(world.is_closed(old));
        assert!(!connack.session_present);
    }
}

/// Taking over with Clean Start 1 starts a new Session [MQTT-3.1.4-4].
#[test]
fn a_takeover_with_clean_start_starts_anew() {
    for (kept, clean) in both_kept("c").into_iter().zip(both("c")) {
        let mut world = Harness::new();
        let old = world.join(kept);
        world.send(old, &subscribe(&[("t", QOS1)]));

        let (_, connack) = world.connect(clean);

        assert!(world.is_closed(old));
        assert!(!connack.session_present);
        assert_eq!(world.broker.counters().subscriptions, 0);
    }
}

/// Bytes of the displaced connection that are still on their way change nothing.
#[test]
fn what_a_displaced_connection_sent_changes_nothing() {
    let mut world = Harness::new();
    let old = world.join(v5_kept("c"));
    let new = world.join(v5_kept("c"));

    world.send(old, &subscribe(&[("t", QOS1)]));
    world.send(old, &goodbye());

    assert!(!world.is_closed(new));
    assert_eq!(world.broker.counters().subscriptions, 0);
}

/// What the old connection had not acknowledged comes again on the new one [MQTT-4.4.0-1].
#[test]
fn what_is_in_flight_moves_to_the_new_connection() {
    for connect in both_kept("c") {
        let mut world = Harness::new();
        let old = world.join(connect.clone());
        world.send(old, &subscribe(&[("t", QOS2)]));
        let publisher = world.join(v5("p"));
        world.send(publisher, &Packet::Publish(publish("t", QOS2, "2")));
        world.send(publisher, &numbered(2, publish("t", QOS1, "1")));
        world.receive(old);

        let new = world.join(connect);

        let messages = world.receive(new).messages();
        let seen: Vec<_> = messages
            .iter()
            .map(|m| (m.payload.as_str(), m.dup))
            .collect();
        assert_eq!(seen, [("2", true), ("1", true)]);
    }
}

/// Of many connections with one Client Identifier exactly one stays, the last.
#[test]
fn of_many_contenders_the_last_stays() {
    let mut world = Harness::new();

    let clients: Vec<_> = (0..50).map(|_| world.join(v5_kept("c"))).collect();

    let open: Vec<_> = clients.iter().filter(|&&c| !world.is_closed(c)).collect();
    assert_eq!(open, [clients.last().unwrap()]);
    world.advance(Duration::from_secs(3600));
    assert_eq!(world.broker.counters().sessions, 1);
}
