//! Runs set side by side: the page, what is refused and why.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{code_and_errors, run, text};

/// A scenario that claims only that the machine is not slower than ten minutes.
fn scenario(duration: &str) -> String {
    format!(
        "version = 1\nname = \"compared\"\nseed = 40\n[run]\nduration = \"{duration}\"\ndrain = \"500ms\"\n[[group]]\nname = \"g\"\n\
         count = 4\n[[group.publish]]\ntopic = \"t\"\nqos = 1\nrate = 50\n[[group]]\nname = \"h\"\ncount = 1\n\
         [[group.subscribe]]\nfilter = \"t\"\nqos = 1\n[thresholds]\nschedule_lag = [\"max < 10m\"]\n"
    )
}

/// Runs the scenario with `options`; where the results are.
fn ran(folder: &Path, name: &str, duration: &str, options: &[&str]) -> std::path::PathBuf {
    let file = folder.join(format!("{name}.toml"));
    fs::write(&file, scenario(duration)).expect("it can be written");
    let out = folder.join(name);
    let output = run(&[&["run", text(&file), "--out", text(&out)], options].concat());
    assert_eq!(
        code_and_errors(&output).0,
        0,
        "{}",
        code_and_errors(&output).1
    );
    out
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("it was written")).expect("it is JSON")
}

/// The findings of all figures.
fn findings(all: &Value) -> Vec<&str> {
    let figures = all["figures"].as_array().expect("it is a list").iter();
    figures
        .filter_map(|figure| figure["differences"][0]["finding"].as_str())
        .collect()
}

/// Two runs of one scenario are put on a page with links to both; with one run each noise is unknown, and says so.
#[test]
fn two_runs_are_put_side_by_side() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let one = ran(folder.path(), "one", "1s", &[]);
    let other = ran(folder.path(), "other", "1s", &["--set", "group.g.count=5"]);
    let out = folder.path().join("out");

    let output = run(&[
        "compare",
        text(&one),
        text(&other.join("run.json")),
        "--out",
        text(&out),
    ]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 0, "{errors}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("noise unknown") && said.contains("differs: group.g.count: 4 | 5"),
        "{said}"
    );
    let page = fs::read_to_string(out.join("compare.html")).expect("there is a page");
    for link in [
        "href=\"../one/report.html\"",
        "href=\"../other/report.html\"",
    ] {
        assert!(page.contains(link), "{link}");
    }
    assert!(!page.contains("difference good") && !page.contains("difference bad"));
    let all = json(&out.join("compare.json"));
    assert!(
        findings(&all)
            .iter()
            .all(|finding| *finding == "noise_unknown"),
        "{all}"
    );
    assert!(
        fs::read_to_string(out.join("compare.md"))
            .expect("it is there")
            .starts_with("# compared: one, other\n")
    );
}

/// A scenario is run on each target in turn, and each figure has the noise of its repeats.
#[test]
fn a_scenario_is_run_on_targets_in_turn() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("compared.toml");
    fs::write(&file, scenario("1s")).expect("it can be written");
    let out = folder.path().join("out");
    let targets = [
        "--target", "squall", "--target", "squall", "--repeat", "2", "--json",
    ];

    let output = run(&[
        &["compare", "--scenario", text(&file), "--out", text(&out)],
        &targets[..],
    ]
    .concat());

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 0, "{errors}");
    let all: Value = serde_json::from_slice(&output.stdout).expect("it prints the comparison");
    assert_eq!(all, json(&out.join("compare.json")));
    let labels: Vec<&str> = all["sides"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|side| side["label"].as_str())
        .collect();
    assert_eq!(labels, ["squall", "squall (2)"]);
    let runs = json(&out.join("runs.json"));
    let order: Vec<(&str, u64)> = runs["runs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| {
            (
                run["values"][0].as_str().expect("text"),
                run["seed"].as_u64().expect("a number"),
            )
        })
        .collect();
    assert_eq!(
        order,
        [
            ("squall", 40),
            ("squall (2)", 40),
            ("squall", 41),
            ("squall (2)", 41)
        ]
    );
    assert!(findings(&all).contains(&"within_noise"), "{all}");
    assert_eq!(all["settings"], serde_json::json!([]));
}

/// A folder of repeats is one side, also under the name of its list.
#[test]
fn a_folder_of_repeats_is_one_side() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let one = ran(folder.path(), "one", "1s", &["--repeat", "2"]);
    let other = ran(folder.path(), "other", "1s", &["--repeat", "2"]);

    let output = run(&[
        "compare",
        text(&one),
        text(&other.join("runs.json")),
        "--json",
        "--out",
        text(&folder.path().join("out")),
    ]);

    let all: Value = serde_json::from_slice(&output.stdout).expect("it prints the comparison");
    let compared: Vec<u64> = all["sides"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|side| side["compared"].as_u64())
        .collect();
    assert_eq!(compared, [2, 2]);
    let told = all["notes"].to_string();
    assert!(
        told.contains("were not in turn, but one after the other"),
        "{told}"
    );
}

/// What is not comparable, and what is not a run file, is refused with its path and what to do: exit code 2, and no page.
#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let good = ran(folder.path(), "good", "1s", &[]);
    let longer = ran(folder.path(), "longer", "2s", &[]);
    let whole = fs::read_to_string(good.join("run.json")).expect("there is a run file");
    let bad = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("it can be written");
        path
    };
    let cut = bad("cut.json", &whole[..whole.len() / 2]);
    let newer = bad(
        "newer.json",
        &whole.replacen("\"version\": 2", "\"version\": 3", 1),
    );
    let foreign = bad("foreign.json", "{ \"results\": [1, 2] }");
    let renamed = bad(
        "renamed.json",
        &whole.replacen("\"name\": \"compared\"", "\"name\": \"other\"", 1),
    );
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("it can be made");
    for (other, expected) in [
        (&cut, "cut.json: run file is cut short: it ends after byte"),
        (
            &newer,
            "newer.json: run file has version 3, this squall reads version 2: use a newer squall",
        ),
        (
            &foreign,
            "foreign.json: not a squall run file: it has no `version`",
        ),
        (&renamed, "is of scenario `compared` and"),
        (
            &longer,
            "the phases differ: `run.duration` is \"1s\" in good and \"2s\" in longer; counts and greatest values grow",
        ),
        (
            &empty,
            "empty has no run: there is no run.json in it or up to 3 folders below",
        ),
        (&folder.path().join("nowhere"), "cannot read run file"),
    ] {
        let out = folder.path().join("out");

        let output = run(&["compare", text(&good), text(other), "--out", text(&out)]);

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 2, "{errors}");
        let errors = errors.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(errors.contains(expected), "{errors}");
        assert!(!out.join("compare.html").exists());
    }
    for arguments in [
        &["compare"][..],
        &["compare", text(&good)],
        &["compare", "--scenario", "smoke", "--target", "squall"],
    ] {
        let (code, errors) = code_and_errors(&run(arguments));

        assert_eq!(code, 2, "{errors}");
    }
}

/// A figure that got worse than the baseline's is told and ends with 99; a baseline that cannot be one is refused before
/// anything runs.
#[test]
fn a_figure_worse_than_the_baseline_fails() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let base = ran(folder.path(), "base", "1s", &[]);
    let file = folder.path().join("base.toml");
    let run_again = |name: &str, options: &[&str]| {
        let out = folder.path().join(name);
        let arguments = [
            "run",
            text(&file),
            "--baseline",
            text(&base),
            "--out",
            text(&out),
        ];
        code_and_errors(&run(&[&arguments, options].concat()))
    };

    let slower = [
        "--set",
        "group.g.publish[0].rate=5",
        "--worse",
        "delivery_rate > 10%",
    ];
    let (worse, told) = run_again("slower", &slower);
    let (alike, _) = run_again("alike", &["--worse", "delivery_rate > 50%"]);
    let (unknown, why) = run_again("unknown", &["--worse", "delivery_rate"]);
    let (no_figure, keys) = run_again("none", &["--worse", "speed"]);
    let (other, differs) = run_again("other", &["--set", "run.duration=2s"]);

    assert_eq!(worse, 99, "{told}");
    let line = "worse than the baseline, more than its margin; noise is unknown: delivery_rate: 50.0/s → 5.00/s";
    assert!(
        told.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains(line),
        "{told}"
    );
    assert_eq!((alike, unknown), (0, 4), "{why}");
    assert!(why.contains("noise is unknown"), "{why}");
    assert_eq!((no_figure, other), (2, 2));
    assert!(
        keys.contains("no figure `speed`") && keys.contains("delivery_rate"),
        "{keys}"
    );
    assert!(differs.contains("run.duration"), "{differs}");
    assert!(!folder.path().join("other/run.json").exists());
}

/// A folder of runs has a page with links to them in the order of time, and a file that is cut off takes nothing from the
/// others.
#[test]
fn a_folder_of_runs_has_an_index() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    ran(folder.path(), "one", "1s", &[]);
    ran(folder.path(), "other", "1s", &["--repeat", "3"]);
    let cut = folder.path().join("cut");
    fs::create_dir(&cut).expect("it can be made");

    let output = run(&["index", text(folder.path())]);

    assert_eq!(
        code_and_errors(&output).0,
        0,
        "{}",
        code_and_errors(&output).1
    );
    assert_eq!(output.stdout, b"4 runs of 1 scenario\n");
    let page = fs::read_to_string(folder.path().join("index.html")).expect("it was written");
    for report in ["one", "other/run-1", "other/run-2", "other/run-3"] {
        assert!(
            page.contains(&format!("href=\"{report}/report.html\"")),
            "{report}"
        );
    }
    let all = json(&folder.path().join("index.json"));
    let runs = all["scenarios"][0]["runs"]
        .as_array()
        .expect("it is a list");
    let began: Vec<&str> = runs
        .iter()
        .filter_map(|run| run["started_at"].as_str())
        .collect();
    assert!(began.is_sorted() && began.len() == 4, "{began:?}");
    assert_eq!(
        runs[0]["run"]["figures"]["delivered_per_s"],
        json(&folder.path().join("one/summary.json"))["summary"]["delivered_per_s"]
    );

    // One that was cut off.
    let whole = fs::read(folder.path().join("one/run.json")).expect("it was written");
    fs::write(cut.join("run.json"), &whole[..whole.len() / 2]).expect("it can be written");
    let (code, errors) = code_and_errors(&run(&["index", text(folder.path())]));
    assert_eq!(code, 2);
    assert!(errors.contains("cut/run.json"), "{errors}");
    let page = fs::read_to_string(folder.path().join("index.html")).expect("it was written");
    assert!(page.contains("Not read") && page.contains("one/report.html"));

    // The folder of one command's runs has a page of its own, which is not replaced.
    let (code, errors) = code_and_errors(&run(&["index", text(&folder.path().join("other"))]));
    assert_eq!(code, 2);
    assert!(errors.contains("name the folder above it"), "{errors}");
}

/// Only runs that began since a moment are on the page; what is left out is counted, and a folder without one later is told.
#[test]
fn an_index_may_begin_with_a_moment() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    ran(folder.path(), "new", "1s", &[]);
    let file = ran(folder.path(), "old", "1s", &[]).join("run.json");
    let mut old = json(&file);
    old["times"]["started_at"] = "2020-01-01T00:00:00Z".into();
    fs::write(&file, old.to_string()).expect("it can be written");
    let index = |since: &str| run(&["index", text(folder.path()), "--since", since]);

    for since in ["12h", "2020-01-02"] {
        let output = index(since);
        assert_eq!(
            output.stdout,
            b"1 run of 1 scenario, 1 that began earlier left out\n",
            "{}",
            code_and_errors(&output).1
        );
    }
    let all = json(&folder.path().join("index.json"));
    assert_eq!(all["since"], "2020-01-02T00:00:00Z");
    assert_eq!(
        (
            &all["earlier"],
            all["scenarios"][0]["runs"].as_array().map(Vec::len)
        ),
        (&1.into(), Some(1))
    );

    let (code, errors) = code_and_errors(&index("yesterday"));
    assert_eq!(code, 2);
    assert!(
        errors.contains("7d") && errors.contains("2026-11-01"),
        "{errors}"
    );
    let (code, errors) = code_and_errors(&index("2099-01-01"));
    assert_eq!(code, 2);
    assert!(
        errors.contains("since 2099-01-01T00:00:00Z: all 2 began earlier"),
        "{errors}"
    );
}
