//! `squall run`: runs scenario files and writes a report for each. `squall suite` runs its own through here.

mod baseline;
mod closing;
mod folders;
mod kept;
mod series;
mod step_summary;

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use squall_reports::{TestSuite, WithoutVerdict};
use squall_run::{ComparedRun, Outcome, Run, RunSet, SCENARIO, StopCause, worst_exit_code};
use tokio::task::LocalSet;

use baseline::Baseline;
pub use closing::Table;
pub use folders::new_folder;
pub use series::Series;

use crate::cli::{OverrideArgs, RunArgs};
use crate::clock;
use crate::exit::Failure;
use crate::layers::Layers;
use crate::live::{Live, Over};
use crate::machine::limits::Limits;
use crate::machine::priority::Priority;
use crate::open_page::open_page;
use crate::out_folder::OutFolder;
use crate::output::{print, print_line};
use crate::output_args::OutputArgs;
use crate::progress::{ProgressDisplay, Verbosity};
use crate::remark::remark;
use crate::run::signals::StopSignals;
use crate::run::{self, RunSpec, Watched};
use crate::scenario_file::ScenarioFile;
use crate::scenario_runs::ScenarioRuns;
use crate::worker_args::WorkerArgs;

/// Runs every file in turn, also after one that failed, until a signal stops one. The worst exit code
/// counts.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let mut changes = args.overrides.clone();
    if let Some(repeat) = args.repeat {
        changes.set.push(format!("run.repeat={repeat}"));
    }
    let (series, baseline) =
        prepared(args, &changes).inspect_err(|failure| tell_json(&args.output, failure))?;
    let live =
        Live::open(args.live.wanted()).inspect_err(|failure| tell_json(&args.output, failure))?;
    let folder = series[0].folder().map(Path::to_owned);
    let means = Means {
        workers: args.workers,
        live,
    };
    let ran = run_all(Ok(series), means, &args.output)?;
    let total: usize = ran.iter().map(|set| set.runs.len()).sum();
    if total > 1 && !args.output.quiet {
        let all = match ran.as_slice() {
            [only] => only.clone(),
            several => together(several),
        };
        let table = Table::of(&all);
        remark(&format!("\n{}{}", table.text(), table.closing_line("runs")));
    }
    let worse = match baseline {
        Some(baseline) => baseline.judge(&ran[0], folder.as_deref(), args)?,
        None => 0,
    };
    Ok(worst_exit_code([exit_code(&ran), worse]))
}

/// What is to run, and what it is held against.
fn prepared(
    args: &RunArgs,
    changes: &OverrideArgs,
) -> Result<(Vec<Series>, Option<Baseline>), Failure> {
    let read = |path: &PathBuf| ScenarioRuns::read(path.clone(), changes);
    let all = args.files.iter().map(read);
    let all = all.collect::<Result<Vec<ScenarioRuns>, Failure>>()?;
    let baseline = Baseline::of(args, &all)?;
    let series = all.into_iter().map(|runs| Series::of_file(runs, args));
    Ok((series.collect::<Result<_, Failure>>()?, baseline))
}

/// The runs of several files in one table, each under its scenario's name.
fn together(sets: &[RunSet]) -> RunSet {
    let mut all = RunSet::new(String::new(), None, vec![SCENARIO.to_owned()]);
    for set in sets {
        for run in &set.runs {
            let values = match set.label_of(&run.values) {
                label if label.is_empty() => set.name.clone(),
                label => format!("{} {label}", set.name),
            };
            all.runs.push(ComparedRun {
                values: vec![values],
                ..run.clone()
            });
        }
    }
    all
}

/// What runs are carried out with.
#[derive(Default)]
pub struct Means {
    /// Threads that have the connections.
    pub workers: WorkerArgs,
    /// Where they can be watched as they go.
    pub live: Option<Live>,
}

/// Runs the scenarios in turn and writes a report for each, and a page for all of a series that has a folder. What became
/// of each, in the same order.
///
/// All are checked before the first one runs: a mistake in the last one is not found an hour later. The page is written
/// again after each run: it holds what there is, however the command ends.
///
/// # Errors
/// The first mistake, before anything ran, and a page that cannot be written. A run that fails is part of the answer.
pub fn run_all(
    series: Result<Vec<Series>, Failure>,
    means: Means,
    output: &OutputArgs,
) -> Result<Vec<RunSet>, Failure> {
    let Means { workers, live } = means;
    let (mut all, prepared) = series
        .and_then(|series| {
            let prepared = prepare_all(&series, workers, output)?;
            Ok((series, prepared))
        })
        .inspect_err(|failure| tell_json(output, failure))?;
    let runtime = super::event_loop()?;
    // One for all files: a signal that comes between two of them is heard of too.
    let mut signals = runtime.block_on(async { StopSignals::handle() })?;
    let mut goes_on = true;
    let total = prepared.len();
    for (place, prepared) in prepared.iter().enumerate() {
        let of_series = &mut all[prepared.series];
        let values = of_series.values_of(&prepared.file);
        let ended = if !goes_on {
            let why = "a signal ended the command before it began";
            Ended {
                suite: without_verdict(prepared, WithoutVerdict::NotRun, why),
                run: closing::not_run(&prepared.file, values),
                goes_on: false,
            }
        } else if let Some(skipped) = prepared.file.skipped() {
            told(prepared, values, &skipped, output)
        } else {
            tell_progress(prepared, place, of_series, output);
            let watched = live.as_ref().map(|live| Watched {
                live,
                place: [place + 1, total],
            });
            let local = LocalSet::new();
            let running = execute(prepared, values.clone(), output, (&mut signals, watched));
            let ended = runtime.block_on(local.run_until(running));
            if let (Some(live), Err(failure)) = (&live, &ended) {
                runtime.block_on(live.tell_over(Over::without_verdict(&failure.to_string())));
            }
            ended.unwrap_or_else(|failure| told(prepared, values, &failure, output))
        };
        of_series.set.runs.push(ended.run);
        of_series.suites.push(ended.suite);
        of_series.write_page()?;
        goes_on = ended.goes_on && runtime.block_on(signals.pending()).is_none();
    }
    if let Some(live) = live {
        let hurry = async {
            signals.next().await;
        };
        runtime.block_on(live.part(hurry));
    }
    if !output.quiet {
        for folder in all.iter().filter_map(Series::folder) {
            let page = folder.join(squall_reports::RUNS_PAGE);
            remark(&format!("all runs: {}", page.display()));
        }
    }
    if output.open {
        for page in all.iter().filter_map(Series::page) {
            open_page(&page);
        }
    }
    Ok(all.into_iter().map(|series| series.set).collect())
}

/// The worst exit code of what ran, or was to run.
pub fn exit_code(ran: &[RunSet]) -> u8 {
    worst_exit_code(ran.iter().map(RunSet::exit_code))
}

/// How one run ended.
struct Ended {
    run: ComparedRun,
    suite: TestSuite,
    /// Whether the next one begins: not after a run that a signal stopped.
    goes_on: bool,
}

/// A run that ended without a verdict, once that is said.
fn told(prepared: &Prepared, values: Vec<String>, failure: &Failure, output: &OutputArgs) -> Ended {
    tell_json(output, failure);
    failure.report();
    step_summary::append_failure(&prepared.file.scenario.name, failure);
    let why = match failure {
        Failure::Skipped { .. } => WithoutVerdict::NotRun,
        Failure::Usage(_)
        | Failure::Scenario(_)
        | Failure::Config(_)
        | Failure::Unreachable(_)
        | Failure::NothingFollows(_)
        | Failure::Stopped(_)
        | Failure::Internal(_) => WithoutVerdict::Failed,
    };
    Ended {
        suite: without_verdict(prepared, why, &failure.to_string()),
        goes_on: !matches!(failure, Failure::Stopped(_)),
        run: closing::failed(&prepared.file, values, failure),
    }
}

/// A run without a verdict as a suite of tests.
fn without_verdict(prepared: &Prepared, why: WithoutVerdict, text: &str) -> TestSuite {
    let now = clock::iso_8601(clock::since_epoch());
    TestSuite::without_verdict(&prepared.file.scenario.name, &now, why, text)
}

/// Which of several runs begins.
fn tell_progress(prepared: &Prepared, place: usize, series: &Series, output: &OutputArgs) {
    if series.files.len() == 1 || output.quiet {
        return;
    }
    let number = place - prepared.first_of_series + 1;
    let total = series.files.len();
    let label = series.set.label_of(&series.values_of(&prepared.file));
    let round = match series.files.iter().map(|file| file.number).max() {
        Some(rounds) if rounds > 1 => format!(" (round {} of {rounds})", prepared.file.number),
        Some(_) | None => String::new(),
    };
    remark(&format!("\nrun {number} of {total}: {label}{round}"));
}

/// For a program that reads standard output: why there is no verdict.
pub fn tell_json(output: &OutputArgs, failure: &Failure) {
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
    /// The place of its series.
    series: usize,
    /// Runs before those of its series.
    first_of_series: usize,
    file: ScenarioFile,
    folder: OutFolder,
    /// The page of its report, from the folder of its series.
    page: PathBuf,
    limits: Limits,
    workers: Option<NonZeroU16>,
}

/// Checks each, and takes the folder for its results.
fn prepare_all(
    all: &[Series],
    workers: WorkerArgs,
    output: &OutputArgs,
) -> Result<Vec<Prepared>, Failure> {
    let workers = workers.count();
    let limits = Limits::raise_and_read(workers);
    // Without it, schedule lag tells what the default priority costs.
    let _ = Priority::raise();
    let mut prepared: Vec<Prepared> = Vec::new();
    for (place, series) in all.iter().enumerate() {
        series.check_folder(output)?;
        let first_of_series = prepared.len();
        for file in &series.files {
            if let Some(sentence) = file.same_name.as_ref().filter(|_| !output.quiet) {
                remark(&format!("note: {sentence}"));
            }
            file.check_limits(limits)?;
            // An hour of runs before it is not lost to the last one; a single one says it as it begins.
            let is_of_several = all.len() > 1 || series.files.len() > 1;
            if is_of_several && file.number == 1 {
                file.check_command()?;
                Layers::check_files(&file.scenario)?;
            }
            let folder = series.folders.take_for(&series.folder_name_of(file))?;
            if !output.force {
                crate::commands::refuse_to_replace(folder.path())?;
            }
            crate::commands::check_folder(folder.path())?;
            let page = folder.path().join(squall_reports::REPORT_PAGE);
            let below = series
                .folder()
                .and_then(|of_all| page.strip_prefix(of_all).ok());
            let page = below.map_or(page.clone(), Path::to_owned);
            prepared.push(Prepared {
                series: place,
                first_of_series,
                file: file.clone(),
                folder,
                page,
                limits,
                workers,
            });
        }
    }
    Ok(prepared)
}

async fn execute(
    prepared: &Prepared,
    values: Vec<String>,
    output: &OutputArgs,
    (signals, watched): (&mut StopSignals, Option<Watched<'_>>),
) -> Result<Ended, Failure> {
    let Prepared {
        file,
        folder,
        page,
        limits,
        workers,
        ..
    } = prepared;
    let folder = folder.path();
    let verbosity = match output.quiet {
        true => Verbosity::Silent,
        false => Verbosity::Progress,
    };
    let display = ProgressDisplay::new(verbosity, &file.scenario.name);
    // Beside the results only at the end: until then the folder holds nothing that is unfinished.
    let log = tempfile::NamedTempFile::new().context("cannot write to the temporary folder")?;
    let spec = RunSpec {
        file,
        limits: *limits,
        workers: *workers,
        target_log: log.path(),
        watched,
    };

    let run = run::run(&spec, signals, display).await?;

    step_summary::append(&squall_reports::markdown_summary(&run));
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
    if let Some(Watched { live, .. }) = watched {
        live.tell_over(Over::judged(&run, folder)).await;
    }
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
        suite: TestSuite::of(&run, &run.identity.name),
        run: closing::not_run(file, values).judged(&run, page.to_string_lossy().into_owned()),
        goes_on: run.times.stopped.is_none_or(|stop| match stop.by {
            StopCause::Sigint | StopCause::Sigterm | StopCause::Sighup => false,
            // It says something about this run alone.
            StopCause::AbortOnFail => true,
        }),
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
