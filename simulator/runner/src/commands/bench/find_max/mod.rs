//! `squall bench --find-max`: the highest rate at which a bound on the latency holds and nothing is lost.
//!
//! `search` decides which rate is tried, `step` whether it held, `searched`, `result` and `table` what is told,
//! `drawn` what is written into a folder. Each search has a broker of its own, and each of its steps connections of their own: a
//! broker in use meets rates that change and is not started anew for each, and a start would cost more time than a step.
//! What a step leaves is drained before the next, and a warm-up goes before what is measured.

mod drawn;
mod result;
mod search;
mod searched;
mod step;
mod table;

use std::time::Duration;

use squall_run::worst_exit_code;
use squall_saturate::Pace;
use squall_scenario::Scenario;

use result::{FindMaxResult, SearchedTarget};
use search::{Ended, Next, Range, Search};
use searched::Searched;
use step::{Step, per_second};

use super::baseline::Against;
use super::figures;
use super::plan::BenchPlan;
use super::trial::{self, Setting};
use super::{IsPinned, rounds};
use crate::bench_args::BenchArgs;
use crate::bound::Bound;
use crate::clock;
use crate::exit::Failure;
use crate::output::{print, print_line};
use crate::remark::remark;
use crate::run::signals::StopSignals;
use crate::scenario_file::ScenarioFile;

/// The highest rate that is tried unless the first is higher, messages a second: no generator of one thread comes near.
const CAP: f64 = 10e6;
/// By how much the lowest rate that is tried is below the first.
const DOWN: f64 = 32.0;

/// What is searched, checked.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// What must hold.
    pub bound: &'a Bound,
    range: Range,
    /// What each step is measured for at least.
    shortest: Duration,
}

impl<'a> Sought<'a> {
    /// What `plan` searches, if it searches anything.
    ///
    /// # Errors
    /// If a step at the first rate could not be judged.
    pub fn of(plan: &'a BenchPlan) -> Result<Option<Self>, Failure> {
        let (Some(bound), Pace::Rate(first)) = (&plan.bound, plan.pace) else {
            return Ok(None);
        };
        let shortest = plan.duration;
        let lowest = bound.lowest_rate(shortest);
        if first < lowest {
            return Err(Failure::Usage(format!(
                "-R {first}: at fewer than {} messages/s a step has too few of them for {}: begin higher, or give steps a longer \
                 --duration",
                per_second(lowest.ceil()),
                bound.of.name()
            )));
        }
        Ok(Some(Self {
            bound,
            range: Range {
                first,
                floor: (first / DOWN).max(lowest),
                cap: CAP.max(first),
            },
            shortest,
        }))
    }

    /// The bench of one step.
    pub fn step(&self, plan: &BenchPlan, rate: f64) -> BenchPlan {
        plan.step(rate, self.bound.step(rate, self.shortest))
    }

    /// The bench of the first step.
    pub fn first_step(&self, plan: &BenchPlan) -> BenchPlan {
        self.step(plan, self.range.first)
    }
}

/// Searches each target, as often as the user says.
pub fn carry_out(
    sought: &Sought<'_>,
    setting: &Setting<'_>,
    args: &BenchArgs,
    (scenarios, names): (&[ScenarioFile], &[String]),
    against: Option<Against>,
) -> Result<u8, Failure> {
    let folder = args.out.as_deref().map(drawn::take).transpose()?;
    let started_at = clock::iso_8601(clock::since_epoch());
    let mut targets: Vec<SearchedTarget> = names.iter().cloned().map(SearchedTarget::new).collect();
    let ended = measure(sought, setting, scenarios, names, &mut targets);
    let is_stopped = match ended {
        Ok(()) => false,
        Err(Failure::Stopped(_)) if targets.iter().any(SearchedTarget::has_steps) => true,
        Err(failure) => return Err(failure),
    };
    let is_pinned = IsPinned::of(setting.pinned);
    let result = FindMaxResult::new(setting.plan, sought.bound, targets, is_pinned, started_at);
    for error in result.targets.iter().flat_map(SearchedTarget::errors) {
        remark(&format!("error: {error}"));
    }
    let line = serde_json::to_string(&result).map_err(anyhow::Error::from)?;
    match args.json {
        true => print_line(&line)?,
        false => print(&table::text(&result))?,
    }
    if let Some(folder) = &folder {
        drawn::write(&result, folder)?;
    }
    let worse = match against {
        Some(against) if !is_stopped => against.judge(&line)?,
        Some(_) | None => 0,
    };
    Ok(worst_exit_code([result.exit_code, worse]))
}

fn measure(
    sought: &Sought<'_>,
    setting: &Setting<'_>,
    scenarios: &[ScenarioFile],
    names: &[String],
    results: &mut [SearchedTarget],
) -> Result<(), Failure> {
    let repeats = setting.plan.repeat;
    rounds(repeats, scenarios, names, async |place, file, signals| {
        let result = &mut results[place];
        if let Some(skipped) = file.skipped() {
            let none = Search::new(sought.range);
            result.add(Searched::failed(&none, &skipped, Vec::new()));
            return Ok(());
        }
        let mut steps = Vec::new();
        let mut search = Search::new(sought.range);
        let under_way = (&mut search, &mut steps);
        let ended = carry_on(sought, setting, &file.scenario, under_way, signals).await;
        match ended {
            Ok((target, found)) => {
                result.software = target.software;
                result.changes = target.changes;
                result.add(Searched::new(found, steps, sought.bound));
            }
            Err(failure @ Failure::Stopped(_)) => {
                result.add(Searched::stopped(&search, &failure, steps));
                return Err(failure);
            }
            Err(failure @ Failure::Usage(_)) => return Err(failure),
            Err(failure) => result.add(Searched::failed(&search, &failure, steps)),
        }
        Ok(())
    })
}

/// One search on a fresh broker, to its end. How far it is, and the steps that were made, are known also where it fails.
async fn carry_on(
    sought: &Sought<'_>,
    setting: &Setting<'_>,
    scenario: &Scenario,
    (search, steps): (&mut Search, &mut Vec<Step>),
    signals: &mut StopSignals,
) -> Result<(squall_run::Target, search::Found), Failure> {
    trial::on_fresh(scenario, signals, async |target, signals| {
        loop {
            let rate = match search.next() {
                Next::Step(rate) => rate,
                Next::Found(found) => return Ok(found),
            };
            let plan = sought.step(setting.plan, rate);
            let seen = match trial::on(setting, &plan, scenario, target, signals).await {
                Ok(seen) => seen,
                // It has more to do than it can: that is what a search looks for.
                Err(Failure::NothingFollows(why)) => {
                    remark(&format!("  {} messages/s: failed: {why}", per_second(rate)));
                    search.handle_step(Ended::Failed);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let mut step = Step::of(&plan, sought.bound, rate, seen.qos, figures::of(&seen));
            if search.is_again() {
                step.attempt = 2;
            }
            remark(&step.line(sought.bound));
            search.handle_step(step.ended());
            steps.push(step);
        }
    })
    .await
}
