//! `[group.availability]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::DistributionFile;

/// Each device comes and goes by itself while the load goes on, whatever `reconnect.when` says of other ends.
///
/// What falls due while it is away depends on its Session. With `clean_start = false` and a `session_expiry` (in 3.1.1
/// with `clean_start = false`) messages of QoS 1 and 2 wait in the device and are sent when it is back: `e2e_latency` counts
/// from when they were due, `service_latency` from when they were written. Otherwise, and at QoS 0, they are never sent:
/// `dropped` counts them, and no claim about delivery is about them.
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
