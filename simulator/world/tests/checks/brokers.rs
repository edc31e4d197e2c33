//! What a broker may know that is not of the run: of other clients, and of earlier runs.

use squall_protocol::{
    QoS, Version,
    packet::{Publish, PublishProperties},
};
use squall_run::Outcome as Word;
use squall_world::Tamper;

use crate::run::{run, run_tampered, verdict};
use crate::tampering::{Outcome, drop_it, is_to, once, publish_bytes, script, to_device, topic};

/// The broker of the run itself, one that squall starts, and one that others use too.
const OWN: &str = "";
const SPAWNED: &str = "[target]\nspawn = \"mosquitto -p {port}\"";
const SHARED: &str = "[target]\nurl = \"mqtt://127.0.0.1:1883\"";

/// A host whose readings are retained, and a reader that comes back.
fn replays(target: &str) -> String {
    format!(
        r#"
{target}
[run]
duration = "6s"
drain = "6s"
[[group]]
name = "host"
count = 1
[[group.publish]]
topic = "reading/host"
qos = 1
retain = true
rate = 1
[[group]]
name = "reader"
count = 1
[group.reconnect]
when = "always"
backoff = "300ms"
[[group.subscribe]]
filter = "reading/+"
qos = 1
[[fault]]
name = "crash"
at = "4s"
group = "reader"
action = "drop"
how = "rst"
[[expect]]
check = "delivery"
lost = 0
"#
    )
}

fn replay_dropped() -> impl Tamper {
    once(
        0,
        |passing| {
            passing.client_id.starts_with("reader")
                && to_device(passing).is_some_and(|publish| publish.retain)
        },
        drop_it,
    )
}

/// A retained value that does not come is the broker's fault only where no other client can have cleared it.
#[test]
fn a_retained_value_that_another_client_may_have_cleared_is_not_judged() {
    for (target, outcome, exit_code) in [
        (OWN, Word::Fail, 98),
        (SPAWNED, Word::Fail, 98),
        (SHARED, Word::Invalid, 4),
    ] {
        let judgement = run_tampered(&replays(target), replay_dropped());

        let verdict = verdict(&judgement);
        assert_eq!(
            (verdict.outcome, verdict.exit_code),
            (outcome, exit_code),
            "{target}: {:?}",
            verdict.reasons
        );
    }
}

/// Doors with wills on a topic of each, some of which crash, and a watcher.
fn doors(target: &str, watcher: &str) -> String {
    format!(
        r#"
{target}
[run]
warmup = "2s"
duration = "3s"
drain = "6s"
[[group]]
name = "doors"
count = 4
[group.will]
topic = "status/{{client_id}}"
payload = {{ text = "offline" }}
qos = 1
retain = true
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "{watcher}"
qos = 1
[[fault]]
name = "crash"
at = "1s"
group = "doors"
select = {{ count = 2 }}
action = "drop"
how = "rst"
"#
    )
}

const EXACTLY: &str = "[[expect]]\ncheck = \"will\"\nafter = [\"crash\"]\nexactly = 1\n";
const LAST_WILL: &str =
    "[[expect]]\ncheck = \"retained\"\nfilter = \"status/+\"\nequals = \"last_will\"\n";

/// A message like a will, as another device at the topic may send it.
fn offline(to: &str, version: Version, retain: bool) -> Vec<u8> {
    let publish = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain,
        topic: topic(to),
        packet_id: None,
        properties: PublishProperties::default(),
        payload: b"offline",
    };
    publish_bytes(&publish, version)
}

/// A second message like a will is a will too many only where no other client can have sent it.
#[test]
fn a_second_will_on_a_shared_broker_is_not_judged() {
    for (target, outcome, exit_code) in [
        (OWN, Word::Fail, 98),
        (SPAWNED, Word::Fail, 98),
        (SHARED, Word::Invalid, 4),
    ] {
        let twice = once(
            0,
            |passing| is_to(passing, "watcher-0", "status/"),
            |passing, tampered| {
                let will = to_device(passing).expect("only a PUBLISH is chosen");
                let again = offline(will.topic.as_str(), passing.version, false);
                tampered.pass(passing);
                tampered.forward(passing.direction, &again);
            },
        );
        let text = format!("{}{EXACTLY}", doors(target, "status/+"));

        let judgement = run_tampered(&text, twice);

        let verdict = verdict(&judgement);
        assert_eq!(
            (verdict.outcome, verdict.exit_code),
            (outcome, exit_code),
            "{target}: {:?}",
            verdict.reasons
        );
    }
}

/// What a checker finds at a topic where the run left nothing was there before on a broker that has a disk,
/// unless a device of the run has seen that nothing was.
#[test]
fn a_value_of_an_earlier_run_is_not_unexpected() {
    for (target, watcher, outcome) in [
        (OWN, "nothing/here", Word::Fail),
        (SPAWNED, "nothing/here", Word::Invalid),
        (SPAWNED, "status/+", Word::Fail),
        (SHARED, "status/+", Word::Pass),
    ] {
        let mut is_done = false;
        let invent = script(move |passing, tampered| {
            let is_found = !passing.client_id.starts_with("watcher")
                && to_device(passing).is_some_and(|publish| publish.retain);
            if is_found && !is_done {
                is_done = true;
                let other = offline("status/of-before", passing.version, true);
                tampered.forward(passing.direction, &other);
            }
            Outcome::Pass
        });
        let text = format!("{}{LAST_WILL}", doors(target, watcher));

        let judgement = run_tampered(&text, invent);

        let verdict = verdict(&judgement);
        assert_eq!(
            verdict.outcome, outcome,
            "{target}, {watcher}: {:?}",
            verdict.reasons
        );
    }
}

/// A will that an earlier run may have left proves nothing, on a broker that squall starts too.
#[test]
fn a_will_that_was_perhaps_there_before_proves_nothing() {
    for (target, watcher, outcome) in [
        (OWN, "nothing/here", Word::Pass),
        (SPAWNED, "nothing/here", Word::Invalid),
        (SPAWNED, "status/+", Word::Pass),
    ] {
        let text = format!("{}{LAST_WILL}", doors(target, watcher));

        let judgement = run(&text);

        let verdict = verdict(&judgement);
        assert_eq!(
            verdict.outcome, outcome,
            "{target}, {watcher}: {:?}",
            verdict.reasons
        );
    }
}
