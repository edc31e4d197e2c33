//! Retained messages, compared with what should be there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Retained messages under one Topic Filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RetainedOutcome {
    /// The Topic Filter.
    pub filter: String,
    /// What they were compared with: `last_will`, `last_publish`, or a text.
    pub equals: String,
    /// Topics that should have one.
    pub expected: u64,
    /// Of those, right.
    pub right: u64,
    /// With another payload than they should have, or sent more than once for one SUBSCRIBE.
    pub wrong: u64,
    /// Of those, without one.
    pub missing: u64,
    /// Topics that should have none and have one.
    pub unexpected: u64,
}
