//! Messages that bear no stamp of this run.

use squall_protocol::QoS;
use squall_run::AnomalyKind;
use squall_scenario::BrokerHistory;

use super::scene::{CLEAN, Scene};

const QOS1: QoS = QoS::AtLeastOnce;
const NOT_OURS: &[u8] = b"garbage that is long enough";

/// A broker that was started for the run serves no other client: what comes live to a topic that the run
/// publishes to was published by the run, and damaged. Elsewhere it may be the broker's own.
#[test]
fn a_message_without_a_stamp_on_a_topic_of_this_run_is_corrupted() {
    for (topic, corrupted) in [("t", 1), ("elsewhere", 0)] {
        let mut scene = Scene::ready(&[CLEAN]);
        scene.publish(0..1, QOS1);
        scene.deliver_plain(CLEAN, topic, NOT_OURS);

        let tally = scene.close();

        assert_eq!((tally.corrupted, tally.foreign), (corrupted, 1 - corrupted));
        assert_eq!(scene.count(AnomalyKind::Corrupted), corrupted, "{topic}");
        assert_eq!((tally.misrouted, tally.lost), (0, 1), "{topic}");
    }
}

/// On a broker that others use it may be another client's: neither is concluded.
#[test]
fn on_a_shared_broker_a_message_without_a_stamp_is_unclear() {
    let mut scene = Scene::on_broker(BrokerHistory::OtherClients).made_ready(&[CLEAN]);
    scene.publish(0..1, QOS1);
    scene.deliver_plain(CLEAN, "t", NOT_OURS);
    scene.deliver_plain(CLEAN, "t", &message_of_another_run());

    let tally = scene.close();

    assert_eq!((tally.corrupted, tally.foreign, tally.unclear), (0, 2, 1));
}

/// A broker that only earlier runs have used holds their messages for Sessions that are resumed, and for
/// no others.
#[test]
fn what_waited_for_a_resumed_session_is_foreign() {
    for (resumes, corrupted, unclear) in [(vec![], 2, 0), (vec![1], 0, 1)] {
        let mut scene = Scene::resuming(&resumes).made_ready(&[CLEAN]);
        scene.publish(0..1, QOS1);
        scene.deliver_plain(CLEAN, "t", NOT_OURS);
        scene.deliver_plain(CLEAN, "t", &message_of_another_run());

        let tally = scene.close();

        assert_eq!(
            (tally.corrupted, tally.foreign, tally.unclear),
            (corrupted, 2 - corrupted, unclear),
            "{resumes:?}"
        );
    }
}

/// A message of this run on a topic that its device never published to was sent there by the broker, or, where
/// other clients are, perhaps by one of them that publishes what it receives.
#[test]
fn a_message_on_another_topic_may_be_republished_by_another_client() {
    for (history, misrouted) in [
        (BrokerHistory::Empty, 1),
        (BrokerHistory::EarlierRuns, 1),
        (BrokerHistory::OtherClients, 0),
    ] {
        let mut scene = Scene::on_broker(history).made_ready(&[CLEAN]);
        scene.subscribe(CLEAN, "bridged/#", QOS1);
        scene.publish(0..1, QOS1);
        let (_, payload) = super::scene::message(0);
        scene.deliver_plain(CLEAN, "bridged/t", &payload);

        let tally = scene.close();

        assert_eq!(tally.misrouted, misrouted, "{history:?}");
        assert_eq!(tally.unclear, 1 - misrouted, "{history:?}");
    }
}

/// A message of another run of squall, with filler after its stamp.
fn message_of_another_run() -> Vec<u8> {
    let (stamp, _) = super::scene::message(0);
    let stamp = squall_fleet::Stamp {
        run: squall_fleet::RunTag::of_seed(2),
        ..stamp
    };
    let mut payload = Vec::new();
    squall_fleet::payload::append_binary(&mut payload, stamp, 20);
    payload
}
