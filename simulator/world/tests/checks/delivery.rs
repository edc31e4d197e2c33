//! `delivery`: lost, duplicated, reordered, misrouted, late.

use std::cell::RefCell;
use std::rc::Rc;

use squall_fleet::{RunTag, Stamp, payload};
use squall_protocol::{
    PacketId, QoS, ReasonCode,
    packet::{Packet, Publish, Pubrel},
};
use squall_world::{Direction, Passing};

use crate::run::{assert_broken, broken, run, run_tampered};
use crate::tampering::{
    Outcome, drop_it, is_to, once, packet_bytes, publish_bytes, script, to_device, topic,
};

/// Telemetry at QoS 1 and orders at QoS 2 to a reader; what is private is for another.
const SCENARIO: &str = r#"
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

const READER: &str = "reader-0";

/// Nothing between: every claim is kept, and there was something to judge each by.
#[test]
fn an_honest_broker_keeps_every_claim() {
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

/// A message that no subscription of the Session asks for is misrouted (§3.3.4).
#[test]
fn a_message_for_another_is_misrouted() {
    let foreign: Rc<RefCell<Option<Vec<u8>>>> = Rc::default();
    let tamper = script(move |passing, tampered| {
        if is_to(passing, "auditor-0", "private") {
            foreign
                .borrow_mut()
                .get_or_insert_with(|| passing.bytes.to_vec());
        }
        if is_to(passing, READER, "telemetry")
            && let Some(bytes) = foreign.borrow_mut().as_mut()
        {
            tampered.forward(passing.direction, &std::mem::take(bytes));
        }
        Outcome::Pass
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery().misrouted"]);
}

/// Runs `text` with one delivery followed by another whose payload is `invent`ed from its stamp.
fn run_with_invented(
    text: &str,
    invent: impl Fn(Stamp) -> Vec<u8> + 'static,
) -> squall_ledger::Judgement {
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "telemetry"),
        move |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            let mut invented = to_device(passing).expect("a PUBLISH was chosen").clone();
            let payload = invent(payload::parse(invented.payload).expect("it is stamped"));
            invented.topic = topic("telemetry/sensors-0");
            invented.payload = &payload;
            invented.qos = QoS::AtMostOnce;
            invented.packet_id = None;
            tampered.forward(
                passing.direction,
                &publish_bytes(&invented, passing.version),
            );
        },
    );
    run_tampered(text, tamper)
}

/// A message of this run that no device has sent is misrouted.
#[test]
fn an_invented_message_is_misrouted() {
    let judgement = run_with_invented(SCENARIO, |stamp| {
        let never_sent = Stamp {
            sequence: stamp.sequence + 1_000_000,
            ..stamp
        };
        let mut payload = Vec::new();
        payload::append_binary(&mut payload, never_sent, payload::STAMP_BYTES);
        payload
    });

    assert_broken(&judgement, &["delivery().misrouted"]);
}

/// Another run may publish to the same topics of a broker that others use: what bears its stamp is
/// counted and not judged.
#[test]
fn a_message_of_another_run_is_foreign() {
    let shared = format!("[target]\nurl = \"mqtt://127.0.0.1:1883\"\n{SCENARIO}");

    let judgement = run_with_invented(&shared, |stamp| {
        let of_another_run = Stamp {
            run: RunTag::of_seed(77),
            ..stamp
        };
        let mut payload = Vec::new();
        payload::append_binary(&mut payload, of_another_run, payload::STAMP_BYTES + 8);
        payload
    });

    assert_broken(&judgement, &[]);
    let deliveries = &judgement.measured.accounting.deliveries;
    let foreign: u64 = deliveries.iter().map(|entry| entry.foreign).sum();
    assert_eq!(foreign, 1);
}

/// The payload that comes is the payload that was published, to the last byte.
#[test]
fn a_changed_payload_is_found() {
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "telemetry"),
        |passing, tampered| {
            let publish = to_device(passing).unwrap();
            let mut payload = publish.payload.to_vec();
            *payload.last_mut().unwrap() ^= 1;
            let mut changed = publish.clone();
            changed.payload = &payload;
            tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery().misrouted"]);
    assert_eq!(
        judgement.measured.anomalies[0].kind,
        squall_run::AnomalyKind::Corrupted
    );
}

/// A message keeps its topic: under another it is nobody's, and its own is lost.
#[test]
fn a_changed_topic_is_found() {
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "telemetry/sensors-1"),
        |passing, tampered| {
            let mut changed = to_device(passing).unwrap().clone();
            changed.topic = topic("telemetry/sensors-2");
            tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery(1).lost", "delivery().misrouted"]);
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
fn at_qos_0(passing: &Passing<'_>, retain: bool) -> Vec<u8> {
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

    assert_broken(&judgement, &["delivery().misrouted"]);
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

    assert_broken(&judgement, &["delivery().misrouted"]);
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
