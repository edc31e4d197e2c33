//! Which end a will belongs to, where the two are not read in order.

use std::time::Duration;

use squall_fleet::{EndCause, PeerClose};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, FaultId};

use super::scene::{KEPT, RESET, SILENCE};
use super::wills::{WATCHER, connect, scene, see, tally, will};

/// A will that is read before the close of its connection is the will of that connection; one that no close
/// of the broker follows soon is one too many.
#[test]
fn a_will_may_be_read_before_the_close_that_it_belongs_to() {
    let closed = EndCause::PeerClosed(PeerClose::Fin);
    for (after, end, too_many) in [
        (5, Some(closed), 0),
        (2_000, Some(closed), 1),
        (5, Some(RESET), 1),
        (5, None, 1),
    ] {
        for ended_before in [false, true] {
            let mut scene = scene(&[0], |_| "status/0".to_owned());
            if ended_before {
                scene.end(0, RESET);
                see(&mut scene, "status/0");
                connect(&mut scene, 0, "status/0");
            }
            see(&mut scene, "status/0");
            scene.wait(after);
            if let Some(end) = end {
                scene.end(0, end);
            }
            scene.close();

            let wrong = [AnomalyKind::WillDoubled, AnomalyKind::WillUnexpected]
                .map(|kind| scene.count(kind));
            let wrong: u64 = wrong.iter().sum();
            assert_eq!(wrong, too_many, "{end:?} after {after} ms");
        }
    }
}

/// Of two ends of one device the will that comes belongs to the one that it fits: the takeover had to
/// bring the older one's before.
#[test]
fn a_will_belongs_to_the_end_that_it_fits() {
    let mut scene = scene(&[KEPT], |_| "status/6".to_owned());
    scene.end(KEPT, SILENCE);
    scene.wait(500);
    scene.connect_sent(KEPT, KEPT, Some(&will("status/6")));
    scene.connected(KEPT, KEPT, true);
    scene.wait(300);
    scene.end(KEPT, RESET);
    see(&mut scene, "status/6");
    scene.wait(20_000);
    scene.close();

    let tallies: Vec<(Option<FaultId>, [u64; 4])> = scene
        .ledger
        .wills
        .tallies()
        .map(|(fault, _, tally)| (fault, tally.seen))
        .collect();
    let (reset, silence) = (Some(FaultId(0)), Some(FaultId(1)));
    assert_eq!(tallies, [(reset, [0, 1, 0, 0]), (silence, [1, 0, 0, 0])]);
}

/// Wills that come late and in order, after the device was back, are each counted once.
#[test]
fn late_wills_of_one_device_are_each_counted_once() {
    let mut scene = scene(&[0], |_| "status/0".to_owned());
    for _ in 0..3 {
        scene.end(0, RESET);
        connect(&mut scene, 0, "status/0");
        scene.wait(1_000);
    }
    for _ in 0..3 {
        see(&mut scene, "status/0");
    }

    let tally = tally(&mut scene);

    assert_eq!((tally.ended, tally.seen), (3, [0, 3, 0, 0]));
}

/// Whose connection a will is of that no end asks for is not known: not the watcher's, whose Keep Alive says
/// nothing of how long the other may be silent.
#[test]
fn a_will_that_no_end_asks_for_is_of_no_group() {
    let mut scene = scene(&[0], |_| "status/0".to_owned());
    see(&mut scene, "status/0");
    scene.close();

    let anomalies = scene.ledger.anomalies();
    let subjects = anomalies.counts_of(AnomalyKind::WillUnexpected);
    let groups: Vec<_> = subjects.map(|(subject, _)| subject.scope.group).collect();
    assert_eq!(groups, [None]);
}

/// A will that was not due names the device that had announced it, and who saw it; where several have
/// announced the same, it names the one that saw it.
#[test]
fn a_will_that_was_not_due_names_the_device_that_announced_it() {
    for (devices, whose, recipient) in [
        (&[0][..], Some(DeviceId(0)), Some(DeviceId(WATCHER))),
        (&[0, KEPT][..], Some(DeviceId(WATCHER)), None),
    ] {
        let mut scene = scene(devices, |_| "status/0".to_owned());
        see(&mut scene, "status/0");
        scene.close();

        let anomalies = scene.ledger.anomalies();
        let kept = &anomalies.kept(AnomalyKind::WillUnexpected)[0];
        assert_eq!((kept.device, kept.recipient), (whose, recipient));
    }
}

/// The will of a connection that the broker closes may be read a second before the close, and as much earlier as the
/// generator was held up in between: the close lay unread.
#[test]
fn a_will_before_a_close_that_lay_unread_is_of_that_end() {
    for (held_up_ms, unprovoked) in [(0, 1), (400, 1), (800, 0)] {
        let mut scene = scene(&[0], |_| "status/0".to_owned());
        see(&mut scene, "status/0");
        scene.wait(1_600);
        let held_up = Duration::from_millis(held_up_ms);
        scene
            .ledger
            .wills
            .anomalies_mut()
            .note_hold_up(held_up, scene.now);
        scene.end(0, EndCause::PeerClosed(PeerClose::Fin));

        scene.close();

        let too_many = scene.count(AnomalyKind::WillUnexpected);
        assert_eq!(too_many, unprovoked, "{held_up_ms}");
    }
}
