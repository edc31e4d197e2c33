//! QoS 2 exchanges that wait for the broker when their connection or their Session ends.

use squall_fleet::{EndCause, Fact, LegFact, ReceiverLeg, SenderLeg};
use squall_protocol::{QoS, ReasonCode};
use squall_scenario::Farewell;

use super::exchanges::{id, receive, send};
use super::scene::{CLEAN, KEPT, PUBLISHER, RESET, Scene};
use crate::books::HandshakeCounts;

const LEAVES: EndCause = EndCause::WentAway(Farewell::Polite);

/// What the books say when the run has gone on for ten seconds.
fn closed(mut scene: Scene) -> HandshakeCounts {
    scene.close();
    scene.ledger.handshakes.counts().clone()
}

fn send_all(scene: &mut Scene, legs: &[SenderLeg]) {
    for &leg in legs {
        send(scene, leg);
    }
}

const AWAITS_PUBCOMP: [SenderLeg; 3] = [
    SenderLeg::PublishSent,
    SenderLeg::PubrecReceived,
    SenderLeg::PubrelSent,
];
const AWAITS_PUBREL: [ReceiverLeg; 2] = [ReceiverLeg::PublishReceived, ReceiverLeg::PubrecSent];

/// Exchanges by what became of them: given up by the broker, or not judged.
fn found(counts: &HandshakeCounts) -> (u64, u64) {
    (counts.incomplete, counts.left + counts.coming.count)
}

/// What waited for the broker for long when its device left is given up, however the books end. What waited for a while is
/// not judged, and what was under way just then is nothing.
#[test]
fn what_waited_for_long_at_the_end_of_a_session_is_incomplete() {
    for (waited, expected) in [(40_000, (1, 0)), (1_000, (0, 1)), (100, (0, 0))] {
        for cause in [LEAVES, RESET] {
            let mut scene = Scene::ready(&[]);
            send_all(&mut scene, &AWAITS_PUBCOMP);
            scene.wait(waited);
            scene.end(PUBLISHER, cause);
            assert_eq!(found(&closed(scene)), expected, "sender, {waited} ms");

            let mut scene = Scene::ready(&[CLEAN]);
            receive(&mut scene, CLEAN, &AWAITS_PUBREL);
            scene.wait(waited);
            scene.end(CLEAN, cause);
            assert_eq!(found(&closed(scene)), expected, "receiver, {waited} ms");
        }
    }
}

/// What waited for a long time on the last connection of a Session that outlives it is given up too.
#[test]
fn what_waited_for_long_at_the_last_end_is_incomplete() {
    for (waited, expected) in [(40_000, (1, 0)), (1_000, (0, 1)), (100, (0, 0))] {
        let mut scene = Scene::ready(&[KEPT]);
        receive(&mut scene, KEPT, &AWAITS_PUBREL);
        scene.wait(waited);
        scene.end(KEPT, RESET);
        assert_eq!(found(&closed(scene)), expected, "{waited} ms");
    }
}

/// A broker that is slow altogether has more time, also where that is seen only later.
#[test]
fn how_slow_the_broker_is_may_be_seen_later() {
    let mut scene = Scene::ready(&[CLEAN, CLEAN + 1]);
    receive(&mut scene, CLEAN, &AWAITS_PUBREL);
    receive(&mut scene, CLEAN + 1, &AWAITS_PUBREL);
    scene.wait(8_000);
    scene.end(CLEAN, LEAVES);
    receive(&mut scene, CLEAN + 1, &[ReceiverLeg::PubrelReceived]);
    receive(&mut scene, CLEAN + 1, &[ReceiverLeg::PubcompSent]);

    let counts = closed(scene);

    assert_eq!(found(&counts), (0, 0), "{counts:?}");
}

/// Another group's slow answers say nothing once the group has had answers of its own, also where those come later.
#[test]
fn what_another_group_waited_for_excuses_nothing_that_ended_before_the_first_answer() {
    let mut scene = Scene::ready(&[CLEAN, CLEAN + 1]);
    send(&mut scene, SenderLeg::PublishSent);
    scene.wait(4_000);
    send_all(
        &mut scene,
        &[
            SenderLeg::PubrecReceived,
            SenderLeg::PubrelSent,
            SenderLeg::PubcompReceived,
        ],
    );
    receive(&mut scene, CLEAN, &AWAITS_PUBREL);
    scene.wait(6_000);
    scene.end(CLEAN, LEAVES);
    receive(&mut scene, CLEAN + 1, &AWAITS_PUBREL);
    let rest = [ReceiverLeg::PubrelReceived, ReceiverLeg::PubcompSent];
    receive(&mut scene, CLEAN + 1, &rest);

    assert_eq!(found(&closed(scene)), (1, 0));
}

/// A Session that goes on, and whose exchange ends on a later connection, has nothing incomplete.
#[test]
fn an_exchange_that_ends_later_is_complete() {
    let mut scene = Scene::ready(&[KEPT]);
    receive(&mut scene, KEPT, &AWAITS_PUBREL);
    scene.wait(40_000);
    scene.end(KEPT, RESET);
    scene.connect_as(KEPT, KEPT, true);
    let rest = [ReceiverLeg::PubrelReceived, ReceiverLeg::PubcompSent];
    receive(&mut scene, KEPT, &rest);

    assert_eq!(found(&closed(scene)), (0, 0));
}

/// A Session that another device takes over is that one's: what the first waits for from then on never comes.
#[test]
fn a_session_that_is_taken_over_is_another_devices() {
    for (waited, expected) in [(40_000, (1, 0)), (100, (0, 0))] {
        let mut scene = Scene::ready(&[KEPT]);
        receive(&mut scene, KEPT, &AWAITS_PUBREL);
        scene.wait(waited);
        scene.connect_as(KEPT + 1, KEPT, true);
        scene.wait(60_000);

        assert_eq!(found(&closed(scene)), expected, "{waited} ms");
    }
}

/// A repeat that waited for its PUBREC for long before its connection ended is not answered. One that waited for a while is not
/// judged.
#[test]
fn a_repeat_may_wait_for_long_before_its_connection_ends() {
    for (waited, expected) in [(40_000, (1, 0)), (1_000, (0, 1)), (100, (0, 0))] {
        let mut scene = Scene::ready(&[]);
        send_all(
            &mut scene,
            &[SenderLeg::PublishSent, SenderLeg::PublishResent],
        );
        scene.wait(waited);
        scene.end(PUBLISHER, RESET);

        let counts = closed(scene);

        let found = (counts.dup_unanswered, counts.dup_left);
        assert_eq!(found, expected, "{waited} ms");
    }
}

/// A PUBREC with an error answers one PUBLISH, and each of its repeats awaits another [MQTT-4.3.3-10].
#[test]
fn a_refusal_answers_one_publish() {
    for (answers, answered) in [(0, 0), (1, 1), (2, 2)] {
        let mut scene = Scene::ready(&[]);
        scene.send(0, QoS::ExactlyOnce);
        let legs = [
            SenderLeg::PublishSent,
            SenderLeg::PublishResent,
            SenderLeg::PublishResent,
            SenderLeg::PubrecReceived,
        ];
        send_all(&mut scene, &legs);
        scene.acknowledge(0, ReasonCode::QuotaExceeded);
        for _ in 0..answers {
            let late = LegFact::PubrecAfterEnd { id: id() };
            scene.tell(PUBLISHER, Fact::Leg(late));
        }

        let counts = closed(scene);

        let found = (counts.dup_answered, counts.dup_unanswered);
        assert_eq!(found, (answered, 2 - answered));
    }
}

/// What is kept of exchanges that waited for long when their Sessions ended is bounded; beyond that nothing is concluded.
#[test]
fn what_is_kept_of_ended_sessions_is_bounded() {
    let mut scene = Scene::ready(&[]);
    let rounds = 10_050;
    for _ in 0..rounds {
        send(&mut scene, SenderLeg::PublishSent);
        scene.wait(20_000);
        scene.end(PUBLISHER, LEAVES);
        scene.connect(PUBLISHER);
    }

    let counts = closed(scene);

    assert_eq!((counts.incomplete, counts.left), (10_000, 50));
}
