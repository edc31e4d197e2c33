//! Invariants of the protocol and whether they held.

use std::collections::BTreeMap;
use std::fmt;

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
    /// Some of them, spread over the devices that have any.
    pub violations: Vec<Anomaly>,
    /// How many each device has, those with the most first: at most 100 devices. A violation without a
    /// device is not among them.
    #[serde(default)]
    pub by_device: Vec<DeviceViolations>,
}

/// The violations of one check that one device has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceViolations {
    /// Client Identifier of the device; several devices may share it.
    pub client_id: String,
    /// Violations of the check about this device: its messages, its wills, its connections.
    pub count: u64,
    /// Violations about messages and wills of others that came to this device, or should have.
    #[serde(default)]
    pub as_recipient: u64,
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
    /// What it was judged of, where that is less than what the check is narrowed to.
    #[serde(default)]
    pub of: Option<String>,
    /// Whether it held.
    pub passed: bool,
    /// What the measured value may be, where chance plays a part in it.
    #[serde(default)]
    pub range: Option<AllowedRange>,
    /// Why it could not be judged, if that is another reason than that nothing happened that it is
    /// about.
    #[serde(default)]
    pub unjudged: Option<String>,
    /// What other than the broker may have broken it; then nothing follows about the broker. `None` if it
    /// held, and if nothing else can be the cause.
    #[serde(default)]
    pub explained: Option<Explanation>,
}

/// What other than the broker may have broken a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Explanation {
    /// The generator, which was held up: for how long, in words.
    Generator(String),
    /// Another client, which used Client Identifiers of the run.
    OtherClient,
}

/// What became of a claim or of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimResult {
    /// It is as asked.
    Held,
    /// It is not.
    Broken,
    /// There was nothing to judge it by, or nothing that tells the broker's share.
    NotJudged,
}

impl ClaimResult {
    /// The word that every output uses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::NotJudged => "not judged",
        }
    }
}

impl ClaimOutcome {
    /// What became of it.
    pub fn result(&self) -> ClaimResult {
        match &self.actual {
            None => ClaimResult::NotJudged,
            Some(_) if self.passed => ClaimResult::Held,
            Some(_) if self.explained.is_some() => ClaimResult::NotJudged,
            Some(_) => ClaimResult::Broken,
        }
    }
}

/// What a measured value may be: what was asked for, give or take a tolerance and chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AllowedRange {
    /// What was asked for.
    pub asked: Value,
    /// The share of it that the file tolerates.
    pub tolerance: Value,
    /// The least value that is allowed. Chance is part of it where `chance` has the unit of a value.
    pub at_least: Value,
    /// The greatest, likewise.
    pub at_most: Value,
    /// How much chance may take on each side: in the unit of the value, or, for a quantile, which is
    /// compared by rank, as a share of the samples.
    pub chance: Value,
    /// For a quantile: the share of the samples that lies below it. As many of them, give or take
    /// `chance`, must lie below `at_most`, and no more than that below `at_least`.
    pub quantile: Option<f64>,
}

impl fmt::Display for AllowedRange {
    /// `15.8 ms to 19.9 ms (tolerance 2 %, chance 1.70 ms)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tolerance,
            at_least,
            at_most,
            chance,
            ..
        } = self;
        write!(f, "{at_least} to {at_most}")?;
        if let Some(quantile) = self.quantile {
            write!(f, " for {} of the samples", Value::Ratio(quantile))?;
        }
        write!(f, " (tolerance {tolerance}, chance {chance}")?;
        match self.quantile {
            Some(_) => f.write_str(" of the samples)"),
            None => f.write_str(")"),
        }
    }
}

impl CheckOutcome {
    /// Whether every claim held.
    pub fn passed(&self) -> bool {
        self.claims.iter().all(|claim| claim.passed)
    }
}
