//! What people and scripts use beside `run`: `pub`, `sub`, and the commands that only print.

use std::fs;
use std::io::{BufRead as _, BufReader, Seek as _, Write as _};
use std::path::PathBuf;
use std::process::{Output, Stdio};

use crate::{Broker, code_and_errors, run, squall, text};

/// The scenarios that come with squall.
fn scenarios() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs it to its end with `input` as its standard input.
fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut file = tempfile::tempfile().expect("a file can be made");
    file.write_all(input).expect("it can be written");
    file.rewind().expect("it is a file");
    squall()
        .args(arguments)
        .stdin(file)
        .output()
        .expect("squall can be started")
}

/// A retained message is there for a client that asks later; with `--verbose` its topic, QoS and flag.
#[test]
fn a_retained_message_is_found_by_a_later_subscriber() {
    let broker = Broker::start();
    let url = format!("mqtt://{}", broker.address);
    let message = ["-t", "door/1", "-m", "open", "-q", "1", "-r"];
    let published = run(&[&["pub", "--url", &url], &message[..]].concat());
    assert_eq!(code_and_errors(&published), (0, String::new()));

    let filter = ["-t", "door/+", "-q", "2", "-C", "1", "--verbose"];
    let output = run(&[&["sub", "--url", &url], &filter[..]].concat());

    assert_eq!(code_and_errors(&output), (0, String::new()));
    assert_eq!(said(&output), "door/1 (QoS 1 retained) open\n");
}

/// Lines of standard input are messages, in order, at every QoS and in both versions.
#[test]
fn each_line_is_a_message_and_comes_in_order() {
    let broker = Broker::start();
    let url = format!("mqtt://{}", broker.address);
    let retained = ["pub", "--url", &url, "-t", "ready", "-m", "ready", "-r"];
    assert_eq!(code_and_errors(&run(&retained)).0, 0);
    let mut subscriber = squall()
        .args(["sub", "--url", &url, "--protocol", "3.1.1", "-q", "2"])
        .args(["-t", "ready", "-t", "lines", "-C", "10"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("squall can be started");
    let output = subscriber.stdout.take().expect("it is a pipe");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    // What is retained comes after SUBACK: from here on nothing is missed.
    assert_eq!(lines.next().as_deref(), Some("ready"));

    for qos in ["0", "1", "2"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let input = folder.path().join("input");
        fs::write(&input, format!("a{qos}\nb{qos}\nc{qos}\n")).expect("it can be written");
        let status = squall()
            .args(["pub", "--url", &url, "-t", "lines", "-q", qos])
            .stdin(fs::File::open(&input).expect("it is there"))
            .status()
            .expect("squall can be started");
        assert!(status.success());
    }

    let received: Vec<String> = lines.collect();
    let expected = ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"];
    assert_eq!(received, expected);
    assert!(subscriber.wait().expect("it ends").success());
}

/// A line from Windows is the same message.
#[test]
fn a_line_may_end_with_a_carriage_return() {
    let broker = Broker::start();
    let url = format!("mqtt://{}", broker.address);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let input = folder.path().join("input");
    fs::write(&input, "on\r\n").expect("it can be written");
    let published = squall()
        .args(["pub", "--url", &url, "-t", "door", "-q", "1", "-r"])
        .stdin(fs::File::open(&input).expect("it is there"))
        .output()
        .expect("squall can be started");
    assert_eq!(code_and_errors(&published), (0, String::new()));

    let output = run(&["sub", "--url", &url, "-t", "door", "-C", "1"]);

    assert_eq!(output.stdout, b"on\n");
}

/// `-p`, which other clients take for the port, is answered with where the port belongs.
#[test]
fn a_port_on_its_own_is_answered_with_the_url() {
    let (code, errors) = code_and_errors(&run(&["sub", "-p", "1883", "-t", "t"]));

    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("--url mqtt://HOST:PORT"), "{errors}");
}

/// A payload is bytes: bytes that are not text pass too.
#[test]
fn a_line_may_hold_any_bytes() {
    let broker = Broker::start();
    let url = format!("mqtt://{}", broker.address);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let input = folder.path().join("input");
    fs::write(&input, b"\xff\x00\xfe\n").expect("it can be written");
    let published = squall()
        .args(["pub", "--url", &url, "-t", "bytes", "-q", "1", "-r"])
        .stdin(fs::File::open(&input).expect("it is there"))
        .output()
        .expect("squall can be started");
    assert_eq!(code_and_errors(&published), (0, String::new()));

    let output = run(&["sub", "--url", &url, "-t", "bytes", "-C", "1"]);

    assert_eq!(output.stdout, b"\xff\x00\xfe\n");
}

/// Exit code 3: a broker that dies under a subscriber.
#[test]
fn a_broker_that_dies_under_a_subscriber_is_told() {
    let mut broker = Broker::start();
    let url = format!("mqtt://{}", broker.address);
    let retained = ["pub", "--url", &url, "-t", "t", "-m", "x", "-r", "-q", "1"];
    assert_eq!(code_and_errors(&run(&retained)).0, 0);
    let mut subscriber = squall()
        .args(["sub", "--url", &url, "-t", "t"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("squall can be started");
    let output = subscriber.stdout.take().expect("it is a pipe");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("x"));

    broker.child.kill().expect("it runs");

    let output = subscriber.wait_with_output().expect("it ends");
    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("connection"), "{errors}");
}

/// Exit code 3 without a broker, 2 for an invalid topic.
#[test]
fn pub_and_sub_name_what_is_wrong() {
    for command in ["pub", "sub"] {
        // Port 1 of loopback: no test listens below 1024.
        let unreachable = run(&[command, "--url", "mqtt://127.0.0.1:1", "-t", "t"]);
        let (code, errors) = code_and_errors(&unreachable);
        assert_eq!(code, 3, "{errors}");
        assert!(errors.contains("127.0.0.1:1"), "{errors}");

        let (code, errors) = code_and_errors(&run(&[command, "-t", "a/#/b"]));
        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains("a/#/b"), "{errors}");
    }
}

/// Every shipped scenario is listed with its question, as text and as JSON.
#[test]
fn list_shows_each_scenario_with_its_question() {
    let folder = scenarios();

    let output = run(&["list", text(&folder), "--json"]);

    assert_eq!(code_and_errors(&output), (0, String::new()));
    let entries: serde_json::Value = serde_json::from_str(&said(&output)).expect("it is JSON");
    let entries = entries.as_array().expect("it is an array");
    assert!(entries.len() >= 6, "{entries:?}");
    let plain = said(&run(&["list", text(&folder)]));
    for entry in entries {
        let question = entry["question"].as_str().unwrap_or_default();
        assert!(question.contains('?'), "{entry}");
        assert!(entry["devices"].as_u64() > Some(0), "{entry}");
        assert!(plain.contains(question), "{plain}");
    }
}

/// `plan` and `doctor` say what a scenario needs without starting anything.
#[test]
fn plan_and_doctor_say_what_a_scenario_needs() {
    let file = scenarios().join("abrupt-drops-lwt.toml");

    let plan = run(&["plan", text(&file)]);
    let doctor = run(&["doctor", text(&file)]);

    assert_eq!(code_and_errors(&plan), (0, String::new()));
    let planned = said(&plan);
    for part in ["abrupt-drops-lwt: 2001 devices", "fault power-cut", "fits"] {
        assert!(planned.contains(part), "{planned}");
    }
    assert_eq!(code_and_errors(&doctor), (0, String::new()));
    let checked = said(&doctor);
    for part in ["descriptors", "local ports", "fits ("] {
        assert!(checked.contains(part), "{checked}");
    }
}

/// A scenario may come over a pipe: `-` is standard input, and a mistake in it is placed there.
#[test]
fn a_scenario_may_come_from_standard_input() {
    let scenario = fs::read(scenarios().join("smoke.toml")).expect("it can be read");

    let right = run_with_input(&["plan", "-"], &scenario);
    let wrong = run_with_input(&["validate", "-"], b"version = 1\nnope = 2\n");

    assert_eq!(code_and_errors(&right), (0, String::new()));
    assert!(said(&right).starts_with("smoke: "), "{}", said(&right));
    let (code, errors) = code_and_errors(&wrong);
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("standard input:2:1"), "{errors}");
}

/// A script for each shell, which knows the commands.
#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&run(&["completions", shell]));

        assert!(
            script.contains("validate") && script.contains("resolved"),
            "{shell}"
        );
    }
}

/// What is printed with every default filled in is a scenario, and resolves to itself.
#[test]
fn a_resolved_scenario_resolves_to_itself() {
    let file = scenarios().join("smoke.toml");
    let resolved = said(&run(&["validate", "--resolved", text(&file)]));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let again = folder.path().join("again.toml");
    fs::write(&again, &resolved).expect("it can be written");

    let output = run(&["validate", "--resolved", text(&again)]);

    assert_eq!(code_and_errors(&output), (0, String::new()));
    assert_eq!(said(&output), resolved);
}

/// `squall … | head`: a reader that has seen enough is not an error.
#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let file = scenarios().join("smoke.toml");
    let file = text(&file);
    for arguments in [
        &["schema"][..],
        &["schema", "run"],
        &["completions", "bash"],
        &["plan", file],
        &["validate", "--resolved", file],
        &["doctor"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        drop(reader);

        let output = squall()
            .args(arguments)
            .stdout(writer)
            .output()
            .expect("squall can be started");

        assert_eq!(
            code_and_errors(&output),
            (0, String::new()),
            "{arguments:?}"
        );
    }
}
