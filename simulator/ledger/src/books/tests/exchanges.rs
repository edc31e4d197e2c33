//! QoS 2 exchanges: whose turn it is, and how long the broker took (§4.3.3).

use std::time::Duration;

use squall_fleet::{About, Fact, LegFact, Observation, ReceiverLeg, SenderLeg};
use squall_protocol::{PacketId, QoS, ReasonCode};

use super::scene::{CLEAN, KEPT, PUBLISHER, RESET, Scene, message};
use crate::books::handshakes::HandshakeTime;
use crate::books::{Finding, HandshakeCounts};

pub(super) fn id() -> PacketId {
    PacketId::new(1).unwrap()
}

pub(super) fn send(scene: &mut Scene, leg: SenderLeg) {
    let (stamp, _) = message(0);
    let fact = Fact::Leg(LegFact::Sender {
        stamp,
        topic: "t",
        id: id(),
        leg,
    });
    scene.tell(PUBLISHER, fact);
}

pub(super) fn receive(scene: &mut Scene, device: u32, legs: &[ReceiverLeg]) {
    for &leg in legs {
        scene.tell(device, Fact::Leg(LegFact::Receiver { id: id(), leg }));
    }
}

/// The counts of a run that went on for long after the last packet.
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

/// A broker that is busy may go on with an exchange a moment after the end: it is left after five seconds, and after twice what
/// the slowest answer took.
#[test]
fn an_exchange_may_go_on_after_the_end() {
    for (slowest, waited, incomplete) in [
        (0, 4_900, 0),
        (0, 5_100, 1),
        (4_000, 7_900, 0),
        (4_000, 8_100, 1),
    ] {
        let mut scene = Scene::ready(&[CLEAN]);
        send(&mut scene, SenderLeg::PublishSent);
        scene.wait(slowest);
        send(&mut scene, SenderLeg::PubrecReceived);
        let open = [ReceiverLeg::PublishReceived, ReceiverLeg::PubrecSent];
        receive(&mut scene, CLEAN, &open);
        scene.wait(waited);

        scene.ledger.close(scene.now);

        let counts = scene.ledger.handshakes.counts();
        let found = (counts.incomplete, counts.coming.count);
        assert_eq!(found, (incomplete, 1 - incomplete), "{slowest} {waited}");
    }
}

/// While a device is away its broker cannot go on: it is waited for from the reconnect, and the absence is not part of what it
/// takes.
#[test]
fn an_absence_is_not_the_brokers() {
    let open = [ReceiverLeg::PublishReceived, ReceiverLeg::PubrecSent];
    for (waited, incomplete) in [(4_900, 0), (5_100, 1)] {
        let mut scene = Scene::ready(&[KEPT]);
        receive(&mut scene, KEPT, &open);
        scene.end(KEPT, RESET);
        scene.wait(60_000);
        scene.connect_as(KEPT, KEPT, true);
        receive(&mut scene, KEPT, &[ReceiverLeg::PubrelReceived]);
        receive(&mut scene, KEPT, &[ReceiverLeg::PubcompSent]);
        receive(&mut scene, KEPT, &open);
        scene.end(KEPT, RESET);
        scene.wait(60_000);
        scene.connect_as(KEPT, KEPT, true);
        scene.wait(waited);
        scene.ledger.close(scene.now);

        let counts = scene.ledger.handshakes.counts();

        let found = (counts.incomplete, counts.coming.count);
        assert_eq!(found, (incomplete, 1 - incomplete), "{waited}");
    }
}

/// A broker that answers slowly has as much time for a PUBLISH that was sent again.
#[test]
fn a_slow_broker_has_time_for_a_repeat() {
    for (waited, unanswered) in [(15_000, 0), (21_000, 1)] {
        let mut scene = Scene::ready(&[KEPT]);
        send(&mut scene, SenderLeg::PublishSent);
        scene.wait(10_000);
        send(&mut scene, SenderLeg::PubrecReceived);
        send(&mut scene, SenderLeg::PubrelSent);
        send(&mut scene, SenderLeg::PubcompReceived);
        send(&mut scene, SenderLeg::PublishSent);
        reconnect(&mut scene, PUBLISHER);
        send(&mut scene, SenderLeg::PublishResent);
        scene.wait(waited);
        scene.ledger.close(scene.now);

        let counts = scene.ledger.handshakes.counts();

        assert_eq!(counts.dup_unanswered, unanswered, "{waited}");
    }
}

/// PUBREL comes again when the PUBCOMP was lost: that completes nothing more.
#[test]
fn a_release_that_comes_again_completes_nothing() {
    let mut scene = Scene::ready(&[CLEAN]);
    let released = [ReceiverLeg::PubrelReceived, ReceiverLeg::PubcompSent];
    receive(
        &mut scene,
        CLEAN,
        &[ReceiverLeg::PublishReceived, ReceiverLeg::PubrecSent],
    );
    for _ in 0..3 {
        receive(&mut scene, CLEAN, &released);
    }

    let counts = counts(&mut scene);

    assert_eq!((counts.receiver_started, counts.receiver_completed), (1, 1));
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
        reconnect(&mut scene, PUBLISHER);
        send(&mut scene, SenderLeg::PublishResent);
        if is_cut {
            scene.end(PUBLISHER, RESET);
        }

        let counts = counts(&mut scene);

        assert_eq!((counts.dup_sent, counts.dup_unanswered), (1, unanswered));
    }
}

/// On one connection each repeat is answered by a PUBREC of its own, and the first PUBREC answers the first PUBLISH
/// [MQTT-4.3.3-10].
#[test]
fn each_repeat_on_the_same_connection_awaits_an_answer_of_its_own() {
    for (pubrecs, answered) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2)] {
        let mut scene = Scene::ready(&[]);
        send(&mut scene, SenderLeg::PublishSent);
        send(&mut scene, SenderLeg::PublishResent);
        send(&mut scene, SenderLeg::PublishResent);
        for _ in 0..pubrecs {
            send(&mut scene, SenderLeg::PubrecReceived);
        }
        scene.wait(5_000);

        let counts = counts(&mut scene);

        assert_eq!(counts.dup_sent, 2);
        let of_two = (counts.dup_answered, counts.dup_unanswered);
        assert_eq!(of_two, (answered, 2 - answered), "{pubrecs} answers");
    }
}

/// The answer to a repeat may come behind the PUBCOMP that ends its exchange, and is due still.
#[test]
fn a_repeat_may_be_answered_after_the_end_of_its_exchange() {
    for (is_answered, unanswered) in [(true, 0), (false, 1)] {
        let mut scene = Scene::ready(&[]);
        for leg in [
            SenderLeg::PublishSent,
            SenderLeg::PublishResent,
            SenderLeg::PubrecReceived,
            SenderLeg::PubrelSent,
            SenderLeg::PubcompReceived,
        ] {
            send(&mut scene, leg);
        }
        if is_answered {
            let late = LegFact::PubrecAfterEnd { id: id() };
            scene.tell(PUBLISHER, Fact::Leg(late));
        }
        scene.wait(5_000);

        let counts = counts(&mut scene);

        assert_eq!(counts.sender_completed, 1);
        assert_eq!(counts.dup_unanswered, unanswered);
    }
}

/// A repeat that was sent just before the books are closed may be answered behind that.
#[test]
fn a_repeat_just_before_the_end_is_not_missed() {
    let mut scene = Scene::ready(&[]);
    send(&mut scene, SenderLeg::PublishSent);
    scene.wait(60_000);
    send(&mut scene, SenderLeg::PublishResent);
    scene.wait(100);

    scene.ledger.close(scene.now);

    assert_eq!(scene.ledger.handshakes.counts().dup_unanswered, 0);
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

fn reconnect(scene: &mut Scene, device: u32) {
    scene.end(device, RESET);
    scene.connect_as(device, device, true);
}

/// What an exchange of these legs took, with a wait behind each; before those with `true` the device reconnects.
fn time_of(legs: [(SenderLeg, bool, u64); 6]) -> Option<Finding> {
    let mut scene = Scene::ready(&[KEPT]);
    let mut took = Vec::new();
    for (leg, is_reconnected, wait_ms) in legs {
        if is_reconnected {
            reconnect(&mut scene, KEPT);
        }
        let (stamp, _) = message(0);
        let observation = Observation {
            about: About::Device {
                device: squall_scenario::DeviceId(KEPT),
                client: squall_scenario::ClientKey(KEPT),
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
    took.last().copied()
}

fn whole(ms: u64) -> Option<Finding> {
    let took = HandshakeTime::Whole(Duration::from_millis(ms));
    Some(Finding::Handshake(took))
}

/// What an exchange takes is what the broker takes: neither the device's own delay nor the time
/// without a connection counts.
#[test]
fn only_the_brokers_time_counts() {
    let took = time_of([
        (SenderLeg::PublishSent, false, 700),
        (SenderLeg::PublishResent, true, 30),
        (SenderLeg::PubrecReceived, false, 500),
        (SenderLeg::PubrelSent, false, 900),
        (SenderLeg::PubrelSent, true, 40),
        (SenderLeg::PubcompReceived, false, 0),
    ]);

    assert_eq!(took, whole(70));
}

/// What is sent again on the same connection does not make the broker faster: it had the first since.
#[test]
fn a_repeat_on_the_same_connection_does_not_begin_the_time_anew() {
    let took = time_of([
        (SenderLeg::PublishSent, false, 700),
        (SenderLeg::PublishResent, false, 30),
        (SenderLeg::PubrecReceived, false, 500),
        (SenderLeg::PubrelSent, false, 900),
        (SenderLeg::PubrelSent, false, 40),
        (SenderLeg::PubcompReceived, false, 0),
    ]);

    assert_eq!(took, whole(1_670));
}
