//! Devices that a fault mutes over real sockets: the broker closes them, and they come back.

use std::path::Path;

use crate::peer::has_mosquitto;
use crate::{ON_MOSQUITTO, assert_held, run_scenario};

/// Five devices with a Keep Alive of 1 s: the broker has to close those that are muted for 6 s after 1.5 s, and none of those
/// that are muted for 500 ms.
const SCENARIO: &str = r#"
version = 1
name = "muted"
seed = 1
[run]
duration = "9s"
drain = "6s"
[[group]]
name = "pumps"
count = 5
keep_alive = "1s"
clean_start = false
session_expiry = "1m"
reconnect = { backoff = "200ms" }
[group.will]
topic = "status/{client_id}"
qos = 1
[[group.subscribe]]
filter = "orders/{client_id}"
qos = 2
[[group.publish]]
topic = "readings/{client_id}"
qos = 2
rate = 50
[[group]]
name = "control-room"
count = 1
[[group.subscribe]]
filter = "status/+"
qos = 1
[[group.subscribe]]
filter = "readings/+"
qos = 2
[[group.publish]]
topic = "orders/pumps-{seq % 5}"
qos = 1
rate = 50
[[fault]]
name = "hung"
at = "2s"
group = "pumps"
select = 3
action = "mute"
lasts = "6s"
[[fault]]
name = "busy"
at = "500ms"
group = "pumps"
select = 2
action = "mute"
lasts = "500ms"
[[expect]]
check = "keep_alive"
closed_within = "5s"
[[expect]]
check = "will"
after = "hung"
exactly = 1
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
[[expect]]
check = "connections"
unexpected_disconnects = 0
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

fn run_on(folder: &Path, target: &[&str]) -> serde_json::Value {
    let (code, run) = run_scenario(folder, SCENARIO, target);
    assert_held(code, &run);
    run["measured"].clone()
}

fn assert_closed(measured: &serde_json::Value) {
    let silences = &measured["silences"];
    assert_eq!(silences["began"], 5, "{silences}");
    assert_eq!(silences["closed"], 3, "{silences}");
    assert_eq!(silences["broken"], 2, "{silences}");
    let faults = &measured["faults"];
    assert_eq!(faults[1]["effects"][0]["count"], 3, "{faults}");
    assert_eq!(measured["connections"]["groups"][0]["reconnects"], 3);
}

#[test]
fn the_broker_closes_devices_that_are_muted_for_too_long() {
    let folder = tempfile::tempdir().expect("a folder can be made");

    let measured = run_on(folder.path(), &[]);

    assert_closed(&measured);
}

#[test]
fn mosquitto_closes_devices_that_are_muted_for_too_long() {
    if !has_mosquitto() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");

    let measured = run_on(folder.path(), ON_MOSQUITTO);

    assert_closed(&measured);
}
