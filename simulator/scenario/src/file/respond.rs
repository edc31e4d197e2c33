//! `[[group.respond]]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::shorthand;
use super::{DistributionFile, PayloadFile, PayloadForms};

/// An answer of each device to what comes on a Topic Filter: to a message of this run that has a Response Topic,
/// there, with its Correlation Data; with `topic`, to every other message of this run as well.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Respond")]
pub(crate) struct RespondFile {
    /// Template of the Topic Filter of the requests, which the device subscribes to; `$share/name/filter` shares
    /// it among the devices.
    pub(crate) filter: String,
    /// Template of the Topic Name of the response to a message without a Response Topic. Needed in MQTT 3.1.1, which
    /// has none. No `[[group.respond]]` with a `topic` may answer what goes there.
    /// By default none: such a message is not answered.
    pub(crate) topic: Option<String>,
    /// Highest QoS that the device takes requests at, and QoS of the responses. Default 0.
    #[schemars(range(max = 2))]
    pub(crate) qos: Option<u8>,
    /// From the arrival of a request to its response. Default 0s.
    pub(crate) delay: Option<DistributionFile>,
    /// What each response carries. Default `{ size = "16B" }`.
    #[serde(default, deserialize_with = "shorthand::option::<_, PayloadForms, _>")]
    #[schemars(with = "Option<PayloadForms>")]
    pub(crate) payload: Option<PayloadFile>,
}
