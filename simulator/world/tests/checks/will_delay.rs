//! `will` where wills wait: until the delay has passed, until the Session ends, or until the device is back.

use squall_protocol::packet::{Connect, Packet};
use squall_world::{Direction, Tamper};

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{Outcome, drop_it, is_to, once, script};

/// Devices that crash and stay away, those whose Sessions end before their wills are due, those that come back in time,
/// and those that come back with Clean Start.
const SCENARIO: &str = r#"
[run]
duration = "20s"
drain = "6s"
[[group]]
name = "gone"
count = 5
clean_start = false
session_expiry = "1m"
[group.will]
topic = "status/{client_id}"
qos = 1
retain = true
delay = "4s"
[[group]]
name = "short"
count = 5
clean_start = false
session_expiry = "3s"
[group.will]
topic = "status/{client_id}"
qos = 1
retain = true
delay = "1h"
[[group]]
name = "flapping"
count = 5
clean_start = false
session_expiry = "1m"
reconnect = { when = "always", backoff = "1s" }
[group.will]
topic = "status/{client_id}"
qos = 1
retain = true
delay = "4s"
[[group]]
name = "clean"
count = 5
session_expiry = "1m"
reconnect = { when = "always", backoff = "2s" }
[group.will]
topic = "status/{client_id}"
qos = 1
delay = "30s"
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "status/+"
qos = 1
[[fault]]
name = "gone-crash"
at = "2s"
group = "gone"
action = "drop"
how = "rst"
[[fault]]
name = "short-crash"
at = "2s"
group = "short"
action = "drop"
how = "rst"
[[fault]]
name = "flap"
every = "3s"
group = "flapping"
action = "drop"
how = "rst"
[[fault]]
name = "clean-crash"
at = "2s"
group = "clean"
action = "drop"
how = "rst"
[[expect]]
check = "will"
after = ["gone-crash"]
exactly = 1
within = { rst = "1s" }
[[expect]]
check = "will"
after = ["short-crash"]
exactly = 1
within = { rst = "1s" }
[[expect]]
check = "will"
after = ["flap"]
exactly = 0
[[expect]]
check = "will"
after = ["clean-crash"]
exactly = 1
within = { rst = "1s" }
[[expect]]
check = "retained"
filter = "status/+"
equals = "last_will"
"#;

/// A broker that had the CONNECTs of devices whose Client Identifiers begin with `prefix` as `change` leaves them.
fn connected(prefix: &'static str, change: impl Fn(&mut Connect) + 'static) -> impl Tamper {
    script(move |passing, tampered| {
        let (Direction::ToBroker, Packet::Connect(connect)) = (passing.direction, passing.packet)
        else {
            return Outcome::Pass;
        };
        if !passing.client_id.starts_with(prefix) {
            return Outcome::Pass;
        }
        let mut changed = connect.clone();
        change(&mut changed);
        tampered.replace(passing, &Packet::Connect(changed));
        Outcome::Done
    })
}

fn with_delay(prefix: &'static str, interval: Option<u32>) -> impl Tamper {
    connected(prefix, move |connect| {
        let will = connect.will.as_mut().expect("it has a will");
        will.properties.will_delay_interval = interval;
    })
}

/// Without tampering every claim holds; the devices that came back in time have no will.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let wills = judgement.measured.wills.iter();
    let seen: Vec<(&str, u64, u64, u64)> = wills
        .map(|will| {
            let fault = will.fault.as_deref().expect("a fault ended each");
            (fault, will.ended, will.seen, will.cancelled)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("gone-crash", 5, 5, 0),
            ("short-crash", 5, 5, 0),
            ("flap", 30, 0, 30),
            ("clean-crash", 5, 5, 0)
        ]
    );
}

/// [MQTT-3.1.2-8]: not before the delay has passed.
#[test]
fn a_will_that_does_not_wait_is_found() {
    let judgement = run_tampered(SCENARIO, with_delay("gone-3", None));

    assert_broken(&judgement, &["will(gone-crash).exactly"]);
}

/// A will that waits for longer than it should.
#[test]
fn a_will_that_waits_too_long_is_late() {
    let judgement = run_tampered(SCENARIO, with_delay("gone-3", Some(8)));

    assert_broken(&judgement, &["will(gone-crash).within.rst"]);
}

/// The Session ends the wait (§3.1.3.2.2).
#[test]
fn a_will_that_outlives_its_session_is_missing() {
    let keeps = connected("short-", |connect| {
        connect.properties.session_expiry_interval = Some(3_600);
    });

    let judgement = run_tampered(SCENARIO, keeps);

    assert_broken(
        &judgement,
        &[
            "will(short-crash).exactly",
            "will(short-crash).within.rst",
            "retained(status/+).equals",
        ],
    );
}

/// [MQTT-3.1.3-9]: a connection in time keeps the will back.
#[test]
fn a_will_despite_a_resume_is_found() {
    let judgement = run_tampered(SCENARIO, with_delay("flapping-1", None));

    assert_broken(
        &judgement,
        &["will(flap).exactly", "retained(status/+).equals"],
    );
}

/// One that never comes.
#[test]
fn a_will_that_never_comes_is_missing() {
    let tamper = once(
        2,
        |passing| is_to(passing, "watcher-0", "status/gone"),
        drop_it,
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(
        &judgement,
        &["will(gone-crash).exactly", "will(gone-crash).within.rst"],
    );
}

/// Whatever the seed, with devices that come back sooner and later than their wills are due, on links that fail, and
/// silently too, an honest broker breaks nothing.
#[test]
fn an_honest_broker_breaks_nothing() {
    let network = "[[network]]\nname = \"bad\"\nlatency = \"150ms\"\nloss = 0.2\n\
                   outages = { every = \"5s\", lasts = \"3s\" }\n";
    let text = SCENARIO
        .replace(
            "name = \"flapping\"",
            "name = \"flapping\"\nnetwork = \"bad\"\nkeep_alive = \"2s\"",
        )
        .replace(
            "name = \"clean\"",
            "name = \"clean\"\nnetwork = \"bad\"\nkeep_alive = \"2s\"",
        )
        .replace(
            "backoff = \"1s\"",
            "backoff = { dist = \"uniform\", min = \"1s\", max = \"9s\" }",
        )
        .replace("delay = \"30s\"", "delay = \"3s\"")
        .replace(
            "how = \"rst\"\n[[fault]]\nname = \"clean",
            "how = \"silent\"\n[[fault]]\nname = \"clean",
        )
        .replace("exactly = 0", "exactly = 1")
        .replace("within = { rst = \"1s\" }", "");
    assert_ne!(text, SCENARIO);
    for seed in 1..=24 {
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
