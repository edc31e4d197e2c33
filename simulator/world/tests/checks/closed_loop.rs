//! `arrival = { window = … }`: devices publish as fast as the broker answers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use squall_ledger::Judgement;
use squall_protocol::packet::Packet;
use squall_run::{MetricName, Tags};
use squall_world::Direction;

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{Outcome, delay_it, once, script};

/// Two devices whose answers take 20 ms: a window of 5 is 250 messages a second of each.
const SCENARIO: &str = r#"
[run]
duration = "2s"
drain = "1s"
[[network]]
name = "lan"
latency = "10ms"
[[group]]
name = "pumps"
count = 2
network = "lan"
EXTRA
[[group.publish]]
topic = "t/{client_id}"
qos = QOS
arrival = { window = 5 }
STREAM
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 2
FAULT
[[expect]]
check = "delivery"
lost = 0
reordered = 0
duplicated = 0
"#;

fn scenario(qos: u8, extra: &str, stream: &str, fault: &str) -> String {
    SCENARIO
        .replace("QOS", &qos.to_string())
        .replace("EXTRA", extra)
        .replace("STREAM", stream)
        .replace("FAULT", fault)
}

fn sent(judgement: &Judgement) -> u64 {
    let publications = judgement.measured.accounting.publications.iter();
    publications.map(|entry| entry.sent).sum()
}

/// The window over the round trip, at QoS 1; QoS 2 takes two round trips.
#[test]
fn the_throughput_is_the_window_over_the_time_to_the_answer() {
    for (qos, expected) in [(1, 1_000_u64), (2, 500)] {
        let judgement = run(&scenario(qos, "", "", ""));

        assert_broken(&judgement, &[]);
        let sent = sent(&judgement);
        assert!(sent.abs_diff(expected) <= 20, "QoS {qos}: {sent}");
        let latency = judgement.measured.metrics.all(MetricName::AckLatency);
        assert!(
            latency.max_us().is_some_and(|max| max < 45_000),
            "{latency:?}"
        );
        let note = &judgement.measured.closed_loop_note().expect("there is one");
        assert!(note.contains("at most 5 unanswered"), "{note}");
    }
}

/// No device ever has more unanswered messages than its window.
#[test]
fn no_more_are_unanswered_than_the_window_has() {
    let open: Rc<RefCell<BTreeMap<String, i32>>> = Rc::default();
    let most = Rc::new(RefCell::new(0));
    let (seen, highest) = (Rc::clone(&open), Rc::clone(&most));
    let tamper = script(move |passing, _| {
        if passing.client_id.starts_with("pumps-") {
            let change = match (passing.direction, passing.packet) {
                (Direction::ToBroker, Packet::Publish(_)) => 1,
                (Direction::ToDevice, Packet::Puback(_)) => -1,
                _ => 0,
            };
            let mut open = seen.borrow_mut();
            let count = open.entry(passing.client_id.to_owned()).or_default();
            *count += change;
            let mut highest = highest.borrow_mut();
            *highest = (*highest).max(*count);
        }
        Outcome::Pass
    });

    let judgement = run_tampered(&scenario(1, "", "", ""), tamper);

    assert_broken(&judgement, &[]);
    assert_eq!(*most.borrow(), 5);
}

/// A broker that takes half a second for one answer has that many messages fewer, and no lag of the generator.
#[test]
fn a_slow_answer_costs_throughput_and_is_no_lag() {
    let tamper = once(
        100,
        |passing| matches!(passing.packet, Packet::Puback(_)),
        delay_it(Duration::from_millis(500)),
    );

    let judgement = run_tampered(&scenario(1, "", "", ""), tamper);

    assert_broken(&judgement, &[]);
    let sent = sent(&judgement);
    assert!((850..=900).contains(&sent), "{sent}");
    let tags = Tags::from([("group".to_owned(), "pumps".to_owned())]);
    let lag = judgement
        .measured
        .metrics
        .select(MetricName::ScheduleLag, &tags);
    // Their connects, at most.
    assert!(lag.count() <= 2, "{}", lag.count());
}

/// `start`, `until` and `count` bound a closed loop as they bound a schedule.
#[test]
fn a_closed_loop_keeps_to_its_time_and_its_count() {
    let counted = run(&scenario(1, "", "count = 10", ""));
    let timed = run(&scenario(1, "", "start = \"500ms\"\nuntil = \"1s\"", ""));

    assert_broken(&counted, &[]);
    assert_eq!(sent(&counted), 20);
    assert_broken(&timed, &[]);
    let sent = sent(&timed);
    assert!(sent.abs_diff(250) <= 10, "{sent}");
}

/// A connection that ends takes its unanswered messages out of the window, or keeps them for the next one.
#[test]
fn a_closed_loop_goes_on_after_a_reconnect() {
    let fault = "[[fault]]\nevery = \"400ms\"\ngroup = \"pumps\"\naction = \"drop\"\nhow = \"rst\"";
    let comes_back = "reconnect = { when = \"always\", backoff = \"50ms\" }";
    let persistent = format!("{comes_back}\nclean_start = false\nsession_expiry = \"1m\"");
    for (qos, extra) in [
        (1, comes_back),
        (2, comes_back),
        (1, persistent.as_str()),
        (2, persistent.as_str()),
    ] {
        for seed in 0..8 {
            let text = scenario(qos, extra, "", fault);
            let scenario = harness::scenario(&format!("seed = {seed}\n{text}"));

            let judgement = squall_world::run(&scenario, broker(), None);

            let anomalies = &judgement.measured.anomalies;
            assert_ne!(
                verdict(&judgement).exit_code,
                98,
                "seed {seed}: {anomalies:#?}"
            );
            assert_eq!(judgement.measured.accounting.balance(), 0);
            let sent = sent(&judgement);
            assert!(sent > 250, "QoS {qos}, {extra}: {sent}");
        }
    }
}
