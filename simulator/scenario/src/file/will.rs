//! `[group.will]` and `[group.birth]` as the file writes them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::shorthand;
use super::{DurationText, PayloadFile, PayloadForms};

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
    /// Time from the end of the connection to the will (Will Delay Interval), in whole seconds. The will comes when the
    /// Session ends, if that is sooner, and not at all where a connection resumes the Session before. MQTT 5.0 only. Default 0s.
    pub(crate) delay: Option<DurationText>,
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
