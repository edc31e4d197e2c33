//! Targets that are wrappers: a script that starts the broker and waits for it, or goes away.
//!
//! The broker under them is ours, so that the tests need nothing installed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::{code_and_errors, run, run_file, squall, text};

/// A folder with a scenario and a script that starts a broker and writes down its process number.
pub(crate) struct Wrapped {
    folder: tempfile::TempDir,
}

impl Wrapped {
    /// No message has a latency, and any lag is allowed: the machine may be slow.
    ///
    /// `then` is what the script does once the broker runs in its background.
    fn new(duration: &str, then: &str) -> Self {
        let background =
            format!("\"$SQUALL\" broker --port \"$1\" &\necho $! > \"$PID\"\n{then}\n");
        Self::with_script(duration, &background)
    }

    /// `script` starts the program `$SQUALL` as a broker on port `$1` and writes down in the file
    /// `$PID` what its process number is.
    pub(crate) fn with_script(duration: &str, script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let scenario = format!(
            "version = 1\nname = \"wrapped\"\n[run]\nduration = \"{duration}\"\ndrain = \"1s\"\n\
             [[group]]\nname = \"g\"\ncount = 5\n[[group.publish]]\ntopic = \"t\"\nqos = 0\n\
             rate = 50\n[thresholds]\n\
             schedule_lag = [\"max < 10m\"]\n"
        );
        fs::write(folder.path().join("wrapped.toml"), scenario).expect("it can be written");
        let wrapped = Self { folder };
        let script = format!(
            "#!/bin/sh\nSQUALL={}\nPID={}\n{script}",
            env!("CARGO_BIN_EXE_squall"),
            text(&wrapped.path("pid")),
        );
        let path = wrapped.path("start-broker");
        fs::write(&path, script).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        wrapped
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        let spawn = format!("target.spawn={} {{port}}", text(&self.path("start-broker")));
        ["run", text(&self.path("wrapped.toml")), "--set", &spawn]
            .into_iter()
            .chain(["--out", text(&self.path("out"))])
            .map(str::to_owned)
            .collect()
    }

    /// The broker's own process number.
    pub(crate) fn broker(&self) -> i32 {
        let text = fs::read_to_string(self.path("pid")).expect("the script wrote it");
        text.trim().parse().expect("it is a number")
    }
}

pub(crate) fn runs(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// The broker that a script started is measured and stopped, also where the script ended long ago.
#[test]
fn a_wrapper_is_measured_and_stopped_with_all_that_it_started() {
    for then in ["wait", "exit 0"] {
        let wrapped = Wrapped::new("1s", then);
        let arguments = wrapped.arguments();

        let output = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 0, "{then}: {errors}");
        assert!(!runs(wrapped.broker()), "{then}: the broker still runs");
        let samples = run_file(&wrapped.path("out"))["resources"]["broker"]["samples"].clone();
        let last = samples.as_array().and_then(|all| all.last().cloned());
        let last = last.unwrap_or_else(|| panic!("{then}: nothing was measured"));
        // The listener, the selector and standard streams: more than a shell alone has.
        assert!(last["descriptors"].as_u64() > Some(5), "{then}: {last}");
    }
}

/// Product and version of the broker are what `target.software` prints, its placeholders filled in.
#[test]
fn the_version_of_a_spawned_broker_is_what_its_command_prints() {
    let wrapped = Wrapped::new("1s", "wait");
    let mut arguments = wrapped.arguments();
    let software =
        "target.software=sh -c \"echo Java 17; echo Acme MQ 4.2; echo see the site >&2\"";
    arguments.extend(["--set".to_owned(), software.to_owned()]);

    let output = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 0, "{errors}");
    let out = wrapped.path("out");
    assert_eq!(run_file(&out)["target"]["software"], "Acme MQ 4.2");
    let report = fs::read_to_string(out.join("report.html")).expect("there is a report");
    assert!(report.contains("against Acme MQ 4.2"));
}

/// A script that ends with an error did not start a broker: its words are shown.
#[test]
fn a_wrapper_that_fails_says_why() {
    let wrapped = Wrapped::new("1s", "kill $!; echo no licence >&2; exit 7");
    let arguments = wrapped.arguments();

    let output = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("no licence"), "{errors}");
    assert!(errors.contains("exit status: 7"), "{errors}");
}

/// SIGKILL of squall leaves nothing behind: neither the script nor the broker.
#[test]
fn a_killed_run_leaves_no_broker_behind() {
    let wrapped = Wrapped::new("10m", "wait");
    let mut child = squall()
        .args(wrapped.arguments())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("squall can be started");
    let progress = child.stderr.take().expect("it is a pipe");
    let is_measuring = BufReader::new(progress)
        .lines()
        .any(|line| line.is_ok_and(|line| line.contains("measuring")));
    assert!(is_measuring, "the run ended by itself");
    let broker = Pid::from_raw(wrapped.broker()).expect("it is a process");
    let ended = pidfd_open(broker, PidfdFlags::empty()).expect("it runs");

    let squall = Pid::from_raw(child.id().cast_signed()).expect("a child has an id");
    kill_process(squall, Signal::KILL).expect("it runs");

    child.wait().expect("it ends");
    // Readable once the process has ended; the test's own time limit is the only one.
    let mut waiting = [PollFd::new(&ended, PollFlags::IN)];
    poll(&mut waiting, None).expect("it can be waited for");
}

/// A status that looks like that of a kill is not taken for one: squall says that it killed a target only
/// where it did.
#[test]
fn a_target_that_stops_with_the_status_of_a_kill_was_not_killed() {
    let wrapped = Wrapped::new("1s", "trap 'exit 137' TERM; wait");
    let arguments = wrapped.arguments();

    let output = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 0, "{errors}");
    assert!(!errors.contains("killed"), "{errors}");
    assert!(!runs(wrapped.broker()), "the broker still runs");
}

/// A target that does not come up is told with what a user can do about it.
#[test]
fn a_target_that_cannot_be_started_is_told_with_a_remedy() {
    for (spawn, remedy) in [
        ("no-such-broker -p {port}", "is the program installed"),
        ("false {port}", "start it by hand"),
    ] {
        let wrapped = Wrapped::new("1s", "wait");
        let spawn = format!("target.spawn={spawn}");
        let file = wrapped.path("wrapped.toml");

        let out = wrapped.path("out");
        let output = run(&["run", text(&file), "--out", text(&out), "--set", &spawn]);

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 3, "{errors}");
        assert!(errors.contains(remedy), "{spawn}: {errors}");
    }
}
