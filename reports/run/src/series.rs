//! Counters over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Histogram;

/// Counters over time, in intervals of equal length from the start of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// Length of an interval; the last may be cut short by the end of the run.
    pub interval_s: f64,
    /// The intervals: number `n` starts at `n * interval_s`.
    pub intervals: Vec<Interval>,
}

/// What happened within one interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Devices connected at its end.
    pub online: u64,
    /// Messages that were due.
    pub scheduled: u64,
    /// Messages that were handed to the link for the first time.
    pub sent: u64,
    /// Messages that were acknowledged.
    pub acknowledged: u64,
    /// Deliveries that the application saw.
    pub delivered: u64,
    /// Connections accepted.
    pub connected: u64,
    /// Connections ended.
    pub ended: u64,
    /// Connection attempts that failed or were refused.
    pub connect_failed: u64,
    /// Wills seen.
    pub wills: u64,
    /// End-to-end latency of the deliveries, from the scheduled time; warm-up too.
    pub e2e_latency: Histogram,
    /// Schedule lag of the generator.
    pub schedule_lag: Histogram,
}
