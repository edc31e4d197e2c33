//! `qos2_handshake`: not finished, a repeated PUBLISH without PUBREC, PUBLISH after PUBREL.

use std::collections::HashMap;

use squall_ledger::Judgement;
use squall_protocol::{PacketId, packet::Packet};
use squall_run::ClaimResult;
use squall_world::{Direction, Passing, Tampered};

use crate::run::{assert_broken, run, run_tampered};
use crate::tampering::{Outcome, publish_bytes, script, to_device};

/// Publishers that are cut at every step, and a reader that keeps PUBCOMPs back.
const SCENARIO: &str = r#"
[run]
duration = "10s"
drain = "10s"
[[group]]
name = "shops"
count = 4
clean_start = false
session_expiry = "10m"
[group.qos2]
cut_after = { publish = 0.1, pubrec = 0.1, pubrel = 0.1 }
[[group.publish]]
topic = "orders/{client_id}"
qos = 2
rate = 20
[[group]]
name = "reader"
count = 1
clean_start = false
session_expiry = "10m"
[group.qos2]
withhold = { pubrec = 0.02, pubcomp = 0.02 }
[[group.subscribe]]
filter = "orders/#"
qos = 2

[[expect]]
check = "qos2_handshake"
incomplete = 0
[[expect]]
check = "qos2_handshake"
dup_answered_with_pubrec = true
[[expect]]
check = "qos2_handshake"
no_publish_after_pubrel = true
"#;

/// Without tampering each exchange ends, though it is cut and stalled at every step.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let qos2 = judgement.measured.qos2.unwrap();
    assert_eq!(qos2.sender_started, 200);
    assert_eq!(qos2.sender_completed, 200);
    assert!(qos2.dup_sent > 0 && qos2.cuts.len() == 4, "{qos2:?}");
    assert!(qos2.withheld.len() == 2, "{qos2:?}");
}

/// An exchange whose PUBCOMP never comes is not finished (§4.3.3).
#[test]
fn an_exchange_without_pubcomp_is_incomplete() {
    let mut victim: Option<(String, PacketId)> = None;
    let tamper = script(move |passing, _| {
        let Packet::Pubcomp(pubcomp) = passing.packet else {
            return Outcome::Pass;
        };
        if passing.direction == Direction::ToBroker {
            return Outcome::Pass;
        }
        let this = (passing.client_id.to_owned(), pubcomp.id);
        if *victim.get_or_insert_with(|| this.clone()) == this {
            Outcome::Done
        } else {
            Outcome::Pass
        }
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["qos2_handshake().incomplete"]);
    let qos2 = judgement.measured.qos2.unwrap();
    assert_eq!(qos2.incomplete.get("sender awaits PUBCOMP"), Some(&1));
}

/// An exchange that the broker began and does not go on with is not finished (§4.3.3).
#[test]
fn an_exchange_without_pubrel_is_incomplete() {
    let mut victim: Option<PacketId> = None;
    let tamper = script(move |passing, _| {
        let Packet::Pubrel(pubrel) = passing.packet else {
            return Outcome::Pass;
        };
        if passing.direction == Direction::ToBroker {
            return Outcome::Pass;
        }
        if *victim.get_or_insert(pubrel.id) == pubrel.id {
            Outcome::Done
        } else {
            Outcome::Pass
        }
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["qos2_handshake().incomplete"]);
}

/// [MQTT-4.3.3-10]: PUBLISH with a known identifier is answered with PUBREC. Without that the
/// exchange cannot end.
#[test]
fn a_repeat_without_pubrec_is_found() {
    let mut victim: Option<(String, PacketId)> = None;
    let tamper = script(
        move |passing, _| match (passing.direction, passing.packet) {
            (Direction::ToBroker, Packet::Publish(publish)) if publish.dup => {
                if let Some(id) = publish.packet_id {
                    victim.get_or_insert_with(|| (passing.client_id.to_owned(), id));
                }
                Outcome::Pass
            }
            (Direction::ToDevice, Packet::Pubrec(pubrec)) => {
                let this = (passing.client_id.to_owned(), pubrec.id);
                if victim.as_ref() == Some(&this) {
                    Outcome::Done
                } else {
                    Outcome::Pass
                }
            }
            _ => Outcome::Pass,
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(
        &judgement,
        &[
            "qos2_handshake().incomplete",
            "qos2_handshake().dup_answered_with_pubrec",
        ],
    );
}

/// [MQTT-4.3.3-6]: once PUBREL was sent, it is resent, never PUBLISH.
#[test]
fn a_publish_after_pubrel_is_found() {
    let mut published: HashMap<PacketId, Vec<u8>> = HashMap::new();
    let mut released: Vec<PacketId> = Vec::new();
    let mut is_done = false;
    let tamper = script(move |passing: &Passing<'_>, tampered: &mut Tampered| {
        if passing.client_id != "reader-0" {
            return Outcome::Pass;
        }
        match (passing.direction, passing.packet) {
            (Direction::ToDevice, Packet::Publish(_)) => {
                let mut again = to_device(passing).unwrap().clone();
                again.dup = true;
                if let Some(id) = again.packet_id {
                    released.retain(|&other| other != id);
                    published.insert(id, publish_bytes(&again, passing.version));
                }
                Outcome::Pass
            }
            (Direction::ToDevice, Packet::Pubrel(pubrel)) => {
                let is_second = released.contains(&pubrel.id);
                released.push(pubrel.id);
                if is_second && !is_done {
                    is_done = true;
                    tampered.forward(passing.direction, &published[&pubrel.id]);
                }
                Outcome::Pass
            }
            _ => Outcome::Pass,
        }
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["qos2_handshake().no_publish_after_pubrel"]);
    assert_eq!(judgement.measured.qos2.unwrap().publish_after_pubrel, 1);
}

/// A run without QoS 2 exchanges proves nothing about them.
#[test]
fn a_claim_about_nothing_is_not_judged() {
    let scenario = r#"
        [run]
        duration = "1s"
        [[group]]
        name = "devices"
        count = 1
        [[group.publish]]
        topic = "a"
        qos = 2
        every = "10s"
        start = "10s"
        [[expect]]
        check = "qos2_handshake"
        incomplete = 0
        "#;

    let judgement = run(scenario);

    let claim = &judgement.measured.checks[0].claims[0];
    assert_eq!(claim.result(), ClaimResult::NotJudged, "{claim:#?}");
}

/// The reason why nothing was judged of `dup_answered_with_pubrec`, the second claim.
fn why_not_judged(judgement: &Judgement) -> String {
    let claim = &judgement.measured.checks[1].claims[0];
    assert_eq!(claim.result(), ClaimResult::NotJudged, "{claim:#?}");
    claim.unjudged.clone().expect("it says why")
}

/// A broker that ends the connection of each PUBLISH that was sent again answers none: that says nothing of its answers, least of
/// all that they are right.
#[test]
fn a_broker_that_closes_on_each_repeat_is_not_held_for_answering() {
    let tamper = script(|passing, tampered| {
        let is_repeat = matches!(passing.packet, Packet::Publish(publish) if publish.dup)
            && passing.direction == Direction::ToBroker;
        if !is_repeat {
            return Outcome::Pass;
        }
        tampered.close();
        Outcome::Done
    });

    let judgement = run_tampered(SCENARIO, tamper);

    let why = why_not_judged(&judgement);
    assert!(why.contains("was answered"), "{why}");
}

/// A repeat that waits for its answer when the run ends, and not for long, is told as not judged.
#[test]
fn a_repeat_just_before_the_end_is_not_judged() {
    let scenario = r#"
        [run]
        duration = "10s"
        drain = "1s"
        [[group]]
        name = "shop"
        count = 1
        clean_start = false
        session_expiry = "10m"
        [group.reconnect]
        when = "always"
        backoff = "100ms"
        [[group.publish]]
        topic = "orders/{client_id}"
        qos = 2
        every = "1s"
        [[fault]]
        at = "9.5s"
        group = "shop"
        action = "drop"
        how = "rst"
        [[expect]]
        check = "connections"
        refused = 0
        [[expect]]
        check = "qos2_handshake"
        dup_answered_with_pubrec = true
        "#;
    let mut published = 0;
    let tamper = script(
        move |passing, _| match (passing.direction, passing.packet) {
            (Direction::ToBroker, Packet::Publish(_)) => {
                published += 1;
                Outcome::Pass
            }
            // Neither the last one before the drop is answered, nor what comes of it.
            (Direction::ToDevice, Packet::Pubrec(_)) if published >= 9 => Outcome::Done,
            _ => Outcome::Pass,
        },
    );

    let judgement = run_tampered(scenario, tamper);

    let qos2 = judgement.measured.qos2.as_ref().unwrap();
    assert!(qos2.dup_sent > 0, "{qos2:?}");
    let why = why_not_judged(&judgement);
    assert!(why.contains("make `run.drain` longer"), "{why}");
}
