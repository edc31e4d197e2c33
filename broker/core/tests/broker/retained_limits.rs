//! A store of retained messages that is full.

use squall_core::{DropReason, RetainedLimits};
use squall_protocol::ReasonCode;
use squall_protocol::packet::{Packet, Puback, Pubrec};

use crate::harness::Harness;
use crate::packets::*;
use crate::received::Got;

/// The store has a limit: a message beyond it is delivered and not stored.
#[test]
fn a_full_store_takes_no_more() {
    let limits = RetainedLimits {
        messages_max: 2,
        ..RetainedLimits::default()
    };
    let mut world = Harness::with(|config| config.retained = limits);
    let client = world.join(v4("c"));
    world.send(client, &subscribe(&[("#", QOS0)]));
    world.receive(client);

    for topic in ["1", "2", "3"] {
        world.send(client, &retained(topic, QOS0, topic));
    }

    assert_eq!(world.receive(client).payloads(), ["1", "2", "3"]);
    let counters = world.broker.counters();
    assert_eq!(counters.retained_messages, 2);
    assert_eq!(counters.dropped(DropReason::RetainedFull), 1);
}

/// A 5.0 publisher is told that its message is not stored (§3.4.2.1, §3.5.2.1). It is not delivered
/// then, or its publisher's next attempt would deliver it twice; the older message stays.
#[test]
fn a_publisher_is_told_that_the_store_is_full() {
    for qos in [QOS1, QOS2] {
        let limits = RetainedLimits {
            messages_max: 1,
            bytes_max: 20,
            ..RetainedLimits::default()
        };
        let mut world = Harness::with(|config| config.retained = limits);
        let watcher = world.join(v5("w"));
        world.send(watcher, &subscribe(&[("#", QOS0)]));
        let client = world.join(v5("c"));
        world.send(client, &retained("1", QOS0, "old"));
        world.receive(watcher);

        let mut reasons = Vec::new();
        for (topic, payload) in [("2", "m"), ("1", "too large for the store"), ("1", "new")] {
            world.send(client, &retained(topic, qos, payload));
            let packet = world.receive(client).packet();
            let (Packet::Puback(Puback { reason, .. }) | Packet::Pubrec(Pubrec { reason, .. })) =
                packet
            else {
                panic!("an answer, not {packet:?}");
            };
            reasons.push(reason);
            assert_eq!(world.broker.counters().retained_messages, 1);
        }

        let full = ReasonCode::QuotaExceeded;
        assert_eq!(reasons, [full, full, ReasonCode::Success]);
        assert_eq!(world.receive(watcher).payloads(), ["new"]);
        assert_eq!(world.broker.counters().dropped(DropReason::RetainedFull), 2);
    }
}

/// A publisher that cannot be told gets its acknowledgement, and the message is delivered
/// [3.1.1: MQTT-3.3.5-2].
#[test]
fn a_3_1_1_message_beyond_the_limit_is_delivered_and_not_stored() {
    let mut world = Harness::with(|config| config.retained.messages_max = 0);
    let client = world.join(v4("c"));
    world.send(client, &subscribe(&[("#", QOS0)]));
    world.receive(client);

    world.send(client, &retained("t", QOS1, "m"));

    let received = world.receive(client);
    assert_eq!(received.payloads(), ["m"]);
    assert!(received.0.contains(&Got::Other(puback(id(1)))));
    let counters = world.broker.counters();
    assert_eq!(counters.retained_messages, 0);
    assert_eq!(counters.dropped(DropReason::RetainedFull), 1);
}
