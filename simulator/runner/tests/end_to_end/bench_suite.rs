//! `squall bench suite` as a user runs it: a table of brokers as a page, what a broker lacks, and one that dies in the middle.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{code_and_errors, run, text};

/// What every suite here has: little time, and two rows.
const SHORT: [&str; 6] = ["--repeat", "1", "--warmup", "0s", "--duration", "200ms"];

/// A suite of the rows `only`, into `out`: the exit code, its file, and what was said meanwhile.
fn suite(out: &Path, only: &[&str], options: &[&str]) -> (i32, Value, String) {
    let head = ["bench", "suite", "--out", text(out), "--only"];
    let output = run(&[&head, only, &SHORT, options].concat());
    let (code, errors) = code_and_errors(&output);
    let json = fs::read_to_string(out.join("suite.json"));
    let json = json.unwrap_or_else(|error| panic!("{error}: {errors}"));
    (
        code,
        serde_json::from_str(&json).expect("it is JSON"),
        errors,
    )
}

/// A file that describes a broker: squall's own, started as `command` says, where `{squall}` stands for it.
fn described(folder: &Path, name: &str, command: &str, lacks: &str) -> PathBuf {
    let file = folder.join(format!("{name}.toml"));
    let program = env!("CARGO_BIN_EXE_squall");
    let spawn = command.replace("{squall}", &format!("{program} broker --port {{port}}"));
    let description = format!(
        "version = 1\nname = \"{name}\"\nabout = \"a broker\"\nnotes = [\"for a test\"]\n[target]\nspawn = '''{spawn}'''\n{lacks}"
    );
    fs::write(&file, description).expect("it can be written");
    file
}

/// Two brokers in two rows: each has a cell in each table, every row says how it is repeated, and that command is one.
#[test]
fn each_broker_has_a_cell_in_each_row() {
    let folder = tempfile::tempdir().expect("it can be made");
    let out = folder.path().join("out");
    let other = described(folder.path(), "other", "{squall}", "lacks = [\"qos2\"]\n");

    let options = ["--target", "squall", "--target", text(&other), "--json"];
    let (code, suite, errors) = suite(&out, &["pairs-qos0", "pairs-qos2"], &options);

    assert_eq!(code, 0, "{errors}");
    let rows = suite["rows"].as_array().expect("it is a list");
    assert_eq!(rows.len(), 2);
    let of = |row: usize, target: usize| &rows[row]["targets"][target]["repeats"][0];
    for measured in [of(0, 0), of(0, 1), of(1, 0)] {
        assert!(measured["messages"].as_u64() > Some(0), "{measured}");
        // Counted, or told why not.
        let is_told = measured["broker_syscalls_per_message"].is_f64()
            || measured["broker_syscalls_missing"].is_string();
        assert!(is_told, "{measured}");
    }
    let skipped = of(1, 1)["skipped"][0].as_str();
    assert!(skipped.is_some_and(|why| why.contains("QoS 2")), "{suite}");
    let page = fs::read_to_string(out.join("suite.html")).expect("it is there");
    let markdown = fs::read_to_string(out.join("suite.md")).expect("it is there");
    for row in rows {
        let command = row["command"].as_str().expect("it is text");
        assert!(markdown.contains(command), "{command}");
        let words = command.split(' ').skip(1).collect::<Vec<_>>();
        let output = run(&[&words[..], &["--print"]].concat());
        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 0, "{command}: {errors}");
    }
    assert!(page.contains("id=\"cpu\"") && page.contains("id=\"notes\""));
    assert!(markdown.contains("QoS 2"), "{markdown}");
}

/// A broker that dies has a cell that says so, and the suite goes on.
#[test]
fn a_broker_that_dies_is_told_in_its_cell() {
    let folder = tempfile::tempdir().expect("it can be made");
    let out = folder.path().join("out");
    // It lives long enough to answer, and not for the load.
    let mortal = described(folder.path(), "mortal", "timeout -s KILL 2 {squall}", "");

    let options = [
        "--target",
        text(&mortal),
        "--target",
        "squall",
        "--duration",
        "4s",
    ];
    let rest = ["--repeat", "1", "--warmup", "0s"];
    let head = [
        "bench",
        "suite",
        "--out",
        text(&out),
        "--only",
        "pairs-qos0",
        "pairs-64kib",
    ];
    let output = run(&[&head[..], &rest, &options].concat());

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 3, "{errors}");
    let json = fs::read_to_string(out.join("suite.json")).expect("it is there");
    let suite: Value = serde_json::from_str(&json).expect("it is JSON");
    let rows = suite["rows"].as_array().expect("it is a list");
    assert_eq!(rows.len(), 2, "{errors}");
    for row in rows {
        let error = row["targets"][0]["repeats"][0]["error"].as_str();
        assert!(error.is_some_and(|error| !error.is_empty()), "{row}");
        let measured = &row["targets"][1]["repeats"][0];
        assert!(measured["messages"].as_u64() > Some(0), "{row}");
    }
    let markdown = fs::read_to_string(out.join("suite.md")).expect("it is there");
    assert!(markdown.contains("failed [1]"), "{markdown}");
}

/// The rows are listed with the command of each, and nothing is measured.
#[test]
fn the_rows_are_listed() {
    let output = run(&["bench", "suite", "--list", "--target", "squall"]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 0, "{errors}");
    let listed = String::from_utf8_lossy(&output.stdout);
    for needed in ["pairs-qos0  ", "-c 10000", "targets: squall"] {
        assert!(listed.contains(needed), "{needed}: {listed}");
    }
}

/// What cannot be is refused before anything is measured.
#[test]
fn what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().expect("it can be made");
    let not_a_bench = folder.path().join("other.json");
    fs::write(&not_a_bench, "{\"version\": 2}").expect("it can be written");
    let cases: [(&[&str], &str); 4] = [
        (&["--only", "pairs-qso0"], "did you mean `pairs-qos0`?"),
        (
            &["--target", "no-such-broker"],
            "the targets that squall knows",
        ),
        (&["--worse", "messages_per_s"], "--baseline"),
        (
            &["--baseline", text(&not_a_bench), "--target", "squall"],
            "suite.json",
        ),
    ];
    for (options, words) in cases {
        let output = run(&[&["bench", "suite"], options].concat());

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 2, "{options:?}: {errors}");
        assert!(errors.contains(words), "{options:?}: {errors}");
    }
}

/// The exit code where the other tests leave the generator its processor; else nothing follows from the bench, which says so.
fn unless_held_up(code: i32, errors: &str) -> i32 {
    match errors.contains("note: left out of what was measured now") {
        true => 4,
        false => code,
    }
}

/// A bench that is worse than an earlier one, or than its row in a suite, ends with 99; one that is not, with 0.
#[test]
fn a_bench_is_held_against_an_earlier_one() {
    let folder = tempfile::tempdir().expect("it can be made");
    let out = folder.path().join("out");
    // The second one takes the place of the first.
    let _ = suite(&out, &["pairs-qos0"], &["--target", "squall"]);
    let (code, mut suite, errors) = suite(&out, &["open-qos0"], &["--target", "squall"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(suite["rows"][0]["id"], "open-qos0");
    let bench = |baseline: &Path, worse: &str| {
        let load = [
            "bench",
            "pairs",
            "-c",
            "100",
            "-R",
            "10000",
            "--protocol",
            "3.1.1",
        ];
        let time = ["--warmup", "0s", "--duration", "200ms", "--json"];
        let against = ["--baseline", text(baseline), "--worse", worse];
        code_and_errors(&run(&[&load[..], &time, &against].concat()))
    };
    let file = folder.path().join("base.json");
    // A baseline that was made while other tests ran is one all the same.
    suite["rows"][0]["targets"][0]["repeats"][0]["generator_waited"] = 0.0.into();
    fs::write(&file, suite.to_string()).expect("it can be written");

    // The rate is the same, whatever the machine does meanwhile; of one trial noise is unknown, so a margin decides.
    let (code, errors) = bench(&file, "messages_per_s > 90%");
    assert_eq!(code, unless_held_up(0, &errors), "{errors}");
    assert!(
        code == 4 || errors.contains("not worse than the baseline: messages_per_s"),
        "{errors}"
    );
    let (code, errors) = bench(&file, "messages_per_s");
    assert_eq!(code, 4, "{errors}");
    assert!(code == 4 || errors.contains("noise is unknown"), "{errors}");

    suite["rows"][0]["targets"][0]["repeats"][0]["messages_per_s"] = 10e6.into();
    let better = folder.path().join("better.json");
    fs::write(&better, suite.to_string()).expect("it can be written");
    let (code, errors) = bench(&better, "messages_per_s > 90%");
    assert_eq!(code, unless_held_up(99, &errors), "{errors}");
    assert!(
        code == 4 || errors.contains("worse than the baseline"),
        "{errors}"
    );
    // Of so few messages no bench has it.
    suite["rows"][0]["targets"][0]["repeats"][0]["latency"]["p999_us"] = 5.into();
    let longer = folder.path().join("longer.json");
    fs::write(&longer, suite.to_string()).expect("it can be written");
    let (code, errors) = bench(&longer, "latency.p999_us");
    assert_eq!(code, 4, "{errors}");
    assert!(errors.contains("was not measured now"), "{errors}");
    assert!(!errors.contains("none of"), "{errors}");
    let (code, errors) = bench(&file, "no_such_figure");
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("messages_per_s"), "{errors}");
}

/// A search that holds less than an earlier one ends with 99.
#[test]
fn a_search_is_held_against_an_earlier_one() {
    let folder = tempfile::tempdir().expect("it can be made");
    let search = |options: &[&str]| {
        let load = [
            "bench",
            "pairs",
            "--find-max",
            "p50 <= 1s",
            "-R",
            "500",
            "-s",
            "200000",
        ];
        let time = [
            "-c",
            "2",
            "--warmup",
            "100ms",
            "--duration",
            "300ms",
            "--json",
        ];
        run(&[&load[..], &time, options].concat())
    };
    let first = search(&[]);
    let mut found: Value = serde_json::from_slice(&first.stdout).expect("it is JSON");
    found["targets"][0]["repeats"][0]["held_per_s"] = 10e6.into();
    let file = folder.path().join("found.json");
    fs::write(&file, found.to_string()).expect("it can be written");

    let (code, errors) = code_and_errors(&search(&[
        "--baseline",
        text(&file),
        "--worse",
        "held_per_s > 50%",
    ]));

    assert_eq!(code, unless_held_up(99, &errors), "{errors}");
    assert!(
        code == 4 || errors.contains("worse than the baseline"),
        "{errors}"
    );
}
