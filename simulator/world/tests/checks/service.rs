//! `service_latency`: how long messages took from the write, however long their devices were away before.

use std::time::Duration;

use squall_ledger::Judgement;
use squall_protocol::packet::Packet;
use squall_run::{MetricName, ThresholdResult};
use squall_world::{Direction, Passing};

use crate::run::{run, run_tampered};
use crate::tampering::{delay_it, drop_it, is_to, once};

/// Devices that are away for 2 of 6 seconds and keep what falls due meanwhile, and a reader that stays.
const SCENARIO: &str = r#"
[run]
duration = "20s"
drain = "5s"
[[group]]
name = "vans"
count = 10
clean_start = false
session_expiry = "5m"
reconnect = { when = "always", backoff = "2s" }
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 100
[[group]]
name = "reader"
count = 1
client_id = "reader"
[[group.subscribe]]
filter = "t/+"
qos = 1
[[fault]]
name = "tunnel"
every = "6s"
group = "vans"
action = "drop"
how = "fin"
[[expect]]
check = "delivery"
lost = 0
[thresholds]
"e2e_latency{group=reader}" = ["p99 < 1s"]
"service_latency{group=reader}" = ["max < 1s"]
"#;

fn results(judgement: &Judgement) -> Vec<(MetricName, ThresholdResult)> {
    let thresholds = judgement.measured.thresholds.iter();
    thresholds
        .map(|threshold| (threshold.metric, threshold.result))
        .collect()
}

/// What waits in its device counts from when it was due in one metric, and from the write in the other: both have every
/// message.
#[test]
fn an_absence_is_no_part_of_the_service_latency() {
    let judgement = run(SCENARIO);

    assert_eq!(
        results(&judgement),
        [
            (MetricName::E2eLatency, ThresholdResult::Broken),
            (MetricName::ServiceLatency, ThresholdResult::Held)
        ]
    );
    let [e2e, service] = &judgement.measured.thresholds[..] else {
        panic!("there are two conditions");
    };
    assert_eq!((e2e.samples, service.samples), (2_000, 2_000));
}

/// A broker that holds one message back is seen.
#[test]
fn a_broker_that_holds_a_message_back_breaks_the_service_latency() {
    let to_reader = |passing: &Passing<'_>| is_to(passing, "reader", "t/vans-3");
    let hold = once(50, to_reader, delay_it(Duration::from_secs(2)));

    let judgement = run_tampered(SCENARIO, hold);

    assert_eq!(
        results(&judgement)[1],
        (MetricName::ServiceLatency, ThresholdResult::Broken)
    );
}

/// A message that never reached the broker counts from the first write: until it comes after the reconnect on which it is
/// written again, or with its age if it is under way when the run ends.
#[test]
fn a_message_that_is_written_again_counts_from_the_first_write() {
    let is_sent = |passing: &Passing<'_>| {
        passing.client_id == "vans-3"
            && passing.direction == Direction::ToBroker
            && matches!(passing.packet, Packet::Publish(_))
    };
    for (number, unfinished) in [(20, 0), (197, 1)] {
        let judgement = run_tampered(SCENARIO, once(number, is_sent, drop_it));

        assert_eq!(
            results(&judgement)[1],
            (MetricName::ServiceLatency, ThresholdResult::Broken),
            "{number}"
        );
        let of_service = judgement.measured.unfinished.iter();
        let of_service = of_service.filter(|of| of.metric == MetricName::ServiceLatency);
        assert_eq!(of_service.map(|of| of.count).sum::<u64>(), unfinished);
    }
}

/// Where no threshold asks for it, it is not kept.
#[test]
fn a_run_without_such_a_threshold_keeps_no_service_latency() {
    let (scenario, _) = SCENARIO
        .split_once("\"service_latency")
        .expect("it is there");

    let judgement = run(scenario);

    let service = judgement.measured.metrics.all(MetricName::ServiceLatency);
    assert!(service.is_empty());
}
