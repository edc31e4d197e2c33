//! `delivery`: lost, reordered, late, and not as it was asked for.

use squall_protocol::{QoS, packet::Publish};
use squall_world::Passing;

use crate::run::{assert_broken, run, run_tampered, verdict};
use crate::tampering::{Outcome, drop_it, is_to, once, publish_bytes, script, to_device};

/// Telemetry at QoS 1 and orders at QoS 2 to a reader; what is private is for another.
pub(crate) const SCENARIO: &str = r#"
[run]
duration = "4s"
drain = "2s"
[[group]]
name = "sensors"
count = 4
[[group.publish]]
topic = "telemetry/{client_id}"
qos = 1
rate = 40
payload = { size = "32B" }
[[group.publish]]
topic = "private/{client_id}"
qos = 0
rate = 40
[[group]]
name = "shops"
count = 2
[[group.publish]]
topic = "orders/{client_id}"
qos = 2
rate = 20
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "telemetry/+"
qos = 1
[[group.subscribe]]
filter = "orders/+"
qos = 2
[[group]]
name = "auditor"
count = 1
[[group.subscribe]]
filter = "private/#"
qos = 0

[[expect]]
check = "delivery"
qos = 1
lost = 0
[[expect]]
check = "delivery"
qos = 1
reordered = 0
[[expect]]
check = "delivery"
qos = 2
lost = 0
[[expect]]
check = "delivery"
qos = 2
duplicated = 0
[[expect]]
check = "delivery"
qos = 2
reordered = 0
[[expect]]
check = "delivery"
qos = 0
lost = 0
[[expect]]
check = "delivery"
qos = 0
duplicated = 0
[[expect]]
check = "delivery"
misrouted = 0
[[expect]]
check = "delivery"
group = "reader"
late = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

pub(crate) const READER: &str = "reader-0";

/// Without tampering every claim holds, and there was something to judge each by.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let deliveries = judgement.measured.accounting.deliveries_at(1);
    assert_eq!((deliveries.expected, deliveries.delivered), (160, 160));
    assert!(judgement.measured.anomalies.is_empty());
}

/// An acknowledged message that never comes is lost (§4.3.2).
#[test]
fn a_dropped_message_is_lost() {
    let tamper = once(20, |passing| is_to(passing, READER, "telemetry"), drop_it);

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery(1).lost"]);
    assert_eq!(judgement.measured.accounting.deliveries_at(1).lost, 1);
}

/// The same at QoS 2 (§4.3.3).
#[test]
fn a_dropped_message_at_qos_2_is_lost() {
    let tamper = once(5, |passing| is_to(passing, READER, "orders"), drop_it);

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery(2).lost"]);
}

/// QoS 0 promises nothing, but with every connection in order and a claim that says so, a
/// message that does not come is lost.
#[test]
fn a_dropped_message_at_qos_0_is_lost_if_claimed() {
    let tamper = once(5, |passing| is_to(passing, "auditor-0", "private"), drop_it);

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery(0).lost"]);
}

/// A message that is held back until a later one of its stream has passed is out of order (§4.6).
fn swap(prefix: &'static str) -> impl squall_world::Tamper {
    let mut held: Option<(String, Vec<u8>)> = None;
    let mut is_done = false;
    script(move |passing, tampered| {
        let Some(publish) = to_device(passing) else {
            return Outcome::Pass;
        };
        if !is_to(passing, READER, prefix) || is_done {
            return Outcome::Pass;
        }
        match &held {
            None => {
                held = Some((publish.topic.as_str().to_owned(), passing.bytes.to_vec()));
                Outcome::Done
            }
            Some((topic, bytes)) if topic == publish.topic.as_str() => {
                tampered.forward(passing.direction, passing.bytes);
                tampered.forward(passing.direction, bytes);
                is_done = true;
                Outcome::Done
            }
            Some(_) => Outcome::Pass,
        }
    })
}

/// Order holds within one publisher and topic (§4.6).
#[test]
fn a_swapped_message_is_reordered() {
    let judgement = run_tampered(SCENARIO, swap("telemetry"));

    assert_broken(&judgement, &["delivery(1).reordered"]);
    assert_eq!(judgement.measured.accounting.deliveries_at(1).reordered, 1);
}

/// The same at QoS 2 (§4.6).
#[test]
fn a_swapped_message_at_qos_2_is_reordered() {
    let judgement = run_tampered(SCENARIO, swap("orders"));

    assert_broken(&judgement, &["delivery(2).reordered"]);
}

/// What waited for a Session is late when its connection is resumed.
#[test]
fn a_broken_connection_makes_messages_late() {
    let scenario = r#"
        [run]
        duration = "4s"
        drain = "2s"
        [[group]]
        name = "sensors"
        count = 1
        [[group.publish]]
        topic = "telemetry"
        qos = 1
        rate = 50
        [[group]]
        name = "reader"
        count = 1
        clean_start = false
        session_expiry = "1m"
        [[group.subscribe]]
        filter = "telemetry"
        qos = 1
        [[expect]]
        check = "delivery"
        lost = 0
        reordered = 0
        [[expect]]
        check = "delivery"
        late = 0
        "#;
    let tamper = once(
        50,
        |passing| is_to(passing, READER, "telemetry"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.close();
        },
    );

    let honest = run(scenario);
    let judgement = run_tampered(scenario, tamper);

    assert_broken(&honest, &[]);
    assert_eq!(crate::run::broken(&judgement), ["delivery().late"]);
    assert!(judgement.measured.accounting.deliveries_at(1).late > 0);
}

/// A copy of `passing` at QoS 0, which needs no exchange.
pub(crate) fn at_qos_0(passing: &Passing<'_>, retain: bool) -> Vec<u8> {
    let publish = to_device(passing).expect("only PUBLISH packets are chosen");
    let copy = Publish {
        qos: QoS::AtMostOnce,
        dup: false,
        packet_id: None,
        retain,
        ..publish.clone()
    };
    publish_bytes(&copy, passing.version)
}

/// [MQTT-3.8.4-8]: a delivery at less than was published and granted is not what was asked for.
#[test]
fn a_message_at_a_lower_qos_is_not_what_was_asked_for() {
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "telemetry"),
        |passing, tampered| tampered.forward(passing.direction, &at_qos_0(passing, false)),
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery().mislabelled"]);
}

/// The same where messages are retained: a subscription that was there before them is sent them
/// without the flag [MQTT-3.3.1-12].
#[test]
fn a_live_message_with_retain_is_not_what_was_asked_for() {
    let retained = SCENARIO.replace(
        "topic = \"telemetry/{client_id}\"\n",
        "topic = \"telemetry/{client_id}\"\nretain = true\n",
    );
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "telemetry"),
        |passing, tampered| {
            let publish = to_device(passing).expect("only PUBLISH packets are chosen");
            let flagged = Publish {
                retain: true,
                ..publish.clone()
            };
            tampered.forward(passing.direction, &publish_bytes(&flagged, passing.version));
        },
    );

    assert_broken(&run(&retained), &[]);
    let judgement = run_tampered(&retained, tamper);

    assert_broken(&judgement, &["delivery().mislabelled"]);
}

/// 3.1.1 knows no shared subscriptions: devices and broker agree that what only begins like one is
/// an ordinary filter, and its messages are owed (§4.7 of 3.1.1).
#[test]
fn a_malformed_share_is_an_ordinary_filter_of_3_1_1_devices() {
    let judgement = run(r#"
[run]
duration = "4s"
drain = "2s"
[[group]]
name = "sensors"
count = 1
[[group.publish]]
topic = "$share/x/a"
qos = 1
rate = 10
[[group]]
name = "reader"
count = 2
protocol = "3.1.1"
[[group.subscribe]]
filter = "$share/+/a"
qos = 1
[[expect]]
check = "delivery"
qos = 1
lost = 0
"#);

    assert_broken(&judgement, &[]);
    let read = &judgement.measured.accounting.deliveries[0];
    assert_eq!((read.expected, read.delivered), (80, 80));
}

/// A claim on `lost` without `qos` leaves QoS 0 out, and says so.
#[test]
fn lost_says_what_it_is_judged_of() {
    let all = SCENARIO.replace("qos = 0\nlost = 0\n", "lost = 0\n");

    let judgement = run(&all);

    let checks = judgement.measured.checks.iter();
    let claims = checks.flat_map(|check| &check.claims);
    let lost: Vec<Option<&str>> = claims
        .filter(|claim| claim.key == "lost")
        .map(|claim| claim.of.as_deref())
        .collect();
    assert_eq!(lost, [None, None, Some("owed at QoS 1 and 2")]);
}

/// A broker that closes the connection instead of delivering: the Session ends with it, and whether the
/// message would have come is not known. Nothing is claimed of connections.
#[test]
fn what_a_closed_connection_took_along_is_not_judged() {
    let claims = SCENARIO.find("[[expect]]").expect("it claims something");
    let scenario = format!(
        "{}[[expect]]\ncheck = \"delivery\"\nqos = 1\nlost = 0\n",
        &SCENARIO[..claims]
    );
    let tamper = once(
        20,
        |passing| is_to(passing, READER, "telemetry"),
        |_, tampered| tampered.close(),
    );

    let judgement = run_tampered(&scenario, tamper);

    assert_eq!(verdict(&judgement).exit_code, 4);
    let unjudged = judgement.measured.checks[0].claims[0].unjudged.as_deref();
    let unjudged = unjudged.expect("it is not judged");
    assert!(
        unjudged.contains("owed to Sessions that ended"),
        "{unjudged}"
    );
}
