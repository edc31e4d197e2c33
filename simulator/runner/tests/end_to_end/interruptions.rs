//! What goes away, fills up or comes at the wrong moment around a run: the run and its results outlive
//! it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::{code_and_errors, run, run_file, squall, text};

/// A folder with a scenario that claims only that the machine is not slower than ten minutes.
struct Short {
    folder: tempfile::TempDir,
}

impl Short {
    fn new(duration: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let scenario = format!(
            "version = 1\nname = \"short\"\n[run]\nduration = \"{duration}\"\ndrain = \"0s\"\n\
             [[group]]\nname = \"g\"\ncount = 2\n\
             [thresholds]\nschedule_lag = [\"max < 10m\"]\n"
        );
        fs::write(folder.path().join("short.toml"), scenario).expect("it can be written");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The reader of the progress goes away, as `head` does: the run goes on and leaves its report.
#[test]
fn a_reader_of_the_progress_that_goes_away_does_not_end_the_run() {
    let short = Short::new("1s");
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);

    let status = squall()
        .args(["run", text(&short.path("short.toml"))])
        .args(["--out", text(&short.path("out"))])
        .stdout(Stdio::null())
        .stderr(writer)
        .status()
        .expect("squall can be started");

    assert_eq!(status.code(), Some(0));
    assert!(short.path("out/report.html").exists());
}

/// A signal ends the list of files, not only the one that runs.
#[test]
fn a_stopped_run_is_the_last_one_of_its_list() {
    let long = Short::new("10m");
    let file = long.path("short.toml");
    let mut child = squall()
        .args(["run", text(&file), text(&file)])
        .args(["--out", text(&long.path("out"))])
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
    assert_eq!(child.wait().expect("it ends").code(), Some(4));
    let closing = said.last().expect("there is a closing line");
    assert!(closing.contains("0 of 2 runs passed"), "{said:?}");
    assert!(closing.contains("not run: short"), "{said:?}");
    assert!(long.path("out/short/run.json").exists());
    assert!(
        !long.path("out/short-2").exists(),
        "the second one left a folder"
    );
}

/// A program that reads standard output is told why there is no verdict.
#[test]
fn json_says_why_there_is_no_verdict() {
    let short = Short::new("1s");
    let target = "target.url=mqtt://127.0.0.1:1";
    let file = short.path("short.toml");
    let arguments = ["run", "--json", "--set", target, text(&file)];
    let out = short.path("out");

    let output = run(&[&arguments[..], &["--out", text(&out)]].concat());

    assert_eq!(code_and_errors(&output).0, 3);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(told["exit_code"], 3);
    assert!(
        told["error"]
            .as_str()
            .is_some_and(|error| error.contains("127.0.0.1:1")),
        "{told}"
    );
}

/// A server of another protocol is told apart from a broker that is not there.
#[test]
fn a_server_that_does_not_speak_mqtt_is_told_with_its_answer() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // It answers once it has heard something; what becomes of the answer does not matter.
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n");
        }
    });
    let short = Short::new("1s");
    let (file, out) = (short.path("short.toml"), short.path("out"));
    let target = format!("target.url=mqtt://{address}");

    let output = run(&["run", text(&file), "--set", &target, "--out", text(&out)]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("does not speak MQTT"), "{errors}");
    assert!(errors.contains("HTTP/1.0 400"), "{errors}");
}

/// The log of an earlier run's target does not stay beside the report of a later one that had none to say.
#[test]
fn an_older_log_goes_with_its_report() {
    let short = Short::new("1s");
    let (file, out) = (short.path("short.toml"), short.path("out"));
    let arguments = ["run", text(&file), "--quiet", "--out", text(&out)];
    assert_eq!(code_and_errors(&run(&arguments)).0, 0);
    fs::write(out.join("target.log"), "an older broker's words").expect("it can be written");

    let again = run(&[&arguments[..], &["--force"]].concat());

    assert_eq!(code_and_errors(&again).0, 0);
    assert_eq!(run_file(&out)["target"]["kind"], "embedded");
    assert!(!out.join("target.log").exists());
}

/// A plan that does not fit is drawn, and is a failure for a script that asks.
#[test]
fn a_plan_that_does_not_fit_ends_with_2() {
    let short = Short::new("1s");
    let many = ["--set", "group.g.count=1000000"];

    let output = run(&[&["plan", text(&short.path("short.toml"))][..], &many].concat());

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("1000000 devices need"), "{errors}");
    let drawn = String::from_utf8_lossy(&output.stdout);
    assert!(drawn.contains("fits on this machine: no"), "{drawn}");
}
