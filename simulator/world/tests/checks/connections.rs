//! `connections`: refused, and ended without a reason.

use std::time::Duration;

use squall_protocol::{Instant, ReasonCode, packet::Packet};
use squall_run::{Extent, Outcome as Word, Reason, Resources, Verdict};
use squall_world::{Passing, Tampered};

use crate::run::{assert_broken, run, run_tampered, scenario, world};
use crate::tampering::{Outcome, is_to, once, packet_bytes, script};

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

/// Without tampering every connection is accepted and stays up.
#[test]
fn every_claim_holds_with_an_honest_broker() {
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
        refuse,
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["connections(reader).refused"]);
    let reader = &judgement.measured.connections.groups[1];
    assert_eq!(reader.refused.get("0x87 Not authorized"), Some(&1));
    assert_eq!(judgement.measured.errors[0].area, "connect");
}

/// A broker that closes instead of answering CONNECT has refused it: there was no connection that could
/// end unasked.
#[test]
fn a_connection_closed_without_connack_is_refused() {
    let tamper = once(
        0,
        |passing| passing.client_id == "reader-0" && matches!(passing.packet, Packet::Connack(_)),
        |_, tampered| tampered.close(),
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["connections(reader).refused"]);
    let connections = &judgement.measured.connections;
    let reader = &connections.groups[1];
    let name = "without CONNACK: peer closed (RST)";
    assert_eq!(reader.refused.get(name), Some(&1), "{reader:?}");
    assert_eq!(reader.unexpected_total(), 0);
    let text = connections.refusals[0].to_string();
    assert!(
        text.contains("closed by the broker (RST) without CONNACK"),
        "{text}"
    );
    let failed: u64 = judgement
        .measured
        .series
        .intervals
        .iter()
        .map(|interval| interval.connect_failed)
        .sum();
    assert_eq!(failed, 1);
    let errors = &judgement.measured.errors;
    assert_eq!(
        (errors[0].area.as_str(), errors[0].count),
        ("connect", 1),
        "{errors:?}"
    );
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

/// What kept devices out is told with its count and a remedy, also where they came in later.
#[test]
fn refusals_are_told_with_a_remedy() {
    let is_answer = |passing: &Passing<'_>| matches!(passing.packet, Packet::Connack(_));

    let judgement = run_tampered(SCENARIO, once(1, is_answer, refuse));

    let refusals = &judgement.measured.connections.refusals;
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    let text = refusals[0].to_string();
    assert!(
        text.ends_with(
            "CONNECTs were answered with CONNACK 0x87 Not authorized: devices send no user name: \
             set username and password in the group or in [target], or allow anonymous clients in the broker"
        ),
        "{text}"
    );
    assert_eq!(refusals[0].count, 1);
}

/// Where no device comes in, nothing can be claimed: that is the one reason, with its own exit code.
#[test]
fn a_run_without_any_connection_is_unreachable() {
    let tamper = script(|passing: &Passing<'_>, tampered: &mut Tampered| {
        if !matches!(passing.packet, Packet::Connack(_)) {
            return Outcome::Pass;
        }
        refuse(passing, tampered);
        Outcome::Done
    });

    let judgement = run_tampered(SCENARIO, tamper);

    let measured = &judgement.measured;
    let verdict = Verdict::judge(
        &measured.checks,
        &measured.thresholds,
        Extent::Whole,
        judgement.reasons,
    );
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Invalid, 3));
    assert_eq!(verdict.reasons.len(), 1);
    let text = verdict.reasons[0].text();
    assert!(text.contains("0x87 Not authorized"), "{text}");
}

/// An end without a reason is counted by its cause.
#[test]
fn unexpected_ends_have_their_causes() {
    let tamper = once(
        5,
        |passing| is_to(passing, "reader-0", "t"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.close();
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    let unexpected = &judgement.measured.connections.groups[1].unexpected;
    assert_eq!(
        unexpected.get("peer closed (RST)"),
        Some(&1),
        "{unexpected:?}"
    );
}

/// Answers a CONNACK's CONNECT with "not authorized" in the broker's place.
fn refuse(passing: &Passing<'_>, tampered: &mut Tampered) {
    let Packet::Connack(connack) = passing.packet else {
        unreachable!("only CONNACK is chosen")
    };
    let mut refused = connack.clone();
    refused.reason = ReasonCode::NotAuthorized;
    let packet = Packet::Connack(refused);
    tampered.forward(passing.direction, &packet_bytes(&packet, passing.version));
    tampered.close();
}

/// A broker that refuses everything: the CONNECTs that had no answer yet when the run ended because of that are
/// told beside those that were refused, so that the numbers add up.
#[test]
fn refusals_and_connects_under_way_add_up() {
    let text = "[run]\nduration = \"3s\"\n[[group]]\nname = \"sensors\"\ncount = 10\nconnect_rate = 10\n\
        [group.reconnect]\nwhen = \"never\"\n";
    let scenario = scenario(text);
    let mut answered = 0;
    let tamper = script(move |passing: &Passing<'_>, tampered: &mut Tampered| {
        let Packet::Connack(connack) = passing.packet else {
            return Outcome::Pass;
        };
        answered += 1;
        if answered <= 7 {
            let mut refused = connack.clone();
            refused.session_present = false;
            refused.reason = ReasonCode::NotAuthorized;
            tampered.replace(passing, &Packet::Connack(refused));
        }
        Outcome::Done
    });
    let mut world = world(&scenario).with_tamper(Box::new(tamper));
    while world.now() < Instant::ZERO + Duration::from_secs(1) {
        assert!(world.step());
    }

    let judgement = squall_ledger::judge(&scenario, world.cut(), &Resources::default());

    let reasons: Vec<&str> = judgement.reasons.iter().map(Reason::text).collect();
    let text = reasons
        .iter()
        .find(|text| text.starts_with("no device could connect"))
        .unwrap_or_else(|| panic!("{reasons:?}"));
    assert!(text.contains("7 of 10 CONNECTs were answered"), "{text}");
    assert!(
        text.contains("3 of 10 CONNECTs had no answer yet"),
        "{text}"
    );
}
