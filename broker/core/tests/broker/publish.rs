//! PUBLISH from a client: answers, QoS 2 without repetition, what is passed on (§3.3, §4.3).

use squall_core::DropReason;
use squall_protocol::ReasonCode;
use squall_protocol::packet::{
    Packet, Puback, Pubcomp, Publish, PublishProperties, Pubrec, Pubrel,
};
use squall_protocol::topic::TopicName;

use crate::harness::{Client, Harness};
use crate::packets::*;

/// A broker, a publisher and a subscriber to `t` at QoS 2.
fn pair(publisher: squall_protocol::packet::Connect) -> (Harness, Client, Client) {
    let mut world = Harness::new();
    let publisher = world.join(publisher);
    let subscriber = world.join(v5("subscriber"));
    world.send(subscriber, &subscribe(&[("t", QOS2)]));
    world.receive(subscriber);
    (world, publisher, subscriber)
}

/// Each QoS has its answer, with the message's identifier [MQTT-3.3.4-1], [MQTT-2.2.1-5],
/// [3.1.1: MQTT-3.3.4-1], [3.1.1: MQTT-2.3.1-6].
#[test]
fn a_publish_is_answered_by_its_qos() {
    for connect in both("p") {
        let (mut world, publisher, _) = pair(connect);

        world.send(publisher, &Packet::Publish(publish("t", QOS0, "0")));
        assert!(world.receive(publisher).is_empty());
        world.send(publisher, &numbered(7, publish("t", QOS1, "1")));
        let puback = Packet::Puback(Puback::new(id(7), ReasonCode::Success));
        assert_eq!(world.receive(publisher).packet(), puback);
        world.send(publisher, &numbered(8, publish("t", QOS2, "2")));
        let pubrec = Packet::Pubrec(Pubrec::new(id(8), ReasonCode::Success));
        assert_eq!(world.receive(publisher).packet(), pubrec);
        world.send(publisher, &pubrel(id(8)));

        let pubcomp = Packet::Pubcomp(Pubcomp::new(id(8), ReasonCode::Success));
        assert_eq!(world.receive(publisher).packet(), pubcomp);
    }
}

/// Acknowledgements go in the order of the messages [MQTT-4.6.0-2], [MQTT-4.6.0-3],
/// [3.1.1: MQTT-4.6.0-2], [3.1.1: MQTT-4.6.0-3].
#[test]
fn acknowledgements_keep_the_order_of_the_messages() {
    for connect in both("p") {
        let (mut world, publisher, _) = pair(connect);
        let numbers = [5, 3, 9, 1];

        for number in numbers {
            world.send(publisher, &numbered(number, publish("t", QOS1, "m")));
        }
        for number in numbers {
            world.send(publisher, &numbered(number, publish("t", QOS2, "m")));
        }

        let pubacks = numbers.map(|n| Packet::Puback(Puback::new(id(n), ReasonCode::Success)));
        let pubrecs = numbers.map(|n| Packet::Pubrec(Pubrec::new(id(n), ReasonCode::Success)));
        let answers = world.receive(publisher).others();
        assert_eq!(answers, [pubacks, pubrecs].concat());
    }
}

/// A 5.0 publisher learns that no subscription matched (§3.4.2.1); for 3.1.1 there is no code.
#[test]
fn a_publisher_learns_that_no_client_subscribed() {
    let mut world = Harness::new();
    let new = world.join(v5("new"));
    let old = world.join(v4("old"));

    world.send(new, &Packet::Publish(publish("unheard", QOS1, "m")));
    world.send(old, &Packet::Publish(publish("unheard", QOS1, "m")));

    let puback = Puback::new(id(1), ReasonCode::NoMatchingSubscribers);
    assert_eq!(world.receive(new).packet(), Packet::Puback(puback));
    assert_eq!(world.receive_bytes(old), [0x40, 0x02, 0x00, 0x01]);
}

/// A QoS 2 message that comes twice before PUBREL is answered twice and delivered once
/// [MQTT-4.3.3-10], [3.1.1: MQTT-4.3.3-2].
#[test]
fn a_repeated_qos_2_message_is_delivered_once() {
    for connect in both("p") {
        let (mut world, publisher, subscriber) = pair(connect);
        let again = Publish {
            dup: true,
            ..publish("t", QOS2, "m")
        };

        world.send(publisher, &Packet::Publish(publish("t", QOS2, "m")));
        world.send(publisher, &Packet::Publish(again));

        let pubrec = Packet::Pubrec(Pubrec::new(id(1), ReasonCode::Success));
        assert_eq!(world.receive(publisher).others(), [pubrec.clone(), pubrec]);
        assert_eq!(world.receive(subscriber).payloads(), ["m"]);
    }
}

/// The identifier names a new message after PUBCOMP [MQTT-4.3.3-12].
#[test]
fn a_packet_identifier_is_new_after_pubcomp() {
    for connect in both("p") {
        let (mut world, publisher, subscriber) = pair(connect);

        for payload in ["first", "second"] {
            world.send(publisher, &Packet::Publish(publish("t", QOS2, payload)));
            world.send(publisher, &pubrel(id(1)));
        }

        assert_eq!(world.receive(subscriber).payloads(), ["first", "second"]);
    }
}

/// What the publisher had not released is remembered over a reconnect [MQTT-4.4.0-1].
#[test]
fn a_qos_2_message_repeated_after_a_reconnect_is_delivered_once() {
    for connect in both_kept("p") {
        let (mut world, publisher, subscriber) = pair(connect.clone());
        world.send(publisher, &Packet::Publish(publish("t", QOS2, "m")));
        world.lose(publisher);
        let publisher = world.join(connect);
        let again = Publish {
            dup: true,
            ..publish("t", QOS2, "m")
        };

        world.send(publisher, &Packet::Publish(again));
        world.send(publisher, &pubrel(id(1)));

        let pubrec = Packet::Pubrec(Pubrec::new(id(1), ReasonCode::Success));
        let pubcomp = Packet::Pubcomp(Pubcomp::new(id(1), ReasonCode::Success));
        assert_eq!(world.receive(publisher).others(), [pubrec, pubcomp]);
        assert_eq!(world.receive(subscriber).payloads(), ["m"]);
    }
}

/// PUBREL for an unknown identifier is answered with 0x92, which is not an error (§4.3.3).
#[test]
fn an_unknown_pubrel_is_answered() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));

    world.send(
        client,
        &Packet::Pubrel(Pubrel::new(id(9), ReasonCode::Success)),
    );

    let pubcomp = Pubcomp::new(id(9), ReasonCode::PacketIdentifierNotFound);
    assert_eq!(world.receive(client).packet(), Packet::Pubcomp(pubcomp));
    assert!(!world.is_closed(client));
}

/// DUP is a matter of one connection and not passed on [MQTT-3.3.1-3], [3.1.1: MQTT-3.3.1-3].
#[test]
fn dup_is_not_passed_on() {
    for connect in both("p") {
        let (mut world, publisher, subscriber) = pair(connect);
        let again = Publish {
            dup: true,
            ..publish("t", QOS1, "m")
        };

        world.send(publisher, &Packet::Publish(again));

        assert!(!world.receive(subscriber).message().dup);
    }
}

/// The QoS of a delivery is the lower of the published and the granted one [MQTT-3.8.4-8],
/// [3.1.1: MQTT-3.8.4-6].
#[test]
fn a_message_is_delivered_at_the_lower_qos() {
    let levels = [QOS0, QOS1, QOS2];
    for published in levels {
        for granted in levels {
            let mut world = Harness::new();
            let publisher = world.join(v4("p"));
            let subscriber = world.join(v4("s"));
            world.send(subscriber, &subscribe(&[("t", granted)]));
            world.receive(subscriber);

            world.send(publisher, &Packet::Publish(publish("t", published, "m")));

            let qos = world.receive(subscriber).message().qos;
            assert_eq!(qos, published.min(granted));
        }
    }
}

/// Properties of the message reach every subscriber unaltered, whether it is alone, one of
/// several, or away: [MQTT-3.3.2-4], [MQTT-3.3.2-15], [MQTT-3.3.2-16], [MQTT-3.3.2-17],
/// [MQTT-3.3.2-20], and User Properties in their order [MQTT-3.3.2-18].
#[test]
fn properties_reach_the_subscriber_unaltered() {
    let (mut world, publisher, alone) = pair(v5("p"));
    let sent = Publish {
        properties: PublishProperties {
            payload_format_indicator: Some(true),
            message_expiry_interval: Some(60),
            response_topic: Some("re"),
            correlation_data: Some(b"7"),
            user_properties: vec![("b", "1"), ("a", "2"), ("b", "3")],
            content_type: Some("text/plain"),
            ..PublishProperties::default()
        },
        ..publish("t", QOS1, "m")
    };

    world.send(publisher, &numbered(1, sent.clone()));
    let mut copies = vec![world.receive(alone).message()];
    for client_id in ["second", "away"] {
        let client = world.join(v5_kept(client_id));
        world.send(client, &subscribe(&[("t", QOS1)]));
        world.lose(client);
    }
    let second = world.join(v5_kept("second"));
    world.send(publisher, &numbered(1, sent));
    copies.extend([alone, second].map(|client| world.receive(client).message()));
    let away = world.join(v5_kept("away"));
    copies.push(world.receive(away).message());

    let pairs = [("b", "1"), ("a", "2"), ("b", "3")];
    for copy in copies {
        let user_properties = pairs.map(|(name, value)| (name.into(), value.into()));
        assert_eq!(copy.user_properties, user_properties);
        assert_eq!(copy.payload_format_indicator, Some(true));
        assert_eq!(copy.expiry, Some(60));
        assert_eq!(copy.response_topic.as_deref(), Some("re"));
        assert_eq!(copy.correlation_data.as_deref(), Some(&b"7"[..]));
        assert_eq!(copy.content_type.as_deref(), Some("text/plain"));
    }
}

/// A Topic Alias of the publisher's stands for its topic and stays with the publisher
/// (§3.3.2.3.4).
#[test]
fn a_topic_alias_is_resolved() {
    let (mut world, publisher, subscriber) = pair(v5("p"));
    let aliased = |topic, payload| {
        Packet::Publish(Publish {
            topic,
            properties: PublishProperties {
                topic_alias: Some(3),
                ..PublishProperties::default()
            },
            ..publish("t", QOS0, payload)
        })
    };

    world.send(publisher, &aliased(TopicName::new("t").unwrap(), "1"));
    world.send(publisher, &aliased(TopicName::ALIASED, "2"));

    let messages = world.receive(subscriber).messages();
    let seen: Vec<_> = messages.iter().map(|m| (&*m.topic, &*m.payload)).collect();
    assert_eq!(seen, [("t", "1"), ("t", "2")]);
}

/// Aliases above the maximum, unknown ones, and those of an earlier connection are errors
/// [MQTT-3.3.2-9], [MQTT-3.3.2-7].
#[test]
fn a_topic_alias_without_meaning_is_refused() {
    let (mut world, publisher, _) = pair(v5_kept("p"));
    let aliased = |topic, alias| {
        Packet::Publish(Publish {
            topic,
            properties: PublishProperties {
                topic_alias: Some(alias),
                ..PublishProperties::default()
            },
            ..publish("t", QOS0, "m")
        })
    };
    world.send(publisher, &aliased(TopicName::new("t").unwrap(), 1));
    world.lose(publisher);
    let publisher = world.join(v5_kept("p"));

    world.send(publisher, &aliased(TopicName::ALIASED, 1));

    assert!(world.is_closed(publisher));
    let above = world.join(v5("above"));
    let maximum = world.broker.config().topic_alias_maximum;
    world.send(above, &aliased(TopicName::new("t").unwrap(), maximum + 1));
    let reason = world.receive(above).disconnect_reason();
    assert_eq!(reason, ReasonCode::TopicAliasInvalid);
}

/// Clients do not publish to the server's own topics (§4.7.2).
#[test]
fn a_client_cannot_publish_to_sys() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    world.send(client, &subscribe(&[("$SYS/#", QOS0)]));
    world.receive(client);

    world.send(
        client,
        &Packet::Publish(publish("$SYS/broker/uptime", QOS1, "m")),
    );

    let puback = Puback::new(id(1), ReasonCode::NotAuthorized);
    assert_eq!(world.receive(client).packet(), Packet::Puback(puback));
    assert_eq!(
        world.broker.counters().dropped(DropReason::ReservedTopic),
        1
    );
}

/// A topic of more levels than allowed is refused with 0x90.
#[test]
fn a_topic_of_too_many_levels_is_refused() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    let deep = "/".repeat(255);
    world.send(client, &Packet::Publish(publish(&deep, QOS0, "256 levels")));
    assert!(!world.is_closed(client));

    let too_deep = "/".repeat(256);
    world.send(
        client,
        &Packet::Publish(publish(&too_deep, QOS0, "257 levels")),
    );

    let reason = world.receive(client).disconnect_reason();
    assert_eq!(reason, ReasonCode::TopicNameInvalid);
    assert!(world.is_closed(client));
}

/// 3.1.1 has no way to tell the client, so the log must: whose connection it was, and what it did.
#[test]
fn a_close_tells_the_client_and_the_cause() {
    for connect in both("sensor 7") {
        let mut world = Harness::new();
        let client = world.join(connect);

        let too_deep = "/".repeat(256);
        world.send(client, &Packet::Publish(publish(&too_deep, QOS0, "m")));

        let cause = "a topic name of 257 levels, the limit is 256 (topic_levels_max)";
        let expected = Some((Some("sensor 7"), cause.to_owned()));
        assert_eq!(world.close_log(client), expected);
    }
}

/// A topic that begins with a character of several bytes is a topic like any other.
#[test]
fn topics_may_begin_with_any_character() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    world.send(client, &subscribe(&[("+/x", QOS0), ("é", QOS0)]));
    world.receive(client);

    world.send(client, &Packet::Publish(publish("é", QOS0, "1")));
    world.send(client, &Packet::Publish(publish("日本/x", QOS0, "2")));

    assert_eq!(world.receive(client).payloads(), ["1", "2"]);
}
