//! `delivery`: copies that no QoS allows, and retained messages that are replayed twice.

use squall_protocol::{
    PacketId, QoS, ReasonCode,
    packet::{Packet, Publish, Pubrel},
};
use squall_world::{Direction, Passing};

use crate::delivery::{READER, SCENARIO, at_qos_0};
use crate::run::{assert_broken, broken, run, run_tampered};
use crate::tampering::{Outcome, is_to, once, packet_bytes, publish_bytes, script, to_device};

/// The same message in a second exchange: QoS 2 forbids it (§4.3.3).
#[test]
fn a_second_exchange_of_one_message_is_a_duplicate_at_qos_2() {
    let forged = PacketId::new(60_000).unwrap();
    let mut seen = 0;
    let mut owes_pubrel = false;
    let tamper = script(move |passing, tampered| {
        if passing.client_id != READER {
            return Outcome::Pass;
        }
        if passing.direction == Direction::ToBroker {
            // The broker never hears of the forged exchange.
            let is_pubrec = matches!(passing.packet, Packet::Pubrec(pubrec) if pubrec.id == forged);
            let is_pubcomp =
                matches!(passing.packet, Packet::Pubcomp(pubcomp) if pubcomp.id == forged);
            let is_forged = is_pubrec || is_pubcomp;
            return if is_forged {
                Outcome::Done
            } else {
                Outcome::Pass
            };
        }
        tampered.forward(passing.direction, passing.bytes);
        if std::mem::take(&mut owes_pubrel) {
            let pubrel = Packet::Pubrel(Pubrel::new(forged, ReasonCode::Success));
            tampered.forward(passing.direction, &packet_bytes(&pubrel, passing.version));
        }
        if is_to(passing, READER, "orders") {
            seen += 1;
            if let (5, Some(publish)) = (seen, to_device(passing)) {
                let mut again = publish.clone();
                again.packet_id = Some(forged);
                tampered.forward(passing.direction, &publish_bytes(&again, passing.version));
                owes_pubrel = true;
            }
        }
        Outcome::Done
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery(2).duplicated"]);
}

/// QoS 0 is at most once (§4.3.1).
#[test]
fn a_second_copy_is_a_duplicate_at_qos_0() {
    let tamper = once(
        5,
        |passing| is_to(passing, "auditor-0", "private"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.forward(passing.direction, passing.bytes);
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery(0).duplicated"]);
}

/// QoS 1 is at least once: a second copy breaks no claim about the other levels (§4.3.2).
#[test]
fn a_second_copy_at_qos_1_is_of_qos_1_alone() {
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "telemetry"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.forward(passing.direction, passing.bytes);
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &[]);
    assert_eq!(judgement.measured.accounting.deliveries_at(1).duplicated, 1);
}

/// A second copy of a QoS 2 message is a duplicate, at whatever QoS it comes.
#[test]
fn a_second_copy_at_another_qos_is_a_duplicate_at_qos_2() {
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "orders"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            let publish = to_device(passing).expect("only PUBLISH packets are chosen");
            let copy = Publish {
                qos: QoS::AtLeastOnce,
                packet_id: PacketId::new(60_000),
                ..publish.clone()
            };
            tampered.forward(passing.direction, &publish_bytes(&copy, passing.version));
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    let broken = broken(&judgement);
    assert!(
        broken.contains(&"delivery(2).duplicated".to_owned()),
        "{broken:?}"
    );
}

/// RETAIN is for what a new subscription finds in the store [MQTT-3.3.1-12]: where nothing was
/// retained, a copy with the flag is a copy as any other.
#[test]
fn a_copy_that_claims_to_be_retained_is_a_duplicate_all_the_same() {
    let tamper = once(
        5,
        |passing| is_to(passing, "auditor-0", "private"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.forward(passing.direction, &at_qos_0(passing, true));
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery(0).duplicated"]);
}

/// Sensors whose readings are retained, and a reader that comes back and subscribes again.
const RETAINED: &str = r#"
[run]
duration = "4s"
drain = "2s"
[[group]]
name = "sensors"
count = 2
[[group.publish]]
topic = "reading/{client_id}"
qos = 2
retain = true
rate = 4
[[group]]
name = "reader"
count = 1
[group.reconnect]
when = "always"
backoff = "500ms"
[[group.subscribe]]
filter = "reading/+"
qos = 0
[[fault]]
name = "away"
at = "1s"
group = "reader"
action = "drop"
how = "rst"
[[expect]]
check = "delivery"
duplicated = 0
"#;

/// One SUBSCRIBE brings a retained message once [MQTT-3.3.1-9].
#[test]
fn a_retained_message_that_is_replayed_twice_is_found() {
    let replayed = |passing: &Passing<'_>| {
        is_to(passing, READER, "reading") && to_device(passing).unwrap().retain
    };
    let tamper = once(0, replayed, |passing, tampered| {
        tampered.forward(passing.direction, passing.bytes);
        tampered.forward(passing.direction, passing.bytes);
    });

    let judgement = run_tampered(RETAINED, tamper);

    assert_broken(&run(RETAINED), &[]);
    assert_broken(&judgement, &["delivery().duplicated"]);
}
