//! The commands that give payloads: each is started before a run, read line by line while it goes on, and stopped after it.
//!
//! A command runs under a supervisor, as a target does: what it starts ends with it, and it ends with this program, killed or
//! not. It is read when the fleet asks for lines, and not before: meanwhile its pipe is full, and it waits.

mod reader;

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::pending;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use squall_fleet::LinesEvent;
use squall_ledger::Recorder;
use squall_run::{PayloadCommand, duration_text};
use squall_scenario::{LineStream, LinesId};
use tempfile::TempPath;
use tokio::process::ChildStdout;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::clock::Clock;
use crate::drive::Drive;
use crate::exit::Failure;
use crate::progress::ProgressDisplay;
use crate::scenario_file::{ScenarioFile, name_of};
use crate::target::{Child, Ending, Haste};

use reader::{LineReader, NoMore};

/// How long a command may take until its first line is there: the run begins with it.
const FIRST_LINE_MAX: Duration = Duration::from_secs(10);

/// The exit code of a shell for a program that a signal ended is this and the signal's number.
const SIGNAL_CODE: i32 = 128;

type Reader = LineReader<ChildStdout>;

/// What came of one read.
type Got = Result<Vec<Rc<[u8]>>, NoMore>;

/// The commands of one run, by [`LinesId`].
pub(super) struct Commands(Vec<Command>);

struct Command {
    child: Child,
    /// Where it writes its standard error to.
    log: TempPath,
    group: String,
    /// `None` while it is read.
    reader: Option<Reader>,
    /// What was read before the fleet asked.
    first: Vec<Rc<[u8]>>,
    /// Why it is not read on.
    no_more: Option<NoMore>,
}

impl Commands {
    /// Starts all commands of a scenario, and waits until each has written a line.
    ///
    /// Errors if one does not: nothing was run then, and all of them end.
    pub(super) async fn start(file: &ScenarioFile) -> Result<Self, Failure> {
        let streams = file.scenario.line_streams();
        let started = streams.map(|stream| Command::start(file, &stream));
        let mut commands = started.collect::<Result<Vec<_>, Failure>>()?;
        let latest = Instant::now() + FIRST_LINE_MAX;
        for (command, stream) in commands.iter_mut().zip(file.scenario.line_streams()) {
            if let Err(why) = command.await_first(latest).await {
                return Err(Failure::Usage(format!(
                    "{}: the command of group {} that gives payloads, `{}`, {why}",
                    name_of(&file.path),
                    stream.group.name,
                    stream.command.text()
                )));
            }
        }
        Ok(Self(commands))
    }

    /// Reads what the fleet of `drive` asks for, and tells it.
    pub(super) async fn carry_out(
        &mut self,
        mut asked: mpsc::Receiver<LinesId>,
        drive: &Drive<Recorder>,
        teller: Teller<'_>,
    ) -> Infallible {
        let mut reading = JoinSet::new();
        loop {
            tokio::select! {
                Some(id) = asked.recv() => {
                    let command = &mut self.0[usize::from(id.0)];
                    let first = std::mem::take(&mut command.first);
                    if first.is_empty() {
                        if let Some(reader) = command.reader.take() {
                            reading.spawn_local(read(id, reader));
                        }
                    } else {
                        drive.tell_of_lines(id, LinesEvent::Came(&first));
                    }
                }
                Some(done) = reading.join_next() => {
                    let (id, reader, got) = done.expect("reading does not panic, and is not aborted");
                    let command = &mut self.0[usize::from(id.0)];
                    match got {
                        Ok(lines) => {
                            command.reader = Some(reader);
                            drive.tell_of_lines(id, LinesEvent::Came(&lines));
                        }
                        Err(why) => {
                            teller.tell(&command.group, &why);
                            command.no_more = Some(why);
                            drive.tell_of_lines(id, LinesEvent::Ended);
                        }
                    }
                }
                // Whether more is to be read is for the run to say.
                else => return pending().await,
            }
        }
    }

    /// Stops all that still run, and writes into what was told of each how it ended, if it did by itself.
    pub(super) async fn finish(self, told: &mut [PayloadCommand]) {
        let mut stopping = JoinSet::new();
        for (place, mut command) in self.0.into_iter().enumerate() {
            // What it said before it was told to stop.
            let last_lines = command.child.last_lines();
            stopping.spawn_local(async move {
                let ending = command.child.stop(Haste::Hurried).await;
                (place, last_lines, how(&ending, command.no_more.as_ref()))
            });
        }
        while let Some(done) = stopping.join_next().await {
            let (place, last_lines, how) = done.expect("stopping does not panic");
            if let Some(end) = told.get_mut(place).and_then(|told| told.end.as_mut()) {
                end.how = Some(how);
                end.last_lines = last_lines;
            }
        }
    }
}

impl Command {
    fn start(file: &ScenarioFile, stream: &LineStream<'_>) -> Result<Self, Failure> {
        let log = tempfile::NamedTempFile::new().context("cannot write to the temporary folder")?;
        // A descriptor less for each.
        let log = log.into_temp_path();
        let seed = file.scenario.seed.to_string();
        let env = [
            ("SQUALL_SEED", seed.as_str()),
            ("SQUALL_GROUP", stream.group.name.as_str()),
        ];
        let (child, stdout) = Child::generator(&stream.command.words, file.folder(), &env, &log)?;
        Ok(Self {
            child,
            log,
            group: stream.group.name.clone(),
            reader: Some(LineReader::new(stdout)),
            first: Vec::new(),
            no_more: None,
        })
    }

    /// Waits for its first lines. Errors if they have not come by `latest`, or cannot.
    async fn await_first(&mut self, latest: Instant) -> Result<(), String> {
        let Some(reader) = &mut self.reader else {
            return Ok(());
        };
        match timeout_at(latest, reader.next()).await {
            Ok(Ok(lines)) => {
                self.first = lines;
                Ok(())
            }
            Ok(Err(why)) => {
                let ending = self.child.stop(Haste::Hurried).await;
                let how = how(&ending, Some(&why));
                Err(format!("gave no line: {how}; {}", self.words()))
            }
            Err(_) => Err(format!(
                "gave no line within {}; {}. A program that holds its output back in a buffer has to flush it",
                duration_text(FIRST_LINE_MAX.as_secs_f64()),
                self.words()
            )),
        }
    }

    /// What it wrote to its standard error.
    fn words(&self) -> String {
        match std::fs::metadata(&self.log).is_ok_and(|log| log.len() > 0) {
            true => format!("it said:\n{}", self.child.words()),
            false => "it said nothing on its standard error".to_owned(),
        }
    }
}

/// Reads the next lines of a command.
async fn read(id: LinesId, mut reader: Reader) -> (LinesId, Reader, Got) {
    let got = reader.next().await;
    (id, reader, got)
}

/// How a command ended by itself, or why it was not read on.
fn how(ending: &Ending, no_more: Option<&NoMore>) -> String {
    match (no_more, ending) {
        (Some(why @ (NoMore::TooLong | NoMore::Failed(_))), _) => why.to_string(),
        // It had ended by itself, whether its supervisor was still there or not.
        (_, Ending::EndedEarly(status) | Ending::Stopped(status)) => status_text(*status),
        (
            _,
            Ending::Died { .. }
            | Ending::Killed
            | Ending::CutShort(_)
            | Ending::Silent(_)
            | Ending::Unasked(_),
        ) => "its output ended".to_owned(),
    }
}

/// `exit status: 1`, or `signal: 9` as its supervisor says it.
fn status_text(status: ExitStatus) -> String {
    match status.code() {
        Some(code) if code > SIGNAL_CODE => format!("signal: {}", code - SIGNAL_CODE),
        Some(_) | None => status.to_string(),
    }
}

/// Who hears at once that a command gives no more.
#[derive(Clone, Copy)]
pub(super) struct Teller<'a> {
    pub(super) display: &'a RefCell<ProgressDisplay>,
    pub(super) clock: Clock,
}

impl Teller<'_> {
    fn tell(self, group: &str, why: &NoMore) {
        let at = duration_text(self.clock.now().as_secs_f64());
        let remark =
            format!("{at} into the run the command of group {group} gave no more lines: {why}");
        self.display.borrow().remark(&remark);
    }
}
