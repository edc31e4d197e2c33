//! Messages to a client: the handshakes of QoS 1 and 2, redelivery after a reconnect, order
//! (§4.3, §4.4, §4.6).

use squall_protocol::packet::{Connect, Packet, Pubrec, Pubrel};
use squall_protocol::{PacketId, QoS, ReasonCode};

use crate::harness::{Client, Harness};
use crate::packets::*;
use crate::received::Got;

/// A broker, a publisher, and a subscriber to `t/#` at QoS 2.
fn pair(subscriber: Connect) -> (Harness, Client, Client) {
    let mut world = Harness::new();
    let publisher = world.join(v5("publisher"));
    let subscriber = world.join(subscriber);
    world.send(subscriber, &subscribe(&[("t/#", QOS2)]));
    world.receive(subscriber);
    (world, publisher, subscriber)
}

/// Publishes `payloads` to `t/x` at `qos`.
fn publish_all(world: &mut Harness, publisher: Client, qos: QoS, payloads: &[&str]) {
    for (payload, number) in payloads.iter().zip(1..) {
        let mut sent = publish("t/x", qos, payload);
        sent.packet_id = (qos != QOS0).then(|| id(number));
        world.send(publisher, &Packet::Publish(sent));
        if qos == QOS2 {
            world.send(publisher, &pubrel(id(number)));
        }
    }
}

/// The identifiers of the PUBLISH packets that a client received.
fn ids(world: &mut Harness, client: Client) -> Vec<PacketId> {
    let messages = world.receive(client).messages().into_iter();
    messages.map(|message| message.id.unwrap()).collect()
}

/// PUBACK ends a QoS 1 exchange: nothing comes again [MQTT-4.3.2-3].
#[test]
fn an_acknowledged_message_does_not_come_again() {
    for connect in both_kept("s") {
        let (mut world, publisher, subscriber) = pair(connect.clone());
        publish_all(&mut world, publisher, QOS1, &["m"]);
        let id = world.receive(subscriber).message().id.unwrap();

        world.send(subscriber, &puback(id));
        world.lose(subscriber);

        let subscriber = world.join(connect);
        assert!(world.receive(subscriber).is_empty());
    }
}

/// PUBREC is answered with PUBREL [MQTT-4.3.3-4], and PUBCOMP ends the exchange.
#[test]
fn a_qos_2_delivery_has_four_parts() {
    for connect in both_kept("s") {
        let (mut world, publisher, subscriber) = pair(connect.clone());
        publish_all(&mut world, publisher, QOS2, &["m"]);
        let message = world.receive(subscriber).message();
        let id = message.id.unwrap();
        assert_eq!((message.qos, message.dup), (QOS2, false));

        world.send(subscriber, &pubrec(id));
        let pubrel = Packet::Pubrel(Pubrel::new(id, ReasonCode::Success));
        assert_eq!(world.receive(subscriber).packet(), pubrel);
        world.send(subscriber, &pubcomp(id));
        world.lose(subscriber);

        let subscriber = world.join(connect);
        assert!(world.receive(subscriber).is_empty());
    }
}

/// What was not acknowledged comes again after a reconnect, with DUP, the same identifier and in
/// the original order [MQTT-4.4.0-1], [MQTT-3.3.1-1], [MQTT-4.6.0-1], [3.1.1: MQTT-4.4.0-1],
/// [3.1.1: MQTT-3.3.1-1], [3.1.1: MQTT-4.6.0-1].
#[test]
fn unacknowledged_messages_come_again_in_order() {
    for connect in both_kept("s") {
        let (mut world, publisher, subscriber) = pair(connect.clone());
        publish_all(&mut world, publisher, QOS1, &["1", "2", "3"]);
        let first = world.receive(subscriber).messages();
        world.send(subscriber, &puback(first[1].id.unwrap()));
        world.lose(subscriber);

        let subscriber = world.join(connect);

        let again = world.receive(subscriber).messages();
        assert_eq!(again.len(), 2);
        for (before, after) in [&first[0], &first[2]].into_iter().zip(&again) {
            assert!(after.dup);
            assert_eq!((&after.payload, after.id), (&before.payload, before.id));
        }
        assert_eq!(world.broker.counters().publishes_repeated, 2);
    }
}

/// On one connection nothing is ever sent twice [MQTT-4.4.0-1].
#[test]
fn nothing_comes_again_without_a_reconnect() {
    for connect in both_kept("s") {
        let (mut world, publisher, subscriber) = pair(connect);
        publish_all(&mut world, publisher, QOS1, &["m"]);
        world.receive(subscriber);

        world.advance(std::time::Duration::from_secs(24 * 3600));

        assert!(world.receive(subscriber).is_empty());
    }
}

/// After PUBREC the PUBREL comes again, the PUBLISH never [MQTT-4.3.3-6], [MQTT-4.4.0-1].
#[test]
fn after_pubrec_only_pubrel_comes_again() {
    for connect in both_kept("s") {
        let (mut world, publisher, subscriber) = pair(connect.clone());
        publish_all(&mut world, publisher, QOS2, &["released", "received"]);
        let ids = ids(&mut world, subscriber);
        world.send(subscriber, &pubrec(ids[0]));
        world.receive(subscriber);
        world.lose(subscriber);

        let subscriber = world.join(connect);

        let received = world.receive(subscriber);
        let pubrel = Packet::Pubrel(Pubrel::new(ids[0], ReasonCode::Success));
        assert_eq!(received.0[0], Got::Other(pubrel));
        assert_eq!(received.0.len(), 2);
        assert_eq!(received.payloads(), ["received"]);
        assert!(received.messages()[0].dup);
    }
}

/// PUBREL packets go in the order of the PUBREC packets that they answer [MQTT-4.6.0-4],
/// [3.1.1: MQTT-4.6.0-4].
#[test]
fn pubrels_keep_the_order_of_pubrecs() {
    for connect in both("s") {
        let (mut world, publisher, subscriber) = pair(connect);
        publish_all(&mut world, publisher, QOS2, &["1", "2", "3"]);
        let ids = ids(&mut world, subscriber);
        let order = [ids[1], ids[2], ids[0]];

        for id in order {
            world.send(subscriber, &pubrec(id));
        }

        let expected = order.map(|id| Packet::Pubrel(Pubrel::new(id, ReasonCode::Success)));
        assert_eq!(world.receive(subscriber).others(), expected);
    }
}

/// A PUBREC that comes twice is answered twice.
#[test]
fn a_repeated_pubrec_is_answered() {
    let (mut world, publisher, subscriber) = pair(v5("s"));
    publish_all(&mut world, publisher, QOS2, &["m"]);
    let id = world.receive(subscriber).message().id.unwrap();

    world.send(subscriber, &pubrec(id));
    world.send(subscriber, &pubrec(id));

    let pubrel = Packet::Pubrel(Pubrel::new(id, ReasonCode::Success));
    assert_eq!(world.receive(subscriber).others(), [pubrel.clone(), pubrel]);
}

/// A PUBREC with an error ends the exchange, and no PUBREL follows [MQTT-4.3.3-4].
#[test]
fn a_refused_message_is_done() {
    let (mut world, publisher, subscriber) = pair(v5_kept("s"));
    publish_all(&mut world, publisher, QOS2, &["m"]);
    let id = world.receive(subscriber).message().id.unwrap();

    let refusal = Pubrec::new(id, ReasonCode::QuotaExceeded);
    world.send(subscriber, &Packet::Pubrec(refusal));
    assert!(world.receive(subscriber).is_empty());
    world.lose(subscriber);

    let subscriber = world.join(v5_kept("s"));
    assert!(world.receive(subscriber).is_empty());
}

/// PUBREC for a QoS 1 message is a protocol error (§4.13).
#[test]
fn the_wrong_acknowledgement_is_a_protocol_error() {
    for connect in both("s") {
        let (mut world, publisher, subscriber) = pair(connect);
        publish_all(&mut world, publisher, QOS1, &["m"]);
        let id = world.receive(subscriber).message().id.unwrap();

        world.send(subscriber, &pubrec(id));

        assert!(world.is_closed(subscriber));
    }
}

/// A PUBACK for no message in flight changes nothing.
#[test]
fn an_unknown_puback_is_ignored() {
    for connect in both("s") {
        let (mut world, _, subscriber) = pair(connect);

        world.send(subscriber, &puback(id(77)));

        assert!(world.receive(subscriber).is_empty());
        assert!(!world.is_closed(subscriber));
    }
}

/// Messages for a client that is away wait in the order of their publication [MQTT-4.6.0-6],
/// [MQTT-4.5.0-1], [3.1.1: MQTT-3.1.2-5], [3.1.1: MQTT-4.5.0-1]; those of QoS 0 do not wait.
#[test]
fn messages_wait_for_a_client_that_is_away() {
    for connect in both_kept("s") {
        let (mut world, publisher, subscriber) = pair(connect.clone());
        world.lose(subscriber);
        publish_all(&mut world, publisher, QOS1, &["1", "2"]);
        publish_all(&mut world, publisher, QOS0, &["0"]);
        publish_all(&mut world, publisher, QOS2, &["3", "4"]);
        assert_eq!(world.broker.counters().queued_messages, 4);

        let subscriber = world.join(connect);

        let messages = world.receive(subscriber).messages();
        let seen: Vec<_> = messages
            .iter()
            .map(|m| (&*m.payload, m.qos, m.dup))
            .collect();
        let expected = [("1", QOS1), ("2", QOS1), ("3", QOS2), ("4", QOS2)];
        assert_eq!(seen, expected.map(|(payload, qos)| (payload, qos, false)));
        assert_eq!(world.broker.counters().queued_messages, 0);
    }
}

/// A queued message goes behind the ones that come again [MQTT-4.6.0-1], and all later ones
/// behind it.
#[test]
fn redelivered_queued_and_new_messages_keep_their_order() {
    for connect in both_kept("s") {
        let (mut world, publisher, subscriber) = pair(connect.clone());
        publish_all(&mut world, publisher, QOS1, &["1", "2"]);
        world.lose(subscriber);
        publish_all(&mut world, publisher, QOS1, &["3", "4"]);

        let subscriber = world.join(connect);
        publish_all(&mut world, publisher, QOS1, &["5"]);

        let payloads = world.receive(subscriber).payloads();
        assert_eq!(payloads, ["1", "2", "3", "4", "5"]);
    }
}

/// Every topic is an Ordered Topic [MQTT-4.6.0-5], [MQTT-4.6.0-6], [3.1.1: MQTT-4.6.0-5],
/// [3.1.1: MQTT-4.6.0-6].
#[test]
fn messages_of_one_publisher_keep_their_order() {
    for qos in [QOS0, QOS1, QOS2] {
        let (mut world, publisher, subscriber) = pair(v5("s"));
        let payloads: Vec<String> = (0..500).map(|n| n.to_string()).collect();
        let sent: Vec<&str> = payloads.iter().map(String::as_str).collect();

        publish_all(&mut world, publisher, qos, &sent);

        let mut seen = Vec::new();
        loop {
            let messages = world.receive(subscriber).messages();
            if messages.is_empty() {
                break;
            }
            for message in messages {
                match (qos, message.id) {
                    (QOS1, Some(id)) => world.send(subscriber, &puback(id)),
                    (QOS2, Some(id)) => {
                        world.send(subscriber, &pubrec(id));
                        world.send(subscriber, &pubcomp(id));
                    }
                    _ => {}
                }
                seen.push(message.payload);
            }
        }
        assert_eq!(seen, payloads);
    }
}

/// Identifiers in use are not given out again [MQTT-2.2.1-4], [3.1.1: MQTT-2.3.1-4].
#[test]
fn identifiers_in_flight_are_unique() {
    for connect in both("s") {
        let (mut world, publisher, subscriber) = pair(connect);
        let payloads = ["m"; 300];
        publish_all(&mut world, publisher, QOS1, &payloads[..200]);
        let first = ids(&mut world, subscriber);
        for &id in first.iter().step_by(2) {
            world.send(subscriber, &puback(id));
        }

        publish_all(&mut world, publisher, QOS1, &payloads[200..]);

        let held = first.iter().skip(1).step_by(2).copied();
        let mut in_flight: Vec<_> = held.chain(ids(&mut world, subscriber)).collect();
        let count = in_flight.len();
        in_flight.sort();
        in_flight.dedup();
        assert_eq!((count, in_flight.len()), (200, 200));
    }
}

/// A client may subscribe to what it publishes.
#[test]
fn a_client_receives_its_own_messages() {
    for connect in both("c") {
        let mut world = Harness::new();
        let client = world.join(connect);
        world.send(client, &subscribe(&[("t", QOS1)]));
        world.receive(client);

        world.send(client, &Packet::Publish(publish("t", QOS1, "m")));

        let received = world.receive(client);
        assert_eq!(received.payloads(), ["m"]);
        assert_eq!(received.others().len(), 1);
    }
}
