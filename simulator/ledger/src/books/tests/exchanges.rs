//! QoS 2 exchanges: whose turn it is, and how long the broker took (§4.3.3).

use std::time::Duration;

use squall_fleet::{About, Fact, LegFact, Observation, ReceiverLeg, SenderLeg};
use squall_protocol::{PacketId, QoS, ReasonCode};

use super::scene::{CLEAN, KEPT, PUBLISHER, RESET, Scene, message};
use crate::books::handshakes::HandshakeTime;
use crate::books::{Finding, HandshakeCounts};

fn id() -> PacketId {
    PacketId::new(1).unwrap()
}

fn send(scene: &mut Scene, leg: SenderLeg) {
    let (stamp, _) = message(0);
    let fact = Fact::Leg(LegFact::Sender {
        stamp,
        topic: "t",
        id: id(),
        leg,
    });
    scene.tell(PUBLISHER, fact);
}

fn receive(scene: &mut Scene, device: u32, legs: &[ReceiverLeg]) {
    for &leg in legs {
        scene.tell(device, Fact::Leg(LegFact::Receiver { id: id(), leg }));
    }
}

fn counts(scene: &mut Scene) -> HandshakeCounts {
    scene.close();
    scene.ledger.handshakes.counts().clone()
}

/// An exchange that waits for the broker at the end is incomplete; one that waits for the device
/// is the device's own affair.
#[test]
fn the_one_whose_turn_it_is_is_to_blame() {
    let sender = [
        (vec![SenderLeg::PublishSent], 1),
        (vec![SenderLeg::PublishSent, SenderLeg::PubrecReceived], 0),
        (
            vec![
                SenderLeg::PublishSent,
                SenderLeg::PubrecReceived,
                SenderLeg::PubrelSent,
            ],
            1,
        ),
    ];
    for (legs, incomplete) in sender {
        let mut scene = Scene::ready(&[]);
        for &leg in &legs {
            send(&mut scene, leg);
        }
        assert_eq!(counts(&mut scene).incomplete, incomplete, "{legs:?}");
    }
    let receiver = [
        (vec![ReceiverLeg::PublishReceived], 0),
        (
            vec![ReceiverLeg::PublishReceived, ReceiverLeg::PubrecSent],
            1,
        ),
        (
            vec![
                ReceiverLeg::PublishReceived,
                ReceiverLeg::PubrecSent,
                ReceiverLeg::PubrelReceived,
            ],
            0,
        ),
    ];
    for (legs, incomplete) in receiver {
        let mut scene = Scene::ready(&[CLEAN]);
        receive(&mut scene, CLEAN, &legs);
        assert_eq!(counts(&mut scene).incomplete, incomplete, "{legs:?}");
    }
}

/// An exchange of a Session that is gone, or of a device that is offline, is not a fault of the broker.
#[test]
fn an_exchange_without_a_connection_is_excused() {
    let mut scene = Scene::ready(&[CLEAN, KEPT]);
    let open = [ReceiverLeg::PublishReceived, ReceiverLeg::PubrecSent];
    receive(&mut scene, CLEAN, &open);
    receive(&mut scene, KEPT, &open);
    scene.end(CLEAN, RESET);
    scene.end(KEPT, RESET);

    let counts = counts(&mut scene);

    assert_eq!(counts.incomplete, 0);
    assert_eq!(
        counts.open.get("receiver awaits PUBREL"),
        Some(&1),
        "the kept one"
    );
}

/// A PUBREC with an error ends an exchange [MQTT-4.3.3-4].
#[test]
fn a_refusal_ends_an_exchange() {
    let mut scene = Scene::ready(&[]);
    scene.send(0, QoS::ExactlyOnce);
    send(&mut scene, SenderLeg::PublishSent);
    scene.acknowledge(0, ReasonCode::QuotaExceeded);

    let counts = counts(&mut scene);

    assert_eq!((counts.sender_completed, counts.incomplete), (1, 0));
}

/// A PUBLISH that was sent again is to be answered, unless its connection ends [MQTT-4.3.3-10].
#[test]
fn a_repeat_awaits_its_answer() {
    for (is_cut, unanswered) in [(false, 1), (true, 0)] {
        let mut scene = Scene::ready(&[]);
        send(&mut scene, SenderLeg::PublishSent);
        send(&mut scene, SenderLeg::PublishResent);
        if is_cut {
            scene.end(PUBLISHER, RESET);
        }

        let counts = counts(&mut scene);

        assert_eq!((counts.dup_sent, counts.dup_unanswered), (1, unanswered));
    }
}

/// An identifier is free again after PUBCOMP: the next PUBLISH with it is new [MQTT-4.3.3-12].
#[test]
fn an_identifier_is_used_again_after_pubcomp() {
    let whole = [
        ReceiverLeg::PublishReceived,
        ReceiverLeg::PubrecSent,
        ReceiverLeg::PubrelReceived,
        ReceiverLeg::PubcompSent,
    ];
    let mut scene = Scene::ready(&[CLEAN]);
    receive(&mut scene, CLEAN, &whole);
    receive(&mut scene, CLEAN, &whole);

    let counts = counts(&mut scene);

    assert_eq!((counts.receiver_started, counts.receiver_completed), (2, 2));
    assert_eq!(counts.publish_after_pubrel, 0);
}

/// What an exchange takes is what the broker takes: neither the device's own delay nor the time
/// without a connection counts.
#[test]
fn only_the_brokers_time_counts() {
    let mut scene = Scene::ready(&[]);
    let mut took = Vec::new();
    for (leg, wait_ms) in [
        (SenderLeg::PublishSent, 700),
        (SenderLeg::PublishResent, 30),
        (SenderLeg::PubrecReceived, 500),
        (SenderLeg::PubrelSent, 900),
        (SenderLeg::PubrelSent, 40),
        (SenderLeg::PubcompReceived, 0),
    ] {
        let (stamp, _) = message(0);
        let observation = Observation {
            about: About::Device {
                device: squall_scenario::DeviceId(PUBLISHER),
                client: squall_scenario::ClientKey(PUBLISHER),
                socket: squall_fleet::SocketId(1),
            },
            waited: None,
            on_link: Duration::ZERO,
            fact: Fact::Leg(LegFact::Sender {
                stamp,
                topic: "t",
                id: id(),
                leg,
            }),
        };
        let mut findings = Vec::new();
        scene.ledger.observe(scene.now, &observation, &mut findings);
        took.extend(findings);
        scene.wait(wait_ms);
    }

    let expected = Finding::Handshake(HandshakeTime::Whole(Duration::from_millis(70)));
    assert_eq!(took.last(), Some(&expected));
}
