//! Workers, which have a run's connections: what the run does is the same, and each has descriptors of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{Broker, assert_held, code_and_errors, run, run_file, text};

/// A load with faults that need each of the things that workers are asked for: opening, sending, stopping to read and
/// reading on, and three ways to close.
const SCENARIO: &str = r#"
version = 1
name = "workers"
seed = 1
[run]
duration = "3s"
drain = "3s"
[[group]]
name = "sensors"
count = 20
clean_start = false
session_expiry = "1m"
[group.reconnect]
when = "always"
backoff = "200ms"
[group.will]
topic = "gone/{client_id}"
payload = "offline"
qos = 1
[[group.publish]]
topic = "up/{client_id}"
qos = 2
rate = 200
arrival = "poisson"
[[group.subscribe]]
filter = "down/{client_id}"
qos = 1
[[group]]
name = "backend"
count = 3
[[group.publish]]
topic = "down/sensors-{seq % 20}"
qos = 1
rate = 300
[[group.subscribe]]
filter = ["up/#", "gone/#"]
qos = 2
[[fault]]
name = "reset"
at = "1s"
group = "sensors"
select = { fraction = 0.3 }
action = "drop"
how = "rst"
[[fault]]
name = "goodbye"
at = "1500ms"
group = "sensors"
select = { fraction = 0.3 }
action = "disconnect"
[[fault]]
name = "asleep"
at = "2s"
group = "sensors"
select = { fraction = 0.5 }
action = "stall"
lasts = "500ms"
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
[[expect]]
check = "will"
after = ["reset"]
exactly = 1
[[expect]]
check = "will"
after = ["goodbye"]
exactly = 0
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

/// The same devices are hit, and the same messages are due, with none, one and three workers.
#[test]
fn a_run_does_the_same_whatever_the_number_of_workers() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("workers.toml");
    fs::write(&file, SCENARIO).expect("it can be written");
    let ran = |options: &[&str]| {
        let out = folder.path().join(format!("out{}", options.concat()));
        let arguments = ["run", text(&file), "--out", text(&out)];
        let output = run(&[&arguments, options].concat());
        let run = run_file(&out);
        assert_held(output.status.code().expect("squall ended by itself"), &run);
        run
    };

    let without = ran(&[]);
    let with = [ran(&["--workers", "1"]), ran(&["--workers", "3"])];

    let counts = [1, 3].map(|count: u64| Some(count));
    let told = with
        .each_ref()
        .map(|run| run["resources"]["workers"]["count"].as_u64());
    assert_eq!(told, counts);
    for run in &with {
        assert_eq!(drawn(run), drawn(&without));
        let handed_over = &run["resources"]["workers"]["handed_over"];
        assert!(handed_over["count"].as_u64() > Some(0), "{handed_over}");
        let replay = run["identity"]["replay"].as_str().expect("it is text");
        assert!(replay.contains(" --workers "), "{replay}");
    }
    assert!(without["resources"].get("workers").is_none());
}

/// What the seed alone decides: messages that were due, and the devices that each fault chose.
fn drawn(run: &Value) -> (Vec<&Value>, Vec<&Value>) {
    let publications = run["measured"]["accounting"]["publications"].as_array();
    let faults = run["measured"]["faults"].as_array();
    let publications = publications.expect("it is a list").iter();
    let faults = faults.expect("it is a list").iter();
    (
        publications.map(|row| &row["scheduled"]).collect(),
        faults.map(|fault| &fault["applied"]).collect(),
    )
}

/// 500 connections that stay.
const MANY: &str = r#"
version = 1
name = "many"
seed = 1
[run]
duration = "1s"
drain = "1s"
[[group]]
name = "idle"
count = 500
connect_rate = 500
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

/// Descriptors that a process of the tests below may have: too few for 500 connections.
const DESCRIPTORS: u32 = 300;

/// `squall run` of [`MANY`] within [`DESCRIPTORS`], against `broker`.
fn run_within_limit(file: &Path, broker: &Broker, options: &[&str]) -> std::process::Output {
    let target = format!("target.url=\"mqtt://{}\"", broker.address);
    Command::new("sh")
        .args([
            "-c",
            &format!("ulimit -n {DESCRIPTORS}; exec \"$0\" \"$@\""),
        ])
        .arg(env!("CARGO_BIN_EXE_squall"))
        .args(["run", text(file), "--set", &target])
        .args(options)
        .output()
        .expect("a shell can be started")
}

/// Three workers carry what one process may not; the error of one process says so.
#[test]
fn workers_have_descriptors_of_their_own() {
    if !has_own_tables() {
        println!("SKIPPED: this system lets no thread have a table of descriptors of its own");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("many.toml");
    fs::write(&file, MANY).expect("it can be written");
    let out = folder.path().join("out");
    let broker = Broker::start();

    let refused = run_within_limit(&file, &broker, &["--out", text(&out)]);
    let ran = run_within_limit(&file, &broker, &["--out", text(&out), "--workers", "3"]);

    let (code, errors) = code_and_errors(&refused);
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("--workers 3"), "{errors}");
    let run = run_file(&out);
    assert_held(ran.status.code().expect("squall ended by itself"), &run);
    assert_eq!(run["measured"]["connections"]["peak_online"], 500);
}

/// What `squall doctor` says of it.
fn has_own_tables() -> bool {
    let doctor = run(&["doctor"]);
    String::from_utf8_lossy(&doctor.stdout)
        .replace('\n', " ")
        .contains("has as many again")
}
