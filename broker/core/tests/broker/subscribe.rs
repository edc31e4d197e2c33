//! SUBSCRIBE and UNSUBSCRIBE: codes, wildcards, overlapping filters, options (§3.8 to §3.11,
//! §4.7).

use squall_protocol::packet::{Packet, Suback, Unsuback};
use squall_protocol::{QoS, ReasonCode, Version};

use crate::harness::{Client, Harness};
use crate::packets::*;

fn suback_reasons(world: &mut Harness, client: Client) -> Vec<ReasonCode> {
    let packet = world.receive(client).packet();
    let Packet::Suback(Suback { reasons, id, .. }) = packet else {
        panic!("SUBACK, not {packet:?}");
    };
    assert_eq!(id.get(), 100);
    reasons
}

fn payloads_for(filters: &[(&str, QoS)], topics: &[&str]) -> Vec<String> {
    let mut world = Harness::new();
    let client = world.join(v4("c"));
    world.send(client, &subscribe(filters));
    world.receive(client);
    for topic in topics {
        world.send(client, &Packet::Publish(publish(topic, QOS0, topic)));
    }
    world.receive(client).payloads()
}

/// SUBACK has the SUBSCRIBE's identifier and one code a filter, in their order [MQTT-3.8.4-1],
/// [MQTT-3.8.4-2], [MQTT-3.8.4-6], [3.1.1: MQTT-3.8.4-1], [3.1.1: MQTT-3.8.4-2],
/// [3.1.1: MQTT-3.8.4-5], [MQTT-3.8.4-7], [MQTT-3.9.3-1], [3.1.1: MQTT-3.9.3-1],
/// [3.1.1: MQTT-2.3.1-7].
#[test]
fn suback_has_a_code_for_every_filter() {
    for connect in both("c") {
        let mut world = Harness::new();
        let client = world.join(connect);

        world.send(client, &subscribe(&[("a", QOS2), ("b", QOS0), ("c", QOS1)]));

        let expected = [
            ReasonCode::GrantedQoS2,
            ReasonCode::Success,
            ReasonCode::GrantedQoS1,
        ];
        assert_eq!(suback_reasons(&mut world, client), expected);
    }
}

/// Several filters in one SUBSCRIBE are taken one after the other, as if each had come on its own
/// [MQTT-3.8.4-5], [3.1.1: MQTT-3.8.4-4].
#[test]
fn filters_of_one_subscribe_are_taken_in_order() {
    for connect in both("c") {
        let mut world = Harness::new();
        let client = world.join(connect);

        world.send(client, &subscribe(&[("t", QOS2), ("t", QOS0)]));

        let expected = [ReasonCode::GrantedQoS2, ReasonCode::Success];
        assert_eq!(suback_reasons(&mut world, client), expected);
        world.send(client, &numbered(1, publish("t", QOS1, "m")));
        let messages = world.receive(client).messages();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].qos, QOS0);
    }
}

/// `+` is one level, `#` any number and its parent level (§4.7.1).
#[test]
fn wildcards_match_levels() {
    let topics = ["sport", "sport/", "sport/a", "sport/a/b", "/a", "a"];

    assert_eq!(
        payloads_for(&[("sport/#", QOS0)], &topics),
        ["sport", "sport/", "sport/a", "sport/a/b"]
    );
    assert_eq!(
        payloads_for(&[("sport/+", QOS0)], &topics),
        ["sport/", "sport/a"]
    );
    assert_eq!(payloads_for(&[("+", QOS0)], &topics), ["sport", "a"]);
    assert_eq!(payloads_for(&[("+/a", QOS0)], &topics), ["sport/a", "/a"]);
    assert_eq!(payloads_for(&[("#", QOS0)], &topics), topics);
}

/// Topics that begin with `$` are not matched by a leading wildcard [MQTT-4.7.2-1],
/// [3.1.1: MQTT-4.7.2-1].
#[test]
fn dollar_topics_need_their_own_filter() {
    let topics = ["$x", "$x/y", "x/$y"];

    assert_eq!(
        payloads_for(&[("#", QOS0), ("+/y", QOS0)], &topics),
        ["x/$y"]
    );
    assert_eq!(payloads_for(&[("$x/#", QOS0)], &topics), ["$x", "$x/y"]);
}

/// Overlapping subscriptions bring one copy, at the highest QoS of them [3.1.1: MQTT-3.3.5-1],
/// [MQTT-3.3.4-2].
#[test]
fn overlapping_subscriptions_bring_one_copy_at_the_highest_qos() {
    for connect in both("c") {
        let mut world = Harness::new();
        let client = world.join(connect);
        let filters = [("t/x", QOS0), ("t/+", QOS2), ("t/#", QOS1)];
        world.send(client, &subscribe(&filters));
        world.receive(client);
        let publisher = world.join(v5("p"));

        world.send(publisher, &Packet::Publish(publish("t/x", QOS2, "m")));

        assert_eq!(world.receive(client).message().qos, QOS2);
    }
}

/// The one copy carries the identifiers of all subscriptions that match [MQTT-3.3.4-4].
#[test]
fn one_copy_carries_all_subscription_identifiers() {
    let mut world = Harness::new();
    let client = world.join(v5_kept("c"));
    for (identifier, filter) in [(Some(1), "t/x"), (Some(268_435_455), "t/+"), (None, "t/#")] {
        let wish = subscription(filter, options(QOS1));
        world.send(client, &subscribe_with(identifier, vec![wish]));
    }
    world.send(
        client,
        &subscribe_with(Some(9), vec![subscription("other", options(QOS1))]),
    );
    world.receive(client);
    let publisher = world.join(v5("p"));
    let sorted = |mut identifiers: Vec<u32>| {
        identifiers.sort();
        identifiers
    };

    for qos in [QOS0, QOS1] {
        world.send(publisher, &Packet::Publish(publish("t/x", qos, "m")));
        let message = world.receive(client).message();
        assert_eq!(sorted(message.identifiers), [1, 268_435_455]);
    }

    world.lose(client);
    world.send(publisher, &Packet::Publish(publish("t/x", QOS1, "queued")));
    let client = world.join(v5_kept("c"));
    for message in world.receive(client).messages() {
        assert_eq!(sorted(message.identifiers), [1, 268_435_455]);
    }
}

/// Each subscriber gets its own identifier, also when many share one message [MQTT-3.3.4-3].
#[test]
fn every_subscriber_gets_its_own_identifier() {
    let mut world = Harness::new();
    let clients: Vec<_> = (1..=5)
        .map(|number| {
            let client = world.join(v5(&format!("c{number}")));
            let wish = subscription("t", options(QOS1));
            world.send(client, &subscribe_with(Some(number), vec![wish]));
            world.receive(client);
            client
        })
        .collect();
    let old = world.join(v4("old"));
    world.send(old, &subscribe(&[("t", QOS1)]));
    world.receive(old);

    world.send(clients[0], &Packet::Publish(publish("t", QOS1, "m")));

    for (client, number) in clients.into_iter().zip(1..) {
        let messages = world.receive(client).messages();
        assert_eq!(messages[0].identifiers, [number]);
    }
    assert_eq!(world.receive(old).payloads(), ["m"]);
}

/// A subscription made again replaces the old one: its QoS, options and identifier
/// [MQTT-3.8.4-3].
#[test]
fn subscribing_again_replaces_the_subscription() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    for (identifier, qos) in [(Some(1), QOS2), (Some(2), QOS0)] {
        let wish = subscription("t", options(qos));
        world.send(client, &subscribe_with(identifier, vec![wish]));
    }
    world.receive(client);
    let publisher = world.join(v5("p"));

    world.send(publisher, &Packet::Publish(publish("t", QOS2, "m")));

    let message = world.receive(client).message();
    assert_eq!((message.qos, message.identifiers), (QOS0, vec![2]));
}

/// No Local leaves out the client's own messages [MQTT-3.8.3-3], and only where it is asked for.
#[test]
fn no_local_leaves_out_own_messages() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    let wishes = vec![
        subscription("quiet", no_local(QOS0)),
        subscription("loud", options(QOS0)),
    ];
    world.send(client, &subscribe_with(None, wishes));
    world.receive(client);
    let other = world.join(v5("other"));

    for sender in [client, other] {
        for topic in ["quiet", "loud"] {
            world.send(sender, &Packet::Publish(publish(topic, QOS0, topic)));
        }
    }

    assert_eq!(world.receive(client).payloads(), ["loud", "quiet", "loud"]);
}

/// UNSUBSCRIBE ends the subscriptions whose filters are equal to its own, character by character
/// [MQTT-3.10.4-1], [MQTT-3.10.4-2], and UNSUBACK says for each whether there was one
/// [MQTT-3.10.4-4], [MQTT-3.11.3-1], [MQTT-3.11.3-2].
#[test]
fn unsubscribe_ends_subscriptions_and_tells_which_there_were() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    world.send(client, &subscribe(&[("a/+", QOS0), ("b", QOS0)]));
    world.receive(client);

    world.send(client, &unsubscribe(&["a/+", "a/#", "b/"]));
    for topic in ["a/x", "b"] {
        world.send(client, &Packet::Publish(publish(topic, QOS0, topic)));
    }

    let received = world.receive(client);
    let Packet::Unsuback(Unsuback { reasons, .. }) = received.others().remove(0) else {
        panic!("UNSUBACK, not {received:?}");
    };
    let expected = [
        ReasonCode::Success,
        ReasonCode::NoSubscriptionExisted,
        ReasonCode::NoSubscriptionExisted,
    ];
    assert_eq!(reasons, expected);
    assert_eq!(received.payloads(), ["b"]);
    assert_eq!(world.broker.counters().subscriptions, 1);
}

/// So are several filters in one UNSUBSCRIBE [MQTT-3.10.4-6].
#[test]
fn filters_of_one_unsubscribe_are_taken_in_order() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    world.send(client, &subscribe(&[("t", QOS0)]));
    world.receive(client);

    world.send(client, &unsubscribe(&["t", "t"]));

    let received = world.receive(client).packet();
    let Packet::Unsuback(Unsuback { reasons, .. }) = received else {
        panic!("UNSUBACK, not {received:?}");
    };
    let expected = [ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
    assert_eq!(reasons, expected);
}

/// UNSUBACK comes although nothing matched [3.1.1: MQTT-3.10.4-5], [MQTT-3.10.4-5], with the identifier of the
/// UNSUBSCRIBE [3.1.1: MQTT-3.10.4-4].
#[test]
fn unsuback_comes_in_any_case() {
    let mut world = Harness::new();
    let client = world.join(v4("c"));

    world.send(client, &unsubscribe(&["never/subscribed"]));

    assert_eq!(world.receive_bytes(client), [0xB0, 0x02, 0x00, 101]);
}

/// What is in flight or queued when the subscription ends is still delivered [MQTT-3.10.4-3].
#[test]
fn what_was_on_its_way_still_comes() {
    let mut world = Harness::with(|config| config.in_flight_max = 1.try_into().unwrap());
    let client = world.join(v5_kept("c"));
    world.send(client, &subscribe(&[("t", QOS1)]));
    let publisher = world.join(v5("p"));
    world.receive(client);
    for number in 1..=2 {
        world.send(publisher, &numbered(number, publish("t", QOS1, "m")));
    }
    let id = world.receive(client).message().id.unwrap();

    world.send(client, &unsubscribe(&["t"]));
    world.receive(client);
    world.send(client, &puback(id));

    assert_eq!(world.receive(client).payloads(), ["m"]);
}

/// A filter of more levels than allowed is refused with 0x8F, 0x80 in 3.1.1.
#[test]
fn a_filter_of_too_many_levels_is_refused() {
    let too_deep = "+/".repeat(256) + "#";
    for (connect, expected) in both("c")
        .into_iter()
        .zip([ReasonCode::UnspecifiedError, ReasonCode::TopicFilterInvalid])
    {
        let mut world = Harness::new();
        let client = world.join(connect);

        world.send(client, &subscribe(&[(&too_deep, QOS0), ("t", QOS0)]));

        let reasons = suback_reasons(&mut world, client);
        assert_eq!(reasons, [expected, ReasonCode::Success]);
    }
}

/// A Session has a limit of subscriptions; replacing one does not count as another.
#[test]
fn subscriptions_beyond_the_limit_are_refused() {
    let mut world = Harness::with(|config| config.subscriptions_per_session_max = 2);
    let client = world.join(v5("c"));

    let filters = [("1", QOS0), ("2", QOS0), ("3", QOS0), ("1", QOS1)];
    world.send(client, &subscribe(&filters));

    let expected = [
        ReasonCode::Success,
        ReasonCode::Success,
        ReasonCode::QuotaExceeded,
        ReasonCode::GrantedQoS1,
    ];
    assert_eq!(suback_reasons(&mut world, client), expected);
}

/// Bytes of a SUBSCRIBE of 5.0 or 3.1.1 at QoS 0, valid or not.
fn subscribe_bytes(version: Version, filters: &[&str]) -> Vec<u8> {
    let mut body = vec![0, 100];
    body.extend(match version {
        Version::V3_1_1 => &[][..],
        Version::V5 => &[0][..],
    });
    for filter in filters {
        body.extend([0, filter.len() as u8]);
        body.extend(filter.as_bytes());
        body.push(0);
    }
    [&[0x82, body.len() as u8], body.as_slice()].concat()
}

/// An invalid filter is answered with 0x8F, the others are granted: each is handled as if it
/// came alone [MQTT-3.8.4-5] and has its own Reason Code [MQTT-3.8.4-6].
#[test]
fn an_invalid_filter_is_refused_alone() {
    for invalid in [
        "a#",
        "#/a",
        "a/b+",
        "$share/g",
        "$share//t",
        "$share/+/t",
        "",
    ] {
        let mut world = Harness::new();
        let client = world.join(v5("c"));

        world.send_bytes(client, &subscribe_bytes(Version::V5, &["1", invalid, "2"]));

        let expected = [
            ReasonCode::Success,
            ReasonCode::TopicFilterInvalid,
            ReasonCode::Success,
        ];
        assert_eq!(suback_reasons(&mut world, client), expected, "{invalid:?}");
        assert!(!world.is_closed(client), "{invalid:?}");
        assert_eq!(world.broker.counters().subscriptions, 2, "{invalid:?}");
    }
}

/// UNSUBSCRIBE from what is not a filter: 0x8F for that one (§3.11.3).
#[test]
fn an_invalid_filter_of_unsubscribe_is_refused_alone() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    world.send(client, &subscribe(&[("t", QOS0)]));
    world.receive(client);

    world.send_bytes(client, b"\xa2\x0a\x00\x65\x00\x00\x02a#\x00\x01t");

    let Packet::Unsuback(unsuback) = world.receive(client).packet() else {
        panic!("UNSUBACK");
    };
    let expected = [ReasonCode::TopicFilterInvalid, ReasonCode::Success];
    assert_eq!(unsuback.reasons, expected);
}

/// A text that no packet may carry makes the packet malformed [MQTT-1.5.4-2], and 3.1.1 closes
/// for an invalid filter [3.1.1: MQTT-4.7.1-1], [3.1.1: MQTT-4.8.0-1].
#[test]
fn a_malformed_text_and_an_invalid_filter_of_3_1_1_close_the_connection() {
    for (connect, filter) in [(v5("c"), "a\0b"), (v4("c"), "a\0b"), (v4("c"), "a#")] {
        let version = connect.version;
        let mut world = Harness::new();
        let client = world.join(connect);

        world.send_bytes(client, &subscribe_bytes(version, &["1", filter, "2"]));

        assert!(world.is_closed(client), "{version:?} {filter:?}");
        if version == Version::V5 {
            let reason = world.receive(client).disconnect_reason();
            assert_eq!(reason, ReasonCode::MalformedPacket);
        }
    }
}

/// 3.1.1 knows no shared subscriptions: filters that only begin like one get their SUBACK
/// [3.1.1: MQTT-3.8.4-1] and what is published to such topics. `$share` alone is an ordinary
/// filter in both versions: it does not begin with `$share/` [MQTT-4.8.2-1].
#[test]
fn what_only_begins_like_a_share_is_an_ordinary_subscription() {
    for (connect, filter, topic) in [
        (v4("c"), "$share", "$share"),
        (v4("c"), "$share/g", "$share/g"),
        (v4("c"), "$share//a", "$share//a"),
        (v4("c"), "$share/+/a", "$share/g/a"),
        (v5("c"), "$share", "$share"),
    ] {
        let version = connect.version;
        let mut world = Harness::new();
        let publisher = world.join(v5("p"));
        let client = world.join(connect);

        world.send_bytes(client, &subscribe_bytes(version, &[filter]));
        let reasons = suback_reasons(&mut world, client);
        world.send(publisher, &Packet::Publish(publish(topic, QOS0, "m")));

        assert_eq!(reasons, [ReasonCode::Success], "{filter}");
        assert_eq!(world.receive(client).payloads(), ["m"], "{filter}");
    }
}
