//! Where the latency is spent: each delay is seen where it is, and nowhere else.

use std::time::Duration;

use squall_ledger::Judgement;
use squall_protocol::{Instant, packet::Packet};
use squall_run::{LatencyPart, MetricName, SpentBy, ThresholdResult};
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::run::{run, run_in, run_tampered};
use crate::tampering::{drop_it, once};

const PLAIN: &str = r#"
[run]
duration = "5s"
drain = "1s"
[[network]]
name = "far"
latency = "20ms"
[[network]]
name = "farther"
latency = "40ms"
[[group]]
name = "sensors"
count = 4
network = "far"
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 100
[[group]]
name = "reader"
count = 1
network = "farther"
[[group.subscribe]]
filter = "t/+"
qos = 1
"#;

/// Holds each PUBLISH of one direction up for a while.
#[derive(Debug)]
struct SlowWay {
    direction: Direction,
    by: Duration,
}

impl Tamper for SlowWay {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let is_slow =
            passing.direction == self.direction && matches!(passing.packet, Packet::Publish(_));
        let by = if is_slow { self.by } else { Duration::ZERO };
        tampered.forward_after(by, passing.direction, passing.bytes);
    }
}

/// The parts of the median delivery to the reader, in milliseconds.
fn parts_ms(judgement: &Judgement) -> [f64; 5] {
    let [spent] = &judgement.measured.spent[..] else {
        panic!("one group receives");
    };
    let row = spent.rows.iter().find(|row| row.of == SpentBy::Median);
    row.expect("there are 500 deliveries")
        .parts_us
        .map(|us| us / 1e3)
}

fn assert_near(actual: [f64; 5], expected: [f64; 5]) {
    for (part, (actual, expected)) in LatencyPart::ALL
        .into_iter()
        .zip(actual.into_iter().zip(expected))
    {
        let difference = actual - expected;
        assert!(
            difference.abs() < 1.0,
            "{part:?}: {actual} ms, not {expected}"
        );
    }
}

/// Links are told apart by their direction, and both from the broker.
#[test]
fn each_link_is_seen_on_its_way() {
    let both = run(PLAIN);
    let up = run(&PLAIN.replace("network = \"farther\"\n", ""));
    let down = run(&PLAIN.replace("network = \"far\"\n", ""));

    assert_near(parts_ms(&both), [0.0, 0.0, 20.0, 0.0, 40.0]);
    assert_near(parts_ms(&up), [0.0, 0.0, 20.0, 0.0, 0.0]);
    assert_near(parts_ms(&down), [0.0, 0.0, 0.0, 0.0, 40.0]);
}

/// What is slow before the broker and behind it, and is no link of the scenario, is the broker's.
#[test]
fn a_slow_broker_is_seen_in_the_broker() {
    for direction in [Direction::ToBroker, Direction::ToDevice] {
        let by = Duration::from_millis(5);

        let judgement = run_tampered(PLAIN, SlowWay { direction, by });

        assert_near(parts_ms(&judgement), [0.0, 0.0, 20.0, 5.0, 40.0]);
    }
}

/// What falls due while its publisher has no connection waits in the publisher.
#[test]
fn what_a_publisher_keeps_is_seen_there() {
    let scenario = PLAIN.replacen(
        "network = \"far\"\n",
        "network = \"far\"\nclean_start = false\nsession_expiry = \"5m\"\nreconnect = { when = \"always\", backoff = \"2s\" }\n",
        2,
    );
    let tunnel = "[[fault]]\nname = \"tunnel\"\nat = \"2s\"\ngroup = \"sensors\"\naction = \"drop\"\nhow = \"fin\"\n";

    let judgement = run(&format!("{scenario}{tunnel}"));

    let slowest = judgement.measured.spent[0]
        .rows
        .last()
        .expect("there are deliveries");
    assert_eq!(slowest.of, SpentBy::Slowest);
    let device_ms = slowest.part_us(LatencyPart::Device) / 1e3;
    assert!((1_000.0..2_200.0).contains(&device_ms), "{device_ms} ms");
    assert!(slowest.part_us(LatencyPart::Broker) < 1e3);
}

/// The longest that the broker had a message, in milliseconds, and the deliveries that are not divided.
fn broker_max_ms(judgement: &Judgement) -> (u64, u64) {
    let times = judgement.measured.metrics.all(MetricName::BrokerTime);
    let undivided = judgement.measured.spent.iter().map(|of| of.undivided);
    (
        times.max_us().expect("messages came") / 1_000,
        undivided.sum(),
    )
}

const DIRECT: &str = r#"
[run]
duration = "10s"
drain = "5s"
[[group]]
name = "sensors"
count = 4
clean_start = false
session_expiry = "5m"
reconnect = { when = "always", backoff = "2s" }
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 40
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 1
"#;

/// A message that never reached the broker on the connection that it was first sent on was not with the broker until it is
/// sent again.
#[test]
fn the_way_to_another_connection_is_not_the_brokers() {
    let is_sent = |passing: &Passing<'_>| {
        passing.client_id == "sensors-2"
            && passing.direction == Direction::ToBroker
            && matches!(passing.packet, Packet::Publish(_))
    };
    let tunnel = "[[fault]]\nname = \"tunnel\"\nat = \"6s\"\ngroup = \"sensors\"\naction = \"drop\"\nhow = \"fin\"\n";

    let judgement = run_tampered(&format!("{DIRECT}{tunnel}"), once(30, is_sent, drop_it));

    let (max_ms, undivided) = broker_max_ms(&judgement);
    assert!(max_ms < 100, "{max_ms} ms");
    assert!(undivided > 0);
}

/// What lies unread because a fault stopped its recipient is not the broker's either.
#[test]
fn what_a_recipient_does_not_read_is_not_the_brokers() {
    let stall = "[[fault]]\nname = \"deaf\"\nat = \"3s\"\nlasts = \"3s\"\ngroup = \"reader\"\naction = \"stall\"\n";

    let judgement = run(&format!("{DIRECT}{stall}"));

    let (max_ms, undivided) = broker_max_ms(&judgement);
    assert!(max_ms < 100, "{max_ms} ms");
    assert!(undivided >= 100, "{undivided}");
}

/// What a link had let pass and the generator did not release is the generator's.
#[test]
fn a_generator_that_stands_still_is_seen_in_the_generator() {
    let start = Instant::ZERO + Duration::from_millis(4_000);

    let judgement = run_in(PLAIN, |world| {
        world.with_standstill(start, Duration::from_millis(600))
    });

    let rows = &judgement.measured.spent[0].rows;
    let slowest = rows.last().expect("there are deliveries");
    let [generator, _, link_up, broker, link_down] = slowest.parts_us.map(|us| us / 1e3);
    assert!(generator > 100.0, "{slowest:?}");
    assert!(
        link_up < 21.0 && broker < 1.0 && link_down < 41.0,
        "{slowest:?}"
    );
}

/// A threshold on the broker's part is not broken by links, and is by the broker.
#[test]
fn a_threshold_on_the_broker_does_not_see_links() {
    let scenario = format!("{PLAIN}[thresholds]\nbroker_time = [\"max < 4ms\"]\n");
    let slow = SlowWay {
        direction: Direction::ToDevice,
        by: Duration::from_millis(5),
    };

    let results = [run(&scenario), run_tampered(&scenario, slow)]
        .map(|judgement| judgement.measured.thresholds[0].result);

    assert_eq!(results, [ThresholdResult::Held, ThresholdResult::Broken]);
}

/// Every delivery is divided, and the parts of each row add up to its latency.
#[test]
fn the_parts_add_up() {
    let judgement = run(PLAIN);

    let [spent] = &judgement.measured.spent[..] else {
        panic!("one group receives");
    };
    let all = judgement.measured.metrics.all(MetricName::E2eLatency);
    assert_eq!((spent.count, spent.undivided), (all.count(), 0));
    for row in &spent.rows {
        let sum: f64 = row.parts_us.iter().sum();
        assert!((sum - row.latency_us).abs() < 1e-6);
    }
    let median = all.quantile_us(0.5).expect("there are deliveries") as f64;
    assert!((spent.rows[0].latency_us - median).abs() < median / 50.0);
}
