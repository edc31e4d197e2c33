//! `squall bench`: how many messages a broker carries, and what each costs it.
//!
//! A bench is a scenario: `printed` writes the file, which is read here as any other one, so that a target is brought to what
//! it has, started and stopped as for a run. What is not the same is the load, which `squall-saturate` makes.

mod about;
mod access;
mod baseline;
mod figures;
mod find_max;
mod plan;
mod printed;
mod result;
mod suite;
mod table;
mod trial;

use std::path::Path;

use squall_run::bench::{Load, TargetResult};
use squall_run::worst_exit_code;
use squall_scenario::{Override, Scenario, Target};
use tokio::task::LocalSet;

use crate::bench_args::{BenchArgs, BenchCommand, Pattern};
use crate::exit::Failure;
use crate::machine::limits::Limits;
use crate::machine::priority::Priority;
use crate::output::{print, print_line};
use crate::remark::remark;
use crate::run::signals::StopSignals;
use crate::scenario_file::{Around, ScenarioFile};
use crate::targets;
use crate::terminal_client::PASSWORD_VARIABLE;
use baseline::Against;
use find_max::Sought;
use plan::BenchPlan;
use trial::{Pinned, Setting};

/// What messages call the file that a bench is.
const NAME: &str = "bench";

/// Whether broker and generator have cores of their own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum IsPinned {
    Yes,
    No,
}

impl IsPinned {
    fn of(pinned: Option<Pinned>) -> Self {
        match pinned {
            Some(_) => Self::Yes,
            None => Self::No,
        }
    }
}

/// Carries out one bench, or the suite.
pub fn bench(command: &BenchCommand) -> Result<u8, Failure> {
    match command {
        BenchCommand::Suite(args) => {
            let ended = suite::suite(args);
            ended.inspect_err(|failure| failed_as_json(args.json.then_some(failure)))
        }
        BenchCommand::One(args) => {
            let ended = carry_out(args);
            ended.inspect_err(|failure| failed_as_json(args.json.then_some(failure)))
        }
    }
}

/// A program that reads the figures is told of a mistake too.
fn failed_as_json(failure: Option<&Failure>) {
    if let Some(failure) = failure {
        let line = serde_json::json!({ "error": failure.to_string(), "exit_code": failure.code() });
        // The failure itself is reported on standard error in any case.
        let _ = print_line(&line.to_string());
    }
}

/// Measures each target in turn, as often as the user says.
fn carry_out(args: &BenchArgs) -> Result<u8, Failure> {
    let plan = BenchPlan::of(args)?;
    let sought = Sought::of(&plan)?;
    let changes = args
        .target
        .iter()
        .map(|target| targets::override_of(target));
    let changes = changes.collect::<Result<Vec<_>, Failure>>()?;
    if args.print {
        let mut printed = match sought {
            Some(sought) => sought.first_step(&plan),
            None => plan,
        };
        if access::hide_password(&mut printed.access) {
            remark(&format!(
                "note: the password is not printed: the scenario reads it from {PASSWORD_VARIABLE}"
            ));
        }
        print(&printed::scenario(&printed, &changes))?;
        return Ok(0);
    }
    if args.pattern == Pattern::Conn && args.duration.or(args.warmup).is_some() {
        remark(
            "note: conn ends when all are connected: --duration and --warmup have no part in it",
        );
    }
    let scenarios = scenarios_of(&plan, &changes)?;
    check_pid(args, &scenarios)?;
    let pinned = match args.pin {
        true => Some(Pinned::on_two_cores()?),
        false => None,
    };
    // Without it, what else the machine does is measured too.
    let _ = Priority::raise();
    let limits = Limits::raise_and_read(None);
    for file in &scenarios {
        file.check_limits(limits)?;
        file.check_command()?;
    }
    let setting = Setting {
        plan: &plan,
        pinned,
        target_pid: args.target_pid,
        login: &args.login,
    };
    let names = names(args);
    let is_pinned = IsPinned::of(pinned);
    let load = Load::of(about::of(&plan, is_pinned));
    if let Some(sought) = sought {
        let load = load.with_bound(sought.bound.text().to_owned());
        let against = Against::of(&args.against, &[load], &names)?;
        return find_max::carry_out(&sought, &setting, args, (&scenarios, &names), against);
    }
    let against = Against::of(&args.against, &[load], &names)?;
    trials(&setting, args, (&scenarios, &names), against)
}

/// Measures each target by trials, and tells what they found.
fn trials(
    setting: &Setting<'_>,
    args: &BenchArgs,
    (scenarios, names): (&[ScenarioFile], &[String]),
    against: Option<Against>,
) -> Result<u8, Failure> {
    let mut measured: Vec<TargetResult> = names.iter().cloned().map(TargetResult::new).collect();
    let ended = measure(setting, scenarios, names, &mut measured);
    let stopped = match ended {
        Ok(()) => None,
        Err(failure @ Failure::Stopped(_)) if has_any(&measured) => Some(failure),
        Err(failure) => return Err(failure),
    };
    let mut result = result::of(setting.plan, measured, IsPinned::of(setting.pinned));
    if let Some(stopped) = &stopped {
        result::add_stop(&mut result, stopped, setting.plan.repeat);
    }
    for error in result.targets.iter().flat_map(TargetResult::errors) {
        remark(&format!("error: {error}"));
    }
    let line = serde_json::to_string(&result).map_err(anyhow::Error::from)?;
    match args.json {
        true => {
            print_line(&line)?;
            result.warnings.iter().for_each(|warning| remark(warning));
        }
        false => print(&table::text(&result))?,
    }
    let worse = match (against, stopped) {
        (Some(against), None) => against.judge(&line)?,
        (None, _) | (_, Some(_)) => 0,
    };
    Ok(worst_exit_code([result.exit_code, worse]))
}

fn has_any(results: &[TargetResult]) -> bool {
    results.iter().any(|target| !target.repeats.is_empty())
}

/// The same file for each target alone, or one without any.
fn scenarios_of(plan: &BenchPlan, changes: &[Override]) -> Result<Vec<ScenarioFile>, Failure> {
    let text = printed::scenario(plan, &[]);
    match changes.is_empty() {
        true => Ok(vec![read(&text, &[])?]),
        false => changes
            .iter()
            .map(|change| read(&text, std::slice::from_ref(change)))
            .collect(),
    }
}

/// The first line of each target's row.
fn names(args: &BenchArgs) -> Vec<String> {
    match args.target.is_empty() {
        true => vec!["squall".to_owned()],
        false => args.target.clone(),
    }
}

fn read(text: &str, changes: &[Override]) -> Result<ScenarioFile, Failure> {
    let around = Around {
        file: Path::new(NAME),
    };
    let scenario = Scenario::parse_bytes(NAME, text.as_bytes(), changes, &around);
    Ok(ScenarioFile {
        path: NAME.into(),
        same_name: None,
        text: text.into(),
        overrides: changes.to_vec(),
        settings: Vec::new(),
        number: 1,
        scenario: scenario.map_err(|errors| access::failure(&errors))?,
    })
}

fn check_pid(args: &BenchArgs, scenarios: &[ScenarioFile]) -> Result<(), Failure> {
    let is_of_url = |file: &ScenarioFile| match &file.scenario.target {
        Target::Url(_) => true,
        Target::Embedded | Target::Spawn(_) => false,
    };
    match (args.target_pid, scenarios) {
        (None, _) => Ok(()),
        (Some(_), [one]) if is_of_url(one) => Ok(()),
        (Some(_), _) => Err(Failure::Usage(
            "--target-pid is about one broker that runs already: --target mqtt://HOST:PORT"
                .to_owned(),
        )),
    }
}

/// A trial of each target in each round, put into `results`. A signal, or what is wrong with the command line, ends it.
fn measure(
    setting: &Setting<'_>,
    scenarios: &[ScenarioFile],
    names: &[String],
    results: &mut [TargetResult],
) -> Result<(), Failure> {
    let repeat = setting.plan.repeat;
    rounds(repeat, scenarios, names, async |place, file, signals| {
        let ended = match file.skipped() {
            Some(skipped) => Err(skipped),
            None => trial::run(setting, &file.scenario, signals).await,
        };
        if let Err(failure @ (Failure::Stopped(_) | Failure::Usage(_))) = ended {
            return Err(failure);
        }
        result::add(&mut results[place], ended);
        Ok(())
    })
}

/// Round by round over all targets, so that a machine that gets slower does so for all of them alike. The first error ends it.
fn rounds(
    count: u32,
    scenarios: &[ScenarioFile],
    names: &[String],
    mut each: impl AsyncFnMut(usize, &ScenarioFile, &mut StopSignals) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let runtime = super::event_loop()?;
    let mut signals = runtime.block_on(async { StopSignals::handle() })?;
    for round in 1..=count {
        for (place, (file, name)) in scenarios.iter().zip(names).enumerate() {
            remark(&format!("{round} of {count}: {name}"));
            let local = LocalSet::new();
            runtime.block_on(local.run_until(each(place, file, &mut signals)))?;
        }
    }
    Ok(())
}
