//! Devices that take their own Client Identifier over several times in a row, over real sockets.

use std::path::Path;

use crate::peer::has_mosquitto;
use crate::{ON_MOSQUITTO, assert_held, run_scenario};

/// Two of four twins make five connections, one after the other, at each of two moments.
const SCENARIO: &str = r#"
version = 1
name = "contenders"
seed = 1
[run]
duration = "3s"
drain = "6s"
[[group]]
name = "twins"
count = 4
clean_start = false
session_expiry = "1m"
[[group.subscribe]]
filter = "for/{client_id}"
qos = 1
[[group]]
name = "commander"
count = 1
[[group.publish]]
topic = "for/twins-{seq % 4}"
qos = 1
rate = 50
[[fault]]
name = "fight"
every = "1s"
for = "2s"
group = "twins"
select = 2
action = "takeover"
contenders = 5
[[expect]]
check = "takeover"
alive_per_client_id = 1
displaced_closed_within = "5s"
session_present = "correct"
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

fn run_on(folder: &Path, target: &[&str]) {
    let (code, run) = run_scenario(folder, SCENARIO, target);
    assert_held(code, &run);
    let faults = &run["measured"]["faults"];
    assert_eq!(faults[0]["effects"][0]["count"], 10, "{faults}");
    assert_eq!(run["measured"]["takeovers"]["takeovers"], 20);
}

#[test]
fn contenders_displace_each_other() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    run_on(folder.path(), &[]);
}

#[test]
fn contenders_displace_each_other_on_mosquitto() {
    if !has_mosquitto() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    run_on(folder.path(), ON_MOSQUITTO);
}
