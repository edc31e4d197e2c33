//! A target that runs as our child process, or a command that gives payloads.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use squall_scenario::{SpawnTarget, StopBy};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{self, ChildStdout, Command};
use tokio::time::{Instant, timeout};

use super::place::Place;
use super::reports::Reports;
use super::watch::{Death, Watch};
use crate::commands::broker::LISTENING;
use crate::commands::supervise::{self, SupervisorOrder};
use crate::exit::Failure;
use crate::machine::processes::Processes;

/// How long our own broker may take to stop after SIGTERM before it is killed.
const OWN_STOP_MAX: Duration = Duration::from_secs(5);
/// How long any broker may take to stop after SIGTERM where the user does not want to wait.
const HURRIED_STOP_MAX: Duration = Duration::from_secs(1);
/// How long a command that gives payloads may take to end after this process was killed: it has nothing to write down.
const GENERATOR_STOP_MAX: Duration = Duration::from_millis(500);
/// How long a supervisor may take for itself, once it has killed what it watches.
const SUPERVISOR_STOP_MAX: Duration = Duration::from_secs(2);
/// Lines that an error shows of the beginning of a child's output.
const FIRST_LINES: usize = 3;
/// Bytes in which those of its end are looked for.
const END_BYTES: u64 = 64 * 1024;
/// Lines that an error shows of its end.
const LAST_LINES: usize = 5;
/// How long our own broker may take to say where it listens.
const ANNOUNCE_MAX: Duration = Duration::from_secs(10);

/// A running child. Dropping it stops it and all that it started.
pub struct Child {
    process: process::Child,
    kind: Kind,
    maker: Maker,
    command_line: String,
    /// Where its output goes.
    log: PathBuf,
    /// A supervisor's standard input, by which it is stopped and tells statuses.
    reports: Option<Rc<Reports>>,
    /// When it was told to stop.
    told_at: Option<Instant>,
}

/// How long to wait for a child that is told to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Haste {
    /// As long as a broker may need.
    Patient,
    /// As short as gives it a chance: the user has asked twice.
    Hurried,
}

/// What the child process is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// Our own broker. It ends when its standard input does.
    Broker,
    /// A supervisor of a broker's command. It stops that when its standard input ends.
    Supervisor,
}

/// Whose broker it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Maker {
    /// Ours, which promises how long it takes to stop.
    Squall,
    /// Another's.
    Other,
}

/// How a child ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ending {
    /// It stopped after SIGTERM, with this status.
    Stopped(ExitStatus),
    /// Its broker ended by itself while it was watched.
    Died {
        /// When, which process, and how.
        death: Death,
        /// The status of the command that started it, if that ended by itself too.
        wrapper: Option<ExitStatus>,
        /// What it printed last.
        last_lines: Vec<String>,
    },
    /// It had ended before it was told to, unseen.
    EndedEarly(ExitStatus),
    /// It was ours, did not stop in time and was killed.
    Killed,
    /// It was killed when it had not ended this long after it was told to. That does not count against it:
    /// it is another broker than ours, which promises nothing about how long it takes to stop, or the user
    /// did not want to wait.
    CutShort(Duration),
    /// It did not answer a CONNECT at the end, for this reason.
    Silent(String),
    /// It could not be asked at the end, for this reason on our side.
    Unasked(String),
}

impl Ending {
    /// The status of a child that ended by itself.
    pub fn status(&self) -> Option<ExitStatus> {
        match self {
            Self::EndedEarly(status) => Some(*status),
            Self::Died { wrapper, .. } => *wrapper,
            Self::Stopped(_)
            | Self::Killed
            | Self::CutShort(_)
            | Self::Silent(_)
            | Self::Unasked(_) => None,
        }
    }
}

impl Child {
    /// Starts this very program as a broker on a free port.
    pub(super) fn embedded(log: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        command.args(["broker", "--port", "0", "--until-stdin-ends"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(Self::start(command, Kind::Broker, String::new(), log)?.of_ours())
    }

    /// Starts another broker, the placeholders of its command, its environment and its files filled in.
    pub(super) fn spawned(
        spawn: &SpawnTarget,
        place: &mut Place,
        log: &Path,
    ) -> Result<Self, Failure> {
        place.write(&spawn.config)?;
        let words = spawn.command.iter().map(|word| place.fill_in(word));
        let words = words.collect::<Result<Vec<String>, Failure>>()?;
        let env = spawn.env.iter();
        let env = env.map(|(name, value)| Ok((name, place.fill_in(value)?)));
        let env = env.collect::<Result<Vec<_>, Failure>>()?;
        let stop_by = match &spawn.kill {
            StopBy::Sigterm => None,
            StopBy::Signal(_) | StopBy::Command(_) => {
                Some(format!("--stop-by={}", place.fill_in(&spawn.kill.text())?))
            }
        };
        let (mut command, reports) = supervisor(&words, stop_by)?;
        command.envs(env).stdout(open_log(log)?);
        let mut child = Self::start(command, Kind::Supervisor, words.join(" "), log)?;
        child.reports = Some(reports);
        Ok(child)
    }

    /// Starts a command that gives payloads in `folder`, with `env` beside the environment of this process. Its standard
    /// output comes with it; what it says otherwise goes to `log`.
    pub fn generator(
        words: &[String],
        folder: &Path,
        env: &[(&str, &str)],
        log: &Path,
    ) -> Result<(Self, ChildStdout), Failure> {
        let stop_within = format!("--stop-within={}", GENERATOR_STOP_MAX.as_millis());
        let (mut command, reports) = supervisor(words, Some(stop_within))?;
        command.current_dir(folder).envs(env.iter().copied());
        command.stdout(Stdio::piped());
        let mut child = Self::start(command, Kind::Supervisor, words.join(" "), log)?;
        child.reports = Some(reports);
        let stdout = child.process.stdout.take();
        Ok((child, stdout.context("the command's output is a pipe")?))
    }

    fn start(
        mut command: Command,
        kind: Kind,
        command_line: String,
        log: &Path,
    ) -> Result<Self, Failure> {
        // A group of its own: Ctrl-C in the terminal ends the run, not the broker under it.
        command.stderr(open_log(log)?).process_group(0);
        // A supervisor that is killed would leave behind what it watches.
        command.kill_on_drop(kind == Kind::Broker);
        let process = command.spawn().map_err(|error| {
            let program = command.as_std().get_program().to_string_lossy();
            Failure::Unreachable(format!("cannot start '{program}': {error}"))
        })?;
        Ok(Self {
            process,
            kind,
            maker: Maker::Other,
            command_line,
            log: log.to_owned(),
            reports: None,
            told_at: None,
        })
    }

    /// Waits until our own broker says where it listens.
    pub(super) async fn embedded_address(&mut self) -> Result<SocketAddr, Failure> {
        let stdout = self
            .process
            .stdout
            .as_mut()
            .context("the broker's output is a pipe")?;
        let mut line = String::new();
        let mut reader = BufReader::new(stdout);
        let read = timeout(ANNOUNCE_MAX, reader.read_line(&mut line)).await;
        let announced = line
            .trim_end()
            .strip_prefix(LISTENING)
            .and_then(|rest| rest.parse().ok());
        match (read, announced) {
            (Ok(Ok(_)), Some(address)) => Ok(address),
            _ => Err(Failure::Unreachable(format!(
                "the embedded broker did not start: {}",
                self.words()
            ))),
        }
    }

    /// The command line, ports filled in.
    pub fn command_line(&self) -> &str {
        &self.command_line
    }

    /// What to measure; `None` once it has ended.
    pub fn processes(&self) -> Option<Processes> {
        let pid = self.process.id()?;
        Some(match self.kind {
            Kind::Broker => Processes::One(pid),
            Kind::Supervisor => Processes::Below(pid),
        })
    }

    /// What tells when the process that listens on `port` ends; `None` if it has ended.
    pub(super) fn watch(&self, port: u16) -> Option<Watch> {
        Some(Watch::new(self.processes()?, port, self.reports.clone()))
    }

    /// The same child, known to be our own broker.
    pub(super) fn of_ours(self) -> Self {
        Self {
            maker: Maker::Squall,
            command_line: "squall broker".to_owned(),
            ..self
        }
    }

    /// Has its supervisor do something to it, and waits until that is done. False without one, and if it has ended.
    pub(super) async fn carry_out(&self, order: SupervisorOrder) -> bool {
        match &self.reports {
            Some(reports) => reports.carry_out(order).await,
            None => false,
        }
    }

    /// Why `target.kill` did not end it, each time that it did not. Asked once it has ended.
    pub(super) async fn complaints(&self) -> Vec<String> {
        let Some(reports) = &self.reports else {
            return Vec::new();
        };
        // What the supervisor had started may still hold its end of the socket.
        let _ = timeout(SUPERVISOR_STOP_MAX, reports.read_to_end()).await;
        reports.take_complaints()
    }

    /// The last lines of its output.
    pub fn last_lines(&self) -> Vec<String> {
        let output = end_of(&self.log).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let mut lines: Vec<String> = output.lines().map(str::to_owned).collect();
        lines.split_off(lines.len().saturating_sub(LAST_LINES))
    }

    /// The first and the last lines of its output, or that there is none. The first are shown because a
    /// program that was called wrongly says so first, and then prints how to call it.
    pub fn words(&self) -> String {
        let lines = self.lines();
        let left_out = lines.len().saturating_sub(FIRST_LINES + LAST_LINES);
        match (lines.is_empty(), left_out) {
            (true, _) => "it printed nothing".to_owned(),
            (false, 0) => lines.join("\n"),
            (false, left_out) => format!(
                "{}\n... {left_out} lines ...\n{}",
                lines[..FIRST_LINES].join("\n"),
                lines[lines.len() - LAST_LINES..].join("\n")
            ),
        }
    }

    fn lines(&self) -> Vec<String> {
        let output = fs::read(&self.log).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        output.lines().map(str::to_owned).collect()
    }

    /// Its status, if it has ended by itself.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// Stops it: SIGTERM, and SIGKILL if that does not help. One that was told to stop before, by a call
    /// that did not come to its end, is not told again.
    pub async fn stop(&mut self, haste: Haste) -> Ending {
        if let Some(status) = self.ended() {
            return match self.told_at {
                Some(_) => Ending::Stopped(status),
                None => Ending::EndedEarly(status),
            };
        }
        let told_at = match self.told_at {
            Some(at) => at,
            None => {
                let now = Instant::now();
                self.told_at = Some(now);
                self.terminate();
                now
            }
        };
        if let Ok(Ok(status)) = timeout(self.stop_max(haste), self.process.wait()).await {
            return Ending::Stopped(status);
        }
        self.kill().await;
        match (haste, self.maker) {
            (Haste::Patient, Maker::Squall) => Ending::Killed,
            (Haste::Hurried, Maker::Squall) | (_, Maker::Other) => {
                Ending::CutShort(told_at.elapsed())
            }
        }
    }

    /// How long it may take to stop after SIGTERM before it is killed.
    pub(super) fn stop_max(&self, haste: Haste) -> Duration {
        match (haste, self.maker) {
            (Haste::Hurried, Maker::Squall | Maker::Other) => HURRIED_STOP_MAX,
            (Haste::Patient, Maker::Squall) => OWN_STOP_MAX,
            (Haste::Patient, Maker::Other) => supervise::STOP_MAX,
        }
    }

    /// Sends it SIGTERM.
    fn terminate(&self) {
        let pid = self.process.id();
        if let Some(pid) = pid.and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            // It may have ended in between: then there is nothing to signal.
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Kills it, with all that a supervisor watches.
    async fn kill(&mut self) {
        if self.kind == Kind::Supervisor {
            // It was told once; told again it kills, and ends.
            self.terminate();
            if timeout(SUPERVISOR_STOP_MAX, self.process.wait())
                .await
                .is_ok()
            {
                return;
            }
        }
        // Refused only if it has ended meanwhile.
        let _ = self.process.kill().await;
    }
}

/// A supervisor of the command `words` with an option of its own, to be started, and our end of its standard input.
fn supervisor(words: &[String], option: Option<String>) -> Result<(Command, Rc<Reports>), Failure> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let (ours, theirs) = UnixStream::pair().context("cannot make a socket")?;
    ours.set_nonblocking(true).context("cannot make a socket")?;
    let ours = tokio::net::UnixStream::from_std(ours).context("cannot make a socket")?;
    let mut command = Command::new(program);
    command
        .arg("supervise")
        .args(option)
        .arg("--")
        .args(words)
        .stdin(OwnedFd::from(theirs));
    Ok((command, Rc::new(Reports::new(ours))))
}

/// The end of a file, which may be large.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END_BYTES)))?;
    let mut end = Vec::new();
    file.take(END_BYTES).read_to_end(&mut end)?;
    Ok(end)
}

fn open_log(path: &Path) -> Result<File, Failure> {
    let log = File::options().create(true).append(true).open(path);
    Ok(log.with_context(|| format!("cannot write {}", path.display()))?)
}
