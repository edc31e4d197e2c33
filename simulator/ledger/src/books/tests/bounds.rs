//! Memory stays bounded, whatever a broker loses, and the books balance all the same.

use squall_protocol::QoS;
use squall_run::AnomalyKind;

use super::scene::{CLEAN, Scene};
use crate::books::limits::{ANOMALIES_KEPT_PER_KIND, RANGES_MAX};

const QOS1: QoS = QoS::AtLeastOnce;

/// A broker that loses every other message leaves more gaps than a cursor keeps: the oldest are
/// lost for good, and nothing is counted twice or not at all.
#[test]
fn scattered_losses_are_given_up_in_order() {
    let messages = 2 * u32::try_from(RANGES_MAX).unwrap() + 1_000;
    let mut scene = Scene::ready(&[CLEAN]);
    for sequence in 0..messages {
        scene.publish(sequence..sequence + 1, QOS1);
        if sequence % 2 == 1 {
            scene.deliver(CLEAN, sequence, QOS1);
        }
    }

    let tally = scene.close();

    let half = u64::from(messages / 2);
    assert_eq!((tally.delivered, tally.lost), (half, half));
    assert_eq!(tally.expected(), u64::from(messages));
    assert_eq!(scene.count(AnomalyKind::Lost), half);
}

/// All anomalies are counted, the first are kept whole.
#[test]
fn only_the_first_anomalies_are_kept() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..100, QOS1);

    scene.close();

    assert_eq!(scene.count(AnomalyKind::Lost), 100);
    let kept = scene.ledger.anomalies().first(AnomalyKind::Lost);
    assert_eq!(kept.len(), ANOMALIES_KEPT_PER_KIND);
    assert_eq!(kept[0].sequence, Some(0));
}

/// A stream that everyone has keeps nothing of its messages.
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
