//! Retained messages that come because of a SUBSCRIBE (§3.3.1.3).

use squall_fleet::{DeliveredFact, Fact, SubscriptionFact};
use squall_protocol::QoS;
use squall_run::AnomalyKind;
use squall_scenario::BrokerHistory;

use super::scene::{CLEAN, KEPT, PUBLISHER, RESET, Scene, wanted};
use crate::books::Tally;

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;

/// Values 0 and 1 were retained, long before the scene goes on.
fn retained() -> Scene {
    retained_on(BrokerHistory::Empty)
}

fn retained_on(history: BrokerHistory) -> Scene {
    let mut scene = Scene::on_broker(history);
    scene.connect(PUBLISHER);
    for sequence in 0..2 {
        scene.retain(sequence, QOS1);
        scene.wait(2_000);
    }
    scene
}

fn replay(
    scene: &mut Scene,
    device: u32,
    sequence: u32,
    change: impl FnOnce(&mut DeliveredFact<'_>),
) {
    scene.deliver_changed(device, sequence, QOS1, |fact| {
        fact.retain = true;
        change(fact);
    });
}

/// A device subscribes, and what `comes` comes.
fn subscriber(comes: impl FnOnce(&mut Scene)) -> Tally {
    let mut scene = retained();
    scene.connect(CLEAN);
    scene.subscribe(CLEAN, "t", QOS1);
    comes(&mut scene);
    scene.close()
}

/// The last value comes, as it was published, at its QoS.
#[test]
fn the_last_value_is_right() {
    let tally = subscriber(|scene| replay(scene, CLEAN, 1, |_| {}));

    assert_eq!((tally.optional, tally.corrupted, tally.lost), (1, 0, 0));
}

/// Another payload, another QoS [MQTT-3.8.4-8], DUP without an earlier copy [MQTT-3.3.1-1], and a value
/// that was replaced before SUBSCRIBE was sent [MQTT-3.3.1-5].
#[test]
fn a_wrong_replay_is_corrupted_or_mislabelled() {
    let changed = subscriber(|scene| {
        replay(scene, CLEAN, 1, |fact| {
            fact.payload = b"something else that is long"
        });
    });
    let lower = subscriber(|scene| replay(scene, CLEAN, 1, |fact| fact.qos = QOS0));
    let dup = subscriber(|scene| replay(scene, CLEAN, 1, |fact| fact.dup = true));
    let old = subscriber(|scene| replay(scene, CLEAN, 0, |_| {}));

    for (what, tally) in [("payload", changed), ("old", old)] {
        assert_eq!((tally.optional, tally.corrupted), (0, 1), "{what}");
        assert_eq!(tally.mislabelled, 0, "{what}");
    }
    for (what, tally) in [("qos", lower), ("dup", dup)] {
        assert_eq!((tally.optional, tally.mislabelled), (1, 1), "{what}");
        assert_eq!(tally.corrupted, 0, "{what}");
    }
}

/// What was retained before the Session asked for it comes out of the store, whatever its RETAIN flag says: with 0 it has a
/// wrong flag [MQTT-3.3.1-8], and it is neither missing nor a delivery that tells of latency.
#[test]
fn a_replay_without_retain_is_mislabelled() {
    let mut scene = retained_on(BrokerHistory::OtherClients);
    scene.connect(CLEAN);
    scene.subscribe(CLEAN, "t", QOS1);

    let first = scene.deliver_changed(CLEAN, 1, QOS1, |_| {});

    assert_eq!(first, [], "no sample of a latency");
    let tally = scene.close();
    assert_eq!((tally.mislabelled, tally.optional), (1, 1));
    assert_eq!((tally.lost, tally.perhaps_cleared), (0, 0));
}

/// What was published just before SUBSCRIBE, or after it, may come as it is passed on, with RETAIN 0 [MQTT-3.3.1-12].
#[test]
fn what_is_passed_on_live_has_retain_0() {
    let mut scene = retained();
    scene.retain(2, QOS1);
    scene.connect(CLEAN);
    scene.subscribe(CLEAN, "t", QOS1);
    scene.retain(3, QOS1);
    for sequence in [2, 3] {
        scene.deliver_changed(CLEAN, sequence, QOS1, |_| {});
    }

    assert_eq!(scene.close().mislabelled, 0);
}

/// What is surely retained when SUBSCRIBE is sent must come [MQTT-3.3.1-9].
#[test]
fn a_replay_that_never_comes_is_lost() {
    let tally = subscriber(|_| {});

    assert_eq!((tally.expected(), tally.lost), (1, 1));
}

/// A value that was retained just before need not be known everywhere yet, and that of a connection
/// that ended went with it.
#[test]
fn a_replay_that_is_not_certain_is_not_owed() {
    let mut scene = Scene::new();
    scene.connect(PUBLISHER);
    scene.connect(CLEAN);
    scene.retain(0, QOS1);
    scene.subscribe(CLEAN, "t", QOS1);
    assert_eq!(scene.close().lost, 0);

    let tally = subscriber(|scene| scene.end(CLEAN, RESET));
    assert_eq!(tally.lost, 0);
}

/// A shared subscription gets nothing out of the store (§4.8.2).
#[test]
fn a_shared_subscription_is_owed_no_replay() {
    let mut scene = retained();
    scene.connect(CLEAN);
    scene.subscribe(CLEAN, "$share/g/t", QOS1);

    assert_eq!(scene.close().lost, 0);
}

/// What a device has retained itself may come out of the store to a subscription with No Local, or may not: once for each
/// SUBSCRIBE, whatever a shared subscription beside it has brought.
#[test]
fn a_replay_beside_a_shared_subscription_is_for_the_own_one() {
    for (replays, forbidden) in [(2, 0), (3, 1)] {
        let mut scene = Scene::new();
        scene.connect(PUBLISHER);
        scene.subscribe(PUBLISHER, "$share/g/t", QOS1);
        scene.retain(0, QOS1);
        scene.deliver(PUBLISHER, 0, QOS1);
        scene.wait(2_000);
        let mut own = wanted("t", QOS1);
        own.options.no_local = true;
        for _ in 0..2 {
            let wanted = std::slice::from_ref(&own);
            scene.tell(
                PUBLISHER,
                Fact::Subscription(SubscriptionFact::Sent { wanted }),
            );
            scene.suback(PUBLISHER, "t", QOS1);
        }
        for _ in 0..replays {
            replay(&mut scene, PUBLISHER, 0, |_| {});
        }

        let tally = scene.close();

        assert_eq!((tally.delivered, tally.mislabelled), (1, 0), "{replays}");
        assert_eq!(tally.forbidden, forbidden, "{replays}");
    }
}

/// What was retained while SUBSCRIBE was under way may come live with RETAIN to a shared subscription that keeps the flag, at the
/// QoS of that: it is not taken for what the own subscription brings out of the store.
#[test]
fn a_live_copy_of_a_share_that_keeps_the_flag_has_the_qos_of_the_share() {
    for (qos, mislabelled) in [(QOS1, 0), (QoS::ExactlyOnce, 1)] {
        let mut scene = Scene::new();
        scene.connect(PUBLISHER);
        scene.connect(CLEAN);
        let mut share = wanted("$share/g/t", QOS1);
        share.options.retain_as_published = true;
        let both = [share, wanted("t", QOS0)];
        let asked = SubscriptionFact::Sent { wanted: &both };
        scene.tell(CLEAN, Fact::Subscription(asked));
        scene.retain(0, QOS1);
        scene.suback(CLEAN, "$share/g/t", QOS1);
        scene.suback(CLEAN, "t", QOS0);
        scene.deliver(CLEAN, 0, QOS0);
        scene.deliver_changed(CLEAN, 0, qos, |fact| fact.retain = true);

        let tally = scene.close();

        assert_eq!((tally.mislabelled, tally.forbidden), (mislabelled, 0));
    }
}

/// What a kept Session asked for on one connection may come on the next, with DUP, and be old by then.
#[test]
fn a_replay_that_comes_again_on_another_connection_is_right() {
    let mut scene = Scene::new();
    scene.connect(PUBLISHER);
    scene.retain(0, QOS1);
    scene.wait(2_000);
    scene.connect(KEPT);
    scene.subscribe(KEPT, "t", QOS1);
    scene.end(KEPT, RESET);
    scene.retain(1, QOS1);
    scene.wait(2_000);
    scene.connect_as(KEPT, KEPT, true);
    scene.subscribe(KEPT, "t", QOS1);
    replay(&mut scene, KEPT, 0, |fact| fact.dup = true);
    replay(&mut scene, KEPT, 1, |_| {});
    scene.deliver(KEPT, 1, QOS1);

    let tally = scene.close();

    assert_eq!((tally.corrupted, tally.forbidden, tally.lost), (0, 0, 0));
}

/// DUP on the connection that SUBSCRIBE was sent on makes no second copy the first.
#[test]
fn a_second_replay_with_dup_is_a_duplicate() {
    let tally = subscriber(|scene| {
        replay(scene, CLEAN, 1, |_| {});
        replay(scene, CLEAN, 1, |fact| fact.dup = true);
    });

    assert_eq!((tally.optional, tally.forbidden), (1, 1));
}

/// What is owed beyond the limit of memory is not looked for.
#[test]
fn replays_beyond_the_limit_of_memory_are_not_looked_for() {
    for (replays, lost) in [(0, 0), (1, 1)] {
        let memory = crate::books::Memory {
            replays,
            ..crate::books::Memory::default()
        };
        let mut scene = Scene::with_memory(memory);
        scene.connect(PUBLISHER);
        scene.retain(0, QOS1);
        scene.wait(2_000);
        for device in [CLEAN, CLEAN + 1] {
            scene.connect(device);
            scene.subscribe(device, "t", QOS1);
        }

        assert_eq!(scene.close().lost, lost);
    }
}

/// Where other clients may clear what is retained, a replay that never comes says nothing of the broker.
#[test]
fn a_replay_that_another_client_may_have_cleared_is_not_judged() {
    for (history, lost, perhaps_cleared) in [
        (BrokerHistory::Empty, 1, 0),
        (BrokerHistory::EarlierRuns, 1, 0),
        (BrokerHistory::OtherClients, 0, 1),
    ] {
        let mut scene = retained_on(history);
        scene.connect(CLEAN);
        scene.subscribe(CLEAN, "t", QOS1);

        let tally = scene.close();

        assert_eq!(
            (tally.lost, tally.perhaps_cleared),
            (lost, perhaps_cleared),
            "{history:?}"
        );
        // Either way it is named.
        assert_eq!(scene.count(AnomalyKind::Lost), lost, "{history:?}");
        assert_eq!(
            scene.count(AnomalyKind::RetainedAbsent),
            perhaps_cleared,
            "{history:?}"
        );
    }
}

/// A value of another client comes in place of the run's own: it has replaced it. Where no other client
/// is, what an earlier run left must not come once it was replaced.
#[test]
fn a_value_of_another_client_stands_for_the_runs_own() {
    for (history, lost) in [
        (BrokerHistory::EarlierRuns, 1),
        (BrokerHistory::OtherClients, 0),
    ] {
        let mut scene = retained_on(history);
        scene.connect(CLEAN);
        scene.subscribe(CLEAN, "t", QOS1);
        scene.deliver_changed(CLEAN, 1, QOS1, |fact| {
            fact.retain = true;
            fact.payload = b"17 degrees, and not by us";
            fact.stamp = None;
        });

        let tally = scene.close();

        assert_eq!((tally.lost, tally.foreign), (lost, 1), "{history:?}");
        assert_eq!(tally.perhaps_cleared, 0, "{history:?}");
    }
}
