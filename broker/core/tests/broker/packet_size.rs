//! A client's Maximum Packet Size (§3.1.2.11.4): what is larger is not sent to it.

use squall_core::DropReason;
use squall_protocol::ReasonCode;
use squall_protocol::packet::Packet;

use crate::harness::Harness;
use crate::limits::publish_all;
use crate::packets::*;

/// A packet larger than the client takes is not sent and counts as done [MQTT-3.1.2-24],
/// [MQTT-3.1.2-25].
#[test]
fn a_packet_too_large_for_the_client_is_dropped() {
    for qos in [QOS0, QOS1, QOS2] {
        let mut world = Harness::new();
        let mut connect = v5_kept("s");
        connect.properties.maximum_packet_size = Some(40);
        connect.properties.receive_maximum = Some(1);
        let subscriber = world.join(connect);
        world.send(subscriber, &subscribe(&[("t", QOS2)]));
        world.receive(subscriber);
        let publisher = world.join(v5("p"));
        let large = "x".repeat(40);

        publish_all(&mut world, publisher, qos, &[&large, "fits"]);

        assert_eq!(world.receive(subscriber).payloads(), ["fits"]);
        assert_eq!(
            world.broker.counters().dropped(DropReason::PacketTooLarge),
            1
        );
    }
}

/// A queued packet that is too large counts as done as well: it takes no quota.
#[test]
fn a_queued_packet_too_large_for_the_client_is_dropped() {
    let mut world = Harness::new();
    let mut connect = v5_kept("s");
    connect.properties.maximum_packet_size = Some(40);
    connect.properties.receive_maximum = Some(1);
    let subscriber = world.join(connect.clone());
    world.send(subscriber, &subscribe(&[("t", QOS1)]));
    world.lose(subscriber);
    let publisher = world.join(v5("p"));
    let large = "x".repeat(40);
    publish_all(&mut world, publisher, QOS1, &[&large, "fits", "waits"]);

    let subscriber = world.join(connect);

    assert_eq!(world.receive(subscriber).payloads(), ["fits"]);
    assert_eq!(world.broker.counters().queued_messages, 1);
    assert_eq!(
        world.broker.counters().dropped(DropReason::PacketTooLarge),
        1
    );
}

/// A client that takes no SUBACK of the length that it asks for is told so [MQTT-3.1.2-24].
#[test]
fn an_answer_too_large_for_the_client_ends_its_connection() {
    let mut world = Harness::new();
    let mut connect = v5("c");
    connect.properties.maximum_packet_size = Some(30);
    let client = world.join(connect);
    let filters = [("t", QOS0); 30];

    world.send(client, &subscribe(&filters));

    let reason = world.receive(client).disconnect_reason();
    assert_eq!(reason, ReasonCode::PacketTooLarge);
    assert!(world.is_closed(client));
}

/// Two subscribers of different limits: the message is dropped for the one it is too large for.
#[test]
fn each_clients_own_limit_counts() {
    let mut world = Harness::new();
    let mut connect = v5("small");
    connect.properties.maximum_packet_size = Some(40);
    let small = world.join(connect);
    let large = world.join(v5("large"));
    for client in [small, large] {
        world.send(client, &subscribe(&[("t", QOS0)]));
        world.receive(client);
    }

    let payload = "x".repeat(50);
    world.send(large, &Packet::Publish(publish("t", QOS0, &payload)));

    assert!(world.receive(small).is_empty());
    assert_eq!(world.receive(large).payloads(), [payload]);
}
