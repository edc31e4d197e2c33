//! `[[group.subscribe]]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::shorthand::{self, TextsFile};
use super::{DistributionFile, DurationText};

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
    /// Whether the device asks not to get what is published with its own Client Identifier; not of a shared
    /// subscription. MQTT 5.0 only. Default false.
    pub(crate) no_local: Option<bool>,
    /// Whether messages keep the RETAIN flag that they were published with, and do not only have it where they come
    /// out of the broker's store. MQTT 5.0 only. Default false.
    pub(crate) retain_as_published: Option<bool>,
    /// Whether SUBSCRIBE brings what is retained: 0 always, 1 if the subscription is new, 2 never. MQTT 5.0 only.
    /// Default 0.
    #[schemars(range(max = 2))]
    pub(crate) retain_handling: Option<u8>,
    /// A number that the broker sends back with each message for this subscription. Filters with different ones are
    /// asked for in SUBSCRIBEs of their own. MQTT 5.0 only. Default none.
    #[schemars(range(min = 1, max = 268_435_455))]
    pub(crate) subscription_identifier: Option<u32>,
    /// When the device subscribes, from the beginning of the measured part; on its next connection if it has none then.
    /// By default on its first connection.
    pub(crate) start: Option<DurationText>,
    /// When the device sends UNSUBSCRIBE, from the beginning of the measured part; on its next connection if it has none
    /// then. At the end of the measured part or later it sends none. By default it stays subscribed.
    pub(crate) until: Option<DurationText>,
    /// The device subscribes and unsubscribes again and again, from `start`, or the beginning of the load, to `until`, or
    /// the end of it. By default it stays subscribed between.
    pub(crate) churn: Option<ChurnFile>,
}

/// A subscription that comes and goes while the load goes on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Churn")]
pub(crate) struct ChurnFile {
    /// Time from SUBSCRIBE to UNSUBSCRIBE, drawn each time.
    pub(crate) on: DistributionFile,
    /// Time from UNSUBSCRIBE to SUBSCRIBE, drawn each time.
    pub(crate) off: DistributionFile,
}
