//! `[[group]]` and its sub-blocks as the file writes them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{DistributionFile, DurationText, SizeText};
use crate::scenario::template::JsonValue;

/// A fleet of devices that behave alike.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Group")]
pub(in crate::scenario) struct GroupFile {
    /// Faults, expectations and thresholds refer to it.
    pub(in crate::scenario) name: String,
    /// Devices in it.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(in crate::scenario) count: u32,
    /// Template of the Client Identifier. Default `{group}-{index}`.
    pub(in crate::scenario) client_id: Option<String>,
    /// Version of MQTT. Default 5.0.
    pub(in crate::scenario) protocol: Option<ProtocolWord>,
    /// Clean Start, or Clean Session in 3.1.1. Default true.
    pub(in crate::scenario) clean_start: Option<bool>,
    /// How long a Session outlives its connection, in whole seconds. MQTT 5.0 only.
    /// Default 0s.
    pub(in crate::scenario) session_expiry: Option<DurationText>,
    /// Keep Alive, in whole seconds; 0s is none. Default 60s.
    pub(in crate::scenario) keep_alive: Option<DurationText>,
    /// QoS 1 and 2 messages that a device takes at once. MQTT 5.0 only. Default 65535.
    #[schemars(range(min = 1))]
    pub(in crate::scenario) receive_maximum: Option<u16>,
    /// Connects per second of the whole group, at the start. Default 1000.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::scenario) connect_rate: Option<f64>,
    /// Name of a `[[network]]`. By default the link is as it is.
    pub(in crate::scenario) network: Option<String>,
    /// Last Will.
    pub(in crate::scenario) will: Option<WillFile>,
    /// Streams of messages of each device.
    #[serde(default)]
    pub(in crate::scenario) publish: Vec<PublishFile>,
    /// Subscriptions of each device.
    #[serde(default)]
    pub(in crate::scenario) subscribe: Vec<SubscribeFile>,
    /// Whether and when a device comes back.
    #[serde(default)]
    pub(in crate::scenario) reconnect: ReconnectFile,
    /// Mischief in QoS 2 exchanges.
    #[serde(default)]
    pub(in crate::scenario) qos2: Qos2File,
}

/// A version of MQTT.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Protocol")]
pub(in crate::scenario) enum ProtocolWord {
    /// MQTT 3.1.1
    #[serde(rename = "3.1.1")]
    V3_1_1,
    /// MQTT 5.0
    #[serde(rename = "5.0")]
    V5,
}

/// Published by the broker if a device ends without goodbye.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Will")]
pub(in crate::scenario) struct WillFile {
    /// Template of the Topic Name.
    pub(in crate::scenario) topic: String,
    /// Default `{ text = "offline" }`.
    pub(in crate::scenario) payload: Option<PayloadFile>,
    /// Default 0.
    #[schemars(range(max = 2))]
    pub(in crate::scenario) qos: Option<u8>,
    /// Default false.
    pub(in crate::scenario) retain: Option<bool>,
}

/// A stream of messages of each device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Publish")]
pub(in crate::scenario) struct PublishFile {
    /// Template of the Topic Name.
    pub(in crate::scenario) topic: String,
    /// Default 0.
    #[schemars(range(max = 2))]
    pub(in crate::scenario) qos: Option<u8>,
    /// Default false.
    pub(in crate::scenario) retain: Option<bool>,
    /// Messages per second of the whole group.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::scenario) rate: Option<f64>,
    /// Messages per second of each device.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::scenario) rate_per_device: Option<f64>,
    /// Time between two messages of a device.
    pub(in crate::scenario) every: Option<DurationText>,
    /// How due times are spread. Default even.
    pub(in crate::scenario) arrival: Option<ArrivalWord>,
    /// From the beginning of the load to the first message. Default 0s.
    pub(in crate::scenario) start: Option<DurationText>,
    /// Default `{ size = "16B" }`.
    pub(in crate::scenario) payload: Option<PayloadFile>,
}

/// How due times are spread.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Arrival")]
pub(in crate::scenario) enum ArrivalWord {
    /// Devices take turns.
    Even,
    /// Gaps are exponential.
    Poisson,
}

/// What a message carries.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Payload")]
pub(in crate::scenario) enum PayloadFile {
    /// That many bytes: a stamp of 16 bytes, then filling.
    Size(SizeText),
    /// Template of a text.
    Text(String),
    /// An object whose texts are templates.
    Json(IndexMap<String, JsonValue>),
}

/// A subscription of each device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Subscribe")]
pub(in crate::scenario) struct SubscribeFile {
    /// Template of the Topic Filter; `$share/name/filter` shares it.
    pub(in crate::scenario) filter: String,
    /// Highest QoS it takes. Default 0.
    #[schemars(range(max = 2))]
    pub(in crate::scenario) qos: Option<u8>,
}

/// Whether and when a device comes back.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Reconnect")]
pub(in crate::scenario) struct ReconnectFile {
    /// Default `unexpected`.
    pub(in crate::scenario) when: Option<WhenWord>,
    /// Time to the next attempt. Default uniform from 100ms to 1s.
    pub(in crate::scenario) backoff: Option<DistributionFile>,
}

/// After which ends a device comes back.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "When")]
pub(in crate::scenario) enum WhenWord {
    /// Not at all.
    Never,
    /// After every end but those that a fault asked for.
    Unexpected,
    /// After those too.
    Always,
}

/// Mischief in QoS 2 exchanges.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Qos2")]
pub(in crate::scenario) struct Qos2File {
    /// When messages are sent again: `on_reconnect`, as the specification wants.
    #[serde(rename = "retransmit")]
    pub(in crate::scenario) _retransmit: Option<RetransmitWord>,
    /// Probabilities that a publisher resets its connection right after a step.
    #[serde(default)]
    pub(in crate::scenario) cut_after: CutAfterFile,
    /// Time between a PUBREC and the PUBREL that answers it.
    pub(in crate::scenario) delay_pubrel: Option<DistributionFile>,
    /// Probabilities that a subscriber keeps an answer back.
    #[serde(default)]
    pub(in crate::scenario) withhold: WithholdFile,
}

/// When messages are sent again.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Retransmit")]
pub(in crate::scenario) enum RetransmitWord {
    /// After a reconnect only.
    OnReconnect,
}

/// Probabilities that a publisher resets its connection right after a step.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CutAfter")]
pub(in crate::scenario) struct CutAfterFile {
    /// After it sent PUBLISH.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) publish: Option<f64>,
    /// After it received PUBREC.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) pubrec: Option<f64>,
    /// After it sent PUBREL.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) pubrel: Option<f64>,
}

/// Probabilities that a subscriber keeps an answer back.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Withhold")]
pub(in crate::scenario) struct WithholdFile {
    /// PUBREC.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) pubrec: Option<f64>,
    /// PUBCOMP.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) pubcomp: Option<f64>,
    /// Time from the first answer kept back until the device resets its connection, so that the
    /// broker may send again. Default 1s.
    pub(in crate::scenario) reconnect_after: Option<DurationText>,
}
