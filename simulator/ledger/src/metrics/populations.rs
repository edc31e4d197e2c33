//! The latencies of one interval, each population by itself.
//!
//! Messages of QoS 0 over one network and of QoS 2 over another have nothing in common: one
//! distribution of both would be of neither. A histogram of an interval takes up to 90 KB where
//! latencies reach a second, and there are up to 600 intervals: 54 MB a population. So the first
//! [`POPULATIONS_MAX`] are kept apart, and the others of a run together.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_protocol::QoS;
use squall_run::{Histogram, IntervalLatency};
use squall_scenario::{GroupId, Scenario};

/// Populations that have a histogram of their own in each interval.
pub(crate) const POPULATIONS_MAX: usize = 8;

/// Messages whose latencies may be told together.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Population {
    /// The group that they were delivered to.
    pub(crate) group: GroupId,
    /// The QoS that they were published with.
    pub(crate) qos: QoS,
    /// Whether they waited for a device that was away.
    pub(crate) is_late: bool,
}

/// The populations of a run that have histograms of their own.
#[derive(Debug, Default)]
pub(super) struct Known {
    populations: Vec<Population>,
    /// Whether there were more than have histograms.
    has_others: bool,
}

/// The latencies of one interval.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies {
    of: BTreeMap<Population, Histogram>,
    others: Histogram,
}

impl Known {
    /// Whether a population has histograms of its own; it is given them if there is room.
    pub(super) fn has(&mut self, population: Population) -> bool {
        if self.populations.contains(&population) {
            return true;
        }
        if self.populations.len() == POPULATIONS_MAX {
            self.has_others = true;
            return false;
        }
        self.populations.push(population);
        true
    }

    /// Whether all latencies of the run are of one population: then the total says it all.
    pub(super) fn are_one(&self) -> bool {
        self.populations.len() <= 1 && !self.has_others
    }
}

impl Latencies {
    /// Adds a latency of one of the `known` populations, or of the others.
    pub(super) fn record(&mut self, known: &mut Known, population: Population, latency: Duration) {
        let histogram = if known.has(population) {
            self.of.entry(population).or_default()
        } else {
            &mut self.others
        };
        histogram.record(latency);
    }

    /// Adds those of a later interval.
    pub(super) fn add(&mut self, later: &Self) {
        for (&population, theirs) in &later.of {
            self.of.entry(population).or_default().merge(theirs);
        }
        self.others.merge(&later.others);
    }

    /// The samples of all populations together.
    pub(super) fn total(&self) -> Histogram {
        Histogram::merged(self.of.values().chain([&self.others]))
    }

    /// Each population that has histograms of its own and something in this interval.
    pub(super) fn apart(&self, scenario: &Scenario) -> Vec<IntervalLatency> {
        self.of
            .iter()
            .map(|(population, latency)| IntervalLatency {
                group: scenario.group(population.group).name.clone(),
                qos: population.qos as u8,
                late: population.is_late,
                latency: latency.clone(),
            })
            .collect()
    }
}
