//! The simulated link between a device and the broker is the scenario's: the broker is charged with
//! nothing of it.

use std::num::NonZeroU16;
use std::time::Duration;

use squall_core::Config;
use squall_ledger::Judgement;
use squall_protocol::Instant;
use squall_run::{CountedFrom, MetricName, Tags};
use squall_world::{PIPE_LATENCY, Tamper};

use crate::harness;
use crate::run::{assert_broken, on_network, run, run_tampered, scenario};
use crate::tampering::{Outcome, delay_it, is_to, once, script};

/// Doors crash, and a watcher sees their wills.
const CRASHES: &str = r#"
[run]
duration = "6s"
drain = "8s"
[[network]]
name = "far"
latency = "700ms"
[[network]]
name = "flaky"
latency = "1ms"
outages = { every = "1500ms", lasts = "2s" }
[[group]]
name = "doors"
count = 20
client_id = "door-{index}"
keep_alive = "20s"
[group.will]
topic = "status/{client_id}"
payload = { text = "offline" }
qos = 1
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "status/+"
qos = 1
[[fault]]
name = "crash"
at = "2s"
group = "doors"
select = { count = 10 }
action = "drop"
how = "rst"
[[fault]]
name = "odd-goodbye"
at = "4s"
group = "doors"
select = { count = 10 }
action = "disconnect"
reason = "with_will"
[[expect]]
check = "will"
after = ["crash"]
exactly = 1
[[expect]]
check = "will"
after = ["crash"]
within = { rst = "500ms" }
[thresholds]
"time_to_will" = ["max < 500ms"]
"#;

/// The same with both behind links.
fn far_crashes(doors: &str) -> String {
    on_network(&on_network(CRASHES, "doors", doors), "watcher", "far")
}

/// The RST of a door, and the will on its way to the watcher, wait in links for longer than the limit.
#[test]
fn a_link_makes_no_will_late() {
    for text in [
        on_network(CRASHES, "doors", "far"),
        on_network(CRASHES, "watcher", "far"),
        far_crashes("flaky"),
    ] {
        let judgement = run(&text);

        assert_broken(&judgement, &[]);
        assert!(judgement.measured.thresholds.iter().all(|t| t.passed()));
        let to_will = judgement
            .measured
            .metrics
            .select(MetricName::TimeToWill, &Tags::new());
        // A pipe to the broker and one back.
        assert_eq!(
            to_will.max_us(),
            Some((2 * PIPE_LATENCY).as_micros() as u64)
        );
    }
}

/// What the devices saw stands beside the time that is judged: two ways of 700 ms.
#[test]
fn the_time_to_a_will_with_the_links_stands_beside_the_one_without() {
    let judgement = run(&far_crashes("far"));

    let metrics = &judgement.measured.metrics;
    let with_links =
        metrics.select_counted_from(MetricName::TimeToWill, CountedFrom::WithLinks, &Tags::new());
    let without = metrics.select(MetricName::TimeToWill, &Tags::new());
    assert_eq!(with_links.count(), without.count());
    let links = with_links.max_us().zip(without.max_us());
    let links = links.map(|(with_links, without)| with_links - without);
    // Histograms keep three digits.
    assert!(
        links.is_some_and(|micros| micros.abs_diff(1_400_000) < 2_000),
        "{links:?}"
    );
}

/// A broker that is late is late over a link too.
#[test]
fn a_late_will_is_late_over_a_link() {
    let text = far_crashes("far");
    let is_will = |passing: &squall_world::Passing<'_>| is_to(passing, "watcher-0", "status");

    let judgement = run_tampered(
        &text,
        once(0, is_will, delay_it(Duration::from_millis(600))),
    );

    assert_broken(&judgement, &["will(crash).within.rst"]);
    let checks = &judgement.measured.checks;
    let late = checks.iter().flat_map(|check| &check.violations).next();
    let text = &late.expect("a violation is shown").explanation;
    assert!(
        text.contains("without what the simulated links held (2."),
        "{text}"
    );
}

/// Devices on a slow link are taken over: the CONNECT of the newer connection and the end of the older
/// one wait for longer than the limits.
const TAKEOVERS: &str = r#"
[run]
duration = "6s"
drain = "4s"
[[network]]
name = "far"
latency = "700ms"
[[group]]
name = "twins"
count = 6
network = "far"
[[fault]]
name = "twice"
every = "2s"
group = "twins"
select = { fraction = 1.0 }
action = "takeover"
[[expect]]
check = "takeover"
alive_per_client_id = 1
displaced_closed_within = "500ms"
[thresholds]
"takeover_time" = ["max < 500ms"]
"#;

/// A takeover takes as long as the broker takes for it.
#[test]
fn a_link_makes_no_takeover_late() {
    let judgement = run(TAKEOVERS);

    assert_broken(&judgement, &[]);
    let thresholds = &judgement.measured.thresholds;
    assert!(thresholds.iter().all(|t| t.passed()), "{thresholds:#?}");
    let takeovers = judgement.measured.takeovers.expect("there were some");
    assert_eq!(takeovers.displaced_closed, 18);
    // What the devices saw stands beside it: two ways of 700 ms.
    let metrics = &judgement.measured.metrics;
    let clock = CountedFrom::WithLinks;
    let with_links = metrics.select_counted_from(MetricName::TakeoverTime, clock, &Tags::new());
    assert_eq!(with_links.count(), 18);
    assert!(with_links.min_us() >= Some(1_400_000), "{with_links:?}");
}

/// Readings go to a watcher whose link is out again and again; meanwhile devices that send them crash.
const READINGS: &str = r#"
[run]
duration = "12s"
drain = "10s"
[[network]]
name = "tunnel"
latency = "150ms"
outages = { every = "4s", lasts = "3s" }
[[group]]
name = "gateways"
count = 10
client_id = "gateway-{index}"
keep_alive = "20s"
reconnect = { when = "never" }
[group.will]
topic = "status/{client_id}"
qos = 1
[[group.publish]]
topic = "readings/{client_id}"
qos = 1
rate = 60
[[group]]
name = "watcher"
count = 1
network = "tunnel"
keep_alive = "1h"
[[group.subscribe]]
filter = "status/#"
qos = 1
[[group.subscribe]]
filter = "readings/#"
qos = QOS
[[fault]]
name = "cut"
at = "6s"
group = "gateways"
select = { count = 5 }
action = "drop"
how = "rst"
[[expect]]
check = "will"
after = ["cut"]
exactly = 1
within = { rst = "1s" }
[thresholds]
"time_to_will" = ["max < 1s"]
"#;

/// A broker that leaves at most 20 messages unacknowledged, as Mosquitto does, keeps the wills while the
/// watcher's link holds the answers.
#[test]
fn answers_that_a_link_holds_make_no_will_late() {
    for qos in ["1", "2"] {
        let judgement = judge_narrow(&READINGS.replace("QOS", qos), None);

        assert_broken(&judgement, &[]);
        assert!(judgement.measured.thresholds.iter().all(|t| t.passed()));
        let metrics = &judgement.measured.metrics;
        let with_links = metrics.select_counted_from(
            MetricName::TimeToWill,
            CountedFrom::WithLinks,
            &Tags::new(),
        );
        assert!(with_links.max_us() > Some(2_000_000), "{with_links:?}");
    }
}

/// The same broker is two seconds late with a will beyond that.
#[test]
fn a_late_will_is_late_though_a_link_holds_answers() {
    let is_will = |passing: &squall_world::Passing<'_>| is_to(passing, "watcher-0", "status");
    let late = once(0, is_will, delay_it(Duration::from_secs(2)));

    let judgement = judge_narrow(&READINGS.replace("QOS", "1"), Some(Box::new(late)));

    assert_broken(&judgement, &["will(cut).within.rst"]);
}

/// A broker that sends what was published later before a will had room for it, whatever the link holds.
#[test]
fn a_will_behind_later_messages_is_late() {
    let outages = "outages = { every = \"4s\", lasts = \"3s\" }\n";
    let text = READINGS.replace("QOS", "1").replace(outages, "");
    let mut held: Option<(Instant, Vec<u8>)> = None;
    let overtake = script(move |passing, tampered| {
        if is_to(passing, "watcher-0", "status") && held.is_none() {
            held = Some((passing.now, passing.bytes.to_vec()));
            return Outcome::Done;
        }
        tampered.pass(passing);
        if let Some((since, will)) = &mut held
            && is_to(passing, "watcher-0", "readings")
            && passing.now.saturating_since(*since) > Duration::from_secs(2)
        {
            tampered.forward(passing.direction, &std::mem::take(will));
        }
        Outcome::Done
    });

    let judgement = judge_narrow(&text, Some(Box::new(overtake)));

    assert_broken(&judgement, &["will(cut).within.rst"]);
    let to_will = judgement
        .measured
        .metrics
        .select(MetricName::TimeToWill, &Tags::new());
    assert!(to_will.max_us() > Some(1_900_000), "{to_will:?}");
}

/// Runs `text` over a broker that leaves at most 20 messages to a client unacknowledged.
fn judge_narrow(text: &str, tamper: Option<Box<dyn Tamper>>) -> Judgement {
    let config = Config {
        in_flight_max: NonZeroU16::new(20).expect("20 is not 0"),
        ..Config::default()
    };
    squall_world::run(&scenario(text), harness::broker(config), tamper)
}

/// Devices with Sessions that watch each other crash together and come back after more than the limit: each
/// has the wills of the others when it is back.
#[test]
fn a_watcher_that_was_away_makes_no_will_late() {
    let judgement = run(r#"
[run]
duration = "10s"
drain = "4s"
[[group]]
name = "peers"
count = 10
client_id = "peer-{index}"
clean_start = false
session_expiry = "10m"
keep_alive = "20s"
reconnect = { when = "always", backoff = "3s" }
[group.will]
topic = "status/{client_id}"
qos = 1
[[group.subscribe]]
filter = "status/+"
qos = 1
[[fault]]
name = "cut"
at = "2s"
group = "peers"
select = { count = 5 }
action = "drop"
how = "rst"
[[expect]]
check = "will"
after = ["cut"]
exactly = 1
within = { rst = "1s" }
"#);

    assert_broken(&judgement, &[]);
    let metrics = &judgement.measured.metrics;
    let with_links =
        metrics.select_counted_from(MetricName::TimeToWill, CountedFrom::WithLinks, &Tags::new());
    assert!(with_links.max_us() > Some(2_500_000), "{with_links:?}");
}
