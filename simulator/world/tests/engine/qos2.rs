//! The `qos2` block: QoS 2 stays exactly once when its handshake is cut or stalled (§4.3.3).

use std::collections::{HashMap, VecDeque};

use squall_fleet::{
    About, CutStep, Departure, EndCause, ReceiverAnswer, ReceiverLeg, SenderLeg, SocketId, Stamp,
};
use squall_protocol::Instant;

use crate::recording::{Recording, What, run, set};

/// Five publishers and one consumer at QoS 2, each with a `qos2` block.
fn run_with(publishers: &str, consumers: &str) -> Recording {
    let outcome = run(&format!(
        r#"
        [run]
        duration = "20s"
        drain = "20s"
        [[group]]
        name = "publishers"
        count = 5
        clean_start = false
        session_expiry = "10m"
        receive_maximum = 20
        [group.qos2]
        {publishers}
        [[group.publish]]
        topic = "orders/{{client_id}}"
        qos = 2
        rate = 50
        [[group]]
        name = "consumers"
        count = 1
        clean_start = false
        session_expiry = "10m"
        [group.qos2]
        {consumers}
        [[group.subscribe]]
        filter = "orders/#"
        qos = 2
        "#
    ));
    outcome.sink
}

fn delivered(recording: &Recording) -> Vec<Stamp> {
    recording.stamps(|what| {
        if let What::Delivered { stamp, .. } = what {
            *stamp
        } else {
            None
        }
    })
}

fn assert_exactly_once(recording: &Recording) {
    let due = recording.stamps(|what| {
        if let What::Due(stamp) = what {
            Some(*stamp)
        } else {
            None
        }
    });
    assert_eq!(due.len(), 1_000);
    let delivered = delivered(recording);
    assert_eq!(delivered.len(), 1_000, "delivered, with duplicates");
    assert_eq!(set(delivered), set(due));
    let acknowledged = recording.count(|what| matches!(what, What::Acknowledged(_)));
    assert_eq!(acknowledged, 1_000, "handshakes ended");
}

fn legs(recording: &Recording, wanted: SenderLeg) -> usize {
    recording.count(|what| matches!(what, What::Sender(_, leg) if *leg == wanted))
}

fn cuts(recording: &Recording, step: CutStep) -> usize {
    recording.count(|what| *what == What::Ended(EndCause::Qos2Cut { step }))
}

/// A tenth of the thousand messages, and all cuts are of this kind.
fn assert_a_tenth_is_cut(recording: &Recording, step: CutStep) {
    let all = recording.count(|what| matches!(what, What::Ended(EndCause::Qos2Cut { .. })));
    let cuts = cuts(recording, step);
    assert!((70..130).contains(&cuts), "{cuts}");
    assert_eq!(all, cuts);
}

/// [MQTT-4.4.0-1]: after a cut following PUBLISH, PUBLISH is sent again with DUP.
#[test]
fn cuts_after_publish_are_resumed_with_a_duplicate() {
    let recording = run_with("cut_after = { publish = 0.1 }", "");

    assert_exactly_once(&recording);
    assert_a_tenth_is_cut(&recording, CutStep::Publish);
    assert!(legs(&recording, SenderLeg::PublishResent) >= 70);
}

/// [MQTT-4.3.3-6]: once PUBREC came, PUBREL is sent and PUBLISH never again.
#[test]
fn cuts_after_pubrec_are_resumed_with_pubrel() {
    let recording = run_with("cut_after = { pubrec = 0.1 }", "");

    assert_exactly_once(&recording);
    assert_a_tenth_is_cut(&recording, CutStep::Pubrec);
    assert_no_publish_after_pubrec(&recording);
}

/// [MQTT-4.4.0-1]: PUBREL is sent again as well.
#[test]
fn cuts_after_pubrel_are_resumed_with_pubrel() {
    let recording = run_with("cut_after = { pubrel = 0.1 }", "");

    assert_exactly_once(&recording);
    assert_a_tenth_is_cut(&recording, CutStep::Pubrel);
    assert!(legs(&recording, SenderLeg::PubrelSent) > 1_000);
    assert_no_publish_after_pubrec(&recording);
}

fn assert_no_publish_after_pubrec(recording: &Recording) {
    let mut received = std::collections::BTreeSet::new();
    for seen in &recording.seen {
        if let What::Sender(stamp, leg) = seen.what {
            if leg == SenderLeg::PubrecReceived {
                received.insert(stamp);
            } else if leg == SenderLeg::PublishResent {
                assert!(!received.contains(&stamp), "{stamp:?}");
            }
        }
    }
}

/// PUBRELs wait as long as the distribution says, and leave in the order of their PUBRECs
/// [MQTT-4.6.0-4].
#[test]
fn delayed_pubrels_keep_their_order() {
    let delay = r#"delay_pubrel = { dist = "exponential", mean = "200ms" }"#;
    let recording = run_with(delay, "");

    assert_exactly_once(&recording);
    let mut total = 0.0;
    for device in 0..5 {
        let of_leg = |wanted| -> Vec<(Stamp, f64)> {
            recording
                .of(device)
                .filter_map(|seen| {
                    let What::Sender(stamp, leg) = seen.what else {
                        return None;
                    };
                    (leg == wanted).then(|| (stamp, seen.at.as_secs_f64()))
                })
                .collect()
        };
        let received = of_leg(SenderLeg::PubrecReceived);
        let sent = of_leg(SenderLeg::PubrelSent);
        assert!(
            received
                .iter()
                .map(|leg| leg.0)
                .eq(sent.iter().map(|leg| leg.0))
        );
        total += received
            .iter()
            .zip(&sent)
            .map(|(from, to)| to.1 - from.1)
            .sum::<f64>();
    }
    // Waiting for the one before adds to the mean of the draws.
    let mean = total / 1_000.0;
    assert!((0.18..0.7).contains(&mean), "{mean}");
}

/// What is withheld is asked for again on the next connection, and then answered.
#[test]
fn withheld_answers_come_after_the_reconnect() {
    let withhold = r#"withhold = { pubrec = 0.05, pubcomp = 0.05, reconnect_after = "500ms" }"#;
    let recording = run_with("", withhold);

    assert_exactly_once(&recording);
    let cuts = cuts(&recording, CutStep::Withheld);
    assert!(cuts >= 10, "{cuts}");
    for answer in [ReceiverAnswer::Pubrec, ReceiverAnswer::Pubcomp] {
        let withheld = recording.count(|what| *what == What::Withheld(answer));
        assert!((25..80).contains(&withheld), "{answer:?}: {withheld}");
    }
    let again =
        recording.count(|what| matches!(what, What::Receiver(_, ReceiverLeg::DuplicateReceived)));
    assert!(again >= 20, "{again}");
    let answers = |leg| recording.count(|what| matches!(what, What::Receiver(_, l) if *l == leg));
    assert!(answers(ReceiverLeg::PubrecSent) >= 1_000);
    assert_eq!(answers(ReceiverLeg::PubcompSent), 1_000);
}

/// Everything at once, on both sides.
#[test]
fn all_faults_together_leave_delivery_exactly_once() {
    let recording = run_with(
        r#"
        cut_after = { publish = 0.02, pubrec = 0.02, pubrel = 0.02 }
        delay_pubrel = { dist = "exponential", mean = "200ms" }
        "#,
        r#"withhold = { pubrec = 0.01, pubcomp = 0.01 }"#,
    );

    assert_exactly_once(&recording);
}

/// QoS 2 over links of 300 ms, whose publishers lose connections in the middle of exchanges.
const OVER_A_SLOW_LINK: &str = r#"
        [run]
        duration = "20s"
        drain = "20s"
        [[network]]
        name = "slow"
        latency = "300ms"
        [[group]]
        name = "publishers"
        count = 3
        network = "slow"
        clean_start = false
        session_expiry = "10m"
        [group.qos2]
        cut_after = { pubrec = 0.05, pubrel = 0.05 }
        [[group.publish]]
        topic = "orders/{client_id}"
        qos = 2
        rate = 30
        [[group]]
        name = "consumer"
        count = 1
        network = "slow"
        clean_start = false
        session_expiry = "10m"
        [[group.subscribe]]
        filter = "orders/#"
        qos = 2
        "#;

/// Over a link it is told when what the broker is to answer has left that, in the order in which it was sent: one latency later,
/// also where it was sent again on another connection.
#[test]
fn what_the_broker_is_to_answer_leaves_the_link_in_order() {
    let recording = run(OVER_A_SLOW_LINK).sink;

    let mut held: HashMap<SocketId, VecDeque<Instant>> = HashMap::new();
    let mut left = 0;
    for seen in &recording.seen {
        let About::Device { socket, .. } = seen.about else {
            continue;
        };
        let asks = matches!(
            seen.what,
            What::Sender(
                _,
                SenderLeg::PublishSent | SenderLeg::PublishResent | SenderLeg::PubrelSent,
            ) | What::Receiver(_, ReceiverLeg::PubrecSent)
        );
        if asks {
            held.entry(socket).or_default().push_back(seen.at);
        }
        if let What::LeftLink(Departure::Asking(packets)) = seen.what {
            let of_connection = held.get_mut(&socket).expect("something was sent");
            for _ in 0..packets {
                let sent_at = of_connection.pop_front().expect("as much was sent");
                let took = seen.at.saturating_since(sent_at).as_secs_f64();
                assert!((0.3..0.302).contains(&took), "{took} s at {:?}", seen.at);
                left += 1;
            }
        }
    }
    let resent = recording.count(|what| matches!(what, What::Sender(_, SenderLeg::PublishResent)));
    assert!(
        left > 1_000 && resent > 5,
        "{left} left, {resent} sent again"
    );
}
