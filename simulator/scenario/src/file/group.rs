//! `[[group]]` and its sub-blocks as the file writes them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::shorthand::{self, TextsFile};
use super::{DistributionFile, DurationText, SizeText};
use crate::template::JsonValue;

/// A fleet of devices that behave alike.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Group")]
pub(crate) struct GroupFile {
    /// The name that faults, expectations and thresholds refer to.
    pub(crate) name: String,
    /// Devices in it.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) count: u32,
    /// Template of the Client Identifier. Default `{group}-{index}`.
    pub(crate) client_id: Option<String>,
    /// Version of MQTT. Default 5.0.
    pub(crate) protocol: Option<ProtocolWord>,
    /// Clean Start, or Clean Session in 3.1.1. Default true.
    pub(crate) clean_start: Option<bool>,
    /// How long a Session outlives its connection, in whole seconds. MQTT 5.0 only.
    /// Default 0s.
    pub(crate) session_expiry: Option<DurationText>,
    /// Whose Sessions the run begins with. Default `"fresh"`.
    pub(crate) session: Option<SessionWord>,
    /// Keep Alive, in whole seconds; 0s is none. Default 60s.
    pub(crate) keep_alive: Option<DurationText>,
    /// QoS 1 and 2 messages that a device takes at once. MQTT 5.0 only. Default 65535.
    #[schemars(range(min = 1))]
    pub(crate) receive_maximum: Option<u16>,
    /// Connects per second of the whole group, at the start. Default 1000.
    #[schemars(range(min = 0.001, max = 1_000_000))]
    pub(crate) connect_rate: Option<f64>,
    /// Name of a `[[network]]`. By default nothing is added to the real link.
    pub(crate) network: Option<String>,
    /// The Last Will of each device.
    pub(crate) will: Option<WillFile>,
    /// A message that each device publishes once on each of its connections.
    pub(crate) birth: Option<BirthFile>,
    /// Streams of messages of each device.
    #[serde(default)]
    pub(crate) publish: Vec<PublishFile>,
    /// Subscriptions of each device.
    #[serde(default)]
    pub(crate) subscribe: Vec<SubscribeFile>,
    /// Whether and when a device comes back.
    #[serde(default)]
    pub(crate) reconnect: ReconnectFile,
    /// Faults in QoS 2 exchanges.
    #[serde(default)]
    pub(crate) qos2: Qos2File,
}

/// Whose Sessions a run begins with.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Session")]
pub(crate) enum SessionWord {
    /// Those of its own making: what an earlier run left in the broker is cleared first, and the
    /// run leaves none behind.
    Fresh,
    /// Those that are in the broker: `clean_start = false` resumes them, and they are left there.
    Resume,
}

/// A version of MQTT.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Protocol")]
pub(crate) enum ProtocolWord {
    /// MQTT 3.1.1 (protocol level 4).
    #[serde(rename = "3.1.1")]
    V3_1_1,
    /// MQTT 5.0 (protocol level 5).
    #[serde(rename = "5.0")]
    V5,
}

/// A message that the broker publishes when a device is gone without DISCONNECT.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Will")]
pub(crate) struct WillFile {
    /// Template of the Topic Name.
    pub(crate) topic: String,
    /// What the will carries. Default `{ text = "offline" }`.
    #[serde(default, deserialize_with = "shorthand::option::<_, PayloadForms, _>")]
    #[schemars(with = "Option<PayloadForms>")]
    pub(crate) payload: Option<PayloadFile>,
    /// QoS that it is published with. Default 0.
    #[schemars(range(max = 2))]
    pub(crate) qos: Option<u8>,
    /// Whether the broker retains it. Default false.
    pub(crate) retain: Option<bool>,
}

/// A message that a device publishes once on each connection: on the SUBACK where it subscribes on that
/// connection, else on the CONNACK.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Birth")]
pub(crate) struct BirthFile {
    /// Template of the Topic Name.
    pub(crate) topic: String,
    /// What it carries. Default `{ text = "online" }`.
    #[serde(default, deserialize_with = "shorthand::option::<_, PayloadForms, _>")]
    #[schemars(with = "Option<PayloadForms>")]
    pub(crate) payload: Option<PayloadFile>,
    /// QoS that it is published with. Default 0.
    #[schemars(range(max = 2))]
    pub(crate) qos: Option<u8>,
    /// Whether the broker retains it. Default false.
    pub(crate) retain: Option<bool>,
}

/// A stream of messages of each device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Publish")]
pub(crate) struct PublishFile {
    /// Template of the Topic Name.
    pub(crate) topic: String,
    /// QoS that it is published with. Default 0.
    #[schemars(range(max = 2))]
    pub(crate) qos: Option<u8>,
    /// Whether the broker retains it. Default false.
    pub(crate) retain: Option<bool>,
    /// Messages per second of the whole group.
    #[schemars(range(min = 0.000_001, max = 100_000_000))]
    pub(crate) rate: Option<f64>,
    /// Messages per second of each device.
    #[schemars(range(min = 0.000_001, max = 100_000_000))]
    pub(crate) rate_per_device: Option<f64>,
    /// Time between two messages of a device.
    pub(crate) every: Option<DurationText>,
    /// How the times at which messages are due are spread. Default even.
    pub(crate) arrival: Option<ArrivalWord>,
    /// From the beginning of the load to the first message. Default 0s.
    pub(crate) start: Option<DurationText>,
    /// What each message carries. Default `{ size = "16B" }`.
    #[serde(default, deserialize_with = "shorthand::option::<_, PayloadForms, _>")]
    #[schemars(with = "Option<PayloadForms>")]
    pub(crate) payload: Option<PayloadFile>,
}

/// How the times at which messages are due are spread.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Arrival")]
pub(crate) enum ArrivalWord {
    /// The devices of the group take turns at even intervals.
    Even,
    /// The gaps between a device's messages are exponential.
    Poisson,
}

/// What a message carries.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Payload")]
pub(crate) enum PayloadFile {
    /// This number of bytes: a stamp of 16 bytes, then filling.
    Size(SizeText),
    /// A text, as a template.
    Text(String),
    /// An object whose texts are templates.
    Json(IndexMap<String, JsonValue>),
}

/// What a message carries: a text, or a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Content")]
pub(crate) enum PayloadForms {
    /// A text, as a template, as `{ text = "on" }`.
    Text(String),
    /// A size, a text or an object.
    Payload(PayloadFile),
}

impl From<PayloadForms> for PayloadFile {
    fn from(forms: PayloadForms) -> Self {
        match forms {
            PayloadForms::Text(text) => Self::Text(text),
            PayloadForms::Payload(payload) => payload,
        }
    }
}

/// A subscription of each device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Subscribe")]
pub(crate) struct SubscribeFile {
    /// Template of the Topic Filter, or several of them; `$share/name/filter` shares it.
    #[serde(deserialize_with = "shorthand::texts")]
    #[schemars(with = "TextsFile")]
    pub(crate) filter: Vec<String>,
    /// Highest QoS that the device takes. Default 0.
    #[schemars(range(max = 2))]
    pub(crate) qos: Option<u8>,
}

/// Whether and when a device comes back.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Reconnect")]
pub(crate) struct ReconnectFile {
    /// After which ends a device comes back. Default `unexpected`.
    pub(crate) when: Option<WhenWord>,
    /// Time from the end of a connection, or of an attempt, to the next attempt to connect: a distribution,
    /// or a time that grows with each attempt that fails. Default uniform from 100ms to 1s.
    pub(crate) backoff: Option<BackoffFile>,
}

/// Time until the next attempt to connect.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Backoff")]
pub(crate) enum BackoffFile {
    /// Drawn for each attempt, whatever became of the attempts before.
    Drawn(DistributionFile),
    /// Grows with each attempt that fails.
    Growing(GrowingFile),
}

/// A time that grows with each attempt that fails, and is back to `initial` after a CONNACK with
/// Success: a connection that the broker accepted, however short it was.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GrowingBackoff")]
pub(crate) struct GrowingFile {
    /// The first wait, above 0s.
    pub(crate) initial: DurationText,
    /// What each wait is multiplied with for the next. Default 2.
    #[schemars(range(min = 1, max = 1_000))]
    pub(crate) factor: Option<f64>,
    /// No wait is longer; at least `initial`, at most 1d. Default 2m, or `initial` if that is longer.
    pub(crate) cap: Option<DurationText>,
    /// How much of a wait is random. Default full.
    pub(crate) jitter: Option<JitterWord>,
}

/// How much of a wait is random.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Jitter")]
pub(crate) enum JitterWord {
    /// All of it: uniform from zero to the wait, so that a fleet does not come back at one instant.
    Full,
    /// Half of it: uniform from half the wait to the wait.
    Equal,
    /// Nothing: every device waits equally long.
    None,
}

/// After which ends a device comes back.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "When")]
pub(crate) enum WhenWord {
    /// After none.
    Never,
    /// After every end, except those that a fault asked for.
    Unexpected,
    /// After every end, those that a fault asked for included.
    Always,
}

/// Faults in QoS 2 exchanges.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Qos2")]
pub(crate) struct Qos2File {
    /// When messages are sent again: `on_reconnect`, as the specification wants.
    #[serde(rename = "retransmit")]
    pub(crate) _retransmit: Option<RetransmitWord>,
    /// Probabilities that a publisher resets its connection right after a step.
    #[serde(default)]
    pub(crate) cut_after: CutAfterFile,
    /// Time between a PUBREC and the PUBREL that answers it.
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
}

/// Probabilities that a publisher resets its connection right after a step.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CutAfter")]
pub(crate) struct CutAfterFile {
    /// After it sent PUBLISH.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) publish: Option<f64>,
    /// After it received PUBREC.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) pubrec: Option<f64>,
    /// After it sent PUBREL.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) pubrel: Option<f64>,
}

/// Probabilities that a subscriber does not send an answer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Withhold")]
pub(crate) struct WithholdFile {
    /// Probability that a PUBREC is not sent.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) pubrec: Option<f64>,
    /// Probability that a PUBCOMP is not sent.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) pubcomp: Option<f64>,
    /// Time from the first answer that was not sent until the device resets its connection, so that
    /// the broker may send again. Default 1s.
    pub(crate) reconnect_after: Option<DurationText>,
}
