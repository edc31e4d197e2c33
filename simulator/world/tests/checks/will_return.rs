//! `will` of devices that come back (§3.1.3.2.2): after their wills were due, before, and about then.

use std::time::Duration;

use squall_protocol::packet::Packet;
use squall_run::ClaimResult;
use squall_world::{Direction, Tamper};

use crate::run::{assert_broken, run, run_tampered};
use crate::tampering::{Outcome, delay_it, drop_it, is_to, once, script};

/// Of each kind five devices crash: those that are back two seconds after their wills were due, those that are back two
/// seconds before, and those that are back half a second before, when a broker that counts in whole seconds may have
/// published them.
const SCENARIO: &str = r#"
[run]
duration = "20s"
drain = "6s"
[[group]]
name = "after"
count = 5
clean_start = false
session_expiry = "1m"
reconnect = { when = "always", backoff = "4s" }
[group.will]
topic = "status/{client_id}"
qos = 1
delay = "2s"
[[group]]
name = "before"
count = 5
clean_start = false
session_expiry = "1m"
reconnect = { when = "always", backoff = "4s" }
[group.will]
topic = "status/{client_id}"
qos = 1
delay = "6s"
[[group]]
name = "about"
count = 5
clean_start = false
session_expiry = "1m"
reconnect = { when = "always", backoff = "3500ms" }
[group.will]
topic = "status/{client_id}"
qos = 1
delay = "4s"
[[group]]
name = "expired"
count = 5
clean_start = false
session_expiry = "1s"
reconnect = { when = "always", backoff = "4s" }
[group.will]
topic = "status/{client_id}"
qos = 1
delay = "3s"
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "status/+"
qos = 1
[[fault]]
name = "crash"
at = "2s"
group = "after"
action = "drop"
how = "rst"
[[fault]]
name = "blink"
at = "2s"
group = "before"
action = "drop"
how = "rst"
[[fault]]
name = "edge"
at = "2s"
group = "about"
action = "drop"
how = "rst"
[[fault]]
name = "expiry"
at = "2s"
group = "expired"
action = "drop"
how = "rst"
[[expect]]
check = "will"
after = ["crash", "blink", "edge"]
exactly = 1
[[expect]]
check = "will"
after = ["crash"]
within = "500ms"
[[expect]]
check = "will"
after = ["expiry"]
exactly = 1
within = "500ms"
"#;

const ALL: &str = "will(crash, blink, edge).exactly";

/// The connection of devices that begin with `prefix` had this Will Delay Interval, whatever they asked for.
fn with_delay(prefix: &'static str, seconds: u32) -> impl Tamper {
    script(move |passing, tampered| {
        let (Direction::ToBroker, Packet::Connect(connect)) = (passing.direction, passing.packet)
        else {
            return Outcome::Pass;
        };
        if !passing.client_id.starts_with(prefix) {
            return Outcome::Pass;
        }
        let mut changed = connect.clone();
        let will = changed.will.as_mut().expect("it has a will");
        will.properties.will_delay_interval = Some(seconds);
        tampered.replace(passing, &Packet::Connect(changed));
        Outcome::Done
    })
}

/// A will is due to a device that comes back after it, also where the Session ended first, and none to one that is back
/// before; `within` and `time_to_will` count from when it was due.
#[test]
fn wills_are_due_to_those_that_come_back_too_late() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let wills = judgement.measured.wills.iter();
    let seen: Vec<(&str, u64, u64, u64, u64)> = wills
        .map(|will| {
            let fault = will.fault.as_deref().expect("a fault ended each");
            (fault, will.expected, will.seen, will.late, will.cancelled)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("crash", 5, 5, 0, 0),
            ("blink", 0, 0, 0, 5),
            ("edge", 0, 0, 0, 5),
            ("expiry", 5, 5, 0, 0)
        ]
    );
}

/// Though the device comes back, the will was due before, and never comes.
#[test]
fn a_will_of_a_device_that_came_back_too_late_may_not_be_missing() {
    for (topic, broken) in [
        ("status/after", [ALL, "will(crash).within.rst"]),
        (
            "status/expired",
            ["will(expiry).exactly", "will(expiry).within.rst"],
        ),
    ] {
        let tamper = once(
            2,
            move |passing| is_to(passing, "watcher-0", topic),
            drop_it,
        );

        let judgement = run_tampered(SCENARIO, tamper);

        assert_broken(&judgement, &broken);
    }
}

/// Two for one end.
#[test]
fn a_will_of_a_device_that_came_back_too_late_may_not_be_doubled() {
    let is_will = |passing: &squall_world::Passing<'_>| is_to(passing, "watcher-0", "status/after");
    let tamper = once(1, is_will, |passing, tampered| {
        tampered.forward(passing.direction, passing.bytes);
        tampered.forward(passing.direction, passing.bytes);
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &[ALL]);
}

/// It is late by its limit, counted from when it was due, and not by the delay.
#[test]
fn a_will_that_comes_late_after_it_was_due_is_found() {
    let is_will = |passing: &squall_world::Passing<'_>| is_to(passing, "watcher-0", "status/after");
    let tamper = once(4, is_will, delay_it(Duration::from_millis(600)));

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["will(crash).within.rst"]);
    let violation = &judgement.measured.checks[1].violations[0].explanation;
    assert!(
        violation.contains("after it was due, the limit is 500 ms"),
        "{violation}"
    );
}

/// [MQTT-3.1.3-9]: the devices were back two seconds before their wills were due, and the broker published one anyhow.
#[test]
fn a_will_although_the_device_was_back_in_time_is_found() {
    let judgement = run_tampered(SCENARIO, with_delay("before-1", 2));

    assert_broken(&judgement, &[ALL]);
}

/// Half a second before it is due only: a broker that counts in whole seconds may have published it by then, but it comes
/// after the CONNACK of the connection that resumed the Session, when it was due.
#[test]
fn a_will_that_comes_when_it_was_due_although_the_device_was_back_is_found() {
    let mut published = with_delay("about-1", 0);
    let is_will = |passing: &squall_world::Passing<'_>| is_to(passing, "watcher-0", "status/about");
    let mut held = once(0, is_will, delay_it(Duration::from_millis(4_000)));
    let both = script(move |passing, tampered| {
        match passing.direction {
            Direction::ToBroker => published.handle_packet(passing, tampered),
            Direction::ToDevice => held.handle_packet(passing, tampered),
        }
        Outcome::Done
    });
    // The wills of the others wait behind it on the way to the watcher.
    let alone = SCENARIO.replace("within = \"500ms\"\n", "").replace(
        "check = \"will\"\nafter = [\"crash\"]\n",
        "check = \"session\"\npresent = \"correct\"\n",
    );

    let judgement = run_tampered(&alone, both);

    assert_broken(&judgement, &[ALL]);
}

/// A broker that counts in whole seconds published it before the device was back: neither right nor wrong.
#[test]
fn a_will_of_a_device_that_came_back_at_the_edge_may_come() {
    let published = with_delay("about-1", 3);
    let none = SCENARIO.replace(
        "after = [\"crash\", \"blink\", \"edge\"]\nexactly = 1",
        "after = [\"blink\", \"edge\"]\nexactly = 0",
    );

    let judgement = run_tampered(SCENARIO, with_delay("about-1", 3));
    assert_broken(&judgement, &[]);

    let judgement = run_tampered(&none, published);
    let claim = &judgement.measured.checks[0].claims[0];
    assert_eq!(claim.result(), ClaimResult::NotJudged, "{claim:?}");
}

/// Where all were back in time no will was due: what is claimed of wills that come is not judged, and the reason is said.
#[test]
fn where_all_came_back_in_time_nothing_was_due() {
    let only = SCENARIO.replace("[\"crash\", \"blink\", \"edge\"]", "[\"blink\"]");

    let judgement = run(&only);

    let claim = &judgement.measured.checks[0].claims[0];
    assert_eq!(claim.result(), ClaimResult::NotJudged, "{claim:?}");
    let why = claim.unjudged.as_deref().unwrap_or_default();
    assert!(why.starts_with("all 5 devices came back before"), "{why}");
}
