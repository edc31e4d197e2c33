//! `network`: links that do not behave as configured.

use std::time::Duration;

use squall_protocol::packet::Packet;
use squall_run::Value;

use crate::run::{assert_broken, broken, run, run_tampered};
use crate::tampering::{Outcome, script};

/// Devices on a link with every kind of trouble.
const SCENARIO: &str = r#"
[run]
duration = "60s"
drain = "10s"
[[network]]
name = "mobile"
latency = { dist = "lognormal", median = "40ms", p99 = "200ms" }
jitter = { dist = "uniform", min = "0ms", max = "10ms" }
loss = { model = "gilbert_elliott", good_to_bad = 0.01, bad_to_good = 0.3 }
bandwidth = { up = "256kbit/s", down = "1mbit/s" }
outages = { every = { dist = "exponential", mean = "10s" }, lasts = "500ms" }
[[group]]
name = "sensors"
count = 100
network = "mobile"
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 100
[[expect]]
check = "network"
profile = "mobile"
tolerance = 0.1
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

/// The simulator keeps what it is configured to do.
#[test]
fn every_claim_holds_on_an_honest_link() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let claims = &judgement.measured.checks[0].claims;
    assert_eq!(claims.len(), 10, "{claims:#?}");
    assert_eq!(judgement.measured.networks.len(), 2);
}

/// A p99 with fewer than ten samples beyond it is not claimed, and its row says how many it takes.
/// What is judged says its range, with tolerance and chance apart.
#[test]
fn a_tail_with_too_few_samples_is_shown_and_not_judged() {
    let judgement = run(r#"
[run]
duration = "10s"
drain = "5s"
[[network]]
name = "mobile"
latency = { dist = "lognormal", median = "40ms", p99 = "200ms" }
[[group]]
name = "sensors"
count = 30
network = "mobile"
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 5
[[expect]]
check = "network"
profile = "mobile"
tolerance = 0.1
"#);

    assert_broken(&judgement, &[]);
    let claims = &judgement.measured.checks[0].claims;
    let median = claims.iter().find(|claim| claim.key == "latency p50 up");
    let median = median.expect("the median is judged");
    assert_eq!(median.limit, Value::Seconds(0.040));
    let range = median.range.as_ref().expect("a figure has a range");
    assert_eq!(range.asked, Value::Seconds(0.040));
    assert_eq!(
        [&range.at_least, &range.at_most].map(ToString::to_string),
        ["36.0 ms", "44.0 ms"]
    );
    assert!(matches!(range.chance, Value::Ratio(share) if share > 0.0 && share < 0.2));
    assert_eq!(range.quantile, Some(0.5));
    assert!(claims.iter().all(|claim| !claim.key.contains("p99")));
    let figures = &judgement.measured.networks[0].figures;
    let tail = figures
        .iter()
        .find(|figure| figure.name == "latency p99 up");
    let tail = tail.expect("the tail is shown");
    assert_eq!((tail.samples_needed, tail.is_judged()), (1_000, false));
}

/// A broker that takes its time for a CONNACK, to check a password, leaves the link as it is configured.
#[test]
fn a_broker_that_is_slow_to_connect_leaves_the_link_on_profile() {
    let tamper = script(|passing, tampered| {
        let Packet::Connack(_) = passing.packet else {
            return Outcome::Pass;
        };
        tampered.forward_after(Duration::from_millis(80), passing.direction, passing.bytes);
        Outcome::Done
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &[]);
    let figures = &judgement.measured.networks[0].figures;
    let round_trip = figures
        .iter()
        .find(|figure| figure.name == "round trip p50");
    assert!(round_trip.is_some_and(|figure| figure.samples >= 100));
}

/// Devices that never get a CONNACK have no round trip to compare: the claim does not hold.
#[test]
fn a_link_without_round_trips_proves_nothing() {
    let tamper = script(|_, _| Outcome::Done);
    let scenario = SCENARIO.replace("duration = \"60s\"", "duration = \"2s\"");

    let judgement = run_tampered(&scenario, tamper);

    let broken = broken(&judgement);
    let claim = "network(mobile, 10.0 %).round trip p50";
    assert!(broken.iter().any(|name| name == claim), "{broken:?}");
}
