//! Who saw which will, where many watch many.

use squall_protocol::QoS;
use squall_run::AnomalyKind;
use squall_scenario::BrokerHistory;

use super::scene::{CLEAN as WATCHER, Dup, RESET, Scene};
use super::wills::{connect, see, tally, will};
use crate::books::{Memory, MemoryLimit};

/// Many watchers of many ends whose wills come in between: an end and its watchers are two, not one each, so
/// that a memory of a third of the sightings loses nothing.
#[test]
fn who_saw_a_will_takes_little() {
    let memory = Memory {
        will_ends: 12,
        ..Memory::default()
    };
    let mut scene = Scene::with_memory(memory);
    let (watched, watchers) = (0..4, 4..9);
    for device in watchers.clone() {
        scene.connect(device);
        scene.subscribe(device, "status/#", QoS::AtLeastOnce);
    }
    for device in watched.clone() {
        connect(&mut scene, device, &format!("status/{device}"));
        scene.end(device, RESET);
    }
    for watcher in watchers {
        for device in watched.clone() {
            scene.deliver_will(watcher, &will(&format!("status/{device}")), Dup::No);
        }
    }
    assert_eq!(scene.ledger.wills.kept(), 8);

    let tally = tally(&mut scene);

    assert_eq!((tally.ended, tally.seen), (4, [0, 20, 0, 0]));
    assert_eq!(scene.ledger.given_up().count(MemoryLimit::WillEnds), 0);
}

/// Devices that share a will are one account, and which end each watcher has seen is known beyond the ends that
/// are looked through: of 40 wills of 40 ends none is one too many, and the 41st is.
#[test]
fn many_ends_of_one_will_are_seen_in_their_order() {
    let mut scene = Scene::new();
    scene.connect(WATCHER);
    scene.subscribe(WATCHER, "status/all", QoS::AtLeastOnce);
    for _ in 0..40 {
        connect(&mut scene, 0, "status/all");
        scene.end(0, RESET);
    }
    for _ in 0..41 {
        scene.deliver_will(WATCHER, &will("status/all"), Dup::No);
    }

    let tally = tally(&mut scene);

    assert_eq!((tally.ended, tally.seen), (40, [0, 39, 1, 0]));
    assert_eq!(scene.count(AnomalyKind::WillDoubled), 1);
}

/// A will too many on a broker that others use too: where one device alone announces it, it is not put down to a topic
/// that others may have.
#[test]
fn a_will_too_many_of_one_device_is_told_from_one_of_several() {
    for (announcers, of_several) in [(1, 0), (2, 1)] {
        let mut scene = Scene::on_broker(BrokerHistory::OtherClients);
        scene.connect(WATCHER);
        scene.subscribe(WATCHER, "status/#", QoS::AtLeastOnce);
        for device in 0..announcers {
            connect(&mut scene, device, "status/all");
        }
        see(&mut scene, "status/all");
        scene.close();

        let wills = &scene.ledger.wills;
        assert_eq!(
            (wills.unclear(), wills.unclear_of_several()),
            (1, of_several)
        );
    }
}
