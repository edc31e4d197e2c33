//! `[group.qos2]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{DistributionFile, DurationText};

/// Faults in QoS 2 exchanges.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Qos2")]
pub(crate) struct Qos2File {
    /// When messages of QoS 1 and 2 are sent again. Default on_reconnect, as the specification wants.
    pub(crate) retransmit: Option<RetransmitWord>,
    /// With same_connection: time without an answer after which PUBLISH or PUBREL is sent again, and once more
    /// after each further such time. Default 5s.
    pub(crate) retransmit_after: Option<DurationText>,
    /// Probabilities that a publisher resets its connection right after a step.
    #[serde(default)]
    pub(crate) cut_after: CutAfterFile,
    /// Time between a PUBREC and the PUBREL that answers it. By default none.
    pub(crate) delay_pubrel: Option<DistributionFile>,
    /// Probabilities that a subscriber does not send an answer.
    #[serde(default)]
    pub(crate) withhold: WithholdFile,
}

/// When messages are sent again.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Retransmit")]
pub(crate) enum RetransmitWord {
    /// After a reconnect only.
    OnReconnect,
    /// On the same connection too, as clients of MQTT 3.1 did. MQTT 5.0 forbids it [MQTT-4.4.0-1]: a broker may
    /// end the connection, and deliver a message of QoS 1 once more.
    SameConnection,
}

/// Probabilities that a publisher resets its connection right after a step.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CutAfter")]
pub(crate) struct CutAfterFile {
    /// After it sent PUBLISH. Default 0.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) publish: Option<f64>,
    /// After it received PUBREC. Default 0.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) pubrec: Option<f64>,
    /// After it sent PUBREL. Default 0.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) pubrel: Option<f64>,
}

/// Probabilities that a subscriber does not send an answer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Withhold")]
pub(crate) struct WithholdFile {
    /// Probability that a PUBREC is not sent. Default 0.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) pubrec: Option<f64>,
    /// Probability that a PUBCOMP is not sent. Default 0.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) pubcomp: Option<f64>,
    /// Time from the first answer that was not sent until the device resets its connection, so that
    /// the broker may send again. Default 1s.
    pub(crate) reconnect_after: Option<DurationText>,
}
