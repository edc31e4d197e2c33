//! Order within one publisher and one topic (§4.6).

use squall_protocol::QoS;
use squall_run::AnomalyKind;

use super::scene::{CLEAN, KEPT, RESET, Scene};

const QOS1: QoS = QoS::AtLeastOnce;

/// A first delivery after that of a later message is out of order.
#[test]
fn a_first_delivery_after_a_later_one_is_reordered() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..3, QOS1);
    for sequence in [0, 2, 1] {
        scene.deliver(CLEAN, sequence, QOS1);
    }

    let tally = scene.close();

    assert_eq!((tally.reordered, tally.lost), (1, 0));
    let anomalies = scene.ledger.anomalies();
    let anomaly = &anomalies.kept(AnomalyKind::Reordered)[0];
    assert_eq!(anomaly.sequence, Some(1));
}

/// A repeat after later messages is a duplicate, not a reorder.
#[test]
fn a_repeat_is_not_reordered() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.publish(0..3, QOS1);
    for sequence in [0, 1, 2] {
        scene.deliver(KEPT, sequence, QOS1);
    }
    scene.end(KEPT, RESET);
    scene.connect_as(KEPT, KEPT, true);
    for sequence in [1, 2] {
        scene.deliver(KEPT, sequence, QOS1);
    }

    let tally = scene.close();

    assert_eq!((tally.reordered, tally.duplicated), (0, 2));
}

/// Order holds across a reconnect: what waited comes before what is new.
#[test]
fn a_backlog_after_newer_messages_is_reordered() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.end(KEPT, RESET);
    scene.publish(0..1, QOS1);
    scene.connect_as(KEPT, KEPT, true);
    scene.publish(1..2, QOS1);
    for sequence in [1, 0] {
        scene.deliver(KEPT, sequence, QOS1);
    }

    let tally = scene.close();

    assert_eq!(tally.reordered, 1);
}

/// Order is promised within one QoS only (§4.6).
#[test]
fn messages_of_two_levels_may_overtake() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..1, QoS::ExactlyOnce);
    scene.publish(1..2, QoS::AtMostOnce);
    scene.deliver(CLEAN, 1, QoS::AtMostOnce);
    scene.deliver(CLEAN, 0, QoS::ExactlyOnce);

    let tally = scene.close();

    assert_eq!((tally.delivered, tally.reordered), (2, 0));
}

/// What was still on its way to a displaced connection says nothing about order.
#[test]
fn a_displaced_connection_does_not_count() {
    let (first, second) = (KEPT, KEPT + 1);
    let mut scene = Scene::ready(&[first]);
    scene.publish(0..2, QOS1);
    scene.connect_as(second, first, true);
    scene.deliver_as(second, first, 1, QOS1);
    scene.deliver(first, 0, QOS1);

    let tally = scene.close();

    assert_eq!((tally.delivered, tally.reordered), (2, 0));
}
