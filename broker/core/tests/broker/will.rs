//! The Will Message: after every abnormal end, never after a goodbye, not before its delay
//! (§3.1.2.5).

use std::time::Duration;

use squall_core::{Broker, ClientIds, Config};
use squall_protocol::packet::{Connect, Packet, Will, WillProperties};
use squall_protocol::{Instant, ReasonCode};

use crate::harness::{Client, Harness};
use crate::packets::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn delayed(topic: &str, will_delay_interval: u32) -> Will {
    Will {
        properties: WillProperties {
            will_delay_interval: Some(will_delay_interval),
            ..WillProperties::default()
        },
        ..will(topic)
    }
}

fn expiring_after(connect: Connect, session_expiry_interval: u32) -> Connect {
    let mut connect = connect;
    connect.properties.session_expiry_interval = Some(session_expiry_interval);
    connect
}

/// A broker and a watcher of every will.
fn watched() -> (Harness, Client) {
    let mut world = Harness::new();
    let watcher = world.join(v5("watcher"));
    world.send(watcher, &subscribe(&[("will/#", QOS2)]));
    world.receive(watcher);
    (world, watcher)
}

fn with_wills(client_id: &str) -> [Connect; 2] {
    both(client_id).map(|connect| with_will(connect, will("will/c")))
}

/// A connection that breaks is the first cause [MQTT-3.1.2-8], [3.1.1: MQTT-3.1.2-8].
#[test]
fn a_lost_connection_publishes_the_will() {
    for connect in with_wills("c") {
        let (mut world, watcher) = watched();
        let client = world.join(connect);
        assert!(world.receive(watcher).is_empty());

        world.lose(client);

        let message = world.receive(watcher).message();
        assert_eq!(
            (message.topic.as_str(), message.payload.as_str()),
            ("will/c", "will")
        );
        assert!(!message.retain);
        assert_eq!(world.broker.counters().wills_published, 1);
    }
}

/// Keep Alive is the second [MQTT-3.1.2-8].
#[test]
fn a_keep_alive_timeout_publishes_the_will() {
    for mut connect in with_wills("c") {
        connect.keep_alive = 2;
        let (mut world, watcher) = watched();
        world.join(connect);

        world.advance(millis(2_999));
        assert!(world.receive(watcher).is_empty());
        world.advance(millis(500));

        assert_eq!(world.receive(watcher).payloads(), ["will"]);
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A protocol error is the third [MQTT-3.1.2-8].
#[test]
fn a_protocol_error_publishes_the_will() {
    for connect in with_wills("c") {
        let (mut world, watcher) = watched();
        let client = world.join(connect.clone());

        world.send(client, &Packet::Connect(Box::new(connect)));

        assert!(world.is_closed(client));
        assert_eq!(world.receive(watcher).payloads(), ["will"]);
    }
}

/// A Malformed Packet is one of them.
#[test]
fn a_malformed_packet_publishes_the_will() {
    for connect in with_wills("c") {
        let (mut world, watcher) = watched();
        let client = world.join(connect);

        world.send_bytes(client, &[0x36, 0x00]);

        assert!(world.is_closed(client));
        assert_eq!(world.receive(watcher).payloads(), ["will"]);
    }
}

/// A takeover ends the old connection without its DISCONNECT [MQTT-3.1.4-3].
#[test]
fn a_takeover_publishes_the_will_of_the_displaced() {
    for connect in with_wills("c") {
        let (mut world, watcher) = watched();
        world.join(connect.clone());

        world.join(connect);

        assert_eq!(world.receive(watcher).payloads(), ["will"]);
    }
}

/// A normal DISCONNECT discards the will [MQTT-3.14.4-3], [3.1.1: MQTT-3.1.2-10],
/// [3.1.1: MQTT-3.14.4-3].
#[test]
fn a_normal_disconnect_discards_the_will() {
    for connect in with_wills("c") {
        let (mut world, watcher) = watched();
        let client = world.join(connect);

        world.send(client, &goodbye());
        world.advance(seconds(100));

        assert!(world.is_closed(client));
        assert!(world.receive(watcher).is_empty());
        assert_eq!(world.broker.counters().wills_published, 0);
    }
}

/// What a normal DISCONNECT discards does not come with the end of the Session either
/// [MQTT-3.1.2-10].
#[test]
fn a_discarded_will_does_not_come_with_the_end_of_the_session() {
    let (mut world, watcher) = watched();
    let connect = expiring_after(with_will(v5("c"), delayed("will/c", 10)), 20);
    let client = world.join(connect);

    world.send(client, &goodbye());
    world.advance(seconds(30));

    assert_eq!(world.broker.counters().sessions_expired, 1);
    assert!(world.receive(watcher).is_empty());
}

/// Without the Will Flag nothing is published [3.1.1: MQTT-3.1.2-12].
#[test]
fn a_client_without_a_will_leaves_none() {
    for connect in both("c") {
        let (mut world, watcher) = watched();
        let client = world.join(connect);

        world.lose(client);

        assert!(world.receive(watcher).is_empty());
        assert_eq!(world.broker.counters().wills_published, 0);
    }
}

/// DISCONNECT with 0x04 asks for the will (§3.14.2.1).
#[test]
fn disconnect_with_will_publishes_the_will() {
    let (mut world, watcher) = watched();
    let client = world.join(with_will(v5("c"), will("will/c")));

    world.send(client, &disconnect(ReasonCode::DisconnectWithWillMessage));

    assert!(world.is_closed(client));
    assert_eq!(world.receive(watcher).payloads(), ["will"]);
}

/// Only Normal disconnection discards the will; a DISCONNECT with an error does not
/// [MQTT-3.1.2-10].
#[test]
fn disconnect_with_an_error_publishes_the_will() {
    let (mut world, watcher) = watched();
    let client = world.join(with_will(v5("c"), will("will/c")));

    world.send(client, &disconnect(ReasonCode::UnspecifiedError));

    assert_eq!(world.receive(watcher).payloads(), ["will"]);
}

/// A will with Will Retain 1 is stored [MQTT-3.1.2-15], and one with 0 is not [MQTT-3.1.2-14],
/// [3.1.1: MQTT-3.1.2-16], [3.1.1: MQTT-3.1.2-17].
#[test]
fn will_retain_decides_whether_the_will_is_stored() {
    for retain in [false, true] {
        let (mut world, _) = watched();
        let stored = Will {
            retain,
            ..will("will/c")
        };
        let client = world.join(with_will(v4("c"), stored));

        world.lose(client);

        let late = world.join(v5("late"));
        world.send(late, &subscribe(&[("will/+", QOS0)]));
        let messages = world.receive(late).messages();
        assert_eq!(messages.len(), usize::from(retain));
        assert!(messages.iter().all(|message| message.retain));
    }
}

/// The will is sent with its own QoS [MQTT-3.1.2-12] and its properties (§3.1.3.2).
#[test]
fn a_will_keeps_its_qos_and_properties() {
    let (mut world, watcher) = watched();
    let sent = Will {
        qos: QOS2,
        properties: WillProperties {
            message_expiry_interval: Some(77),
            response_topic: Some("re".to_owned()),
            user_properties: vec![("b".to_owned(), "1".to_owned())],
            ..WillProperties::default()
        },
        ..will("will/c")
    };
    let client = world.join(with_will(v5("c"), sent.clone()));

    world.lose(client);

    let message = world.receive(watcher).message();
    assert_eq!(message.qos, QOS2);
    assert_eq!(message.expiry, Some(77));
    assert_eq!(message.response_topic, sent.properties.response_topic);
    assert_eq!(message.user_properties, sent.properties.user_properties);
}

/// A delayed will waits for its interval (§3.1.3.2.2).
#[test]
fn a_delayed_will_waits_for_its_interval() {
    let (mut world, watcher) = watched();
    let client = world.join(with_will(v5_kept("c"), delayed("will/c", 10)));
    world.lose(client);

    world.advance(millis(9_999));
    assert!(world.receive(watcher).is_empty());
    world.advance(millis(1_000));

    assert_eq!(world.receive(watcher).payloads(), ["will"]);
}

/// A client that is back before the delay has passed cancels its will [MQTT-3.1.3-9].
#[test]
fn a_reconnect_before_the_delay_cancels_the_will() {
    let (mut world, watcher) = watched();
    let client = world.join(with_will(v5_kept("c"), delayed("will/c", 10)));
    world.lose(client);
    world.advance(seconds(5));

    world.join(v5_kept("c"));
    world.advance(seconds(100));

    assert!(world.receive(watcher).is_empty());
}

/// The will of the new connection does not take over the delay of the old one.
#[test]
fn a_cancelled_delay_does_not_publish_the_next_will() {
    let (mut world, watcher) = watched();
    let client = world.join(with_will(v5_kept("c"), delayed("will/old", 10)));
    world.lose(client);
    world.advance(seconds(5));

    let client = world.join(with_will(v5_kept("c"), delayed("will/new", 20)));
    world.advance(seconds(100));
    assert!(world.receive(watcher).is_empty());
    world.lose(client);
    world.advance(seconds(19));
    assert!(world.receive(watcher).is_empty());
    world.advance(seconds(2));

    assert_eq!(world.receive(watcher).message().topic, "will/new");
}

/// The end of the Session ends the delay [MQTT-3.1.2-8].
#[test]
fn the_end_of_the_session_publishes_a_delayed_will() {
    let (mut world, watcher) = watched();
    let connect = expiring_after(v5_kept("c"), 3);
    let client = world.join(with_will(connect, delayed("will/c", 100)));
    world.lose(client);

    world.advance(millis(2_999));
    assert!(world.receive(watcher).is_empty());
    world.advance(millis(1_000));

    assert_eq!(world.receive(watcher).payloads(), ["will"]);
    assert_eq!(world.broker.counters().wills_published, 1);
}

/// A Session that ends with its connection does not wait (§3.1.3.2.2).
#[test]
fn without_a_session_there_is_no_delay() {
    let (mut world, watcher) = watched();
    let client = world.join(with_will(v5("c"), delayed("will/c", 100)));

    world.lose(client);

    assert_eq!(world.receive(watcher).payloads(), ["will"]);
}

/// A new Session of the client ends the old one, and its will is due (§3.1.3.2.2).
#[test]
fn a_clean_start_publishes_a_delayed_will() {
    let (mut world, watcher) = watched();
    let client = world.join(with_will(v5_kept("c"), delayed("will/c", 100)));
    world.lose(client);

    world.join(v5("c"));

    assert_eq!(world.receive(watcher).payloads(), ["will"]);
}

/// A takeover that goes on with the Session cancels a delayed will, one with Clean Start
/// publishes it (§3.1.3.2.2).
#[test]
fn a_takeover_cancels_a_delayed_will_if_the_session_goes_on() {
    for (clean_start, payloads) in [(false, 0), (true, 1)] {
        let (mut world, watcher) = watched();
        world.join(with_will(v5_kept("c"), delayed("will/c", 10)));
        let next = Connect {
            clean_start,
            ..v5_kept("c")
        };

        world.join(next);
        world.advance(seconds(100));

        assert_eq!(world.receive(watcher).payloads().len(), payloads);
    }
}

/// The will of a later connection replaces the one of an earlier connection.
#[test]
fn each_connection_has_its_own_will() {
    let (mut world, watcher) = watched();
    let client = world.join(with_will(v5_kept("c"), will("will/1")));
    world.send(client, &goodbye());
    let client = world.join(with_will(v5_kept("c"), will("will/2")));

    world.lose(client);

    assert_eq!(world.receive(watcher).message().topic, "will/2");
}

/// A will to a topic of the server's own is refused with the CONNECT (§4.7.2).
#[test]
fn a_will_to_a_reserved_topic_is_refused() {
    let (mut world, _) = watched();

    let client = world.try_connect(with_will(v5("c"), will("$SYS/broker/uptime")));

    let connack = world.take_connack(client);
    assert_eq!(connack.reason, ReasonCode::TopicNameInvalid);
    assert!(world.is_closed(client));
}

/// 3.1.1 has no code for a topic that we do not take. "Not authorized" says what it is; "server
/// unavailable" would make the client try again (§3.2.2.3 of 3.1.1).
#[test]
fn a_3_1_1_will_to_a_reserved_topic_is_not_authorized() {
    let (mut world, _) = watched();

    let client = world.try_connect(with_will(v4("c"), will("$SYS/broker/uptime")));

    assert_eq!(world.receive_bytes(client), [0x20, 2, 0, 5]);
    assert!(world.is_closed(client));
}

/// A broker with nothing to wait for has no deadline.
#[test]
fn an_idle_broker_has_no_deadline() {
    let config = Config {
        sys_interval: None,
        ..Config::default()
    };

    let broker = Broker::new(config, ClientIds::counted(), Instant::ZERO);

    assert_eq!(broker.next_deadline(), None);
}
