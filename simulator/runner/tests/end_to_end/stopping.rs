//! Runs that a signal ends before their time.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{run_file, squall, text};

/// A run of ten minutes that is being measured.
struct Running {
    folder: tempfile::TempDir,
    child: Child,
    progress: Lines<BufReader<ChildStderr>>,
}

impl Running {
    /// `drain` is how long the run waits for late deliveries once its load is over.
    fn start(drain: &str, expect: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join("long.toml");
        let scenario = format!(
            "version = 1\nname = \"long\"\n[run]\nduration = \"10m\"\ndrain = \"{drain}\"\n\
             [[group]]\nname = \"g\"\ncount = 5\n[[group.publish]]\ntopic = \"t\"\nqos = 1\n\
             rate = 50\n[[group.subscribe]]\nfilter = \"t\"\nqos = 1\n{expect}\n\
             [thresholds]\nschedule_lag = [\"max < 10m\"]\n"
        );
        fs::write(&file, scenario).expect("it can be written");
        let mut child = squall()
            .args([
                "run",
                text(&file),
                "--out",
                text(&folder.path().join("out")),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("squall can be started");
        let progress = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
        let mut running = Self {
            folder,
            child,
            progress,
        };
        running.wait_for("measuring");
        running
    }

    /// Reads what squall says until it has said this.
    fn wait_for(&mut self, words: &str) {
        let was_said = self
            .progress
            .by_ref()
            .any(|line| line.is_ok_and(|line| line.contains(words)));
        assert!(was_said, "the run ended before it said '{words}'");
    }

    /// As a terminal does it: the whole process group gets the signal.
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a child has an id");
        kill_process_group(pid, signal).expect("it runs");
    }

    /// Its exit code and its results.
    fn end(mut self) -> (Option<i32>, Results) {
        // Read to the end, so that it is never held up by a full pipe.
        let said: Vec<String> = self.progress.map_while(Result::ok).collect();
        let status = self.child.wait().expect("it ends");
        assert!(status.code().is_some(), "{status}: {said:?}");
        (status.code(), Results(self.folder))
    }
}

struct Results(tempfile::TempDir);

impl Results {
    fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.out().join(name)).expect("it was written")
    }
}

const NOTHING_LOST: &str = "[[expect]]\ncheck = \"delivery\"\nqos = 1\nlost = 0";
/// No message is retained on any topic, so this is broken whenever it is judged.
const NEVER_TRUE: &str = "[[expect]]\ncheck = \"retained\"\nfilter = \"t\"\nequals = \"x\"";

/// Whatever ends a run early, nothing follows from what held up to then, and every output says
/// where it was stopped, by what.
///
/// The broker under test goes on until it is stopped: had it ended by itself, the run would have
/// failed.
#[test]
fn each_signal_makes_a_run_invalid_that_held_so_far() {
    for (signal, name) in [
        (Signal::INT, "SIGINT"),
        (Signal::TERM, "SIGTERM"),
        (Signal::HUP, "SIGHUP"),
    ] {
        let running = Running::start("3s", NOTHING_LOST);

        running.signal(signal);

        let (code, results) = running.end();
        assert_eq!(code, Some(4), "{name}");
        let stopped = &run_file(&results.out())["times"]["stopped"];
        assert_eq!(stopped["phase"], "measure", "{name}");
        assert_eq!(stopped["planned_s"], 600.0);
        assert_eq!(stopped["by"], name);
        for file in ["report.html", "summary.md", "summary.json"] {
            assert!(results.file(file).contains(name), "{name} is not in {file}");
        }
    }
}

/// What is broken already stays broken.
#[test]
fn a_stopped_run_that_broke_an_invariant_fails() {
    let running = Running::start("1s", NEVER_TRUE);

    running.signal(Signal::INT);

    assert_eq!(running.end().0, Some(98));
}

/// A second signal does not wait for the drain, and the run file is written all the same. What
/// was on its way then is not taken for lost.
#[test]
fn a_second_signal_ends_at_once_and_still_writes_the_run() {
    let mut running = Running::start("10m", NOTHING_LOST);

    running.signal(Signal::INT);
    running.wait_for("again to stop at once");
    running.signal(Signal::INT);

    let (code, results) = running.end();
    assert_eq!(code, Some(4));
    let run = run_file(&results.out());
    assert_eq!(run["times"]["stopped"]["phase"], "measure");
}
