//! `squall bench --find-max` as a user runs it: a rate that holds, none that holds, what it leaves, and what is refused.

use std::fs;

use serde_json::Value;

use crate::{code_and_errors, run, text};

/// What every search here has: few clients, and little time for each step.
const SHORT: [&str; 6] = ["-c", "2", "--warmup", "100ms", "--duration", "300ms"];

/// The exit code, the JSON object, and what was said meanwhile.
fn search(bound: &str, options: &[&str]) -> (i32, Value, String) {
    let arguments = [
        &["bench", "pairs", "--json", "--find-max", bound],
        &SHORT[..],
        options,
    ]
    .concat();
    let output = run(&arguments);
    let (code, errors) = code_and_errors(&output);
    let json = serde_json::from_slice(&output.stdout);
    let json = json.unwrap_or_else(|error| panic!("{error}: {errors}"));
    (code, json, errors)
}

/// On squall's own broker a highest rate is found between two steps that say so, and the folder has all of it. Payloads are large, so
/// that it is soon reached.
#[test]
fn a_highest_rate_is_found_and_drawn() {
    let folder = tempfile::tempdir().expect("it can be made");
    let out = folder.path().join("out");
    let options = ["-R", "500", "-s", "200000", "--out", text(&out)];

    let (code, result, errors) = search("p50 <= 1s", &options);

    assert_eq!(code, 0, "{errors}");
    assert_eq!(result["find_max"], "p50 <= 1s");
    let target = &result["targets"][0];
    let searched = &target["repeats"][0];
    let held = searched["held_per_s"].as_f64().expect("one held");
    let failed = searched["failed_per_s"].as_f64().expect("one failed");
    assert!(held < failed && failed <= held * 1.05, "{searched}");
    assert_eq!(target["held_per_s"]["median"], held);
    let steps = searched["steps"].as_array().expect("it is a list");
    let at = |rate: f64| steps.iter().rfind(|step| step["rate"] == rate);
    let (at_held, at_failed) = (at(held), at(failed));
    assert_eq!(at_held.expect("it was made")["holds"], true);
    let at_failed = at_failed.expect("it was made");
    assert_eq!(at_failed["holds"], false);
    assert!(at_failed["why"][0].is_string(), "{at_failed}");
    // A line for each step as it went.
    assert!(
        errors.matches(" messages/s").count() >= steps.len(),
        "{errors}"
    );
    for name in ["find-max.svg", "find-max.png"] {
        let bytes = fs::metadata(out.join(name)).expect("it is there").len();
        assert!(bytes > 1000, "{name}: {bytes}");
    }
    let csv = fs::read_to_string(out.join("find-max.csv")).expect("it is there");
    assert_eq!(csv.lines().count(), steps.len() + 1, "{csv}");
    let json = fs::read_to_string(out.join("find-max.json")).expect("it is there");
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(json, result);
}

/// A bound that no generator can hold is looked for down to the lowest rate, and nothing follows about the broker.
#[test]
fn a_bound_below_the_generators_own_lag_is_told() {
    let (code, result, errors) = search("p50 < 1us", &["-R", "20000"]);

    assert_eq!(code, 4, "{errors}");
    let told = ["the generator was late there", "the generator was held up"];
    assert!(told.iter().any(|words| errors.contains(words)), "{errors}");
    let searched = &result["targets"][0]["repeats"][0];
    assert!(searched["held_per_s"].is_null(), "{searched}");
    assert_eq!(searched["failed_per_s"], 625.0);
    assert!(
        errors.contains(
            "error: squall, repeat 1: at no rate down to 625 messages/s did `p50 < 1us` hold"
        ),
        "{errors}"
    );
    let steps = searched["steps"].as_array().expect("it is a list");
    // Each rate was tried twice.
    let attempts = steps.iter().filter(|step| step["attempt"] == 2).count();
    assert_eq!(steps.len(), 2 * attempts, "{searched}");
}

/// Of a broker that dies meanwhile what held before is kept.
#[test]
fn a_broker_that_dies_is_told() {
    let folder = tempfile::tempdir().expect("it can be made");
    let file = folder.path().join("mortal.toml");
    let program = env!("CARGO_BIN_EXE_squall");
    let description = format!(
        "version = 1\nname = \"mortal\"\nabout = \"a broker that is killed soon\"\nnotes = [\"for a test\"]\n[target]\n\
         spawn = \"timeout -s KILL 4 {program} broker --port {{port}}\"\n"
    );
    fs::write(&file, description).expect("it can be written");

    let options = ["--target", text(&file), "-R", "100"];
    let (code, result, errors) = search("p50 < 1s", &options);

    assert_eq!(code, 3, "{errors}");
    let searched = &result["targets"][0]["repeats"][0];
    assert_eq!(searched["is_at_least"], searched["held_per_s"].is_f64());
    assert!(searched["error"].is_string(), "{searched}");
    assert!(searched["steps"][0]["rate"] == 100.0, "{searched}");
}

/// A search is a scenario at its first rate, with the bound as a threshold.
#[test]
fn the_printed_scenario_has_the_bound() {
    let folder = tempfile::tempdir().expect("it can be made");
    let file = folder.path().join("bench.toml");
    let arguments = ["bench", "fanout", "--find-max", "p99 < 10ms", "--print"];
    let printed = run(&[&arguments[..], &SHORT, &["-R", "2000"]].concat());
    fs::write(&file, &printed.stdout).expect("it can be written");

    let validated = run(&["validate", text(&file)]);

    let (code, errors) = code_and_errors(&validated);
    assert_eq!(code, 0, "{errors}");
    let printed = String::from_utf8_lossy(&printed.stdout);
    for words in [
        "[thresholds]\ne2e_latency = [\"p99 < 10ms\"]\n",
        "\nrate = 2000\n",
        // 10,000 messages, so that a hundred are beyond p99.
        "duration = \"5s\"",
        "# The bench searches the highest rate",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
}

/// What cannot be searched is refused before anything is started, with what would be right.
#[test]
fn what_cannot_be_searched_is_refused() {
    let cases: [(&[&str], &str); 9] = [
        (
            &["pairs", "--find-max", "p99"],
            "`p50|p90|p95|p99|p99.9|max < TIME`",
        ),
        (&["pairs", "--find-max", "p99 > 1ms"], "not an upper limit"),
        (&["pairs", "--find-max", "p99 < 10"], "as `p99 < 10ms`"),
        (&["pub", "--find-max", "p99 < 1s"], "it has no subscribers"),
        (&["sub", "--find-max", "p99 < 1s"], "it publishes nothing"),
        (&["conn", "--find-max", "p99 < 1s"], "its clients send none"),
        (
            &["pairs", "--find-max", "p99 < 1s", "--window", "5"],
            "--window",
        ),
        (
            &["pairs", "--find-max", "p99.9 < 1s", "-R", "100"],
            "fewer than 334 messages/s",
        ),
        (&["pairs", "--out", "somewhere"], "--find-max"),
    ];
    for (arguments, words) in cases {
        let output = run(&[&["bench"], arguments].concat());

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 2, "{arguments:?}: {errors}");
        assert!(errors.contains(words), "{arguments:?}: {errors}");
    }
}
