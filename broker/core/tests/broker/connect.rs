//! CONNECT and CONNACK: Session Present, Session expiry, Client Identifiers (§3.1, §3.2).

use std::time::Duration;

use squall_core::ClientIds;
use squall_protocol::ReasonCode;
use squall_protocol::packet::{
    Connect, ConnectProperties, Disconnect, DisconnectProperties, Packet,
};

use crate::harness::Harness;
use crate::packets::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn v5_expiring(client_id: &str, session_expiry_interval: u32) -> Connect {
    let mut connect = v5_kept(client_id);
    connect.properties.session_expiry_interval = Some(session_expiry_interval);
    connect
}

/// A Session that is kept is there for the next connection, and CONNACK says so [MQTT-3.1.2-5],
/// [MQTT-3.2.2-3], [3.1.1: MQTT-3.2.2-2]. Without one it makes a new Session
/// [MQTT-3.1.2-6], [3.1.1: MQTT-3.2.2-3].
#[test]
fn a_kept_session_is_present_at_the_next_connection() {
    for connect in both_kept("c") {
        let mut world = Harness::new();
        let (client, connack) = world.connect(connect.clone());
        assert!(!connack.session_present);
        world.send(client, &subscribe(&[("t", QOS1)]));
        world.lose(client);

        let (client, connack) = world.connect(connect);

        assert!(connack.session_present);
        let publisher = world.join(v5("p"));
        world.send(publisher, &Packet::Publish(publish("t", QOS0, "m")));
        assert_eq!(world.receive(client).payloads(), ["m"]);
    }
}

/// CONNACK goes first, whatever waits for the client [MQTT-3.2.0-1], [3.1.1: MQTT-3.2.0-1].
#[test]
fn connack_goes_before_what_waited() {
    for connect in both_kept("c") {
        let mut world = Harness::new();
        let client = world.join(connect.clone());
        world.send(client, &subscribe(&[("t", QOS1)]));
        world.lose(client);
        let publisher = world.join(v5("p"));
        world.send(publisher, &numbered(1, publish("t", QOS1, "waits")));

        let client = world.try_connect(connect);

        assert_eq!(world.take_connack(client).reason, ReasonCode::Success);
        assert_eq!(world.receive(client).payloads(), ["waits"]);
    }
}

/// Clean Start, and Clean Session of 3.1.1, discard a stored Session [MQTT-3.1.2-4],
/// [MQTT-3.2.2-2], [3.1.1: MQTT-3.1.2-6],
/// [3.1.1: MQTT-3.2.2-1].
#[test]
fn a_clean_start_discards_the_session() {
    for (kept, clean) in both_kept("c").into_iter().zip(both("c")) {
        let mut world = Harness::new();
        let client = world.join(kept);
        world.send(client, &subscribe(&[("t", QOS1)]));
        world.lose(client);

        let (client, connack) = world.connect(clean);

        assert!(!connack.session_present);
        let publisher = world.join(v5("p"));
        world.send(publisher, &Packet::Publish(publish("t", QOS0, "m")));
        assert!(world.receive(client).is_empty());
    }
}

/// Clean Session 1 of 3.1.1, and an absent Session Expiry Interval, end the Session with its
/// connection (§3.1.2.11.2).
#[test]
fn a_session_without_expiry_ends_with_its_connection() {
    for (clean, kept) in both("c").into_iter().zip(both_kept("c")) {
        let mut world = Harness::new();
        let client = world.join(clean);
        world.send(client, &subscribe(&[("t", QOS1)]));
        world.lose(client);
        assert_eq!(world.broker.counters().sessions, 0);
        assert_eq!(world.broker.counters().subscriptions, 0);

        let (_, connack) = world.connect(kept);

        assert!(!connack.session_present);
    }
}

/// The Session is kept until its expiry interval has passed, and not longer [MQTT-3.1.2-23],
/// [MQTT-4.1.0-2].
#[test]
fn a_session_expires_after_its_interval() {
    for (waited, is_present) in [(59, true), (61, false)] {
        let mut world = Harness::new();
        let client = world.join(v5_expiring("c", 60));
        world.lose(client);

        world.advance(seconds(waited));

        let (_, connack) = world.connect(v5_expiring("c", 60));
        assert_eq!(connack.session_present, is_present, "after {waited} s");
    }
}

/// The interval counts from the end of the connection, not from its beginning [MQTT-4.1.0-1].
#[test]
fn a_connected_session_does_not_expire() {
    let mut world = Harness::new();
    let client = world.join(v5_expiring("c", 10));
    world.lose(client);
    world.advance(seconds(5));
    let client = world.join(v5_expiring("c", 10));
    world.advance(seconds(100));
    assert!(!world.is_closed(client));
    world.lose(client);
    world.advance(seconds(9));

    let (_, connack) = world.connect(v5_expiring("c", 10));

    assert!(connack.session_present);
}

/// 0xFFFFFFFF, and Clean Session 0 of 3.1.1, keep the Session without end (§3.1.2.11.2).
#[test]
fn a_session_without_end_is_kept_for_years() {
    for connect in [v4_kept("c"), v5_expiring("c", u32::MAX)] {
        let mut world = Harness::new();
        let client = world.join(connect.clone());
        world.lose(client);

        world.advance(seconds(10 * 365 * 24 * 3600));

        assert!(world.connect(connect).1.session_present);
    }
}

/// A longer wish than the server grants is cut, and CONNACK says to what (§3.2.2.3.2).
#[test]
fn the_granted_session_expiry_is_told_if_it_is_shorter() {
    let mut world = Harness::with(|config| config.session_expiry_interval_max = 100);

    let (_, shorter) = world.connect(v5_expiring("a", 101));
    let (_, as_wished) = world.connect(v5_expiring("b", 100));

    assert_eq!(shorter.properties.session_expiry_interval, Some(100));
    assert_eq!(as_wished.properties.session_expiry_interval, None);
}

/// DISCONNECT may change the Session Expiry Interval (§3.14.2.2.2).
#[test]
fn disconnect_changes_the_session_expiry() {
    let mut world = Harness::new();
    let client = world.join(v5_expiring("c", 10));
    let disconnect = Disconnect {
        reason: ReasonCode::Success,
        properties: DisconnectProperties {
            session_expiry_interval: Some(1000),
            ..DisconnectProperties::default()
        },
    };

    world.send(client, &Packet::Disconnect(disconnect));

    assert!(world.is_closed(client));
    world.advance(seconds(500));
    assert!(world.connect(v5_expiring("c", 10)).1.session_present);
}

/// DISCONNECT must not give an expiry to a Session that had none (§3.14.2.2.2).
#[test]
fn disconnect_from_zero_expiry_to_another_is_a_protocol_error() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    let disconnect = Disconnect {
        reason: ReasonCode::Success,
        properties: DisconnectProperties {
            session_expiry_interval: Some(1),
            ..DisconnectProperties::default()
        },
    };

    world.send(client, &Packet::Disconnect(disconnect));

    assert!(world.is_closed(client));
    let reason = world.receive(client).disconnect_reason();
    assert_eq!(reason, ReasonCode::ProtocolError);
}

/// A client without a Client Identifier gets one of its own [MQTT-3.1.3-6], [MQTT-3.1.3-7],
/// [MQTT-3.2.2-16], [3.1.1: MQTT-3.1.3-6].
#[test]
fn a_client_identifier_is_assigned_and_told() {
    let mut world = Harness::new();

    let (_, first) = world.connect(v5(""));
    let (_, second) = world.connect(v5(""));

    let first = first.properties.assigned_client_identifier.unwrap();
    let second = second.properties.assigned_client_identifier.unwrap();
    assert_ne!(first, second);
    assert_eq!(world.broker.counters().sessions, 2);
    let (_, named) = world.connect(v5("c"));
    assert_eq!(named.properties.assigned_client_identifier, None);
}

/// An assigned Client Identifier is what the shell drew, all 128 bits of it: nothing of it can be
/// computed from another. One that a Session has is not assigned again [MQTT-3.1.3-6].
#[test]
fn an_assigned_client_identifier_is_drawn_by_the_shell() {
    let mut draws = [u128::MAX / 5, u128::MAX / 5, 7].into_iter();
    let mut world = Harness::drawing(ClientIds::drawn_by(move || draws.next()), |_| {});

    let assigned = [v5(""), v5("")].map(|connect| {
        let (_, connack) = world.connect(connect);
        connack.properties.assigned_client_identifier.unwrap()
    });

    let expected = [
        "squall-33333333333333333333333333333333",
        "squall-00000000000000000000000000000007",
    ];
    assert_eq!(assigned, expected);
}

/// Without random bits a client without a Client Identifier is refused with 0x88, others are not.
#[test]
fn a_nameless_client_is_refused_if_nothing_can_be_drawn() {
    let mut world = Harness::drawing(ClientIds::drawn_by(|| None), |_| {});

    let nameless = world.try_connect(v5(""));
    let (_, named) = world.connect(v5("c"));

    let connack = world.take_connack(nameless);
    assert_eq!(connack.reason, ReasonCode::ServerUnavailable);
    assert!(world.is_closed(nameless));
    assert_eq!(named.reason, ReasonCode::Success);
}

/// Every Client Identifier of 1 to 23 letters and digits is taken [MQTT-3.1.3-5],
/// [3.1.1: MQTT-3.1.3-5], and CONNACK says so [MQTT-3.1.4-5], [3.1.1: MQTT-3.1.4-4].
#[test]
fn client_identifiers_of_letters_and_digits_are_taken() {
    for client_id in ["0", "abcdefghijklmnopqrstuvw", "ABCDEFGHIJKLMNOPQRSTUVW"] {
        for connect in both(client_id) {
            let mut world = Harness::new();

            let (_, connack) = world.connect(connect);

            assert_eq!(connack.reason, ReasonCode::Success);
        }
    }
}

/// An assigned Client Identifier finds its Session again [MQTT-3.1.3-7].
#[test]
fn an_assigned_client_identifier_is_the_sessions() {
    let mut world = Harness::new();
    let (client, connack) = world.connect(v5_kept(""));
    world.lose(client);
    let assigned = connack.properties.assigned_client_identifier.unwrap();

    let (_, connack) = world.connect(v5_kept(&assigned));

    assert!(connack.session_present);
}

/// 3.1.1 allows an empty Client Identifier only with Clean Session 1, and refuses it with 0x02
/// otherwise [3.1.1: MQTT-3.1.3-7], [3.1.1: MQTT-3.1.3-8], [3.1.1: MQTT-3.2.2-5].
#[test]
fn an_empty_client_identifier_needs_clean_session_in_3_1_1() {
    let mut world = Harness::new();
    assert_eq!(world.connect(v4("")).1.reason, ReasonCode::Success);

    let client = world.try_connect(v4_kept(""));

    assert_eq!(world.receive_bytes(client), [0x20, 0x02, 0x00, 0x02]);
    assert!(world.is_closed(client));
}

/// A refused client that has a Session is not told so [MQTT-3.2.2-6], gets nothing after CONNACK
/// [MQTT-3.14.0-1] and is closed [MQTT-4.13.2-1], and its Session stays as it was.
#[test]
fn a_refusal_says_nothing_of_the_session() {
    let mut world = Harness::new();
    let first = world.join(v5_kept("c"));
    world.lose(first);
    let mut connect = v5_kept("c");
    connect.properties.authentication_method = Some("unknown".to_owned());

    let refused = world.try_connect(connect);

    let connack = [0x20, 3, 0, ReasonCode::BadAuthenticationMethod as u8, 0];
    assert_eq!(world.receive_bytes(refused), connack);
    assert!(world.is_closed(refused));
    let (_, connack) = world.connect(v5_kept("c"));
    assert!(connack.session_present);
}

/// No authentication method is known to us [MQTT-4.12.0-1]; after the error the connection is
/// closed [MQTT-3.2.2-7].
#[test]
fn an_unknown_authentication_method_is_refused() {
    let mut world = Harness::new();
    let connect = Connect {
        properties: ConnectProperties {
            authentication_method: Some("SCRAM-SHA-1".to_owned()),
            ..ConnectProperties::default()
        },
        ..v5("c")
    };

    let client = world.try_connect(connect);

    let connack = world.take_connack(client);
    assert_eq!(connack.reason, ReasonCode::BadAuthenticationMethod);
    assert!(!connack.session_present);
    assert!(world.is_closed(client));
}

/// CONNACK tells the limits that the client must keep (§3.2.2.3).
#[test]
fn connack_tells_the_servers_limits() {
    let mut world = Harness::new();

    let (_, connack) = world.connect(v5("c"));

    let config = world.broker.config();
    let properties = connack.properties;
    assert_eq!(
        properties.receive_maximum,
        Some(config.receive_maximum.get())
    );
    assert_eq!(
        properties.maximum_packet_size,
        Some(config.maximum_packet_size.get())
    );
    assert_eq!(
        properties.topic_alias_maximum,
        Some(config.topic_alias_maximum)
    );
}

/// A CONNACK that is larger than the client takes is not sent [MQTT-3.1.2-24].
#[test]
fn a_client_that_takes_no_connack_is_closed() {
    let mut world = Harness::new();
    let mut connect = v5_kept("c");
    connect.properties.maximum_packet_size = Some(8);

    let client = world.try_connect(connect);

    assert!(world.receive(client).is_empty());
    assert!(world.is_closed(client));
    assert_eq!(world.broker.counters().sessions, 0);
}

/// Neither is a CONNACK that refuses [MQTT-3.1.2-24].
#[test]
fn a_refusal_larger_than_the_client_takes_is_not_sent() {
    let mut world = Harness::new();
    for (maximum_packet_size, is_told) in [(4, false), (5, true)] {
        let mut connect = v5_kept("c");
        connect.properties.maximum_packet_size = Some(maximum_packet_size);
        connect.properties.authentication_method = Some("unknown".to_owned());

        let client = world.try_connect(connect);

        assert_eq!(!world.receive(client).is_empty(), is_told);
        assert!(world.is_closed(client));
    }
}

/// PINGREQ is answered [MQTT-3.12.4-1], [3.1.1: MQTT-3.12.4-1].
#[test]
fn pingreq_is_answered_with_pingresp() {
    for connect in both("c") {
        let mut world = Harness::new();
        let client = world.join(connect);

        world.send(client, &Packet::Pingreq);

        assert_eq!(world.receive(client).packet(), Packet::Pingresp);
    }
}

/// One broker serves both versions, and messages pass between them.
#[test]
fn both_versions_share_one_broker() {
    let mut world = Harness::new();
    let old = world.join(v4("old"));
    let new = world.join(v5("new"));
    world.send(old, &subscribe(&[("from/new", QOS1)]));
    world.send(new, &subscribe(&[("from/old", QOS1)]));
    world.receive(old);
    world.receive(new);

    world.send(old, &Packet::Publish(publish("from/old", QOS0, "o")));
    world.send(new, &Packet::Publish(publish("from/new", QOS0, "n")));

    assert_eq!(world.receive(old).payloads(), ["n"]);
    assert_eq!(world.receive(new).payloads(), ["o"]);
}
