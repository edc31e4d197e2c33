//! `payload = { command = … }`: payloads that a process writes, over real sockets.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::Value;

use crate::peer::has_mosquitto;
use crate::targets::runs;
use crate::{Broker, assert_held, code_and_errors, run, run_file, squall, text};

/// Numbers without end, behind a line of what the command was told, while the file `pid` has its process number.
const NUMBERS: &str = "echo $$ >> pid\necho \"$SQUALL_GROUP of $SQUALL_SEED\"\ni=0\n\
                       while :; do echo \"line $i\"; i=$((i + 1)); done\n";

/// Seconds within which what ignores SIGTERM is gone after squall was killed: half a second, and time for a machine that
/// is busy.
const KILLED_WITHIN_S: i64 = 10;

/// A scenario in a folder of its own, beside the script that gives its payloads.
struct Scripted {
    folder: tempfile::TempDir,
}

impl Scripted {
    /// `devices` vans publish 50 messages a second together for `duration`, whose payloads `script` writes.
    fn new(devices: u32, duration: &str, script: &str) -> Self {
        Self::with_stream(devices, duration, script, "rate = 50\nstamp = \"property\"")
    }

    fn with_stream(devices: u32, duration: &str, script: &str, stream: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let scenario = format!(
            "version = 1\nname = \"scripted\"\nseed = 7\n[run]\nduration = \"{duration}\"\ndrain = \"5s\"\n\
             [[group]]\nname = \"vans\"\ncount = {devices}\n[[group.publish]]\ntopic = \"vans/{{index}}\"\nqos = 1\n\
             payload = {{ command = \"./gen.sh\" }}\n{stream}\n[[group]]\nname = \"depot\"\ncount = 1\n\
             [[group.subscribe]]\nfilter = \"vans/+\"\nqos = 1\n\
             [[expect]]\ncheck = \"delivery\"\nlost = 0\nreordered = 0\ncorrupted = 0\n"
        );
        fs::write(folder.path().join("scripted.toml"), scenario).expect("it can be written");
        let path = folder.path().join("gen.sh");
        fs::write(&path, format!("#!/bin/sh\n{script}")).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, options: &[&str]) -> Output {
        let (file, out) = (self.path("scripted.toml"), self.path("out"));
        let arguments = ["run", text(&file), "--out", text(&out)];
        run(&[&arguments, options].concat())
    }

    /// The exit code of a run that ends, and its run file.
    fn ran(&self, options: &[&str]) -> (i32, Value) {
        let (code, errors) = code_and_errors(&self.run(options));
        assert!(self.path("out").join("run.json").exists(), "{errors}");
        (code, run_file(&self.path("out")))
    }

    /// The process numbers of the scripts that were started.
    fn started(&self) -> Vec<i32> {
        let pids = fs::read_to_string(self.path("pid")).expect("the script wrote it");
        let numbers = pids
            .lines()
            .map(|line| line.parse().expect("it is a number"));
        numbers.collect()
    }
}

/// A client of another project on `broker`, which has subscribed and then reads `count` payloads.
struct Witness {
    lines: Box<dyn Iterator<Item = String>>,
    count: usize,
    child: std::process::Child,
}

impl Witness {
    fn of(broker: &Broker, count: usize) -> Self {
        let (host, port) = (broker.address.ip().to_string(), broker.address.port());
        let port = port.to_string();
        let at = ["-h", &host, "-p", &port, "-q", "1"];
        // What is retained comes once it has subscribed.
        let told = Command::new("mosquitto_pub")
            .args(at)
            .args(["-r", "-t", "ready", "-m", "ready"])
            .status();
        assert!(told.expect("it can be started").success());
        let mut child = Command::new("mosquitto_sub")
            .args(at)
            .args(["-t", "vans/+", "-t", "ready"])
            .args(["-C", &(count + 1).to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let stdout = child.stdout.take().expect("it is a pipe");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        assert_eq!(lines.next().as_deref(), Some("ready"));
        Self {
            lines: Box::new(lines),
            count,
            child,
        }
    }

    /// What it read, in order.
    fn read(mut self) -> Vec<String> {
        let payloads: Vec<String> = self.lines.take(self.count).collect();
        self.child.wait().expect("it ends");
        payloads
    }
}

/// A client of another project sees the lines of the script as payloads, in their order, none left out and none twice; the
/// script was told the seed and the group, and is gone after the run.
#[test]
fn a_witness_sees_exactly_the_lines_of_the_script_in_order() {
    if !has_mosquitto() {
        return;
    }
    let scripted = Scripted::new(1, "1s", NUMBERS);
    let broker = Broker::start();
    let witness = Witness::of(&broker, 50);
    let url = format!("target.url=mqtt://{}", broker.address);

    let (code, run) = scripted.ran(&["--set", &url]);

    assert_held(code, &run);
    let lines = (0..49).map(|number| format!("line {number}"));
    let expected: Vec<String> = std::iter::once("vans of 7".to_owned())
        .chain(lines)
        .collect();
    assert_eq!(witness.read(), expected);
    let command = &run["measured"]["commands"][0];
    assert_eq!(command["lines"], 50);
    assert_eq!(command["end"], Value::Null);
    let started = scripted.started();
    assert_eq!(started.len(), 1);
    assert!(!runs(started[0]), "the script still runs");
}

/// With the stamp in the payload a line of JSON stays one object, and a text comes first: as an outsider reads them.
#[test]
fn a_witness_sees_the_stamp_in_an_object_or_behind_a_text() {
    if !has_mosquitto() {
        return;
    }
    let script = "while :; do echo '{\"t\": 20.5}'; echo 'on'; done\n";
    let scripted = Scripted::with_stream(1, "1s", script, "rate = 50");
    let broker = Broker::start();
    let witness = Witness::of(&broker, 50);
    let url = format!("target.url=mqtt://{}", broker.address);

    let (code, run) = scripted.ran(&["--set", &url]);

    assert_held(code, &run);
    for pair in witness.read().chunks(2) {
        let object: Value = serde_json::from_str(&pair[0]).expect("it is JSON");
        assert_eq!(object["t"], 20.5);
        assert!(object["_squall"].is_string(), "{object}");
        assert!(pair[1].starts_with("on #squall:"), "{}", pair[1]);
    }
}

/// Each run of several has a process of its own, for all devices of the group, also where workers have the connections.
#[test]
fn each_run_starts_its_own_process_once() {
    let scripted = Scripted::new(4, "1s", NUMBERS);

    let output = scripted.run(&["--repeat", "2", "--workers", "2"]);

    let (code, errors) = code_and_errors(&output);
    // The machine may be late; nothing else may be wrong.
    assert!(code == 0 || errors.contains("the generator "), "{errors}");
    let started = scripted.started();
    assert_eq!(started.len(), 2, "{errors}");
    assert_ne!(started[0], started[1]);
    assert!(!started.into_iter().any(runs), "a script still runs");
}

/// A closed loop takes what the script gives, and more only once the broker has answered.
#[test]
fn a_closed_loop_takes_its_lines_from_a_command() {
    let stream = "arrival = { window = 4 }\ncount = 500\nstamp = \"property\"";
    let scripted = Scripted::with_stream(2, "2s", NUMBERS, stream);

    let (code, run) = scripted.ran(&[]);

    assert_held(code, &run);
    let sent = run["measured"]["accounting"]["publications"][0]["sent"].as_u64();
    assert_eq!(run["measured"]["commands"][0]["lines"].as_u64(), sent);
    assert!(sent > Some(8), "{sent:?}");
}

/// A script that ends while messages are due is told with its exit status and what it said; what was due then is counted as
/// not sent, and the run proves nothing.
#[test]
fn a_script_that_ends_early_is_told_with_its_last_words() {
    let script = "echo a\necho b\necho 'the sensor is gone' >&2\nexit 3\n";
    let scripted = Scripted::new(2, "1s", script);

    let (code, run) = scripted.ran(&[]);

    assert_eq!(code, 4, "{}", run["verdict"]);
    let publications = &run["measured"]["accounting"]["publications"][0];
    assert_eq!(publications["sent"], 2, "{publications}");
    assert_eq!(publications["unsent"]["the command had ended"], 48);
    let end = &run["measured"]["commands"][0]["end"];
    assert_eq!(end["how"], "exit status: 3");
    assert_eq!(end["last_lines"][0], "the sensor is gone");
    let summary = fs::read_to_string(scripted.path("out").join("summary.md"));
    let summary = summary.expect("it was written");
    assert!(
        summary.contains("(exit status: 3), and had written last: the sensor is gone"),
        "{summary}"
    );
}

/// A line that is too long ends what is read of a command, and is named as the reason.
#[test]
fn a_line_that_is_too_long_is_told() {
    let script = "echo a\nhead -c 1048577 /dev/zero | tr '\\0' x\necho\nexec cat /dev/zero\n";
    let scripted = Scripted::new(1, "1s", script);

    let (code, run) = scripted.ran(&[]);

    assert_eq!(code, 4, "{}", run["verdict"]);
    let end = &run["measured"]["commands"][0]["end"];
    let how = end["how"].as_str().expect("it is told");
    assert!(how.contains("a line has more than 1MiB"), "{how}");
}

/// A command that cannot be started, or that gives no line, is refused before anything runs: exit code 2, and its own words.
#[test]
fn a_command_that_gives_no_line_is_refused_before_the_run() {
    for (script, said) in [
        (
            "echo 'no licence' >&2\nexit 9\n",
            ["exit status: 9", "no licence"],
        ),
        ("kill -KILL $$\n", ["signal: 9", "said nothing"]),
        ("exit 0\n", ["exit status: 0", "said nothing"]),
        // What it writes stays in a buffer, as that of a program does that never flushes.
        ("exec tail -f /dev/null\n", ["within 10.0 s", "flush"]),
    ] {
        let scripted = Scripted::new(1, "1s", script);

        let (code, errors) = code_and_errors(&scripted.run(&[]));

        assert_eq!(code, 2, "{errors}");
        for part in [said[0], said[1], "group vans", "./gen.sh"] {
            assert!(errors.contains(part), "no '{part}' in: {errors}");
        }
        assert!(!scripted.path("out").join("run.json").exists());
    }
}

/// A program that is not there is named by `validate`, by `plan` and by `run`, with exit code 2; one that is there is told.
#[test]
fn what_runs_is_told_and_what_is_missing_is_named() {
    let scripted = Scripted::new(1, "1s", NUMBERS);
    let file = scripted.path("scripted.toml");

    for command in ["validate", "plan"] {
        let output = run(&[command, text(&file)]);

        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.contains("are lines of `./gen.sh`"), "{told}");
    }
    fs::remove_file(scripted.path("gen.sh")).expect("it is there");
    for command in ["validate", "plan", "run"] {
        let (code, errors) = code_and_errors(&run(&[command, text(&file)]));

        assert_eq!(code, 2, "{command}: {errors}");
        assert!(errors.contains("gen.sh"), "{command}: {errors}");
    }
}

/// SIGKILL of squall leaves no script behind, also where that ignores SIGTERM, and what it has started does too.
#[test]
fn a_run_that_is_killed_leaves_no_script_behind() {
    let stubborn = format!("trap '' TERM PIPE\nsleep 600 &\necho $! > pid\n{NUMBERS}");
    for (script, processes) in [(NUMBERS, 1), (stubborn.as_str(), 2)] {
        let scripted = Scripted::new(1, "10m", script);
        let mut child = squall()
            .args(["run", text(&scripted.path("scripted.toml")), "--out"])
            .arg(scripted.path("out"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("squall can be started");
        let stderr = child.stderr.take().expect("it is a pipe");
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        assert!(
            lines.any(|line| line.contains("measuring")),
            "it ended before"
        );
        let started = scripted.started();
        assert_eq!(started.len(), processes);
        let running: Vec<_> = started.into_iter().map(running).collect();

        kill_process(Pid::from_child(&child), Signal::KILL).expect("it runs");

        child.wait().expect("it ends");
        let limit = Timespec {
            tv_sec: KILLED_WITHIN_S,
            tv_nsec: 0,
        };
        for ended in &running {
            // Readable once the process has ended.
            let ready = poll(&mut [PollFd::new(ended, PollFlags::IN)], Some(&limit));
            assert_eq!(
                ready.expect("it can be waited for"),
                1,
                "{script}: it runs on"
            );
        }
    }
}

fn running(pid: i32) -> OwnedFd {
    let pid = Pid::from_raw(pid).expect("it is a process");
    pidfd_open(pid, PidfdFlags::empty()).expect("it runs")
}
