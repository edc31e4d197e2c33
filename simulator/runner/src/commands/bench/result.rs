//! What a bench found: of each target every repeat, with what is to be said of it.

use serde::Serialize;
use squall_run::{count_text, share_text, worst_exit_code};
use squall_saturate::Pace;

use super::figures::Figures;
use super::plan::BenchPlan;
use super::trial::Trial;
use crate::exit::Failure;

/// The exit code of a broker that broke what MQTT promises.
const BROKEN: u8 = 98;
/// A share of an open loop's rate below which the rate was not reached.
const REACHED: f64 = 0.98;

/// All of a bench.
#[derive(Debug, Serialize)]
pub struct BenchResult {
    pub bench: &'static str,
    pub publishers: u32,
    pub subscribers: u32,
    pub qos: u8,
    pub payload_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    pub pinned: bool,
    pub cores: u32,
    pub cpu: String,
    pub targets: Vec<TargetResult>,
    pub warnings: Vec<String>,
    pub exit_code: u8,
}

/// What was found of one target.
#[derive(Debug, Serialize)]
pub struct TargetResult {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// What was changed for it, a sentence each.
    pub changes: Vec<String>,
    pub repeats: Vec<Repeat>,
}

/// One trial.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Repeat {
    /// It has figures.
    Measured(Box<Figures>),
    /// It has none, for this reason.
    Failed {
        /// The reason.
        error: String,
        /// The exit code that it stands for.
        exit_code: u8,
    },
}

impl TargetResult {
    pub fn new(name: String) -> Self {
        Self {
            name,
            software: None,
            changes: Vec::new(),
            repeats: Vec::new(),
        }
    }

    /// Those of the repeats that have some.
    pub fn figures(&self) -> impl Iterator<Item = &Figures> {
        self.repeats.iter().filter_map(|repeat| match repeat {
            Repeat::Measured(figures) => Some(&**figures),
            Repeat::Failed { .. } => None,
        })
    }

    /// Notes how a trial ended. A broker that broke a promise has no figures: how fast it does that is not a throughput.
    pub fn add(&mut self, ended: Result<Trial, Failure>) {
        let repeat = match ended {
            Ok(trial) => {
                self.software = trial.target.software;
                self.changes = trial.target.changes;
                let broken = trial.figures.account.broken(trial.qos);
                match broken.is_empty() {
                    true => Repeat::Measured(Box::new(trial.figures)),
                    false => Repeat::Failed {
                        error: format!(
                            "of {} messages at QoS {}, the broker's deliveries are broken: {}",
                            count_text(trial.figures.account.published),
                            trial.qos,
                            broken.join(", ")
                        ),
                        exit_code: BROKEN,
                    },
                }
            }
            Err(failure) => Repeat::Failed {
                exit_code: failure.code(),
                error: if let Failure::Internal(error) = &failure {
                    format!("{error:#}")
                } else {
                    failure.to_string()
                },
            },
        };
        self.repeats.push(repeat);
    }
}

impl BenchResult {
    /// Of what was found, with the sentences that belong to it.
    pub fn new(plan: &BenchPlan, targets: Vec<TargetResult>, is_pinned: super::IsPinned) -> Self {
        let (window, rate) = match plan.pace {
            Pace::Window(window) => (Some(window), None),
            Pace::Rate(rate) => (None, Some(rate)),
        };
        let parts = crate::machine::parts::read();
        let codes = targets.iter().flat_map(|target| &target.repeats);
        let codes = codes.map(|repeat| match repeat {
            Repeat::Measured(_) => 0,
            Repeat::Failed { exit_code, .. } => *exit_code,
        });
        Self {
            bench: plan.pattern.name(),
            publishers: plan.publishers,
            subscribers: plan.subscribers,
            qos: plan.qos,
            payload_bytes: plan.payload_bytes,
            window,
            rate,
            pinned: is_pinned == super::IsPinned::Yes,
            cores: parts.cores,
            cpu: parts.cpu_model,
            exit_code: worst_exit_code(codes),
            warnings: targets
                .iter()
                .flat_map(|target| warnings(target, plan))
                .collect(),
            targets,
        }
    }
}

/// What a reader must know of the figures of a target, a sentence each.
fn warnings(target: &TargetResult, plan: &BenchPlan) -> Vec<String> {
    let name = &target.name;
    let mut told = Vec::new();
    for (number, repeat) in (1..).zip(&target.repeats) {
        match repeat {
            Repeat::Measured(figures) => {
                let about = of_figures(figures, plan).into_iter();
                told.extend(about.map(|text| format!("warning: {name}, repeat {number}: {text}")));
            }
            Repeat::Failed { error, .. } => {
                told.push(format!("error: {name}, repeat {number}: {error}"));
            }
        }
    }
    let changes = target.changes.iter();
    told.extend(changes.map(|change| format!("note: {name}: changed for the target: {change}")));
    told
}

fn of_figures(figures: &Figures, plan: &BenchPlan) -> Vec<String> {
    let mut told = Vec::new();
    if figures.is_limited_by_generator() {
        told.push(format!(
            "the generator is the limit, not the broker: its core is busy for {}, the broker's for {}",
            share_text(figures.generator_cores),
            share_text(figures.broker_cores.unwrap_or_default())
        ));
    }
    if figures.broker_cores.is_none() {
        let busy = share_text(figures.generator_cores);
        told.push(format!(
            "squall did not start this broker, so what it used is not known, nor whether it or the generator ({busy} of a core) \
             was the limit: --target-pid N names its process"
        ));
    }
    if figures.account.lost > 0 {
        told.push(format!(
            "{} of {} deliveries were lost, which QoS 0 allows",
            count_text(figures.account.lost),
            count_text(figures.account.lost + figures.account.delivered)
        ));
    }
    if figures.account.unclear > 0 {
        told.push(format!(
            "{} deliveries came too late to be told from a copy",
            count_text(figures.account.unclear)
        ));
    }
    if figures.stalls > 0 {
        told.push(format!(
            "nothing was delivered for seconds, {} times; the load went on with new messages",
            figures.stalls
        ));
    }
    if let Pace::Rate(rate) = plan.pace
        && figures.published_per_s < rate * REACHED
    {
        told.push(format!(
            "the rate was not reached: {} messages/s of {} were sent",
            count_text(figures.published_per_s.round() as u64),
            count_text(rate.round() as u64)
        ));
    }
    told
}
