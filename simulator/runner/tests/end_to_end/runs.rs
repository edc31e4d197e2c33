//! Runs that work: on the embedded broker, on one that squall spawns, ended early, and their reports.

use std::fs;
use std::path::Path;

use crate::{assert_held, code_and_errors, run, run_file, text};

/// Twenty devices with a will, half of which are reset.
fn scenario(duration: &str) -> String {
    format!(
        r#"
version = 1
name = "wills"
seed = 3

[run]
# On a broker that may have been there before, a will proves something only to one who watched before.
warmup = "1s"
duration = "{duration}"
drain = "1s"

[[group]]
name = "doors"
count = 20
client_id = "door-{{index}}"
[group.will]
topic = "status/{{client_id}}"
payload = {{ text = "offline" }}
qos = 1
retain = true

[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "status/+"
qos = 1

[[fault]]
name = "crash"
at = "500ms"
group = "doors"
select = {{ fraction = 0.5 }}
action = "drop"
how = "rst"

[[expect]]
check = "will"
after = ["crash"]
exactly = 1
[[expect]]
check = "retained"
filter = "status/+"
equals = "last_will"

# The machine may be slow.
[thresholds]
schedule_lag = ["max < 10m"]
"#
    )
}

fn write_scenario(folder: &Path, duration: &str) -> String {
    let file = folder.join("wills.toml");
    fs::write(&file, scenario(duration)).expect("the scenario can be written");
    text(&file).to_owned()
}

/// Exit code 0 and a whole folder: what a newcomer's first command gives.
#[test]
fn a_run_on_the_embedded_broker_leaves_a_report() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = write_scenario(folder.path(), "1s");
    let out = folder.path().join("out");

    let output = run(&["run", &file, "--out", text(&out)]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 0, "{errors}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("PASS"));
    for part in [
        "report.html",
        "run.json",
        "summary.json",
        "charts",
        "tables",
    ] {
        assert!(out.join(part).exists(), "{part} is missing");
    }
    let run = run_file(&out);
    assert_eq!(run["target"]["kind"], "embedded");
    assert_eq!(run["measured"]["wills"][0]["seen"], 10);
    assert!(run["resources"]["broker"]["samples"][0]["rss_bytes"].as_u64() > Some(0));
}

/// A broker that squall spawns is started on the port it was given, measured, and stopped.
#[test]
fn a_spawned_target_is_started_measured_and_stopped() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = write_scenario(folder.path(), "1s");
    let out = folder.path().join("out");
    let spawn = format!(
        "target.spawn={} broker --port {{port}}",
        env!("CARGO_BIN_EXE_squall")
    );

    let output = run(&["run", &file, "--set", &spawn, "--out", text(&out)]);

    let run = run_file(&out);
    assert_held(code_and_errors(&output).0, &run);
    assert_eq!(run["target"]["kind"], "spawn");
    let pid = run["target"]["pid"].as_u64().expect("it was our process");
    assert!(
        !Path::new(&format!("/proc/{pid}")).exists(),
        "it still runs"
    );
}

/// The report can be made again from the run file, and says the same.
#[test]
fn a_report_can_be_made_again() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = write_scenario(folder.path(), "1s");
    let (out, again) = (folder.path().join("out"), folder.path().join("again"));
    let first = run(&["run", &file, "--out", text(&out)]);
    let code = code_and_errors(&first).0;
    assert_held(code, &run_file(&out));

    let second = run(&["report", text(&out), "--out", text(&again)]);

    assert_eq!(code_and_errors(&second).0, code);
    let page = |folder: &Path| fs::read_to_string(folder.join("report.html")).expect("a page");
    assert!(page(&out) == page(&again), "the two pages differ");
}

/// Runs of one name keep apart: none replaces the report of another.
#[test]
fn runs_of_one_name_have_a_folder_each() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = write_scenario(folder.path(), "1s");
    let out = folder.path().join("out");

    let output = run(&["run", &file, &file, "--quiet", "--out", text(&out)]);

    assert_eq!(code_and_errors(&output), (0, String::new()));
    for name in ["wills", "wills-2"] {
        assert!(out.join(name).join("run.json").exists(), "{name}");
    }
}

/// Four hundred devices that are reset at one moment are closed one after the other, and each will counts
/// from the close of its own device.
#[test]
fn each_of_many_resets_at_one_moment_has_a_time_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = write_scenario(folder.path(), "2s");
    let out = folder.path().join("out");
    let many = ["group.doors.count=400", "fault.crash.select.fraction=1"];
    let many = many.map(|change| ["--set", change]).concat();

    let output = run(&[&["run", &file, "--out", text(&out)], &many[..]].concat());

    let run = run_file(&out);
    assert_held(code_and_errors(&output).0, &run);
    let metrics = run["measured"]["metrics"].as_array().expect("a list");
    let of_resets = metrics.iter().find(|metric| {
        metric["name"] == "time_to_will"
            && metric["tags"]["how"] == "rst"
            && metric["counted_from"] == "scheduled"
    });
    let times = &of_resets.expect("wills came")["histogram"];
    assert_eq!(times["count"], 400, "{times}");
    let bound = |name: &str| times[name].as_u64().expect("a time in microseconds");
    assert!(bound("min") < bound("max"), "{times}");
}

/// Over sockets as in virtual time: 100 messages a second for a second, 300 for the next, none for the third, and two
/// of each device beside them.
#[test]
fn a_rate_that_changes_is_kept_over_sockets() {
    let scenario = r##"
version = 1
name = "steps"
[run]
duration = "3s"
drain = "1s"
[[group]]
name = "sensors"
count = 10
[[group.publish]]
topic = "steps/{client_id}"
qos = 1
rate = [{ at = "1s", rate = 100 }, { at = "1s", rate = 300 }, { at = "2s", rate = 300 }, { at = "2s", rate = 0 }]
[[group.publish]]
topic = "hello/{client_id}"
qos = 0
every = "200ms"
count = 2
[[group]]
name = "backend"
count = 1
[[group.subscribe]]
filter = "#"
qos = 1
[[expect]]
check = "delivery"
lost = 0
"##;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("steps.toml");
    fs::write(&file, scenario).expect("the scenario can be written");
    let out = folder.path().join("out");

    let output = run(&["run", text(&file), "--out", text(&out)]);

    let run = run_file(&out);
    assert_held(code_and_errors(&output).0, &run);
    let rows = run["measured"]["accounting"]["publications"]
        .as_array()
        .expect("a list")
        .clone();
    let scheduled = |qos: u64| {
        let row = rows.iter().find(|row| row["qos"] == qos);
        row.expect("there are messages of it")["scheduled"].as_u64()
    };
    assert_eq!(scheduled(1), Some(400), "{rows:?}");
    assert_eq!(scheduled(0), Some(20), "{rows:?}");
}
