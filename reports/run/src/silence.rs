//! Devices that fell silent, and when the broker closed their connections [MQTT-3.1.2-22].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Connections with a Keep Alive on which a fault silenced the device, in the whole run.
///
/// Times count from one and a half times Keep Alive after the last packet before the silence, as it reached the
/// system's socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Silences {
    /// Connections. Each is in one of the next five counts.
    pub began: u64,
    /// The broker closed it.
    pub closed: u64,
    /// A newer connection of the same Client Identifier ended it.
    pub taken_over: u64,
    /// The broker closed it early, where other clients use the broker: one of them may have taken it over.
    pub unclear: u64,
    /// A fault had muted the device for a while, and it talked again before the broker closed it.
    #[serde(default)]
    pub broken: u64,
    /// Open at the end.
    pub open: u64,
    /// Of those that the broker closed: before one and a half times Keep Alive had passed.
    pub early: u64,
    /// The longest time until a close.
    pub slowest_s: Option<f64>,
    /// The longest time for which one was open that the broker had not closed when its device talked again, or when the run
    /// ended.
    #[serde(default)]
    pub longest_open_s: Option<f64>,
    /// The longest time by which one was closed of which it is unclear why.
    #[serde(default)]
    pub unclear_by_s: Option<f64>,
    /// The longest time by which one was closed too early.
    pub earliest_s: Option<f64>,
}
