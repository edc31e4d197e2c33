//! SUBSCRIBE and UNSUBSCRIBE of thousands of filters, and the end of a Session with as many: done in
//! slices, in order (§3.8, §3.10).

use squall_protocol::QoS;
use squall_protocol::codec::encode;
use squall_protocol::packet::{Disconnect, DisconnectProperties, Packet, Suback, Unsuback};
use squall_protocol::{ReasonCode, Version};

use crate::harness::{Client, Harness};
use crate::packets::*;
use crate::received::{Got, Received};

/// More than three slices.
const FILTERS: usize = 4_000;

fn filters() -> Vec<String> {
    (0..FILTERS).map(|nth| format!("{nth}/+")).collect()
}

fn subscribe_all(filters: &[String]) -> Packet<'static> {
    let subscriptions: Vec<(&str, QoS)> = filters.iter().map(|f| (f.as_str(), QOS1)).collect();
    subscribe(&subscriptions)
}

fn unsubscribe_all<'f>(filters: impl Iterator<Item = &'f String>) -> Packet<'static> {
    let filters: Vec<&str> = filters.map(String::as_str).collect();
    unsubscribe(&filters)
}

fn bytes_of(packets: &[Packet<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for packet in packets {
        encode(packet, Version::V5, &mut bytes);
    }
    bytes
}

fn subscribed(world: &mut Harness) -> Client {
    let client = world.join(v5_kept("c"));
    world.send(client, &subscribe_all(&filters()));
    world.settle();
    world.receive(client);
    client
}

fn first(received: &Received) -> &Got {
    received.0.first().expect("an answer")
}

/// While one client's packet is applied, others are served; it is not read further meanwhile.
#[test]
fn others_are_served_between_the_slices() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    let other = world.join(v5("other"));

    world.send(client, &subscribe_all(&filters()));
    world.send(other, &Packet::Pingreq);

    assert!(world.receive(client).is_empty());
    assert!(!world.takes_input(client));
    assert_eq!(world.receive(other).packet(), Packet::Pingresp);
    world.settle();
    assert!(world.takes_input(client));
    let Packet::Suback(Suback { reasons, .. }) = world.receive(client).packet() else {
        panic!("SUBACK");
    };
    assert_eq!(reasons, [ReasonCode::GrantedQoS1; FILTERS]);
    assert_eq!(world.broker.counters().subscriptions, FILTERS);
}

/// What a client sends after a long SUBSCRIBE is handled after it, in the same bytes or in later
/// ones: the answers come in the order of the packets, and its own message finds its last
/// subscription.
#[test]
fn what_follows_a_long_subscribe_waits_for_it() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    let topic = format!("{}/x", FILTERS - 1);
    let message = Packet::Publish(publish(&topic, QOS0, "m"));
    let bytes = bytes_of(&[subscribe_all(&filters()), message, Packet::Pingreq]);

    world.send_bytes(client, &bytes[..bytes.len() - 1]);
    world.send_bytes(client, &bytes[bytes.len() - 1..]);
    world.send(client, &unsubscribe_all(filters().iter()));
    world.settle();

    let answers: Vec<&str> = world
        .receive(client)
        .0
        .iter()
        .map(|got| match got {
            Got::Publish(message) if message.payload == "m" => "PUBLISH",
            Got::Other(Packet::Suback(_)) => "SUBACK",
            Got::Other(Packet::Pingresp) => "PINGRESP",
            Got::Other(Packet::Unsuback(_)) => "UNSUBACK",
            Got::Publish(_) | Got::Other(_) => panic!("{got:?}"),
        })
        .collect();
    assert_eq!(answers, ["SUBACK", "PUBLISH", "PINGRESP", "UNSUBACK"]);
    assert_eq!(world.broker.counters().subscriptions, 0);
}

/// Filters can be given up in any order, one code each (§3.11.3).
#[test]
fn thousands_of_filters_are_given_up_in_any_order() {
    let mut world = Harness::new();
    let client = subscribed(&mut world);
    let filters = filters();
    let evens_last = (0..FILTERS).rev().filter(|nth| nth % 2 == 1);
    let order = evens_last.chain((0..FILTERS).filter(|nth| nth % 2 == 0));

    world.send(client, &unsubscribe_all(order.map(|nth| &filters[nth])));
    world.settle();

    let Packet::Unsuback(Unsuback { reasons, .. }) = world.receive(client).packet() else {
        panic!("UNSUBACK");
    };
    assert_eq!(reasons, [ReasonCode::Success; FILTERS]);
    assert_eq!(world.broker.counters().subscriptions, 0);
}

/// Each filter brings its retained message once, after SUBACK, and others are served meanwhile.
#[test]
fn thousands_of_filters_bring_their_retained_messages() {
    let mut world = Harness::with(|config| {
        config.retained.replay_slice = 100.try_into().unwrap();
    });
    let publisher = world.join(v5("p"));
    for nth in (0..FILTERS).step_by(100) {
        world.send(publisher, &retained(&format!("{nth}/x"), QOS0, "m"));
    }
    let client = world.join(v5("c"));

    world.send(client, &subscribe_all(&filters()));
    world.settle();

    let received = world.receive(client);
    assert!(matches!(first(&received), Got::Other(Packet::Suback(_))));
    let topics: Vec<String> = received.messages().into_iter().map(|m| m.topic).collect();
    let expected: Vec<String> = (0..FILTERS)
        .step_by(100)
        .map(|nth| format!("{nth}/x"))
        .collect();
    assert_eq!(topics, expected);
}

/// A connection that ends takes the rest of its SUBSCRIBE with it; what is applied stays with the
/// Session, and the next connection can go on.
#[test]
fn a_long_subscribe_ends_with_its_connection() {
    let mut world = Harness::new();
    let client = world.join(v5_kept("c"));
    world.send(client, &subscribe_all(&filters()));

    world.lose(client);
    world.settle();

    let applied = world.broker.counters().subscriptions;
    assert!((1..FILTERS).contains(&applied), "{applied}");
    let client = world.join(v5_kept("c"));
    world.send(client, &subscribe_all(&filters()));
    world.settle();
    assert_eq!(world.broker.counters().subscriptions, FILTERS);
    assert!(matches!(
        first(&world.receive(client)),
        Got::Other(Packet::Suback(_))
    ));
}

/// What is wrong at the end of a long SUBSCRIBE ends the connection as well [MQTT-4.13.1-1].
#[test]
fn a_long_subscribe_that_ends_malformed_is_refused() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    let mut bytes = bytes_of(&[subscribe_all(&filters())]);
    // The options of the last filter: reserved bits [MQTT-3.8.3-5].
    *bytes.last_mut().unwrap() = 0xC1;

    world.send_bytes(client, &bytes);
    world.settle();

    let reason = world.receive(client).disconnect_reason();
    assert_eq!(reason, ReasonCode::MalformedPacket);
    assert!(world.is_closed(client));
}

/// A Session of thousands of subscriptions ends at once for all others, and its subscriptions go in
/// slices: its client can come back meanwhile as a new one and gets each message once.
#[test]
fn a_session_with_many_subscriptions_ends_in_slices() {
    let mut world = Harness::new();
    let publisher = world.join(v5("p"));
    let client = subscribed(&mut world);

    world.send(client, &disconnect_for_good());
    let left = world.broker.counters().subscriptions;
    let (client, connack) = world.connect(v5_kept("c"));
    world.send(client, &subscribe(&[("0/+", QOS0)]));
    for topic in ["0/x", "1/x"] {
        world.send(publisher, &Packet::Publish(publish(topic, QOS0, topic)));
    }

    assert!((1..FILTERS).contains(&left), "{left}");
    assert!(!connack.session_present);
    assert_eq!(world.receive(client).payloads(), ["0/x"]);
    world.settle();
    assert_eq!(world.broker.counters().subscriptions, 1);
    world.send(publisher, &Packet::Publish(publish("0/x", QOS0, "again")));
    assert_eq!(world.receive(client).payloads(), ["again"]);
}

/// DISCONNECT that ends the Session with the connection (§3.14.2.2.2).
fn disconnect_for_good() -> Packet<'static> {
    Packet::Disconnect(Disconnect {
        reason: ReasonCode::Success,
        properties: DisconnectProperties {
            session_expiry_interval: Some(0),
            ..DisconnectProperties::default()
        },
    })
}
