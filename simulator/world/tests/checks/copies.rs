//! Messages whose stamp is gone, copies that nothing asks for, and DUP flags that lie.

use squall_protocol::QoS;
use squall_world::{Passing, Tampered};

use crate::run::{assert_broken, run, run_tampered};
use crate::tampering::{Outcome, is_to, once, publish_bytes, script, to_device};

/// Publishers at every QoS, and a reader.
fn scenario(target: &str, protocol: &str) -> String {
    format!(
        r#"
{target}
[run]
duration = "5s"
drain = "2s"
[[group]]
name = "a"
count = 2
[[group.publish]]
topic = "zero/{{client_id}}"
qos = 0
rate = 20
[[group.publish]]
topic = "one/{{client_id}}"
qos = 1
rate = 20
[[group.publish]]
topic = "two/{{client_id}}"
qos = 2
rate = 20
[[group]]
name = "r"
count = 1
protocol = "{protocol}"
[[group.subscribe]]
filter = "+/+"
qos = 2
[[expect]]
check = "delivery"
lost = 0
[[expect]]
check = "delivery"
duplicated = 0
[[expect]]
check = "delivery"
reordered = 0
[[expect]]
check = "delivery"
misrouted = 0
"#
    )
}

fn embedded() -> String {
    scenario("", "5.0")
}

fn garbage(passing: &Passing<'_>, tampered: &mut Tampered) {
    let mut publish = to_device(passing)
        .expect("only a PUBLISH is chosen")
        .clone();
    publish.payload = b"garbage that is long enough";
    publish.qos = QoS::AtMostOnce;
    publish.packet_id = None;
    tampered.forward(passing.direction, &publish_bytes(&publish, passing.version));
}

fn is_to_reader(topic: &'static str) -> impl Fn(&Passing<'_>) -> bool {
    move |passing| is_to(passing, "r-0", topic)
}

/// Without tampering every claim holds, in either version.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    for protocol in ["5.0", "3.1.1"] {
        assert_broken(&run(&scenario("", protocol)), &[]);
    }
}

/// In place of every message at QoS 0, or beside one at QoS 2: garbage on a topic that this run alone
/// publishes to.
#[test]
fn garbage_on_a_topic_of_this_run_is_found() {
    let in_place = script(|passing, tampered| {
        if !is_to(passing, "r-0", "zero") {
            return Outcome::Pass;
        }
        garbage(passing, tampered);
        Outcome::Done
    });
    let beside = once(3, is_to_reader("two"), |passing, tampered| {
        tampered.forward(passing.direction, passing.bytes);
        garbage(passing, tampered);
    });

    for judgement in [
        run_tampered(&embedded(), in_place),
        run_tampered(&embedded(), beside),
    ] {
        let claims = ["delivery().corrupted", "delivery().corrupted"];
        assert_broken(&judgement, &claims);
    }
}

/// On a broker that others use, it may be another client's: the claim is not judged.
#[test]
fn garbage_on_a_shared_broker_is_not_judged() {
    let shared = scenario("[target]\nurl = \"mqtt://127.0.0.1:1883\"", "5.0");
    let beside = once(3, is_to_reader("two"), |passing, tampered| {
        tampered.forward(passing.direction, passing.bytes);
        garbage(passing, tampered);
    });

    let judgement = run_tampered(&shared, beside);

    let claim = &judgement.measured.checks[3].claims[0];
    assert_eq!((claim.passed, &claim.actual), (false, &None));
    let why = claim.unjudged.as_deref().unwrap_or_default();
    assert!(why.starts_with("1 messages came without a stamp"), "{why}");
}

/// [MQTT-4.4.0-1]: on one connection a message is sent once. MQTT 3.1.1 does not forbid it, but for a copy that says that it
/// is none [3.1.1: MQTT-3.3.1-1].
#[test]
fn a_second_copy_at_qos_1_is_found() {
    let found = &["delivery().duplicated"][..];
    for (protocol, dup, broken) in [
        ("5.0", true, found),
        ("5.0", false, found),
        ("3.1.1", true, &[]),
        ("3.1.1", false, found),
    ] {
        let tamper = once(5, is_to_reader("one"), move |passing, tampered| {
            let mut copy = to_device(passing)
                .expect("only a PUBLISH is chosen")
                .clone();
            copy.dup = dup;
            tampered.forward(passing.direction, passing.bytes);
            tampered.forward(passing.direction, &publish_bytes(&copy, passing.version));
        });

        let judgement = run_tampered(&scenario("", protocol), tamper);

        assert_broken(&judgement, broken);
    }
}

/// A run with QoS 1 alone: whether a copy comes decides, where one is forbidden.
#[test]
fn with_qos_1_alone_copies_are_judged_in_5_0() {
    let scenario = |protocol: &str| {
        format!(
            r#"
[run]
duration = "5s"
[[group]]
name = "a"
count = 2
[[group.publish]]
topic = "one/{{client_id}}"
qos = 1
rate = 20
[[group]]
name = "r"
count = 1
protocol = "{protocol}"
[[group.subscribe]]
filter = "one/+"
qos = 1
[[expect]]
check = "delivery"
qos = 1
duplicated = 0
"#
        )
    };
    let twice = || {
        once(5, is_to_reader("one"), |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.forward(passing.direction, passing.bytes);
        })
    };

    assert_broken(&run(&scenario("5.0")), &[]);
    assert_broken(
        &run_tampered(&scenario("5.0"), twice()),
        &["delivery(1).duplicated"],
    );
    let unjudged = run(&scenario("3.1.1"));
    let claim = &unjudged.measured.checks[0].claims[0];
    assert_eq!((claim.passed, &claim.actual), (false, &None));
}

/// DUP says that a message was sent before [MQTT-3.3.1-1], and at QoS 0 none is [MQTT-3.3.1-2].
#[test]
fn a_first_copy_with_dup_is_found() {
    for topic in ["one", "two"] {
        let tamper = once(5, is_to_reader(topic), |passing, tampered| {
            let mut publish = to_device(passing)
                .expect("only a PUBLISH is chosen")
                .clone();
            publish.dup = true;
            tampered.forward(passing.direction, &publish_bytes(&publish, passing.version));
        });

        let judgement = run_tampered(&embedded(), tamper);

        assert_broken(&judgement, &["delivery().mislabelled"]);
    }
}
