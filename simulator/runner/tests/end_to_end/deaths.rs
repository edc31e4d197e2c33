//! Brokers that end by themselves while a run goes on.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::targets::{Wrapped, runs};
use crate::{Broker, run_file, squall, text};

/// A run of ten minutes, and what it says on standard error.
struct Running<'a> {
    wrapped: &'a Wrapped,
    child: Child,
    lines: Box<dyn Iterator<Item = String>>,
}

impl<'a> Running<'a> {
    /// Starts `squall` with `arguments` and waits until it measures.
    fn start(wrapped: &'a Wrapped, arguments: &[String]) -> Self {
        let mut child = squall()
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("squall can be started");
        let stderr = child.stderr.take().expect("it is a pipe");
        let lines = Box::new(BufReader::new(stderr).lines().map_while(Result::ok));
        let mut running = Self {
            wrapped,
            child,
            lines,
        };
        running.wait_for("measuring");
        running
    }

    fn wait_for(&mut self, words: &str) {
        let was_said = self.lines.any(|line| line.contains(words));
        assert!(was_said, "the run ended before it said '{words}'");
    }

    /// Ends the load. The exit code, and the first reason of the verdict.
    fn end(mut self) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it runs");
        self.lines.for_each(drop);
        let code = self.child.wait().expect("it ends").code();
        let reasons = run_file(&self.wrapped.path("out"))["verdict"]["reasons"].clone();
        let reason = reasons[0]["text"].as_str().expect("there is a reason");
        (code, reason.to_owned())
    }
}

/// The broker that `wrapped` starts gets `signal` while it is measured. The exit code, and the first
/// reason of the verdict.
fn reason_after(wrapped: &Wrapped, signal: Signal) -> (Option<i32>, String) {
    let mut running = Running::start(wrapped, &wrapped.arguments());
    let broker = Pid::from_raw(wrapped.broker()).expect("it is a process");

    kill_process(broker, signal).expect("it runs");

    // At once, not only in the report.
    running.wait_for("the broker died");
    running.end()
}

/// When by both clocks, which process, its signal, its last words and what to do.
#[test]
fn a_broker_that_is_killed_is_told_with_moment_process_and_signal() {
    let script = "echo $$ > \"$PID\"\necho about to serve\nexec \"$SQUALL\" broker --port \"$1\"\n";
    let wrapped = Wrapped::with_script("10m", script);

    let (code, reason) = reason_after(&wrapped, Signal::KILL);

    assert_eq!(code, Some(98), "{reason}");
    let process = format!(
        "squall (process {}) was ended by signal: 9 (SIGKILL)",
        wrapped.broker()
    );
    for part in [
        &process,
        "the broker died",
        "s into measuring (",
        "s into the run, 20",
        "dmesg",
        "\"about to serve\"",
    ] {
        assert!(reason.contains(part), "no {part} in {reason}");
    }
}

/// Under a wrapper it is the broker's process that is named, and its own signal where that is known; a
/// wrapper's status is said to be the wrapper's.
#[test]
fn a_broker_that_dies_under_a_wrapper_is_told_apart_from_it() {
    let script = "\"$SQUALL\" broker --port \"$1\" &\necho $! > \"$PID\"\nwait $!\n";
    let wrapped = Wrapped::with_script("10m", script);

    let (code, reason) = reason_after(&wrapped, Signal::ABORT);

    assert_eq!(code, Some(98), "{reason}");
    let process = format!("squall (process {}) ", wrapped.broker());
    assert!(reason.contains(&process), "{reason}");
    assert!(reason.contains("signal: 6 (SIGABRT)"), "{reason}");
    let is_wrappers = reason.contains("the command of target.spawn ended with exit status: 134");
    assert!(
        is_wrappers || reason.contains("was ended by signal"),
        "{reason}"
    );
}

/// A broker that squall did not start and that dies is found dead at the end of the run, with the
/// moment at which it was heard last: a claim that can no longer be observed is not taken to hold.
#[test]
fn a_broker_that_is_not_ours_is_told_with_the_moment_it_was_heard_last() {
    let mut broker = Broker::start();
    let wrapped = Wrapped::with_script("10m", "");
    let url = format!("target.url=mqtt://{}", broker.address);
    let (file, out) = (wrapped.path("wrapped.toml"), wrapped.path("out"));
    let arguments = ["run", text(&file), "--out", text(&out), "--set", &url].map(str::to_owned);
    let running = Running::start(&wrapped, &arguments);

    broker.child.kill().expect("it runs");

    let (code, reason) = running.end();
    assert_eq!(code, Some(98), "{reason}");
    for part in [
        "was dead at the end of the run",
        "it was heard last",
        "s into measuring (",
    ] {
        assert!(reason.contains(part), "no {part} in {reason}");
    }
}

/// A broker that hangs keeps no user waiting who has asked twice: it is not asked whether it answers, is told
/// to stop, and is killed; both are said, and the run is written.
#[test]
fn a_broker_that_hangs_is_killed_at_the_second_signal() {
    let script = "echo $$ > \"$PID\"\nexec \"$SQUALL\" broker --port \"$1\"\n";
    let wrapped = Wrapped::with_script("10m", script);
    let mut running = Running::start(&wrapped, &wrapped.arguments());
    let broker = Pid::from_raw(wrapped.broker()).expect("it is a process");
    let squall = Pid::from_child(&running.child);
    kill_process(broker, Signal::STOP).expect("it runs");

    kill_process(squall, Signal::INT).expect("it runs");
    running.wait_for("again to stop at once");
    kill_process(squall, Signal::INT).expect("it runs");

    let said: Vec<String> = running.lines.by_ref().collect();
    let code = running.child.wait().expect("it ends").code();
    assert!(code.is_some(), "{said:?}");
    for words in [
        "is killed if it has not stopped in 1.00 s",
        "and was killed",
    ] {
        assert!(said.iter().any(|line| line.contains(words)), "{said:?}");
    }
    assert!(!runs(wrapped.broker()), "the broker still runs");
    let run = run_file(&wrapped.path("out"));
    assert_eq!(run["times"]["stopped"]["phase"], "measure");
}
