//! Memory stays bounded, whatever a broker does, and what is given up because of that is not a fault
//! of the broker: it is unknown, the limit is named, and the books balance all the same.

use squall_fleet::{EndCause, PeerClose};
use squall_protocol::QoS;
use squall_run::AnomalyKind;

use super::scene::{CLEAN, KEPT, RESET, Scene};
use crate::books::{Memory, MemoryLimit};

const QOS1: QoS = QoS::AtLeastOnce;
const QOS2: QoS = QoS::ExactlyOnce;

/// A message that was given up is unknown, not lost.
#[test]
fn scattered_gaps_that_are_given_up_are_unknown() {
    let memory = Memory {
        ranges: 8,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory).made_ready(&[CLEAN]);
    for sequence in 0..40 {
        scene.publish(sequence..sequence + 1, QOS1);
        if sequence % 2 == 1 {
            scene.deliver(CLEAN, sequence, QOS1);
        }
    }

    let tally = scene.close();

    assert_eq!((tally.delivered, tally.unknown, tally.lost), (20, 12, 8));
    assert_eq!(tally.expected(), 40);
    assert_eq!(scene.count(AnomalyKind::Lost), 8);
    let given_up = scene.ledger.given_up();
    assert_eq!(given_up.count(MemoryLimit::Ranges), 12);
}

/// What is owed is known exactly, also where it can no longer be told what was received: a late
/// first delivery is a delivery, and only the rest is unknown.
#[test]
fn a_late_delivery_into_a_forgotten_gap_is_not_lost() {
    let memory = Memory {
        ranges: 8,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory).made_ready(&[CLEAN]);
    scene.publish(0..40, QOS1);
    for sequence in (1..40).step_by(2).chain([0]) {
        scene.deliver(CLEAN, sequence, QOS1);
    }

    let tally = scene.close();

    assert_eq!((tally.lost + tally.unknown, tally.delivered), (19, 21));
    assert_eq!(tally.duplicated, 0);
}

/// A correct broker keeps 10 messages for a subscriber that is away, and the ledger knows 4 of
/// them: the others are unknown when they come.
#[test]
fn messages_beyond_the_limit_of_records_are_unknown() {
    let memory = Memory {
        records: 4,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory).made_ready(&[KEPT]);
    scene.end(KEPT, RESET);
    scene.publish(0..10, QOS1);
    scene.connect_as(KEPT, KEPT, true);
    for sequence in 0..10 {
        scene.deliver(KEPT, sequence, QOS1);
    }

    let tally = scene.close();

    assert_eq!((tally.delivered, tally.unknown, tally.lost), (4, 6, 0));
    assert_eq!((tally.misrouted, tally.duplicated), (0, 0));
    assert_eq!(scene.count(AnomalyKind::Lost), 0);
    let given_up = scene.ledger.given_up();
    assert_eq!(given_up.count(MemoryLimit::Records), 6);
}

/// A message that was settled before its PUBACK came is neither acknowledged nor in doubt.
#[test]
fn an_acknowledgement_beyond_the_limit_of_records_is_unknown() {
    let memory = Memory {
        records: 2,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory).made_ready(&[]);
    for sequence in 0..5 {
        scene.send(sequence, QOS1);
    }
    for sequence in 0..5 {
        scene.acknowledge(sequence, squall_protocol::ReasonCode::Success);
    }

    scene.close();

    let publications = scene
        .ledger
        .books()
        .publications(squall_scenario::GroupId(0), QOS1);
    assert_eq!(publications.acknowledged, 2);
    assert_eq!(publications.settled_early, 3);
}

/// How often a copy may come is known for every message, however many came since.
#[test]
fn a_third_copy_of_an_old_message_is_noticed() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.subscribe(CLEAN, "#", QOS2);
    for sequence in 0..70_000 {
        scene.publish(sequence..sequence + 1, QOS2);
        scene.deliver(CLEAN, sequence, QOS2);
        scene.deliver(CLEAN, sequence, QOS2);
    }
    scene.deliver(CLEAN, 0, QOS2);

    let tally = scene.close();

    assert_eq!((tally.optional, tally.forbidden), (70_000, 1));
}

/// Of the ends that a CONNECT on its way may have caused, those beyond the limit are unknown: no
/// takeover is counted for them, and the limit is named.
#[test]
fn ends_beyond_the_limit_that_a_connect_may_have_caused_are_unknown() {
    let memory = Memory {
        recent_ends: 1,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory);
    let client = KEPT;
    let closed = EndCause::PeerClosed(PeerClose::Fin);
    scene.connect_sent(KEPT + 2, client, None);
    for device in [KEPT, KEPT + 1] {
        scene.connect_as(device, client, true);
        scene.tell_end_as(device, client, closed);
    }
    scene.connected(KEPT + 2, client, true);

    scene.close();

    let counts = scene.ledger.takeovers.counts();
    assert_eq!((counts.takeovers, counts.displaced_closed), (1, 1));
    assert_eq!(scene.ledger.given_up().count(MemoryLimit::RecentEnds), 1);
}

/// All anomalies are counted, the first are kept whole.
#[test]
fn only_the_first_anomalies_are_kept() {
    let memory = Memory {
        anomalies_per_kind: 3,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory).made_ready(&[CLEAN]);
    scene.publish(0..100, QOS1);

    scene.close();

    assert_eq!(scene.count(AnomalyKind::Lost), 100);
    let anomalies = scene.ledger.anomalies();
    let kept = anomalies.kept(AnomalyKind::Lost);
    assert_eq!(kept.len(), 3);
    assert_eq!(kept[0].sequence, Some(0));
}

/// A stream that every subscriber has keeps nothing of its messages.
#[test]
fn settled_messages_are_forgotten() {
    let mut scene = Scene::ready(&[CLEAN, CLEAN + 1]);
    for sequence in 0..1_000 {
        scene.publish(sequence..sequence + 1, QOS1);
        scene.deliver(CLEAN, sequence, QOS1);
        scene.deliver(CLEAN + 1, sequence, QOS1);
    }

    assert_eq!(scene.ledger.deliveries.records(), 0);
    let tally = scene.close();
    assert_eq!(tally.delivered, 2_000);
}

/// A book that does not balance is told, not a reason to die: the run has been made.
#[test]
fn books_that_do_not_balance_are_told() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..1, QOS1);
    scene.deliver(CLEAN, 0, QOS1);
    let key = crate::books::TallyKey {
        group: squall_scenario::GroupId(1),
        published: QOS1,
        owed: QOS1,
    };
    let tally = scene.ledger.deliveries.books_mut().tally_mut(key);
    tally.withdrawn += 2;

    scene.ledger.close(scene.now);

    let imbalances = scene.ledger.imbalances();
    assert_eq!(imbalances.len(), 1);
    assert_eq!(imbalances[0].unexplained, 2);
    assert_eq!(scene.ledger.books().tally(key).expected(), 0);
}
