//! Sessions that end, wait or go on: what may stay undelivered, and what may not.

use std::time::Duration;

use squall_fleet::{ConnectionFact, EndCause, Fact, Way};
use squall_protocol::{QoS, ReasonCode};

use super::scene::{CLEAN, KEPT, PUBLISHER, RESET, SILENCE, Scene};
use crate::books::Excuse;

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;

/// A clean Session ends with its connection, and what was owed to it with it (§3.1.2.4).
#[test]
fn a_clean_session_takes_its_messages_along() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..2, QOS1);
    scene.end(CLEAN, RESET);
    scene.publish(2..3, QOS1);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.lost), (2, 0));
    assert_eq!(tally.excused[Excuse::SessionEnded as usize], 2);
}

/// After a reconnect with Clean Start only a new subscription asks for messages.
#[test]
fn a_clean_start_begins_afresh() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.end(CLEAN, RESET);
    scene.connect(CLEAN);
    scene.publish(0..1, QOS1);
    scene.deliver(CLEAN, 0, QOS1);
    scene.subscribe(CLEAN, "t", QOS1);
    scene.publish(1..2, QOS1);

    let tally = scene.close();

    assert_eq!(tally.misrouted, 1, "no device had subscribed yet");
    assert_eq!((tally.expected(), tally.lost), (1, 1));
}

/// A kept Session is owed what is published while it is offline (§4.1), at QoS 1 and 2.
#[test]
fn a_kept_session_waits_for_its_messages() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.end(KEPT, RESET);
    scene.publish(0..2, QOS1);
    scene.publish(2..3, QOS0);
    scene.connect_as(KEPT, KEPT, true);
    scene.deliver(KEPT, 0, QOS1);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.delivered, tally.lost), (2, 1, 1));
    assert_eq!(tally.late, 1, "it came after the connection was resumed");
}

/// What waits for a Session that does not come back is not lost.
#[test]
fn a_session_that_is_offline_at_the_end_is_excused() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.end(KEPT, RESET);
    scene.publish(0..2, QOS1);

    let tally = scene.close();

    assert_eq!(tally.excused[Excuse::OfflineAtEnd as usize], 2);
    assert_eq!(tally.lost, 0);
}

/// A Session that was offline for longer than its expiry is over (§3.1.2.11.2).
#[test]
fn an_expired_session_is_owed_nothing() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.publish(0..1, QOS1);
    scene.end(KEPT, RESET);
    scene.now += Duration::from_secs(61);
    scene.publish(1..2, QOS1);
    scene.connect_as(KEPT, KEPT, false);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.lost), (1, 0));
    assert_eq!(tally.excused[Excuse::SessionEnded as usize], 1);
}

/// A Session that the broker has forgotten before its time does not excuse a loss.
#[test]
fn a_session_that_the_broker_forgot_is_owed_all_the_same() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.end(KEPT, RESET);
    scene.publish(0..1, QOS1);
    scene.connect_as(KEPT, KEPT, false);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.lost), (1, 1));
}

/// QoS 0 is lost if every connection on its way was up, and excused otherwise (§4.3.1).
#[test]
fn qos_0_is_excused_by_any_lost_connection() {
    for (publisher, subscriber, lost) in [
        (None, None, 1),
        (Some(RESET), None, 0),
        (None, Some(RESET), 0),
    ] {
        let mut scene = Scene::ready(&[KEPT]);
        scene.publish(0..1, QOS0);
        for (device, end) in [(PUBLISHER, publisher), (KEPT, subscriber)] {
            if let Some(cause) = end {
                scene.end(device, cause);
            }
        }

        let tally = scene.close();

        assert_eq!(tally.lost, lost, "{publisher:?} {subscriber:?}");
        assert_eq!(tally.excused[Excuse::ConnectionLost as usize], 1 - lost);
    }
}

/// A connection that ends takes what was on its way at QoS 0, not what was sent long before: whether the broker had that
/// still is not known.
#[test]
fn a_lost_connection_does_not_excuse_what_was_sent_long_before() {
    let ends = [PUBLISHER, KEPT].map(|device| [(device, 100, 0), (device, 1_000, 1)]);
    for (device, waited, late) in ends.concat() {
        let mut scene = Scene::ready(&[KEPT]);
        scene.publish(0..2, QOS0);
        scene.deliver(KEPT, 0, QOS0);
        scene.wait(waited);
        scene.end(device, RESET);

        let tally = scene.close();

        assert_eq!(
            tally.excused[Excuse::ConnectionLostLate as usize],
            late,
            "{waited} ms"
        );
        assert_eq!(tally.excused[Excuse::ConnectionLost as usize], 1 - late);
    }
}

/// A polite goodbye of the publisher says that everything before it has arrived.
#[test]
fn qos_0_before_a_polite_goodbye_has_arrived() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..1, QOS0);
    let goodbye = EndCause::Disconnected {
        fault: squall_scenario::FaultId(0),
        reason: ReasonCode::Success,
    };
    scene.end(PUBLISHER, goodbye);

    let tally = scene.close();

    assert_eq!(tally.lost, 1);
}

/// What is owed is owed to the Session, whichever device holds it (§3.1.4).
#[test]
fn another_device_may_take_delivery() {
    let (first, second) = (KEPT, KEPT + 1);
    let mut scene = Scene::ready(&[first]);
    scene.publish(0..2, QOS1);
    scene.deliver(first, 0, QOS1);
    scene.connect_as(second, first, true);
    scene.end(
        first,
        EndCause::ServerDisconnect(ReasonCode::SessionTakenOver),
    );
    scene.deliver_as(second, first, 1, QOS1);

    let tally = scene.close();

    assert_eq!((tally.delivered, tally.lost, tally.misrouted), (2, 0, 0));
}

/// A device that falls silent ends its clean Session for its own part: what the broker still
/// sends it is excused.
#[test]
fn a_silent_device_is_owed_nothing() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.end(CLEAN, SILENCE);
    scene.publish(0..1, QOS1);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.lost), (0, 0));
}

/// What squall's own link still holds at the end was delivered, or never reached the broker: it is not
/// lost.
#[test]
fn what_the_link_still_holds_is_excused() {
    for (device, way, qos) in [
        (CLEAN, Way::Down, QOS1),
        (CLEAN, Way::Down, QOS0),
        (PUBLISHER, Way::Up, QOS0),
    ] {
        let mut scene = Scene::ready(&[CLEAN]);
        scene.publish(0..1, qos);
        scene.tell(device, Fact::Connection(ConnectionFact::StillOnLink(way)));

        let tally = scene.close();

        assert_eq!(tally.lost, 0, "{way:?} {qos:?}");
        assert_eq!(tally.excused[Excuse::OnLink as usize], 1);
    }
}

/// What was acknowledged has left the publisher's link, whatever that holds at the end.
#[test]
fn an_acknowledged_message_is_not_on_the_publishers_link() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..1, QOS1);
    scene.tell(
        PUBLISHER,
        Fact::Connection(ConnectionFact::StillOnLink(Way::Up)),
    );

    assert_eq!(scene.close().lost, 1);
}
