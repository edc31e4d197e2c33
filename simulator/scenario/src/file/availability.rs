//! `[group.availability]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::DistributionFile;

/// Each device comes and goes by itself while the load goes on, whatever `reconnect.when` says of other ends. It has
/// nothing to publish while it is away. What falls due between its connect and the CONNACK, and what was not acknowledged
/// when it went, depends on its Session: with `clean_start = false` and a `session_expiry` (in 3.1.1 with
/// `clean_start = false`) messages of QoS 1 and 2 wait in the device and are sent when it is connected; otherwise, and at
/// QoS 0, they are never sent again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Availability")]
pub(crate) struct AvailabilityFile {
    /// How long it stays connected, drawn each time.
    pub(crate) up: DistributionFile,
    /// How long it stays away, drawn each time.
    pub(crate) down: DistributionFile,
    /// How it goes. Default disconnect.
    pub(crate) how: Option<FarewellWord>,
}

/// How a device goes that is to be away.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Farewell")]
pub(crate) enum FarewellWord {
    /// With DISCONNECT: no will is due.
    Disconnect,
    /// The connection is closed with FIN and without DISCONNECT: the will is due.
    Fin,
    /// The connection is reset with RST: the will is due.
    Rst,
}
