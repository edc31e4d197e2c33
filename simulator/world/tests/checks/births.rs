//! `[group.birth]`: owed, lost, retained and judged like any message.

use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing};

use crate::run::{assert_broken, run, run_tampered};
use crate::tampering::{drop_it, once, publish_bytes, to_device};

/// Devices that announce themselves on the topic of their wills, and one that watches them from before: some
/// are dropped and come back, some stay away, and some are dropped as the load ends and come back in the drain.
const SCENARIO: &str = r#"
[run]
duration = "5s"
drain = "6s"
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "status/+"
qos = 1
[[group]]
name = "back"
count = 5
connect_rate = 5
[group.will]
topic = "status/{client_id}"
payload = { text = "offline" }
qos = 1
retain = true
[group.reconnect]
when = "always"
backoff = "300ms"
[group.birth]
topic = "status/{client_id}"
qos = 1
retain = true
[[group]]
name = "away"
count = 5
connect_rate = 5
[group.will]
topic = "status/{client_id}"
payload = { text = "offline" }
qos = 1
retain = true
[group.reconnect]
when = "never"
[group.birth]
topic = "status/{client_id}"
payload = { text = "here" }
qos = 1
retain = true
[[fault]]
name = "blink"
at = "2s"
group = "back"
select = { count = 3 }
action = "drop"
how = "rst"
[[fault]]
name = "late"
at = "4999ms"
group = "back"
action = "drop"
how = "rst"
[[fault]]
name = "crash"
at = "2500ms"
group = "away"
select = { count = 3 }
action = "drop"
how = "rst"
[[expect]]
check = "delivery"
qos = 1
lost = 0
[[expect]]
check = "will"
after = ["blink", "late", "crash"]
exactly = 1
[[expect]]
check = "retained"
filter = "status/+"
equals = "last_publish"
"#;

fn is_birth_to_watcher(passing: &Passing<'_>) -> bool {
    to_device(passing)
        .is_some_and(|publish| !publish.retain && publish.payload.starts_with(b"online"))
}

/// Eighteen connections have a birth each; the last word of each topic is a birth or a death, as it came about.
#[test]
fn births_are_accounted_for_like_any_message() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let published = judgement.measured.accounting.publications_at(1);
    assert_eq!((published.scheduled, published.sent), (18, 18));
    let found = &judgement.measured.retained[0];
    assert_eq!((found.expected, found.right), (10, 10));
}

/// A birth that its subscriber does not get is lost.
#[test]
fn a_birth_that_does_not_come_is_lost() {
    let judgement = run_tampered(SCENARIO, once(2, is_birth_to_watcher, drop_it));

    assert_broken(&judgement, &["delivery(1).lost"]);
}

/// A birth of another content is corrupted, and the right one lost.
#[test]
fn a_birth_with_another_payload_is_corrupted() {
    let judgement = run_tampered(
        SCENARIO,
        once(2, is_birth_to_watcher, |passing, tampered| {
            let publish = to_device(passing).expect("it was chosen");
            let mut payload = publish.payload.to_vec();
            payload[0] = b'O';
            let mut changed = publish.clone();
            changed.payload = &payload;
            tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        }),
    );

    assert_broken(&judgement, &["delivery(1).lost", "delivery(1).corrupted"]);
}

/// A broker that acknowledges a birth and retains nothing keeps the death of the connection before.
#[test]
fn a_birth_that_is_not_retained_leaves_the_death() {
    let is_birth = |passing: &Passing<'_>| {
        let is_up = passing.direction == Direction::ToBroker;
        matches!(passing.packet, Packet::Publish(publish) if is_up && publish.payload.starts_with(b"online"))
    };
    // The five first connections, then the three that came back: the last birth of one of the others, which
    // comes back once, in the drain.
    let judgement = run_tampered(
        SCENARIO,
        once(12, is_birth, |passing, tampered| {
            let Packet::Publish(publish) = passing.packet else {
                unreachable!("it was chosen");
            };
            let mut changed = publish.clone();
            changed.retain = false;
            tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        }),
    );

    assert_broken(&judgement, &["retained(status/+).equals"]);
}
