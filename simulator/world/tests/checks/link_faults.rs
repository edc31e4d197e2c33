//! Faults of links: a partition, in which nothing passes and nothing is closed, and a change of profile.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_world::Direction;

use crate::harness;
use crate::run::{assert_broken, broker, run, run_tampered, verdict};
use crate::tampering::{Outcome, script};

/// Twenty devices that publish over links, with a Keep Alive of `ALIVE`, and one that listens without one.
const SCENARIO: &str = r#"
[run]
duration = "20s"
drain = "5s"
connect_timeout = "10s"
[[network]]
name = "lan"
latency = { dist = "uniform", min = "5ms", max = "15ms" }
[[network]]
name = "far"
latency = { dist = "lognormal", median = "300ms", p99 = "900ms" }
[[group]]
name = "cars"
count = 20
keep_alive = "ALIVE"
network = "lan"
clean_start = false
session_expiry = "10m"
reconnect = { when = "always", backoff = "500ms" }
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 100
[[group]]
name = "listener"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 1
[[fault]]
name = "trouble"
group = "cars"
FAULT
[[expect]]
check = "delivery"
qos = 1
lost = 0
reordered = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
[[expect]]
check = "network"
profile = "lan"
tolerance = 0.1
"#;

fn scenario(keep_alive: &str, fault: &str) -> String {
    SCENARIO
        .replace("ALIVE", keep_alive)
        .replace("FAULT", fault)
}

/// From the beginning of the partition to its end the broker hears nothing of the devices, and all of it afterwards.
#[test]
fn nothing_passes_a_partition_and_nothing_is_lost_or_closed() {
    let text = scenario("1m", "at = \"5s\"\naction = \"partition\"\nlasts = \"3s\"");
    let heard = Rc::new(RefCell::new(Vec::new()));
    let times = Rc::clone(&heard);
    let tamper = script(move |passing, _| {
        if passing.client_id.starts_with("cars-") && passing.direction == Direction::ToBroker {
            times.borrow_mut().push(passing.now);
        }
        Outcome::Pass
    });

    let judgement = run_tampered(&text, tamper);

    assert_broken(&judgement, &[]);
    let fault = &judgement.measured.faults[0];
    assert_eq!((fault.applied, fault.lasts_s), (20, Some(3.0)), "{fault:?}");
    let began = Instant::ZERO + Duration::from_secs_f64(fault.at_s);
    let over = began + Duration::from_secs(3);
    let heard = heard.borrow();
    // What had left the links was in a pipe still, for 20 µs.
    let in_pipes = began + Duration::from_millis(1);
    let inside = heard.iter().filter(|&&at| at > in_pipes && at < over);
    assert_eq!(inside.count(), 0);
    let after = heard
        .iter()
        .filter(|&&at| at >= over && at < over + Duration::from_millis(20));
    assert!(after.count() >= 20);
    assert_eq!(judgement.measured.connections.groups[0].attempts, 20);
}

/// The broker must close after one and a half Keep Alive [MQTT-3.1.2-22], and a device gives up: neither counts against
/// the broker, nor does the time until they are back.
#[test]
fn a_partition_beyond_keep_alive_is_not_the_brokers() {
    let text = scenario("2s", "at = \"5s\"\naction = \"partition\"\nlasts = \"8s\"");

    let judgement = run(&text);

    assert_broken(&judgement, &[]);
    let group = &judgement.measured.connections.groups[0];
    assert!(group.reconnects >= 20, "{group:?}");
    assert_eq!(verdict(&judgement).exit_code, 0, "{:?}", judgement.reasons);
}

/// A partition within another one changes nothing, and one that begins in it goes on.
#[test]
fn partitions_that_overlap_are_one() {
    let text = scenario("1m", "at = \"5s\"\naction = \"partition\"\nlasts = \"6s\"").replace(
        "[[expect]]\ncheck = \"delivery\"",
        "[[fault]]\nat = \"6s\"\ngroup = \"cars\"\naction = \"partition\"\nlasts = \"1s\"\n\
         [[fault]]\nat = \"10s\"\ngroup = \"cars\"\naction = \"partition\"\nlasts = \"3s\"\n\
         [[expect]]\ncheck = \"delivery\"",
    );
    let heard = Rc::new(RefCell::new(Vec::new()));
    let times = Rc::clone(&heard);
    let tamper = script(move |passing, _| {
        if passing.client_id.starts_with("cars-") && passing.direction == Direction::ToBroker {
            times.borrow_mut().push(passing.now);
        }
        Outcome::Pass
    });

    let judgement = run_tampered(&text, tamper);

    assert_broken(&judgement, &[]);
    let began = Instant::ZERO + Duration::from_secs_f64(judgement.measured.faults[0].at_s);
    let (from, until) = (
        began + Duration::from_millis(1),
        began + Duration::from_secs(8),
    );
    let heard = heard.borrow();
    assert_eq!(
        heard.iter().filter(|&&at| at > from && at < until).count(),
        0
    );
    assert!(
        heard
            .iter()
            .any(|&at| at >= until && at < until + Duration::from_millis(20))
    );
}

/// Both profiles are measured for what was sent over each, the one of the group and the one of the fault.
#[test]
fn a_changed_link_is_measured_against_the_profile_that_it_had() {
    let text = scenario(
        "1m",
        "at = \"5s\"\naction = \"network\"\nprofile = \"far\"\nlasts = \"10s\"",
    ) + "[[expect]]\ncheck = \"network\"\nprofile = \"far\"\ntolerance = 0.1\n";

    let judgement = run(&text);

    assert_broken(&judgement, &[]);
    let far = judgement
        .measured
        .networks
        .iter()
        .find(|link| link.profile == "far");
    let far = far.expect("it was used");
    assert_eq!(far.devices, 20);
    let p50 = &far.figures[0];
    assert!(p50.samples >= 900, "{p50:?}");
}

/// A link that is changed and does not do what its other profile says is found.
#[test]
fn a_change_that_was_configured_otherwise_breaks_the_check() {
    let text = scenario(
        "1m",
        "at = \"5s\"\naction = \"network\"\nprofile = \"far\"\nlasts = \"10s\"",
    );
    let scenario = harness::scenario(&text);
    let outcome = squall_world::recorded(&scenario, broker()).run();
    let claimed = text.replace("median = \"300ms\"", "median = \"200ms\"")
        + "[[expect]]\ncheck = \"network\"\nprofile = \"far\"\ntolerance = 0.1\n";

    let judgement = squall_ledger::judge(
        &harness::scenario(&claimed),
        outcome,
        &squall_run::Resources::default(),
    );

    let check = judgement.measured.checks.last().expect("the last claim");
    assert!(!check.passed(), "{check:?}");
}

/// Partitions and changes of bad links, with takeovers and load: an honest broker breaks nothing.
#[test]
fn an_honest_broker_breaks_nothing_over_links_that_faults_change() {
    let faults = "every = \"4s\"\nselect = { fraction = 0.5 }\naction = \"partition\"\n\
                  lasts = { dist = \"exponential\", mean = \"3s\" }\n\
                  [[fault]]\nevery = \"3s\"\ngroup = \"cars\"\nselect = { fraction = 0.3 }\naction = \"network\"\nprofile = \"gprs\"\n\
                  lasts = { dist = \"uniform\", min = \"1s\", max = \"5s\" }\n\
                  [[fault]]\nevery = \"5s\"\ngroup = \"cars\"\nselect = 2\naction = \"takeover\"\n\
                  [[fault]]\nevery = \"6s\"\ngroup = \"cars\"\nselect = 1\naction = \"drop\"\nhow = \"rst\"";
    let outages = "latency = { dist = \"uniform\", min = \"5ms\", max = \"15ms\" }\nloss = 0.05\n\
                   outages = { every = { dist = \"exponential\", mean = \"10s\" }, lasts = \"1s\" }";
    let wills = "[[group.publish]]\ntopic = \"t/{client_id}\"";
    let text = scenario("2s", faults)
        .replace(
            "latency = { dist = \"uniform\", min = \"5ms\", max = \"15ms\" }",
            outages,
        )
        .replace(
            wills,
            &format!("[group.will]\ntopic = \"t/will/{{client_id}}\"\nqos = 1\n{wills}"),
        )
        .replace("connect_timeout = \"10s\"", "connect_timeout = \"4s\"");
    for seed in 0..32 {
        let scenario = harness::scenario(&format!("seed = {seed}\n{text}"));

        let judgement = squall_world::run(&scenario, broker(), None);

        let anomalies = &judgement.measured.anomalies;
        assert_ne!(
            verdict(&judgement).exit_code,
            98,
            "seed {seed}: {anomalies:#?}"
        );
        assert_eq!(judgement.measured.accounting.balance(), 0, "seed {seed}");
    }
}
