//! Last Wills, by the way connections ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Wills after one fault (or one other cause) and one way of ending.
///
/// How long they took, from when they were due, is in the metric `time_to_will`, under the same `how` and `fault`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WillOutcome {
    /// Name of the fault; `None` for ends that no fault caused.
    pub fault: Option<String>,
    /// How connections ended: `silent`, `rst`, `fin`, `half_close`, `mid_packet`, `malformed`,
    /// `disconnect`, `disconnect_with_will`, `takeover`, …
    pub how: String,
    /// Connections with a will that ended so.
    pub ended: u64,
    /// Wills that were due: one for each abnormal end and each watching Session, and none where the device was back in time.
    pub expected: u64,
    /// Of those, seen.
    pub seen: u64,
    /// Of those, not seen although the broker had time enough, or the limit of `within` had passed.
    pub missing: u64,
    /// Of those, neither seen nor missing: the run ended before the broker must have noticed the end
    /// of the connection.
    #[serde(default)]
    pub undecided: u64,
    /// Wills that came and need not have: to watchers that had subscribed after the end of the connection, or had been
    /// away; and of ends that the broker may see otherwise than the device. Their times are in `time_to_will`.
    #[serde(default)]
    pub optional: u64,
    /// Further copies of a will for one end of a connection.
    pub doubled: u64,
    /// Wills that came though none was due, or none yet.
    pub unexpected: u64,
    /// Of the connections that ended, those without a will because another one resumed the Session before Will Delay had
    /// passed, or about then.
    #[serde(default)]
    pub cancelled: u64,
    /// Of the connections that ended for their devices, those without a will because the broker left them open after a
    /// malformed packet.
    #[serde(default)]
    pub left_open: u64,
    /// Of those seen, later than `limit_s`.
    pub late: u64,
    /// The limit of `within`, if the scenario has one.
    pub limit_s: Option<f64>,
}
