//! `session`, `expiry`, `shared` and `quota`: what the broker keeps for devices that are away, for how long, for whom, and how
//! much of it at once.

use squall_protocol::QoS;
use squall_protocol::packet::{Packet, Publish};
use squall_world::{Direction, Tamper};

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{Outcome, drop_it, is_to, once, publish_bytes, script, to_device};

/// Readers who are away for a while, again and again, with a Receive Maximum; a host whose messages live for long or
/// for a moment; and workers that share what another one publishes, of whom some die.
const SCENARIO: &str = r#"
[run]
duration = "20s"
drain = "12s"
[[group]]
name = "readers"
count = 3
clean_start = false
session_expiry = "5m"
receive_maximum = 5
reconnect = { when = "always", backoff = "4s" }
[[group.subscribe]]
filter = ["long/+", "short/+"]
qos = 1
[[group]]
name = "host"
count = 1
[[group.publish]]
topic = "long/{client_id}"
qos = 1
rate = 10
message_expiry = "1h"
[[group.publish]]
topic = "short/{client_id}"
qos = 1
rate = 10
message_expiry = "1s"
[[group]]
name = "workers"
count = 5
[[group.subscribe]]
filter = "$share/crew/job/+"
qos = 1
[[group]]
name = "boss"
count = 1
[[group.publish]]
topic = "job/{client_id}"
qos = 1
rate = 200
[[fault]]
name = "away"
at = "5s"
group = "readers"
action = "drop"
how = "rst"
[[fault]]
name = "death"
at = "8s"
group = "workers"
select = 2
action = "drop"
how = "rst"
[[expect]]
check = "session"
present = "correct"
[[expect]]
check = "session"
backlog = "complete"
[[expect]]
check = "expiry"
never_after = true
[[expect]]
check = "expiry"
remaining = "correct"
[[expect]]
check = "shared"
exactly_one = true
[[expect]]
check = "shared"
redistributed = true
[[expect]]
check = "quota"
receive_maximum = "kept"
"#;

/// A worker that does not die.
const SURVIVOR: &str = "workers-0";

/// Without a message that is under way when a worker dies, nothing is at stake: a worker that keeps its answers back has
/// one.
fn holding() -> impl Tamper {
    script(|passing, _| {
        let is_answer = passing.client_id.starts_with("workers-")
            && matches!(passing.packet, Packet::Puback(_));
        let holds = is_answer && (7.9..8.1).contains(&passing.now.as_secs_f64());
        if holds { Outcome::Done } else { Outcome::Pass }
    })
}

/// Every PUBLISH to a device whose Client Identifier begins with `prefix` comes as `change` leaves it.
fn delivered(
    prefix: &'static str,
    change: impl for<'a> Fn(&mut Publish<'a>) + 'static,
) -> impl Tamper {
    script(move |passing, tampered| {
        let Some(publish) = to_device(passing).filter(|_| passing.client_id.starts_with(prefix))
        else {
            return Outcome::Pass;
        };
        let mut changed = publish.clone();
        change(&mut changed);
        tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        Outcome::Done
    })
}

/// Without tampering every claim holds.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
    let excuses = &judgement.measured.accounting.deliveries[0].excuses;
    assert!(
        excuses
            .get("message expired")
            .is_some_and(|&count| count > 50),
        "{excuses:?}"
    );
}

/// [MQTT-3.2.2-3]
#[test]
fn a_session_present_that_is_wrong_is_found() {
    let tamper = once(
        1,
        |passing| passing.client_id == "readers-1" && matches!(passing.packet, Packet::Connack(_)),
        |passing, tampered| {
            let Packet::Connack(connack) = passing.packet else {
                unreachable!("a CONNACK was chosen");
            };
            let mut changed = connack.clone();
            changed.session_present = false;
            tampered.replace(passing, &Packet::Connack(changed));
        },
    );

    assert_broken(&run_tampered(SCENARIO, tamper), &["session().present"]);
}

/// §4.1: what waited for a Session comes.
#[test]
fn a_backlog_that_is_forgotten_is_found() {
    // The first message on the second connection has waited.
    let mut connacks = 0;
    let mut is_next = false;
    let tamper = script(move |passing, _| {
        if passing.client_id != "readers-0" || passing.direction != Direction::ToDevice {
            return Outcome::Pass;
        }
        if matches!(passing.packet, Packet::Connack(_)) {
            connacks += 1;
            is_next = connacks == 2;
        }
        let has_waited = to_device(passing)
            .is_some_and(|publish| !publish.dup && publish.topic.as_str().starts_with("long"));
        if !(is_next && has_waited) {
            return Outcome::Pass;
        }
        is_next = false;
        Outcome::Done
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &["session().backlog"]);
}

/// [MQTT-3.3.2-5]: a broker that does not know that messages expire.
#[test]
fn a_message_after_its_time_is_found() {
    let tamper = script(|passing, tampered| {
        let (Direction::ToBroker, Packet::Publish(publish)) = (passing.direction, passing.packet)
        else {
            return Outcome::Pass;
        };
        if !publish.topic.as_str().starts_with("short") {
            return Outcome::Pass;
        }
        let mut changed = publish.clone();
        changed.properties.message_expiry_interval = None;
        tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        Outcome::Done
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &["expiry().never_after"]);
}

/// [MQTT-3.3.2-6]: the interval is passed on as it came.
#[test]
fn a_time_left_that_does_not_decrease_is_found() {
    let tamper = delivered("readers-2", |publish| {
        if publish.topic.as_str().starts_with("long") {
            publish.properties.message_expiry_interval = Some(3_600);
        }
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &["expiry().remaining"]);
}

/// §4.8.2: one message for two members.
#[test]
fn a_message_for_two_members_is_found() {
    let mut kept: Option<Vec<u8>> = None;
    let tamper = script(move |passing, tampered| {
        if is_to(passing, "workers-0", "job") && kept.is_none() {
            let mut copy = to_device(passing).expect("a PUBLISH was chosen").clone();
            copy.qos = QoS::AtMostOnce;
            copy.packet_id = None;
            kept = Some(publish_bytes(&copy, passing.version));
        } else if is_to(passing, "workers-1", "job")
            && let Some(copy) = kept.as_mut()
        {
            tampered.forward(passing.direction, &std::mem::take(copy));
        }
        Outcome::Pass
    });

    assert_broken(&run_tampered(SCENARIO, tamper), &["shared().exactly_one"]);
}

/// §4.8.2: a message for no member.
#[test]
fn a_message_for_no_member_is_found() {
    // Long after the last worker has died: none of those can have had it.
    let is_job = |passing: &squall_world::Passing<'_>| {
        let is_late = passing.now.as_secs_f64() > 15.0;
        is_late && passing.client_id.starts_with("workers-") && to_device(passing).is_some()
    };
    let tamper = once(9, is_job, drop_it);

    assert_broken(&run_tampered(SCENARIO, tamper), &["shared().exactly_one"]);
}

/// A message for no member that no dead one can have had breaks one rule, and one that such a one may have had either of two: then
/// neither is judged.
#[test]
fn a_message_for_no_member_is_held_against_the_rule_that_it_breaks() {
    let at = |at: f64| {
        let is_job = move |passing: &squall_world::Passing<'_>| {
            passing.now.as_secs_f64() > at && is_to(passing, SURVIVOR, "job")
        };
        run_tampered(SCENARIO, once(1, is_job, drop_it))
    };

    assert_broken(&at(2.0), &["shared().exactly_one"]);

    let judgement = at(6.0);
    let claims = judgement
        .measured
        .checks
        .iter()
        .flat_map(|check| &check.claims);
    let open = claims.filter(|claim| !claim.passed);
    let open = open.map(|claim| {
        let why = claim.unjudged.as_ref();
        assert!(
            why.is_some_and(|why| why.contains("reached no member")),
            "{claim:?}"
        );
        claim.key.as_str()
    });
    assert_eq!(open.collect::<Vec<_>>(), ["exactly_one", "redistributed"]);
}

/// §4.8.2: what a dead member had, and had not acknowledged, is lost.
#[test]
fn what_a_dead_member_held_and_no_other_gets_is_found() {
    assert_broken(&run_tampered(SCENARIO, holding()), &[]);
    // The answers that the broker has not had are given in its place.
    let mut seen = 0;
    let tamper = script(move |passing, _| {
        let is_late = (7.9..8.0).contains(&passing.now.as_secs_f64());
        let is_job =
            passing.client_id.starts_with("workers-") && to_device(passing).is_some() && is_late;
        seen += u32::from(is_job);
        // One message is neither seen by its member nor given to another.
        if is_job && seen == 1 {
            return Outcome::Done;
        }
        Outcome::Pass
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["shared().redistributed"]);
}

/// [MQTT-3.3.4-9]: a broker that does not know Receive Maximum sends all that has waited at once.
#[test]
fn more_in_flight_than_the_receive_maximum_is_found() {
    let mut held = Vec::new();
    let mut count = 0;
    let tamper = script(move |passing, tampered| {
        if passing.client_id != "readers-0" {
            return Outcome::Pass;
        }
        if let Packet::Connect(connect) = passing.packet {
            let mut changed = connect.clone();
            changed.properties.receive_maximum = None;
            tampered.replace(passing, &Packet::Connect(changed));
            return Outcome::Done;
        }
        // What has waited comes together, as a socket brings it.
        if to_device(passing).is_none() || passing.now.as_secs_f64() < 8.0 || count == 12 {
            return Outcome::Pass;
        }
        held.extend_from_slice(passing.bytes);
        count += 1;
        if count == 12 {
            tampered.forward(passing.direction, &held);
        }
        Outcome::Done
    });

    assert_broken(
        &run_tampered(SCENARIO, tamper),
        &["quota().receive_maximum"],
    );
}

/// Whatever the seed, with readers and workers on links that fail, an honest broker breaks nothing.
#[test]
fn an_honest_broker_breaks_nothing() {
    let network = "[[network]]\nname = \"bad\"\nlatency = \"120ms\"\nloss = 0.2\n\
                   outages = { every = \"5s\", lasts = \"2s\" }\n";
    let text = SCENARIO
        .replace(
            "name = \"readers\"",
            "name = \"readers\"\nnetwork = \"bad\"\nkeep_alive = \"2s\"",
        )
        .replace(
            "name = \"workers\"",
            "name = \"workers\"\nnetwork = \"bad\"\nkeep_alive = \"2s\"",
        )
        .replace("name = \"host\"", "name = \"host\"\nnetwork = \"bad\"")
        .replace("at = \"5s\"", "every = \"3s\"")
        .replace("at = \"8s\"", "every = \"2s\"")
        .replace(
            "backoff = \"4s\"",
            "backoff = { dist = \"uniform\", min = \"200ms\", max = \"6s\" }",
        )
        .replace("rate = 200", "rate = 60");
    for (seed, text) in (1..=12).map(|seed| (seed, &text)) {
        for text in [text.clone(), text.replace("network = \"bad\"\n", "")] {
            let scenario = harness::scenario(&format!("seed = {seed}\n{network}{text}"));

            let judgement = squall_world::run(&scenario, broker(), None);

            let anomalies = &judgement.measured.anomalies;
            assert_ne!(
                verdict(&judgement).exit_code,
                98,
                "seed {seed}: {anomalies:#?}"
            );
        }
    }
}
