//! Counters over time.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Histogram, Population, Tags};

/// Counters over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// The intervals, ascending and without gaps. One begins where a phase begins, so that none holds
    /// events of two phases, and one where a fault strikes; otherwise they have one length.
    pub intervals: Vec<Interval>,
}

impl Interval {
    /// Messages that were delivered for the first time: without further copies and wills. Those without a stamp count as
    /// often as they came.
    pub fn first_deliveries(&self) -> u64 {
        // Each first delivery of a message with a stamp has an end-to-end latency, and nothing else has.
        self.e2e_latency.count() + self.unstamped
    }

    /// The end-to-end latency of one of [`Series::populations`], if anything came to it.
    pub fn latency_of(&self, population: &Population) -> Option<&Histogram> {
        if population.tags.is_empty() {
            return Some(&self.e2e_latency);
        }
        self.e2e_latency_of
            .iter()
            .find(|of| of.tags() == population.tags)
            .map(|of| &of.latency)
    }
}

impl Series {
    /// The groups and QoS that are told apart over time, by their names; one without tags if all
    /// messages are of one.
    pub fn populations(&self) -> Vec<Population> {
        let mut all: BTreeMap<Tags, Histogram> = BTreeMap::new();
        for of in self
            .intervals
            .iter()
            .flat_map(|interval| &interval.e2e_latency_of)
        {
            all.entry(of.tags()).or_default().merge(&of.latency);
        }
        if all.is_empty() {
            let total = self.intervals.iter().map(|interval| &interval.e2e_latency);
            all.insert(Tags::new(), Histogram::merged(total));
        }
        let mut populations: Vec<Population> = all
            .into_iter()
            .map(|(tags, histogram)| Population { tags, histogram })
            .collect();
        populations.sort_by_cached_key(Population::to_string);
        populations
    }

    /// The interval that holds `at_s`, seconds since the start of the run.
    pub fn at(&self, at_s: f64) -> Option<&Interval> {
        self.intervals
            .iter()
            .find(|interval| (interval.start_s..interval.end_s).contains(&at_s))
    }
}

/// What happened within one interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Start, since the start of the run.
    pub start_s: f64,
    /// End, since the start of the run.
    pub end_s: f64,
    /// Devices that were connected at its end.
    pub online: u64,
    /// Messages that were due within it, whenever they were sent.
    pub scheduled: u64,
    /// Messages that were handed to the link for the first time within it, whenever they were due.
    pub sent: u64,
    /// Messages that were acknowledged.
    pub acknowledged: u64,
    /// Deliveries that the application saw, further copies and wills included.
    pub delivered: u64,
    /// Of those, the ones without a stamp, on topics that this run publishes to without (`stamp = "none"`).
    #[serde(default)]
    pub unstamped: u64,
    /// Deliveries under way at its end: their messages were sent, and they came later. What never came is not among
    /// them. `None` in a run file of a squall that did not count them.
    #[serde(default)]
    pub under_way: Option<u64>,
    /// Connections accepted: CONNACK with success.
    pub connected: u64,
    /// Connections that ended, for any reason.
    pub ended: u64,
    /// Connection attempts that failed or were refused.
    pub connect_failed: u64,
    /// Wills that watchers received.
    pub wills: u64,
    /// End-to-end latency of the deliveries, from the scheduled time; warm-up too.
    pub e2e_latency: Histogram,
    /// The same, each population by itself: the first eight of the run. Empty where it has one only.
    #[serde(default)]
    pub e2e_latency_of: Vec<IntervalLatency>,
    /// Schedule lag of the generator.
    pub schedule_lag: Histogram,
    /// From when a device asked for a transport to its CONNACK with success, as the metric `connect_latency`.
    #[serde(default)]
    pub connect_latency: Histogram,
    /// Bytes of the payloads of the messages in `sent`.
    #[serde(default)]
    pub sent_payload_bytes: u64,
    /// Bytes of the payloads of the deliveries in `delivered`.
    #[serde(default)]
    pub delivered_payload_bytes: u64,
}

/// The end-to-end latency of one population within one interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IntervalLatency {
    /// The group that the messages were delivered to.
    pub group: String,
    /// The QoS that they were published with.
    pub qos: u8,
    /// Whether these are the deliveries that waited for a device that was away.
    pub late: bool,
    /// Their latencies; not empty.
    pub latency: Histogram,
}

impl IntervalLatency {
    /// As the distributions of the run have them.
    fn tags(&self) -> Tags {
        let mut tags = Tags::from([
            ("group".to_owned(), self.group.clone()),
            ("qos".to_owned(), self.qos.to_string()),
        ]);
        if self.late {
            tags.insert("late".to_owned(), "true".to_owned());
        }
        tags
    }
}
