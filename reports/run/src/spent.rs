//! Where the end-to-end latency was spent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the way of a message, in the order in which it goes it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LatencyPart {
    /// squall itself: late to begin, late to write, late to read.
    Generator,
    /// The device that publishes kept it: no connection, or no room under Receive Maximum or the window.
    Device,
    /// The simulated link of the publisher.
    LinkUp,
    /// From the write to the arrival at the recipient's socket: the broker, and the network that is really there.
    Broker,
    /// The simulated link of the recipient.
    LinkDown,
}

impl LatencyPart {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::Generator,
        Self::Device,
        Self::LinkUp,
        Self::Broker,
        Self::LinkDown,
    ];

    /// What a chart or a table calls it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::Device => "kept by the publisher",
            Self::LinkUp => "link up",
            Self::Broker => "broker",
            Self::LinkDown => "link down",
        }
    }
}

/// Which messages of a population.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SpentBy {
    /// Those around the median: one in a hundred, half of them quicker.
    Median,
    /// Those around the 99th percentile: one in a hundred.
    P99,
    /// The slowest hundred, or all if there are fewer.
    Slowest,
}

impl SpentBy {
    /// What a chart or a table calls it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Median => "p50",
            Self::P99 => "p99",
            Self::Slowest => "slowest 100",
        }
    }
}

/// Where some messages spent their time, on average.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpentRow {
    /// Which messages.
    pub of: SpentBy,
    /// How many they are, at least 1.
    pub count: u64,
    /// Their mean end-to-end latency, in microseconds. It is the sum of the parts.
    pub latency_us: f64,
    /// The mean of each part, in microseconds, in the order of [`LatencyPart::ALL`].
    pub parts_us: [f64; 5],
}

impl SpentRow {
    /// The mean of one part, in microseconds.
    pub fn part_us(&self, part: LatencyPart) -> f64 {
        self.parts_us[part as usize]
    }
}

/// Where the messages to one group at one QoS spent their time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencySpent {
    /// The group that receives.
    pub group: String,
    /// The QoS that they were published with.
    pub qos: u8,
    /// Deliveries of the measured part that are divided.
    pub count: u64,
    /// Deliveries of the measured part that are not: when they left their publisher is not known, as of those that were
    /// sent again, or their recipient did not read.
    pub undivided: u64,
    /// By which messages; none of a percentile for which there are fewer than 100 deliveries.
    pub rows: Vec<SpentRow>,
}
