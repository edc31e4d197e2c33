//! Devices that come and go over real sockets, many times a second.

use std::path::Path;

use crate::peer::has_mosquitto;
use crate::{ON_MOSQUITTO, assert_held, run_scenario};

/// Three of five trackers end their connections twenty times in two seconds.
const SCENARIO: &str = r#"
version = 1
name = "flapping"
seed = 1
[run]
duration = "4s"
drain = "8s"
[[group]]
name = "trackers"
count = 5
clean_start = false
session_expiry = "1m"
[group.will]
topic = "lost/{client_id}"
qos = 1
[[group.subscribe]]
filter = "orders/{client_id}"
qos = 2
[[group.publish]]
topic = "readings/{client_id}"
qos = 2
rate = 50
[[group]]
name = "backend"
count = 1
[[group.subscribe]]
filter = ["readings/+", "lost/+"]
qos = 2
[[group.publish]]
topic = "orders/trackers-{seq % 5}"
qos = 1
rate = 50
[[fault]]
name = "edge"
at = "1s"
group = "trackers"
select = 3
action = "flap"
HOW
period = "100ms"
lasts = "2s"
[[expect]]
check = "will"
after = "edge"
exactly = 1
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
[[expect]]
check = "session"
present = "correct"
backlog = "complete"
[[expect]]
check = "connections"
unexpected_disconnects = 0
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

fn run_on(folder: &Path, how: &str, target: &[&str]) {
    let (code, run) = run_scenario(folder, &SCENARIO.replace("HOW", how), target);
    assert_held(code, &run);
    let fault = &run["measured"]["faults"][0];
    assert_eq!(fault["applied"], 3, "{fault}");
    let ended = fault["effects"][0]["count"].as_u64();
    assert!(ended > Some(3), "{fault}");
}

#[test]
fn devices_that_come_and_go_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    run_on(folder.path(), "", &[]);
}

#[test]
fn devices_that_come_and_go_lose_nothing_on_mosquitto() {
    if !has_mosquitto() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    run_on(folder.path(), "how = \"rst\"", ON_MOSQUITTO);
}
