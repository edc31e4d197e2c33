//! Link profiles, configured against measured: the simulator proves that its links did what they should.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Histogram, Value};

/// One direction of one link profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkOutcome {
    /// Name of the profile.
    pub profile: String,
    /// Up or down.
    pub direction: Direction,
    /// Devices whose link had the profile.
    pub devices: u64,
    /// Figures side by side.
    pub figures: Vec<NetworkFigure>,
    /// One-way delay as configured, without loss, bandwidth and outages: quantiles, ascending.
    pub configured_delay: Vec<Quantile>,
    /// One-way delay as measured for the same, one sample a segment.
    pub measured_delay: Histogram,
    /// One-way delay with everything: retransmissions, queueing, outages.
    pub total_delay: Histogram,
}

/// Which way bytes go.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the device to the broker.
    Up,
    /// From the broker to the device.
    Down,
}

/// A figure of a link, configured and measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkFigure {
    /// Its name: `latency p50`, `latency p99`, `loss`, `bandwidth`, `outages`, `outage length`.
    pub name: String,
    /// As configured.
    pub configured: Value,
    /// As measured; `None` if the run gave no sample.
    pub measured: Option<Value>,
    /// Samples behind the measured value.
    pub samples: u64,
    /// Samples from which on the figure is judged: for a quantile as many as put ten beyond it.
    pub samples_needed: u64,
}

impl NetworkFigure {
    /// Whether the run gave enough samples to judge the figure.
    pub fn is_judged(&self) -> bool {
        self.samples >= self.samples_needed
    }
}

/// A quantile of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantile {
    /// Share of samples at or below `value_us`, from 0 to 1.
    pub quantile: f64,
    /// The value, in microseconds.
    pub value_us: f64,
}
