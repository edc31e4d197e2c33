//! What a person may know of a run while it goes on, by the definitions of its report.
//!
//! Nothing here is kept beside the books and the metrics: it is read from them when it is asked for.

use squall_protocol::Instant;
use squall_run::{Histogram, Interval, MetricName, PhaseKind, ThresholdResult};
use squall_scenario::Scenario;

use crate::books::{QOS, Tally};
use crate::checks::{ClaimSoFar, StateSoFar, claims_so_far};
use crate::metrics::thresholds_so_far;
use crate::recorder::Recorder;

/// Latencies up to a moment of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoFar {
    /// From when a message was due to its delivery.
    pub e2e_latency: Histogram,
    /// How late the generator was.
    pub schedule_lag: Histogram,
}

impl SoFar {
    /// Those of these distributions: without the warm-up, and without what waited for a device that was away.
    pub fn of(metrics: &squall_run::Metrics) -> Self {
        Self {
            e2e_latency: metrics.all(MetricName::E2eLatency),
            schedule_lag: metrics.all(MetricName::ScheduleLag),
        }
    }
}

/// Counts up to a moment of the run, as [`squall_run::Summary`] defines them. What is owed is counted when it is sent, and what
/// turns out not to be owed is taken back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CountsSoFar {
    /// Messages that were due.
    pub scheduled: u64,
    /// Of those, sent.
    pub sent: u64,
    /// Deliveries to Sessions that asked for them.
    pub expected: u64,
    /// Of those, excused.
    pub excused: u64,
    /// Of those owed, made.
    pub delivered: u64,
    /// Of those owed, never made.
    pub lost: u64,
    /// Of those expected, neither made nor lost nor excused: they may come still. 0 when the books are closed.
    pub outstanding: u64,
    /// Further copies, at all QoS.
    pub duplicated: u64,
    /// Deliveries out of order.
    pub reordered: u64,
    /// Deliveries with another content.
    pub corrupted: u64,
    /// Deliveries that no subscription asked for.
    pub misrouted: u64,
    /// The most devices connected at once.
    pub peak_online: u64,
}

/// Distributions up to a moment of the run, and the thresholds judged by them.
#[derive(Clone, Debug, Default)]
pub struct MeasuredSoFar {
    /// The distributions.
    pub metrics: squall_run::Metrics,
    /// Each condition of each threshold, in file order.
    pub thresholds: Vec<ClaimSoFar>,
}

impl Recorder {
    /// Latencies and schedule lags up to now. Each call merges what is kept by group and QoS, so it is not one to make often.
    pub fn so_far(&self) -> SoFar {
        SoFar {
            e2e_latency: self.metrics().so_far(MetricName::E2eLatency),
            schedule_lag: self.metrics().so_far(MetricName::ScheduleLag),
        }
    }

    /// The counts up to now. It costs as much as the scenario has groups.
    pub fn counts_so_far(&self) -> CountsSoFar {
        let ledger = self.ledger();
        let books = ledger.books();
        let groups = (0..books.groups()).map(squall_scenario::GroupId);
        let published = groups.flat_map(|group| QOS.map(|qos| *books.publications(group, qos)));
        let (scheduled, sent) = published.fold((0, 0), |(scheduled, sent), book| {
            (scheduled + book.scheduled, sent + book.sent)
        });
        let all = books.sum(|_| true);
        CountsSoFar {
            scheduled,
            sent,
            expected: all.expected(),
            excused: all.excused_total(),
            delivered: all.delivered,
            lost: all.lost,
            outstanding: outstanding(&all),
            duplicated: all.duplicated,
            reordered: all.reordered,
            corrupted: all.corrupted,
            misrouted: all.misrouted,
            peak_online: ledger.connections.peak_online(),
        }
    }

    /// The intervals of the run's counters over time that are over at `now`, of those that begin at `from` or later. Without
    /// [`Interval::under_way`] and the latencies by population, which are told of a run as a whole.
    pub fn intervals_so_far(&self, from: Instant, now: Instant) -> Vec<Interval> {
        self.metrics().intervals_over(from, now)
    }

    /// All intervals up to now, as the run file would have them.
    pub fn series_so_far(&self, scenario: &Scenario) -> Vec<Interval> {
        self.metrics().series(scenario).intervals
    }

    /// When each phase began, in order.
    pub fn phases(&self) -> &[(PhaseKind, Instant)] {
        self.metrics().phases()
    }

    /// Every claim of an `[[expect]]` in file order, as far as it is known now.
    pub fn claims_so_far(&self, scenario: &Scenario) -> Vec<ClaimSoFar> {
        claims_so_far(scenario, self.ledger())
    }

    /// The distributions and the thresholds up to now. Each call copies the distributions, so it is not one to make often.
    pub fn measured_so_far(&self, scenario: &Scenario) -> MeasuredSoFar {
        let metrics = self.metrics().cells(scenario);
        let thresholds = thresholds_so_far(scenario, self.metrics(), &metrics);
        let thresholds = thresholds.into_iter().map(|(is_known, outcome)| {
            let line = outcome.claim_line();
            ClaimSoFar {
                name: line.about,
                found: outcome
                    .actual
                    .is_some()
                    .then_some(line.found)
                    .filter(|_| is_known),
                limit: line.limit,
                state: match (is_known, outcome.result) {
                    (false, _) => StateSoFar::AtTheEnd,
                    (true, ThresholdResult::Held) => StateSoFar::Held,
                    (true, ThresholdResult::Broken) => StateSoFar::Broken,
                    (true, ThresholdResult::TooFewSamples | ThresholdResult::ExplainedByLag) => {
                        StateSoFar::Open
                    }
                },
            }
        });
        MeasuredSoFar {
            thresholds: thresholds.collect(),
            metrics,
        }
    }
}

/// What may come still. While a run goes on, the books are not balanced.
fn outstanding(all: &Tally) -> u64 {
    let ended = all.delivered + all.lost + all.excused_total() + all.unknown;
    all.expected().saturating_sub(ended)
}
