//! What was set beyond the scenario's own text, and the groups as they ran.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Effective settings that the run card prints. The resolved scenario has all of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// `--set` and other overrides, in the order they were given.
    pub overrides: Vec<Override>,
    /// The groups, in file order.
    pub groups: Vec<GroupSettings>,
}

/// One value that the command line changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Override {
    /// Dotted path: `group.sensors.count`.
    pub key: String,
    /// What it was set to.
    pub value: String,
}

/// A group of devices as it ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupSettings {
    /// `name` of the group.
    pub name: String,
    /// Number of devices.
    pub count: u32,
    /// `3.1.1` or `5.0`.
    pub protocol: String,
    /// `tcp`, `tls`, `ws` or `wss`.
    pub transport: String,
    /// Name of the link profile, if the group has one.
    pub network: Option<String>,
    /// Keep Alive, 0 for none.
    pub keep_alive_s: u16,
    /// What it publishes, one line each for a person: `fleet/{client_id}/telemetry, QoS 1, 5000/s`.
    pub publishes: Vec<String>,
    /// What it subscribes to, one line each: `status/+, QoS 1`.
    pub subscribes: Vec<String>,
    /// How its devices differ from those that stay connected and do nothing else, one line each: `start = "5s"`,
    /// `will to status/{client_id}, QoS 1`.
    #[serde(default)]
    pub specials: Vec<String>,
}

impl Settings {
    /// Devices of all groups.
    pub fn devices(&self) -> u64 {
        self.groups.iter().map(|group| u64::from(group.count)).sum()
    }
}
