//! What excuses a missing or second message excuses no more than that: beside each thing that a scenario does, a broker
//! that breaks the same promise without that reason is found.

use squall_ledger::Judgement;
use squall_protocol::{PacketId, QoS, packet::Publish};

use crate::run::{assert_broken, broken, run, run_tampered, verdict};
use crate::tampering::{Outcome, is_to, once, publish_bytes, script, to_device};

/// A device that publishes at QoS 0 and goes by RST every other second.
const COMING_AND_GOING: &str = r#"
[run]
duration = "20s"
[[group]]
name = "abrupt"
count = 1
availability = { up = "2s", down = "500ms", how = "rst" }
[[group.publish]]
topic = "a"
rate = 40
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "a"
[[expect]]
check = "delivery"
qos = 0
lost = 0
"#;

/// What a connection that is lost may have taken with it is the end of what was sent on it: what a later message of the
/// same publisher has overtaken was with the broker.
#[test]
fn a_publisher_that_is_cut_off_hides_no_loss_before() {
    assert_broken(&run(COMING_AND_GOING), &[]);

    let judgement = run_tampered(COMING_AND_GOING, drops_every_tenth());

    assert_broken(&judgement, &["delivery(0).lost"]);
    let deliveries = judgement.measured.accounting.deliveries_at(0);
    let found = (deliveries.expected, deliveries.lost, deliveries.excused);
    assert_eq!(found, (640, 56, 8));
}

/// A device publishes to one topic at QoS 0 and 1, and never sends anything twice.
const TWO_LEVELS: &str = r#"
[run]
duration = "4s"
[[group]]
name = "sensor"
count = 1
[[group.publish]]
topic = "a"
rate = 40
[[group.publish]]
topic = "a"
qos = 1
rate = 40
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "a"
[[expect]]
check = "delivery"
duplicated = 0
"#;

/// What comes again to a subscription at QoS 0 is excused where its publisher may have sent it again, and only there.
#[test]
fn two_levels_on_one_topic_hide_no_second_copy() {
    assert_broken(&run(TWO_LEVELS), &[]);

    let mut seen = 0;
    let twice = script(move |passing, tampered| {
        if !is_to(passing, "reader-0", "a") {
            return Outcome::Pass;
        }
        seen += 1;
        if seen % 10 == 0 {
            tampered.forward(passing.direction, passing.bytes);
        }
        Outcome::Pass
    });
    let judgement = run_tampered(TWO_LEVELS, twice);

    assert_broken(&judgement, &["delivery().duplicated"]);
}

/// A reader whose clean Session ends with each of its connections.
const SHORT_SESSIONS: &str = r#"
[run]
duration = "20s"
[[group]]
name = "sensor"
count = 1
[[group.publish]]
topic = "a"
rate = 40
qos = 1
[[group]]
name = "reader"
count = 1
availability = { up = "2s", down = "500ms", how = "rst" }
[[group.subscribe]]
filter = "a"
qos = 1
[[expect]]
check = "delivery"
qos = 1
lost = 0
"#;

/// A Session that ends takes with it what was on its way: not what a later message on the same connection has overtaken.
#[test]
fn a_session_that_ends_hides_no_loss_before() {
    assert_broken(&run(SHORT_SESSIONS), &[]);

    let judgement = run_tampered(SHORT_SESSIONS, drops_every_tenth());

    assert_broken(&judgement, &["delivery(1).lost"]);
    let deliveries = judgement.measured.accounting.deliveries_at(1);
    assert!(deliveries.lost > 40, "{deliveries:?}");
}

/// A device that leaves for good, and its Session stays.
const LEAVES: &str = "clean_start = false\nsession_expiry = \"5m\"\nleave = \"10s\"";

/// What a later message had overtaken before a device left for good is lost, whether its Session lives on or not.
#[test]
fn a_device_that_leaves_hides_no_loss_before() {
    for leaves in [LEAVES, &LEAVES.replace("5m", "2s")] {
        let stays = "availability = { up = \"2s\", down = \"500ms\", how = \"rst\" }";
        let text = SHORT_SESSIONS.replace(stays, leaves);

        assert_broken(&run(&text), &[]);
        let judgement = run_tampered(&text, drops_every_tenth());

        assert_broken(&judgement, &["delivery(1).lost"]);
        let deliveries = judgement.measured.accounting.deliveries_at(1);
        assert!(deliveries.lost > 35, "{leaves}: {deliveries:?}");
    }
}

/// A message that expires while its recipient is connected, and did not come before that, is lost, also where the recipient
/// is away later: that excuses what expires then.
#[test]
fn a_recipient_that_is_away_later_hides_no_loss_of_what_expired_before() {
    let stays = "availability = { up = \"2s\", down = \"500ms\", how = \"rst\" }";
    let kept = format!("clean_start = false\nsession_expiry = \"5m\"\n{stays}");
    let text = SHORT_SESSIONS.replace(stays, &kept).replace(
        "qos = 1\n[[group]]",
        "qos = 1\nmessage_expiry = \"1s\"\n[[group]]",
    );
    assert_broken(&run(&text), &[]);

    let judgement = run_tampered(&text, drops_every_tenth());

    assert_broken(&judgement, &["delivery(1).lost"]);
    let deliveries = judgement.measured.accounting.deliveries_at(1);
    assert!(deliveries.lost > 25, "{deliveries:?}");
}

/// What was under way for long when its Session ended is not taken for queued: a broker that passes nothing on does not
/// hold the claim because no later message shows it.
#[test]
fn sessions_that_end_do_not_excuse_what_was_late() {
    for ends in [
        LEAVES,
        &LEAVES.replace("5m", "2s"),
        "availability = { up = \"2s\", down = \"500ms\", how = \"rst\" }",
        "availability = { up = \"2s\", down = \"500ms\" }",
    ] {
        let text = SHORT_SESSIONS.replace(
            "availability = { up = \"2s\", down = \"500ms\", how = \"rst\" }",
            ends,
        );
        let deaf = script(|passing, _| match is_to(passing, "reader-0", "a") {
            true => Outcome::Done,
            false => Outcome::Pass,
        });
        let late = |judgement: &Judgement| {
            let deliveries = judgement.measured.accounting.deliveries_at(1);
            let late = deliveries
                .excuses
                .get("recipient left long after it was sent");
            late.copied().unwrap_or_default()
        };

        let honest = run(&text);
        let judgement = run_tampered(&text, deaf);

        assert_broken(&honest, &[]);
        assert_eq!(broken(&judgement), ["delivery(1).lost"]);
        assert_eq!(late(&honest), 0, "{ends}");
        assert!(late(&judgement) > 300, "{ends}: {}", late(&judgement));
        assert_ne!(verdict(&judgement).outcome, squall_run::Outcome::Pass);
    }
}

/// A reader that asks for the same messages by itself and as a member of a shared subscription, beside another member.
const TWO_WAYS: &str = r#"
[run]
duration = "4s"
[[group]]
name = "sensor"
count = 1
[[group.publish]]
topic = "a"
qos = 1
rate = 40
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "a"
qos = 1
[[group.subscribe]]
filter = "$share/s/a"
qos = 1
[[group]]
name = "other"
count = 1
[[group.subscribe]]
filter = "$share/s/a"
qos = 1
[[expect]]
check = "delivery"
qos = 1
lost = 0
[[expect]]
check = "delivery"
qos = 1
duplicated = 0
"#;

/// Of a Session with two ways it cannot be seen for which a copy is; how many must come can.
#[test]
fn two_ways_of_one_session_hide_no_loss() {
    assert_broken(&run(TWO_WAYS), &[]);

    let judgement = run_tampered(TWO_WAYS, drops_every_tenth());

    assert_broken(&judgement, &["delivery(1).lost"]);
}

/// Nor is one copy more than there are ways for.
#[test]
fn two_ways_of_one_session_hide_no_further_copy() {
    let mut seen = 0;
    let thrice = script(move |passing, tampered| {
        if !is_to(passing, "reader-0", "a") {
            return Outcome::Pass;
        }
        seen += 1;
        if seen % 10 == 0 {
            for _ in 0..2 {
                tampered.forward(passing.direction, passing.bytes);
            }
        }
        Outcome::Pass
    });

    let judgement = run_tampered(TWO_WAYS, thrice);

    let broken = broken(&judgement);
    assert!(
        broken.contains(&"delivery(1).duplicated".to_owned()),
        "{broken:?}"
    );
}

/// A reader with two ways to the same messages, alone in its shared subscription.
const TWO_WAYS_ALONE: &str = r#"
[run]
duration = "4s"
[[group]]
name = "sensor"
count = 1
[[group.publish]]
topic = "a"
qos = 1
rate = 40
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "a"
qos = 1
[[group.subscribe]]
filter = "$share/s/a"
qos = 1
[[expect]]
check = "delivery"
qos = 1
duplicated = 0
"#;

/// So it is where no other member can have had a copy: three of a message are one more than the two ways allow.
#[test]
fn two_ways_of_the_only_member_hide_no_further_copy() {
    assert_broken(&run(TWO_WAYS_ALONE), &[]);

    let mut seen = 0;
    let once_more = script(move |passing, tampered| {
        if !is_to(passing, "reader-0", "a") {
            return Outcome::Pass;
        }
        seen += 1;
        if seen % 10 == 0 {
            tampered.forward(passing.direction, passing.bytes);
        }
        Outcome::Pass
    });
    let judgement = run_tampered(TWO_WAYS_ALONE, once_more);

    assert_broken(&judgement, &["delivery(1).duplicated"]);
    let deliveries = judgement.measured.accounting.deliveries_at(1);
    assert_eq!(deliveries.forbidden, 32, "{deliveries:?}");
}

/// Two devices of one Session that publish at QoS 2: the second takes the Session over at the start, for good.
const MOVED_ONCE: &str = r#"
[run]
duration = "6s"
[[group]]
name = "twins"
count = 2
client_id = "twin"
clean_start = false
session_expiry = "5m"
reconnect = { when = "never" }
[[group.publish]]
topic = "a"
qos = 2
rate = 40
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "a"
qos = 2
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
"#;

/// Which Packet Identifiers another device had in use explains what was sent until it went, not the order for the rest of
/// the run.
#[test]
fn a_session_that_moved_once_hides_no_later_disorder() {
    assert_broken(&run(MOVED_ONCE), &[]);

    let mut seen = 0;
    let mut held = None;
    let swaps = script(move |passing, tampered| {
        if !is_to(passing, "reader-0", "a") {
            return Outcome::Pass;
        }
        seen += 1;
        if seen % 10 == 5 {
            held = Some(passing.bytes.to_vec());
            return Outcome::Done;
        }
        if let Some(held) = held.take() {
            tampered.forward(passing.direction, passing.bytes);
            tampered.forward(passing.direction, &held);
            return Outcome::Done;
        }
        Outcome::Pass
    });
    let judgement = run_tampered(MOVED_ONCE, swaps);

    assert_broken(&judgement, &["delivery(2).reordered"]);
}

/// Nor do they explain a second copy.
#[test]
fn a_session_that_moved_once_hides_no_later_copy() {
    let twice = once(
        100,
        |passing| is_to(passing, "reader-0", "a"),
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
    let judgement = run_tampered(MOVED_ONCE, twice);

    let broken = broken(&judgement);
    assert!(
        broken.contains(&"delivery(2).duplicated".to_owned()),
        "{broken:?}"
    );
}

/// Nor does the move explain a loss where the first device had nothing open when it went.
#[test]
fn a_session_that_moved_once_hides_no_later_loss() {
    let judgement = run_tampered(MOVED_ONCE, drops_every_tenth());

    assert_broken(&judgement, &["delivery(2).lost"]);
}

/// A broker that forgets every tenth message to the reader.
fn drops_every_tenth() -> impl squall_world::Tamper {
    let mut seen = 0;
    script(move |passing, _| {
        if !is_to(passing, "reader-0", "a") {
            return Outcome::Pass;
        }
        seen += 1;
        match seen % 10 {
            0 => Outcome::Done,
            _ => Outcome::Pass,
        }
    })
}
