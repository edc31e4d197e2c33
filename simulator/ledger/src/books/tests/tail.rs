//! What nothing overtook and had not come when the run ended: slow is not lost.

use std::time::Duration;

use squall_protocol::QoS;

use super::scene::{CLEAN, Scene};
use crate::books::Excuse;

const QOS1: QoS = QoS::AtLeastOnce;

/// Messages 0 and 1 are sent, 0 comes after `took_ms` or never, and the books are closed `wait_ms` after the last of
/// that: what was lost, what could come still, and how much longer it takes to tell, in whole seconds.
fn closed(took_ms: Option<u64>, wait_ms: u64) -> (u64, u64, u64) {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..1, QOS1);
    if let Some(took_ms) = took_ms {
        scene.wait(took_ms);
        scene.deliver(CLEAN, 0, QOS1);
    }
    scene.publish(1..2, QOS1);
    scene.now += Duration::from_millis(wait_ms);

    scene.ledger.close(scene.now);

    assert_eq!(scene.ledger.imbalances(), []);
    let tally = scene.ledger.books().sum(|_| true);
    let coming = tally.excused[Excuse::ComingStill as usize];
    (
        tally.lost,
        coming,
        tally.short_by.as_secs_f64().round() as u64,
    )
}

/// Where others were quick, the last message is lost after 5 s.
#[test]
fn the_last_message_is_lost_after_a_while() {
    assert_eq!(closed(Some(10), 4_000), (0, 1, 1));
    assert_eq!(closed(Some(10), 5_000), (1, 0, 0));
}

/// Where others were slow, it is lost after twice as long as the slowest of them took.
#[test]
fn the_last_message_of_a_slow_broker_is_waited_for() {
    assert_eq!(closed(Some(4_000), 5_000), (0, 1, 3));
    assert_eq!(closed(Some(4_000), 8_100), (1, 0, 0));
}

/// Where nothing came, it is lost after `run.connect_timeout`, which is 10 s here.
#[test]
fn where_nothing_came_a_message_is_waited_for_like_an_answer() {
    assert_eq!(closed(None, 9_000), (0, 2, 1));
    assert_eq!(closed(None, 10_100), (2, 0, 0));
}

/// A later one of the stream came: the earlier one is lost, however short the time [MQTT-4.6.0-6].
#[test]
fn a_message_that_was_overtaken_is_lost() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..2, QOS1);
    scene.deliver(CLEAN, 1, QOS1);

    scene.ledger.close(scene.now);

    let tally = scene.ledger.books().sum(|_| true);
    assert_eq!((tally.delivered, tally.lost), (1, 1));
}
