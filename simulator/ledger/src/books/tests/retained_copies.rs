//! Copies out of the broker's store of retained messages, for one subscription and for several.

use squall_fleet::{DeliveredFact, Fact, Pace, PublicationFact};
use squall_protocol::{QoS, ReasonCode, packet::PublishProperties};

use super::scene::{CLEAN, PUBLISHER, Scene, message};
use crate::books::Tally;

const QOS2: QoS = QoS::ExactlyOnce;

/// A subscriber that has message 0 of a retained topic, and then a copy of it with RETAIN.
fn retained_copy(subscribe_again: impl FnOnce(&mut Scene)) -> Tally {
    let mut scene = Scene::ready(&[CLEAN]);
    retain(&mut scene);
    scene.deliver(CLEAN, 0, QOS2);
    subscribe_again(&mut scene);
    deliver_retained(&mut scene);
    scene.acknowledge(0, ReasonCode::Success);
    scene.close()
}

/// A subscriber that comes after message 0 of a retained topic, and `copies` of it with RETAIN.
fn retained_copies(copies: u32, subscribe_again: impl FnOnce(&mut Scene)) -> Tally {
    let mut scene = Scene::ready(&[]);
    retain(&mut scene);
    scene.acknowledge(0, ReasonCode::Success);
    scene.connect(CLEAN);
    scene.subscribe(CLEAN, "t", QOS2);
    subscribe_again(&mut scene);
    for _ in 0..copies {
        deliver_retained(&mut scene);
    }
    scene.close()
}

fn retain(scene: &mut Scene) {
    let (stamp, payload) = message(0);
    let due = Fact::Publication(PublicationFact::Due {
        stamp,
        topic: "t",
        qos: QOS2,
        pace: Pace::Schedule,
    });
    scene.tell(PUBLISHER, due);
    let retained = Fact::Publication(PublicationFact::Sent {
        stamp,
        topic: "t",
        qos: QOS2,
        retain: true,
        payload: &payload,
        properties: &squall_protocol::packet::PublishProperties::default(),
        reached_at: stamp.scheduled,
        expiry: None,
        stamp_place: squall_scenario::StampPlace::Payload,
    });
    scene.tell(PUBLISHER, retained);
}

fn deliver_retained(scene: &mut Scene) {
    let (stamp, payload) = message(0);
    let copy = Fact::Delivered(DeliveredFact {
        topic: "t",
        qos: QOS2,
        dup: false,
        retain: true,
        payload: &payload,
        properties: &PublishProperties::default(),
        stamp: Some(stamp),
    });
    scene.tell(CLEAN, copy);
}

/// One SUBSCRIBE brings what is retained once [MQTT-3.3.1-9].
#[test]
fn a_second_retained_copy_for_one_subscribe_is_a_duplicate() {
    for (subscribes, forbidden) in [(1, 1), (2, 0)] {
        let tally = retained_copies(2, |scene| {
            for _ in 1..subscribes {
                scene.subscribe(CLEAN, "t", QOS2);
            }
        });

        assert_eq!(tally.forbidden, forbidden);
        assert_eq!(tally.optional, 2 - forbidden);
    }
}

/// A copy from the store of retained messages is beside what is owed [MQTT-3.3.1-9].
#[test]
fn a_retained_copy_for_a_new_subscription_is_not_a_duplicate() {
    let tally = retained_copy(|scene| scene.subscribe(CLEAN, "t", QOS2));

    assert_eq!((tally.optional, tally.duplicated), (1, 0));
}

/// A subscription that was there before the message gets nothing from the store
/// [MQTT-3.3.1-12].
#[test]
fn a_retained_copy_without_a_new_subscription_is_a_duplicate() {
    let tally = retained_copy(|_| {});

    assert_eq!((tally.optional, tally.forbidden), (0, 1));
}
