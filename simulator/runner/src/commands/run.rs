//! `squall run`: runs scenario files and writes a report for each.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use squall_reports::ReportError;
use squall_run::{Outcome, Run, worst_exit_code};
use tokio::task::LocalSet;

use crate::cli::RunArgs;
use crate::clock;
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
///
/// All files are read and checked before the first one runs: a mistake in the last one is not
/// found an hour later.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let prepared = prepare_all(args).inspect_err(|failure| tell_json(args, failure))?;
    let runtime = super::event_loop()?;
    // One for all files: a signal that comes between two of them is heard of too.
    let mut signals = runtime.block_on(async { StopSignals::handle() })?;
    let mut codes = Vec::new();
    for prepared in &prepared {
        let local = LocalSet::new();
        let ended = runtime.block_on(local.run_until(execute(prepared, args, &mut signals)));
        let ended = ended.unwrap_or_else(|failure| {
            tell_json(args, &failure);
            failure.report();
            Ended {
                code: failure.code(),
                goes_on: !matches!(failure, Failure::Stopped(_)),
            }
        });
        codes.push(ended.code);
        let signal = runtime.block_on(signals.pending());
        if signal.is_some() || !ended.goes_on {
            break;
        }
    }
    if prepared.len() > 1 && !args.quiet {
        remark(&closing_line(&prepared, &codes));
    }
    if codes.len() < prepared.len() {
        codes.push(STOPPED_CODE);
    }
    Ok(worst_exit_code(codes))
}

/// The exit code where a signal kept some files from running.
const STOPPED_CODE: u8 = 4;

/// How one file ended.
struct Ended {
    code: u8,
    /// Whether the next file runs: not after a run that a signal stopped.
    goes_on: bool,
}

fn prepare_all(args: &RunArgs) -> Result<Vec<Prepared>, Failure> {
    let limits = Limits::raise_and_read();
    // Without it, schedule lag tells what the default priority costs.
    let _ = Priority::raise();
    let files = args.files.iter();
    files
        .map(|path| prepare(path.clone(), args, limits))
        .collect()
}

/// For a program that reads standard output: why there is no verdict.
fn tell_json(args: &RunArgs, failure: &Failure) {
    if args.json {
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

/// `1 of 3 runs passed; not passed: a (exit code 98); not run: c`
fn closing_line(prepared: &[Prepared], codes: &[u8]) -> String {
    let others: Vec<String> = prepared
        .iter()
        .zip(codes)
        .filter(|(_, code)| **code != 0)
        .map(|(prepared, code)| format!("{} (exit code {code})", prepared.file.scenario.name))
        .collect();
    let passed = codes.len() - others.len();
    let not_run: Vec<&str> = prepared
        .iter()
        .skip(codes.len())
        .map(|prepared| prepared.file.scenario.name.as_str())
        .collect();
    let mut line = format!("{passed} of {} runs passed", prepared.len());
    if !others.is_empty() {
        line.push_str(&format!("; not passed: {}", others.join(", ")));
    }
    if !not_run.is_empty() {
        line.push_str(&format!("; not run: {}", not_run.join(", ")));
    }
    line
}

/// A scenario that fits on this machine, and a folder that takes its results.
struct Prepared {
    file: ScenarioFile,
    folder: OutFolder,
    limits: Limits,
}

/// Reads and checks one file, and takes the folder for its results.
fn prepare(path: PathBuf, args: &RunArgs, limits: Limits) -> Result<Prepared, Failure> {
    let file = ScenarioFile::read(path, &args.overrides)?;
    if let Some(sentence) = file.same_name.as_ref().filter(|_| !args.quiet) {
        remark(&format!("note: {sentence}"));
    }
    file.check_limits(limits)?;
    let folder = match &args.out {
        Some(out) if args.files.len() == 1 => take(out.clone())?,
        Some(out) => first_free(&out.join(&file.scenario.name), args)?,
        None => {
            let time = clock::iso_8601(clock::since_epoch()).replace(':', "");
            let name = format!("{}-{time}", file.scenario.name);
            first_free(&Path::new("squall-out").join(name), args)?
        }
    };
    if !args.force {
        super::refuse_to_replace(folder.path())?;
    }
    super::check_folder(folder.path())?;
    Ok(Prepared {
        file,
        folder,
        limits,
    })
}

fn take(folder: PathBuf) -> Result<OutFolder, Failure> {
    OutFolder::take(folder).map_err(|error| Failure::Usage(error.to_string()))
}

/// The first of `wanted`, `wanted-2` and so on that no run is going to write into: neither one of
/// this command nor another squall. One that squall names itself also replaces no earlier run.
fn first_free(wanted: &Path, args: &RunArgs) -> Result<OutFolder, Failure> {
    let mut folders = numbered(wanted)
        .filter(|folder| args.out.is_some() || !super::holds_a_run(folder))
        .filter_map(|folder| OutFolder::take(folder).ok());
    Ok(folders.next().context("there are more names than files")?)
}

/// `folder`, `folder-2`, `folder-3` and so on.
fn numbered(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let others = (2_u32..).map(move |number| {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    });
    std::iter::once(folder.to_owned()).chain(others)
}

async fn execute(
    prepared: &Prepared,
    args: &RunArgs,
    signals: &mut StopSignals,
) -> Result<Ended, Failure> {
    let Prepared {
        file,
        folder,
        limits,
    } = prepared;
    let folder = folder.path();
    let display = ProgressDisplay::new(match args.quiet {
        true => Verbosity::Silent,
        false => Verbosity::Progress,
    });
    // Beside the results only at the end: until then the folder holds nothing that is unfinished.
    let log = tempfile::NamedTempFile::new().context("cannot write to the temporary folder")?;
    let spec = RunSpec {
        file,
        limits: *limits,
        target_log: log.path(),
    };

    let run = run::run(&spec, signals, display).await?;

    let written = match squall_reports::write_report(&run, folder) {
        Ok(written) => written,
        Err(error) => {
            // The run is judged all the same.
            let (kept, failure) = keep_run_file(&run, &error);
            print_result(&run, kept.as_deref().unwrap_or(folder), args)?;
            return Err(failure);
        }
    };
    let kept_log = keep_log(log.path(), folder)?;
    print_result(&run, &written.page, args)?;
    if !args.quiet {
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
        code: run.verdict.exit_code,
        goes_on: run.times.stopped.is_none(),
    })
}

/// Puts what the target said beside the results, in place of what an earlier one said; `None` if it
/// said nothing.
fn keep_log(log: &Path, folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let kept = folder.join("target.log");
    if !fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0) {
        return match fs::remove_file(&kept) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).context("cannot remove the log of an earlier target")?
            }
            Ok(()) | Err(_) => Ok(None),
        };
    }
    fs::copy(log, &kept).context("cannot keep the target's log")?;
    Ok(Some(kept))
}

/// The disk filled up, or the folder went away, while the run went on: what was measured is kept.
/// Where that is, if anywhere, and what to say.
fn keep_run_file(run: &Run, error: &ReportError) -> (Option<PathBuf>, Failure) {
    let text = super::with_causes(error);
    let kept = tempfile::Builder::new()
        .prefix("squall-run-")
        .suffix(".json")
        .tempfile()
        .and_then(|mut file| {
            file.write_all(run.to_json().as_bytes())?;
            Ok(file.keep()?.1)
        });
    match kept {
        Ok(path) => {
            let text = format!(
                "{text}; the run is kept in {0}: squall report {0} --out FOLDER",
                path.display()
            );
            (Some(path), Failure::Internal(anyhow!(text)))
        }
        Err(cause) => {
            let text = format!("{text}; nor could the run be kept elsewhere: {cause}");
            (None, Failure::Internal(anyhow!(text)))
        }
    }
}

fn print_result(run: &Run, report: &Path, args: &RunArgs) -> Result<(), Failure> {
    if args.json {
        print_line(&squall_reports::summary_line(run, report))?;
    } else if !args.quiet {
        print(&squall_reports::terminal_summary(run, super::screen()))?;
    }
    if args.quiet {
        let name = &run.identity.name;
        let outcome = run.verdict.outcome.as_str();
        let told = run.told();
        for line in told.iter().flat_map(|part| &part.lines) {
            remark(&format!("{name}: {outcome}: {}: {}", line.label, line.text));
        }
    }
    Ok(())
}
