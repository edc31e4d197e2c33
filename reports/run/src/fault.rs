//! What was broken on purpose, and what followed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AnomalyKind;

/// One time that one fault struck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaultOccurrence {
    /// `name` of the fault.
    pub name: String,
    /// Its `action`.
    pub action: String,
    /// Its `how`, for a drop.
    pub how: Option<String>,
    /// The group it was aimed at.
    pub group: Option<String>,
    /// When the scenario asks for it, since measuring began: its `at`, or a multiple of its `every`.
    pub planned_s: f64,
    /// When it struck, since the start of the run.
    pub at_s: f64,
    /// How long it lasted, for faults that last.
    pub lasts_s: Option<f64>,
    /// Devices that were selected.
    pub selected: u64,
    /// Devices it was applied to: the others were not connected at that moment.
    pub applied: u64,
    /// The first anomaly from then until the next occurrence of any fault.
    pub first_anomaly: Option<FirstAnomaly>,
}

/// The first anomaly after a fault. That it came after does not say that it came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FirstAnomaly {
    /// The rule that was broken.
    pub kind: AnomalyKind,
    /// When it was noticed, since the start of the run.
    pub at_s: f64,
    /// As in [`crate::Anomaly::explanation`].
    pub explanation: String,
}
