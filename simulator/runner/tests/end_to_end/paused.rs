//! A generator that the system does not let run for a while.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::{run, run_file, squall, text};

/// A scenario of one group that publishes 50 messages a second to itself.
fn scenario(name: &str, duration: &str) -> String {
    format!(
        "version = 1\nname = \"{name}\"\n[run]\nduration = \"{duration}\"\ndrain = \"1s\"\n\
         [[group]]\nname = \"g\"\ncount = 5\n[[group.publish]]\ntopic = \"t\"\nqos = 1\n\
         rate = 50\n[[group.subscribe]]\nfilter = \"t\"\nqos = 1\n\
         [[expect]]\ncheck = \"delivery\"\nlost = 0\n"
    )
}

/// squall is stopped while it measures, and goes on long after the load and the drain should have been over:
/// nothing that was due is left out, nothing that lay in the sockets is called lost, and the run, which
/// was not the one that was asked for, is invalid and says which phase was late.
#[test]
fn a_pause_over_the_end_leaves_nothing_out() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, duration| {
        let file = folder.path().join(name);
        fs::write(&file, scenario(name, duration)).expect("it can be written");
        text(&file).to_owned()
    };
    let (paused, meanwhile) = (write("paused", "7s"), write("meanwhile", "7s"));
    let out = folder.path().join("out");
    let mut child = squall()
        .args(["run", &paused, "--out", text(&out)])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("squall can be started");
    let pid = Pid::from_raw(child.id().cast_signed()).expect("a child has an id");
    let mut progress = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
    let is_measuring =
        |line: std::io::Result<String>| line.is_ok_and(|line| line.contains("measuring"));
    assert!(progress.by_ref().any(is_measuring), "the run ended before");

    kill_process(pid, Signal::STOP).expect("it runs");
    // Takes as long as the whole of the other, and longer than what is left of it.
    run(&[
        "run",
        &meanwhile,
        "--out",
        text(&folder.path().join("other")),
    ]);
    kill_process(pid, Signal::CONT).expect("it is there");

    let said: Vec<String> = progress.map_while(Result::ok).collect();
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(4), "{said:?}");
    let run = run_file(&out);
    let messages = &run["measured"]["accounting"]["publications"][0];
    assert_eq!(
        (&messages["scheduled"], &messages["ok"]),
        (&350.into(), &350.into())
    );
    let reasons = run["verdict"]["reasons"].to_string();
    assert!(reasons.contains("the load ended"), "{reasons}");
    assert!(!reasons.contains("lost"), "{reasons}");
}
