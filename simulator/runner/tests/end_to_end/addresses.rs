//! A target of several addresses: devices are spread over them, and go on to the next.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::{Broker, assert_held, code_and_errors, run, run_file, squall, text};

/// Devices that hear what they say themselves, so each needs one broker only, and always the same.
const SCENARIO: &str = r#"
version = 1
name = "addresses"
seed = 1
[run]
duration = "3s"
drain = "1s"
[[group]]
name = "talkers"
count = 10
[group.reconnect]
when = "always"
backoff = "100ms"
[[group.publish]]
topic = "own/{client_id}"
qos = 1
every = "500ms"
[[group.subscribe]]
filter = "own/{client_id}"
qos = 1
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#;

/// Writes [`SCENARIO`] for these brokers; the file.
fn scenario_for(brokers: &[&Broker], folder: &Path) -> std::path::PathBuf {
    let urls: Vec<String> = brokers
        .iter()
        .map(|broker| format!("\"mqtt://{}\"", broker.address))
        .collect();
    let file = folder.join("addresses.toml");
    let target = format!("[target]\nurl = [{}]\n", urls.join(", "));
    fs::write(&file, format!("{SCENARIO}{target}")).expect("it can be written");
    file
}

/// Brokers that know nothing of each other: all comes only where each device keeps to one of them.
#[test]
fn each_device_keeps_to_its_address() {
    let brokers = [Broker::start(), Broker::start(), Broker::start()];
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = scenario_for(&brokers.each_ref(), folder.path());
    let out = folder.path().join("out");

    let output = run(&["run", text(&file), "--out", text(&out), "--workers", "2"]);

    let run = run_file(&out);
    assert_held(output.status.code().expect("squall ended by itself"), &run);
    let url = run["target"]["url"].as_str().expect("it is text");
    for broker in &brokers {
        assert!(url.contains(&broker.address.to_string()), "{url}");
    }
    let row = &run["measured"]["accounting"]["deliveries"][0];
    assert_eq!(row["expected"], row["delivered"], "{row}");
    assert_eq!(run["measured"]["connections"]["peak_online"], 10);
}

/// One that is not there is named before the run.
#[test]
fn an_address_without_a_broker_is_named() {
    let (one, other) = (Broker::start(), Broker::start());
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = scenario_for(&[&one, &other], folder.path());
    let gone = other.address.to_string();
    drop(other);

    let (code, errors) = code_and_errors(&run(&["run", text(&file)]));

    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains(&gone), "{errors}");
}

/// A broker ends when the run has begun: its devices are connected to the other one soon after.
#[test]
fn devices_go_on_to_the_next_address() {
    let (stays, ends) = (Broker::start(), Broker::start());
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = scenario_for(&[&stays, &ends], folder.path());
    let out = folder.path().join("out");
    let mut child = squall()
        .args(["run", text(&file), "--out", text(&out)])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("squall can be started");
    let stderr = BufReader::new(child.stderr.take().expect("it is a pipe"));
    let mut lines = stderr.lines().map_while(Result::ok);
    let begun = lines.find(|line| line.contains("connecting"));

    let ended = ends.address.to_string();
    drop(ends);

    assert!(begun.is_some(), "the run did not begin");
    lines.for_each(drop);
    let code = child.wait().expect("it ends").code();
    let run = run_file(&out);
    let reasons = run["verdict"]["reasons"].to_string();
    assert!(!reasons.contains("broker ended"), "{code:?} {reasons}");
    // Which of them ended is told.
    let errors = run["measured"]["errors"].as_array();
    let told = errors.expect("it is a list").iter();
    let told: Vec<_> = told
        .filter(|error| error["area"] == "broker")
        .filter_map(|error| error["reason"].as_str())
        .collect();
    assert!(
        told.iter().any(|reason| reason.contains(&ended)),
        "{told:?}"
    );
    let intervals = run["measured"]["series"]["intervals"].as_array();
    let online = intervals
        .expect("it is a list")
        .iter()
        .filter_map(|each| each["online"].as_u64());
    let online: Vec<u64> = online.collect();
    assert!(
        online.iter().skip(1).any(|&count| count == 10),
        "{online:?}"
    );
}
