//! Which end a will belongs to, where the two are not read in order.

use std::time::Duration;

use squall_fleet::{EndCause, PeerClose};
use squall_protocol::QoS;
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, FaultId};

use super::scene::{KEPT, RESET, SILENCE, Scene};
use super::wills::{WATCHER, connect, scene, see, tally, will};
use crate::books::delay::Delay;
use crate::books::wills::WillCause;

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

/// When the close of a connection that was taken over is read, seen from the newer one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum CloseRead {
    BeforeConnack,
    AfterConnack,
    AfterItsEnd,
}

/// A device whose wills wait, and whose connection another takes over that a fault cuts 600 ms later. How many wills come
/// 2.1 s after the cut is the last figure.
fn taken_over_and_cut(delay: Delay, read: CloseRead, wills: u32) -> Scene {
    let (older, newer) = (KEPT, KEPT + 1);
    let close = EndCause::PeerClosed(PeerClose::Fin);
    let mut scene = Scene::with_will_delay(delay);
    scene.connect(WATCHER);
    scene.subscribe(WATCHER, "status/#", QoS::AtLeastOnce);
    connect(&mut scene, older, "status/6");
    scene.wait(1_000);
    scene.connect_sent(newer, older, Some(&will("status/6")));
    if read == CloseRead::BeforeConnack {
        scene.tell_end_as(older, older, close);
    }
    scene.connected(newer, older, true);
    if read == CloseRead::AfterConnack {
        scene.tell_end_as(older, older, close);
    }
    scene.wait(600);
    scene.tell_end_as(newer, older, RESET);
    if read == CloseRead::AfterItsEnd {
        scene.tell_end_as(older, older, close);
    }
    scene.wait(2_100);
    for _ in 0..wills {
        see(&mut scene, "status/6");
    }
    scene.close();
    scene
}

/// A connection that resumed a Session leaves the older one without a will, in whatever order close, CONNACK and the
/// newer end are read: the will that comes is that of the newer end, none is one too few, a second is one too many
/// [MQTT-3.1.3-9].
#[test]
fn a_will_after_a_takeover_is_of_the_newer_end() {
    for seconds in [1, 2] {
        for read in [
            CloseRead::BeforeConnack,
            CloseRead::AfterConnack,
            CloseRead::AfterItsEnd,
        ] {
            for (wills, seen) in [(0, [1, 0, 0, 0]), (1, [0, 1, 0, 0])] {
                let delay = Delay::UntilResumed(Duration::from_secs(seconds));
                let scene = taken_over_and_cut(delay, read, wills);

                let books = &scene.ledger.wills;
                let (_, _, cut) = books
                    .tallies()
                    .find(|(fault, ..)| *fault == Some(FaultId(0)))
                    .expect("a fault cut the newer connection");
                assert_eq!(cut.seen, seen, "{read:?}, {seconds} s, {wills} wills");
                let missing = u64::from(wills == 0);
                assert_eq!(scene.count(AnomalyKind::WillMissing), missing, "{read:?}");
                assert_eq!(scene.count(AnomalyKind::WillUnexpected), 0, "{read:?}");
            }
        }
    }
}

/// The end of a connection that was taken over before its close was read has no will: each will beyond the one of the
/// newer end is one too many.
#[test]
fn a_second_will_after_a_takeover_is_too_many() {
    let delay = Delay::UntilResumed(Duration::from_secs(2));
    for read in [CloseRead::AfterConnack, CloseRead::AfterItsEnd] {
        let scene = taken_over_and_cut(delay, read, 2);

        let wrong =
            [AnomalyKind::WillDoubled, AnomalyKind::WillUnexpected].map(|kind| scene.count(kind));
        assert_eq!(wrong.iter().sum::<u64>(), 1, "{read:?}");
        let closed = scene
            .ledger
            .wills
            .tallies()
            .find(|(_, cause, _)| *cause == WillCause::ClosedByBroker)
            .map(|(_, _, tally)| (tally.cancelled, tally.optional));
        assert_eq!(closed, Some((1, 0)), "{read:?}");
    }
}

/// A CONNECT with Clean Start ends the Session that it takes over, and the will of that comes at once, however long its
/// delay is (§3.1.3.2.2); the close may be read after the CONNACK, and after the will.
#[test]
fn a_will_comes_at_once_when_clean_start_takes_over() {
    for is_will_first in [false, true] {
        let (older, newer) = (0, 1);
        let mut scene = Scene::with_will_delay(Delay::UntilReplaced(Duration::from_secs(3)));
        scene.connect(WATCHER);
        scene.subscribe(WATCHER, "status/#", QoS::AtLeastOnce);
        connect(&mut scene, older, "status/0");
        scene.wait(1_000);
        scene.connect_sent(newer, older, Some(&will("status/0")));
        scene.connected(newer, older, false);
        if is_will_first {
            see(&mut scene, "status/0");
        }
        scene.tell_end_as(older, older, EndCause::PeerClosed(PeerClose::Fin));
        if !is_will_first {
            see(&mut scene, "status/0");
        }
        scene.close();

        let wrong = scene.count(AnomalyKind::WillUnexpected);
        assert_eq!(wrong, 0, "will first: {is_will_first}");
    }
}
