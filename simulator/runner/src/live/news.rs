//! What the thread with the runs tells the server's thread, in order.

use std::path::{Path, PathBuf};

use squall_run::Run;
use squall_scenario::Scenario;

use super::look::Look;

/// News that may wait: a look a second, and a few words at the ends of runs.
pub const NEWS_MAX: usize = 16;

/// One thing that happened.
pub enum News {
    /// A run begins.
    Begin(Head),
    /// A moment of it.
    Look(Box<Look>),
    /// It is over.
    Over(Over),
    /// There are no more runs.
    End,
}

/// What is known of a run before it begins.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Head {
    /// The scenario's name.
    pub scenario: String,
    /// What it asks, if its file says so.
    pub question: Option<String>,
    /// The broker under test.
    pub target: String,
    /// The seed.
    pub seed: u64,
    /// Which run of the command it is, from 1.
    pub number: usize,
    /// Of how many.
    pub total: usize,
    /// Devices of all groups.
    pub devices: u32,
    /// `run.warmup`, in seconds.
    pub warmup_s: f64,
    /// `run.duration`, in seconds.
    pub duration_s: f64,
    /// `run.drain`, in seconds.
    pub drain_s: f64,
}

impl Head {
    /// Of a run of `scenario` against `target`, the `number`th of `total`.
    pub fn of(
        scenario: &Scenario,
        question: Option<String>,
        target: String,
        [number, total]: [usize; 2],
    ) -> Self {
        Self {
            scenario: scenario.name.clone(),
            question,
            target,
            seed: scenario.seed,
            number,
            total,
            devices: scenario.device_count(),
            warmup_s: scenario.run.warmup.as_secs_f64(),
            duration_s: scenario.run.duration.as_secs_f64(),
            drain_s: scenario.run.drain.as_secs_f64(),
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Over {
    /// Its verdict, in a word; `None` without one.
    pub outcome: Option<String>,
    /// Why there is no verdict.
    pub why: Option<String>,
    /// The folder of its report, if there is one.
    pub report: Option<PathBuf>,
}

impl Over {
    /// Of a run that has a verdict, and its report in `folder`.
    pub fn judged(run: &Run, folder: &Path) -> Self {
        Self {
            outcome: Some(run.verdict.outcome.as_str().to_owned()),
            why: None,
            report: Some(folder.to_owned()),
        }
    }

    /// Of one that ended without, and why.
    pub fn without_verdict(why: &str) -> Self {
        Self {
            outcome: None,
            why: Some(why.to_owned()),
            report: None,
        }
    }
}
