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
    /// What it brought about, as far as that is counted: how a reader sees that it did its work.
    #[serde(default)]
    pub effects: Vec<FaultEffect>,
    /// The first anomaly from then until the next occurrence of any fault.
    pub first_anomaly: Option<FirstAnomaly>,
}

/// Something that a fault brought about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaultEffect {
    /// In words, to stand behind a count.
    pub what: String,
    /// How often.
    pub count: u64,
    /// The longest of them, for those that take time.
    pub longest_s: Option<f64>,
}

impl FaultOccurrence {
    /// Whether it ends the process of the broker.
    pub fn ends_process(&self) -> bool {
        ["kill_broker", "restart_broker"].contains(&self.action.as_str())
    }

    /// How often it brought `what` about: zero if that is not counted for it.
    pub fn count_of(&self, what: &str) -> u64 {
        let mut effects = self.effects.iter();
        let found = effects.find(|effect| effect.what == what);
        found.map_or(0, |effect| effect.count)
    }
}

impl FaultEffect {
    /// `what` of the Sessions that had to be there when the broker was back, those that it had forgotten among them.
    pub const SESSIONS_DUE: &str = "Sessions that the broker had to have when it was back";
    /// `what` of those of them that the broker had forgotten.
    pub const SESSIONS_FORGOTTEN: &str = "Sessions forgotten by the broker";
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
