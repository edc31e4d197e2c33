//! Shared subscriptions: one member gets each message (§4.8.2).

use squall_core::DropReason;
use squall_protocol::packet::{Connect, Packet, Puback};
use squall_protocol::{QoS, ReasonCode};

use crate::harness::{Client, Harness};
use crate::packets::*;

const FILTER: &str = "$share/g/t/+";

fn member(world: &mut Harness, connect: Connect, qos: QoS) -> Client {
    let client = world.join(connect);
    world.send(client, &subscribe(&[(FILTER, qos)]));
    world.receive(client);
    client
}

fn publish_all(world: &mut Harness, publisher: Client, qos: QoS, payloads: &[&str]) {
    for (payload, number) in payloads.iter().zip(1..) {
        let mut sent = publish("t/x", qos, payload);
        sent.packet_id = (qos != QOS0).then(|| id(number));
        world.send(publisher, &Packet::Publish(sent));
    }
}

/// Each message goes to one member; equals take turns.
#[test]
fn members_take_turns() {
    for qos in [QOS0, QOS1] {
        let mut world = Harness::new();
        let a = member(&mut world, v5("a"), qos);
        let b = member(&mut world, v4("b"), qos);
        let publisher = world.join(v5("p"));

        publish_all(&mut world, publisher, qos, &["1", "2", "3", "4"]);

        assert_eq!(world.receive(a).payloads(), ["1", "3"]);
        assert_eq!(world.receive(b).payloads(), ["2", "4"]);
    }
}

/// A group is one subscriber among others: groups and plain subscriptions get their own copies.
#[test]
fn every_group_gets_its_copy() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    let filters = [("$share/g/t", QOS0), ("$share/h/t", QOS0), ("t", QOS0)];
    world.send(client, &subscribe(&filters));
    world.receive(client);
    let publisher = world.join(v5("p"));

    world.send(publisher, &Packet::Publish(publish("t", QOS0, "m")));

    assert_eq!(world.receive(client).payloads(), ["m", "m", "m"]);
}

/// The member with the least in flight gets the next message.
#[test]
fn a_slow_member_gets_less() {
    let mut world = Harness::new();
    let slow = member(&mut world, v5("slow"), QOS1);
    let fast = member(&mut world, v5("fast"), QOS1);
    let publisher = world.join(v5("p"));

    for _ in 0..10 {
        publish_all(&mut world, publisher, QOS1, &["m"]);
        for message in world.receive(fast).messages() {
            world.send(fast, &puback(message.id.unwrap()));
        }
    }

    assert_eq!(world.receive(slow).payloads().len(), 1);
}

/// A member that is not connected gets nothing while another is.
#[test]
fn connected_members_come_first() {
    let mut world = Harness::new();
    let away = member(&mut world, v5_kept("away"), QOS1);
    let here = member(&mut world, v5_kept("here"), QOS1);
    world.lose(away);
    let publisher = world.join(v5("p"));

    publish_all(&mut world, publisher, QOS1, &["1", "2"]);

    assert_eq!(world.receive(here).payloads(), ["1", "2"]);
}

/// Messages wait while no member is connected, and the first to connect gets them.
#[test]
fn messages_wait_for_the_first_member_that_connects() {
    let mut world = Harness::new();
    let a = member(&mut world, v5_kept("a"), QOS1);
    let b = member(&mut world, v4_kept("b"), QOS1);
    world.lose(a);
    world.lose(b);
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS1, &["1", "2"]);
    assert_eq!(world.broker.counters().queued_messages, 2);

    let b = world.join(v4_kept("b"));
    let a = world.join(v5_kept("a"));

    assert_eq!(world.receive(b).payloads(), ["1", "2"]);
    assert!(world.receive(a).is_empty());
}

/// What a lost member had not acknowledged at QoS 1 goes to another member (§4.8.2), and does
/// not come again when the lost one is back.
#[test]
fn unacknowledged_qos_1_messages_return_to_the_group() {
    let mut world = Harness::new();
    let lost = member(&mut world, v5_kept("lost"), QOS1);
    let other = member(&mut world, v5_kept("other"), QOS1);
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS1, &["1", "2"]);
    assert_eq!(world.receive(lost).payloads(), ["1"]);
    assert_eq!(world.receive(other).payloads(), ["2"]);

    world.lose(lost);

    let message = world.receive(other).message();
    assert_eq!((&*message.payload, message.dup), ("1", false));
    let lost = world.join(v5_kept("lost"));
    assert!(world.receive(lost).is_empty());
}

/// A takeover loses nothing: what is in flight moves to the member's new connection.
#[test]
fn a_takeover_keeps_the_members_messages() {
    let mut world = Harness::new();
    let old = member(&mut world, v5_kept("twin"), QOS1);
    let other = member(&mut world, v5_kept("other"), QOS1);
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS1, &["1"]);
    assert_eq!(world.receive(old).payloads(), ["1"]);

    let new = world.join(v5_kept("twin"));

    assert!(world.receive(other).is_empty());
    let message = world.receive(new).message();
    assert_eq!((&*message.payload, message.dup), ("1", true));
}

/// A client that joins a group without a connected member gets what waits there.
#[test]
fn messages_wait_for_the_first_member_that_joins() {
    let mut world = Harness::new();
    let away = member(&mut world, v5_kept("away"), QOS1);
    world.lose(away);
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS1, &["1", "2"]);
    let new = world.join(v5("new"));

    world.send(new, &subscribe(&[(FILTER, QOS1)]));

    assert_eq!(world.receive(new).payloads(), ["1", "2"]);
}

/// Without another member the client gets it again itself (§4.8.2).
#[test]
fn without_another_member_the_message_comes_again() {
    let mut world = Harness::new();
    let only = member(&mut world, v5_kept("only"), QOS1);
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS1, &["1"]);
    world.receive(only);
    world.lose(only);

    let only = world.join(v5_kept("only"));

    let message = world.receive(only).message();
    assert_eq!((&*message.payload, message.dup), ("1", true));
}

/// A QoS 2 message that was sent stays with its member until it is back [MQTT-4.8.2-4].
#[test]
fn a_qos_2_message_stays_with_its_member() {
    let mut world = Harness::new();
    let lost = member(&mut world, v5_kept("lost"), QOS2);
    let other = member(&mut world, v5_kept("other"), QOS2);
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS2, &["1"]);
    assert_eq!(world.receive(lost).payloads(), ["1"]);

    world.lose(lost);

    assert!(world.receive(other).is_empty());
    let lost = world.join(v5_kept("lost"));
    assert_eq!(world.receive(lost).payloads(), ["1"]);
}

/// When the member's Session ends, QoS 1 goes to another member (§4.8.2) and QoS 2 to none
/// [MQTT-4.8.2-5].
#[test]
fn the_end_of_a_session_returns_qos_1_only() {
    for (qos, expected) in [(QOS1, 1), (QOS2, 0)] {
        let mut world = Harness::new();
        let lost = member(&mut world, v5("lost"), qos);
        let other = member(&mut world, v5("other"), qos);
        let publisher = world.join(v5("p"));
        publish_all(&mut world, publisher, qos, &["1"]);
        assert_eq!(world.receive(lost).payloads(), ["1"]);

        world.lose(lost);

        assert_eq!(world.receive(other).payloads().len(), expected);
        let dropped = world.broker.counters().dropped(DropReason::SessionEnded);
        assert_eq!(dropped, 1 - expected as u64);
    }
}

/// A message that a member refuses goes to no other [MQTT-4.8.2-6].
#[test]
fn a_refused_message_goes_to_no_other_member() {
    let mut world = Harness::new();
    let refusing = member(&mut world, v5_kept("refusing"), QOS1);
    let other = member(&mut world, v5_kept("other"), QOS1);
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS1, &["1"]);
    let id = world.receive(refusing).message().id.unwrap();

    let refusal = Puback::new(id, ReasonCode::QuotaExceeded);
    world.send(refusing, &Packet::Puback(refusal));
    world.lose(refusing);

    assert!(world.receive(other).is_empty());
}

/// Each member gets its messages at the QoS that it was granted [MQTT-4.8.2-3].
#[test]
fn each_members_own_qos_counts() {
    let mut world = Harness::new();
    let low = member(&mut world, v5("low"), QOS0);
    let high = member(&mut world, v5("high"), QOS2);
    let publisher = world.join(v5("p"));

    publish_all(&mut world, publisher, QOS1, &["1", "2"]);

    assert_eq!(world.receive(low).message().qos, QOS0);
    assert_eq!(world.receive(high).message().qos, QOS1);
}

/// What was queued for a lost member and never sent goes to others at any QoS.
#[test]
fn queued_messages_return_to_the_group() {
    let mut world = Harness::with(|config| config.in_flight_max = 1.try_into().unwrap());
    let lost = member(&mut world, v5_kept("lost"), QOS2);
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS2, &["sent", "queued"]);
    let other = member(&mut world, v5_kept("other"), QOS2);

    world.lose(lost);

    assert_eq!(world.receive(other).payloads(), ["queued"]);
}

/// A shared subscription brings no retained messages (§4.8.2).
#[test]
fn a_shared_subscription_brings_no_retained_messages() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    world.send(client, &retained("t/x", QOS0, "m"));

    world.send(client, &subscribe(&[(FILTER, QOS0)]));

    assert!(world.receive(client).messages().is_empty());
}

/// Leaving the group ends the member's share, and the last to leave ends the group.
#[test]
fn unsubscribe_leaves_the_group() {
    let mut world = Harness::new();
    let a = member(&mut world, v5("a"), QOS0);
    let b = member(&mut world, v5("b"), QOS0);
    let publisher = world.join(v5("p"));
    world.send(a, &unsubscribe(&[FILTER]));
    world.receive(a);

    publish_all(&mut world, publisher, QOS0, &["1", "2"]);

    assert!(world.receive(a).is_empty());
    assert_eq!(world.receive(b).payloads(), ["1", "2"]);
    world.send(b, &unsubscribe(&[FILTER]));
    assert_eq!(world.broker.counters().subscriptions, 0);
}

/// What waits for a group whose last member's Session expires is dropped and counted.
#[test]
fn what_waits_for_a_group_that_ends_is_counted() {
    let mut world = Harness::new();
    let mut connect = v5_kept("only");
    connect.properties.session_expiry_interval = Some(5);
    let only = member(&mut world, connect, QOS1);
    world.lose(only);
    let publisher = world.join(v5("p"));
    publish_all(&mut world, publisher, QOS1, &["1", "2", "3"]);

    world.advance(std::time::Duration::from_secs(6));

    let counters = world.broker.counters();
    assert_eq!(counters.sessions_expired, 1);
    assert_eq!(counters.dropped(DropReason::GroupEnded), 3);
    assert_eq!(counters.queued_messages, 0);
}

/// The Subscription Identifier of the member comes with its messages [MQTT-3.3.4-3].
#[test]
fn a_members_identifier_comes_with_its_messages() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    let wish = subscription(FILTER, options(QOS1));
    world.send(client, &subscribe_with(Some(5), vec![wish]));
    world.receive(client);
    let publisher = world.join(v5("p"));

    publish_all(&mut world, publisher, QOS1, &["m"]);

    assert_eq!(world.receive(client).message().identifiers, [5]);
}

/// CONNECT of a client that takes packets of at most `bytes` bytes.
fn taking(connect: Connect, bytes: u32) -> Connect {
    let mut connect = connect;
    connect.properties.maximum_packet_size = Some(bytes);
    connect
}

/// A message that is too large for some members goes to another (§3.1.2.11.4), whatever the
/// others' load. Smaller ones are shared as ever.
#[test]
fn a_large_message_goes_to_a_member_that_takes_it() {
    for qos in [QOS0, QOS1] {
        let mut world = Harness::new();
        let small = member(&mut world, taking(v5("small"), 40), qos);
        let large = member(&mut world, v5("large"), qos);
        let publisher = world.join(v5("p"));
        let long = "more than forty bytes, whatever the header is";

        publish_all(&mut world, publisher, qos, &[long, "1", long, long, "2"]);

        assert_eq!(world.receive(large).payloads(), [long, long, long]);
        assert_eq!(world.receive(small).payloads(), ["1", "2"]);
        let counters = world.broker.counters();
        assert_eq!(counters.dropped(DropReason::PacketTooLarge), 0);
    }
}

/// A message that no connected member takes is dropped and counted [MQTT-3.1.2-25].
#[test]
fn a_message_too_large_for_every_member_is_dropped() {
    let mut world = Harness::new();
    let members = ["a", "b"].map(|name| member(&mut world, taking(v5(name), 40), QOS1));
    let publisher = world.join(v5("p"));
    let long = "more than forty bytes, whatever the header is";

    publish_all(&mut world, publisher, QOS1, &[long]);

    for member in members {
        assert!(world.receive(member).is_empty());
    }
    let counters = world.broker.counters();
    assert_eq!(counters.dropped(DropReason::PacketTooLarge), 1);
    assert_eq!(counters.queued_messages, 0);
}

/// A member that comes back and takes less than before leaves its unfinished QoS 1 message to one
/// that takes it.
#[test]
fn a_member_that_takes_less_now_passes_its_message_on() {
    let mut world = Harness::new();
    let first = member(&mut world, v5_kept("first"), QOS1);
    let publisher = world.join(v5("p"));
    let long = "more than forty bytes, whatever the header is";
    publish_all(&mut world, publisher, QOS1, &[long]);
    assert_eq!(world.receive(first).payloads(), [long]);
    world.lose(first);
    let second = member(&mut world, v5("second"), QOS1);

    let first = world.join(taking(v5_kept("first"), 40));

    assert!(world.receive(first).is_empty());
    assert_eq!(world.receive(second).payloads(), [long]);
    let counters = world.broker.counters();
    assert_eq!(counters.dropped(DropReason::PacketTooLarge), 0);
}
