//! Shared subscriptions: exactly one member (§4.8.2).

use std::time::Duration;

use squall_fleet::{EndCause, Fact, PeerClose, SubscriptionFact};
use squall_protocol::QoS;
use squall_run::AnomalyKind;

use super::scene::{CLEAN, KEPT, PUBLISHER, RESET, SILENCE, Scene, wanted};
use crate::books::Excuse;

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;
const QOS2: QoS = QoS::ExactlyOnce;

fn shared(members: &[u32], qos: QoS) -> Scene {
    shared_in(Scene::new(), members, qos)
}

fn shared_in(scene: Scene, members: &[u32], qos: QoS) -> Scene {
    let mut scene = scene.made_ready(&[]);
    for &member in members {
        scene.connect(member);
        scene.subscribe(member, "$share/g/t", qos);
    }
    scene
}

/// A message is owed to the share once, whichever member gets it.
#[test]
fn one_member_is_enough() {
    let mut scene = shared(&[CLEAN, CLEAN + 1], QOS1);
    scene.publish(0..4, QOS1);
    for (sequence, member) in [(0, CLEAN), (1, CLEAN + 1), (2, CLEAN)] {
        scene.deliver(member, sequence, QOS1);
    }

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.delivered, tally.lost), (4, 3, 1));
}

/// A second member is one too many.
#[test]
fn two_members_are_too_many() {
    let mut scene = shared(&[CLEAN, CLEAN + 1], QOS2);
    scene.publish(0..1, QOS2);
    scene.deliver(CLEAN, 0, QOS2);
    scene.deliver(CLEAN + 1, 0, QOS2);

    let tally = scene.close();

    assert_eq!((tally.delivered, tally.forbidden), (1, 1));
}

/// So it is at QoS 1, where no member ended its connection (§4.8.2): not a repeat that the QoS allows. Message 0 is
/// under way, so that it is known when message 1 was sent.
#[test]
fn a_second_member_is_too_many_at_qos_1_too() {
    let mut scene = shared(&[CLEAN, CLEAN + 1], QOS1);
    scene.publish(0..2, QOS1);
    scene.deliver(CLEAN, 1, QOS1);
    scene.deliver(CLEAN + 1, 1, QOS1);

    let tally = scene.close();

    assert_eq!((tally.delivered, tally.forbidden), (1, 1));
    assert_eq!(scene.count(AnomalyKind::Duplicated), 1);
    assert_eq!(tally.unrepeatable, 1, "the first one");
}

/// A member that ended its connection may not have answered: another one may have its messages (§4.8.2), and Squall
/// may read those before it reads the end. The end of another member explains nothing, nor does one that comes later.
#[test]
fn a_member_that_left_explains_a_copy_to_another() {
    let close = EndCause::PeerClosed(PeerClose::Fin);
    let copies_with = |before: Option<u32>, after: Option<(u32, u64, EndCause)>| {
        let mut scene = shared(&[CLEAN, CLEAN + 1, CLEAN + 2], QOS1);
        scene.publish(0..2, QOS1);
        scene.deliver(CLEAN, 1, QOS1);
        if let Some(member) = before {
            scene.end(member, RESET);
        }
        scene.deliver(CLEAN + 1, 1, QOS1);
        if let Some((member, wait_ms, cause)) = after {
            scene.wait(wait_ms);
            scene.end(member, cause);
        }
        scene.close().forbidden
    };

    assert_eq!(copies_with(Some(CLEAN), None), 0);
    assert_eq!(copies_with(None, Some((CLEAN, 10, close))), 0);
    assert_eq!(copies_with(None, Some((CLEAN + 1, 10, close))), 1);
    assert_eq!(copies_with(Some(CLEAN + 2), None), 1);
    assert_eq!(copies_with(None, Some((CLEAN, 5_000, RESET))), 1);
}

/// A publisher that was connected again may have published it again.
#[test]
fn a_message_that_was_published_again_may_go_to_two_members() {
    let mut scene = shared(&[CLEAN, CLEAN + 1], QOS1);
    scene.publish(0..2, QOS1);
    scene.deliver(CLEAN, 1, QOS1);
    scene.end(PUBLISHER, RESET);
    scene.connect(PUBLISHER);
    scene.deliver(CLEAN + 1, 1, QOS1);

    assert_eq!(scene.close().forbidden, 0);
}

/// Order holds for each member by itself: others may be ahead.
#[test]
fn order_holds_for_each_member() {
    let mut scene = shared(&[CLEAN, CLEAN + 1], QOS1);
    scene.publish(0..4, QOS1);
    for (sequence, member) in [(1, CLEAN), (0, CLEAN + 1), (3, CLEAN + 1), (2, CLEAN + 1)] {
        scene.deliver(member, sequence, QOS1);
    }

    let tally = scene.close();

    assert_eq!(tally.reordered, 1, "only 2 after 3 at one member");
}

/// What was on its way to a member that is lost may come to another one late.
#[test]
fn redistribution_excuses_order() {
    let mut scene = shared(&[CLEAN, CLEAN + 1], QOS1);
    scene.publish(0..2, QOS1);
    scene.deliver(CLEAN + 1, 1, QOS1);
    scene.end(CLEAN, RESET);
    scene.deliver(CLEAN + 1, 0, QOS1);

    let tally = scene.close();

    assert_eq!((tally.delivered, tally.reordered), (2, 0));
}

/// A QoS 1 message of a lost member belongs to the others once its loss must be known; before,
/// it may wait. From then on it is under way to them, and lost after `run.connect_timeout` of 10 s.
#[test]
fn a_message_of_a_lost_member_is_owed_to_the_others() {
    let cases = [
        (RESET, 6, [0, 0, 1]),
        (RESET, 16, [1, 0, 0]),
        (SILENCE, 3, [0, 1, 0]),
        (SILENCE, 20, [0, 0, 1]),
        (SILENCE, 30, [1, 0, 0]),
    ];
    for (cause, wait_s, expected) in cases {
        let mut scene = shared(&[CLEAN, CLEAN + 1], QOS1);
        scene.publish(0..1, QOS1);
        scene.end(CLEAN, cause);
        scene.now += Duration::from_secs(wait_s);

        scene.ledger.close(scene.now);

        let tally = scene.ledger.books().sum(|_| true);
        let [waiting, coming] =
            [Excuse::MemberLost, Excuse::ComingStill].map(|excuse| tally.excused[excuse as usize]);
        let found = [tally.lost, waiting, coming];
        assert_eq!(found, expected, "{cause:?} after {wait_s} s");
    }
}

/// A member that has fallen silent is sent its share until the broker notices, within one and a half times its Keep Alive of
/// 10 s: at QoS 0 that is gone. What is sent later must come.
#[test]
fn what_a_silent_member_is_sent_at_qos_0_is_gone() {
    for (wait_s, lost, excused) in [(1, 0, 1), (30, 1, 0)] {
        let mut scene = shared(&[CLEAN, CLEAN + 1], QOS0);
        scene.end(CLEAN, SILENCE);
        scene.now += Duration::from_secs(wait_s);
        scene.publish(0..2, QOS0);
        scene.deliver(CLEAN + 1, 1, QOS0);
        scene.wait(30_000);

        let tally = scene.close();

        let gone = tally.excused[Excuse::MemberLost as usize];
        assert_eq!((tally.lost, gone), (lost, excused), "after {wait_s} s");
    }
}

/// At QoS 2 no other member may have it [MQTT-4.8.2-5].
#[test]
fn a_qos_2_message_of_a_lost_member_is_excused() {
    let mut scene = shared(&[CLEAN, CLEAN + 1], QOS2);
    scene.publish(0..1, QOS2);
    scene.end(CLEAN, RESET);

    let tally = scene.close();

    assert_eq!(tally.excused[Excuse::MemberLost as usize], 1);
}

/// A broker may pass a message of QoS 2 on when it is released only: whether a member that ended long after it was sent had it
/// is not known if its publisher releases late. Else it had not.
#[test]
fn a_message_that_is_released_late_may_be_a_lost_members() {
    let on_time = (Scene::new(), 1);
    let late = (Scene::with_late_releases(), 0);
    for (scene, lost) in [on_time, late] {
        let mut scene = shared_in(scene, &[CLEAN, CLEAN + 1], QOS2);
        scene.publish(0..1, QOS2);
        scene.deliver(CLEAN, 0, QOS2);
        scene.publish(1..2, QOS2);
        scene.wait(10_000);
        scene.end(CLEAN, RESET);
        scene.wait(60_000);

        let tally = scene.close();

        let excused = tally.excused[Excuse::MemberLostLate as usize];
        assert_eq!((tally.lost, excused), (lost, 1 - lost));
    }
}

/// With its last member the share is gone.
#[test]
fn the_last_member_takes_everything_along() {
    let mut scene = shared(&[CLEAN], QOS1);
    scene.publish(0..2, QOS1);
    scene.end(CLEAN, RESET);
    scene.publish(2..3, QOS1);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.lost), (2, 0));
    assert_eq!(tally.excused[Excuse::SessionEnded as usize], 2);
}

/// A Session that has its own subscription beside the share is owed its own copy.
#[test]
fn an_own_subscription_is_owed_beside_the_share() {
    let mut scene = shared(&[CLEAN], QOS2);
    scene.subscribe(CLEAN, "t", QOS2);
    scene.publish(0..1, QOS2);
    scene.deliver(CLEAN, 0, QOS2);
    scene.deliver(CLEAN, 0, QOS2);

    let tally = scene.close();

    assert_eq!(
        (tally.expected(), tally.delivered, tally.forbidden),
        (2, 2, 0)
    );
}

/// A copy that a member had while its own SUBSCRIBE was under way may have been for that, also once the connection of the member
/// has ended: the one for the shared subscription comes to another member then. More than that is one too many.
#[test]
fn a_copy_is_given_back_to_the_share_after_its_holder_has_left() {
    for (copies, forbidden) in [(2, 0), (3, 1)] {
        let mut scene = shared(&[CLEAN, CLEAN + 1], QOS0);
        scene.subscribe(CLEAN + 1, "t", QOS0);
        let own = [wanted("t", QOS0)];
        let asked = SubscriptionFact::Sent { wanted: &own };
        scene.tell(CLEAN, Fact::Subscription(asked));
        scene.publish(0..1, QOS0);
        scene.deliver(CLEAN, 0, QOS0);
        scene.end(CLEAN, RESET);
        for _ in 0..copies {
            scene.deliver(CLEAN + 1, 0, QOS0);
        }

        let tally = scene.close();

        assert_eq!(tally.delivered, 2, "{copies} copies");
        assert_eq!(tally.forbidden, forbidden, "{copies} copies");
    }
}

/// A member whose Session is taken over before it has answered gets its own copy at QoS 1 again, with DUP: that is not the one of
/// the shared subscription, which comes to another member. A further one is one too many.
#[test]
fn a_copy_that_came_again_is_not_that_of_the_share() {
    for (copies, forbidden) in [(2, 0), (3, 1)] {
        let mut scene = shared(&[KEPT, CLEAN], QOS2);
        for member in [KEPT, CLEAN] {
            scene.subscribe(member, "t", QOS1);
        }
        scene.publish(0..1, QOS2);
        scene.deliver(KEPT, 0, QOS1);
        scene.connect_as(KEPT + 1, KEPT, true);
        scene.tell_end_as(KEPT, KEPT, RESET);
        scene.deliver_again_as(KEPT + 1, KEPT, 0, QOS1);
        for _ in 0..copies {
            scene.deliver(CLEAN, 0, QOS2);
        }

        let tally = scene.close();

        assert_eq!(tally.forbidden, forbidden, "{copies} copies");
    }
}

/// Each time that a member is lost, what is owed at QoS 0 since the last is excused, and what is owed at QoS 1
/// stays.
#[test]
fn each_lost_member_excuses_what_was_owed_at_qos_0_since() {
    let mut scene = shared(&[CLEAN, CLEAN + 1], QOS1);
    let mut sequence = 0;
    for _ in 0..3 {
        scene.publish(sequence..sequence + 2, QoS::AtMostOnce);
        scene.publish(sequence + 2..sequence + 3, QOS1);
        sequence += 3;
        scene.end(CLEAN, RESET);
        scene.connect_as(CLEAN, CLEAN, false);
        scene.subscribe(CLEAN, "$share/g/t", QOS1);
    }

    let tally = scene.close();

    let excused = tally.excused[Excuse::ConnectionLost as usize];
    assert_eq!((tally.pledged, excused), (9, 6));
}

/// What was owed at QoS 0 for long when a member was lost, which nothing had kept from reading, was not on its way to that:
/// whether the broker had it is not known.
#[test]
fn a_lost_member_does_not_excuse_what_was_owed_for_long() {
    for (waited, late) in [(100, 0), (1_000, 1)] {
        let mut scene = shared(&[CLEAN, CLEAN + 1], QOS1);
        scene.publish(0..2, QoS::AtMostOnce);
        scene.deliver(CLEAN, 0, QoS::AtMostOnce);
        scene.wait(waited);
        scene.end(CLEAN, RESET);

        let tally = scene.close();

        assert_eq!(
            tally.excused[Excuse::ConnectionLostLate as usize],
            late,
            "{waited} ms"
        );
        assert_eq!(tally.excused[Excuse::ConnectionLost as usize], 1 - late);
    }
}

/// A member that is silent takes what is sent at QoS 0 from then on, and nothing that was sent long before.
#[test]
fn a_silent_member_does_not_excuse_what_was_sent_before() {
    for (waited, lost) in [(100, 0), (5_000, 1)] {
        let mut scene = shared(&[CLEAN, KEPT], QOS1);
        scene.publish(0..1, QoS::AtMostOnce);
        scene.wait(waited);
        scene.end(KEPT, SILENCE);
        scene.wait(60_000);

        let tally = scene.close();

        let late = tally.excused[Excuse::ConnectionLostLate as usize];
        assert_eq!(tally.lost + late, lost, "{waited} ms");
    }
}
