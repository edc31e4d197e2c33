//! What the broker must have retained, as far as its order is known (§3.3.1.3).

use squall_fleet::{Fact, PublicationFact, RetainedFact, RunTag, Stamp};
use squall_protocol::{
    QoS,
    packet::{Will, WillProperties},
    topic::{TopicFilter, TopicName},
};
use squall_scenario::DeviceId;

use super::scene::{PUBLISHER, RESET, Scene};
use crate::books::fingerprint;
use crate::books::{Memory, Values};

const QOS1: QoS = QoS::AtLeastOnce;

fn stamp(device: u32, sequence: u32) -> Stamp {
    Stamp {
        run: RunTag::of_seed(1),
        device: DeviceId(device),
        sequence,
        scheduled: squall_protocol::Instant::ZERO,
    }
}

fn retain(scene: &mut Scene, device: u32, sequence: u32, qos: QoS, payload: &str) {
    let published = Fact::Publication(PublicationFact::Sent {
        stamp: stamp(device, sequence),
        topic: "state",
        qos,
        retain: true,
        payload: payload.as_bytes(),
        properties: &squall_protocol::packet::PublishProperties::default(),
        reached_at: squall_protocol::Instant::ZERO,
        expiry: None,
        stamp_place: squall_scenario::StampPlace::Payload,
    });
    scene.tell(device, published);
}

fn acknowledge(scene: &mut Scene, device: u32, sequence: u32) {
    let acknowledged = Fact::Publication(PublicationFact::Acknowledged {
        stamp: stamp(device, sequence),
        topic: "state",
        reason: squall_protocol::ReasonCode::Success,
    });
    scene.tell(device, acknowledged);
}

/// The payloads that the topic may have; `None` is nothing.
fn allowed(scene: &Scene, candidates: &[&str]) -> Vec<Option<String>> {
    let filter = TopicFilter::new("#".into()).unwrap();
    let values = scene.ledger.retained.values(&filter, scene.now);
    let Values::OneOf(values) = &values["state"] else {
        panic!("values were dropped");
    };
    let mut names: Vec<Option<String>> = values
        .last
        .iter()
        .map(|value| {
            value.map(|hash| {
                let known = candidates
                    .iter()
                    .find(|text| fingerprint(text.as_bytes()) == hash);
                (*known.expect("a payload of the test")).to_owned()
            })
        })
        .collect();
    names.sort();
    names
}

/// What is acknowledged while a checker looks may have come before or after that: either value is right, at QoS 0 too.
#[test]
fn what_comes_while_a_checker_looks_may_be_found_or_not() {
    for qos in [QoS::AtMostOnce, QOS1] {
        let mut scene = Scene::ready(&[]);
        retain(&mut scene, PUBLISHER, 0, QOS1, "before");
        acknowledge(&mut scene, PUBLISHER, 0);
        scene.ledger.begin_checking(scene.now);
        retain(&mut scene, PUBLISHER, 1, qos, "meanwhile");
        if qos == QOS1 {
            acknowledge(&mut scene, PUBLISHER, 1);
        }

        let found = allowed(&scene, &["before", "meanwhile"]);

        let either = ["before", "meanwhile"].map(|text| Some(text.to_owned()));
        assert_eq!(found, either, "{qos:?}");
    }
}

/// The last acknowledged message replaces those before it.
#[test]
fn the_last_acknowledged_message_counts() {
    let mut scene = Scene::ready(&[]);
    for (sequence, text) in [(0, "a"), (1, "b")] {
        retain(&mut scene, PUBLISHER, sequence, QOS1, text);
        acknowledge(&mut scene, PUBLISHER, sequence);
    }

    assert_eq!(allowed(&scene, &["a", "b"]), [Some("b".to_owned())]);
}

/// A message in doubt may be there, or what was there before.
#[test]
fn a_message_in_doubt_may_be_there() {
    let mut scene = Scene::ready(&[]);
    retain(&mut scene, PUBLISHER, 0, QOS1, "a");
    acknowledge(&mut scene, PUBLISHER, 0);
    retain(&mut scene, PUBLISHER, 1, QOS1, "b");

    let both = [Some("a".to_owned()), Some("b".to_owned())];
    assert_eq!(allowed(&scene, &["a", "b"]), both);
}

/// Of two publishers whose messages crossed, either may be last.
#[test]
fn crossing_messages_may_come_in_either_order() {
    let mut scene = Scene::ready(&[]);
    scene.connect(1);
    retain(&mut scene, 0, 0, QOS1, "a");
    retain(&mut scene, 1, 0, QOS1, "b");
    acknowledge(&mut scene, 1, 0);
    acknowledge(&mut scene, 0, 0);
    assert_eq!(allowed(&scene, &["a", "b"]).len(), 2);

    retain(&mut scene, 1, 1, QOS1, "c");
    acknowledge(&mut scene, 1, 1);

    assert_eq!(allowed(&scene, &["a", "b", "c"]), [Some("c".to_owned())]);
}

/// An empty payload clears what is retained [MQTT-3.3.1-6].
#[test]
fn an_empty_payload_clears() {
    let mut scene = Scene::ready(&[]);
    for (sequence, text) in [(0, "a"), (1, "")] {
        retain(&mut scene, PUBLISHER, sequence, QOS1, text);
        acknowledge(&mut scene, PUBLISHER, sequence);
    }

    assert_eq!(allowed(&scene, &["a"]), [None]);
}

/// At QoS 0 a connection that stays up is the only acknowledgement there is (§4.3.1).
#[test]
fn qos_0_counts_while_the_connection_is_up() {
    let mut scene = Scene::ready(&[]);
    for (sequence, text) in [(0, "a"), (1, "b")] {
        retain(&mut scene, PUBLISHER, sequence, QoS::AtMostOnce, text);
    }
    assert_eq!(allowed(&scene, &["a", "b"]), [Some("b".to_owned())]);

    scene.end(PUBLISHER, RESET);

    let any = [None, Some("a".to_owned()), Some("b".to_owned())];
    assert_eq!(allowed(&scene, &["a", "b"]), any);
}

/// A topic whose values were given up may have anything; a later value that surely overwrote them
/// makes it known again.
#[test]
fn a_topic_with_too_many_values_is_unknown() {
    let memory = Memory {
        retained_candidates: 2,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory).made_ready(&[]);
    for sequence in 0..4 {
        retain(&mut scene, PUBLISHER, sequence, QOS1, "a");
    }
    let filter = TopicFilter::new("#".into()).unwrap();
    let values = scene.ledger.retained.values(&filter, scene.now);
    assert_eq!(values["state"], Values::Unknown);

    acknowledge(&mut scene, PUBLISHER, 3);

    assert_eq!(allowed(&scene, &["a"]), [Some("a".to_owned())]);
}

/// The will of a device that announces itself on the same topic, with RETAIN (§3.1.2.5).
fn death(topic: &str) -> Will {
    Will {
        topic: TopicName::new(topic.into()).unwrap(),
        payload: b"dead".to_vec(),
        qos: QOS1,
        retain: true,
        properties: WillProperties::default(),
    }
}

/// A device that has announced itself, and whose connection has ended a second later.
fn born_and_dead() -> Scene {
    let mut scene = Scene::new();
    scene.connect_sent(PUBLISHER, PUBLISHER, Some(&death("state")));
    scene.connected(PUBLISHER, PUBLISHER, false);
    retain(&mut scene, PUBLISHER, 0, QOS1, "born");
    acknowledge(&mut scene, PUBLISHER, 0);
    scene.wait(1_000);
    scene.end(PUBLISHER, RESET);
    scene
}

fn named(text: &str) -> Vec<Option<String>> {
    vec![Some(text.to_owned())]
}

/// A will comes after what its device had published; until the broker must have noticed, that may be
/// there still.
#[test]
fn a_death_comes_after_the_birth() {
    let mut scene = born_and_dead();
    let filter = TopicFilter::new("#".into()).unwrap();
    let early = scene.ledger.retained.values(&filter, scene.now);
    let Values::OneOf(early) = &early["state"] else {
        panic!("nothing was dropped");
    };
    assert_eq!((early.last.len(), early.not_yet.len()), (1, 1));

    scene.wait(6_000);

    assert_eq!(allowed(&scene, &["born", "dead"]), named("dead"));
    let late = scene.ledger.retained.values(&filter, scene.now);
    let Values::OneOf(late) = &late["state"] else {
        panic!("nothing was dropped");
    };
    assert_eq!(late.not_yet, []);
}

/// A device that is back has had its will published by then (§3.1.4): what it announces next counts.
#[test]
fn a_birth_after_the_reconnect_replaces_the_death() {
    let mut scene = born_and_dead();
    scene.connect_sent(PUBLISHER, PUBLISHER, Some(&death("state")));
    scene.connected(PUBLISHER, PUBLISHER, false);
    retain(&mut scene, PUBLISHER, 1, QOS1, "again");
    acknowledge(&mut scene, PUBLISHER, 1);

    assert_eq!(allowed(&scene, &["born", "dead", "again"]), named("again"));
}

/// Of two devices the order is known only where the broker must have noticed the end before.
#[test]
fn a_birth_of_another_device_may_come_before_the_death() {
    for (wait_ms, values) in [(0, 2), (6_000, 1)] {
        let mut scene = born_and_dead();
        scene.connect(1);
        scene.wait(wait_ms);
        retain(&mut scene, 1, 0, QOS1, "other");
        acknowledge(&mut scene, 1, 0);

        let allowed = allowed(&scene, &["born", "dead", "other"]);
        assert_eq!(allowed.len(), values, "{allowed:?}");
    }
}

/// What was not acknowledged when the connection ended may be sent again after the will.
#[test]
fn a_birth_in_doubt_may_come_after_the_death() {
    let mut scene = Scene::new();
    scene.connect_sent(PUBLISHER, PUBLISHER, Some(&death("state")));
    scene.connected(PUBLISHER, PUBLISHER, false);
    retain(&mut scene, PUBLISHER, 0, QOS1, "born");
    scene.end(PUBLISHER, RESET);
    scene.wait(6_000);

    assert_eq!(allowed(&scene, &["born", "dead"]).len(), 2);
}

/// A broker of others may have any number of retained topics: those of the run are compared, however many
/// there are of others.
#[test]
fn retained_topics_of_others_are_counted_beyond_a_limit() {
    let memory = Memory {
        found_topics: 3,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory).made_ready(&[]);
    retain(&mut scene, PUBLISHER, 0, QOS1, "a");
    let others: Vec<String> = (0..10).map(|number| format!("other/{number}")).collect();

    for topic in others.iter().map(String::as_str).chain(["state"]) {
        scene.ledger.retained.handle_checker(&RetainedFact::Found {
            expectation: 0,
            topic,
            payload: b"a",
        });
    }

    let probe = scene.ledger.retained.probe(0).expect("it found something");
    assert_eq!((probe.found.len(), probe.forgotten), (4, 7));
    assert!(probe.found.contains_key("state"));
}
