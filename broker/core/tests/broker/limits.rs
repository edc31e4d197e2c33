//! Queues and Sessions have limits, and each message that one costs is counted.

use squall_core::{DropReason, QueueLimits, QueuePolicy};
use squall_protocol::packet::{Packet, Puback};
use squall_protocol::{QoS, ReasonCode};

use crate::harness::{Client, Harness};
use crate::packets::*;

/// A broker whose queues take two messages, a publisher, and a Session subscribed to `t` whose
/// client is away.
fn away(policy: QueuePolicy) -> (Harness, Client) {
    let mut world = Harness::with(|config| {
        config.queue = QueueLimits {
            messages_max: 2,
            policy,
            ..QueueLimits::default()
        };
    });
    let subscriber = world.join(v5_kept("s"));
    world.send(subscriber, &subscribe(&[("t", QOS1)]));
    world.receive(subscriber);
    world.lose(subscriber);
    let publisher = world.join(v5("p"));
    (world, publisher)
}

pub(crate) fn publish_all(world: &mut Harness, publisher: Client, qos: QoS, payloads: &[&str]) {
    for (payload, number) in payloads.iter().zip(1..) {
        let mut sent = publish("t", qos, payload);
        sent.packet_id = (qos != QOS0).then(|| id(number));
        world.send(publisher, &Packet::Publish(sent));
    }
}

fn queued(world: &mut Harness) -> Vec<String> {
    let subscriber = world.join(v5_kept("s"));
    world.receive(subscriber).payloads()
}

/// Drop oldest: the longest waiting give way.
#[test]
fn a_full_queue_drops_its_oldest() {
    let (mut world, publisher) = away(QueuePolicy::DropOldest);

    publish_all(&mut world, publisher, QOS1, &["1", "2", "3"]);

    let dropped = world.broker.counters().dropped(DropReason::QueueFullOldest);
    assert_eq!(dropped, 1);
    assert_eq!(queued(&mut world), ["2", "3"]);
}

/// Drop newest: what waits stays.
#[test]
fn a_full_queue_drops_the_newest() {
    let (mut world, publisher) = away(QueuePolicy::DropNewest);

    publish_all(&mut world, publisher, QOS1, &["1", "2", "3"]);

    let dropped = world.broker.counters().dropped(DropReason::QueueFullNewest);
    assert_eq!(dropped, 1);
    assert_eq!(queued(&mut world), ["1", "2"]);
}

/// Reject: the publisher is told 0x97 and the message is not delivered.
#[test]
fn a_full_queue_rejects_the_message() {
    let (mut world, publisher) = away(QueuePolicy::Reject);
    let other = world.join(v5("other"));
    world.send(other, &subscribe(&[("t", QOS1)]));
    world.receive(other);
    publish_all(&mut world, publisher, QOS1, &["1", "2"]);
    world.receive(publisher);

    publish_all(&mut world, publisher, QOS1, &["3"]);

    let puback = Puback::new(id(1), ReasonCode::QuotaExceeded);
    assert_eq!(world.receive(publisher).packet(), Packet::Puback(puback));
    assert_eq!(world.receive(other).payloads(), ["1", "2"]);
    let dropped = world
        .broker
        .counters()
        .dropped(DropReason::QueueFullRejected);
    assert_eq!(dropped, 1);
    assert_eq!(queued(&mut world), ["1", "2"]);
}

/// Reject counts a queue that fills behind a slow socket as well.
#[test]
fn a_full_queue_behind_a_slow_socket_rejects_the_message() {
    let mut world = Harness::with(|config| {
        config.outbox.soft_bytes = 100;
        config.queue.messages_max = 1;
        config.queue.policy = QueuePolicy::Reject;
    });
    let subscriber = world.join(v5("s"));
    world.send(subscriber, &subscribe(&[("t", QOS1)]));
    world.receive(subscriber);
    let publisher = world.join(v5("p"));
    world.stall(subscriber);
    let large = "x".repeat(100);

    publish_all(&mut world, publisher, QOS1, &[&large, "queued", "refused"]);

    let reasons = [
        ReasonCode::Success,
        ReasonCode::Success,
        ReasonCode::QuotaExceeded,
    ];
    let pubacks = (1..).zip(reasons);
    let pubacks = pubacks.map(|(number, reason)| Packet::Puback(Puback::new(id(number), reason)));
    assert_eq!(
        world.receive(publisher).others(),
        pubacks.collect::<Vec<_>>()
    );
    world.resume(subscriber);
    assert_eq!(world.receive(subscriber).payloads(), [&large, "queued"]);
}

/// Reject counts what waits in a shared group without members online, and what its members can
/// take if there are any.
#[test]
fn a_full_group_rejects_the_message() {
    let mut world = Harness::with(|config| {
        config.queue.messages_max = 1;
        config.queue.policy = QueuePolicy::Reject;
    });
    let member = world.join(v5_kept("m"));
    world.send(member, &subscribe(&[("$share/g/t", QOS1)]));
    world.lose(member);
    let publisher = world.join(v5("p"));

    publish_all(&mut world, publisher, QOS1, &["kept"]);
    world.receive(publisher);
    publish_all(&mut world, publisher, QOS1, &["refused"]);

    let puback = Puback::new(id(1), ReasonCode::QuotaExceeded);
    assert_eq!(world.receive(publisher).packet(), Packet::Puback(puback));
    let member = world.join(v5_kept("m"));
    publish_all(&mut world, publisher, QOS1, &["taken"]);
    assert_eq!(world.receive(member).payloads(), ["kept", "taken"]);
}

/// There is a limit of Sessions, those of clients that are away included: a client that has one gets
/// in, another one is told 0x97, or in 3.1.1 that the server is unavailable.
#[test]
fn sessions_are_limited() {
    let mut world = Harness::with(|config| config.sessions_max = 2);
    let away = world.join(v5_kept("away"));
    world.lose(away);
    let leaving = world.join(v4("leaving"));

    let [old, new] = both("another").map(|connect| world.try_connect(connect));

    assert_eq!(world.receive_bytes(old), [0x20, 2, 0, 3]);
    let quota_exceeded = ReasonCode::QuotaExceeded as u8;
    assert_eq!(world.receive_bytes(new), [0x20, 3, 0, quota_exceeded, 0]);
    assert!(world.is_closed(old) && world.is_closed(new));
    let (_, connack) = world.connect(v5_kept("away"));
    assert!(connack.session_present);
    world.send(leaving, &goodbye());
    world.join(v5("another"));
}

/// User Properties without names and values fill a queue like any other bytes.
#[test]
fn user_properties_count_against_the_bytes_of_a_queue() {
    let mut world = Harness::with(|config| config.queue.bytes_max = 10_000);
    let subscriber = world.join(v5_kept("s"));
    world.send(subscriber, &subscribe(&[("t", QOS1)]));
    world.lose(subscriber);
    let publisher = world.join(v5("p"));
    let mut bomb = publish("t", QOS1, "bomb");
    bomb.properties.user_properties = vec![("", ""); 1000];

    world.send(publisher, &numbered(1, bomb));
    world.send(publisher, &numbered(2, publish("t", QOS1, "fits")));

    assert_eq!(queued(&mut world), ["fits"]);
}

/// A 3.1.1 publisher cannot be told: the others get the message all the same.
#[test]
fn a_3_1_1_publisher_is_not_rejected() {
    let (mut world, _) = away(QueuePolicy::Reject);
    let publisher = world.join(v4("old"));
    let other = world.join(v5("other"));
    world.send(other, &subscribe(&[("t", QOS1)]));
    world.receive(other);

    publish_all(&mut world, publisher, QOS1, &["1", "2", "3"]);

    assert_eq!(world.receive(other).payloads(), ["1", "2", "3"]);
    let dropped = world.broker.counters().dropped(DropReason::QueueFullNewest);
    assert_eq!(dropped, 1);
}

/// What a refused QoS 2 message's identifier names next is a new message [MQTT-4.3.3-9].
#[test]
fn a_rejected_qos_2_identifier_is_free() {
    let (mut world, publisher) = away(QueuePolicy::Reject);
    publish_all(&mut world, publisher, QOS1, &["1", "2"]);
    world.send(publisher, &numbered(9, publish("t", QOS2, "rejected")));
    let subscriber = world.join(v5_kept("s"));
    world.receive(subscriber);

    world.send(publisher, &numbered(9, publish("t", QOS2, "new")));

    assert_eq!(world.receive(subscriber).payloads(), ["new"]);
}

/// The bytes of a queue are limited as well as its messages.
#[test]
fn a_queue_is_limited_in_bytes() {
    let mut world = Harness::with(|config| config.queue.bytes_max = 100);
    let subscriber = world.join(v4_kept("s"));
    world.send(subscriber, &subscribe(&[("t", QOS1)]));
    world.lose(subscriber);
    let publisher = world.join(v4("p"));
    let large = "x".repeat(60);

    publish_all(&mut world, publisher, QOS1, &[&large, &large, "small"]);

    let subscriber = world.join(v4_kept("s"));
    assert_eq!(world.receive(subscriber).payloads(), [&large, "small"]);
}

/// What waits for a Session that ends is counted.
#[test]
fn what_waits_for_a_session_that_ends_is_counted() {
    let mut world = Harness::with(|config| config.in_flight_max = 1.try_into().unwrap());
    let subscriber = world.join(v4("s"));
    world.send(subscriber, &subscribe(&[("t", QOS1)]));
    let publisher = world.join(v4("p"));
    publish_all(
        &mut world,
        publisher,
        QOS1,
        &["in flight", "queued", "queued"],
    );

    world.lose(subscriber);

    let dropped = world.broker.counters().dropped(DropReason::SessionEnded);
    assert_eq!(dropped, 3);
}

/// QoS 0 for a Session without a connection is dropped and counted.
#[test]
fn qos_0_for_a_session_that_is_away_is_counted() {
    let (mut world, publisher) = away(QueuePolicy::DropNewest);

    publish_all(&mut world, publisher, QOS0, &["m"]);

    assert_eq!(world.broker.counters().dropped(DropReason::OfflineQos0), 1);
    assert!(queued(&mut world).is_empty());
}
