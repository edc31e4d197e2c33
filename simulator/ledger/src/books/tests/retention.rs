//! What the broker must have retained, as far as its order is known (§3.3.1.3).

use squall_fleet::{Fact, PublicationFact, RunTag, Stamp};
use squall_protocol::{QoS, topic::TopicFilter};
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

fn retain(scene: &mut Scene, (device, sequence): (u32, u32), qos: QoS, payload: &str) {
    let published = Fact::Publication(PublicationFact::Sent {
        stamp: stamp(device, sequence),
        topic: "state",
        qos,
        retain: true,
        payload: payload.as_bytes(),
        reached_at: squall_protocol::Instant::ZERO,
    });
    scene.tell(device, published);
}

fn acknowledge(scene: &mut Scene, (device, sequence): (u32, u32)) {
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
    let values = scene.ledger.retained.last_publishes(&filter);
    let Values::OneOf(values) = &values["state"] else {
        panic!("values were dropped");
    };
    let mut names: Vec<Option<String>> = values
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

/// The last acknowledged message replaces those before it.
#[test]
fn the_last_acknowledged_message_counts() {
    let mut scene = Scene::ready(&[]);
    for (sequence, text) in [(0, "a"), (1, "b")] {
        retain(&mut scene, (PUBLISHER, sequence), QOS1, text);
        acknowledge(&mut scene, (PUBLISHER, sequence));
    }

    assert_eq!(allowed(&scene, &["a", "b"]), [Some("b".to_owned())]);
}

/// A message in doubt may be there, or what was there before.
#[test]
fn a_message_in_doubt_may_be_there() {
    let mut scene = Scene::ready(&[]);
    retain(&mut scene, (PUBLISHER, 0), QOS1, "a");
    acknowledge(&mut scene, (PUBLISHER, 0));
    retain(&mut scene, (PUBLISHER, 1), QOS1, "b");

    let both = [Some("a".to_owned()), Some("b".to_owned())];
    assert_eq!(allowed(&scene, &["a", "b"]), both);
}

/// Of two publishers whose messages crossed, either may be last.
#[test]
fn crossing_messages_may_come_in_either_order() {
    let mut scene = Scene::ready(&[]);
    scene.connect(1);
    retain(&mut scene, (0, 0), QOS1, "a");
    retain(&mut scene, (1, 0), QOS1, "b");
    acknowledge(&mut scene, (1, 0));
    acknowledge(&mut scene, (0, 0));
    assert_eq!(allowed(&scene, &["a", "b"]).len(), 2);

    retain(&mut scene, (1, 1), QOS1, "c");
    acknowledge(&mut scene, (1, 1));

    assert_eq!(allowed(&scene, &["a", "b", "c"]), [Some("c".to_owned())]);
}

/// An empty payload clears what is retained [MQTT-3.3.1-6].
#[test]
fn an_empty_payload_clears() {
    let mut scene = Scene::ready(&[]);
    for (sequence, text) in [(0, "a"), (1, "")] {
        retain(&mut scene, (PUBLISHER, sequence), QOS1, text);
        acknowledge(&mut scene, (PUBLISHER, sequence));
    }

    assert_eq!(allowed(&scene, &["a"]), [None]);
}

/// At QoS 0 a connection that stays up is the only acknowledgement there is (§4.3.1).
#[test]
fn qos_0_counts_while_the_connection_is_up() {
    let mut scene = Scene::ready(&[]);
    for (sequence, text) in [(0, "a"), (1, "b")] {
        retain(&mut scene, (PUBLISHER, sequence), QoS::AtMostOnce, text);
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
        retain(&mut scene, (PUBLISHER, sequence), QOS1, "a");
    }
    let filter = TopicFilter::new("#".into()).unwrap();
    let values = scene.ledger.retained.last_publishes(&filter);
    assert_eq!(values["state"], Values::Unknown);

    acknowledge(&mut scene, (PUBLISHER, 3));

    assert_eq!(allowed(&scene, &["a"]), [Some("a".to_owned())]);
}
