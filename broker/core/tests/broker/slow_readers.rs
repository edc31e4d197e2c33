//! Clients that do not read: what waits for their sockets has a limit.

use squall_core::DropReason;
use squall_protocol::packet::Packet;

use crate::harness::{Client, Harness};
use crate::limits::publish_all;
use crate::packets::*;

/// A payload that is larger than the hard limit of these tests.
const LARGE: &str = match str::from_utf8(&[b'x'; 5000]) {
    Ok(text) => text,
    Err(_) => panic!("letters are text"),
};

/// A subscriber to `t` whose socket takes nothing, and a publisher.
fn stalled_subscriber(world: &mut Harness) -> (Client, Client) {
    let subscriber = world.join(v5("c"));
    world.send(subscriber, &subscribe(&[("t", QOS0)]));
    let publisher = world.join(v5("p"));
    world.stall(subscriber);
    (subscriber, publisher)
}

/// A client that does not read loses QoS 0 messages, counted, and no others; it gets those of
/// QoS 1 when it reads again.
#[test]
fn a_client_that_does_not_read_loses_qos_0_only() {
    let mut world = Harness::with_outboxes(1000, 10_000);
    let subscriber = world.join(v5("s"));
    world.send(subscriber, &subscribe(&[("t", QOS1)]));
    world.receive(subscriber);
    let publisher = world.join(v5("p"));
    let payload = "x".repeat(100);
    world.stall(subscriber);

    publish_all(&mut world, publisher, QOS0, &[payload.as_str(); 50]);
    publish_all(&mut world, publisher, QOS1, &["1", "2"]);

    let dropped = world.broker.counters().dropped(DropReason::SlowConsumer);
    assert!((40..=41).contains(&dropped), "{dropped} dropped");
    assert_eq!(world.broker.counters().queued_messages, 2);
    world.resume(subscriber);
    let payloads = world.receive(subscriber).payloads();
    assert_eq!(payloads.len() as u64, 50 - dropped + 2);
    assert_eq!(payloads[payloads.len() - 2..], ["1", "2"]);
    assert!(!world.is_closed(subscriber));
}

/// A client that sends and does not read is closed at the hard limit.
#[test]
fn a_client_that_only_sends_is_closed() {
    let mut world = Harness::with_outboxes(100, 1000);
    let client = world.join(v5("c"));
    world.stall(client);

    for _ in 0..500 {
        world.send(client, &Packet::Pingreq);
        assert!(!world.is_closed(client));
    }
    world.send(client, &Packet::Pingreq);

    assert!(world.is_closed(client));
    assert_eq!(world.broker.counters().outbox_overflows, 1);
}

fn ping_while_it_is_heard(world: &mut Harness, client: Client) {
    for _ in 0..1000 {
        if !world.takes_input(client) {
            return;
        }
        world.send(client, &Packet::Pingreq);
    }
    panic!("it is heard without end");
}

/// A shell stops reading from a client that does not read, before that costs its connection.
#[test]
fn a_client_that_does_not_read_is_not_read() {
    let mut world = Harness::with_outboxes(100, 1000);
    let client = world.join(v5("c"));
    world.stall(client);

    ping_while_it_is_heard(&mut world, client);

    assert!(!world.is_closed(client));
    world.resume(client);
    assert!(world.takes_input(client));
}

/// A client that takes its time for one large message is heard meanwhile: it must be able to keep
/// its connection alive.
#[test]
fn the_reader_of_a_large_message_is_heard() {
    let mut world = Harness::with_outboxes(100, 1000);
    let (client, publisher) = stalled_subscriber(&mut world);

    world.send(publisher, &Packet::Publish(publish("t", QOS0, LARGE)));

    assert!(world.takes_input(client));
    ping_while_it_is_heard(&mut world, client);
    assert!(!world.is_closed(client));
}

/// One message that is larger than the hard limit does not close its reader.
#[test]
fn a_large_message_does_not_close_its_reader() {
    let mut world = Harness::with_outboxes(100, 1000);
    let (client, publisher) = stalled_subscriber(&mut world);

    world.send(publisher, &Packet::Publish(publish("t", QOS0, LARGE)));
    world.send(client, &Packet::Pingreq);

    assert!(!world.is_closed(client));
    for _ in 0..500 {
        world.send(client, &Packet::Pingreq);
    }
    assert!(world.is_closed(client));
}
