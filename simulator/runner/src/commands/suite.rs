//! `squall suite`: runs the scenarios of a suite, and ends with a table of them all.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use squall_run::count_text;

use super::run::{self, Series, Table};
use crate::cli::{OverrideArgs, SuiteArgs};
use crate::exit::Failure;
use crate::machine::limits::Limits;
use crate::output::{fitted, print, print_line};
use crate::remark::remark;
use crate::scenario_file::ScenarioFile;
use crate::scenario_runs::ScenarioRuns;
use crate::shipped;
use crate::suites::{self, Member, SUITES, Size, Suite};

/// The file with the table, beside the folders of the runs.
const TABLE_FILE: &str = "suite.md";

/// Runs a suite, or lists them all.
pub fn suite(args: &SuiteArgs) -> Result<u8, Failure> {
    match args.name.as_deref() {
        None | Some("list") => list(),
        Some(name) => match suites::find(name) {
            Some(suite) => run_suite(suite, args),
            None => Err(Failure::Usage(format!(
                "there is no suite `{name}`; {}",
                suites::hint(name)
            ))),
        },
    }
}

fn list() -> Result<u8, Failure> {
    for suite in SUITES {
        let members: Vec<&str> = suite.members.iter().map(|member| member.scenario).collect();
        print_line(suite.name)?;
        for line in [suite.purpose.to_owned(), members.join(", ")] {
            print(&fitted(&format!("    {line}"), 4))?;
        }
    }
    Ok(0)
}

fn run_suite(suite: &Suite, args: &SuiteArgs) -> Result<u8, Failure> {
    let members = suite.members.iter().map(|member| read(suite, member, args));
    let series = members
        .collect::<Result<Vec<ScenarioRuns>, Failure>>()
        .and_then(|members| Series::of_suite(suite.name, suite.purpose, members, &args.output));
    let series = series.map(|series| vec![series]);
    let folder = series.as_ref().ok().and_then(|all| all[0].folder());
    let folder = folder.map(Path::to_owned);
    let means = run::Means {
        workers: args.workers,
        ..run::Means::default()
    };
    let ran = run::run_all(series, means, &args.output)?;

    let [set] = ran.as_slice() else {
        unreachable!("a suite is one series");
    };
    let table = Table::of(set);
    let folder = folder.context("the runs of a suite are in one folder")?;
    let file = folder.join(TABLE_FILE);
    let text = format!("# Suite {}\n\n{}", suite.name, table.markdown());
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    if !args.output.quiet {
        remark(&format!(
            "\n{}{}",
            table.text(),
            table.closing_line("scenarios")
        ));
        remark(&format!("table: {}", file.display()));
    }
    Ok(run::exit_code(&ran))
}

/// A scenario with the changes of the suite, and after them those of the user.
fn read(suite: &Suite, member: &Member, args: &SuiteArgs) -> Result<ScenarioRuns, Failure> {
    let shipped = shipped::find(member.scenario).context("a suite has shipped scenarios")?;
    let short = match args.short {
        true => member.short,
        false => &[],
    };
    let changed = |scale: Vec<String>| {
        let own = short.iter().map(|change| (*change).to_owned());
        ScenarioRuns::shipped(
            shipped,
            &OverrideArgs {
                target: args.overrides.target.clone(),
                set: own.chain(scale).chain(args.overrides.set.clone()).collect(),
                seed: args.overrides.seed,
            },
        )
    };
    let whole = changed(Vec::new())?;
    let limits = Limits::raise_and_read(args.workers.count());
    let Err(reason) = limits.check(whole.first().need()) else {
        return Ok(whole);
    };
    match suite.size {
        Size::AsWritten => Ok(whole),
        Size::ToMachine => {
            let fitting = (2..=MOST_DIVIDED).find_map(|divisor| {
                let scaled = changed(divided(whole.first(), divisor)).ok()?;
                limits.check(scaled.first().need()).ok()?;
                Some((divisor, scaled))
            });
            let (divisor, scaled) =
                fitting.ok_or_else(|| Failure::Usage(format!("{}: {reason}", member.scenario)))?;
            if !args.output.quiet {
                let devices = |runs: &ScenarioRuns| runs.first().scenario.device_count();
                remark(&format!(
                    "note: {}: {} of {} devices, every group divided by {divisor}, because {reason}",
                    member.scenario,
                    count_text(devices(&scaled).into()),
                    count_text(devices(&whole).into()),
                ));
            }
            Ok(scaled)
        }
    }
}

/// The smallest share of a scenario that is still worth running.
const MOST_DIVIDED: u32 = 1_000;

/// The changes that divide every group by `divisor`, which leave at least one device in each.
fn divided(file: &ScenarioFile, divisor: u32) -> Vec<String> {
    let groups = file.scenario.groups.iter();
    groups
        .map(|group| {
            let count = (group.count / divisor).max(1);
            format!("group.{}.count={count}", group.name)
        })
        .collect()
}
