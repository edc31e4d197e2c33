//! Connections that share a Client Identifier (§3.1.4).

use std::time::Duration;

use squall_fleet::{ConnectionFact, EndCause, Fact, LegFact, PeerClose, SenderLeg, Stamp};
use squall_protocol::{PacketId, QoS, ReasonCode};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, FaultId};

use super::scene::{KEPT, PUBLISHER, RESET, SILENCE, Scene, message};
use crate::books::takeovers::TakeoverLimits;
use crate::books::{Excuse, WatchedClaims};

const TAKEN_OVER: EndCause = EndCause::ServerDisconnect(ReasonCode::SessionTakenOver);
const A: u32 = KEPT;
const B: u32 = KEPT + 1;
const C: u32 = KEPT + 2;

fn scene() -> Scene {
    Scene::with_limits(WatchedClaims {
        takeovers: vec![TakeoverLimits {
            expectation: 0,
            alive: Some(1),
            closed_within: Some(Duration::from_millis(500)),
            reason: Some(ReasonCode::SessionTakenOver),
        }],
        ..WatchedClaims::default()
    })
}

fn end(scene: &mut Scene, device: u32, cause: EndCause) {
    scene.tell_end_as(device, A, cause);
}

/// The older connection may look alive for as long as the claim allows, and no longer.
#[test]
fn two_may_look_alive_for_a_while() {
    for (millis, violations) in [(400, 0), (600, 1)] {
        let mut scene = scene();
        scene.connect_as(A, A, false);
        scene.connect_as(B, A, true);
        scene.wait(millis);
        end(&mut scene, A, TAKEN_OVER);

        let found = scene.ledger.takeovers.violations(0);
        assert_eq!(
            (found.alive, found.late),
            (violations, violations),
            "{millis} ms"
        );
        assert_eq!(scene.ledger.takeovers.counts().takeovers, 1);
    }
}

/// A connection that is closed before the CONNACK of the newer one came is closed in time.
#[test]
fn a_close_before_the_connack_is_a_takeover_too() {
    let mut scene = scene();
    scene.connect_as(A, A, false);
    scene.connect_sent(B, A, None);
    end(&mut scene, A, TAKEN_OVER);
    scene.connected(B, A, true);
    scene.close();

    let counts = scene.ledger.takeovers.counts();
    assert_eq!((counts.takeovers, counts.displaced_closed), (1, 1));
    assert_eq!(counts.slowest_close, Some(Duration::ZERO));
    assert_eq!(scene.ledger.takeovers.violations(0).reason, 0);
}

/// Two CONNECTs that were on their way together may be processed in either order: one of the two
/// connections must end, whichever.
#[test]
fn of_two_simultaneous_connects_either_may_win() {
    for (loser, winner) in [(A, B), (B, A)] {
        let mut scene = scene();
        scene.connect_sent(A, A, None);
        scene.connect_sent(B, A, None);
        scene.connected(B, A, false);
        scene.connected(A, A, true);
        end(&mut scene, loser, TAKEN_OVER);
        scene.close();

        let found = scene.ledger.takeovers.violations(0);
        assert_eq!((found.alive, found.reason), (0, 0), "{winner} won");
        assert_eq!(scene.count(AnomalyKind::SessionPresent), 0);
        assert_eq!(scene.count(AnomalyKind::UnexpectedDisconnect), 0);
    }
}

/// A newer connection that the broker closes was displaced by none that was there before its CONNECT: it
/// ended unasked, and the one that it displaced stays displaced.
#[test]
fn a_newer_connection_is_not_displaced_by_an_older_one() {
    let mut scene = scene();
    scene.connect_as(A, A, false);
    scene.connect_as(B, A, true);
    end(&mut scene, B, EndCause::PeerClosed(PeerClose::Fin));
    scene.close();

    let counts = scene.ledger.takeovers.counts();
    assert_eq!((counts.displaced_closed, counts.displaced_open), (0, 1));
    assert_eq!(scene.count(AnomalyKind::UnexpectedDisconnect), 1);
}

/// Two that are alive together at the end are two too many if it lasts.
#[test]
fn two_alive_at_the_end_are_found() {
    let mut scene = scene();
    scene.connect_as(A, A, false);
    scene.connect_as(B, A, true);
    scene.close();

    assert_eq!(scene.ledger.takeovers.violations(0).alive, 1);
    assert_eq!(scene.ledger.takeovers.counts().displaced_open, 1);
}

/// The close of a displaced connection may have lain there while its device did not read: it was in time, however long the
/// device's link keeps it after that.
#[test]
fn a_close_that_its_device_did_not_read_is_in_time() {
    let mut scene = scene();
    scene.connect_as(A, A, false);
    let stopped = ConnectionFact::ReadingStopped {
        fault: FaultId(0),
        number: 0,
    };
    let since = scene.now;
    scene.tell_as(A, A, Fact::Connection(stopped));
    scene.connect_as(B, A, true);
    scene.wait(3_000);
    let resumed = ConnectionFact::ReadingResumed { since };
    scene.tell_as(A, A, Fact::Connection(resumed));
    let closed = ConnectionFact::CloseArrived(PeerClose::Fin);
    scene.tell_as(A, A, Fact::Connection(closed));
    scene.wait(6_000);
    end(&mut scene, A, TAKEN_OVER);

    let found = scene.ledger.takeovers.violations(0);
    assert_eq!((found.alive, found.late), (0, 0));
}

/// How long a displaced connection was open is counted beside the one that displaced it, whatever
/// became of that one since, and the figure is the one that is judged.
#[test]
fn a_displaced_connection_is_late_though_its_displacer_is_gone() {
    let mut scene = scene();
    scene.connect_as(A, A, false);
    scene.connect_as(B, A, true);
    scene.wait(400);
    scene.connect_as(C, A, true);
    end(&mut scene, B, TAKEN_OVER);
    scene.wait(200);
    end(&mut scene, A, TAKEN_OVER);

    let counts = scene.ledger.takeovers.counts();
    assert!(counts.slowest_close > Some(Duration::from_millis(600)));
    assert_eq!(scene.ledger.takeovers.violations(0).late, 1);
}

/// A displaced connection that is never closed is late, though no other is there at the end.
#[test]
fn a_displaced_connection_that_is_left_alone_is_late() {
    for gone in [RESET, EndCause::PeerClosed(PeerClose::Fin)] {
        let mut scene = scene();
        scene.connect_as(A, A, false);
        scene.connect_as(B, A, true);
        end(&mut scene, B, gone);
        scene.close();

        assert_eq!(scene.ledger.takeovers.counts().displaced_open, 1);
        assert_eq!(scene.ledger.takeovers.violations(0).late, 1, "{gone:?}");
    }
}

/// Of two whose CONNECTs crossed, the one that its own device ended may have been displaced: the
/// other is not late.
#[test]
fn of_two_simultaneous_connects_one_may_go_on_alone() {
    let mut scene = scene();
    scene.connect_sent(A, A, None);
    scene.connect_sent(B, A, None);
    scene.connected(A, A, false);
    scene.connected(B, A, true);
    end(&mut scene, B, RESET);
    scene.close();

    let counts = scene.ledger.takeovers.counts();
    assert_eq!((counts.displaced_otherwise, counts.displaced_open), (1, 0));
    assert_eq!(scene.ledger.takeovers.violations(0).late, 0);
}

/// A bare close of a displaced MQTT 5.0 connection gives no reason [MQTT-3.1.4-3].
#[test]
fn a_bare_close_gives_no_reason() {
    let mut scene = scene();
    scene.connect_as(A, A, false);
    scene.connect_as(B, A, true);
    end(&mut scene, A, EndCause::PeerClosed(PeerClose::Fin));

    assert_eq!(scene.ledger.takeovers.violations(0).reason, 1);
    assert_eq!(scene.count(AnomalyKind::UnexpectedDisconnect), 0);
}

/// A connection that its own device ends was not displaced.
#[test]
fn an_end_of_ones_own_is_not_a_takeover() {
    let mut scene = scene();
    scene.connect_as(A, A, false);
    end(&mut scene, A, RESET);
    scene.connect_as(B, A, true);
    scene.close();

    let counts = scene.ledger.takeovers.counts();
    assert_eq!((counts.takeovers, counts.displaced_closed), (0, 0));
}

/// However often a Session moves with exchanges open, a loss is excused only where the message had the Packet Identifier of
/// one of them, and once for each: the PUBREL ends it.
#[test]
fn open_exchanges_of_another_device_excuse_what_has_their_identifiers() {
    const OTHER: u32 = PUBLISHER + 1;
    let leg = |stamp, id, leg| {
        let id = PacketId::new(id).unwrap();
        Fact::Leg(LegFact::Sender {
            stamp,
            topic: "t",
            id,
            leg,
        })
    };
    let mut scene = Scene::ready(&[A]);
    for exchange in 0..3 {
        scene.connect_as(OTHER, PUBLISHER, true);
        scene.tell_end_as(PUBLISHER, PUBLISHER, TAKEN_OVER);
        let stamp = Stamp {
            device: DeviceId(OTHER),
            ..message(exchange).0
        };
        for id in [1, 2] {
            scene.tell_as(OTHER, PUBLISHER, leg(stamp, id, SenderLeg::PublishSent));
        }
        scene.connect_as(PUBLISHER, PUBLISHER, true);
        scene.tell_end_as(OTHER, PUBLISHER, TAKEN_OVER);
    }
    for (sequence, id) in [(0, 1), (1, 3), (2, 1)] {
        let stamp = message(sequence).0;
        scene.tell(PUBLISHER, leg(stamp, id, SenderLeg::PublishSent));
        scene.publish(sequence..sequence + 1, QoS::ExactlyOnce);
        scene.tell(PUBLISHER, leg(stamp, id, SenderLeg::PubcompReceived));
    }

    let tally = scene.close();

    assert_eq!(tally.excused[Excuse::IdentifierInUse as usize], 1);
    assert_eq!(tally.lost, 2);
}

/// A broker may give up what one device had begun for what the next one sends with its identifier, which it passes on.
#[test]
fn a_message_that_was_left_open_at_a_move_may_be_given_up() {
    let id = PacketId::new(1).unwrap();
    let leg = |leg| {
        Fact::Leg(LegFact::Sender {
            stamp: message(0).0,
            topic: "t",
            id,
            leg,
        })
    };
    for moves in [false, true] {
        let mut scene = Scene::ready(&[A]);
        scene.tell(PUBLISHER, leg(SenderLeg::PublishSent));
        scene.send(0, QoS::ExactlyOnce);
        if moves {
            scene.connect_as(PUBLISHER + 1, PUBLISHER, true);
            scene.tell_end_as(PUBLISHER, PUBLISHER, TAKEN_OVER);
            scene.connect_as(PUBLISHER, PUBLISHER, true);
            scene.tell_end_as(PUBLISHER + 1, PUBLISHER, TAKEN_OVER);
        }
        scene.tell(PUBLISHER, leg(SenderLeg::PubcompReceived));
        scene.acknowledge(0, ReasonCode::Success);

        let tally = scene.close();

        let excused = tally.excused[Excuse::IdentifierInUse as usize];
        assert_eq!((tally.lost, excused), (u64::from(!moves), u64::from(moves)));
    }
}

/// Session Present is 0 for the first, 1 while the Session lives, 0 or 1 once its expiry has
/// passed on the device's clock, for the broker counts from when it noticed (§3.1.2.11.2).
#[test]
fn session_present_is_judged_where_it_is_known() {
    for (away_s, present, wrong) in [(10, true, 0), (10, false, 1), (70, true, 0), (70, false, 0)] {
        let mut scene = scene();
        scene.connect_as(A, A, false);
        end(&mut scene, A, SILENCE);
        scene.now += Duration::from_secs(away_s);
        scene.connect_as(A, A, present);

        let counts = scene.ledger.takeovers.counts();
        assert_eq!(
            counts.session_present_wrong, wrong,
            "{present} after {away_s} s"
        );
    }
}

/// The first CONNECT of a run finds no Session in a broker that was started for it.
#[test]
fn a_fresh_broker_has_no_session() {
    let mut scene = scene();
    scene.connect_as(A, A, true);

    assert_eq!(scene.count(AnomalyKind::SessionPresent), 1);
}

/// The Session of a minute ended while the generator stood still for two; what came meanwhile is read with
/// a short pause in between, and none of it makes a right CONNACK wrong.
#[test]
fn a_session_that_ended_during_a_standstill_is_not_expected() {
    let mut scene = scene();
    scene.connect_as(A, A, false);
    scene.stand_still(120_000);
    scene.wait(20);
    scene.stand_still(5);
    end(&mut scene, A, EndCause::PeerClosed(PeerClose::Fin));
    scene.connect_as(A, A, false);

    assert_eq!(scene.count(AnomalyKind::SessionPresent), 0);
}
