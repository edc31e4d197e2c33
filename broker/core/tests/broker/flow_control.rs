//! Receive Maximum in both directions (§3.3.4, §4.9).

use squall_protocol::packet::{Connect, Packet, Pubrec, Pubrel};
use squall_protocol::{PacketId, QoS, ReasonCode};

use crate::harness::{Client, Harness};
use crate::packets::*;

fn taking(receive_maximum: u16) -> Connect {
    let mut connect = v5_kept("s");
    connect.properties.receive_maximum = Some(receive_maximum);
    connect
}

/// A broker, a publisher, and a subscriber to `t` that takes two messages at once.
fn pair() -> (Harness, Client, Client) {
    let mut world = Harness::new();
    let publisher = world.join(v5("p"));
    let subscriber = world.join(taking(2));
    world.send(subscriber, &subscribe(&[("t", QOS2)]));
    world.receive(subscriber);
    (world, publisher, subscriber)
}

fn publish_all(world: &mut Harness, publisher: Client, qos: QoS, payloads: &[&str]) {
    for (payload, number) in payloads.iter().zip(1..) {
        world.send(publisher, &numbered(number, publish("t", qos, payload)));
    }
}

fn receive(world: &mut Harness, client: Client) -> Vec<(String, PacketId)> {
    let messages = world.receive(client).messages().into_iter();
    messages.map(|m| (m.payload, m.id.unwrap())).collect()
}

/// No more than the client's Receive Maximum is unacknowledged [MQTT-3.3.4-9],
/// [MQTT-4.9.0-2], and each PUBACK brings the next message (§4.9).
#[test]
fn a_puback_brings_the_next_message() {
    let (mut world, publisher, subscriber) = pair();
    publish_all(&mut world, publisher, QOS1, &["1", "2", "3", "4"]);
    let first = receive(&mut world, subscriber);
    assert_eq!(first.len(), 2);

    world.send(subscriber, &puback(first[0].1));

    let next = receive(&mut world, subscriber);
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].0, "3");
}

/// At QoS 2 the quota comes back with PUBCOMP and not with PUBREC (§4.9).
#[test]
fn a_pubcomp_brings_the_next_message() {
    let (mut world, publisher, subscriber) = pair();
    publish_all(&mut world, publisher, QOS2, &["1", "2", "3"]);
    let first = receive(&mut world, subscriber);

    world.send(subscriber, &pubrec(first[0].1));
    let pubrel = Packet::Pubrel(Pubrel::new(first[0].1, ReasonCode::Success));
    assert_eq!(world.receive(subscriber).packet(), pubrel);
    world.send(subscriber, &pubcomp(first[0].1));

    assert_eq!(receive(&mut world, subscriber)[0].0, "3");
}

/// A PUBREC with an error gives the quota back (§4.9).
#[test]
fn a_refusal_brings_the_next_message() {
    let (mut world, publisher, subscriber) = pair();
    publish_all(&mut world, publisher, QOS2, &["1", "2", "3"]);
    let first = receive(&mut world, subscriber);

    let refusal = Pubrec::new(first[1].1, ReasonCode::UnspecifiedError);
    world.send(subscriber, &Packet::Pubrec(refusal));

    assert_eq!(receive(&mut world, subscriber)[0].0, "3");
}

/// QoS 0 needs no quota, and other packets are served without [MQTT-4.9.0-3], [MQTT-3.3.4-10].
#[test]
fn without_quota_everything_else_goes_on() {
    let (mut world, publisher, subscriber) = pair();
    publish_all(&mut world, publisher, QOS1, &["1", "2", "3"]);
    world.receive(subscriber);

    world.send(publisher, &Packet::Publish(publish("t", QOS0, "0")));
    world.send(subscriber, &Packet::Pingreq);

    let received = world.receive(subscriber);
    assert_eq!(received.payloads(), ["0"]);
    assert_eq!(received.others(), [Packet::Pingresp]);
}

/// A smaller Receive Maximum at the next connection holds for what comes again as well
/// [MQTT-3.3.4-9].
#[test]
fn redelivery_keeps_the_new_receive_maximum() {
    let (mut world, publisher, subscriber) = pair();
    publish_all(&mut world, publisher, QOS1, &["1", "2", "3"]);
    world.lose(subscriber);

    let subscriber = world.join(taking(1));

    for expected in ["1", "2", "3"] {
        let received = receive(&mut world, subscriber);
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].0, expected);
        world.send(subscriber, &puback(received[0].1));
    }
    assert!(world.receive(subscriber).is_empty());
}

/// 3.1.1 clients have no Receive Maximum: the broker's own limit holds.
#[test]
fn the_brokers_own_limit_holds_for_every_version() {
    for connect in both("s") {
        let mut world = Harness::with(|config| config.in_flight_max = 3.try_into().unwrap());
        let publisher = world.join(v5("p"));
        let subscriber = world.join(connect);
        world.send(subscriber, &subscribe(&[("t", QOS1)]));
        world.receive(subscriber);

        publish_all(&mut world, publisher, QOS1, &["1", "2", "3", "4"]);

        assert_eq!(world.receive(subscriber).payloads(), ["1", "2", "3"]);
        assert_eq!(world.broker.counters().queued_messages, 1);
    }
}

/// A publisher that goes beyond our Receive Maximum is disconnected with 0x93 (§3.3.4).
#[test]
fn a_publisher_beyond_our_receive_maximum_is_disconnected() {
    let mut world = Harness::with(|config| config.receive_maximum = 2.try_into().unwrap());
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS2, &["1", "2"]);
    world.receive(publisher);
    assert!(!world.is_closed(publisher));

    world.send(publisher, &numbered(3, publish("t", QOS2, "3")));

    let reason = world.receive(publisher).disconnect_reason();
    assert_eq!(reason, ReasonCode::ReceiveMaximumExceeded);
    assert!(world.is_closed(publisher));
}

/// PUBCOMP and PUBACK make room for the publisher's next message (§4.9).
#[test]
fn a_publisher_within_our_receive_maximum_goes_on() {
    let mut world = Harness::with(|config| config.receive_maximum = 1.try_into().unwrap());
    let publisher = world.join(v5("p"));

    for number in 1..100 {
        world.send(publisher, &numbered(number, publish("t", QOS1, "m")));
        world.send(publisher, &numbered(number, publish("t", QOS2, "m")));
        world.send(publisher, &pubrel(id(number)));
    }

    assert!(!world.is_closed(publisher));
}
