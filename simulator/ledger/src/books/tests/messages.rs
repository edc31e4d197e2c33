//! What is owed, and what each delivery is.

use squall_fleet::{
    DeliveredFact, Fact, Pace, PublicationFact, RunTag, SkipCause, Stamp, SubscriptionFact, payload,
};
use squall_protocol::{QoS, ReasonCode, Version, client::UnsentCause, packet::PublishProperties};
use squall_run::AnomalyKind;
use squall_scenario::{BrokerHistory, GroupId};

use super::scene::{CLEAN, PUBLISHER, RESET, Scene, message, wanted};
use crate::books::Excuse;

const QOS1: QoS = QoS::AtLeastOnce;
const QOS2: QoS = QoS::ExactlyOnce;

/// What was acknowledged and never came is lost; what came is not.
#[test]
fn an_acknowledged_message_that_never_comes_is_lost() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..3, QOS1);
    scene.deliver(CLEAN, 0, QOS1);
    scene.deliver(CLEAN, 2, QOS1);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.delivered, tally.lost), (3, 2, 1));
    assert_eq!(scene.count(AnomalyKind::Lost), 1);
    let anomalies = scene.ledger.anomalies();
    let lost = &anomalies.kept(AnomalyKind::Lost)[0];
    assert_eq!(lost.sequence, Some(1));
}

/// A message in doubt may come or not: neither counts against the broker.
#[test]
fn a_message_in_doubt_is_never_lost() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.send(0, QOS1);
    scene.send(1, QOS1);
    scene.end(PUBLISHER, RESET);
    scene.deliver(CLEAN, 0, QOS1);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.lost, tally.optional), (0, 0, 1));
    let book = scene.ledger.books().publications(GroupId(0), QOS1);
    assert_eq!((book.sent, book.acknowledged), (2, 0));
    assert_eq!((book.in_doubt_cut, book.in_doubt_came), (2, 1));
}

/// A message in doubt that is acknowledged after a reconnect is owed after all.
#[test]
fn an_acknowledgement_after_a_reconnect_ends_the_doubt() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.send(0, QOS1);
    scene.end(PUBLISHER, RESET);
    scene.connect(PUBLISHER);
    scene.acknowledge(0, ReasonCode::Success);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.lost), (1, 1));
}

/// A message that the broker refuses is not owed to any Session.
#[test]
fn a_refused_message_is_owed_to_no_session() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.send(0, QOS1);
    scene.acknowledge(0, ReasonCode::QuotaExceeded);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.lost), (0, 0));
    let book = scene.ledger.books().publications(GroupId(0), QOS1);
    assert_eq!(book.refused, 1);
}

/// PUBCOMP with 0x92 says that the exchange was finished before (§3.7.2.1).
#[test]
fn a_finished_exchange_that_is_not_found_is_not_a_refusal() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.send(0, QOS2);
    scene.acknowledge(0, ReasonCode::PacketIdentifierNotFound);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.lost), (1, 1));
}

/// A message that is given up leaves a gap, and no Session is owed it.
#[test]
fn a_skipped_message_is_counted_as_unsent_and_owed_to_no_session() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..1, QOS1);
    scene.deliver(CLEAN, 0, QOS1);
    let (stamp, _) = message(1);
    let topic = "t";
    let qos = QOS1;
    scene.tell(
        PUBLISHER,
        Fact::Publication(PublicationFact::Due {
            stamp,
            topic,
            qos,
            pace: Pace::Schedule,
        }),
    );
    scene.tell(
        PUBLISHER,
        Fact::Publication(PublicationFact::Skipped {
            stamp,
            topic,
            qos,
            cause: SkipCause::Unsent(UnsentCause::NotConnected),
        }),
    );
    scene.publish(2..3, QOS1);
    scene.deliver(CLEAN, 2, QOS1);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.delivered), (2, 2));
    let book = scene.ledger.books().publications(GroupId(0), QOS1);
    assert_eq!((book.scheduled, book.sent, book.skipped), (3, 2, 1));
}

/// Between SUBSCRIBE and SUBACK a message may come or not.
#[test]
fn a_subscription_asks_for_sure_from_its_suback_on() {
    let mut scene = Scene::ready(&[]);
    scene.connect(CLEAN);
    let filters = [wanted("t", QOS1)];
    scene.tell(
        CLEAN,
        Fact::Subscription(SubscriptionFact::Sent { wanted: &filters }),
    );
    scene.publish(0..2, QOS1);
    scene.deliver(CLEAN, 0, QOS1);
    scene.suback(CLEAN, "t", QOS1);
    scene.publish(2..3, QOS1);

    let tally = scene.close();

    assert_eq!((tally.optional, tally.misrouted), (1, 0));
    assert_eq!(
        (tally.expected(), tally.lost),
        (1, 1),
        "only the third is owed"
    );
}

/// A subscription that SUBACK refuses asks for nothing (§3.9.3).
#[test]
fn a_refused_subscription_asks_for_nothing() {
    let mut scene = Scene::ready(&[]);
    scene.connect(CLEAN);
    let filters = [wanted("t", QOS1)];
    scene.tell(
        CLEAN,
        Fact::Subscription(SubscriptionFact::Sent { wanted: &filters }),
    );
    let refused = Fact::Subscription(SubscriptionFact::Answered {
        wanted: &filters,
        reasons: &[ReasonCode::NotAuthorized],
        sent_at: scene.now,
    });
    scene.tell(CLEAN, refused);
    scene.publish(0..1, QOS1);
    scene.deliver(CLEAN, 0, QOS1);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.misrouted), (0, 1));
}

/// A second delivery is forbidden where every leg is QoS 2 or QoS 0 (§4.3): at QoS 1 MQTT 3.1.1 allows it on the same
/// connection, with DUP.
#[test]
fn the_qos_decides_whether_a_repeat_is_forbidden() {
    for (published, granted, forbidden) in [
        (QOS2, QOS2, 1),
        (QOS2, QOS1, 0),
        (QOS1, QOS2, 0),
        (QoS::AtMostOnce, QOS2, 1),
    ] {
        let mut scene = Scene::new();
        scene.version = Version::V3_1_1;
        scene.connect(PUBLISHER);
        scene.connect(CLEAN);
        scene.subscribe(CLEAN, "t", granted);
        scene.publish(0..1, published);
        let came_at = published.min(granted);
        scene.deliver(CLEAN, 0, came_at);
        scene.deliver_changed(CLEAN, 0, came_at, |fact| {
            fact.dup = came_at > QoS::AtMostOnce;
        });

        let tally = scene.close();

        assert_eq!(
            (tally.duplicated, tally.forbidden),
            (1, forbidden),
            "published at {published:?}, granted {granted:?}"
        );
    }
}

/// Overlapping subscriptions may bring a copy each, and no more ([MQTT-3.3.4-2],
/// [3.1.1: MQTT-3.3.5-1]).
#[test]
fn overlapping_subscriptions_may_bring_a_copy_each() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.subscribe(CLEAN, "#", QOS2);
    scene.publish(0..1, QOS2);
    for _ in 0..3 {
        scene.deliver(CLEAN, 0, QOS2);
    }

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.delivered), (1, 1));
    assert_eq!((tally.optional, tally.forbidden), (1, 1));
}

/// One copy for two overlapping subscriptions is enough.
#[test]
fn one_copy_for_overlapping_subscriptions_is_enough() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.subscribe(CLEAN, "#", QOS2);
    scene.publish(0..1, QOS2);
    scene.deliver(CLEAN, 0, QOS2);

    let tally = scene.close();

    assert_eq!((tally.lost, tally.duplicated), (0, 0));
}

/// The broker's own topics are not of this run (§4.7.2).
#[test]
fn system_topics_are_not_misrouted() {
    let mut scene = Scene::ready(&[CLEAN]);
    let uptime = Fact::Delivered(DeliveredFact {
        topic: "$SYS/broker/uptime",
        qos: QoS::AtMostOnce,
        dup: false,
        retain: false,
        payload: b"17 seconds and some",
        properties: &PublishProperties::default(),
        stamp: None,
    });
    scene.tell(CLEAN, uptime);

    let tally = scene.close();

    assert_eq!((tally.foreign, tally.misrouted), (1, 0));
}

/// A stamp of this run that was never sent is misrouted.
#[test]
fn a_sequence_that_was_never_sent_is_misrouted() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..1, QOS1);
    scene.deliver(CLEAN, 0, QOS1);
    scene.deliver(CLEAN, 7, QOS1);

    let tally = scene.close();

    assert_eq!(tally.misrouted, 1);
}

/// On a broker that others use, what bears no stamp of this run is not judged: another client's message,
/// or one that an earlier run of squall left behind.
#[test]
fn messages_of_others_are_foreign() {
    let mut scene = Scene::on_broker(BrokerHistory::OtherClients).made_ready(&[CLEAN]);
    let (stamp, _) = message(0);
    let mut of_another_run = Vec::new();
    let stamp = Stamp {
        run: RunTag::of_seed(2),
        ..stamp
    };
    payload::append_binary(&mut of_another_run, stamp, payload::STAMP_BYTES);
    scene.publish(0..1, QOS1);
    scene.deliver(CLEAN, 0, QOS1);
    scene.deliver_plain(CLEAN, "t", b"17 degrees, and not by us");
    scene.deliver_plain(CLEAN, "t", &of_another_run);

    let tally = scene.close();

    assert_eq!((tally.foreign, tally.misrouted), (2, 0));
    assert_eq!((tally.received, tally.delivered), (3, 1));
    assert_eq!(scene.count(AnomalyKind::Misrouted), 0);
}

/// The same message for two Sessions is two pledges.
#[test]
fn each_session_is_owed_its_own_copy() {
    let mut scene = Scene::ready(&[CLEAN, CLEAN + 1]);
    scene.publish(0..1, QOS1);
    scene.deliver(CLEAN, 0, QOS1);

    let tally = scene.close();

    assert_eq!((tally.expected(), tally.delivered, tally.lost), (2, 1, 1));
    assert_eq!(tally.excused[Excuse::SessionEnded as usize], 0);
}

/// What comes after the books are closed changes nothing.
#[test]
fn closed_books_stay_closed() {
    let mut scene = Scene::ready(&[CLEAN]);
    scene.publish(0..1, QOS1);
    let before = scene.close();

    scene.deliver(CLEAN, 0, QOS1);
    scene.send(1, QOS1);

    let after = scene.close();
    assert_eq!(before, after);
}

/// A message that comes with another payload was not delivered: it is lost, unless it comes as it was published
/// as well, and that one is not a copy.
#[test]
fn a_changed_message_is_not_delivered() {
    for (comes_right_too, delivered) in [(false, 0), (true, 1)] {
        let mut scene = Scene::ready(&[CLEAN]);
        scene.publish(0..1, QOS2);
        scene.deliver_changed(CLEAN, 0, QOS2, |fact| {
            fact.payload = b"something else that is long";
        });
        if comes_right_too {
            scene.deliver(CLEAN, 0, QOS2);
        }

        let tally = scene.close();

        assert_eq!((tally.corrupted, tally.duplicated), (1, 0));
        assert_eq!((tally.delivered, tally.lost), (delivered, 1 - delivered));
        assert_eq!(tally.balance(), 0);
    }
}

/// What is sent while no subscription asks for it is counted: it is owed to nothing. One that is on its way to
/// the broker asks for it.
#[test]
fn what_no_subscription_asks_for_is_counted() {
    let mut scene = Scene::ready(&[]);
    scene.publish(0..3, QOS1);
    scene.connect(CLEAN);
    let filters = [wanted("t", QOS1)];
    let asked = SubscriptionFact::Sent { wanted: &filters };
    scene.tell(CLEAN, Fact::Subscription(asked));
    scene.publish(3..5, QOS1);

    scene.close();

    let book = scene.ledger.books().publications(GroupId(0), QOS1);
    assert_eq!((book.sent, book.to_no_subscriber), (5, 3));
}
