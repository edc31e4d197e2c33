//! Faults of the broker over real sockets: its process is killed, paused and stopped, and starts again.

use std::path::Path;

use crate::peer::has_mosquitto;
use crate::run_scenario;

/// Sessions that end with their connection, so that a broker owes nothing afterwards.
const SCENARIO: &str = r#"
version = 1
name = "broker-faults"
seed = 1
[run]
duration = "7s"
drain = "3s"
[[group]]
name = "sensors"
count = 5
reconnect = { when = "always", backoff = "100ms" }
[[group.publish]]
topic = "readings/{client_id}"
qos = 1
rate = 50
[[group]]
name = "backend"
count = 1
reconnect = { when = "always", backoff = "100ms" }
[[group.subscribe]]
filter = "readings/+"
qos = 1
[[fault]]
name = "freeze"
at = "1s"
action = "pause_broker"
lasts = "500ms"
[[fault]]
name = "crash"
at = "3s"
action = "kill_broker"
lasts = "500ms"
[[fault]]
name = "upgrade"
at = "5s"
action = "restart_broker"
lasts = "500ms"
[[expect]]
check = "delivery"
qos = 1
lost = 0
[[expect]]
check = "connections"
unexpected_disconnects = 0
refused = 0
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

fn run_on(folder: &Path, target: &[&str]) -> serde_json::Value {
    let (_, run) = run_scenario(folder, SCENARIO, target);
    for claim in [0, 1] {
        let claim = &run["measured"]["checks"][1]["claims"][claim];
        assert_eq!(claim["passed"], true, "{claim}");
    }
    run
}

/// Each fault was really there for as long as it was to last, and the processor time of the broker goes on counting over
/// its processes.
fn assert_struck(run: &serde_json::Value) {
    let faults = run["measured"]["faults"].as_array().expect("a list");
    assert_eq!(faults.len(), 3);
    for fault in faults {
        assert_eq!(fault["applied"], 1, "{fault}");
        assert!(fault["lasts_s"].as_f64() >= Some(0.5), "{fault}");
    }
    let samples = run["resources"]["broker"]["samples"].as_array();
    let used = samples.expect("a list").iter();
    let used: Vec<f64> = used
        .filter_map(|sample| sample["cpu_total_s"].as_f64())
        .collect();
    assert!(used.is_sorted(), "{used:?}");
}

#[test]
fn our_own_broker_is_killed_paused_and_restarted() {
    let folder = tempfile::tempdir().expect("a folder can be made");

    let run = run_on(folder.path(), &[]);

    assert_struck(&run);
}

#[test]
fn mosquitto_is_killed_paused_and_restarted() {
    if !has_mosquitto() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");

    let run = run_on(folder.path(), &["--target", "mosquitto"]);

    assert_struck(&run);
}
