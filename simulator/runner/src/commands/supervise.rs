//! `squall supervise`: runs a target's command so that nothing of it outlives the run.
//!
//! A target may be a wrapper: a script that starts the broker and waits, or starts it and ends. This
//! process adopts whatever the command leaves behind (`PR_SET_CHILD_SUBREAPER`), goes on for as
//! long as any of it runs, and stops all of it when it is told to by SIGTERM, or when its standard
//! input ends because the run that holds the other end is gone, killed or not. A second SIGTERM kills
//! what has not stopped: how long that may take is for the run to say. That input is a socket, by
//! which it tells the run how each process ended that it has waited for.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::net::{SendFlags, send};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::stdin_ends;
use crate::cli::SuperviseArgs;
use crate::exit::Failure;
use crate::machine::tree;
use crate::remark::remark;

/// How long what runs may take to stop after SIGTERM before it is killed, where the user does not hurry. A
/// broker on the JVM or on BEAM takes long to stop, as it does to start.
pub const STOP_MAX: Duration = Duration::from_secs(60);
/// The exit code of a shell for a program that a signal ended: this and the signal's number.
const SIGNAL_CODE: i32 = 128;
/// What a supervisor exits with if it had to kill what it watched.
const KILLED_CODE: u8 = 137;
/// What a supervisor exits with if the command cannot be started, as `env` does.
pub const NOT_STARTED_CODE: u8 = 127;

/// Runs the command until all of it has ended. The exit code is the command's own, or that of a
/// shell where a signal ended it.
pub fn supervise(args: &SuperviseArgs) -> Result<u8, Failure> {
    // Orphans are adopted by the nearest ancestor that asks for it.
    set_child_subreaper(Some(getpid())).context("cannot adopt orphans")?;
    let (program, arguments) = args.command.split_first().expect("clap asks for a command");
    let runtime = super::event_loop()?;
    runtime.block_on(async {
        // Before the command starts: a child that ends at once is noticed.
        let mut watch = Watch::new()?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .process_group(0)
            .spawn();
        match child {
            Ok(child) => watch.run(child.id()).await,
            Err(error) => {
                remark(&format!("cannot start '{program}': {error}"));
                Ok(NOT_STARTED_CODE)
            }
        }
    })
}

struct Watch {
    child_ended: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// Held so that they do not end this process: what it watches would be left behind.
    _ignored: [tokio::signal::unix::Signal; 2],
    parent_gone: tokio::sync::oneshot::Receiver<()>,
}

impl Watch {
    fn new() -> Result<Self, Failure> {
        let handler = |kind| signal(kind).context("cannot handle a signal");
        Ok(Self {
            child_ended: handler(SignalKind::child())?,
            terminate: handler(SignalKind::terminate())?,
            _ignored: [
                handler(SignalKind::hangup())?,
                handler(SignalKind::interrupt())?,
            ],
            parent_gone: stdin_ends(),
        })
    }

    /// Until everything that `first` started has ended, or was told to.
    async fn run(&mut self, first: u32) -> Result<u8, Failure> {
        let mut ended = None;
        // When what runs is killed, once nothing but this process can say so.
        let mut kill_at: Option<Instant> = None;
        let mut is_told = false;
        while reap(first, &mut ended) {
            tokio::select! {
                _ = self.child_ended.recv() => continue,
                _ = self.terminate.recv() => {
                    if is_told {
                        return self.kill(first, &mut ended).await;
                    }
                }
                _ = &mut self.parent_gone, if kill_at.is_none() => {
                    kill_at = Some(Instant::now() + STOP_MAX);
                }
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                    return self.kill(first, &mut ended).await;
                }
            }
            if !is_told {
                is_told = true;
                signal_all(Signal::TERM);
            }
        }
        Ok(exit_code(ended))
    }

    /// Kills everything that has not ended.
    async fn kill(&mut self, first: u32, ended: &mut Option<ExitStatus>) -> Result<u8, Failure> {
        signal_all(Signal::KILL);
        // Nothing survives SIGKILL, but a process that is being started may be missed by one look.
        while reap(first, ended) {
            self.child_ended.recv().await;
            signal_all(Signal::KILL);
        }
        Ok(KILLED_CODE)
    }
}

/// Takes note of all that have ended; whether any still runs.
fn reap(first: u32, ended: &mut Option<ExitStatus>) -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                report(pid, status.as_raw());
                if pid.as_raw_nonzero().get().cast_unsigned() == first {
                    *ended = Some(ExitStatus::from_raw(status.as_raw()));
                }
            }
            Ok(None) => return true,
            // ECHILD: none is left.
            Err(_) => return false,
        }
    }
}

/// Tells the run that a process has ended, and how.
///
/// Fails where standard input is not a run's socket, and where the run does not read: then the status
/// is dropped.
fn report(pid: Pid, status: i32) {
    let line = format!("{} {status}\n", pid.as_raw_nonzero());
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let _ = send(std::io::stdin(), line.as_bytes(), flags);
}

fn signal_all(signal: Signal) {
    for pid in tree::descendants(std::process::id()) {
        if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
            // It may have ended in between.
            let _ = kill_process(pid, signal);
        }
    }
}

fn exit_code(ended: Option<ExitStatus>) -> u8 {
    let code = ended.map_or(0, |status| {
        let by_signal = status.signal().map(|signal| SIGNAL_CODE + signal);
        status.code().or(by_signal).unwrap_or(SIGNAL_CODE)
    });
    u8::try_from(code).unwrap_or(u8::MAX)
}
