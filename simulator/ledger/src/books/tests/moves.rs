//! Copies that a Session which goes from one device to another explains at QoS 2, and those that it does not.

use squall_fleet::{EndCause, Fact, LegFact, ReceiverLeg, SenderLeg, Stamp};
use squall_protocol::{PacketId, QoS, ReasonCode};
use squall_scenario::DeviceId;

use super::scene::{KEPT, PUBLISHER, RESET, Scene, message};

const A: u32 = KEPT;
const B: u32 = KEPT + 1;
const TWIN: u32 = PUBLISHER + 1;
const TAKEN_OVER: EndCause = EndCause::ServerDisconnect(ReasonCode::SessionTakenOver);

impl Scene {
    fn socket_of(&self, device: u32) -> u64 {
        self.sockets[device as usize]
    }

    /// What a device does next is on this connection.
    fn use_socket(&mut self, device: u32, socket: u64) {
        self.sockets[device as usize] = socket;
    }
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

/// A message comes to a device at QoS 2, with the legs of its exchange that follow.
fn receive(scene: &mut Scene, device: u32, sequence: u32, rest: &[ReceiverLeg]) {
    let tell = |scene: &mut Scene, leg| {
        let leg = LegFact::Receiver { id: id(1), leg };
        scene.tell_as(device, A, Fact::Leg(leg));
    };
    tell(scene, ReceiverLeg::PublishReceived);
    scene.deliver_as(device, A, sequence, QoS::ExactlyOnce);
    for &leg in rest {
        tell(scene, leg);
    }
}

/// B takes the Session of A over.
fn take_over(scene: &mut Scene) {
    scene.connect_as(B, A, true);
    scene.tell_end_as(A, A, TAKEN_OVER);
}

/// A device that was given a Session does not know what the one before it had received: what the broker had to send again comes a
/// second time. With PUBREL the broker has said that it need not [MQTT-4.3.3-6].
#[test]
fn a_copy_is_excused_where_its_exchange_was_open_at_the_move() {
    let released = [
        ReceiverLeg::PubrecSent,
        ReceiverLeg::PubrelReceived,
        ReceiverLeg::PubcompSent,
    ];
    for (legs, forbidden) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
        let mut scene = Scene::ready(&[A]);
        scene.publish(0..1, QoS::ExactlyOnce);
        receive(&mut scene, A, 0, &released[..legs]);
        take_over(&mut scene);
        receive(&mut scene, B, 0, &[]);

        let tally = scene.close();

        assert_eq!(
            (tally.duplicated, tally.forbidden),
            (1, forbidden),
            "{legs}"
        );
    }
}

/// At QoS 0 there is no exchange, and a repeat stays forbidden.
#[test]
fn a_copy_at_qos_0_is_excused_by_no_move() {
    let mut scene = Scene::ready(&[A]);
    scene.publish(0..1, QoS::AtMostOnce);
    scene.deliver(A, 0, QoS::AtMostOnce);
    take_over(&mut scene);
    scene.deliver_as(B, A, 0, QoS::AtMostOnce);

    let tally = scene.close();

    assert_eq!((tally.duplicated, tally.forbidden), (1, 1));
}

/// What a device reads that has lost the Session, the next one may have had before, or have later.
#[test]
fn what_is_read_after_the_move_may_come_to_both() {
    for first in [A, B] {
        let mut scene = Scene::ready(&[A]);
        scene.publish(0..1, QoS::ExactlyOnce);
        scene.connect_as(B, A, true);
        receive(&mut scene, first, 0, &[]);
        receive(&mut scene, if first == A { B } else { A }, 0, &[]);

        let tally = scene.close();

        assert_eq!((tally.duplicated, tally.forbidden), (1, 0));
    }
}

/// What a link lets pass of an older connection comes behind what was sent again on the newest, also where both are of one device.
#[test]
fn an_older_connection_may_bring_what_was_sent_again() {
    let mut scene = Scene::ready(&[A]);
    scene.publish(0..1, QoS::ExactlyOnce);
    let old = scene.socket_of(A);
    scene.connect_as(A, A, true);
    receive(&mut scene, A, 0, &[ReceiverLeg::PubrelReceived]);
    scene.use_socket(A, old);
    receive(&mut scene, A, 0, &[]);

    let tally = scene.close();

    assert_eq!((tally.duplicated, tally.forbidden), (1, 0));
}

/// Where CONNECTs cross, two devices may use one identifier at once. What another device's PUBCOMP ends may be sent again, and be
/// taken for new.
#[test]
fn an_exchange_that_another_device_ends_may_be_begun_again() {
    let mut scene = Scene::ready(&[A]);
    let of_twin = Stamp {
        device: DeviceId(TWIN),
        ..message(9).0
    };
    scene.connect_as(TWIN, PUBLISHER, true);
    let stamp = message(0).0;
    send(&mut scene, stamp, PUBLISHER, SenderLeg::PublishSent);
    scene.publish(0..1, QoS::ExactlyOnce);
    scene.deliver(A, 0, QoS::ExactlyOnce);
    send(&mut scene, of_twin, TWIN, SenderLeg::PublishSent);
    send(&mut scene, of_twin, TWIN, SenderLeg::PubcompReceived);
    scene.tell_end_as(PUBLISHER, PUBLISHER, TAKEN_OVER);
    publisher_moves(&mut scene, [TWIN, PUBLISHER]);
    send(&mut scene, stamp, PUBLISHER, SenderLeg::PublishResent);
    scene.deliver(A, 0, QoS::ExactlyOnce);

    let tally = scene.close();

    assert_eq!((tally.duplicated, tally.forbidden), (1, 0));
}

/// With the end of the Session the broker has no reason to send anything again.
#[test]
fn a_session_that_began_anew_leaves_nothing_to_the_next() {
    let mut scene = Scene::ready(&[A]);
    scene.publish(0..1, QoS::ExactlyOnce);
    receive(&mut scene, A, 0, &[]);
    scene.end(A, RESET);
    scene.connect_as(A, A, false);
    scene.subscribe(A, "t", QoS::ExactlyOnce);
    scene.publish(1..2, QoS::ExactlyOnce);
    receive(&mut scene, A, 1, &[ReceiverLeg::PubrelReceived]);
    take_over(&mut scene);
    receive(&mut scene, B, 1, &[]);

    assert_eq!(scene.close().forbidden, 1);
}

fn send(scene: &mut Scene, stamp: Stamp, device: u32, leg: SenderLeg) {
    let fact = Fact::Leg(LegFact::Sender {
        stamp,
        topic: "t",
        id: id(1),
        leg,
    });
    scene.tell_as(device, PUBLISHER, fact);
}

fn publisher_moves(scene: &mut Scene, [from, to]: [u32; 2]) {
    scene.connect_as(to, PUBLISHER, true);
    scene.tell_end_as(from, PUBLISHER, TAKEN_OVER);
}

/// An exchange that was open at a move of the publisher explains a copy of its message, and one of what is sent with its identifier;
/// not one of what is sent after it ended, however often the Session moves then.
#[test]
fn an_open_exchange_explains_copies_of_its_own_message_only() {
    for (sequence, forbidden) in [(0, 0), (1, 1)] {
        let mut scene = Scene::ready(&[A]);
        let of_twin = Stamp {
            device: DeviceId(TWIN),
            ..message(9).0
        };
        publisher_moves(&mut scene, [PUBLISHER, TWIN]);
        send(&mut scene, of_twin, TWIN, SenderLeg::PublishSent);
        publisher_moves(&mut scene, [TWIN, PUBLISHER]);
        for sent in 0..2 {
            let stamp = message(sent).0;
            send(&mut scene, stamp, PUBLISHER, SenderLeg::PublishSent);
            scene.publish(sent..sent + 1, QoS::ExactlyOnce);
            send(&mut scene, stamp, PUBLISHER, SenderLeg::PubcompReceived);
        }
        scene.deliver(A, 0, QoS::ExactlyOnce);
        scene.deliver(A, 1, QoS::ExactlyOnce);
        publisher_moves(&mut scene, [PUBLISHER, TWIN]);
        publisher_moves(&mut scene, [TWIN, PUBLISHER]);
        scene.deliver(A, sequence, QoS::ExactlyOnce);

        let tally = scene.close();

        assert_eq!(
            (tally.duplicated, tally.forbidden),
            (1, forbidden),
            "{sequence}"
        );
    }
}

/// Order is excused of the same messages.
#[test]
fn an_open_exchange_explains_the_order_of_its_own_message_only() {
    for (is_left_open, reordered) in [(true, 0), (false, 1)] {
        let mut scene = Scene::ready(&[A]);
        let stamp = message(0).0;
        send(&mut scene, stamp, PUBLISHER, SenderLeg::PublishSent);
        scene.publish(0..2, QoS::ExactlyOnce);
        if !is_left_open {
            send(&mut scene, stamp, PUBLISHER, SenderLeg::PubcompReceived);
        }
        publisher_moves(&mut scene, [PUBLISHER, TWIN]);
        publisher_moves(&mut scene, [TWIN, PUBLISHER]);
        scene.deliver(A, 1, QoS::ExactlyOnce);
        scene.deliver(A, 0, QoS::ExactlyOnce);

        assert_eq!(scene.close().reordered, reordered);
    }
}
