//! Streams whose messages are due as the broker answers those before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stream that publishes as fast as the broker answers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClosedLoop {
    /// The group whose devices publish it.
    pub group: String,
    /// Template of its Topic Names.
    pub topic: String,
    /// QoS that it is published with: 1 or 2.
    pub qos: u8,
    /// Most messages of each device that were unanswered at a time.
    pub window: u32,
}
