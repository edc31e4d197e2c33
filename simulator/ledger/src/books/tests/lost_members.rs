//! What the loss of a member of a shared subscription excuses, and what it does not (§4.8.2).

use std::time::Duration;

use squall_fleet::{Fact, SubscriptionFact};
use squall_protocol::{QoS, ReasonCode, Version};
use squall_run::AnomalyKind;

use super::scene::{CLEAN, Dup, KEPT, PUBLISHER, RESET, SILENCE, Scene, wanted};
use crate::books::{Excuse, MemoryLimit, ShareCounts, Tally};

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;
const QOS2: QoS = QoS::ExactlyOnce;

pub(super) const SHARE: &str = "$share/g/t";

pub(super) fn shared(scene: Scene, members: &[u32], qos: QoS) -> Scene {
    let mut scene = scene.made_ready(&[]);
    for &member in members {
        scene.connect(member);
        scene.subscribe(member, SHARE, qos);
    }
    scene
}

pub(super) fn excused(tally: &Tally, excuse: Excuse) -> u64 {
    tally.excused[excuse as usize]
}

pub(super) fn counts(scene: &Scene) -> ShareCounts {
    scene.ledger.deliveries.share_counts()
}

/// A silent member whose Session has another connection is silent no longer: what is sent then and reaches no member is lost,
/// however long Keep Alive is, at every QoS.
#[test]
fn a_silent_member_that_is_back_takes_nothing() {
    for keep_alive in [0, 60] {
        for qos in [QOS0, QOS1, QOS2] {
            let mut scene = Scene::new();
            scene.keep_alive = Duration::from_secs(keep_alive);
            let mut scene = shared(scene, &[CLEAN, CLEAN + 1], qos);
            scene.wait(10_000);
            scene.end(CLEAN, SILENCE);
            scene.wait(1_000);
            scene.connect(CLEAN);
            scene.subscribe(CLEAN, SHARE, qos);
            scene.wait(9_000);
            scene.publish(0..5, qos);
            scene.wait(60_000);

            let tally = scene.close();

            let found = (tally.lost, excused(&tally, Excuse::MemberLost));
            assert_eq!(found, (5, 0), "keep alive {keep_alive} s, {qos:?}");
        }
    }
}

/// A message that was sent long before a member left, and than which nothing took longer by far, was not on its way to that. A
/// few seconds before it may have been: a broker may be busy for as long.
#[test]
fn a_member_that_leaves_does_not_excuse_what_was_sent_long_before() {
    for (waited, outcome) in [(95_000, [1, 0, 0]), (3_000, [0, 0, 1]), (900, [0, 1, 0])] {
        let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1], QOS2);
        scene.publish(0..1, QOS2);
        scene.wait(600);
        scene.deliver(CLEAN, 0, QOS2);
        scene.publish(1..2, QOS2);
        scene.wait(waited);
        scene.end(CLEAN, RESET);
        scene.wait(60_000);

        let tally = scene.close();

        let [gone, perhaps] =
            [Excuse::MemberLost, Excuse::MemberLostLate].map(|excuse| excused(&tally, excuse));
        assert_eq!([tally.lost, gone, perhaps], outcome, "{waited} ms");
        let counts = counts(&scene);
        assert_eq!((counts.lost, counts.late), (outcome[0], outcome[2]));
    }
}

/// A message at QoS 1 that no member had had when one left, long after it was sent, was not that one's: it breaks another rule.
#[test]
fn what_no_lost_member_had_is_not_redistributed() {
    for (waited, [lost, unclear, not_passed_on]) in
        [(95_000, [1, 0, 0]), (3_000, [0, 1, 0]), (500, [0, 0, 1])]
    {
        let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1], QOS1);
        scene.publish(0..1, QOS1);
        scene.wait(waited);
        scene.end(CLEAN, RESET);
        scene.wait(60_000);

        assert_eq!(scene.close().lost, 1);

        let counts = counts(&scene);
        let found = [counts.lost, counts.unclear, counts.not_passed_on];
        assert_eq!(found, [lost, unclear, not_passed_on], "{waited} ms");
    }
}

/// What another member had and was sent again late is not known to have been so where it was sent long before that was lost.
#[test]
fn a_lost_member_excuses_the_order_of_what_it_may_have_had() {
    for (waited, [reordered, perhaps]) in [(30_000, [1, 0]), (3_000, [0, 1]), (500, [0, 0])] {
        let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1], QOS1);
        scene.publish(0..2, QOS1);
        scene.deliver(CLEAN + 1, 1, QOS1);
        scene.wait(waited);
        scene.end(CLEAN, RESET);
        scene.deliver(CLEAN + 1, 0, QOS1);

        let tally = scene.close();

        let found = [tally.reordered, tally.perhaps_reordered];
        assert_eq!(found, [reordered, perhaps], "{waited} ms");
    }
}

/// A member that comes and goes every five seconds excuses the order of what is sent around that, not of all.
#[test]
fn order_is_judged_while_members_come_and_go() {
    let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1], QOS1);
    for round in 0..5 {
        scene.wait(2_500);
        scene.publish(4 * round..4 * round + 4, QOS1);
        for sequence in [1, 0, 3, 2] {
            scene.deliver(CLEAN + 1, 4 * round + sequence, QOS1);
        }
        scene.wait(2_500);
        scene.end(CLEAN, RESET);
        scene.connect(CLEAN);
        scene.subscribe(CLEAN, SHARE, QOS1);
    }

    assert_eq!(scene.close().reordered, 10);
}

/// What comes late because a member was lost does not make the next wait longer.
#[test]
fn what_a_silent_member_had_does_not_count_as_slow() {
    let mut scene = Scene::new();
    scene.keep_alive = Duration::from_secs(60);
    let mut scene = shared(scene, &[CLEAN, CLEAN + 1], QOS2);
    scene.publish(0..1, QOS1);
    scene.end(CLEAN, SILENCE);
    scene.wait(100_000);
    scene.deliver(CLEAN + 1, 0, QOS1);
    scene.publish(1..2, QOS2);
    scene.wait(100_000);
    scene.connect(CLEAN + 2);
    scene.subscribe(CLEAN + 2, SHARE, QOS2);
    scene.end(CLEAN + 2, RESET);
    scene.wait(20_000);

    let tally = scene.close();

    assert_eq!((tally.lost, excused(&tally, Excuse::MemberLost)), (1, 0));
}

/// The broker may choose a member whose Session lives without a connection: what is published meanwhile may wait for it.
#[test]
fn what_may_wait_for_a_member_that_is_away_is_not_judged() {
    let mut scene = shared(Scene::new(), &[CLEAN, KEPT], QOS1);
    scene.end(KEPT, RESET);
    scene.wait(20_000);
    scene.publish(0..2, QOS1);
    scene.deliver(CLEAN, 1, QOS1);
    scene.wait(20_000);

    let tally = scene.close();

    assert_eq!(
        (tally.lost, excused(&tally, Excuse::MemberLostLate)),
        (0, 1)
    );
    assert_eq!((counts(&scene).lost, counts(&scene).late), (0, 1));
}

/// Once that has a connection again what waited must come, as soon as anything.
#[test]
fn what_waited_for_a_member_that_is_back_must_come() {
    for (waited, lost) in [(6_000, 1), (2_000, 0)] {
        let mut scene = shared(Scene::new(), &[CLEAN, KEPT], QOS1);
        scene.end(KEPT, RESET);
        scene.wait(20_000);
        scene.publish(0..2, QOS1);
        scene.deliver(CLEAN, 1, QOS1);
        scene.wait(20_000);
        scene.connect_as(KEPT, KEPT, true);
        scene.wait(waited);

        scene.ledger.close(scene.now);

        let tally = scene.ledger.books().sum(|_| true);
        let coming = excused(&tally, Excuse::ComingStill);
        assert_eq!((tally.lost, coming), (lost, 1 - lost), "{waited} ms");
    }
}

/// With the last member, or one that unsubscribes, goes what may be on its way to it; of what was for long it is not known
/// whether the broker had it.
#[test]
fn what_was_owed_for_long_when_members_go_is_not_judged() {
    let unsubscribe = |scene: &mut Scene| {
        let filters = [wanted(SHARE, QOS1)];
        let left = SubscriptionFact::UnsubscribeSent { wanted: &filters };
        scene.tell(CLEAN, Fact::Subscription(left));
    };
    for (waited, late) in [(100, 0), (20_000, 1)] {
        let mut unsubscribed = shared(Scene::new(), &[CLEAN, CLEAN + 1], QOS1);
        let mut alone = shared(Scene::new(), &[CLEAN], QOS1);
        for scene in [&mut unsubscribed, &mut alone] {
            scene.publish(0..2, QOS1);
            scene.deliver(CLEAN, 0, QOS1);
            scene.wait(waited);
        }
        unsubscribe(&mut unsubscribed);
        alone.end(CLEAN, RESET);

        let excuses = [
            (
                unsubscribed,
                [Excuse::Unsubscribed, Excuse::UnsubscribedLate],
            ),
            (alone, [Excuse::SessionEnded, Excuse::LeftLate]),
        ];
        for (mut scene, names) in excuses {
            let tally = scene.close();
            let found = names.map(|excuse| excused(&tally, excuse));
            assert_eq!(found, [1 - late, late], "{names:?} after {waited} ms");
            assert_eq!(counts(&scene).late, late);
        }
    }
}

/// What had waited for a Session and had not come long after that was back, when it unsubscribed, is told.
#[test]
fn a_backlog_that_is_given_up_late_is_told() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.end(KEPT, RESET);
    scene.publish(0..2, QOS1);
    scene.connect_as(KEPT, KEPT, true);
    scene.deliver(KEPT, 0, QOS1);
    scene.wait(10_000);
    let filters = [wanted("t", QOS2)];
    let left = SubscriptionFact::UnsubscribeSent { wanted: &filters };
    scene.tell(KEPT, Fact::Subscription(left));

    scene.close();

    let backlog = scene.ledger.deliveries.backlog();
    assert_eq!((backlog.came, backlog.lost, backlog.late), (1, 0, 1));
}

/// In MQTT 3.1.1 too two members are too many at QoS 1, and a member that ended its connection explains the second copy. What one
/// member is sent again is allowed (§4.4), with DUP.
#[test]
fn a_second_member_is_too_many_in_3_1_1_too() {
    for (second, dup, end, forbidden) in [
        (CLEAN + 1, Dup::Yes, None, 1),
        (CLEAN + 1, Dup::No, None, 1),
        (CLEAN + 1, Dup::Yes, Some(CLEAN), 0),
        (CLEAN, Dup::Yes, None, 0),
        (CLEAN, Dup::No, None, 1),
    ] {
        let mut scene = Scene::new();
        scene.version = Version::V3_1_1;
        let mut scene = shared(scene, &[CLEAN, CLEAN + 1], QOS1);
        scene.publish(0..2, QOS1);
        scene.deliver(CLEAN, 1, QOS1);
        match dup {
            Dup::Yes => scene.deliver_again_as(second, second, 1, QOS1),
            Dup::No => scene.deliver(second, 1, QOS1),
        }
        if let Some(member) = end {
            scene.end(member, RESET);
        }

        let tally = scene.close();

        assert_eq!(tally.forbidden, forbidden, "{second} {dup:?} {end:?}");
        assert_eq!(scene.count(AnomalyKind::Duplicated), forbidden);
        assert_eq!(counts(&scene).twice, forbidden);
    }
}

/// Who had a message is forgotten after many others: then it is told that a copy could not be judged, unless a member was lost
/// that explains it.
#[test]
fn a_copy_of_a_message_whose_holder_is_forgotten_is_told() {
    for (lost, unknown) in [(None, 1), (Some(CLEAN + 2), 0)] {
        let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1, CLEAN + 2], QOS1);
        // Message 0 is under way, so that it is known when the next was sent.
        scene.publish(0..70_000, QOS1);
        for sequence in 1..70_000 {
            scene.deliver(CLEAN, sequence, QOS1);
        }
        if let Some(member) = lost {
            scene.end(member, RESET);
        }
        scene.deliver(CLEAN + 1, 69_999, QOS1);
        scene.deliver(CLEAN + 1, 1, QOS1);

        let tally = scene.close();

        let given_up = scene.ledger.given_up().count(MemoryLimit::SharedCopies);
        assert_eq!((tally.forbidden, given_up), (1, unknown));
    }
}

/// Beyond the copies that may be explained still it is told that one could not be judged.
#[test]
fn suspected_copies_beyond_the_limit_are_told() {
    let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1], QOS1);
    scene.publish(0..10_006, QOS1);
    for sequence in 1..10_006 {
        scene.deliver(CLEAN, sequence, QOS1);
        scene.deliver(CLEAN + 1, sequence, QOS1);
    }

    let tally = scene.close();

    let given_up = scene.ledger.given_up().count(MemoryLimit::SharedCopies);
    assert_eq!((tally.forbidden, given_up), (10_000, 5));
}

/// A publisher may have sent a message again on its next connection, because the broker did not have it before.
#[test]
fn a_message_that_is_published_again_is_with_the_member_that_is_lost_then() {
    let mut scene = shared(Scene::new(), &[CLEAN, CLEAN + 1], QOS2);
    scene.send(0, QOS2);
    scene.wait(20_000);
    scene.end(PUBLISHER, RESET);
    scene.connect(PUBLISHER);
    scene.acknowledge(0, ReasonCode::Success);
    scene.end(CLEAN, RESET);
    scene.wait(60_000);

    let tally = scene.close();

    assert_eq!((tally.lost, excused(&tally, Excuse::MemberLost)), (0, 1));
}
