//! Message Expiry Interval (§3.3.2.3.3).

use std::time::Duration;

use squall_core::DropReason;
use squall_protocol::packet::{Packet, Pubcomp, Publish, PublishProperties, Will, WillProperties};
use squall_protocol::{QoS, ReasonCode};

use crate::harness::{Client, Harness};
use crate::packets::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn expiring<'a>(qos: QoS, payload: &'a str, message_expiry_interval: u32) -> Publish<'a> {
    Publish {
        properties: PublishProperties {
            message_expiry_interval: Some(message_expiry_interval),
            ..PublishProperties::default()
        },
        ..publish("t", qos, payload)
    }
}

/// A broker, a publisher, and a Session subscribed to `t` whose client is away.
fn away() -> (Harness, Client) {
    let mut world = Harness::new();
    let subscriber = world.join(v5_kept("s"));
    world.send(subscriber, &subscribe(&[("t", QOS2)]));
    world.receive(subscriber);
    world.lose(subscriber);
    let publisher = world.join(v5("p"));
    (world, publisher)
}

/// A queued message is not sent after its interval [MQTT-3.3.2-5], and what is left of the
/// interval is sent with it before [MQTT-3.3.2-6].
#[test]
fn a_queued_message_expires() {
    let (mut world, publisher) = away();
    world.send(publisher, &Packet::Publish(expiring(QOS1, "short", 10)));
    world.send(publisher, &Packet::Publish(expiring(QOS1, "long", 60)));

    world.advance(seconds(20));
    let subscriber = world.join(v5_kept("s"));

    let message = world.receive(subscriber).message();
    assert_eq!((&*message.payload, message.expiry), ("long", Some(40)));
    assert_eq!(world.broker.counters().dropped(DropReason::Expired), 1);
}

/// A retained message expires [MQTT-3.3.2-5], and a late subscriber is told what is left
/// [MQTT-3.3.2-6].
#[test]
fn a_retained_message_expires() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    let stored = Publish {
        retain: true,
        ..expiring(QOS0, "m", 10)
    };
    world.send(client, &Packet::Publish(stored));
    world.advance(seconds(4));
    world.send(client, &subscribe(&[("t", QOS0)]));
    assert_eq!(world.receive(client).messages()[0].expiry, Some(6));

    world.advance(seconds(6));

    assert_eq!(world.broker.counters().retained_messages, 0);
    world.send(client, &subscribe(&[("t", QOS0)]));
    assert!(world.receive(client).messages().is_empty());
}

/// A will's interval begins when it is published (§3.1.3.2.4).
#[test]
fn a_will_expires_from_its_publication() {
    let (mut world, _) = away();
    let late = Will {
        qos: QOS1,
        properties: WillProperties {
            will_delay_interval: Some(100),
            message_expiry_interval: Some(10),
            ..WillProperties::default()
        },
        ..will("t")
    };
    let dying = world.join(with_will(v5_kept("dying"), late));
    world.lose(dying);
    world.advance(seconds(105));

    let subscriber = world.join(v5_kept("s"));

    assert_eq!(world.receive(subscriber).message().expiry, Some(5));
}

/// A message of QoS 1 that expired before it could be sent again is not.
#[test]
fn an_expired_qos_1_message_is_not_sent_again() {
    let (mut world, publisher) = away();
    let subscriber = world.join(v5_kept("s"));
    world.send(publisher, &Packet::Publish(expiring(QOS1, "m", 5)));
    assert_eq!(world.receive(subscriber).payloads(), ["m"]);
    world.lose(subscriber);
    world.advance(seconds(6));

    let subscriber = world.join(v5_kept("s"));

    assert!(world.receive(subscriber).is_empty());
    assert_eq!(world.broker.counters().dropped(DropReason::Expired), 1);
}

/// A message of QoS 2 that was sent once does not expire [MQTT-4.3.3-7].
#[test]
fn a_qos_2_message_that_was_sent_does_not_expire() {
    let (mut world, publisher) = away();
    let subscriber = world.join(v5_kept("s"));
    world.send(publisher, &Packet::Publish(expiring(QOS2, "m", 5)));
    world.receive(subscriber);
    world.lose(subscriber);
    world.advance(seconds(6));

    let subscriber = world.join(v5_kept("s"));

    let message = world.receive(subscriber).message();
    assert_eq!((&*message.payload, message.dup), ("m", true));
}

/// As receiver the broker ends the exchange also for a message that has expired since
/// [MQTT-4.3.3-13].
#[test]
fn the_exchange_of_an_expired_qos_2_message_is_ended() {
    let mut world = Harness::new();
    let publisher = world.join(v5("p"));
    world.send(publisher, &numbered(7, expiring(QOS2, "m", 1)));
    world.receive(publisher);
    world.advance(seconds(5));

    world.send(publisher, &pubrel(id(7)));

    let pubcomp = Pubcomp::new(id(7), ReasonCode::Success);
    assert_eq!(world.receive(publisher).packet(), Packet::Pubcomp(pubcomp));
}

/// A message without an interval never expires.
#[test]
fn a_message_without_an_interval_does_not_expire() {
    let (mut world, publisher) = away();
    world.send(publisher, &Packet::Publish(publish("t", QOS1, "m")));
    world.advance(seconds(900_000));

    let subscriber = world.join(v5_kept("s"));

    let message = world.receive(subscriber).message();
    assert_eq!((&*message.payload, message.expiry), ("m", None));
}
