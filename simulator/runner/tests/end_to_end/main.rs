//! The `squall` program as a user runs it: real processes, real sockets, free ports.

mod aborted;
mod addresses;
mod bad_input;
mod bench_suite;
mod benches;
mod broker_faults;
mod closed_loops;
mod commands;
mod compared;
mod contenders;
mod deaths;
mod described;
mod explained;
mod find_max;
mod flapping;
mod formats;
mod interloper;
mod interruptions;
mod kept;
mod live;
mod logins;
mod malformed_packets;
mod mosquitto;
mod muted;
mod options;
mod partitions;
mod paused;
mod payloads;
mod peer;
mod ports;
mod properties;
mod proxy;
mod quantities;
mod refusals;
mod responses;
mod runs;
mod secured;
mod secured_runs;
mod sent_again;
mod shipped;
mod silent_devices;
mod slow_consumer;
mod slow_link;
mod stopping;
mod subscription_times;
mod suites;
mod sweeps;
mod tampered;
mod targets;
mod terminal;
mod told_to_end;
mod unstamped;
mod websocket_runs;
mod will_delay;
mod workers;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The program under test.
fn squall() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    // The page of the job that runs these tests is not about the runs in them.
    command.env_remove("GITHUB_STEP_SUMMARY");
    command
}

/// Runs it to its end.
fn run(arguments: &[&str]) -> Output {
    squall()
        .args(arguments)
        .output()
        .expect("squall can be started")
}

/// What makes squall start Mosquitto as the target.
const ON_MOSQUITTO: &[&str] = &["--set", "target.spawn=mosquitto -p {port}"];

/// Writes `scenario` to a file in `folder` and runs it with `options`; the exit code and the run file.
fn run_scenario(folder: &Path, scenario: &str, options: &[&str]) -> (i32, serde_json::Value) {
    let file = folder.join("scenario.toml");
    fs::write(&file, scenario).expect("it can be written");
    let out = folder.join("out");
    let arguments = ["run", text(&file), "--out", text(&out)];

    let output = run(&[&arguments, options].concat());

    let (code, errors) = code_and_errors(&output);
    assert!(out.join("run.json").exists(), "{errors}");
    (code, run_file(&out))
}

/// The exit code, and what it said on standard error.
fn code_and_errors(output: &Output) -> (i32, String) {
    let code = output.status.code().expect("squall ended by itself");
    (code, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The path as text.
fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// The run file in a folder of results.
fn run_file(folder: &Path) -> serde_json::Value {
    let json = fs::read(folder.join("run.json")).expect("there is a run file");
    serde_json::from_slice(&json).expect("it is JSON")
}

/// Every claim of the run held, and nothing else speaks against the run but this machine's own lateness,
/// which a test cannot forbid: how busy the machine is says nothing about squall.
fn assert_held(code: i32, run: &serde_json::Value) {
    let checks = run["measured"]["checks"].as_array().expect("it is a list");
    let claims: Vec<_> = checks
        .iter()
        .flat_map(|check| check["claims"].as_array().expect("it is a list"))
        .collect();
    assert!(!claims.is_empty(), "nothing was claimed");
    for claim in claims {
        assert_eq!(claim["passed"], true, "{claim}");
    }
    let reasons = run["verdict"]["reasons"].as_array().expect("it is a list");
    for reason in reasons {
        let text = reason["text"].as_str().expect("it is text");
        assert!(text.starts_with("the generator "), "{text}");
    }
    assert_eq!(code, if reasons.is_empty() { 0 } else { 4 });
}

/// `squall broker` on a free port, killed when dropped.
struct Broker {
    child: Child,
    address: SocketAddr,
}

impl Broker {
    fn start() -> Self {
        Self::with(&[])
    }

    /// With more `arguments`.
    fn with(arguments: &[&str]) -> Self {
        let mut child = squall()
            .args(["broker", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("squall can be started");
        let stdout = child.stdout.take().expect("its output is a pipe");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where it listens");
        let address = line
            .trim_end()
            .rsplit(' ')
            .next()
            .expect("a line has words");
        let address = address
            .parse()
            .unwrap_or_else(|_| panic!("no address in '{line}'"));
        Self { child, address }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
