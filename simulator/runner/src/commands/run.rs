//! `squall run`: runs scenario files and writes a report for each.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::rc::Rc;

use anyhow::{Context as _, anyhow};
use squall_fleet::{Fleet, Phase};
use squall_ledger::{Judgement, Recorder, judge};
use squall_reports::ReportError;
use squall_run::{Outcome, Run, Summary};
use squall_scenario::Scenario;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::RunArgs;
use crate::clock::{self, Clock};
use crate::drive::{Drive, Transport};
use crate::exit::Failure;
use crate::machine::limits::Limits;
use crate::machine::priority::Priority;
use crate::output::{print, print_line};
use crate::progress::ProgressDisplay;
use crate::record::{Circumstances, Driven, record, times};
use crate::sampling::Sampler;
use crate::scenario_file::ScenarioFile;
use crate::target::Target;

/// Runs every file in turn. The exit code is the first that is not 0.
///
/// All files are read and checked before the first one runs: a mistake in the last one is not
/// found an hour later.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let limits = Limits::raise_and_read();
    // Without it, schedule lag tells what the default priority costs.
    let _ = Priority::raise();
    let mut prepared: Vec<Prepared> = Vec::new();
    for path in &args.files {
        let next = prepare(path.clone(), args, (limits, &prepared))?;
        prepared.push(next);
    }
    let runtime = super::event_loop()?;
    let mut first_code = 0;
    for prepared in prepared {
        let local = LocalSet::new();
        let code = runtime.block_on(local.run_until(execute(&prepared, args, limits)))?;
        if first_code == 0 {
            first_code = code;
        }
    }
    Ok(first_code)
}

/// A scenario that fits on this machine, and a folder that takes its results.
struct Prepared {
    file: ScenarioFile,
    folder: PathBuf,
}

/// Prepares one file beside the `others` before it, whose folders are taken.
fn prepare(
    path: PathBuf,
    args: &RunArgs,
    (limits, others): (Limits, &[Prepared]),
) -> Result<Prepared, Failure> {
    let file = ScenarioFile::read(path, &args.overrides)?;
    file.check_limits(limits)?;
    let name = &file.scenario.name;
    let wanted = match &args.out {
        Some(folder) if args.files.len() == 1 => folder.clone(),
        Some(folder) => folder.join(name),
        None => {
            let time = clock::iso_8601(clock::since_epoch()).replace(':', "");
            PathBuf::from("squall-out").join(format!("{name}-{time}"))
        }
    };
    let is_free = |folder: &PathBuf| others.iter().all(|other| other.folder != *folder);
    let folder = numbered(&wanted)
        .find(is_free)
        .context("there are more names than files")?;
    super::check_folder(&folder)?;
    Ok(Prepared { file, folder })
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

async fn execute(prepared: &Prepared, args: &RunArgs, limits: Limits) -> Result<u8, Failure> {
    let Prepared { file, folder } = prepared;
    let display = ProgressDisplay::new(args);
    // Beside the results only at the end: until then the folder holds nothing that is unfinished.
    let log = tempfile::NamedTempFile::new().context("cannot write to the temporary folder")?;
    let target = Target::start(&file.scenario.target, log.path()).await?;
    display.remark(&format!(
        "{}: target {} at {}",
        file.scenario.name,
        target.name(),
        target.url()
    ));
    let mut circumstances = Circumstances::begin(&target, limits);

    let driven = drive(file, &target, display).await?;
    circumstances.ending = target.stop().await;

    let run = record(file, circumstances, driven);
    let written =
        squall_reports::write_report(&run, folder).map_err(|error| keep_run_file(&run, &error))?;
    let kept_log = keep_log(log.path(), folder)?;
    print_result(&run, args)?;
    if !args.quiet {
        eprintln!("report: {}", written.page.display());
        match run.verdict.outcome {
            Outcome::Pass | Outcome::NoClaims => {}
            Outcome::Fail | Outcome::Invalid => {
                if let Some(log) = kept_log {
                    eprintln!("the target's log: {}", log.display());
                }
            }
        }
    }
    Ok(run.verdict.exit_code)
}

/// Puts what the target said beside the results; `None` if it said nothing.
fn keep_log(log: &Path, folder: &Path) -> Result<Option<PathBuf>, Failure> {
    if !fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0) {
        return Ok(None);
    }
    let kept = folder.join("target.log");
    fs::copy(log, &kept).context("cannot keep the target's log")?;
    Ok(Some(kept))
}

/// Runs the fleet to its end, or to the user's.
async fn drive(
    file: &ScenarioFile,
    target: &Target,
    display: ProgressDisplay,
) -> Result<Driven, Failure> {
    let scenario: Rc<Scenario> = Rc::new(file.scenario.clone());
    let transport = Transport {
        address: target.address,
        connect_timeout: scenario.run.connect_timeout,
    };
    let clock = Clock::start();
    let fleet = Fleet::new(Rc::clone(&scenario), Recorder::new(&scenario));
    let drive = Drive::new(fleet, clock, transport);
    let sampler = Sampler::default();
    let sampling = spawn_local(sampler.clone().run(clock, target.processes()));
    let showing = spawn_local(show(display, drive.clone(), clock));

    let stopped_early = run_until_end_or_signal(&drive).await?;

    sampler.sample(clock.now(), target.processes());
    for task in [sampling, showing] {
        task.abort();
        // Aborted: there is nothing to learn from it.
        let _ = task.await;
    }
    let outcome = drive.finish().context("the run was finished twice")?;
    let planned = stopped_early.then_some(scenario.run);
    let times = times(&outcome.phases, clock.now(), planned);
    let resources = sampler.take();
    let Judgement { measured, reasons } = judge(&scenario, outcome, &resources);
    Ok(Driven {
        measured,
        times,
        resources,
        reasons,
    })
}

/// Whether the user ended the load before its time. The first signal does, the drain and the checks
/// follow; the second one ends the process.
async fn run_until_end_or_signal(drive: &Drive<Recorder>) -> Result<bool, Failure> {
    let mut running = pin!(drive.run());
    tokio::select! {
        result = &mut running => {
            result.context("the event loop failed")?;
            return Ok(false);
        }
        () = squall_broker::stop_signal() => {}
    }
    let phase = drive.progress().map(|progress| progress.phase);
    let had_load = phase.is_some_and(|phase| phase < Phase::Draining);
    drive.stop();
    tokio::select! {
        result = &mut running => {
            result.context("the event loop failed")?;
            Ok(had_load)
        }
        () = squall_broker::stop_signal() => {
            Err(Failure::Internal(anyhow!("stopped twice: no report was written")))
        }
    }
}

async fn show(mut display: ProgressDisplay, drive: Drive<Recorder>, clock: Clock) {
    let mut ticks = interval(display.period());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(progress) = drive.progress() {
            display.show(clock.now().since_start(), progress);
        }
    }
}

/// The disk filled up, or the folder went away, while the run went on: what was measured is kept.
fn keep_run_file(run: &Run, error: &ReportError) -> Failure {
    let text = super::with_causes(error);
    let kept = tempfile::Builder::new()
        .prefix("squall-run-")
        .suffix(".json")
        .tempfile()
        .and_then(|mut file| {
            file.write_all(run.to_json().as_bytes())?;
            Ok(file.keep()?.1)
        });
    Failure::Internal(match kept {
        Ok(path) => anyhow!(
            "{text}; the run is kept in {0}: squall report {0} --out FOLDER",
            path.display()
        ),
        Err(cause) => anyhow!("{text}; nor could the run be kept elsewhere: {cause}"),
    })
}

fn print_result(run: &Run, args: &RunArgs) -> Result<(), Failure> {
    if args.json {
        let summary = Summary::of(run);
        print_line(&serde_json::to_string(&summary).context("the summary is no JSON")?)?;
    } else if !args.quiet {
        print(&squall_reports::terminal_summary(run, super::colours()))?;
    }
    Ok(())
}
