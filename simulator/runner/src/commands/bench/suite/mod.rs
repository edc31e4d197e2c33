//! `squall bench suite`: a table of benches on all brokers that are there, as a page.
//!
//! A row is a bench (`workload`), measured as one: plan, scenario, trial and result are those of `squall bench`. What is other
//! here is that a target that fails is told in its cell, and the suite goes on.

mod workload;

use std::io;
use std::path::Path;

use squall_run::bench::{
    BenchResult, Figure, Load, Repeat, Suite, SuiteMachine, SuiteRow, TargetResult,
};
use squall_run::{FigureSpread, worst_exit_code};
use squall_scenario::Transport;

use super::baseline::Against;
use super::plan::BenchPlan;
use super::table::aligned;
use super::trial::{self, Pinned, Setting};
use super::{IsPinned, about, printed, read, result, rounds};
use crate::bench_args::BenchSuiteArgs;
use crate::clock;
use crate::commands::with_causes;
use crate::connect_args::LoginArgs;
use crate::exit::Failure;
use crate::machine::limits::Limits;
use crate::machine::parts;
use crate::machine::priority::Priority;
use crate::out_folder::OutFolder;
use crate::output::{below, columns, print, print_line, shell_word};
use crate::remark::remark;
use crate::scenario_file::ScenarioFile;
use crate::targets;
use workload::{WORKLOADS, Workload};

/// A row that is checked: its bench, and the file that it is for each target.
struct Row {
    workload: Workload,
    plan: BenchPlan,
    scenarios: Vec<ScenarioFile>,
    command: String,
}

/// Measures each row on each target, and writes the page anew after each row.
pub fn suite(args: &BenchSuiteArgs) -> Result<u8, Failure> {
    let targets = targets_of(args)?;
    let rows = Workload::chosen(&args.only)?.into_iter();
    let rows = rows.map(|workload| Row::of(workload, args, &targets));
    let rows = rows.collect::<Result<Vec<Row>, Failure>>()?;
    if args.list {
        return list(&rows, &targets);
    }
    let pinned = match args.pin {
        true => Some(Pinned::on_two_cores()?),
        false => None,
    };
    let is_pinned = IsPinned::of(pinned);
    let loads: Vec<Load> = rows.iter().map(|row| row.load(is_pinned)).collect();
    let against = Against::of(&args.against, &loads, &targets)?;
    let folder = OutFolder::take(args.out.clone());
    let folder = folder.map_err(|error| Failure::Usage(error.to_string()))?;
    squall_reports::check_bench_folder(folder.path())
        .map_err(|error| Failure::Usage(with_causes(&error)))?;
    // Without it, what else the machine does is measured too.
    let _ = Priority::raise();
    let limits = Limits::raise_and_read(None);
    let mut suite = empty(args, &targets, is_pinned);
    let stopped = measure_rows(&mut suite, &rows, (pinned, limits), folder.path())?;
    let line = serde_json::to_string(&suite).map_err(anyhow::Error::from)?;
    match args.json {
        true => print_line(&line)?,
        false => print(&table(&suite))?,
    }
    tell(&suite, folder.path());
    let worse = match against {
        Some(against) if stopped == Stopped::No => against.judge(&line)?,
        Some(_) | None => 0,
    };
    Ok(worst_exit_code([suite.exit_code, worse]))
}

/// Whether a signal ended it before its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stopped {
    Yes,
    No,
}

/// Measures each row, and writes the page anew after each. What was measured before a signal stays.
fn measure_rows(
    suite: &mut Suite,
    rows: &[Row],
    (pinned, limits): (Option<Pinned>, Limits),
    folder: &Path,
) -> Result<Stopped, Failure> {
    for (number, row) in (1..).zip(rows) {
        remark(&format!(
            "row {number} of {}: {}, {}",
            rows.len(),
            row.workload.id,
            row.workload.title
        ));
        let (result, ended) = row.measure(&suite.targets, pinned, limits);
        let is_empty = result.targets.iter().all(|one| one.repeats.is_empty());
        if !is_empty {
            add(suite, row, result);
        }
        if let Err(failure) = &ended {
            suite.exit_code = worst_exit_code([suite.exit_code, failure.code()]);
        }
        if !suite.rows.is_empty() {
            squall_reports::write_bench_suite(suite, folder).map_err(anyhow::Error::from)?;
        }
        match ended {
            Ok(()) => {}
            Err(failure) if suite.rows.is_empty() => return Err(failure),
            Err(failure) => {
                remark(&format!(
                    "{failure}: the page has what was measured by then"
                ));
                return Ok(Stopped::Yes);
            }
        }
    }
    Ok(Stopped::No)
}

/// Those that are named, or all that squall can start here and that let anyone in over TCP.
fn targets_of(args: &BenchSuiteArgs) -> Result<Vec<String>, Failure> {
    if !args.target.is_empty() {
        return Ok(args.target.clone());
    }
    // Any row says how a target is spoken to.
    let plan = BenchPlan::of(&WORKLOADS[0].args(args, &[])?)?;
    let text = printed::scenario(&plan, &[]);
    let mut found = Vec::new();
    for name in targets::installed() {
        let file = read(&text, &[targets::override_of(name)?])?;
        if file.scenario.target.transports() == [Transport::Tcp] {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

fn empty(args: &BenchSuiteArgs, targets: &[String], is_pinned: IsPinned) -> Suite {
    let parts = parts::read();
    Suite {
        version: Suite::VERSION,
        squall: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: clock::iso_8601(clock::since_epoch()),
        machine: SuiteMachine {
            cpu: parts.cpu_model,
            cores: parts.cores,
            memory_bytes: parts.memory_bytes,
            kernel: parts.kernel,
        },
        pinned: is_pinned == IsPinned::Yes,
        repeat: args.repeat,
        duration_s: args.duration.as_secs_f64(),
        warmup_s: args.warmup.as_secs_f64(),
        command: command(args, targets),
        targets: targets.to_vec(),
        rows: Vec::new(),
        exit_code: 0,
    }
}

/// What a user types to have it all again.
fn command(args: &BenchSuiteArgs, targets: &[String]) -> String {
    let mut words = vec!["squall bench suite".to_owned()];
    words.extend(
        targets
            .iter()
            .map(|target| format!("--target {}", shell_word(target))),
    );
    let time = squall_toml::quantity::format_duration;
    words.push(format!(
        "--repeat {} --warmup {} --duration {}",
        args.repeat,
        time(args.warmup),
        time(args.duration)
    ));
    if args.pin {
        words.push("--pin".to_owned());
    }
    if !args.only.is_empty() {
        words.push(format!("--only {}", args.only.join(" ")));
    }
    words.join(" ")
}

impl Row {
    fn of(workload: Workload, args: &BenchSuiteArgs, targets: &[String]) -> Result<Self, Failure> {
        let plan = BenchPlan::of(&workload.args(args, targets)?)?;
        let text = printed::scenario(&plan, &[]);
        let scenarios = targets.iter().map(|target| {
            let file = read(&text, &[targets::override_of(target)?])?;
            file.check_command()?;
            Ok(file)
        });
        let words = workload.words(args, targets);
        let words: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
        Ok(Self {
            workload,
            scenarios: scenarios.collect::<Result<Vec<_>, Failure>>()?,
            plan,
            command: words.join(" "),
        })
    }

    fn load(&self, is_pinned: IsPinned) -> Load {
        Load::of(about::of(&self.plan, is_pinned)).in_row(self.workload.id.to_owned())
    }

    /// A trial of each target in each round. One that fails is told, and the next one begins; only a signal ends it all, and what was
    /// measured before it is there.
    fn measure(
        &self,
        targets: &[String],
        pinned: Option<Pinned>,
        limits: Limits,
    ) -> (BenchResult, Result<(), Failure>) {
        let setting = Setting {
            plan: &self.plan,
            pinned,
            target_pid: None,
            login: &LoginArgs::default(),
        };
        let names = targets.iter().cloned();
        let mut results: Vec<TargetResult> = names.map(TargetResult::new).collect();
        let ended = rounds(
            self.plan.repeat,
            &self.scenarios,
            targets,
            async |place, file, signals| {
                let ended = match (file.skipped(), file.check_limits(limits)) {
                    (Some(cannot), _) | (None, Err(cannot)) => Err(cannot),
                    (None, Ok(())) => trial::run(&setting, &file.scenario, signals).await,
                };
                if let Err(stopped @ Failure::Stopped(_)) = ended {
                    return Err(stopped);
                }
                if let Err(failure) = &ended {
                    remark(&format!("  {}: {failure}", targets[place]));
                }
                result::add(&mut results[place], ended);
                Ok(())
            },
        );
        let mut result = result::of(&self.plan, results, IsPinned::of(pinned));
        if let Err(stopped) = &ended {
            result::add_stop(&mut result, stopped, self.plan.repeat);
        }
        (result, ended)
    }
}

/// Puts what a row found into the suite.
fn add(suite: &mut Suite, row: &Row, result: BenchResult) {
    let repeats = result.targets.iter().flat_map(|target| &target.repeats);
    let codes = repeats.filter_map(|repeat| match repeat {
        Repeat::Failed { exit_code, .. } => Some(*exit_code),
        Repeat::Skipped { .. } | Repeat::Measured(_) => None,
    });
    suite.exit_code = worst_exit_code(codes.chain([suite.exit_code]));
    suite.rows.push(SuiteRow {
        id: row.workload.id.to_owned(),
        title: row.workload.title.to_owned(),
        command: row.command.clone(),
        result,
    });
}

/// For a terminal: the broker's processor time of each target in each row.
fn table(suite: &Suite) -> String {
    let heading = std::iter::once("broker µs/msg".to_owned()).chain(suite.targets.iter().cloned());
    let mut rows: Vec<Vec<String>> = vec![heading.collect()];
    for row in &suite.rows {
        let cells = row.result.targets.iter().map(|target| {
            let of_cpu = target
                .figures()
                .filter_map(|figures| Figure::BrokerCpu.of(figures));
            let text = |number| Figure::BrokerCpu.text(number);
            FigureSpread::of(of_cpu).map_or("-".to_owned(), |spread| spread.text(text))
        });
        rows.push(std::iter::once(row.id.clone()).chain(cells).collect());
    }
    aligned(&rows, columns(io::stdout()))
}

/// Where the page is, and that rows have no figures, if that is so.
fn tell(suite: &Suite, folder: &Path) {
    if suite.exit_code != 0 {
        remark("some targets failed in some rows: the page has the reasons");
    }
    remark(&format!(
        "page: {}",
        folder.join(squall_reports::BENCH_SUITE_PAGE).display()
    ));
}

fn list(rows: &[Row], targets: &[String]) -> Result<u8, Failure> {
    for row in rows {
        print_line(&format!("{}  {}", row.workload.id, row.workload.title))?;
        print(&below(&row.command))?;
    }
    print_line(&format!("targets: {}", targets.join(", ")))?;
    Ok(0)
}
