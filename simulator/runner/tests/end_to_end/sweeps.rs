//! Scenarios that are run several times: the combinations of a matrix, and repeats.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{code_and_errors, run, run_file, squall, text};

/// A scenario that claims only that the machine is not slower than ten minutes.
fn scenario(duration: &str, matrix: &str) -> String {
    format!(
        "version = 1\nname = \"swept\"\nseed = 40\n[run]\nduration = \"{duration}\"\ndrain = \"0s\"\n\
         [[group]]\nname = \"g\"\ncount = 2\n[[group.publish]]\ntopic = \"t\"\nrate = 20\n\
         [thresholds]\nschedule_lag = [\"max < 10m\"]\n{matrix}"
    )
}

/// The file of all runs in `out`.
fn all_runs(out: &Path) -> Value {
    let json = fs::read(out.join("runs.json")).expect("there is a file of all runs");
    serde_json::from_slice(&json).expect("it is JSON")
}

/// Values and seed of each run.
fn order(all: &Value) -> Vec<(Vec<&str>, u64)> {
    let runs = all["runs"].as_array().expect("it is a list");
    runs.iter()
        .map(|run| {
            let values = run["values"].as_array().expect("it is a list");
            let values = values.iter().filter_map(Value::as_str).collect();
            (values, run["seed"].as_u64().expect("it is a number"))
        })
        .collect()
}

/// All combinations run in turn and then again, each round with a seed of its own; each run has its report in a folder of its
/// values, the page links them all, and what is recorded of a run stands for that run alone.
#[test]
fn a_matrix_is_run_round_by_round_and_put_on_one_page() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("swept.toml");
    let matrix = "[matrix]\n\"group.g.count\" = [1, 3]\n";
    fs::write(&file, scenario("1s", matrix)).expect("it can be written");
    let out = folder.path().join("out");

    let output = run(&["run", text(&file), "--repeat", "2", "--out", text(&out)]);

    let (code, errors) = code_and_errors(&output);
    let all = all_runs(&out);
    let expected = [
        (vec!["1"], 40),
        (vec!["3"], 40),
        (vec!["1"], 41),
        (vec!["3"], 41),
    ];
    assert_eq!(order(&all), expected);
    assert!(errors.contains("of 4 runs passed"), "{errors}");
    assert!(errors.contains("  median"), "{errors}");
    let page = fs::read_to_string(out.join("index.html")).expect("there is a page");
    let mut worst = 0;
    for run in all["runs"].as_array().expect("it is a list") {
        let report = run["report"].as_str().expect("it has a report");
        assert!(page.contains(&format!("href=\"{report}\"")), "{report}");
        let report = out.join(report);
        assert!(report.exists(), "{}", report.display());
        let of_run = run_file(report.parent().expect("it is in a folder"));
        assert_eq!(of_run["identity"]["seed"], run["seed"]);
        let count = of_run["settings"]["groups"][0]["count"].to_string();
        assert_eq!(run["values"][0], count.as_str());
        worst = worst.max(run["exit_code"].as_i64().expect("it ran"));
    }
    assert_eq!(i64::from(code), worst);
    let csv = fs::read_to_string(out.join("runs.csv")).expect("there is a table");
    assert_eq!(csv.lines().count(), 5, "{csv}");
    let last = run_file(&out.join("count=3/run-2"));
    let again = last["identity"]["replay"].as_str().expect("it is text");
    assert_eq!(again.matches("run.repeat=").count(), 1, "{again}");
    let words = shlex::split(again).expect("it is a command");
    let words: Vec<&str> = words[2..].iter().map(String::as_str).collect();
    let planned = run(&[&["plan"], &words[..]].concat());
    let said = String::from_utf8_lossy(&planned.stdout);
    assert!(said.contains("swept: 3 devices"), "{said}");
    assert!(!said.contains("all of it:"), "{said}");
}

/// The first signal ends the run that goes on and all that would have followed; the page holds what there was, and what there
/// was not.
#[test]
fn a_stopped_sweep_leaves_its_page() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("swept.toml");
    let matrix = "[matrix]\nvars.x = [\"a\", \"b\"]\n";
    fs::write(&file, scenario("10m", matrix)).expect("it can be written");
    let out = folder.path().join("out");
    let mut child = squall()
        .args(["run", text(&file), "--out", text(&out)])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("squall can be started");
    let stderr = child.stderr.take().expect("it is a pipe");
    let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
    assert!(
        lines.any(|line| line.contains("measuring")),
        "it ended by itself"
    );

    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");

    let said: Vec<String> = lines.collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(4), "{said:?}");
    let all = all_runs(&out);
    let states: Vec<&str> = all["runs"]
        .as_array()
        .expect("it is a list")
        .iter()
        .filter_map(|run| run["state"].as_str())
        .collect();
    assert_eq!(states, ["judged", "not_run"]);
    let page = fs::read_to_string(out.join("index.html")).expect("there is a page");
    assert!(page.contains("1 were not run"), "it does not say so");
}

/// A change narrows its axis: one combination is an ordinary run. Without that, nothing that takes one scenario guesses.
#[test]
fn one_combination_is_an_ordinary_run() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("swept.toml");
    let matrix = "[matrix]\n\"group.g.count\" = [1, 3]\n";
    fs::write(&file, scenario("1s", matrix)).expect("it can be written");
    let out = folder.path().join("out");

    let output = run(&[
        "run",
        text(&file),
        "--set",
        "group.g.count=2",
        "--out",
        text(&out),
    ]);
    let resolved = run(&["validate", "--resolved", text(&file)]);

    let (_, errors) = code_and_errors(&output);
    assert!(out.join("run.json").exists(), "{errors}");
    assert!(!out.join("index.html").exists());
    let (code, errors) = code_and_errors(&resolved);
    assert_eq!(code, 2);
    assert!(errors.contains("--set group.g.count=1") || errors.contains("--set 'group.g.count=1'"));
}

/// Results of hours are not replaced by a slip.
#[test]
fn earlier_runs_are_not_replaced_unasked() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("swept.toml");
    fs::write(&file, scenario("1s", "")).expect("it can be written");
    let out = folder.path().join("out");
    fs::create_dir(&out).expect("it can be made");
    fs::write(out.join("runs.json"), "{}").expect("it can be written");

    let output = run(&["run", text(&file), "--repeat", "2", "--out", text(&out)]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 2);
    assert!(errors.contains("--force"), "{errors}");
    assert_eq!(
        fs::read_to_string(out.join("runs.json")).ok().as_deref(),
        Some("{}")
    );
}

/// `plan` and `validate` say what all of it comes to.
#[test]
fn a_plan_lists_the_combinations_and_their_time() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("swept.toml");
    let matrix = "[matrix]\n\"group.g.count\" = [1, 3]\n\"run.duration\" = [\"10s\", \"20s\"]\n";
    fs::write(&file, scenario("1s", matrix)).expect("it can be written");

    for command in ["plan", "validate"] {
        let output = run(&[command, text(&file), "--set", "run.repeat=3"]);

        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            said.contains("4 combinations, 3 times each: 12 runs, 3 min"),
            "{said}"
        );
        assert!(said.contains("count=3 duration=20s"), "{said}");
    }
}
