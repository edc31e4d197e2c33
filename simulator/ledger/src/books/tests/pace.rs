//! What of the time that an exchange waits is the broker's, and what of that tells how slow it is.

use std::time::Duration;

use squall_fleet::{
    About, BrokerFact, ConnectionFact, Departure, EndCause, Fact, Observation, ReceiverLeg,
    SenderLeg, Way,
};
use squall_scenario::{BrokerAction, Farewell, FaultId};

use super::exchanges::{receive, send};
use super::scene::{CLEAN, PUBLISHER, Scene};
use crate::books::{Ledger, Memory, WatchedClaims};

const AWAITS_PUBREL: [ReceiverLeg; 2] = [ReceiverLeg::PublishReceived, ReceiverLeg::PubrecSent];
const REST: [ReceiverLeg; 2] = [ReceiverLeg::PubrelReceived, ReceiverLeg::PubcompSent];

fn on_links() -> Scene {
    let roster = Scene::roster().with_links();
    let ledger = Ledger::new(roster, WatchedClaims::default(), Memory::default());
    Scene::of(ledger).made_ready(&[CLEAN])
}

/// So many packets leave the link of a device.
fn leave(scene: &mut Scene, device: u32, packets: u32) {
    let left = ConnectionFact::LeftLink(Departure::Asking(packets));
    scene.tell(device, Fact::Connection(left));
}

/// Exchanges that the broker has given up, and those of which it is not known, when the books are closed now.
fn closed(mut scene: Scene) -> (u64, u64) {
    scene.ledger.close(scene.now);
    let counts = scene.ledger.handshakes.counts();
    (counts.incomplete, counts.coming.count)
}

fn stop_reading(scene: &mut Scene, device: u32) {
    let stopped = ConnectionFact::ReadingStopped {
        fault: FaultId(0),
        number: 0,
    };
    scene.tell(device, Fact::Connection(stopped));
}

/// The device stops reading for so long.
fn stall(scene: &mut Scene, device: u32, ms: u64) {
    stop_reading(scene, device);
    let since = scene.now;
    scene.wait(ms);
    let resumed = ConnectionFact::ReadingResumed { since };
    scene.tell(device, Fact::Connection(resumed));
}

/// A fault pauses the broker for so long.
fn pause(scene: &mut Scene, ms: u64) {
    let tell = |scene: &mut Scene, fact| {
        let observation = Observation {
            about: About::Run,
            waited: None,
            on_link: Duration::ZERO,
            fact: Fact::Broker(fact),
        };
        scene
            .ledger
            .observe(scene.now, &observation, &mut Vec::new());
    };
    let struck = BrokerFact::Struck {
        fault: FaultId(0),
        number: 0,
        action: BrokerAction::Pause,
    };
    tell(scene, struck);
    scene.wait(ms);
    tell(scene, BrokerFact::Back);
}

/// What the link of a device holds the broker cannot answer: it is waited for from when that has left.
#[test]
fn an_exchange_is_waited_for_from_when_it_has_left_the_link() {
    for (after_ms, expected) in [(None, (0, 0)), (Some(4_900), (0, 1)), (Some(5_100), (1, 0))] {
        for legs in [1, 3] {
            let mut scene = on_links();
            let sent = [
                SenderLeg::PublishSent,
                SenderLeg::PubrecReceived,
                SenderLeg::PubrelSent,
            ];
            for &leg in &sent[..legs] {
                send(&mut scene, leg);
                if leg != SenderLeg::PubrecReceived && leg != sent[legs - 1] {
                    leave(&mut scene, PUBLISHER, 1);
                }
            }
            answer_once(&mut scene);
            scene.wait(30_000);
            if let Some(after_ms) = after_ms {
                leave(&mut scene, PUBLISHER, 1);
                scene.wait(after_ms);
            }
            assert_eq!(closed(scene), expected, "{legs} legs, {after_ms:?}");
        }
        let mut scene = on_links();
        answer_once(&mut scene);
        receive(&mut scene, CLEAN, &AWAITS_PUBREL);
        scene.wait(30_000);
        if let Some(after_ms) = after_ms {
            leave(&mut scene, CLEAN, 1);
            scene.wait(after_ms);
        }
        assert_eq!(closed(scene), expected, "receiver, {after_ms:?}");
    }
}

/// An exchange with a reader that the broker answers at once.
fn answer_once(scene: &mut Scene) {
    receive(scene, CLEAN, &AWAITS_PUBREL);
    leave(scene, CLEAN, 1);
    receive(scene, CLEAN, &REST);
}

/// What leaves the link is told in the order in which it was sent, also what is sent for an exchange that is forgotten.
#[test]
fn a_release_of_a_forgotten_exchange_leaves_the_link_too() {
    for (packets, expected) in [(1, (0, 0)), (2, (1, 0))] {
        let mut scene = on_links();
        answer_once(&mut scene);
        send(&mut scene, SenderLeg::PubrelSent);
        send(&mut scene, SenderLeg::PublishSent);
        leave(&mut scene, PUBLISHER, packets);
        scene.wait(30_000);

        assert_eq!(closed(scene), expected, "{packets}");
    }
}

/// The same for a repeat: it is to be answered from when it has left the link.
#[test]
fn a_repeat_is_waited_for_from_when_it_has_left_the_link() {
    for (after_ms, unanswered) in [(4_900, 0), (5_100, 1)] {
        let mut scene = on_links();
        answer_once(&mut scene);
        send(&mut scene, SenderLeg::PublishSent);
        send(&mut scene, SenderLeg::PublishResent);
        scene.wait(30_000);
        leave(&mut scene, PUBLISHER, 2);
        scene.wait(after_ms);

        scene.ledger.close(scene.now);

        let counts = scene.ledger.handshakes.counts();
        let found = (counts.dup_unanswered, counts.dup_coming.count);
        assert_eq!(found, (unanswered, 1 - unanswered), "{after_ms} ms");
    }
}

/// While a fault has the broker paused it answers nothing, and it is waited for for as long as ever afterwards.
#[test]
fn a_pause_is_not_the_brokers_time() {
    for (after_ms, expected) in [(5_000, (0, 1)), (7_100, (1, 0))] {
        let mut scene = Scene::ready(&[CLEAN]);
        answer_once(&mut scene);
        receive(&mut scene, CLEAN, &AWAITS_PUBREL);
        pause(&mut scene, 60_000);
        scene.wait(after_ms);

        assert_eq!(closed(scene), expected, "{after_ms} ms");
    }
}

/// What came to a device that does not read may lie there.
#[test]
fn a_device_that_does_not_read_has_perhaps_an_answer() {
    for (before_ms, expected) in [(100, (0, 1)), (6_000, (1, 0))] {
        let mut scene = Scene::ready(&[CLEAN]);
        answer_once(&mut scene);
        receive(&mut scene, CLEAN, &AWAITS_PUBREL);
        scene.wait(before_ms);
        stop_reading(&mut scene, CLEAN);
        scene.wait(60_000);

        assert_eq!(closed(scene), expected, "{before_ms} ms before the stall");
    }
}

/// What holds an answer up and is not the broker does not make the broker slow: the next exchange is not waited for for
/// twice as long.
#[test]
fn what_holds_an_answer_up_does_not_make_the_broker_slow() {
    type Trouble = fn(&mut Scene);
    let troubles: [(&str, Trouble); 3] = [
        ("stall", |scene| stall(scene, CLEAN, 60_000)),
        ("pause", |scene| pause(scene, 60_000)),
        ("standstill", |scene| scene.stand_still(60_000)),
    ];
    for (name, trouble) in troubles {
        let mut scene = Scene::ready(&[CLEAN]);
        answer_once(&mut scene);
        receive(&mut scene, CLEAN, &AWAITS_PUBREL);
        trouble(&mut scene);
        receive(&mut scene, CLEAN, &REST);
        scene.wait(70_000);
        receive(&mut scene, CLEAN, &AWAITS_PUBREL);
        scene.wait(30_000);

        assert_eq!(closed(scene), (1, 0), "{name}");
    }
}

/// Nor does what the link held, on either way.
#[test]
fn a_link_does_not_make_the_broker_slow() {
    let mut scene = on_links();
    receive(&mut scene, CLEAN, &AWAITS_PUBREL);
    scene.wait(60_000);
    leave(&mut scene, CLEAN, 1);
    receive(&mut scene, CLEAN, &REST);
    receive(&mut scene, CLEAN, &AWAITS_PUBREL);
    leave(&mut scene, CLEAN, 1);
    scene.wait(6_000);

    assert_eq!(closed(scene), (1, 0));
}

/// How slow the broker is to one group says nothing of how slow it is to another.
#[test]
fn each_group_has_a_slowest_answer_of_its_own() {
    let mut scene = Scene::ready(&[CLEAN]);
    answer_once(&mut scene);
    send(&mut scene, SenderLeg::PublishSent);
    scene.wait(60_000);
    send(&mut scene, SenderLeg::PubrecReceived);
    receive(&mut scene, CLEAN, &AWAITS_PUBREL);
    scene.wait(30_000);

    assert_eq!(closed(scene), (1, 0));
}

/// Where the broker answered nothing at all it is waited for for as long as a device waits for an answer, ten seconds here.
#[test]
fn where_nothing_was_answered_the_broker_has_the_time_of_an_answer() {
    for (waited, expected) in [(9_900, (0, 1)), (10_100, (1, 0))] {
        let mut scene = Scene::ready(&[]);
        send(&mut scene, SenderLeg::PublishSent);
        scene.wait(waited);

        assert_eq!(closed(scene), expected, "{waited} ms");
    }
}

/// A device that stops reading again while it catches up has had nothing to itself between: what came meanwhile may lie there.
#[test]
fn a_second_stall_in_the_catching_up_is_part_of_the_first() {
    let mut scene = Scene::ready(&[CLEAN]);
    answer_once(&mut scene);
    stop_reading(&mut scene, PUBLISHER);
    let since = scene.now;
    scene.wait(3_000);
    send(&mut scene, SenderLeg::PublishSent);
    scene.wait(6_000);
    let resumed = ConnectionFact::ReadingResumed { since };
    scene.tell(PUBLISHER, Fact::Connection(resumed));
    scene.wait(1_000);
    stop_reading(&mut scene, PUBLISHER);
    scene.wait(500);
    scene.end(PUBLISHER, EndCause::WentAway(Farewell::Polite));

    assert_eq!(closed(scene), (0, 0));
}

/// What a link holds at the end may be the answer: an exchange that has waited for long is not judged, and that is told.
#[test]
fn an_exchange_whose_answer_a_link_may_hold_at_the_end_is_told() {
    for way in [Way::Up, Way::Down] {
        let mut scene = on_links();
        answer_once(&mut scene);
        send(&mut scene, SenderLeg::PublishSent);
        send(&mut scene, SenderLeg::PublishResent);
        leave(&mut scene, PUBLISHER, 2);
        scene.wait(100_000);
        let held = ConnectionFact::StillOnLink(way);
        scene.tell(PUBLISHER, Fact::Connection(held));

        scene.ledger.close(scene.now);

        let counts = scene.ledger.handshakes.counts();
        assert_eq!((counts.incomplete, counts.dup_unanswered), (0, 0));
        assert_eq!((counts.left, counts.dup_left), (1, 1), "{way:?}");
    }
}
