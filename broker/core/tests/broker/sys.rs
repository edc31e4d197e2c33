//! The `$SYS` tree.

use std::time::Duration;

use squall_core::DropReason;
use squall_protocol::packet::Packet;

use crate::harness::{Client, Harness};
use crate::packets::*;

fn published() -> Harness {
    let mut world = Harness::with(|config| {
        config.sys_interval = Some(Duration::from_secs(10));
        config.version = "squall test".to_owned();
    });
    world.settle();
    world
}

fn value(world: &mut Harness, client: Client, topic: &str) -> String {
    world.send(client, &subscribe(&[(topic, QOS0)]));
    let messages = world.receive(client).messages();
    world.send(client, &unsubscribe(&[topic]));
    world.receive(client);
    assert_eq!(messages.len(), 1, "{topic}");
    messages[0].payload.clone()
}

/// The tree is there from the start, retained.
#[test]
fn the_tree_is_retained() {
    let mut world = published();
    let client = world.join(v4("c"));

    assert_eq!(
        value(&mut world, client, "$SYS/broker/version"),
        "squall test"
    );
    assert_eq!(value(&mut world, client, "$SYS/broker/uptime"), "0 seconds");
}

/// It is published again every interval, with what was counted.
#[test]
fn the_tree_follows_the_counters() {
    let mut world = published();
    let client = world.join(v4("c"));
    world.send(client, &subscribe(&[("x", QOS0)]));
    for _ in 0..3 {
        world.send(client, &Packet::Publish(publish("x", QOS0, "m")));
    }
    world.receive(client);

    world.advance(Duration::from_secs(10));

    for (name, expected) in [
        ("uptime", "10 seconds"),
        ("clients/connected", "1"),
        ("messages/received", "3"),
        ("messages/sent", "3"),
        ("subscriptions/count", "1"),
        ("messages/dropped/slow_consumer", "0"),
    ] {
        let topic = format!("$SYS/broker/{name}");
        assert_eq!(value(&mut world, client, &topic), expected, "{name}");
    }
}

/// A leading wildcard does not bring the tree [MQTT-4.7.2-1].
#[test]
fn the_tree_is_not_part_of_everything() {
    let mut world = published();
    let client = world.join(v5("c"));

    world.send(
        client,
        &subscribe(&[("#", QOS0), ("+/broker/uptime", QOS0)]),
    );
    world.advance(Duration::from_secs(30));

    assert!(world.receive(client).messages().is_empty());
}

/// What the broker says about itself takes no room from its clients' messages.
#[test]
fn the_tree_does_not_count_as_retained_messages() {
    let mut world = Harness::with(|config| {
        config.sys_interval = Some(Duration::from_secs(10));
        config.retained.messages_max = 1;
    });
    world.settle();
    let client = world.join(v5("c"));

    world.send(client, &retained("t", QOS1, "m"));
    world.advance(Duration::from_secs(10));

    let Packet::Puback(puback) = world.receive(client).packet() else {
        panic!("PUBACK");
    };
    assert!(!puback.reason.is_error(), "{:?}", puback.reason);
    assert_eq!(world.broker.counters().retained_messages, 1);
    assert_eq!(world.broker.counters().dropped(DropReason::RetainedFull), 0);
    world.send(client, &subscribe(&[("$SYS/broker/#", QOS0)]));
    assert!(world.receive(client).messages().len() > 20);
}
