//! What the thread with the fleet hands over once a second, for the page and the metrics.
//!
//! It is copied here and worked on elsewhere: percentiles, texts and what pages get are made on the server's thread.

use std::sync::Arc;
use std::time::Duration;

use squall_fleet::{Fleet, Progress};
use squall_ledger::{ClaimSoFar, CountsSoFar, MeasuredSoFar, Recorder};
use squall_protocol::Instant;
use squall_run::{Interval, PhaseKind};
use squall_scenario::Scenario;

/// Strikes of faults that are told, at most: the last ones.
pub const STRIKES_MAX: usize = 200;

/// A moment of a run.
#[derive(Clone, Debug)]
pub struct Look {
    /// Since the start of the run.
    pub at: Duration,
    /// The figures of the terminal's lines.
    pub progress: Progress,
    /// Counts since the start of the run.
    pub counts: CountsSoFar,
    /// When each phase began.
    pub phases: Vec<(PhaseKind, Instant)>,
    /// The counters over time.
    pub intervals: Intervals,
    /// The claims in file order.
    pub claims: Vec<ClaimSoFar>,
    /// Distributions and thresholds; those of the last time that they were looked at.
    pub measured: Arc<MeasuredSoFar>,
    /// The last strikes of faults.
    pub strikes: Vec<StrikeSoFar>,
    /// How long this look took the thread that stamps packets: what is not known before it is over is that of the look before.
    pub cost: Duration,
}

/// Intervals of a run's counters over time, ascending.
#[derive(Clone, Debug)]
pub enum Intervals {
    /// Those from the first of them on: what was told from there on before is told anew.
    From(Vec<Interval>),
    /// All of them, as the run file has them: the books are closed.
    Whole(Vec<Interval>),
}

/// One time that a fault struck.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StrikeSoFar {
    /// The fault's name.
    pub name: String,
    /// When it struck.
    pub at: Instant,
    /// Devices that it chose; 1 for the broker.
    pub selected: u64,
    /// When it was over, for one that lasts.
    pub ended: Option<Instant>,
}

/// The last times that faults struck, in order.
pub fn strikes(fleet: &Fleet<Recorder>, scenario: &Scenario) -> Vec<StrikeSoFar> {
    let reports = fleet.faults().iter();
    let all = reports.flat_map(|report| {
        let name = &scenario.fault(report.fault).name;
        let last = report.strikes.iter().rev().take(STRIKES_MAX);
        last.map(|strike| StrikeSoFar {
            name: name.clone(),
            at: strike.at,
            selected: strike.selected,
            ended: strike.ended,
        })
    });
    let mut all: Vec<StrikeSoFar> = all.collect();
    all.sort_by_key(|strike| strike.at);
    let surplus = all.len().saturating_sub(STRIKES_MAX);
    all.drain(..surplus);
    all
}
