//! Retained messages: set, replaced, cleared, and sent to new subscriptions (§3.3.1.3).

use squall_core::RetainedLimits;
use squall_protocol::packet::{Packet, RetainHandling};

use crate::harness::{Client, Harness};
use crate::packets::*;

fn subscribed(world: &mut Harness, filters: &[(&str, squall_protocol::QoS)]) -> Client {
    let count = world.broker.counters().connections_opened;
    let client = world.join(v5(&format!("subscriber-{count}")));
    world.send(client, &subscribe(filters));
    client
}

/// A retained message is stored in place of the topic's older one and sent to a later
/// subscription, with RETAIN [MQTT-3.3.1-5], [3.1.1: MQTT-3.3.1-5], [3.1.1: MQTT-3.3.1-6],
/// [3.1.1: MQTT-3.3.1-8].
#[test]
fn a_new_subscription_brings_the_retained_message() {
    for (publisher, subscriber) in both("p").into_iter().zip(both("s")) {
        let mut world = Harness::new();
        let publisher = world.join(publisher);
        world.send(publisher, &retained("t", QOS1, "old"));
        world.send(publisher, &retained("t", QOS1, "new"));
        let subscriber = world.join(subscriber);

        world.send(subscriber, &subscribe(&[("t", QOS1)]));

        let messages = world.receive(subscriber).messages();
        assert_eq!(messages.len(), 1);
        assert_eq!((&*messages[0].payload, messages[0].qos), ("new", QOS1));
        assert!(messages[0].retain && !messages[0].dup);
    }
}

/// Retained messages are not part of a Session and outlive their publisher's
/// [3.1.1: MQTT-3.1.2-7].
#[test]
fn a_retained_message_outlives_its_publishers_session() {
    for publisher in both("p") {
        let mut world = Harness::new();
        let publisher = world.join(publisher);
        world.send(publisher, &retained("t", QOS1, "kept"));
        world.send(publisher, &goodbye());
        assert_eq!(world.broker.counters().sessions, 0);

        let subscriber = subscribed(&mut world, &[("t", QOS0)]);

        assert_eq!(world.receive(subscriber).payloads(), ["kept"]);
    }
}

/// A retained message of QoS 0 takes the place of one of any QoS [3.1.1: MQTT-3.3.1-7].
#[test]
fn a_retained_message_of_qos_0_replaces_the_older_one() {
    let mut world = Harness::new();
    let publisher = world.join(v4("p"));
    world.send(publisher, &retained("t", QOS2, "old"));

    world.send(publisher, &retained("t", QOS0, "new"));

    let subscriber = subscribed(&mut world, &[("t", QOS2)]);
    let messages = world.receive(subscriber).messages();
    assert_eq!(messages.len(), 1);
    assert_eq!((&*messages[0].payload, messages[0].qos), ("new", QOS0));
}

/// A subscription that was there before gets it without RETAIN [MQTT-3.3.1-12],
/// [3.1.1: MQTT-3.3.1-9].
#[test]
fn an_established_subscription_gets_it_without_retain() {
    for subscriber in both("s") {
        let mut world = Harness::new();
        let publisher = world.join(v5("p"));
        let subscriber = world.join(subscriber);
        world.send(subscriber, &subscribe(&[("t", QOS1)]));
        world.receive(subscriber);

        world.send(publisher, &retained("t", QOS1, "m"));

        assert!(!world.receive(subscriber).message().retain);
    }
}

/// With Retain As Published the flag stays as it was published [MQTT-3.3.1-13].
#[test]
fn retain_as_published_keeps_the_flag() {
    let mut world = Harness::new();
    let publisher = world.join(v5("p"));
    let subscriber = world.join(v5("s"));
    let wish = subscription("t", retain_as_published(QOS0));
    world.send(subscriber, &subscribe_with(None, vec![wish]));
    world.receive(subscriber);

    world.send(publisher, &retained("t", QOS0, "1"));
    world.send(publisher, &Packet::Publish(publish("t", QOS0, "2")));

    let messages = world.receive(subscriber).messages();
    let flags: Vec<_> = messages.iter().map(|m| (&*m.payload, m.retain)).collect();
    assert_eq!(flags, [("1", true), ("2", false)]);
}

/// A retained message without payload clears its topic, is not stored itself [MQTT-3.3.1-6],
/// [MQTT-3.3.1-7], and is still delivered [3.1.1: MQTT-3.3.1-10], [3.1.1: MQTT-3.3.1-11].
#[test]
fn an_empty_retained_message_clears_and_is_delivered() {
    for publisher in both("p") {
        let mut world = Harness::new();
        let publisher = world.join(publisher);
        let watcher = subscribed(&mut world, &[("t", QOS0)]);
        world.send(publisher, &retained("t", QOS0, "m"));
        world.receive(watcher);

        world.send(publisher, &retained("t", QOS0, ""));

        let message = world.receive(watcher).message();
        assert_eq!((&*message.payload, message.retain), ("", false));
        let late = subscribed(&mut world, &[("t", QOS0)]);
        assert!(world.receive(late).messages().is_empty());
        assert_eq!(world.broker.counters().retained_messages, 0);
    }
}

/// A message without RETAIN neither replaces nor clears what is stored [MQTT-3.3.1-8],
/// [3.1.1: MQTT-3.3.1-12].
#[test]
fn a_message_without_retain_leaves_the_store_alone() {
    let mut world = Harness::new();
    let publisher = world.join(v4("p"));
    world.send(publisher, &retained("t", QOS0, "stored"));

    world.send(publisher, &Packet::Publish(publish("t", QOS0, "passing")));
    world.send(publisher, &Packet::Publish(publish("t", QOS0, "")));

    let late = subscribed(&mut world, &[("t", QOS0)]);
    assert_eq!(world.receive(late).payloads(), ["stored"]);
}

/// Retain Handling 0, 1 and 2 [MQTT-3.3.1-9], [MQTT-3.3.1-10], [MQTT-3.3.1-11].
#[test]
fn retain_handling_decides_when_retained_messages_come() {
    let cases = [
        (RetainHandling::SendAtSubscribe, [1, 1]),
        (RetainHandling::SendIfNew, [1, 0]),
        (RetainHandling::DoNotSend, [0, 0]),
    ];
    for (handling, expected) in cases {
        let mut world = Harness::new();
        let client = world.join(v5("c"));
        world.send(client, &retained("t", QOS0, "m"));

        let counts = [(); 2].map(|()| {
            let wish = subscription("t", retain_handling(handling));
            world.send(client, &subscribe_with(None, vec![wish]));
            world.receive(client).messages().len()
        });

        assert_eq!(counts, expected, "{handling:?}");
    }
}

/// A subscription that is made again brings the retained messages again [MQTT-3.8.4-4],
/// [3.1.1: MQTT-3.8.4-3].
#[test]
fn subscribing_again_brings_them_again() {
    for connect in both("c") {
        let mut world = Harness::new();
        let client = world.join(connect);
        world.send(client, &retained("t", QOS0, "m"));

        for _ in 0..2 {
            world.send(client, &subscribe(&[("t", QOS0)]));
            assert_eq!(world.receive(client).payloads(), ["m"]);
        }
        assert_eq!(world.broker.counters().subscriptions, 1);
    }
}

/// A wildcard brings all that match, in the order of their topics, and no `$` topic
/// [MQTT-4.7.2-1].
#[test]
fn a_wildcard_brings_all_that_match() {
    let mut world = Harness::new();
    let publisher = world.join(v4("p"));
    for topic in ["a", "a/b", "a/b/c", "ab", "b/b", "$a/b"] {
        world.send(publisher, &retained(topic, QOS0, topic));
    }

    for (filter, expected) in [
        ("#", &["a", "a/b", "a/b/c", "ab", "b/b"][..]),
        ("a/#", &["a", "a/b", "a/b/c"]),
        ("+/b", &["a/b", "b/b"]),
        ("$a/+", &["$a/b"]),
        ("a/b", &["a/b"]),
    ] {
        let client = subscribed(&mut world, &[(filter, QOS0)]);
        assert_eq!(world.receive(client).payloads(), expected, "{filter}");
    }
}

/// The Subscription Identifier comes with the retained message too [MQTT-3.3.4-4], and it is
/// sent at the granted QoS [MQTT-3.8.4-8].
#[test]
fn a_retained_message_carries_the_subscription_identifier() {
    let mut world = Harness::new();
    let client = world.join(v5("c"));
    world.send(client, &retained("t", QOS2, "m"));
    world.receive(client);

    let wish = subscription("t", options(QOS1));
    world.send(client, &subscribe_with(Some(17), vec![wish]));

    let messages = world.receive(client).messages();
    assert_eq!(messages[0].identifiers, [17]);
    assert_eq!(messages[0].qos, QOS1);
}

/// SUBACK goes before the retained messages.
#[test]
fn suback_goes_first() {
    let mut world = Harness::new();
    let client = world.join(v4("c"));
    world.send(client, &retained("t", QOS0, "m"));

    world.send(client, &subscribe(&[("t", QOS0)]));

    let bytes = world.receive_bytes(client);
    assert_eq!(bytes[..1], [0x90]);
    assert_eq!(bytes[5..6], [0x31]);
}

/// Many retained messages come in slices between which others are served, and all come once.
#[test]
fn many_retained_messages_come_in_slices() {
    let limits = RetainedLimits {
        replay_slice: 10.try_into().unwrap(),
        ..RetainedLimits::default()
    };
    let mut world = Harness::with(|config| config.retained = limits);
    let publisher = world.join(v4("p"));
    let topics: Vec<String> = (0..95).map(|n| format!("r/{n:03}")).collect();
    for topic in &topics {
        world.send(publisher, &retained(topic, QOS0, topic));
    }

    let client = subscribed(&mut world, &[("r/#", QOS0)]);
    let first = world.receive(client).payloads();
    assert_eq!(first.len(), 10);
    world.send(publisher, &Packet::Publish(publish("r/050", QOS0, "live")));
    world.settle();

    let rest = world.receive(client).payloads();
    let all: Vec<_> = first.into_iter().chain(rest).collect();
    assert_eq!(all[..95], topics);
    assert_eq!(all[95..], ["live"]);
}

/// A message that is published while retained ones are still on their way comes once, live.
#[test]
fn a_topic_updated_during_the_slices_comes_once() {
    let limits = RetainedLimits {
        replay_slice: 1.try_into().unwrap(),
        ..RetainedLimits::default()
    };
    let mut world = Harness::with(|config| config.retained = limits);
    let publisher = world.join(v4("p"));
    for topic in ["r/1", "r/2", "r/3"] {
        world.send(publisher, &retained(topic, QOS1, "old"));
    }
    let client = subscribed(&mut world, &[("r/#", QOS1)]);

    world.send(publisher, &retained("r/3", QOS1, "new"));
    world.settle();

    let messages = world.receive(client).messages();
    let seen: Vec<_> = messages.iter().map(|m| (&*m.topic, &*m.payload)).collect();
    assert_eq!(seen, [("r/1", "old"), ("r/2", "old"), ("r/3", "new")]);
}

/// A broker with 20 retained messages below `r`, sent in slices of 10.
fn sliced() -> (Harness, Client) {
    let limits = RetainedLimits {
        replay_slice: 10.try_into().unwrap(),
        ..RetainedLimits::default()
    };
    let mut world = Harness::with(|config| config.retained = limits);
    let publisher = world.join(v4("p"));
    for number in 0..20 {
        let topic = format!("r/{number:02}");
        world.send(publisher, &retained(&topic, QOS0, &topic));
    }
    let client = subscribed(&mut world, &[("r/#", QOS0)]);
    assert_eq!(world.receive(client).payloads().len(), 10);
    (world, client)
}

/// After UNSUBSCRIBE no more retained messages come [MQTT-3.10.4-2].
#[test]
fn unsubscribe_stops_the_slices() {
    let (mut world, client) = sliced();

    world.send(client, &unsubscribe(&["r/#"]));
    world.settle();

    assert!(world.receive(client).messages().is_empty());
}

/// A subscription that is made again between the slices starts anew, once.
#[test]
fn subscribing_again_between_the_slices_starts_anew() {
    let (mut world, client) = sliced();

    world.send(client, &subscribe(&[("r/#", QOS0)]));
    world.settle();

    let payloads = world.receive(client).payloads();
    assert_eq!(payloads.len(), 20);
    assert_eq!(payloads[0], "r/00");
}

/// Retained messages that a lost connection held up come on the next one.
#[test]
fn a_reconnect_between_retained_messages_loses_none() {
    let mut world = Harness::with(|config| config.in_flight_max = 1.try_into().unwrap());
    let publisher = world.join(v4("p"));
    for topic in ["r/1", "r/2"] {
        world.send(publisher, &retained(topic, QOS1, topic));
    }
    let client = world.join(v5_kept("c"));
    world.send(client, &subscribe(&[("r/#", QOS1)]));
    assert_eq!(world.receive(client).payloads(), ["r/1"]);
    world.lose(client);

    let client = world.join(v5_kept("c"));
    let again = world.receive(client).message();
    world.send(client, &puback(again.id.unwrap()));

    let message = world.receive(client).message();
    assert_eq!((&*again.payload, again.dup), ("r/1", true));
    assert_eq!((&*message.payload, message.dup), ("r/2", false));
    assert!(message.retain);
}

/// What was queued before the subscription goes before its retained messages: an older message
/// of a topic does not overtake a newer one [MQTT-4.6.0-6].
#[test]
fn retained_messages_go_behind_what_was_queued() {
    let mut world = Harness::with(|config| config.in_flight_max = 1.try_into().unwrap());
    let client = world.join(v5("c"));
    world.send(client, &subscribe(&[("+", QOS1)]));
    let publisher = world.join(v4("p"));
    for payload in ["1", "2", "3"] {
        world.send(publisher, &retained("t", QOS1, payload));
    }
    world.send(client, &subscribe(&[("t", QOS1)]));

    let mut seen = Vec::new();
    loop {
        let messages = world.receive(client).messages();
        let Some(message) = messages.first() else {
            break;
        };
        seen.push((message.payload.clone(), message.retain));
        world.send(client, &puback(message.id.unwrap()));
    }

    let expected = [("1", false), ("2", false), ("3", false), ("3", true)];
    assert_eq!(
        seen,
        expected.map(|(payload, retain)| (payload.to_owned(), retain))
    );
}

/// Retained messages of QoS 1 keep the client's quota, and come on as it acknowledges.
#[test]
fn retained_messages_keep_the_quota() {
    let mut world = Harness::with(|config| config.in_flight_max = 1.try_into().unwrap());
    let publisher = world.join(v4("p"));
    for topic in ["r/1", "r/2"] {
        world.send(publisher, &retained(topic, QOS1, topic));
    }
    let client = subscribed(&mut world, &[("r/#", QOS1)]);
    let first = world.receive(client).messages();
    assert_eq!(first.len(), 1);

    world.send(client, &puback(first[0].id.unwrap()));

    assert_eq!(world.receive(client).payloads(), ["r/2"]);
}
