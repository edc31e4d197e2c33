//! The plan of a matrix: its combinations, and how long all of them take.

use squall_run::{count_text, duration_text};
use squall_scenario::Plan;

use crate::cli::PlanArgs;
use crate::exit::Failure;
use crate::machine::limits::Limits;
use crate::output::{fitted, print, print_line};
use crate::scenario_runs::ScenarioRuns;

use super::sheet::INDENT;

/// Prints a line for each combination, and whether it fits here; fails if one does not.
pub fn plan(runs: &ScenarioRuns, args: &PlanArgs) -> Result<u8, Failure> {
    let limits = Limits::raise_and_read(args.workers.count());
    let name = &runs.first().scenario.name;
    print_line(&format!("{name}: {}", runs.in_words()))?;
    let labels = runs.labels();
    let width = labels.iter().map(|label| label.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut misfits = Vec::new();
    for (file, label) in runs.combinations.iter().zip(&labels) {
        let plan = Plan::of(&file.scenario);
        let fits = file
            .check_limits(limits)
            .and_then(|()| file.check_command());
        let note = match (&fits, file.skipped()) {
            (Err(_), _) => "  does not fit on this machine",
            (Ok(()), Some(_)) => "  skipped: the target lacks what it is about",
            (Ok(()), None) => "",
        };
        print_line(&format!(
            "    {label:<width$}  {:>9} devices  {:>12} messages  {:>10}{note}",
            count_text(plan.devices.into()),
            count_text(plan.messages().round() as u64),
            duration_text(plan.total().as_secs_f64()),
        ))?;
        if let Err(failure) = fits {
            misfits.push(format!("{label}: {failure}"));
        }
    }
    let order = match runs.repeat {
        1 => "they run in this order",
        _ => "all of them run in this order, and then again",
    };
    let hint = format!("{order}; the plan of one: squall plan with --set KEY=VALUE for each axis");
    print(&fitted(&hint, INDENT))?;
    match misfits.is_empty() {
        true => Ok(0),
        false => Err(Failure::Usage(misfits.join("\n"))),
    }
}
