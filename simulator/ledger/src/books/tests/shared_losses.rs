//! Shared subscriptions: what lost members explain that is forgotten, at QoS 0, over, or sent again (§4.8.2).

use squall_protocol::{QoS, ReasonCode};

use super::lost_members::{SHARE, counts, excused, shared};
use super::scene::{CLEAN, KEPT, PUBLISHER, RESET, Scene};
use crate::books::Excuse;

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;
const QOS2: QoS = QoS::ExactlyOnce;

/// After many losses of members it is forgotten when the first of them were: what was sent between two of those may have been
/// with one that was lost, and that is told.
#[test]
fn losses_that_are_forgotten_make_nothing_certain() {
    for (qos, [lost, gone, perhaps, unclear]) in [(QOS2, [0, 0, 1, 0]), (QOS1, [1, 0, 0, 1])] {
        let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1], qos);
        for round in 0..150 {
            scene.wait(2_000);
            if round == 25 {
                scene.publish(0..1, qos);
            }
            scene.wait(2_000);
            scene.end(CLEAN, RESET);
            scene.connect(CLEAN);
            scene.subscribe(CLEAN, SHARE, qos);
        }

        let tally = scene.close();

        let excuses = [Excuse::MemberLost, Excuse::MemberLostLate];
        let [found_gone, found_perhaps] = excuses.map(|excuse| excused(&tally, excuse));
        assert_eq!(
            [tally.lost, found_gone, found_perhaps],
            [lost, gone, perhaps],
            "{qos:?}"
        );
        let counts = counts(&scene);
        assert_eq!((counts.unclear, counts.not_passed_on), (unclear, 0));
    }
}

/// At QoS 0 what the broker gives to a member that has just ended its connection is gone: it may read the publisher first.
#[test]
fn a_told_end_excuses_what_was_given_to_it_at_qos_0() {
    let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1], QOS0);
    scene.wait(10_000);
    scene.end(CLEAN, RESET);
    scene.publish(0..1, QOS0);
    scene.wait(60_000);

    let tally = scene.close();

    assert_eq!((tally.lost, excused(&tally, Excuse::MemberLost)), (0, 1));
    assert_eq!(counts(&scene).not_passed_on, 0);
}

/// At QoS 0 nothing need be kept for a Session without a connection, and the broker may choose it.
#[test]
fn a_member_that_is_away_may_be_given_what_is_dropped_at_qos_0() {
    for comes_back in [None, Some(KEPT)] {
        let mut scene = shared(Scene::new(), &[CLEAN, KEPT], QOS0);
        scene.end(KEPT, RESET);
        scene.wait(20_000);
        scene.publish(0..1, QOS0);
        scene.wait(20_000);
        if let Some(member) = comes_back {
            scene.connect_as(member, member, true);
        }

        let tally = scene.close();

        let perhaps = excused(&tally, Excuse::MemberLostLate);
        assert_eq!((tally.lost, perhaps), (0, 1), "{comes_back:?}");
    }
}

/// What is dropped at QoS 0 is no member's, and breaks no rule of shared subscriptions: at most once is kept (§4.3.1).
#[test]
fn what_is_dropped_at_qos_0_breaks_no_rule_of_shares() {
    for (qos, lost) in [(QOS0, 0), (QOS1, 1)] {
        let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1], qos);
        scene.publish(0..1, qos);
        scene.wait(20_000);

        assert_eq!(scene.close().lost, 1);

        let counts = counts(&scene);
        assert_eq!((counts.lost, counts.not_passed_on), (lost, 0), "{qos:?}");
    }
}

/// What its publisher sent again on a later connection the broker may have had just before the last member left.
#[test]
fn what_was_sent_again_just_before_the_last_member_left_is_not_late() {
    let mut scene = shared(Scene::new(), &[CLEAN], QOS1);
    scene.publish(0..1, QOS1);
    scene.deliver(CLEAN, 0, QOS1);
    scene.send(1, QOS1);
    scene.wait(30_000);
    scene.end(PUBLISHER, RESET);
    scene.connect(PUBLISHER);
    scene.acknowledge(1, ReasonCode::Success);
    scene.wait(10);
    scene.end(CLEAN, RESET);

    let tally = scene.close();

    let excuses = [Excuse::SessionEnded, Excuse::LeftLate];
    assert_eq!(excuses.map(|excuse| excused(&tally, excuse)), [1, 0]);
}

/// A Session that was over before a message was sent, a minute after it was left, has nothing to do with that.
#[test]
fn a_member_whose_session_is_over_explains_nothing() {
    for (away_ms, [lost, perhaps]) in [(50_000, [0, 1]), (100_000, [1, 0])] {
        let mut scene = shared(Scene::new(), &[CLEAN, KEPT], QOS1);
        scene.end(KEPT, RESET);
        scene.wait(away_ms);
        scene.publish(0..2, QOS1);
        scene.deliver(CLEAN, 1, QOS1);
        scene.wait(20_000);

        let tally = scene.close();

        let found = [tally.lost, excused(&tally, Excuse::MemberLostLate)];
        assert_eq!(found, [lost, perhaps], "{away_ms} ms");
    }
}
