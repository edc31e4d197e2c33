//! `connections`: refused, and ended without a reason.

use squall_protocol::{ReasonCode, packet::Packet};

use crate::run::{assert_broken, run, run_tampered};
use crate::tampering::{is_to, once, packet_bytes};

/// Two groups, so that a claim about one is not about the other.
const SCENARIO: &str = r#"
[run]
duration = "3s"
[[group]]
name = "sensors"
count = 2
[[group.publish]]
topic = "t"
qos = 1
rate = 10
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t"
qos = 1
[[expect]]
check = "connections"
group = "reader"
refused = 0
[[expect]]
check = "connections"
group = "reader"
unexpected_disconnects = 0
[[expect]]
check = "connections"
group = "sensors"
refused = 0
unexpected_disconnects = 0
"#;

/// Nothing between: every connection is had and kept.
#[test]
fn an_honest_broker_keeps_every_claim() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    assert_eq!(judgement.measured.connections.peak_online, 3);
}

/// CONNACK with an error (§3.2.2.2).
#[test]
fn a_refused_connection_is_counted() {
    let tamper = once(
        0,
        |passing| passing.client_id == "reader-0" && matches!(passing.packet, Packet::Connack(_)),
        |passing, tampered| {
            let Packet::Connack(connack) = passing.packet else {
                unreachable!("only CONNACK is chosen")
            };
            let mut refused = connack.clone();
            refused.reason = ReasonCode::NotAuthorized;
            let packet = Packet::Connack(refused);
            tampered.forward(passing.direction, &packet_bytes(&packet, passing.version));
            tampered.close();
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["connections(reader).refused"]);
    let reader = &judgement.measured.connections.groups[1];
    assert_eq!(reader.refused.get("0x87 Not authorized"), Some(&1));
    assert_eq!(judgement.measured.errors[0].area, "connect");
}

/// A close that no fault, cut or takeover explains.
#[test]
fn a_closed_connection_is_unexpected() {
    let tamper = once(
        5,
        |passing| is_to(passing, "reader-0", "t"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.close();
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["connections(reader).unexpected_disconnects"]);
}
