//! What `squall run` holds its runs against: earlier ones, in figures that must not get worse.

use std::path::{Path, PathBuf};

use squall_run::{Chosen, RunSet, Side, SideBySide};

use crate::cli::RunArgs;
use crate::commands::worse::Judged;
use crate::commands::{run_files, worse};
use crate::exit::Failure;
use crate::output::print_line;
use crate::scenario_runs::ScenarioRuns;

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
        let chosen = worse::chosen(&args.worse, &side.choosable())?;
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
        let judged = Judged::of(&all.figures, &self.chosen);
        judged.tell_why();
        if !args.output.quiet {
            judged.tell_rest(&all.notes);
        }
        Ok(judged.exit_code())
    }
}
