//! What `squall run` holds its runs against: earlier ones, in figures that must not get worse.

use std::path::{Path, PathBuf};

use squall_run::{Chosen, RunSet, Side, SideBySide, Worsening};

use crate::cli::RunArgs;
use crate::commands::run_files;
use crate::exit::Failure;
use crate::output::print_line;
use crate::remark::remark;
use crate::scenario_runs::ScenarioRuns;

/// The exit code where a figure got worse.
const WORSE: u8 = 99;

/// Runs to compare with, and the figures.
pub struct Baseline {
    side: Side,
    chosen: Vec<Chosen>,
}

impl Baseline {
    /// As the arguments say, checked before anything runs; `None` without one.
    pub fn of(args: &RunArgs, all: &[ScenarioRuns]) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.baseline else {
            return Ok(None);
        };
        let [runs] = all else {
            return Err(Failure::Usage(
                "--baseline takes one scenario at a time".to_owned(),
            ));
        };
        if runs.combinations.len() > 1 {
            return Err(Failure::Usage(
                "--baseline takes a scenario without a matrix, or one combination of it (--set)"
                    .to_owned(),
            ));
        }
        let side = run_files::only_side("the baseline", path)?;
        let scenario = &runs.first().scenario;
        if let Some(why) = side.refuses(&scenario.name, &scenario.to_resolved_toml()) {
            return Err(Failure::Usage(why.to_string()));
        }
        let chosen = chosen(&args.worse, &side)?;
        Ok(Some(Self { side, chosen }))
    }

    /// Compares what ran with it and says what got worse; the exit code that follows.
    pub fn judge(
        &self,
        ran: &RunSet,
        folder: Option<&Path>,
        args: &RunArgs,
    ) -> Result<u8, Failure> {
        let reports = ran.runs.iter().filter_map(|run| run.report.as_ref());
        let files: Vec<PathBuf> = reports
            .map(|report| {
                let page =
                    folder.map_or_else(|| PathBuf::from(report), |folder| folder.join(report));
                page.with_file_name(run_files::RUN_FILE)
            })
            .collect();
        if files.is_empty() {
            // Why there is no run is said already.
            return Ok(0);
        }
        let new = run_files::side_of_files("this run", &files)?;
        let sides = [self.side.clone(), new];
        let all = SideBySide::of_chosen(&sides, &self.chosen)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        if args.output.json {
            print_line(&squall_reports::comparison_line(&all))?;
        }
        let worsenings = all.worsenings(&self.chosen);
        let is_worse = |worsening: Worsening| {
            matches!(worsening, Worsening::Worse | Worsening::WorseThanMargin)
        };
        for (figure, worsening) in &worsenings {
            if is_worse(*worsening) {
                let noise = match worsening {
                    Worsening::WorseThanMargin => "more than its margin; noise is unknown",
                    Worsening::Worse | Worsening::NotWorse | Worsening::Unknown => "beyond noise",
                };
                let told = squall_reports::figure_line(figure);
                remark(&format!("worse than the baseline, {noise}: {told}"));
            }
        }
        if !args.output.quiet {
            tell(
                &all,
                &worsenings
                    .iter()
                    .map(|(_, worsening)| *worsening)
                    .collect::<Vec<_>>(),
            );
        }
        let has_worse = worsenings.iter().any(|(_, worsening)| is_worse(*worsening));
        Ok(if has_worse { WORSE } else { 0 })
    }
}

fn tell(all: &SideBySide, worsenings: &[Worsening]) {
    let unknown = worsenings.iter().filter(|one| **one == Worsening::Unknown);
    let unknown = unknown.count();
    for note in &all.notes {
        remark(&format!("note: {note}"));
    }
    if unknown > 0 {
        remark(&format!(
            "baseline: noise is unknown with one run on a side, so nothing follows for {unknown} figures: give --repeat 5, runs of a \
             baseline made with it, or a margin (--worse \"KEY > 10%\")"
        ));
    } else if worsenings.iter().all(|one| *one == Worsening::NotWorse) {
        remark(&format!(
            "baseline: none of {} figures got worse beyond noise",
            worsenings.len()
        ));
    }
}

/// The figures that must not get worse; all of them if none is named.
fn chosen(written: &[String], baseline: &Side) -> Result<Vec<Chosen>, Failure> {
    let keys = baseline.figure_keys();
    let one = |text: &String| {
        let chosen: Chosen = text
            .parse()
            .map_err(|error| Failure::Usage(format!("--worse: {error}")))?;
        match keys.iter().any(|key| chosen.takes(key)) {
            true => Ok(chosen),
            false => Err(Failure::Usage(format!(
                "--worse: the baseline has no figure `{chosen}`; it has {}",
                keys.join(", ")
            ))),
        }
    };
    written.iter().map(one).collect()
}
