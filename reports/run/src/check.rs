//! Invariants of the protocol and whether they held.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Anomaly, Value};

/// One `[[expect]]` block, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckOutcome {
    /// Name of the check: `delivery`, `will`, …
    pub check: String,
    /// What it was narrowed to: `qos`, `group`, `after`, `filter`, `profile`.
    pub selection: BTreeMap<String, String>,
    /// The claims, in file order.
    pub claims: Vec<ClaimOutcome>,
    /// How many violations there were in all.
    pub violations_total: u64,
    /// The first of them.
    pub violations: Vec<Anomaly>,
}

/// One key of an `[[expect]]` block, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimOutcome {
    /// The key: `lost`, `within.rst`, `alive_per_client_id`.
    pub key: String,
    /// What the file allows.
    pub limit: Value,
    /// What was found; `None` if there was nothing to judge by, in which case it is not judged.
    pub actual: Option<Value>,
    /// Whether it held.
    pub passed: bool,
}

impl CheckOutcome {
    /// Whether every claim held.
    pub fn passed(&self) -> bool {
        self.claims.iter().all(|claim| claim.passed)
    }
}
