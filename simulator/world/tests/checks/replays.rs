//! Retained messages that a new subscription brings: the value, its QoS, and whether it comes at all.

use squall_protocol::QoS;
use squall_world::{Passing, Tamper};

use crate::run::{assert_broken, run, run_tampered, verdict};
use crate::tampering::{Outcome, publish_bytes, script, to_device};

/// Readers who come back and subscribe again each second, and a host whose readings are retained.
const SCENARIO: &str = r#"
[run]
duration = "8s"
drain = "6s"
[[group]]
name = "host"
count = 1
[[group.publish]]
topic = "reading/host"
qos = 1
retain = true
rate = 1
payload = { text = "value of the reading {seq}" }
[[group]]
name = "reader"
count = 3
[group.reconnect]
when = "always"
backoff = "300ms"
[[group.subscribe]]
filter = "reading/+"
qos = 1
[[fault]]
name = "crash"
every = "1s"
group = "reader"
action = "drop"
how = "rst"
[[expect]]
check = "delivery"
lost = 0
[[expect]]
check = "delivery"
reordered = 0
[[expect]]
check = "delivery"
misrouted = 0
"#;

fn is_replay(passing: &Passing<'_>) -> bool {
    passing.client_id.starts_with("reader")
        && to_device(passing).is_some_and(|publish| publish.retain)
}

/// Every replay is what `change` makes of it.
fn changed(
    mut change: impl for<'a> FnMut(&mut squall_protocol::packet::Publish<'a>, &'a [u8]),
) -> impl Tamper {
    let mut first: Option<Vec<u8>> = None;
    script(move |passing, tampered| {
        if !is_replay(passing) {
            return Outcome::Pass;
        }
        let mut publish = to_device(passing).expect("a replay is a PUBLISH").clone();
        let first = first.get_or_insert_with(|| publish.payload.to_vec());
        change(&mut publish, first);
        tampered.forward(passing.direction, &publish_bytes(&publish, passing.version));
        Outcome::Done
    })
}

/// Without tampering every replay is right.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    assert_broken(&run(SCENARIO), &[]);
}

/// The first value ever is not the last [MQTT-3.3.1-5].
#[test]
fn an_old_value_is_found() {
    let judgement = run_tampered(SCENARIO, changed(|publish, first| publish.payload = first));

    assert_broken(
        &judgement,
        &["delivery().corrupted", "delivery().corrupted"],
    );
}

/// [MQTT-3.8.4-8]: the QoS of the PUBLISH, or that of the subscription if it is lower.
#[test]
fn a_replay_at_another_qos_is_found() {
    let tamper = changed(|publish, _| {
        publish.qos = QoS::AtMostOnce;
        publish.packet_id = None;
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &["delivery().mislabelled"]);
}

/// What comes because of a SUBSCRIBE has RETAIN 1 [MQTT-3.3.1-8].
#[test]
fn a_replay_without_retain_is_found() {
    let tamper = changed(|publish, _| publish.retain = false);

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery().mislabelled"]);
}

/// What was published comes, not something like it.
#[test]
fn a_changed_payload_is_found() {
    let tamper = script(|passing, tampered| {
        if !is_replay(passing) {
            return Outcome::Pass;
        }
        let mut publish = to_device(passing).expect("a replay is a PUBLISH").clone();
        let mut payload = publish.payload.to_vec();
        payload[0] = b'X';
        publish.payload = &payload;
        tampered.forward(passing.direction, &publish_bytes(&publish, passing.version));
        Outcome::Done
    });

    assert_broken(
        &run_tampered(SCENARIO, tamper),
        &["delivery().corrupted", "delivery().corrupted"],
    );
}

/// [MQTT-3.3.1-9]: a new subscription is sent what is retained.
#[test]
fn replays_that_never_come_are_found() {
    let tamper = script(|passing, _| {
        if is_replay(passing) {
            Outcome::Done
        } else {
            Outcome::Pass
        }
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &["delivery().lost"]);
}

/// Takes the first `count` replays.
fn without_the_first(count: usize) -> impl Tamper {
    let mut seen = 0;
    script(move |passing, _| {
        seen += usize::from(is_replay(passing));
        match is_replay(passing) && seen <= count {
            true => Outcome::Done,
            false => Outcome::Pass,
        }
    })
}

/// So it is of each connection, not of the last one only: what never came to one that lasted for long is lost. Of one that
/// lasted for less it is not known whether it would have come, and `lost` is not judged.
#[test]
fn replays_that_an_earlier_connection_never_had_are_found() {
    let long = SCENARIO
        .replace("duration = \"8s\"", "duration = \"16s\"")
        .replace("every = \"1s\"", "every = \"7s\"");

    let short = verdict(&run_tampered(SCENARIO, without_the_first(9)));

    assert_eq!(short.exit_code, 4, "{short:#?}");
    assert_broken(&run(&long), &[]);
    assert_broken(
        &run_tampered(&long, without_the_first(3)),
        &["delivery().lost"],
    );
}
