//! Where deliveries spent their time, by how long they took.
//!
//! A percentile is one message's latency and says nothing of where that was spent. So the parts are added up for deliveries of
//! about the same latency, in bins of at most 1.6 %, and those of a percentile are the means around it: of one delivery in a
//! hundred. The slowest are kept one by one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use squall_protocol::QoS;
use squall_run::{CountedFrom, LatencySpent, MetricName, PhaseKind, SpentBy, SpentRow};
use squall_scenario::{GroupId, Scenario};

use super::Metrics;
use super::arrival::Arrival;
use super::cell::{CellTags, Measure};
use crate::books::FirstDelivery;

/// Deliveries that are kept one by one.
const SLOWEST: usize = 100;

/// Half of the deliveries around a percentile, as a part of all.
const AROUND: f64 = 0.005;

/// Bins of one doubling of the latency.
const BINS: u64 = 64;

/// The parts of one delivery, as [`squall_run::LatencyPart`] names them, in nanoseconds.
type Parts = [u64; 5];

/// Deliveries of the measured part, by receiving group and QoS.
#[derive(Debug, Default)]
pub(super) struct Spent {
    by_population: BTreeMap<(GroupId, QoS), OfPopulation>,
}

#[derive(Debug, Default)]
struct OfPopulation {
    /// By the bin of the latency.
    bins: Vec<Sum>,
    slowest: BinaryHeap<Reverse<(u64, Parts)>>,
    count: u64,
    undivided: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: u64,
    parts: Parts,
}

impl OfPopulation {
    fn add(&mut self, parts: Parts) {
        let latency: u64 = parts.iter().sum();
        let bin = bin_of(latency / 1_000);
        if self.bins.len() <= bin {
            self.bins.resize(bin + 1, Sum::default());
        }
        let sum = &mut self.bins[bin];
        sum.count += 1;
        for (all, part) in sum.parts.iter_mut().zip(parts) {
            *all += part;
        }
        self.count += 1;
        if self.slowest.len() < SLOWEST {
            self.slowest.push(Reverse((latency, parts)));
        } else if let Some(mut quickest) = self.slowest.peek_mut()
            && quickest.0.0 < latency
        {
            *quickest = Reverse((latency, parts));
        }
    }

    /// The deliveries around the quantile `at`; `None` if there are fewer than one.
    fn around(&self, of: SpentBy, at: f64) -> Option<SpentRow> {
        let all = self.count as f64;
        let (from, to) = ((at - AROUND) * all, (at + AROUND) * all);
        if to - from < 1.0 {
            return None;
        }
        let mut before = 0.0;
        let mut row = Means::default();
        for sum in self.bins.iter().filter(|sum| sum.count > 0) {
            let count = sum.count as f64;
            let inside = (to.min(before + count) - from.max(before)).max(0.0);
            row.add(&sum.parts, inside / count, inside);
            before += count;
        }
        row.finish(of)
    }

    fn slowest(&self) -> Option<SpentRow> {
        let mut row = Means::default();
        for Reverse((_, parts)) in &self.slowest {
            row.add(parts, 1.0, 1.0);
        }
        row.finish(SpentBy::Slowest)
    }
}

/// Sums on the way to a row.
#[derive(Debug, Default)]
struct Means {
    count: f64,
    parts: [f64; 5],
}

impl Means {
    /// Adds so much of `parts`, which are those of `count` deliveries.
    fn add(&mut self, parts: &Parts, of_them: f64, count: f64) {
        self.count += count;
        for (all, &part) in self.parts.iter_mut().zip(parts) {
            *all += of_them * part as f64;
        }
    }

    fn finish(self, of: SpentBy) -> Option<SpentRow> {
        let parts_us = self.parts.map(|part| part / self.count / 1e3);
        (self.count >= 1.0).then(|| SpentRow {
            of,
            count: self.count.round() as u64,
            latency_us: parts_us.iter().sum(),
            parts_us,
        })
    }
}

/// The bin of a latency in microseconds: each as wide as a 64th of the power of two below it.
fn bin_of(latency_us: u64) -> usize {
    let octave = (latency_us / BINS).checked_ilog2().unwrap_or(0);
    let bin = u64::from(octave) * BINS + (latency_us >> octave);
    usize::try_from(bin).unwrap_or(usize::MAX)
}

impl Metrics {
    /// A delivery is divided into its parts.
    pub(super) fn record_spent(&mut self, tags: CellTags, first: &FirstDelivery, arrival: Arrival) {
        let due = first.stamp.scheduled;
        let parts = self.parts_of(first, arrival);
        if let Some([_, _, _, broker, _]) = parts {
            let measure = Measure::new(MetricName::BrokerTime, tags);
            self.record(measure, CountedFrom::Scheduled, due, broker);
        }
        let (Some(group), Some(qos)) = (tags.group, tags.qos) else {
            return;
        };
        if tags.is_late || self.phase_at(due) != PhaseKind::Measure {
            return;
        }
        let population = self.spent.by_population.entry((group, qos)).or_default();
        match parts {
            Some(parts) => population.add(parts.map(nanos)),
            None => population.undivided += 1,
        }
    }

    /// What a delivery spent where; `None` if it is not known when it left its publisher's link.
    fn parts_of(&self, first: &FirstDelivery, arrival: Arrival) -> Option<[Duration; 5]> {
        let (reached_at, sent_at, left) = (first.reached_at?, first.sent_at?, first.left?);
        let all = arrival.now.saturating_since(first.stamp.scheduled);
        let device = sent_at.saturating_since(reached_at);
        let link_up = left.passed_at.saturating_since(sent_at);
        let broker = self.less_lag(left.at, arrival.without_link());
        let others = device + link_up + broker + arrival.on_link;
        let generator = all.saturating_sub(others);
        Some([generator, device, link_up, broker, arrival.on_link])
    }

    /// Where deliveries spent their time, as the run file has it.
    pub(crate) fn spent(&self, scenario: &Scenario) -> Vec<LatencySpent> {
        let populations = self.spent.by_population.iter();
        let spent = populations.map(|(&(group, qos), population)| LatencySpent {
            group: scenario.group(group).name.clone(),
            qos: qos as u8,
            count: population.count,
            undivided: population.undivided,
            rows: [
                population.around(SpentBy::Median, 0.5),
                population.around(SpentBy::P99, 0.99),
                population.slowest(),
            ]
            .into_iter()
            .flatten()
            .collect(),
        });
        spent.collect()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(parts: [u64; 5]) -> Parts {
        parts.map(|part| part * 1_000_000)
    }

    fn assert_parts(row: Option<SpentRow>, expected_ms: [f64; 5]) {
        let row = row.unwrap();
        for (part, expected) in row.parts_us.iter().zip(expected_ms) {
            assert!((part / 1e3 - expected).abs() < 1e-9, "{row:?}");
        }
    }

    /// Each percentile has the parts of the deliveries that took about as long, not those of the mean.
    #[test]
    fn a_percentile_has_the_parts_of_its_own_deliveries() {
        let mut of = OfPopulation::default();
        for _ in 0..970 {
            of.add(ms([0, 0, 5, 1, 0]));
        }
        for _ in 0..30 {
            of.add(ms([0, 0, 5, 95, 0]));
        }

        assert_parts(of.around(SpentBy::Median, 0.5), [0.0, 0.0, 5.0, 1.0, 0.0]);
        assert_parts(of.around(SpentBy::P99, 0.99), [0.0, 0.0, 5.0, 95.0, 0.0]);
        // 30 and 70 of the others.
        let broker = (30.0 * 95.0 + 70.0) / 100.0;
        assert_parts(of.slowest(), [0.0, 0.0, 5.0, broker, 0.0]);
    }

    /// Of too few deliveries there is no percentile.
    #[test]
    fn a_percentile_needs_a_hundred() {
        let mut of = OfPopulation::default();
        for _ in 0..99 {
            of.add(ms([1, 0, 0, 0, 0]));
        }
        assert_eq!(of.around(SpentBy::P99, 0.99), None);

        of.add(ms([1, 0, 0, 0, 0]));
        assert_eq!(of.around(SpentBy::P99, 0.99).map(|row| row.count), Some(1));
    }

    /// Bins follow each other without a gap, and none is wider than a 64th of what is in it.
    #[test]
    fn bins_are_narrow() {
        let mut first_of_bin = 0;
        for latency_us in 1..1_000_000 {
            let step = bin_of(latency_us) - bin_of(latency_us - 1);
            assert!(step <= 1, "{latency_us}");
            if step == 1 {
                first_of_bin = latency_us;
            }
            assert!(
                (latency_us - first_of_bin) * BINS <= first_of_bin,
                "{latency_us}"
            );
        }
    }
}
