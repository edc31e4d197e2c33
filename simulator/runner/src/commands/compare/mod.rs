//! `squall compare`: sets runs side by side, or runs a scenario on several targets in turn and does so.

mod in_turn;
mod labels;

use std::path::Path;

use anyhow::Context as _;
use squall_run::{Side, SideBySide};

use super::run_files::of_side;
use super::{run, run_files};
use crate::compare_args::CompareArgs;
use crate::exit::Failure;
use crate::open_page::open_page;
use crate::out_folder::OutFolder;
use crate::output::{print, print_line};
use crate::output_args::OutputArgs;
use crate::remark::remark;

/// Compares what the arguments name. The exit code is 0 where there is a comparison, whatever it says.
pub fn compare(args: &CompareArgs) -> Result<u8, Failure> {
    let compared = match &args.scenario {
        Some(scenario) => in_turn::compare(scenario, args),
        None => compare_runs(args),
    };
    compared.inspect_err(|failure| run::tell_json(&args.output, failure))
}

/// Runs that there are already.
fn compare_runs(args: &CompareArgs) -> Result<u8, Failure> {
    if args.runs.is_empty() {
        return Err(Failure::Usage(
            "nothing to compare: name run files or folders, or a scenario with --scenario FILE --target NAME --target NAME"
                .to_owned(),
        ));
    }
    let mut places = Vec::new();
    for path in &args.runs {
        places.push((path.as_path(), run_files::read(path)?));
    }
    let name = &places[0].1[0].run.identity.name;
    let out = match &args.output.out {
        Some(out) => out.clone(),
        None => run::new_folder(&format!("compare-{name}")),
    };
    let out = OutFolder::take(out).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut sides = Vec::new();
    for (path, found) in places {
        let runs = found
            .into_iter()
            .map(|found| of_side(found, out.path()))
            .collect();
        sides.push((path, Side::of_place("", runs)));
    }
    tell(&labels::labelled(sides), out.path(), &args.output)?;
    Ok(0)
}

/// Compares the sides, leaves the page in `out` and says what there is.
fn tell(sides: &[Side], out: &Path, output: &OutputArgs) -> Result<(), Failure> {
    let all = SideBySide::of(sides).map_err(|error| Failure::Usage(error.to_string()))?;
    let page = squall_reports::write_comparison(sides, &all, out);
    let page =
        page.with_context(|| format!("cannot write the comparison into {}", out.display()))?;
    if output.json {
        print_line(&squall_reports::comparison_line(&all))?;
    } else if !output.quiet {
        print(&squall_reports::terminal_comparison(&all, super::screen()))?;
    }
    if !output.quiet {
        remark(&format!("comparison: {}", page.display()));
    }
    if output.open {
        open_page(&page);
    }
    Ok(())
}
