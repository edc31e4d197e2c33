//! What had no end when the run ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::MetricName;

/// Samples of a metric that stand for something without an end: a message that was not delivered or not
/// acknowledged, though its connection was up. Each is in the distributions with its age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unfinished {
    /// The metric whose distribution has them.
    pub metric: MetricName,
    /// Samples of this kind.
    pub count: u64,
    /// The age of the oldest when the run ended, in microseconds.
    pub oldest_us: u64,
}
