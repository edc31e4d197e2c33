//! When the run was, and in which phases.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration_text;

/// When the run was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Times {
    /// Wall clock at the start of the run: UTC, ISO 8601, whole seconds, `2026-11-24T06:40:00Z`.
    pub started_at: String,
    /// From the start to the end of the drain.
    pub duration_s: f64,
    /// Which clock the run went by.
    pub clock: ClockKind,
    /// The phases, in order, without gaps.
    pub phases: Vec<Phase>,
    /// Where it was stopped, if it did not run to its end.
    pub stopped: Option<Stop>,
}

/// Where a run was stopped before its load was over, or in its drain if that was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stop {
    /// What did it.
    pub by: StopCause,
    /// When, since the start of the run.
    pub at_s: f64,
    /// The phase that was cut short.
    pub phase: PhaseKind,
    /// How much of the phase had passed.
    pub after_s: f64,
    /// How long the scenario makes the phase; `None` for connecting, which takes as long as it takes.
    pub planned_s: Option<f64>,
}

/// What ends a run before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum StopCause {
    /// Ctrl-C in a terminal.
    Sigint,
    /// `kill`, a CI job's time limit, a service manager.
    Sigterm,
    /// The terminal was closed.
    Sighup,
    /// Something was broken, and `run.abort_on_fail` wants no more.
    #[serde(rename = "run.abort_on_fail")]
    AbortOnFail,
}

impl fmt::Display for StopCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sigint => "SIGINT",
            Self::Sigterm => "SIGTERM",
            Self::Sighup => "SIGHUP",
            Self::AbortOnFail => "run.abort_on_fail",
        })
    }
}

impl fmt::Display for Stop {
    /// `stopped by SIGTERM after 16.0 s of 60.0 s of measuring`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = self.phase.in_sentence();
        let (by, after) = (self.by, duration_text(self.after_s));
        match self.planned_s {
            Some(planned_s) => {
                write!(
                    f,
                    "stopped by {by} after {after} of {} of {phase}",
                    duration_text(planned_s)
                )
            }
            None => write!(f, "stopped by {by} after {after} of {phase}"),
        }
    }
}

/// Which clock a run went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// The monotonic clock of one machine: publishers and subscribers share it.
    Real,
    /// Virtual time: every latency is exact and the run repeats bit for bit.
    Virtual,
}

/// A stretch of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// What it is for.
    pub kind: PhaseKind,
    /// Start, since the start of the run.
    pub start_s: f64,
    /// End, since the start of the run.
    pub end_s: f64,
}

/// What a stretch of the run is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// Devices connect; nothing is measured but connecting.
    Connect,
    /// Load runs, its latencies are left out of the figures.
    Warmup,
    /// The figures come from here.
    Measure,
    /// No new messages; late ones may still come.
    Drain,
}

impl PhaseKind {
    /// The name as it is in the run file and in the tag `phase`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Warmup => "warmup",
            Self::Measure => "measure",
            Self::Drain => "drain",
        }
    }

    /// What a sentence says after `into`.
    pub const fn in_sentence(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Warmup => "warm-up",
            Self::Measure => "measuring",
            Self::Drain => "the drain",
        }
    }
}

impl Times {
    /// The phase that holds `at_s`, if any.
    pub fn phase_at(&self, at_s: f64) -> Option<PhaseKind> {
        self.phases
            .iter()
            .find(|phase| (phase.start_s..phase.end_s).contains(&at_s))
            .map(|phase| phase.kind)
    }

    /// Length of all stretches of `kind` together, seconds.
    pub fn phase_length_s(&self, kind: PhaseKind) -> f64 {
        self.phases
            .iter()
            .filter(|phase| phase.kind == kind)
            .map(|phase| phase.end_s - phase.start_s)
            .sum()
    }
}
