//! Copies that QoS 1 forbids, and DUP flags that lie (§3.3.1.1, §4.4).

use squall_protocol::{QoS, Version};
use squall_run::AnomalyKind;

use super::scene::{CLEAN, Dup, KEPT, PUBLISHER, RESET, Scene};

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;
const QOS2: QoS = QoS::ExactlyOnce;

/// Message 1 at QoS 1 comes to a kept Session, something happens, and it comes again, with DUP. Message 0 is
/// under way meanwhile, so that the books know when message 1 was sent.
fn copies_around(version: Version, happens: impl FnOnce(&mut Scene)) -> (u64, u64) {
    copies_with(Dup::Yes, version, happens)
}

fn copies_with(dup: Dup, version: Version, happens: impl FnOnce(&mut Scene)) -> (u64, u64) {
    let mut scene = Scene::new();
    scene.version = version;
    let mut scene = scene.made_ready(&[KEPT]);
    scene.send(0, QOS1);
    scene.publish(1..2, QOS1);
    scene.deliver(KEPT, 1, QOS1);
    happens(&mut scene);
    scene.deliver_changed(KEPT, 1, QOS1, |fact| fact.dup = dup == Dup::Yes);
    let tally = scene.close();
    (tally.duplicated, tally.forbidden)
}

/// What comes again without DUP is not a repeat [MQTT-3.3.1-1], whatever connections its recipient has had. Of a publisher
/// that had another connection it may be another message.
#[test]
fn a_copy_without_dup_is_forbidden_but_by_its_publisher() {
    fn back(scene: &mut Scene, device: u32) {
        scene.end(device, RESET);
        scene.connect_as(device, device, true);
    }
    let copies = |happens: fn(&mut Scene)| copies_with(Dup::No, Version::V5, happens);

    assert_eq!(copies(|_| {}), (1, 1));
    assert_eq!(copies(|scene| back(scene, KEPT)), (1, 1));
    assert_eq!(copies(|scene| back(scene, PUBLISHER)), (1, 0));
}

/// In MQTT 3.1.1 neither is what comes again without DUP, on the same connection or on another [3.1.1: MQTT-3.3.1-1].
#[test]
fn a_copy_without_dup_is_forbidden_in_3_1_1() {
    let copies = |happens: fn(&mut Scene)| copies_with(Dup::No, Version::V3_1_1, happens);

    assert_eq!(copies(|_| {}), (1, 1));
    let back = copies(|scene| {
        scene.end(KEPT, RESET);
        scene.connect_as(KEPT, KEPT, true);
    });
    assert_eq!(back, (1, 1));
}

/// Message 1 waits for a Session that is away, and comes twice once it is back, with DUP both times: the first may have been
/// sent before, the second was sent on this connection. In MQTT 3.1.1 it may come again there.
#[test]
fn a_second_copy_on_one_connection_of_what_had_waited_is_forbidden() {
    for (version, forbidden) in [(Version::V5, 1), (Version::V3_1_1, 0)] {
        let mut scene = Scene::new();
        scene.version = version;
        let mut scene = scene.made_ready(&[KEPT]);
        scene.end(KEPT, RESET);
        scene.publish(0..1, QOS1);
        scene.connect_as(KEPT, KEPT, true);
        for _ in 0..2 {
            scene.deliver_changed(KEPT, 0, QOS1, |fact| fact.dup = true);
        }

        let tally = scene.close();

        assert_eq!(
            (tally.duplicated, tally.forbidden),
            (1, forbidden),
            "{version:?}"
        );
    }
}

/// Once on each connection it may come, as PUBACK may have been lost with the connection before.
#[test]
fn one_copy_on_each_connection_of_what_had_waited_is_allowed() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.end(KEPT, RESET);
    scene.publish(0..1, QOS1);
    for _ in 0..2 {
        scene.connect_as(KEPT, KEPT, true);
        scene.deliver_changed(KEPT, 0, QOS1, |fact| fact.dup = true);
        scene.end(KEPT, RESET);
    }

    let tally = scene.close();

    assert_eq!((tally.duplicated, tally.forbidden), (1, 0));
}

/// A Session that ended with its connection, and what it had, is over: to the next one of its client nothing of it comes again
/// [MQTT-3.1.2-4].
#[test]
fn a_copy_in_the_next_session_is_forbidden() {
    for version in [Version::V5, Version::V3_1_1] {
        let mut scene = Scene::new();
        scene.version = version;
        let mut scene = scene.made_ready(&[CLEAN]);
        scene.send(0, QOS1);
        scene.publish(1..2, QOS1);
        scene.deliver(CLEAN, 1, QOS1);
        scene.end(CLEAN, RESET);
        scene.connect(CLEAN);
        scene.subscribe(CLEAN, "t", QOS1);
        scene.deliver_changed(CLEAN, 1, QOS1, |fact| fact.dup = true);

        let tally = scene.close();

        assert_eq!((tally.duplicated, tally.forbidden), (1, 1), "{version:?}");
    }
}

/// A broker sends a message again only after a reconnect of the Session [MQTT-4.4.0-1]; in MQTT 3.1.1
/// whenever it likes.
#[test]
fn a_copy_at_qos_1_on_the_same_connection_is_forbidden() {
    assert_eq!(copies_around(Version::V5, |_| {}), (1, 1));
    assert_eq!(copies_around(Version::V3_1_1, |_| {}), (1, 0));
}

/// The PUBACK may have been lost with the connection: the message comes again.
#[test]
fn a_copy_at_qos_1_after_a_reconnect_is_allowed() {
    let copies = copies_around(Version::V5, |scene| {
        scene.end(KEPT, RESET);
        scene.connect_as(KEPT, KEPT, true);
    });

    assert_eq!(copies, (1, 0));
}

/// A publisher whose connection ended may have sent the message again, as another one for the broker.
#[test]
fn a_copy_at_qos_1_after_the_publisher_lost_its_connection_is_allowed() {
    let copies = copies_around(Version::V5, |scene| {
        scene.end(PUBLISHER, RESET);
        scene.connect(PUBLISHER);
    });

    assert_eq!(copies, (1, 0));
}

/// After a takeover it sends the message again on the newer connection, before it reads that the broker
/// has closed the older one.
#[test]
fn a_copy_at_qos_1_after_the_publisher_has_a_newer_connection_is_allowed() {
    let copies = copies_around(Version::V5, |scene| {
        scene.connect_as(PUBLISHER, PUBLISHER, true);
    });

    assert_eq!(copies, (1, 0));
}

/// The broker had the message once, whatever became of the connection that it came on.
#[test]
fn a_copy_at_qos_1_after_the_publisher_left_for_good_is_forbidden() {
    let copies = copies_around(Version::V5, |scene| scene.end(PUBLISHER, RESET));

    assert_eq!(copies, (1, 1));
}

/// What a publisher sends for the first time after it came back it has sent once, also where the message is forgotten
/// before the copy comes.
#[test]
fn a_copy_of_what_was_sent_after_the_publisher_came_back_is_forbidden() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.publish(0..1, QOS1);
    scene.deliver(KEPT, 0, QOS1);
    scene.end(PUBLISHER, RESET);
    scene.connect_as(PUBLISHER, PUBLISHER, true);
    scene.publish(1..2, QOS1);
    for _ in 0..2 {
        scene.deliver(KEPT, 1, QOS1);
    }

    assert_eq!(scene.close().forbidden, 1);
}

/// While an older connection of the Session is open, it may have had the first copy.
#[test]
fn a_copy_at_qos_1_beside_an_older_connection_is_allowed() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.connect_as(KEPT + 1, KEPT, true);
    scene.send(0, QOS1);
    scene.publish(1..2, QOS1);
    scene.deliver_as(KEPT + 1, KEPT, 1, QOS1);
    scene.deliver_changed_as([KEPT + 1, KEPT], 1, QOS1, |fact| fact.dup = true);

    assert_eq!(scene.close().forbidden, 0);
}

/// Subscriptions that overlap bring a copy each, before a reconnect and after it.
#[test]
fn overlapping_subscriptions_may_bring_their_copies_again() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.subscribe(KEPT, "#", QOS1);
    scene.send(0, QOS1);
    scene.publish(1..2, QOS1);
    for _ in 0..2 {
        scene.deliver(KEPT, 1, QOS1);
    }
    scene.end(KEPT, RESET);
    scene.connect_as(KEPT, KEPT, true);
    for _ in 0..2 {
        scene.deliver(KEPT, 1, QOS1);
    }

    assert_eq!(scene.close().forbidden, 0);
}

/// After a Session has moved to another device only QoS 2 is excused: at QoS 0 nothing is ever sent
/// again.
#[test]
fn a_repeat_at_qos_0_to_another_device_is_forbidden() {
    let mut scene = Scene::ready(&[KEPT]);
    scene.publish(0..1, QOS0);
    scene.deliver(KEPT, 0, QOS0);
    scene.connect_as(KEPT + 1, KEPT, true);
    scene.deliver_as(KEPT + 1, KEPT, 0, QOS0);

    let tally = scene.close();

    assert_eq!((tally.duplicated, tally.forbidden), (1, 1));
}

/// DUP says that a message was sent before: at QoS 0 none is [MQTT-3.3.1-2], and what was published
/// after the connection began was not [MQTT-3.3.1-1].
#[test]
fn a_first_copy_with_dup_is_mislabelled() {
    for qos in [QOS0, QOS1, QOS2] {
        let mut scene = Scene::ready(&[CLEAN]);
        scene.publish(0..1, qos);
        scene.deliver_changed(CLEAN, 0, qos, |fact| fact.dup = true);

        let tally = scene.close();
        assert_eq!((tally.delivered, tally.mislabelled), (1, 1), "{qos:?}");
    }
}

/// What was on its way on a connection that is lost comes with DUP on the next.
#[test]
fn a_copy_with_dup_after_a_reconnect_is_right() {
    for qos in [QOS1, QOS2] {
        let mut scene = Scene::ready(&[KEPT]);
        scene.publish(0..1, qos);
        scene.end(KEPT, RESET);
        scene.connect_as(KEPT, KEPT, true);
        scene.deliver_changed(KEPT, 0, qos, |fact| fact.dup = true);

        let tally = scene.close();

        assert_eq!((tally.delivered, tally.mislabelled), (1, 0), "{qos:?}");
    }
}

/// Two streams of one device share a topic at different QoS: a message that may come again after a reconnect is
/// not taken for one of the other.
#[test]
fn a_copy_of_a_topic_with_several_qos_is_judged_by_its_own() {
    for (copy, qos, forbidden) in [(0, QOS1, 0), (1, QOS2, 1)] {
        let mut scene = Scene::ready(&[KEPT]);
        scene.publish(0..1, QOS1);
        scene.publish(1..2, QOS2);
        scene.deliver(KEPT, 0, QOS1);
        scene.deliver(KEPT, 1, QOS2);
        scene.end(KEPT, RESET);
        scene.connect_as(KEPT, KEPT, true);
        scene.deliver_changed(KEPT, copy, qos, |fact| fact.dup = true);

        let tally = scene.close();

        assert_eq!((tally.duplicated, tally.forbidden), (1, forbidden));
        assert_eq!(scene.count(AnomalyKind::Duplicated), forbidden);
    }
}
