//! `squall run`: runs scenario files and writes a report for each. `squall suite` runs its own through here.

mod closing;
mod folders;
mod kept;

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use squall_run::{Outcome, Run, worst_exit_code};
use tokio::task::LocalSet;

pub use closing::{Finished, Table};
pub use folders::Folders;

use crate::cli::{OutputArgs, RunArgs, WorkerArgs};
use crate::exit::Failure;
use crate::machine::limits::Limits;
use crate::machine::priority::Priority;
use crate::out_folder::OutFolder;
use crate::output::{print, print_line};
use crate::progress::{ProgressDisplay, Verbosity};
use crate::remark::remark;
use crate::run::signals::StopSignals;
use crate::run::{self, RunSpec};
use crate::scenario_file::ScenarioFile;

/// Runs every file in turn, also after one that failed, until a signal stops one. The worst exit code
/// counts.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let read = |path: &PathBuf| ScenarioFile::read(path.clone(), &args.overrides);
    let files = args.files.iter().map(read).collect();
    let ran = run_all(files, Folders::of_run(args), args.workers, &args.output)?;
    if ran.len() > 1 && !args.output.quiet {
        let table = Table::of(&ran);
        remark(&format!("\n{}{}", table.text(), table.closing_line("runs")));
    }
    Ok(exit_code(&ran))
}

/// Runs the scenarios in turn and writes a report for each. What became of each, in the same order.
///
/// All are checked before the first one runs: a mistake in the last one is not found an hour later.
///
/// # Errors
/// The first mistake, before anything ran. A run that fails is part of the answer.
pub fn run_all(
    files: Result<Vec<ScenarioFile>, Failure>,
    folders: Folders,
    workers: WorkerArgs,
    output: &OutputArgs,
) -> Result<Vec<Finished>, Failure> {
    let prepared = files
        .and_then(|files| prepare_all(files, &folders, workers, output))
        .inspect_err(|failure| tell_json(output, failure))?;
    let runtime = super::event_loop()?;
    // One for all files: a signal that comes between two of them is heard of too.
    let mut signals = runtime.block_on(async { StopSignals::handle() })?;
    let mut ran = Vec::new();
    let mut goes_on = true;
    for prepared in &prepared {
        if !goes_on {
            ran.push(Finished::not_run(&prepared.file));
            continue;
        }
        if let Some(skipped) = prepared.file.skipped() {
            tell_json(output, &skipped);
            skipped.report();
            ran.push(Finished::failed(&prepared.file, &skipped));
            continue;
        }
        let local = LocalSet::new();
        let ended = runtime.block_on(local.run_until(execute(prepared, output, &mut signals)));
        let ended = ended.unwrap_or_else(|failure| {
            tell_json(output, &failure);
            failure.report();
            Ended {
                goes_on: !matches!(failure, Failure::Stopped(_)),
                finished: Finished::failed(&prepared.file, &failure),
            }
        });
        ran.push(ended.finished);
        goes_on = ended.goes_on && runtime.block_on(signals.pending()).is_none();
    }
    Ok(ran)
}

/// The exit code where a signal kept some files from running.
const STOPPED_CODE: u8 = 4;

/// The worst exit code of what ran, or was to run.
pub fn exit_code(ran: &[Finished]) -> u8 {
    let codes = ran.iter().map(|of_one| of_one.code.unwrap_or(STOPPED_CODE));
    worst_exit_code(codes)
}

/// How one file ended.
struct Ended {
    finished: Finished,
    /// Whether the next file runs: not after a run that a signal stopped.
    goes_on: bool,
}

/// For a program that reads standard output: why there is no verdict.
fn tell_json(output: &OutputArgs, failure: &Failure) {
    if output.json {
        let text = if let Failure::Internal(error) = failure {
            format!("{error:#}")
        } else {
            failure.to_string()
        };
        let line = serde_json::json!({ "error": text, "exit_code": failure.code() });
        // The failure itself is reported on standard error in any case.
        let _ = print_line(&line.to_string());
    }
}

/// A scenario that fits on this machine, and a folder that takes its results.
struct Prepared {
    file: ScenarioFile,
    folder: OutFolder,
    limits: Limits,
    workers: Option<NonZeroU16>,
}

/// Checks each, and takes the folder for its results.
fn prepare_all(
    files: Vec<ScenarioFile>,
    folders: &Folders,
    workers: WorkerArgs,
    output: &OutputArgs,
) -> Result<Vec<Prepared>, Failure> {
    let workers = workers.count();
    let limits = Limits::raise_and_read(workers);
    // Without it, schedule lag tells what the default priority costs.
    let _ = Priority::raise();
    let prepare = |file: ScenarioFile| {
        if let Some(sentence) = file.same_name.as_ref().filter(|_| !output.quiet) {
            remark(&format!("note: {sentence}"));
        }
        file.check_limits(limits)?;
        let folder = folders.take_for(&file.scenario.name)?;
        if !output.force {
            crate::commands::refuse_to_replace(folder.path())?;
        }
        crate::commands::check_folder(folder.path())?;
        Ok(Prepared {
            file,
            folder,
            limits,
            workers,
        })
    };
    files.into_iter().map(prepare).collect()
}

async fn execute(
    prepared: &Prepared,
    output: &OutputArgs,
    signals: &mut StopSignals,
) -> Result<Ended, Failure> {
    let Prepared {
        file,
        folder,
        limits,
        workers,
    } = prepared;
    let folder = folder.path();
    let display = ProgressDisplay::new(match output.quiet {
        true => Verbosity::Silent,
        false => Verbosity::Progress,
    });
    // Beside the results only at the end: until then the folder holds nothing that is unfinished.
    let log = tempfile::NamedTempFile::new().context("cannot write to the temporary folder")?;
    let spec = RunSpec {
        file,
        limits: *limits,
        workers: *workers,
        target_log: log.path(),
    };

    let run = run::run(&spec, signals, display).await?;

    let written = match squall_reports::write_report(&run, folder) {
        Ok(written) => written,
        Err(error) => {
            // The run is judged all the same.
            let (kept, failure) = kept::keep_run_file(&run, &error);
            print_result(&run, kept.as_deref().unwrap_or(folder), output)?;
            return Err(failure);
        }
    };
    let kept_log = kept::keep_log(log.path(), folder)?;
    print_result(&run, &written.page, output)?;
    if !output.quiet {
        remark(&format!("report: {}", written.page.display()));
        match run.verdict.outcome {
            Outcome::Pass | Outcome::NoClaims => {}
            Outcome::Fail | Outcome::Invalid => {
                if let Some(log) = kept_log {
                    remark(&format!("the target's log: {}", log.display()));
                }
            }
        }
    }
    Ok(Ended {
        finished: Finished::judged(file, &run, written.page),
        goes_on: run.times.stopped.is_none(),
    })
}

fn print_result(run: &Run, report: &Path, output: &OutputArgs) -> Result<(), Failure> {
    if output.json {
        print_line(&squall_reports::summary_line(run, report))?;
    } else if !output.quiet {
        print(&squall_reports::terminal_summary(run, super::screen()))?;
    }
    if output.quiet {
        let name = &run.identity.name;
        let outcome = run.verdict.outcome.as_str();
        let told = run.told();
        for line in told.iter().flat_map(|part| &part.lines) {
            remark(&format!("{name}: {outcome}: {}: {}", line.label, line.text));
        }
    }
    Ok(())
}
