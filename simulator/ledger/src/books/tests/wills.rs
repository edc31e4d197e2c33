//! Last Wills: one for each end that asks for it (§3.1.2.5).

use std::time::Duration;

use squall_fleet::{EndCause, PeerClose};
use squall_protocol::{
    QoS,
    packet::{Will, WillProperties},
    topic::TopicName,
};
use squall_run::AnomalyKind;
use squall_scenario::{BrokerHistory, DropKind, FaultId};

use super::scene::{CLEAN, Dup, KEPT, PUBLISHER, RESET, SILENCE, Scene};
use crate::books::wills::WillLimit;
use crate::books::{Memory, MemoryLimit, WatchedClaims, WillTally};

pub(super) const WATCHER: u32 = CLEAN;

pub(super) fn will(topic: &str) -> Will {
    Will {
        topic: TopicName::new(topic.into()).unwrap(),
        payload: b"offline, and that for good".to_vec(),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: WillProperties::default(),
    }
}

/// Devices with a will each, or all with the same, and a watcher.
pub(super) fn scene(devices: &[u32], topic_of: impl Fn(u32) -> String) -> Scene {
    let mut scene = Scene::new();
    scene.connect(WATCHER);
    scene.subscribe(WATCHER, "status/#", QoS::AtLeastOnce);
    for &device in devices {
        connect(&mut scene, device, &topic_of(device));
    }
    scene
}

pub(super) fn connect(scene: &mut Scene, device: u32, topic: &str) {
    scene.connect_sent(device, device, Some(&will(topic)));
    scene.connected(device, device, false);
}

pub(super) fn see(scene: &mut Scene, topic: &str) {
    scene.deliver_plain(WATCHER, topic, &will(topic).payload);
}

pub(super) fn tally(scene: &mut Scene) -> WillTally {
    scene.close();
    let mut tallies = scene.ledger.wills.tallies();
    let first = tallies.next().map(|(_, _, tally)| tally.clone());
    assert!(tallies.next().is_none(), "one fault, one cause");
    first.unwrap()
}

/// A message like a will that no end asks for is a will too many, unless another client may have sent it.
#[test]
fn a_will_too_many_is_unclear_where_other_clients_are() {
    let goodbye = EndCause::Disconnected {
        fault: FaultId(0),
        reason: squall_protocol::ReasonCode::Success,
    };
    for (what, end, wills) in [
        ("without an end", None, 1),
        ("after a goodbye", Some(goodbye), 1),
        ("twice", Some(RESET), 2),
    ] {
        for (history, unclear) in [
            (BrokerHistory::Empty, 0),
            (BrokerHistory::EarlierRuns, 0),
            (BrokerHistory::OtherClients, 1),
        ] {
            let mut scene = Scene::on_broker(history);
            scene.connect(WATCHER);
            scene.subscribe(WATCHER, "status/#", QoS::AtLeastOnce);
            connect(&mut scene, 0, "status/0");
            if let Some(end) = end {
                scene.end(0, end);
            }
            for _ in 0..wills {
                see(&mut scene, "status/0");
            }
            scene.close();

            let wrong = [AnomalyKind::WillDoubled, AnomalyKind::WillUnexpected]
                .map(|kind| scene.count(kind));
            assert_eq!(
                (scene.ledger.wills.unclear(), wrong.iter().sum::<u64>()),
                (unclear, 1 - unclear),
                "{what}, {history:?}"
            );
        }
    }
}

/// Devices that share topic and payload are told apart by time: each end waits for one will.
#[test]
fn a_shared_will_is_counted_per_end() {
    let mut scene = scene(&[0, 1, 2], |_| "status/all".to_owned());
    for device in [0, 1, 2] {
        scene.end(device, RESET);
    }
    for _ in 0..2 {
        see(&mut scene, "status/all");
    }

    let tally = tally(&mut scene);

    assert_eq!((tally.ended, tally.seen), (3, [1, 2, 0, 0]));
    assert_eq!(scene.count(AnomalyKind::WillMissing), 1);
}

/// A device that comes back and is cut again has a will each time.
#[test]
fn each_connection_has_its_own_will() {
    let mut scene = scene(&[0], |_| "status/0".to_owned());
    for _ in 0..2 {
        scene.end(0, RESET);
        see(&mut scene, "status/0");
        connect(&mut scene, 0, "status/0");
    }

    let tally = tally(&mut scene);

    assert_eq!((tally.ended, tally.seen), (2, [0, 2, 0, 0]));
}

/// A connection that the broker closed may have a will or not: a takeover has one, an expiry none.
#[test]
fn an_end_by_the_broker_allows_a_will() {
    let closed = EndCause::PeerClosed(PeerClose::Fin);
    for sightings in [0, 1] {
        let mut scene = scene(&[0], |_| "status/0".to_owned());
        scene.end(0, closed);
        for _ in 0..sightings {
            see(&mut scene, "status/0");
        }

        let tally = tally(&mut scene);

        assert_eq!((tally.ended, tally.watched), (1, 0));
        assert_eq!(scene.ledger.wills.unprovoked(), 0);
    }
}

/// A connection without CONNACK may have been seen by the broker or not.
#[test]
fn an_end_before_the_connack_allows_a_will() {
    let mut scene = scene(&[], |_| String::new());
    scene.connect_sent(PUBLISHER, PUBLISHER, Some(&will("status/0")));
    scene.end(PUBLISHER, RESET);

    let tally = tally(&mut scene);

    assert_eq!((tally.ended, tally.watched), (1, 0));
}

/// Who subscribes after the end need not see the will.
#[test]
fn only_those_who_ask_at_the_end_must_see_it() {
    let mut scene = scene(&[0], |_| "status/0".to_owned());
    scene.end(0, RESET);
    see(&mut scene, "status/0");
    scene.connect(WATCHER + 1);
    scene.subscribe(WATCHER + 1, "status/#", QoS::AtLeastOnce);

    let tally = tally(&mut scene);

    assert_eq!((tally.watched, tally.seen[1]), (1, 1));
}

/// A watcher whose clean Session ends takes its wills along; a kept one must see them when it is
/// back, and has no verdict while it is away.
#[test]
fn a_watcher_that_is_gone_is_excused() {
    for (is_back, missing) in [(true, 1), (false, 0)] {
        let mut scene = scene(&[0], |_| "status/0".to_owned());
        scene.connect(KEPT);
        scene.subscribe(KEPT, "status/#", QoS::AtLeastOnce);
        scene.end(0, RESET);
        scene.end(WATCHER, RESET);
        scene.end(KEPT, RESET);
        if is_back {
            scene.connect_as(KEPT, KEPT, true);
        }

        let tally = tally(&mut scene);

        assert_eq!((tally.watched, tally.seen[0]), (missing, missing));
    }
}

/// The same copy may come again on another connection; on the same one DUP makes no second will
/// the first [MQTT-4.4.0-1].
#[test]
fn a_will_with_dup_on_the_same_connection_is_a_second_will() {
    for (reconnects, doubled) in [(true, 0), (false, 1)] {
        let mut scene = Scene::new();
        connect(&mut scene, 0, "status/0");
        scene.connect(KEPT);
        scene.subscribe(KEPT, "status/#", QoS::AtLeastOnce);
        scene.end(0, RESET);
        scene.deliver_will(KEPT, &will("status/0"), Dup::No);
        if reconnects {
            scene.end(KEPT, RESET);
            scene.connect_as(KEPT, KEPT, true);
        }
        scene.deliver_will(KEPT, &will("status/0"), Dup::Yes);

        tally(&mut scene);

        assert_eq!(scene.count(AnomalyKind::WillDoubled), doubled);
    }
}

/// Of devices that watch each other and drop at once each end is kept once, not once for each
/// watcher, and the watchers that are gone have no verdict.
#[test]
fn devices_that_watch_each_other_cost_one_record_each() {
    let mut scene = Scene::new();
    for device in 0..9 {
        connect(&mut scene, device, &format!("status/{device}"));
        scene.subscribe(device, "status/#", QoS::AtLeastOnce);
    }
    for device in 0..6 {
        scene.end(device, RESET);
    }
    assert_eq!(scene.ledger.wills.kept(), 6);

    let tally = tally(&mut scene);

    // Three watchers are left, and none saw any of the six.
    assert_eq!((tally.ended, tally.seen), (6, [18, 0, 0, 0]));
}

/// A watcher of wills, and a ledger with memory for this many ends.
fn watched_with_memory(will_ends: usize) -> Scene {
    let memory = Memory {
        will_ends,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory);
    scene.connect(WATCHER);
    scene.subscribe(WATCHER, "status/#", QoS::AtLeastOnce);
    scene
}

/// Ends beyond the limit whose wills did not come are unknown, not missing.
#[test]
fn ends_beyond_the_limit_of_memory_are_unknown() {
    let mut scene = watched_with_memory(4);
    for _ in 0..5 {
        connect(&mut scene, 0, "status/0");
        scene.end(0, RESET);
    }

    let tally = tally(&mut scene);

    assert_eq!((tally.ended, tally.seen[0]), (2, 2));
    assert_eq!(scene.ledger.given_up().count(MemoryLimit::WillEnds), 3);
}

/// Ends whose wills came are settled in their place, and nothing is given up.
#[test]
fn ends_whose_wills_came_are_settled_early() {
    let mut scene = watched_with_memory(8);
    for _ in 0..50 {
        connect(&mut scene, 0, "status/0");
        scene.end(0, RESET);
        see(&mut scene, "status/0");
        scene.wait(10_000);
    }

    let tally = tally(&mut scene);

    assert_eq!((tally.ended, tally.seen), (50, [0, 50, 0, 0]));
    assert_eq!(scene.ledger.given_up().count(MemoryLimit::WillEnds), 0);
}

/// A silent device has 1.5 times its Keep Alive, and the broker 2 s more, before its will is missing
/// [MQTT-3.1.2-22]; until then it is undecided, and counted as that.
#[test]
fn a_will_that_could_come_still_is_undecided() {
    for (wait_ms, missing) in [(16_900, 0), (17_100, 1)] {
        let mut scene = scene(&[0], |_| "status/0".to_owned());
        scene.end(0, SILENCE);
        scene.wait(wait_ms);

        scene.ledger.close(scene.now);

        let (_, _, tally) = scene.ledger.wills.tallies().next().unwrap();
        assert_eq!((tally.seen[0], tally.undecided), (missing, 1 - missing));
        assert_eq!(scene.count(AnomalyKind::WillMissing), missing, "{wait_ms}");
    }
}

/// Without Keep Alive a broker never notices that a device is silent: no will is due.
#[test]
fn without_keep_alive_the_will_of_a_silent_device_is_not_due() {
    let mut scene = scene(&[], |_| String::new());
    scene.keep_alive = Duration::ZERO;
    connect(&mut scene, 0, "status/0");
    scene.end(0, SILENCE);

    let tally = tally(&mut scene);

    assert_eq!((tally.watched, tally.undecided), (0, 0));
}

/// A limit of the scenario's own says after which time a will is missing.
#[test]
fn a_will_is_missing_once_its_limit_has_passed() {
    for (wait_ms, overdue) in [(400, 0), (600, 1)] {
        let mut scene = Scene::with_limits(WatchedClaims {
            expiries: Vec::new(),
            wills: vec![WillLimit {
                expectation: 3,
                fault: FaultId(0),
                how: DropKind::Rst,
                limit: Duration::from_millis(500),
            }],
            ..WatchedClaims::default()
        });
        scene.connect(WATCHER);
        scene.subscribe(WATCHER, "status/#", QoS::AtLeastOnce);
        connect(&mut scene, 0, "status/0");
        scene.end(0, RESET);
        scene.wait(wait_ms);

        scene.ledger.close(scene.now);

        let wills = &scene.ledger.wills;
        assert_eq!(wills.overdue(3, FaultId(0), DropKind::Rst), overdue);
        assert_eq!(scene.count(AnomalyKind::WillMissing), overdue);
    }
}

/// A will that no subscription of the Session asks for is misrouted as any other message.
#[test]
fn a_will_that_no_subscription_asks_for_is_misrouted() {
    let mut scene = scene(&[0], |_| "status/0".to_owned());
    scene.connect(WATCHER + 1);
    scene.end(0, RESET);
    scene.deliver_plain(WATCHER + 1, "status/0", &will("status/0").payload);

    assert_eq!(scene.close().misrouted, 1);
}

/// With overlapping subscriptions one will may bring a copy for each [MQTT-3.3.4-2].
#[test]
fn copies_of_one_will_are_one() {
    let mut scene = scene(&[0], |_| "status/0".to_owned());
    scene.subscribe(WATCHER, "status/0", QoS::AtLeastOnce);
    scene.end(0, RESET);
    see(&mut scene, "status/0");
    see(&mut scene, "status/0");

    let tally = tally(&mut scene);

    assert_eq!(tally.seen, [0, 1, 0, 0]);
    assert_eq!(scene.count(AnomalyKind::WillDoubled), 0);
}

/// A device that is silent and comes back takes its own Session over: that is what closes the connection
/// before, whatever Keep Alive says (§3.1.4).
#[test]
fn a_will_that_a_takeover_had_to_bring_says_so() {
    for (is_back, rule) in [(true, "[MQTT-3.1.4-3]"), (false, "(§3.1.2.5)")] {
        let mut scene = scene(&[KEPT], |_| "status/6".to_owned());
        scene.end(KEPT, SILENCE);
        if is_back {
            scene.connect_as(KEPT, KEPT, true);
        }
        scene.wait(20_000);

        scene.close();

        let anomalies = scene.ledger.anomalies();
        let missing = &anomalies.kept(AnomalyKind::WillMissing)[0];
        assert!(
            missing.explanation.contains(rule),
            "{}",
            missing.explanation
        );
    }
}

/// A will that is late is about the device that died, not about the one that saw it.
#[test]
fn a_late_will_names_the_device_that_died() {
    let mut scene = Scene::with_limits(WatchedClaims {
        expiries: Vec::new(),
        wills: vec![WillLimit {
            expectation: 0,
            fault: FaultId(0),
            how: DropKind::Rst,
            limit: Duration::from_millis(500),
        }],
        ..WatchedClaims::default()
    });
    scene.connect(WATCHER);
    scene.subscribe(WATCHER, "status/#", QoS::AtLeastOnce);
    connect(&mut scene, 0, "status/0");
    scene.end(0, RESET);
    scene.wait(1_391);
    see(&mut scene, "status/0");

    let anomalies = scene.ledger.anomalies();
    let late = &anomalies.kept(AnomalyKind::WillLate)[0];
    assert_eq!(late.device, Some(squall_scenario::DeviceId(0)));
    assert_eq!(
        late.explanation,
        "its will came 1.39 s after the drop, the limit is 500 ms; seen by device 3"
    );
}

/// What is settled is enough: wills that are not complete are kept, though the memory was full.
#[test]
fn nothing_is_given_up_where_settling_frees_enough() {
    let mut scene = watched_with_memory(16);
    for _ in 0..9 {
        connect(&mut scene, 1, "status/1");
        scene.end(1, RESET);
    }
    for _ in 0..8 {
        connect(&mut scene, 0, "status/0");
        scene.end(0, RESET);
        see(&mut scene, "status/0");
        scene.wait(10_000);
    }

    scene.close();

    assert_eq!(scene.ledger.given_up().count(MemoryLimit::WillEnds), 0);
    assert_eq!(scene.count(AnomalyKind::WillMissing), 9);
}
