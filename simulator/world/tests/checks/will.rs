//! `will`: missing, doubled, after a polite goodbye, too late, without any end.

use std::time::Duration;

use squall_protocol::{
    Instant, QoS,
    packet::{Packet, Publish, PublishProperties},
};
use squall_run::{ClaimResult, LagShare, MetricName, Tags};
use squall_world::Direction;

use crate::run::{assert_broken, on_network, run, run_in, run_tampered};
use crate::tampering::{Outcome, delay_it, drop_it, is_to, once, publish_bytes, script, topic};

/// Doors that crash have wills, doors that say goodbye have none.
const SCENARIO: &str = r#"
[run]
duration = "6s"
drain = "6s"
[[group]]
name = "doors"
count = 10
client_id = "door-{index}"
keep_alive = "2s"
[group.will]
topic = "status/{client_id}"
payload = { text = "offline" }
qos = 1
retain = true
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "status/+"
qos = 1
[[fault]]
name = "goodbye"
at = "1s"
group = "doors"
select = { count = 3 }
action = "disconnect"
[[fault]]
name = "crash"
at = "2s"
group = "doors"
select = { count = 3 }
action = "drop"
how = "rst"
[[fault]]
name = "power-cut"
at = "2s"
group = "doors"
select = { count = 2 }
action = "drop"
how = "silent"

[[expect]]
check = "will"
after = ["crash"]
exactly = 1
[[expect]]
check = "will"
after = ["power-cut"]
exactly = 1
[[expect]]
check = "will"
after = ["crash"]
within = { rst = "500ms" }
[[expect]]
check = "will"
after = ["power-cut"]
within = { silent = "4s" }
[[expect]]
check = "will"
after = ["goodbye"]
exactly = 0
[[expect]]
check = "retained"
filter = "status/+"
equals = "last_will"
"#;

const WATCHER: &str = "watcher-0";

fn is_will(passing: &squall_world::Passing<'_>) -> bool {
    is_to(passing, WATCHER, "status")
}

/// Without tampering every claim holds, and wills were counted for each.
#[test]
fn every_claim_holds_with_an_honest_broker() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let seen: Vec<(&str, u64, u64)> = judgement
        .measured
        .wills
        .iter()
        .map(|will| (will.how.as_str(), will.ended, will.seen))
        .collect();
    assert_eq!(
        seen,
        [("disconnect", 3, 0), ("rst", 3, 3), ("silent", 2, 2)]
    );
}

/// The generator stood still for longer than the limit right after the drops: the wills had come in
/// time and were read too late. The limit is the broker's and holds; the time as the generator saw it
/// has its lag in it.
#[test]
fn a_will_that_waits_to_be_read_is_not_late() {
    let honest = run(SCENARIO);
    let mut faults = honest.measured.faults.iter();
    let crash = faults
        .find(|fault| fault.name == "crash")
        .expect("it struck");
    let after_crash = Instant::ZERO + Duration::from_secs_f64(crash.at_s) + Duration::from_nanos(1);

    let judgement = run_in(SCENARIO, |world| {
        world.with_standstill(after_crash, Duration::from_millis(700))
    });

    assert_broken(&judgement, &[]);
    let of_resets = Tags::from([("how".to_owned(), "rst".to_owned())]);
    let metrics = &judgement.measured.metrics;
    let share = LagShare::of_quantile(metrics, MetricName::TimeToWill, &of_resets, 0.5)
        .expect("wills were seen");
    assert!(share.measured_us > 600_000, "{share:?}");
    assert!(share.less_lag_us < 1_000, "{share:?}");
}

/// A reset that the device's own link holds back is not the broker's delay: the time to the will, and
/// its limit of 500 ms, count from when the reset left the link.
#[test]
fn a_reset_that_the_link_holds_back_makes_no_will_late() {
    let far = on_network(SCENARIO, "doors", "far");

    let judgement = run(&format!(
        "{far}[[network]]\nname = \"far\"\nlatency = \"700ms\"\n"
    ));

    assert_broken(&judgement, &[]);
    let of_resets = Tags::from([("how".to_owned(), "rst".to_owned())]);
    let metrics = &judgement.measured.metrics;
    let share = LagShare::of_quantile(metrics, MetricName::TimeToWill, &of_resets, 0.5)
        .expect("wills were seen");
    assert!(share.measured_us < 10_000, "{share:?}");
}

/// [MQTT-3.1.2-8]: a connection that ends without DISCONNECT has its will published.
#[test]
fn a_will_that_never_comes_is_missing() {
    let judgement = run_tampered(SCENARIO, once(0, is_will, drop_it));

    // What never came did not come in time either.
    assert_broken(
        &judgement,
        &["will(crash).exactly", "will(crash).within.rst"],
    );
}

/// The run ends before the broker must have noticed: a will that has not come by then may come still.
/// A claim that hangs on it is not judged, however many of the others were seen; a limit of the
/// scenario's own says that it is missing.
#[test]
fn a_will_that_could_come_still_is_not_judged() {
    // Without the check of retained messages, which takes its time after the drain.
    let (claims, _) = SCENARIO.rsplit_once("[[expect]]").expect("it has claims");
    let hurried = claims
        .replace("duration = \"6s\"", "duration = \"4s\"")
        .replace("drain = \"6s\"", "drain = \"2s\"");
    let honest = run(&hurried);

    for (what, number) in [("one", Some(0)), ("all", None)] {
        let mut seen = 0;
        let tamper = script(move |passing, _| {
            let is_chosen = is_will(passing) && number.is_none_or(|number| number == seen);
            seen += usize::from(is_will(passing));
            if is_chosen {
                Outcome::Done
            } else {
                Outcome::Pass
            }
        });

        let judgement = run_tampered(&hurried, tamper);

        let exactly = &judgement.measured.checks[0].claims[0];
        assert_eq!((exactly.passed, &exactly.actual), (false, &None), "{what}");
        let why = exactly.unjudged.as_deref().unwrap_or_default();
        assert!(why.contains("of 3 wills had not come"), "{what}: {why}");
        assert!(why.contains("run.drain"), "{what}: {why}");
        let within = &judgement.measured.checks[2].claims[0];
        assert!(!within.passed && within.actual.is_some(), "{within:?}");
        let resets = &judgement.measured.wills[1];
        assert_eq!(resets.expected, 3, "{resets:?}");
        assert_eq!(resets.seen + resets.missing + resets.undecided, 3);
    }
    assert_broken(&honest, &[]);
}

/// One connection, one will (§3.1.2.5).
#[test]
fn a_will_that_comes_twice_is_doubled() {
    let tamper = once(1, is_will, |passing, tampered| {
        tampered.forward(passing.direction, passing.bytes);
        tampered.forward(passing.direction, passing.bytes);
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["will(crash).exactly"]);
}

/// A second one does not pass for a copy out of the store: the watcher had subscribed before
/// [MQTT-3.3.1-12].
#[test]
fn a_will_that_comes_again_with_retain_is_doubled() {
    let tamper = once(1, is_will, |passing, tampered| {
        tampered.forward(passing.direction, passing.bytes);
        let Packet::Publish(publish) = passing.packet else {
            unreachable!("only wills are chosen");
        };
        let again = Publish {
            qos: QoS::AtMostOnce,
            packet_id: None,
            retain: true,
            ..publish.clone()
        };
        tampered.forward(passing.direction, &publish_bytes(&again, passing.version));
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["will(crash).exactly"]);
}

/// [MQTT-3.14.4-3]: a normal DISCONNECT deletes the will.
#[test]
fn a_will_after_a_polite_goodbye_is_found() {
    let mut polite: Option<String> = None;
    let tamper = script(move |passing, tampered| {
        let is_goodbye = passing.direction == Direction::ToBroker
            && passing.client_id.starts_with("door")
            && matches!(passing.packet, Packet::Disconnect(_));
        if is_goodbye {
            polite.get_or_insert_with(|| format!("status/{}", passing.client_id));
        }
        if is_will(passing)
            && let Some(name) = polite.take_if(|name| !name.is_empty())
        {
            tampered.forward(passing.direction, &will_bytes(&name, passing.version));
            polite = Some(String::new());
        }
        Outcome::Pass
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["will(goodbye).exactly"]);
}

/// `within` counts from the end of the connection.
#[test]
fn a_will_that_dawdles_is_late() {
    let is_last_of_crash = |passing: &squall_world::Passing<'_>| is_will(passing);
    let tamper = once(2, is_last_of_crash, delay_it(Duration::from_millis(600)));

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["will(crash).within.rst"]);
}

/// A will of a connection that has not ended breaks every claim of exactness: it belongs to no
/// fault (§3.1.2.5).
#[test]
fn a_will_without_an_end_is_found() {
    let tamper = once(
        0,
        |passing| {
            passing.client_id == WATCHER
                && passing.direction == Direction::ToDevice
                && matches!(passing.packet, Packet::Suback(_))
        },
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.forward(
                passing.direction,
                &will_bytes("status/door-0", passing.version),
            );
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(
        &judgement,
        &[
            "will(crash).exactly",
            "will(power-cut).exactly",
            "will(goodbye).exactly",
        ],
    );
}

/// A claim about a fault that hit no device is not judged: nothing happened that could break it.
#[test]
fn a_claim_about_nothing_is_not_judged() {
    let tamper = script(|passing, _| {
        if passing.client_id.starts_with("door") {
            Outcome::Done
        } else {
            Outcome::Pass
        }
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert!(!judgement.measured.checks.is_empty());
    for check in &judgement.measured.checks {
        let result = check.claims[0].result();
        assert_eq!(result, ClaimResult::NotJudged, "{check:#?}");
    }
}

fn will_bytes(name: &str, version: squall_protocol::Version) -> Vec<u8> {
    let publish = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: topic(name),
        packet_id: None,
        properties: PublishProperties::default(),
        payload: b"offline",
    };
    publish_bytes(&publish, version)
}

/// On the connection that had it already, DUP does not make a second will the first
/// [MQTT-4.4.0-1].
#[test]
fn a_will_doubled_with_dup_is_found() {
    let tamper = once(
        0,
        |passing| is_to(passing, WATCHER, "status"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            let Packet::Publish(publish) = passing.packet else {
                unreachable!("chosen by its topic");
            };
            let mut again = publish.clone();
            again.dup = true;
            tampered.forward(passing.direction, &publish_bytes(&again, passing.version));
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    let broken = crate::run::broken(&judgement);
    assert!(
        broken.iter().all(|claim| claim.ends_with(".exactly")) && broken.len() == 1,
        "{broken:?}"
    );
}

/// A watcher that subscribes between a silent drop and its will sees that, and need not have: the table counts it apart,
/// and together with those that were due there are as many as there are times.
#[test]
fn a_will_that_a_late_watcher_sees_is_counted_apart() {
    let late = "[[group]]\nname = \"late\"\ncount = 4\nstart = \"3s\"\n[[group.subscribe]]\nfilter = \"status/+\"\nqos = 1\n\
                [[fault]]\nname = \"goodbye\"";
    let scenario = SCENARIO.replacen("[[fault]]\nname = \"goodbye\"", late, 1);

    let measured = run(&scenario).measured;

    let cut = measured
        .wills
        .iter()
        .find(|will| will.how == "silent")
        .expect("there is one");
    // One watcher was there from the beginning; retained wills of the crash come to the others from the store.
    assert_eq!((cut.expected, cut.seen, cut.optional), (2, 2, 8));
    let tags = Tags::from([("how".to_owned(), "silent".to_owned())]);
    let times = measured.metrics.select(MetricName::TimeToWill, &tags);
    assert_eq!(times.count(), cut.seen + cut.optional);
}
