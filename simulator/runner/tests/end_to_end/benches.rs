//! `squall bench` as a user runs it: figures of a broker of its own, the scenario that does the same, and what has no figures.

use std::fs;

use serde_json::Value;

use crate::{Broker, code_and_errors, run, text};

/// What every bench here begins with: few clients, and little time.
const SHORT: [&str; 4] = ["--warmup", "0s", "--duration", "500ms"];
/// And few clients.
const FEW: [&str; 2] = ["-c", "4"];

/// The JSON object that a bench prints, and its exit code.
pub(crate) fn bench(pattern: &str, options: &[&str]) -> (i32, Value) {
    let clients: &[&str] = match options.contains(&"-c") {
        true => &[],
        false => &FEW,
    };
    let time: &[&str] = match options.contains(&"--duration") {
        true => &[],
        false => &SHORT,
    };
    let arguments = [&["bench", pattern, "--json"], time, clients, options].concat();
    let output = run(&arguments);
    let (code, errors) = code_and_errors(&output);
    let json = serde_json::from_slice(&output.stdout);
    (
        code,
        json.unwrap_or_else(|error| panic!("{error}: {errors}")),
    )
}

/// Each pattern on squall's own broker, as a process whose processor time is its own: each message is accounted for.
#[test]
fn each_pattern_has_figures_of_the_embedded_broker() {
    for (pattern, copies) in [("pairs", 1), ("fanout", 4), ("fanin", 1), ("shared", 1)] {
        let (code, result) = bench(pattern, &["-q", "1", "--window", "8"]);

        assert_eq!(code, 0, "{result}");
        assert_eq!(result["bench"], pattern);
        let repeat = &result["targets"][0]["repeats"][0];
        let account = &repeat["account"];
        let published = account["published"].as_u64().expect("it is a number");
        assert!(published > 0, "{result}");
        assert_eq!(account["delivered"], published * copies, "{result}");
        assert_eq!(account["acknowledged"], published, "{result}");
        assert_eq!(account["lost"], 0, "{result}");
        assert!(repeat["messages_per_s"].as_f64() > Some(0.0), "{result}");
        assert!(repeat["broker_rss_bytes"].as_u64() > Some(0), "{result}");
        assert!(repeat["broker_cores"].is_f64(), "{result}");
        assert!(repeat["generator_cores"].as_f64() > Some(0.0), "{result}");
    }
}

/// Sessions that are kept take QoS 1 at least; a broker that keeps them in memory is said to, and the file that does the same
/// keeps them as long.
#[test]
fn durable_sessions_are_kept() {
    for protocol in ["3.1.1", "5.0"] {
        let (code, result) = bench("durable", &["--window", "8", "--protocol", protocol]);

        assert_eq!(code, 0, "{result}");
        assert_eq!(result["qos"], 1);
        let account = &result["targets"][0]["repeats"][0]["account"];
        assert_eq!(account["delivered"], account["published"], "{result}");
        assert!(account["published"].as_u64() > Some(0), "{result}");
    }
    let (code, errors) = code_and_errors(&run(&["bench", "durable", "-q", "0"]));
    assert_eq!(code, 2);
    assert!(errors.contains("keeps nothing of QoS 0"), "{errors}");
    let printed = run(&["bench", "durable", "--print"]).stdout;
    let printed = String::from_utf8(printed).expect("it is text");
    assert_eq!(
        printed.matches("session_expiry = \"1h\"").count(),
        1,
        "{printed}"
    );
}

/// Publishers alone are counted by what the broker acknowledged.
#[test]
fn publishers_alone_are_counted() {
    let (code, result) = bench("pub", &["-q", "2", "--protocol", "3.1.1"]);

    assert_eq!(code, 0, "{result}");
    let repeat = &result["targets"][0]["repeats"][0];
    assert_eq!(repeat["counted"], "acknowledged");
    assert!(repeat["messages"].as_u64() > Some(0), "{result}");
}

/// Without a publisher nothing comes, and the bench says what is missing.
#[test]
fn subscribers_alone_say_that_nothing_came() {
    let (code, result) = bench("sub", &[]);

    assert_eq!(code, 0, "{result}");
    assert_eq!(result["targets"][0]["repeats"][0]["messages"], 0);
    assert!(
        result["warnings"].to_string().contains("no message came"),
        "{result}"
    );
}

/// Clients that only connect are what is counted, and what they take of the broker's memory is told.
#[test]
fn connects_are_counted() {
    let (code, result) = bench("conn", &["-c", "200"]);

    assert_eq!(code, 0, "{result}");
    let repeat = &result["targets"][0]["repeats"][0];
    assert_eq!(
        (repeat["counted"].as_str(), repeat["messages"].as_u64()),
        (Some("connected"), Some(200))
    );
    assert!(repeat["broker_bytes_per_connection"].is_f64(), "{result}");
}

/// Without a rate there is one that leaves the broker room.
#[test]
fn a_latency_bench_has_a_rate() {
    let (code, result) = bench("latency", &[]);

    assert_eq!(code, 0, "{result}");
    assert_eq!(result["rate"], 1000.0);
    let latency = &result["targets"][0]["repeats"][0]["latency"];
    assert!(latency["samples"].as_u64() > Some(0), "{result}");
}

/// Two targets, twice each: all repeats are there, each of a broker of its own.
#[test]
fn targets_are_measured_in_turn() {
    let broker = Broker::start();
    let url = format!("mqtt://{}", broker.address);

    let options = ["--target", "squall", "--target", &url, "--repeat", "2"];
    let (code, result) = bench("pairs", &[&options[..], &["-R", "200"]].concat());

    assert_eq!(code, 0, "{result}");
    for (place, name) in ["squall", &url].into_iter().enumerate() {
        let target = &result["targets"][place];
        assert_eq!(target["name"], name);
        let repeats = target["repeats"].as_array().expect("it is a list");
        assert_eq!(repeats.len(), 2, "{result}");
        for repeat in repeats {
            assert!(repeat["messages"].as_u64() > Some(0), "{result}");
        }
    }
    // Whose processor time it is must be said.
    assert!(result["targets"][1]["repeats"][0]["broker_cores"].is_null());
    assert!(
        result["warnings"].to_string().contains("--target-pid"),
        "{result}"
    );
}

/// The process of a broker that runs already is measured if its number is given.
#[test]
fn a_broker_that_runs_is_measured_by_its_number() {
    let broker = Broker::start();
    let url = format!("mqtt://{}", broker.address);
    let pid = broker.child.id().to_string();

    let (code, result) = bench("pairs", &["--target", &url, "--target-pid", &pid]);

    assert_eq!(code, 0, "{result}");
    assert!(result["targets"][0]["repeats"][0]["broker_cores"].is_f64());
}

/// For a person it is a table with a row for each target.
#[test]
fn a_table_has_a_row_for_each_target() {
    let output = run(&[&["bench", "pairs"], &SHORT[..], &FEW].concat());

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 0, "{errors}");
    let table = String::from_utf8_lossy(&output.stdout);
    let mut lines = table.lines();
    assert!(
        lines
            .next()
            .is_some_and(|line| line.contains("broker µs/msg")),
        "{table}"
    );
    assert!(
        lines.next().is_some_and(|line| line.starts_with("squall ")),
        "{table}"
    );
}

/// A bench is a scenario: what `--print` writes is one, and it runs.
#[test]
fn the_printed_scenario_runs() {
    let folder = tempfile::tempdir().expect("it can be made");
    let file = folder.path().join("bench.toml");
    let quoted = "a \"b\" \\c/{index}";
    for options in [
        vec!["-q", "1", "--window", "4"],
        vec!["-R", "100", "-t", quoted],
    ] {
        let arguments = [&["bench", "pairs", "--print"], &SHORT[..], &FEW, &options].concat();
        let printed = run(&arguments);
        fs::write(&file, &printed.stdout).expect("it can be written");
        let out = folder.path().join("out");

        let validated = run(&["validate", text(&file)]);
        let ran = run(&["run", text(&file), "--out", text(&out), "--force"]);

        let (code, errors) = code_and_errors(&validated);
        assert_eq!(code, 0, "{errors}");
        let (code, errors) = code_and_errors(&ran);
        // 4: a machine with much else to do is late.
        assert!([0, 4].contains(&code), "{code}: {errors}");
        let run = crate::run_file(&out);
        let published = &run["measured"]["accounting"]["publications"][0];
        assert!(published["ok"].as_u64() > Some(0), "{published}");
    }
}

/// A broker that dies has no figures.
#[test]
fn a_broker_that_dies_has_no_figures() {
    let folder = tempfile::tempdir().expect("it can be made");
    let file = folder.path().join("mortal.toml");
    let program = env!("CARGO_BIN_EXE_squall");
    let description = format!(
        "version = 1\nname = \"mortal\"\nabout = \"a broker that is killed soon\"\nnotes = [\"for a test\"]\n[target]\n\
         spawn = \"timeout -s KILL 4 {program} broker --port {{port}}\"\n"
    );
    fs::write(&file, description).expect("it can be written");

    let (code, result) = bench("pairs", &["--target", text(&file), "--duration", "5m"]);

    assert_eq!(code, 3, "{result}");
    let repeat = &result["targets"][0]["repeats"][0];
    assert!(repeat["messages_per_s"].is_null(), "{result}");
    let error = repeat["error"].as_str().expect("it is text");
    assert!(
        error.contains("mortal") || error.contains("timeout"),
        "{error}"
    );
}

/// A broker without what a bench is about has no figures of something else in their place.
#[test]
fn what_a_target_lacks_is_not_measured() {
    let folder = tempfile::tempdir().expect("it can be made");
    let file = folder.path().join("small.toml");
    let program = env!("CARGO_BIN_EXE_squall");
    let description = format!(
        "version = 1\nname = \"small\"\nabout = \"a broker with less\"\nnotes = [\"for a test\"]\n[target]\n\
         spawn = \"{program} broker --port {{port}}\"\nlacks = [\"qos2\", \"shared_subscriptions\"]\n"
    );
    fs::write(&file, description).expect("it can be written");

    for (pattern, qos) in [("shared", "1"), ("pairs", "2")] {
        let (code, result) = bench(pattern, &["-q", qos, "--target", text(&file)]);

        assert_eq!(code, 4, "{result}");
        let skipped = result["targets"][0]["repeats"][0]["skipped"][0].as_str();
        assert!(
            skipped.is_some_and(|why| why.contains("this target does not have")),
            "{result}"
        );
    }
}

/// An error is told where errors are, and leaves no table.
#[test]
fn an_error_is_told_on_standard_error() {
    let output = run(&["bench", "pairs", "--target", "mqtt://127.0.0.1:1"]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 3, "{errors}");
    assert!(
        errors.contains("error: mqtt://127.0.0.1:1, repeat 1: "),
        "{errors}"
    );
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
}

/// What cannot be is refused before anything is started, with what would be right.
#[test]
fn what_cannot_be_is_refused() {
    let cases: [(&[&str], i32, &str); 15] = [
        (&["pairs", "-R", "fast"], 2, "such as 10000, 10k or 1.5M"),
        (&["pairs", "--duration", "10"], 2, "such as \"250ms\""),
        (&["pairs", "-s", "1x"], 2, "such as \"16B\""),
        (
            &["pairs", "--target", "mosquito"],
            2,
            "did you mean `mosquitto`",
        ),
        (
            &["pairs", "--ca", "/no/such.pem"],
            2,
            "error: --ca: /no/such.pem",
        ),
        (&["pairs", "--target", "mqtt://a b"], 2, "error: --target: "),
        (&["pairs", "-s", "8"], 2, "16 bytes"),
        (&["pairs", "-R", "0"], 2, "above 0"),
        (&["pairs", "-R", "5", "--window", "5"], 2, "--window"),
        (&["pairs", "--publishers", "3"], 2, "-c says how many pairs"),
        (&["pub", "--subscribers", "3"], 2, "it has no subscribers"),
        (&["pairs", "-t", "a/#"], 2, "--topic a/#"),
        (&["fanin", "-t", "a/x{index}"], 2, "a whole level"),
        (&["pairs", "--target-pid", "1"], 2, "--target mqtt://"),
        (
            &["pairs", "--target", "no-such-broker"],
            2,
            "the targets that squall knows",
        ),
    ];
    for (arguments, expected, words) in cases {
        let output = run(&[&["bench"], arguments].concat());

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, expected, "{arguments:?}: {errors}");
        assert!(errors.contains(words), "{arguments:?}: {errors}");
    }
}

/// A rate may be written as people say it.
#[test]
fn a_rate_has_thousands() {
    for (written, wanted) in [("1.5k", 1500.0), ("2_000", 2000.0), ("3K/s", 3000.0)] {
        let output = run(&["bench", "pairs", "-c", "2", "-R", written, "--print"]);

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 0, "{errors}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.contains(&format!("rate = {wanted}\n")),
            "{written}: {text}"
        );
    }
}

/// A program that reads the figures is told of a mistake too.
#[test]
fn a_mistake_is_an_object_too() {
    let (code, result) = bench("pairs", &["-s", "8"]);

    assert_eq!((code, result["exit_code"].as_u64()), (2, Some(2)));
    assert!(result["error"].to_string().contains("16 bytes"), "{result}");
}

/// Where no broker answers there are no figures.
#[test]
fn a_target_that_is_not_there_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);

    let (code, result) = bench("pairs", &["--target", &format!("mqtt://{address}")]);

    assert_eq!(code, 3, "{result}");
    let error = result["targets"][0]["repeats"][0]["error"].as_str();
    assert!(
        error.is_some_and(|error| error.contains("is a broker running there?")),
        "{result}"
    );
}
