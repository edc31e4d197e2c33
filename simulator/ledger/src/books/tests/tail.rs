//! What nothing overtook and had not come when the run ended: slow is not lost.

use std::time::Duration;

use squall_fleet::{ConnectionFact, Fact};
use squall_protocol::{QoS, ReasonCode};
use squall_scenario::FaultId;

use super::scene::{CLEAN, KEPT, PUBLISHER, RESET, Scene};
use crate::books::Excuse;

const QOS1: QoS = QoS::AtLeastOnce;
const QOS2: QoS = QoS::ExactlyOnce;

/// The books closed now: what is lost, and what could come still.
fn closed_now(mut scene: Scene) -> (u64, u64) {
    scene.ledger.close(scene.now);
    assert_eq!(scene.ledger.imbalances(), []);
    let tally = scene.ledger.books().sum(|_| true);
    (tally.lost, tally.excused[Excuse::ComingStill as usize])
}

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

/// What its publisher sent again on a later connection the broker has had since then at the earliest.
#[test]
fn what_was_sent_again_is_waited_for_from_its_acknowledgement_on() {
    let sent_again = |wait_ms: u64| {
        let mut scene = Scene::ready(&[CLEAN]);
        scene.publish(0..1, QOS1);
        scene.deliver(CLEAN, 0, QOS1);
        scene.send(1, QOS1);
        scene.wait(15_000);
        scene.end(PUBLISHER, RESET);
        scene.connect(PUBLISHER);
        scene.acknowledge(1, ReasonCode::Success);
        scene.wait(wait_ms);
        closed_now(scene)
    };

    assert_eq!(sent_again(100), (0, 1));
    assert_eq!(sent_again(5_000), (1, 0));
}

/// Order is promised within one QoS (§4.6): a message of QoS 2 that is released last may come after one of QoS 1 that was
/// published later, and after one of QoS 2 that was released before it.
#[test]
fn what_is_released_late_is_not_lost_by_order() {
    for later in [QOS1, QOS2] {
        let released_last = |wait_ms: u64| {
            let mut scene = Scene::ready(&[CLEAN]);
            scene.send(0, QOS2);
            scene.publish(1..2, later);
            scene.deliver(CLEAN, 1, later);
            scene.acknowledge(0, ReasonCode::Success);
            scene.wait(wait_ms);
            closed_now(scene)
        };

        assert_eq!(released_last(0), (0, 1), "{later:?}");
        assert_eq!(released_last(5_000), (1, 0), "{later:?}");
    }
}

/// A loss that a later message has shown stays one when its Session goes off-line, comes back and goes for good: the broker
/// would have had to send it before.
#[test]
fn a_proven_loss_is_not_excused_by_what_comes_later() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.publish(0..2, QOS1);
    scene.deliver(KEPT, 1, QOS1);
    scene.end(KEPT, RESET);
    scene.connect_as(KEPT, KEPT, true);
    scene.publish(2..3, QOS1);
    scene.deliver(KEPT, 2, QOS1);
    scene.end(KEPT, RESET);
    scene.wait(20_000);

    assert_eq!(closed_now(scene), (1, 0));
}

/// The same of what waited for a Session that was away, when it goes away again.
#[test]
fn a_gap_in_a_queue_is_not_excused_by_a_second_absence() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.end(KEPT, RESET);
    scene.publish(0..4, QOS1);
    scene.connect_as(KEPT, KEPT, true);
    scene.deliver(KEPT, 0, QOS1);
    scene.deliver(KEPT, 3, QOS1);
    scene.wait(20_000);
    scene.end(KEPT, RESET);

    assert_eq!(closed_now(scene), (2, 0));
}

/// What a Session was owed for long before it was ended by Clean Start is not excused as if it had been on its way.
#[test]
fn what_was_late_before_a_clean_start_is_told() {
    let late = |wait_ms: u64| {
        let mut scene = Scene::ready(&[KEPT]);
        scene.publish(0..1, QOS1);
        scene.deliver(KEPT, 0, QOS1);
        scene.publish(1..2, QOS1);
        scene.wait(wait_ms);
        scene.end(KEPT, RESET);
        scene.wait(5_000);
        let clean_start = ConnectionFact::ConnectSent {
            version: squall_protocol::Version::V5,
            clean_start: true,
            is_persistent: true,
            keep_alive: scene.keep_alive,
            will: None,
            path: squall_fleet::Path::Direct,
        };
        scene.tell(KEPT, Fact::Connection(clean_start));
        scene.connected(KEPT, KEPT, false);
        scene.ledger.close(scene.now);
        let tally = scene.ledger.books().sum(|_| true);
        let excused = |excuse: Excuse| tally.excused[excuse as usize];
        (
            excused(Excuse::LeftLate),
            excused(Excuse::SessionEnded),
            tally.lost,
        )
    };

    assert_eq!(late(40_000), (1, 0, 0));
    assert_eq!(late(10), (0, 1, 0));
}

/// How long a device did not read is not how long the broker took: it makes no other message of the group wait longer.
#[test]
fn a_device_that_does_not_read_lengthens_no_excuse() {
    let mut scene = Scene::ready(&[CLEAN, CLEAN + 1]);
    let stopped = ConnectionFact::ReadingStopped {
        fault: FaultId(0),
        number: 0,
    };
    scene.tell(CLEAN, Fact::Connection(stopped));
    scene.publish(0..1, QOS1);
    scene.deliver(CLEAN + 1, 0, QOS1);
    let since = scene.now;
    scene.wait(30_000);
    scene.tell(
        CLEAN,
        Fact::Connection(ConnectionFact::ReadingResumed { since }),
    );
    scene.deliver(CLEAN, 0, QOS1);
    scene.wait(30_000);
    scene.publish(1..2, QOS1);
    scene.deliver(CLEAN, 1, QOS1);
    scene.wait(40_000);

    scene.end(CLEAN + 1, RESET);

    let tally = scene.ledger.books().sum(|_| true);
    assert_eq!(tally.excused[Excuse::LeftLate as usize], 1);
}

/// A Receive Maximum may keep the broker from sending a message until it has expired; a message that a later one overtook
/// before it had is lost all the same.
#[test]
fn a_receive_maximum_excuses_only_what_nothing_overtook() {
    let lost = |wait_ms: u64| {
        let mut scene = Scene::with_receive_maximum().made_ready(&[CLEAN]);
        scene.send_expiring(0, QOS1, Duration::from_secs(5));
        scene.acknowledge(0, ReasonCode::Success);
        scene.wait(wait_ms);
        scene.send_expiring(1, QOS1, Duration::from_secs(5));
        scene.acknowledge(1, ReasonCode::Success);
        scene.deliver(CLEAN, 1, QOS1);
        scene.wait(60_000);
        closed_now(scene)
    };

    assert_eq!(lost(10), (1, 0));
    assert_eq!(lost(6_000), (0, 0));
}
