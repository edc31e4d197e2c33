//! Subscriptions that come and go over real sockets, with squall's broker and with Mosquitto. Without the latter that test is
//! skipped, which is said on stderr; with `SQUALL_REQUIRE_INTEROP=1`, as in CI, that is a failure.

use std::fs;

use crate::peer::has_mosquitto;
use crate::{assert_held, run, run_file, text};

/// Watchers of both versions that subscribe and unsubscribe all the time while messages flow, retained ones among them.
const SCENARIO: &str = r##"
version = 1
name = "subscription-times"
seed = 3
TARGET
[run]
duration = "4s"
drain = "5s"
[[group]]
name = "watchers"
count = 20
[[group.subscribe]]
filter = "t/#"
qos = 1
churn = { on = { dist = "exponential", mean = "300ms" }, off = { dist = "exponential", mean = "100ms" } }
[[group.subscribe]]
filter = "u/#"
qos = 2
start = "1s"
until = "3s"
[[group]]
name = "old-watchers"
count = 5
protocol = "3.1.1"
[[group.subscribe]]
filter = "t/#"
qos = 2
churn = { on = { dist = "exponential", mean = "300ms" }, off = { dist = "exponential", mean = "100ms" } }
[[group]]
name = "senders"
count = 5
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 100
[[group.publish]]
topic = "t/kept/{client_id}"
qos = 1
retain = true
rate = 20
[[group.publish]]
topic = "u/{client_id}"
qos = 2
rate = 50
[[expect]]
check = "delivery"
qos = 1
lost = 0
misrouted = 0
[[expect]]
check = "delivery"
qos = 2
lost = 0
duplicated = 0
misrouted = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"##;

fn assert_holds(target: &str) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("subscription-times.toml");
    fs::write(&file, SCENARIO.replace("TARGET", target)).expect("it can be written");
    let out = folder.path().join("out");

    let output = run(&["run", text(&file), "--out", text(&out)]);

    let run = run_file(&out);
    let code = output.status.code().expect("squall ended by itself");
    assert_held(code, &run);
    let deliveries = &run["measured"]["accounting"]["deliveries"];
    let rows = deliveries.as_array().expect("it is a list");
    let delivered = rows.iter().filter_map(|row| row["delivered"].as_u64());
    assert!(delivered.sum::<u64>() > 1_000, "{deliveries}");
}

/// Squall's broker adds nothing after UNSUBACK, and owes everything between SUBACK and UNSUBSCRIBE.
#[test]
fn squall_keeps_to_subscriptions_that_come_and_go() {
    assert_holds("");
}

/// So does Mosquitto.
#[test]
fn mosquitto_keeps_to_subscriptions_that_come_and_go() {
    if has_mosquitto() {
        assert_holds("[target]\nspawn = \"mosquitto -p {port}\"");
    }
}
