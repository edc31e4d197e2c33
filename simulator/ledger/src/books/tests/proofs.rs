//! What a later message that came proves of one that did not (§4.6).

use squall_fleet::{EndCause, Fact, PeerClose, SubscriptionFact};
use squall_protocol::{QoS, ReasonCode};

use super::scene::{CLEAN, KEPT, PUBLISHER, RESET, Scene, wanted};
use crate::books::Excuse;

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;
const QOS2: QoS = QoS::ExactlyOnce;

/// The books closed now: what is lost, and what is excused by this.
fn closed_with(mut scene: Scene, excuse: Excuse) -> (u64, u64) {
    scene.ledger.close(scene.now);
    assert_eq!(scene.ledger.imbalances(), []);
    let tally = scene.ledger.books().sum(|_| true);
    (tally.lost, tally.excused[excuse as usize])
}

fn unsubscribe(scene: &mut Scene, device: u32) {
    let filters = [wanted("t", QOS2)];
    let sent = SubscriptionFact::UnsubscribeSent { wanted: &filters };
    scene.tell(device, Fact::Subscription(sent));
}

/// A message that the broker has only after it had the later one may be behind that in what it sends, also where it has it
/// before the recipient reads the later one.
#[test]
fn a_message_that_is_released_before_the_later_one_is_read_is_not_lost() {
    for further in [None, Some(2)] {
        let mut scene = Scene::ready(&[CLEAN]);
        scene.send(0, QOS2);
        scene.publish(1..2, QOS2);
        scene.wait(500);
        scene.acknowledge(0, ReasonCode::Success);
        scene.wait(500);
        scene.deliver(CLEAN, 1, QOS2);
        if let Some(sequence) = further {
            scene.publish(sequence..sequence + 1, QOS2);
            scene.deliver(CLEAN, sequence, QOS2);
        }

        let expected = match further {
            None => (0, 1),
            // The broker had message 0 before this one was sent.
            Some(_) => (1, 0),
        };
        assert_eq!(closed_with(scene, Excuse::ComingStill), expected);
    }
}

/// At QoS 0 a message goes to the connection that there is: what came on the next one proves nothing of it.
#[test]
fn a_later_connection_proves_nothing_at_qos_0() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.publish(0..1, QOS0);
    scene.connect_as(KEPT + 1, KEPT, true);
    scene.publish(1..2, QOS0);
    scene.deliver_as(KEPT + 1, KEPT, 1, QOS0);
    scene.end(KEPT, EndCause::PeerClosed(PeerClose::Reset));

    assert_eq!(closed_with(scene, Excuse::ConnectionLost), (0, 1));
}

/// Nor does what its publisher sent on the next connection prove that the broker had what was sent on the one before.
#[test]
fn a_later_connection_of_the_publisher_proves_nothing_at_qos_0() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..1, QOS0);
    let first = scene.sockets[PUBLISHER as usize];
    scene.connect(PUBLISHER);
    scene.publish(1..2, QOS0);
    scene.deliver(CLEAN, 1, QOS0);
    let second = std::mem::replace(&mut scene.sockets[PUBLISHER as usize], first);
    scene.end(PUBLISHER, RESET);
    scene.sockets[PUBLISHER as usize] = second;

    assert_eq!(closed_with(scene, Excuse::ConnectionLost), (0, 1));
}

/// A broker that passes on at PUBREL finds no subscriber for what is released after UNSUBSCRIBE.
#[test]
fn what_is_released_after_unsubscribe_is_not_lost() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.send(0, QOS2);
    scene.publish(1..2, QOS2);
    scene.deliver(CLEAN, 1, QOS2);
    unsubscribe(&mut scene, CLEAN);
    scene.acknowledge(0, ReasonCode::Success);

    assert_eq!(closed_with(scene, Excuse::Unsubscribed), (0, 1));
}

/// What a later one of its QoS has overtaken is lost, whatever other QoS its stream has, and UNSUBSCRIBE does not excuse it.
#[test]
fn an_overtaken_message_of_a_stream_of_two_levels_is_lost() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..2, QOS1);
    scene.publish(2..3, QOS0);
    scene.deliver(CLEAN, 1, QOS1);
    unsubscribe(&mut scene, CLEAN);

    assert_eq!(closed_with(scene, Excuse::Unsubscribed), (1, 1));
}

/// Of overlapping subscriptions that get a copy each (§3.3.4) the one at QoS 0 says nothing of those at QoS 1: the copy of the
/// message before it may have been dropped.
#[test]
fn a_copy_at_another_level_proves_nothing() {
    for (delivered, expected) in [(QOS0, (0, 1)), (QOS1, (1, 0))] {
        let mut scene = Scene::new().made_ready(&[]);
        scene.connect(CLEAN);
        scene.subscribe(CLEAN, "t", QOS1);
        scene.subscribe(CLEAN, "+", QOS0);
        scene.publish(0..2, QOS1);
        scene.deliver(CLEAN, 1, delivered);
        scene.end(CLEAN, RESET);

        let found = closed_with(scene, Excuse::SessionEnded);
        assert_eq!(found, expected, "{delivered:?}");
    }
}
