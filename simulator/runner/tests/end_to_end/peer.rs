//! Runs on a broker of another project: Eclipse Mosquitto, spawned.
//!
//! Only what Mosquitto keeps in every release is asked of it, so that a failure is ours. Without
//! it the test is skipped, which is said on stderr; with `SQUALL_REQUIRE_INTEROP=1`, as in CI, that
//! is a failure.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{assert_held, code_and_errors, run, run_file, text};

/// Telemetry and orders of both versions with cuts in the handshake, and doors that are reset.
const SCENARIO: &str = r#"
version = 1
name = "peer"
seed = 5

[run]
duration = "2s"
drain = "2s"

[[group]]
name = "sensors"
count = 10
client_id = "sensor-{index}"
[[group.publish]]
topic = "telemetry/{client_id}"
qos = 1
rate = 50
[[group.publish]]
topic = "heartbeat/{client_id}"
qos = 0
every = "500ms"

[[group]]
name = "shops"
count = 10
protocol = "3.1.1"
clean_start = false
[group.qos2]
cut_after = { publish = 0.05, pubrec = 0.05, pubrel = 0.05 }
[[group.publish]]
topic = "orders/{client_id}"
qos = 2
rate = 50

[[group]]
name = "backend"
count = 2
[[group.subscribe]]
filter = "$share/app/telemetry/+"
qos = 1
[[group.subscribe]]
filter = "orders/+"
qos = 2

[[group]]
name = "dashboard"
count = 1
protocol = "3.1.1"
[[group.subscribe]]
filter = "telemetry/#"
qos = 0
[[group.subscribe]]
filter = "status/+"
qos = 1

[[group]]
name = "doors"
count = 10
client_id = "door-{index}"
[group.will]
topic = "status/{client_id}"
qos = 1
retain = true

[[group]]
name = "lamps"
count = 10
client_id = "lamp-{index}"
[group.birth]
topic = "lamps/{client_id}"
payload = { text = "on {seq}" }
qos = 1
retain = true
[group.reconnect]
when = "always"
backoff = "100ms"

[[group]]
name = "janitor"
count = 1
[[group.subscribe]]
filter = "lamps/+"
qos = 1

[[fault]]
name = "flicker"
at = "1s"
group = "lamps"
select = { count = 4 }
action = "drop"
how = "fin"

# A will on a broker that may have been there before proves something only to one who watched a second before.
[[fault]]
name = "crash"
at = "1500ms"
group = "doors"
select = { count = 5 }
action = "drop"
how = "rst"

[[fault]]
name = "goodbye"
at = "1500ms"
group = "doors"
select = { count = 3 }
action = "disconnect"

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
[[expect]]
check = "qos2_handshake"
incomplete = 0
[[expect]]
check = "will"
after = ["crash"]
exactly = 1
[[expect]]
check = "will"
after = ["goodbye"]
exactly = 0
[[expect]]
check = "retained"
filter = "status/+"
equals = "last_will"
[[expect]]
check = "retained"
filter = "lamps/+"
equals = "last_publish"
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

/// Whether Mosquitto is here. If not, that is said past the capture of the test runner; or it is a
/// failure, if nothing may be skipped.
pub(crate) fn has_mosquitto() -> bool {
    let is_here = Command::new("mosquitto")
        .arg("-h")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !is_here {
        let required = std::env::var("SQUALL_REQUIRE_INTEROP").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "mosquitto is not installed: apt-get install mosquitto"
        );
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: mosquitto is not installed, so no scenario was run against it. \
             To install: apt-get install mosquitto"
        );
    }
    is_here
}

/// A foreign broker is started on the port it was given, passes what it keeps, is measured and
/// stopped; its own log stays beside the report.
#[test]
fn a_scenario_passes_on_mosquitto() {
    if !has_mosquitto() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("peer.toml");
    fs::write(&file, SCENARIO).expect("the scenario can be written");
    let out = folder.path().join("out");
    let spawn = "target.spawn=mosquitto -p {port}";

    let output = run(&["run", text(&file), "--set", spawn, "--out", text(&out)]);

    let run = run_file(&out);
    assert_held(code_and_errors(&output).0, &run);
    let measured = &run["measured"];
    assert_eq!(measured["wills"][0]["seen"], 5);
    // Which it is, it says itself, in a retained message.
    let software = run["target"]["software"].as_str().unwrap_or_default();
    assert!(software.starts_with("mosquitto version "), "{software:?}");
    let orders = measured["accounting"]["deliveries"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["group"] == "backend" && row["qos"] == 2)
        .expect("orders were owed to the backend");
    // 50 a second for 2 seconds, to two subscribers.
    assert_eq!(orders["expected"], 200, "{orders}");
    assert_eq!(orders["delivered"], 200, "{orders}");
    // One of each lamp, and one more of each that came back.
    let births = measured["accounting"]["publications"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["group"] == "lamps")
        .expect("lamps publish");
    assert_eq!(births["ok"], 14, "{births}");
    assert!(run["resources"]["broker"]["samples"][0]["rss_bytes"].as_u64() > Some(0));
    let pid = run["target"]["pid"].as_u64().expect("it was our process");
    assert!(
        !Path::new(&format!("/proc/{pid}")).exists(),
        "it still runs"
    );
    let log = fs::read_to_string(out.join("target.log")).expect("its log was kept");
    assert!(log.contains("mosquitto version"), "{log}");
}

/// The Mosquitto that squall describes is started with its file and passes the same.
#[test]
fn a_scenario_passes_on_the_described_mosquitto() {
    if !has_mosquitto() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("peer.toml");
    fs::write(&file, SCENARIO).expect("the scenario can be written");
    let out = folder.path().join("out");

    let output = run(&[
        "run",
        text(&file),
        "--target",
        "mosquitto",
        "--out",
        text(&out),
    ]);

    let run = run_file(&out);
    assert_held(code_and_errors(&output).0, &run);
    assert_eq!(run["target"]["name"], "mosquitto");
    assert!(run["target"]["changes"].is_null(), "{}", run["target"]);
    let command = run["target"]["command"].as_str().expect("it was started");
    assert!(command.contains("mosquitto.conf"), "{command}");
}
