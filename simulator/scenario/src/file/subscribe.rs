//! `[[group.subscribe]]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::shorthand::{self, TextsFile};

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
