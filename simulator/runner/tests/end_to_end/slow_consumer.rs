//! A device that a fault stops from reading over a real socket: its window closes.

use std::fs;

use crate::{assert_held, run, run_file, text};

/// 40 MB in two seconds to a reader that does not read for those two: more than the systems of both sides keep for one
/// connection, and beside them messages of QoS 1.
const SCENARIO: &str = r#"
version = 1
name = "slow-consumer"
seed = 1
[run]
duration = "4s"
drain = "5s"
[[group]]
name = "cameras"
count = 1
[[group.publish]]
topic = "pictures"
rate = 500
payload = { size = "40KB" }
[[group.publish]]
topic = "alarms"
qos = 1
rate = 50
[[group]]
name = "screens"
count = 1
clean_start = false
session_expiry = "1m"
[[group.subscribe]]
filter = "pictures"
[[group.subscribe]]
filter = "alarms"
qos = 1
[[fault]]
name = "asleep"
at = "1s"
group = "screens"
action = "stall"
lasts = "2s"
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

/// The broker has to wait, and gives up what it has no room for at QoS 0; all of QoS 1 comes in the end.
#[test]
fn the_window_of_a_slow_consumer_closes() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("slow-consumer.toml");
    fs::write(&file, SCENARIO).expect("it can be written");
    let out = folder.path().join("out");

    let output = run(&["run", text(&file), "--out", text(&out)]);

    let run = run_file(&out);
    let code = output.status.code().expect("squall ended by itself");
    assert_held(code, &run);
    let fault = &run["measured"]["faults"][0];
    assert_eq!(fault["applied"], 1, "{fault}");
    assert!(fault["effects"][0]["count"].as_u64() > Some(0), "{fault}");
    let excuses = run["measured"]["accounting"]["deliveries"]
        .as_array()
        .expect("it is a list")
        .iter()
        .filter_map(|row| row["excuses"]["recipient stopped from reading at QoS 0"].as_u64());
    assert!(excuses.sum::<u64>() > 0, "the window did not close");
}
