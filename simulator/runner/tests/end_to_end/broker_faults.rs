//! Faults of the broker over real sockets: its process is killed, paused and stopped, and starts again.

use std::path::Path;

use serde_json::Value;

use crate::peer::has_mosquitto;
use crate::{assert_held, run_scenario};

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

/// When the last fault of [`SCENARIO`] is over, in seconds, with time to reconnect.
const ALL_OVER_S: f64 = 6.0;
/// How much less than the pause a message waited that was due early in it, at most: they are due every 20 ms.
const DUE_WITHIN_S: f64 = 0.1;

fn run_on(folder: &Path, target: &[&str]) -> Value {
    let (code, run) = run_scenario(folder, SCENARIO, target);
    assert_held(code, &run);
    run
}

/// Each fault was really there until it was to end: messages waited for the end of the pause, and came again after
/// the broker was started for the last time. The processor time of the broker goes on counting over its processes.
fn assert_struck(run: &Value) {
    let faults = run["measured"]["faults"].as_array().expect("a list");
    assert_eq!(faults.len(), 3);
    for fault in faults {
        assert_eq!(fault["applied"], 1, "{fault}");
        let [planned, began, lasted] =
            ["planned_s", "at_s", "lasts_s"].map(|key| fault[key].as_f64().expect("a number"));
        assert!(began + lasted >= planned + 0.5, "{fault}");
    }
    let latency = &run["measured"]["metrics"][0];
    assert_eq!(latency["name"], "e2e_latency");
    let longest = latency["histogram"]["max"].as_f64().expect("a number") / 1e6;
    let paused = faults[0]["lasts_s"].as_f64().expect("a number");
    assert!(longest >= paused - DUE_WITHIN_S, "{latency}");
    let intervals = run["measured"]["series"]["intervals"].as_array();
    let mut late = intervals.expect("a list").iter();
    let came_late = late.any(|interval| {
        interval["start_s"].as_f64() >= Some(ALL_OVER_S) && interval["delivered"].as_u64() > Some(0)
    });
    assert!(came_late);
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

/// Sessions that outlive their connections, and a fault that leaves a broker time to write them down.
const KEPT: &str = r#"
version = 1
name = "kept"
[run]
duration = "5s"
drain = "5s"
[[group]]
name = "sensors"
count = 3
clean_start = false
session_expiry = "2m"
reconnect = { when = "always", backoff = "100ms" }
[[group.publish]]
topic = "readings/{client_id}"
qos = 1
rate = 30
[[group]]
name = "backend"
count = 1
clean_start = false
session_expiry = "2m"
reconnect = { when = "always", backoff = "1s" }
[[group.subscribe]]
filter = "readings/+"
qos = 1
[[fault]]
name = "upgrade"
at = "2s"
action = "restart_broker"
lasts = "500ms"
[[expect]]
check = "delivery"
qos = 1
lost = 0
[[expect]]
check = "session"
present = "correct"
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

/// Mosquitto with its database on disk has all Sessions when it was restarted: what the other target of it forgets is a
/// matter of its settings.
#[test]
fn mosquitto_on_disk_keeps_sessions_over_a_restart() {
    if !has_mosquitto() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");

    let (code, run) = run_scenario(folder.path(), KEPT, &["--target", "mosquitto-disk"]);

    assert_held(code, &run);
    assert_eq!(run["target"]["keeps"], "disk");
    let effects = &run["measured"]["faults"][0]["effects"];
    let found = effects.as_array().expect("a list").iter();
    let counts: Vec<_> = found
        .filter(|effect| {
            effect["what"]
                .as_str()
                .is_some_and(|what| what.starts_with("Sessions"))
        })
        .map(|effect| effect["count"].as_u64())
        .collect();
    assert_eq!(counts, [Some(4), Some(0)], "due and forgotten: {effects}");
}
