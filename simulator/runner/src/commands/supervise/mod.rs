//! `squall supervise`: runs a target's command so that nothing of it outlives the run.
//!
//! A target may be a wrapper: a script that starts the broker and waits, or starts it and ends. This
//! process adopts whatever the command leaves behind (`PR_SET_CHILD_SUBREAPER`), goes on for as
//! long as any of it runs, and stops all of it when it is told to by SIGTERM, or when its standard
//! input ends because the run that holds the other end is gone, killed or not. A second SIGTERM kills
//! what has not stopped: how long that may take is for the run to say. That input is a socket, by
//! which it tells the run how each process ended that it has waited for, and over which the run gives it [`orders`]: a
//! fault kills, stops or pauses a broker, and starts it again.

mod ending;
mod orders;

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::net::{SendFlags, send};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::cli::SuperviseArgs;
use crate::exit::Failure;
use crate::machine::{process, tree};
use crate::remark::remark;

use ending::Means;
pub use orders::SupervisorOrder;

/// How long what runs may take to stop after SIGTERM before it is killed, where the user does not hurry. A
/// broker on the JVM or on BEAM takes long to stop, as it does to start.
pub const STOP_MAX: Duration = Duration::from_secs(60);
/// The exit code of a shell for a program that a signal ended: this and the signal's number.
const SIGNAL_CODE: i32 = 128;
/// What a line begins with that says why `target.kill` did not end a broker.
pub const COMPLAINT: &str = "target.kill: ";
/// What a supervisor exits with if it had to kill what it watched.
const KILLED_CODE: u8 = 137;
/// What a supervisor exits with if the command cannot be started, as `env` does.
pub const NOT_STARTED_CODE: u8 = 127;
/// How long a process may take to stop after SIGSTOP: one in an uninterruptible wait stops after that.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// The time between two looks whether all have stopped.
const PAUSE_LOOK: Duration = Duration::from_millis(1);

/// Runs the command until all of it has ended. The exit code is the command's own, or that of a
/// shell where a signal ended it.
pub fn supervise(args: &SuperviseArgs) -> Result<u8, Failure> {
    // Orphans are adopted by the nearest ancestor that asks for it.
    set_child_subreaper(Some(getpid())).context("cannot adopt orphans")?;
    let runtime = super::event_loop()?;
    let means = Means::of(args.stop_by.as_deref())?;
    runtime.block_on(async {
        // Before the command starts: a child that ends at once is noticed.
        let stop_max = args.stop_within.map_or(STOP_MAX, Duration::from_millis);
        let mut watch = Watch::new(stop_max)?;
        match spawn(&args.command) {
            Ok(first) => watch.run(&args.command, Watched::new(first, means)).await,
            Err(error) => {
                remark(&error);
                Ok(NOT_STARTED_CODE)
            }
        }
    })
}

/// Starts the command; gives its process number, or says why there is none.
fn spawn(command: &[String]) -> Result<u32, String> {
    let (program, arguments) = command.split_first().expect("clap asks for a command");
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn();
    let child = child.map_err(|error| format!("cannot start '{program}': {error}"))?;
    Ok(child.id())
}

struct Watch {
    child_ended: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// Held so that they do not end this process: what it watches would be left behind.
    _ignored: [tokio::signal::unix::Signal; 2],
    /// What the run wants; ends when that is gone.
    orders: mpsc::Receiver<SupervisorOrder>,
    /// How long what runs may take to end once that is gone.
    stop_max: Duration,
}

/// The command, and what became of it.
struct Watched {
    /// The process that was started first.
    first: u32,
    ended: Option<ExitStatus>,
    state: State,
    /// How it is told to end.
    means: Means,
    /// The process of the command that tells it to, while that runs.
    ending: Option<u32>,
}

impl Watched {
    /// The command whose first process is `first`, before it ends.
    fn new(first: u32, means: Means) -> Self {
        Self {
            first,
            ended: None,
            state: State::Runs,
            means,
            ending: None,
        }
    }

    /// Tells all of it to end.
    fn tell_to_end(&mut self) {
        match &self.means {
            Means::Signal(signal) => signal_all(*signal),
            Means::Command(command) => match spawn(command) {
                Ok(pid) => self.ending = Some(pid),
                Err(error) => {
                    self.end_otherwise(&format!("{error}: SIGTERM was sent in its place"))
                }
            },
        }
    }

    /// Takes note of the end of one of its processes.
    fn note(&mut self, pid: u32, status: ExitStatus) {
        if pid == self.first {
            self.ended = Some(status);
        }
        if self.ending == Some(pid) {
            self.ending = None;
            if let Means::Command(command) = &self.means
                && let Some(failed) = ending::failed(command, status)
            {
                self.end_otherwise(&failed);
            }
        }
    }

    /// The command that was to end it did not, for the reason `why`: says so, in the log and to the run.
    fn end_otherwise(&self, why: &str) {
        let complaint = format!("{COMPLAINT}{why}");
        remark(&complaint);
        // Refused if the run is gone: then the log says it.
        let _ = say(std::io::stdin(), &complaint, SendFlags::DONTWAIT);
        signal_all(Signal::TERM);
    }
}

/// Whether the command runs, by what the run wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// It does, until it ends by itself.
    Runs,
    /// It is stopped, and is to go on.
    Paused,
    /// It is to end, so that it can start again.
    Ending(SupervisorOrder),
    /// It has ended, and waits to be started again.
    Gone,
    /// All of it is to end for good.
    Told,
}

impl Watch {
    fn new(stop_max: Duration) -> Result<Self, Failure> {
        let handler = |kind| signal(kind).context("cannot handle a signal");
        Ok(Self {
            child_ended: handler(SignalKind::child())?,
            terminate: handler(SignalKind::terminate())?,
            _ignored: [
                handler(SignalKind::hangup())?,
                handler(SignalKind::interrupt())?,
            ],
            orders: orders::orders(),
            stop_max,
        })
    }

    /// Until everything that was started has ended by itself, or was told to for good.
    async fn run(&mut self, command: &[String], mut watched: Watched) -> Result<u8, Failure> {
        // When what runs is killed, once nothing but this process can say so.
        let mut kill_at: Option<Instant> = None;
        loop {
            if !reap(&mut watched) {
                match watched.state {
                    State::Runs | State::Paused | State::Told => {
                        return Ok(exit_code(watched.ended));
                    }
                    State::Ending(order) => {
                        watched.state = State::Gone;
                        answer(order);
                    }
                    State::Gone => {}
                }
            }
            tokio::select! {
                _ = self.child_ended.recv() => {
                    if watched.state == State::Ending(SupervisorOrder::Kill) {
                        // One that was being started may have been missed by the look before.
                        signal_all(Signal::KILL);
                    }
                    continue;
                }
                order = self.orders.recv(), if kill_at.is_none() => match order {
                    Some(order) => {
                        carry_out(order, command, &mut watched).await;
                        continue;
                    }
                    None => kill_at = Some(Instant::now() + self.stop_max),
                },
                _ = self.terminate.recv() => {
                    if watched.state == State::Told {
                        return self.kill(&mut watched).await;
                    }
                }
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                    return self.kill(&mut watched).await;
                }
            }
            if watched.state != State::Told {
                let before = std::mem::replace(&mut watched.state, State::Told);
                if before != State::Gone {
                    watched.tell_to_end();
                }
                if before == State::Paused {
                    // What we have stopped cannot end.
                    signal_all(Signal::CONT);
                }
            }
        }
    }

    /// Kills everything that has not ended.
    async fn kill(&mut self, watched: &mut Watched) -> Result<u8, Failure> {
        watched.ending = None;
        signal_all(Signal::KILL);
        // Nothing survives SIGKILL, but a process that is being started may be missed by one look.
        while reap(watched) {
            self.child_ended.recv().await;
            signal_all(Signal::KILL);
        }
        Ok(KILLED_CODE)
    }
}

/// Does what the run wants, and says so when it is done; of an end, that is when all has ended.
async fn carry_out(order: SupervisorOrder, command: &[String], watched: &mut Watched) {
    match order {
        SupervisorOrder::Kill => {
            watched.state = State::Ending(order);
            watched.ending = None;
            signal_all(Signal::KILL);
        }
        SupervisorOrder::Stop => {
            watched.state = State::Ending(order);
            watched.tell_to_end();
        }
        SupervisorOrder::Pause => {
            watched.state = State::Paused;
            pause_all().await;
            answer(order);
        }
        SupervisorOrder::Resume => {
            watched.state = State::Runs;
            signal_all(Signal::CONT);
            answer(order);
        }
        SupervisorOrder::Start => match spawn(command) {
            Ok(first) => {
                *watched = Watched::new(first, watched.means.clone());
                answer(order);
            }
            // With nothing to watch the supervisor ends.
            Err(error) => {
                remark(&error);
                watched.state = State::Runs;
            }
        },
    }
}

/// Stops all processes, also those that are being started meanwhile, and returns when they are stopped.
async fn pause_all() {
    let is_running = |pid: u32| process::state(pid).is_some_and(|state| !"TtZX".contains(state));
    let tried_until = Instant::now() + PAUSE_MAX;
    loop {
        signal_all(Signal::STOP);
        let all = tree::descendants(std::process::id());
        if !all.into_iter().any(is_running) || Instant::now() >= tried_until {
            return;
        }
        sleep_until(Instant::now() + PAUSE_LOOK).await;
    }
}

/// Takes note of all that have ended; whether any still runs.
fn reap(watched: &mut Watched) -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                report(pid, status.as_raw());
                let number = pid.as_raw_nonzero().get().cast_unsigned();
                watched.note(number, ExitStatus::from_raw(status.as_raw()));
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
    let text = format!("{} {status}", pid.as_raw_nonzero());
    // Refused if the run is gone, too: then nothing has to be told.
    let _ = say(std::io::stdin(), &text, SendFlags::DONTWAIT);
}

/// Tells the run that its order is carried out. The run waits for that, so what stands in the way is read soon.
fn answer(order: SupervisorOrder) {
    let _ = say(std::io::stdin(), order.done(), SendFlags::empty());
}

/// Tells the run at the other end of `run` something on a line of its own.
fn say(run: impl AsFd, text: &str, flags: SendFlags) -> io::Result<usize> {
    let line = format!("{text}\n");
    Ok(send(run, line.as_bytes(), flags | SendFlags::NOSIGNAL)?)
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

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::net::UnixStream;

    use super::*;

    /// What a run waits for is told even where it has not read how hundreds of processes ended, more than the socket holds.
    #[test]
    fn an_answer_waits_for_a_run_that_is_behind_in_reading() {
        let (ours, run) = UnixStream::pair().expect("a pair can be made");
        while say(&ours, "4711 0", SendFlags::DONTWAIT).is_ok() {}

        let answering = std::thread::spawn(move || say(ours, "paused", SendFlags::empty()));

        let lines = BufReader::new(run).lines().map_while(Result::ok);
        assert_eq!(lines.last().as_deref(), Some("paused"));
        let sent = answering.join().expect("it does not panic");
        assert_eq!(sent.expect("the run reads"), "paused\n".len());
    }
}
