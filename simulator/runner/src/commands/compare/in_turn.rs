//! A scenario on several targets in turn: the first run of each, then the second of each, so that a machine that changes
//! meanwhile does so for all alike.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use squall_run::{RunSet, RunState, Side, worst_exit_code};
use squall_scenario::Setting;

use super::tell;
use crate::cli::OverrideArgs;
use crate::commands::run::{self, Series};
use crate::commands::run_files::{self, Found, of_side};
use crate::compare_args::CompareArgs;
use crate::exit::Failure;
use crate::output_args::OutputArgs;
use crate::scenario_file::ScenarioFile;
use crate::scenario_runs::ScenarioRuns;
use crate::targets;

/// How often each target has its turn, if the command does not say: with three, only great differences stand out from noise.
const REPEAT: u32 = 5;

/// Runs `scenario` on each target and compares the runs. Where one could not run, its exit code counts.
pub fn compare(scenario: &Path, args: &CompareArgs) -> Result<u8, Failure> {
    let series = series(scenario, args)?;
    let folder = series.folder().context("the runs are in one folder")?;
    let folder = folder.to_owned();
    let output = OutputArgs {
        json: false,
        // The comparison is what there is to see.
        open: false,
        quiet: args.output.quiet || args.output.json,
        ..args.output.clone()
    };
    let means = run::Means {
        workers: args.workers,
        ..run::Means::default()
    };
    let ran = run::run_all(Ok(vec![series]), means, &output)?;
    let [set] = ran.as_slice() else {
        unreachable!("the targets are one series");
    };
    let missing = set
        .runs
        .iter()
        .filter(|run| run.state != RunState::Judged)
        .map(|run| run.code());
    let code = worst_exit_code(missing);
    let sides = sides(set, &folder)?;
    if code != 0 && sides.len() < set.rows().len() {
        // What went wrong is said already.
        return Ok(code);
    }
    tell(&sides, &folder, &args.output)?;
    Ok(code)
}

fn series(scenario: &Path, args: &CompareArgs) -> Result<Series, Failure> {
    if args.targets.len() < 2 {
        return Err(Failure::Usage(
            "--scenario takes two targets at least: --target squall --target mosquitto".to_owned(),
        ));
    }
    let mut files: Vec<ScenarioFile> = Vec::new();
    for (place, target) in args.targets.iter().enumerate() {
        let earlier = args.targets[..place]
            .iter()
            .filter(|other| *other == target);
        let shown = match earlier.count() {
            0 => target.clone(),
            count => format!("{target} ({})", count + 1),
        };
        files.extend(files_of(scenario, target, shown, args)?);
    }
    // Stable: within a round the order of the targets.
    files.sort_by_key(|file| file.number);
    let (name, question) = (files[0].scenario.name.clone(), files[0].question());
    Ok(Series::of_targets(name, question, files, &args.output))
}

/// The runs of one target.
fn files_of(
    scenario: &Path,
    target: &str,
    shown: String,
    args: &CompareArgs,
) -> Result<Vec<ScenarioFile>, Failure> {
    let repeat = args.repeat.unwrap_or(REPEAT);
    let mut set = args.set.clone();
    set.push(format!("run.repeat={repeat}"));
    let changes = OverrideArgs {
        target: Some(target.to_owned()),
        set,
        seed: args.seed,
    };
    let mut runs = ScenarioRuns::read(scenario.to_owned(), &changes)?;
    let [file] = runs.combinations.as_mut_slice() else {
        return Err(Failure::Usage(format!(
            "{} has a matrix, whose combinations are sides already: run it with squall run and compare its folder",
            scenario.display()
        )));
    };
    file.settings = vec![Setting {
        change: targets::override_of(target)?,
        shown,
    }];
    runs.into_runs()
}

/// The runs that have a verdict, by their targets.
fn sides(set: &RunSet, folder: &Path) -> Result<Vec<Side>, Failure> {
    let mut sides = Vec::new();
    for row in set.rows() {
        let mut runs = Vec::new();
        for report in row.runs.iter().filter_map(|run| run.report.as_ref()) {
            let path: PathBuf = folder.join(report).with_file_name(run_files::RUN_FILE);
            let run = run_files::read_file(&path)?;
            runs.push(of_side(Found { path, run }, folder));
        }
        if !runs.is_empty() {
            sides.push(Side {
                label: row.values[0].clone(),
                runs,
            });
        }
    }
    Ok(sides)
}
