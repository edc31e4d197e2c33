//! `retained`: missing, wrong, unexpected; by the last will, the last PUBLISH and a text.

use squall_protocol::{
    QoS, Version,
    packet::{Packet, Publish, PublishProperties},
};
use squall_world::{Passing, Tamper, Tampered};

use crate::run::{assert_broken, run, run_in, run_tampered};
use crate::tampering::{Outcome, drop_it, once, publish_bytes, script, to_device, topic};

/// Retained wills, retained readings, and a retained greeting.
const SCENARIO: &str = r#"
[run]
duration = "3s"
drain = "1s"
[[group]]
name = "doors"
count = 4
[group.will]
topic = "status/{client_id}"
retain = true
[[group.publish]]
topic = "reading/{client_id}"
qos = 1
retain = true
rate = 20
[[group]]
name = "host"
count = 1
[[group.publish]]
topic = "reading/host"
qos = 2
retain = true
rate = 10
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "status/+"
qos = 1
[[fault]]
name = "crash"
at = "1s"
group = "doors"
select = { count = 2 }
action = "drop"
how = "rst"
[[expect]]
check = "retained"
filter = "status/+"
equals = "last_will"
[[expect]]
check = "retained"
filter = "reading/#"
equals = "last_publish"
"#;

fn is_retained(passing: &Passing<'_>, prefix: &str) -> bool {
    to_device(passing)
        .is_some_and(|publish| publish.retain && publish.topic.as_str().starts_with(prefix))
}

fn change(passing: &Passing<'_>, tampered: &mut Tampered) {
    let mut changed = to_device(passing)
        .expect("only a PUBLISH is chosen")
        .clone();
    changed.payload = b"something else";
    tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
}

/// Without tampering each topic retains what it should.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let found: Vec<(u64, u64)> = judgement
        .measured
        .retained
        .iter()
        .map(|outcome| (outcome.expected, outcome.right))
        .collect();
    assert_eq!(found, [(2, 2), (5, 5)]);
}

/// [MQTT-3.3.1-5]: the last retained message replaces those before it.
#[test]
fn another_reading_is_wrong() {
    let tamper = once(0, |passing| is_retained(passing, "reading"), change);

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["retained(reading/#).equals"]);
    assert_eq!(judgement.measured.retained[1].wrong, 1);
}

/// A will with Will Retain is retained [MQTT-3.1.2-15].
#[test]
fn another_will_is_wrong() {
    let tamper = once(0, |passing| is_retained(passing, "status"), change);

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["retained(status/+).equals"]);
    assert_eq!(judgement.measured.retained[0].wrong, 1);
}

/// A topic that should have a message has none.
#[test]
fn a_lost_reading_is_missing() {
    let tamper = once(0, |passing| is_retained(passing, "reading"), |_, _| {});

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["retained(reading/#).equals"]);
    assert_eq!(judgement.measured.retained[1].missing, 1);
}

/// A topic that should have none has one: its device said goodbye or is still there.
#[test]
fn a_will_that_was_not_due_is_unexpected() {
    let mut is_done = false;
    let tamper = script(move |passing, tampered| {
        if is_retained(passing, "status") && !is_done {
            is_done = true;
            tampered.forward(passing.direction, &invented(passing.version));
        }
        Outcome::Pass
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["retained(status/+).equals"]);
    assert_eq!(judgement.measured.retained[0].unexpected, 1);
}

/// What a device publishes is compared with a text without the stamp that squall adds to it.
#[test]
fn a_text_is_compared_without_the_stamp() {
    let scenario = r#"
        [run]
        duration = "2s"
        [[group]]
        name = "meters"
        count = 3
        [[group.publish]]
        topic = "status/{client_id}"
        qos = 1
        retain = true
        rate = 6
        payload = { text = "online" }
        [[group.publish]]
        topic = "state/{client_id}"
        qos = 1
        retain = true
        rate = 6
        payload = { json = { on = true } }
        [[expect]]
        check = "retained"
        filter = "status/+"
        equals = "online"
        [[expect]]
        check = "retained"
        filter = "state/+"
        equals = '{"on":true}'
        "#;
    let tamper = once(1, |passing| is_retained(passing, "status"), change);

    let honest = run(scenario);
    let tampered = run_tampered(scenario, tamper);
    let other_text = run(&scenario.replace("equals = \"online\"", "equals = \"onlin\""));

    assert_broken(&honest, &[]);
    assert_broken(&tampered, &["retained(status/+).equals"]);
    assert_broken(&other_text, &["retained(status/+).equals"]);
}

/// A text is compared with every topic that has something; at least one must.
#[test]
fn a_text_is_compared_with_each_topic() {
    let scenario = r#"
        [run]
        duration = "3s"
        [[group]]
        name = "doors"
        count = 2
        [group.will]
        topic = "status/{client_id}"
        payload = { text = "gone" }
        retain = true
        [[group]]
        name = "watcher"
        count = 1
        [[group.subscribe]]
        filter = "status/+"
        [[fault]]
        name = "crash"
        at = "1s"
        group = "doors"
        action = "drop"
        how = "fin"
        [[expect]]
        check = "retained"
        filter = "status/+"
        equals = "gone"
        [[expect]]
        check = "retained"
        filter = "nothing/here"
        equals = "gone"
        "#;
    let tamper = once(1, |passing| is_retained(passing, "status"), change);

    let honest = run(scenario);
    let judgement = run_tampered(scenario, tamper);

    assert_broken(&honest, &["retained(nothing/here).equals"]);
    assert_broken(
        &judgement,
        &["retained(status/+).equals", "retained(nothing/here).equals"],
    );
}

/// A checker that is not told what is there has found out nothing.
#[test]
fn a_checker_that_is_refused_proves_nothing() {
    let tamper = script(|passing, tampered| {
        let Packet::Connack(connack) = passing.packet else {
            return Outcome::Pass;
        };
        if passing.client_id.contains("doors")
            || passing.client_id.contains("watcher")
            || passing.client_id.contains("host")
        {
            return Outcome::Pass;
        }
        let mut refused = connack.clone();
        refused.reason = squall_protocol::ReasonCode::NotAuthorized;
        refused.session_present = false;
        let packet = Packet::Connack(refused);
        tampered.forward(
            passing.direction,
            &crate::tampering::packet_bytes(&packet, passing.version),
        );
        tampered.close();
        Outcome::Done
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_eq!(
        crate::run::broken(&judgement),
        ["retained(status/+).equals", "retained(reading/#).equals"]
    );
    assert_eq!(judgement.measured.checks[0].claims[0].actual, None);
}

fn invented(version: Version) -> Vec<u8> {
    let publish = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: true,
        topic: topic("status/doors-99"),
        packet_id: None,
        properties: PublishProperties::default(),
        payload: b"offline",
    };
    publish_bytes(&publish, version)
}

/// Devices that announce themselves on the topic of their wills, as most do: some are dropped and come
/// back, some stay away.
fn births_and_deaths(equals: &str) -> String {
    let group = |name: &str, reconnect: &str| {
        format!(
            r#"
[[group]]
name = "{name}"
count = 5
[group.will]
topic = "status/{{client_id}}"
payload = {{ text = "offline" }}
qos = 1
retain = true
[group.reconnect]
{reconnect}
[[group.publish]]
topic = "status/{{client_id}}"
payload = {{ text = "online" }}
qos = 1
retain = true
every = "1s"
"#
        )
    };
    let back = group("back", "when = \"always\"\nbackoff = \"300ms\"");
    let away = group("away", "when = \"never\"");
    format!(
        r#"
[run]
duration = "5s"
drain = "6s"
{back}{away}[[fault]]
name = "blink"
at = "2s"
group = "back"
select = {{ count = 3 }}
action = "drop"
how = "rst"
[[fault]]
name = "crash"
at = "2500ms"
group = "away"
select = {{ count = 3 }}
action = "drop"
how = "rst"
[[expect]]
check = "retained"
filter = "status/+"
equals = "{equals}"
"#
    )
}

/// Birth and death on one topic: what came last counts, by either name of the claim.
#[test]
fn birth_and_death_on_one_topic_are_put_in_order() {
    for equals in ["last_will", "last_publish"] {
        let judgement = run(&births_and_deaths(equals));

        assert_broken(&judgement, &[]);
        let found = &judgement.measured.retained[0];
        assert_eq!((found.expected, found.right), (10, 10), "{equals}");
    }
}

/// Devices that are dropped as the load ends come back and publish nothing: their wills are the last.
#[test]
fn a_will_after_the_last_birth_is_the_last() {
    for equals in ["last_will", "last_publish"] {
        let text = births_and_deaths(equals).replace("at = \"2s\"", "at = \"4999ms\"");

        let judgement = run(&text);

        assert_broken(&judgement, &[]);
        let found = &judgement.measured.retained[0];
        assert_eq!((found.expected, found.right), (10, 10), "{equals}");
    }
}

/// A device that is back and whose topic still says that it is gone, and one that is gone and whose topic
/// still says that it is there.
#[test]
fn a_status_that_is_not_the_last_is_wrong() {
    for (device, other) in [("status/back", "offline"), ("status/away", "online")] {
        let mut others: Option<Vec<u8>> = None;
        let tamper = script(move |passing, tampered| {
            let is_status = is_retained(passing, "status/");
            let Some(publish) = to_device(passing).filter(|_| is_status) else {
                return Outcome::Pass;
            };
            let says = |text: &str| publish.payload.starts_with(text.as_bytes());
            if publish.topic.as_str().starts_with(device) && !says(other) && others.is_none() {
                let mut changed = publish.clone();
                changed.payload = other.as_bytes();
                others = Some(publish.payload.to_vec());
                tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
                return Outcome::Done;
            }
            Outcome::Pass
        });

        let judgement = run_tampered(&births_and_deaths("last_will"), tamper);

        assert_broken(&judgement, &["retained(status/+).equals"]);
        assert_eq!(judgement.measured.retained[0].wrong, 1, "{device}");
    }
}

/// A SUBSCRIBE brings each retained message once [MQTT-3.3.1-9].
#[test]
fn a_reading_that_comes_twice_is_wrong() {
    let tamper = once(
        0,
        |passing| is_retained(passing, "reading"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.forward(passing.direction, passing.bytes);
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["retained(reading/#).equals"]);
    let found = &judgement.measured.retained[1];
    assert_eq!((found.right, found.wrong, found.missing), (4, 1, 0));
}

/// DUP at QoS 0 breaks the protocol [MQTT-3.3.1-2], and the checker hears no more: what did not come then
/// may be there all the same.
#[test]
fn a_packet_that_breaks_the_protocol_breaks_the_claim() {
    let tamper = once(
        1,
        |passing| is_retained(passing, "reading"),
        |passing, tampered| {
            let mut changed = to_device(passing)
                .expect("only a PUBLISH is chosen")
                .clone();
            changed.dup = true;
            tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["retained(reading/#).equals"]);
    let found = &judgement.measured.retained[1];
    assert_eq!((found.right, found.wrong, found.missing), (1, 0, 0));
    let said: Vec<&str> = judgement.measured.checks[1]
        .violations
        .iter()
        .map(|violation| violation.explanation.as_str())
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("breaks the protocol"), "{said:?}");
}

/// On a broker that others use, a reading that is gone or replaced may be another client's doing: nothing follows.
#[test]
fn what_another_client_may_have_cleared_or_replaced_is_not_judged() {
    let shared = format!("[target]\nurl = \"mqtt://127.0.0.1:1883\"\n{SCENARIO}");
    let lost = once(1, |passing| is_retained(passing, "reading"), drop_it);
    let replaced = once(1, |passing| is_retained(passing, "reading"), change);

    for (tamper, wrong, missing) in [
        (Box::new(lost) as Box<dyn Tamper>, 0, 1),
        (Box::new(replaced), 1, 0),
    ] {
        let judgement = run_in(&shared, |world| world.with_tamper(tamper));

        let found = &judgement.measured.retained[1];
        assert_eq!((found.wrong, found.missing), (wrong, missing));
        let claim = &judgement.measured.checks[1].claims[0];
        assert_eq!(claim.actual, None, "{claim:?}");
        let why = claim.unjudged.as_deref().unwrap_or_default();
        assert!(why.contains("or replaced by another client"), "{why}");
    }
}
