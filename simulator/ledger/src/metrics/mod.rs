//! Numbers of a run: distributions of times by tags, counters over time, rates.
//!
//! It hears the same facts as the ledger, and what the ledger made of them. A time is a sample of
//! the phase in which what it measures was due; warm-up is kept apart by that tag and left out of
//! every threshold. Latencies count from the due time of a message, whatever held it up; beside
//! them, times from the actual sending are kept for comparison, and times less what the generator
//! itself held up, which tell its share of each percentile.
//!
//! Histograms cover 1 µs to 1 h with three significant digits; longer times are counted in an
//! overflow, nothing is clipped. A sample is in exactly one cell.

mod arrival;
mod cell;
mod hear;
mod populations;
mod rates;
mod samples;
mod series;
mod spent;
mod standstill;
mod thresholds;
mod under_way;

use std::collections::BTreeMap;
use std::time::Duration;

use cell::Cell;
use rates::Rates;
use series::Timeline;
use spent::Spent;
use squall_fleet::Phase;
use squall_protocol::Instant;
use squall_run::{CountedFrom, Histogram, Interval, MetricCell, MetricName, PhaseKind};
use squall_scenario::{GroupId, Scenario};
use standstill::Standstills;

use crate::books::Roster;

pub(crate) use cell::Scheduled;
pub(crate) use thresholds::{broken_threshold, judge_thresholds, thresholds_so_far};

/// All numbers of a run.
#[derive(Debug)]
pub struct Metrics {
    roster: Roster,
    /// Whether a threshold is about `service_latency`: otherwise its histograms are not kept.
    times_service: bool,
    cells: BTreeMap<Cell, Histogram>,
    timeline: Timeline,
    standstills: Standstills,
    /// When what devices had sent was not written.
    unwritten: Standstills,
    /// By metric: how many had no end when the books were closed, and the age of the oldest.
    unfinished: BTreeMap<MetricName, (u64, Duration)>,
    /// How long after its moment each phase began whose moment the scenario tells.
    phase_lags: Vec<(Phase, Duration)>,
    rates: Rates,
    spent: Spent,
    /// From CONNECT to CONNACK without what the broker takes, by group: both ways of a link.
    round_trips: Vec<Histogram>,
    /// When each phase began, in order.
    phases: Vec<(PhaseKind, Instant)>,
    ended_at: Instant,
    /// Of the last thing that was heard.
    last: Instant,
}

impl Metrics {
    /// Nothing was measured yet.
    pub(crate) fn new(scenario: &Scenario, roster: Roster) -> Self {
        let mut thresholds = scenario.thresholds.iter();
        Self {
            times_service: thresholds
                .any(|threshold| threshold.selector.metric == MetricName::ServiceLatency),
            round_trips: vec![Histogram::new(); roster.groups()],
            roster,
            cells: BTreeMap::new(),
            timeline: Timeline::new(),
            standstills: Standstills::default(),
            unwritten: Standstills::default(),
            unfinished: BTreeMap::new(),
            phase_lags: Vec::new(),
            rates: Rates::new(),
            spent: Spent::default(),
            phases: vec![(PhaseKind::Connect, Instant::ZERO)],
            ended_at: Instant::ZERO,
            last: Instant::ZERO,
        }
    }

    /// A phase began at `at`.
    pub(crate) fn enter_phase(&mut self, at: Instant, phase: Phase) {
        self.last = at;
        match phase.kind() {
            Some(kind) => {
                if self.phases.last().is_none_or(|&(last, _)| last != kind) {
                    self.phases.push((kind, at));
                    self.rates.enter_phase(at, kind);
                }
            }
            None => self.ended_at = at,
        }
        self.timeline.begin_phase(at);
    }

    /// The distributions as the run file has them.
    pub(crate) fn cells(&self, scenario: &Scenario) -> squall_run::Metrics {
        let cells = self.cells.iter().map(|(cell, histogram)| MetricCell {
            name: cell.name,
            counted_from: cell.counted_from,
            tags: cell.tags.names(scenario, cell.phase),
            histogram: histogram.clone(),
        });
        squall_run::Metrics {
            cells: cells.collect(),
        }
    }

    /// All samples of a metric so far, from the scheduled time: without the warm-up, and without what was late.
    pub(crate) fn so_far(&self, name: MetricName) -> Histogram {
        let cells = self.cells.iter().filter(|(cell, _)| {
            cell.name == name
                && cell.counted_from == CountedFrom::Scheduled
                && cell.phase != PhaseKind::Warmup
                && !cell.tags.is_late
        });
        Histogram::merged(cells.map(|(_, histogram)| histogram))
    }

    /// Times from CONNECT to CONNACK of a group's devices.
    pub(crate) fn round_trips(&self, group: GroupId) -> &Histogram {
        &self.round_trips[usize::from(group.0)]
    }

    /// The counters over time.
    pub(crate) fn series(&self, scenario: &Scenario) -> squall_run::Series {
        self.timeline.series(scenario, self.last)
    }

    /// The counters of the intervals that are over at `now`, of those that begin at `from` or later.
    pub(crate) fn intervals_over(&self, from: Instant, now: Instant) -> Vec<Interval> {
        self.timeline.over(from, now)
    }

    /// When each phase began, in order.
    pub(crate) fn phases(&self) -> &[(PhaseKind, Instant)] {
        &self.phases
    }

    /// Rates by group and QoS.
    pub(crate) fn rates(&self, scenario: &Scenario) -> squall_run::Rates {
        self.rates.outcome(scenario, self.measured())
    }

    /// Whether devices had begun to publish: every one had had its time to connect.
    pub(crate) fn has_load(&self) -> bool {
        self.stretch(PhaseKind::Warmup).is_some()
    }

    /// From when to when the measured part lasted; `None` if it never began.
    pub(crate) fn measured(&self) -> Option<(Instant, Instant)> {
        self.stretch(PhaseKind::Measure)
    }

    /// From when to when a phase lasted; `None` if it never began.
    fn stretch(&self, wanted: PhaseKind) -> Option<(Instant, Instant)> {
        let place = self.phases.iter().position(|&(kind, _)| kind == wanted)?;
        let start = self.phases[place].1;
        let end = self
            .phases
            .get(place + 1)
            .map_or(self.ended_at, |&(_, end)| end);
        Some((start, end.max(start)))
    }

    /// How long after its moment each phase began whose moment the scenario tells.
    pub(crate) fn phase_lags(&self) -> &[(Phase, Duration)] {
        &self.phase_lags
    }

    /// For how long the generator stood still in the measured part, all in all and at once at most, and how
    /// long that part was.
    pub(crate) fn standstills_while_measuring(&self) -> Option<[Duration; 3]> {
        let (start, end) = self.measured()?;
        let all = self.standstills.within(start, end);
        let longest = self.standstills.longest().min(all);
        Some([all, longest, end.saturating_since(start)])
    }

    fn phase_at(&self, at: Instant) -> PhaseKind {
        self.phases
            .iter()
            .rev()
            .find(|&&(_, start)| start <= at)
            .map_or(PhaseKind::Connect, |&(kind, _)| kind)
    }
}
