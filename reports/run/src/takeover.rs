//! Takeovers: several devices with one Client Identifier (§3.1.4, §4.13).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takeovers of the whole run. How long they took is in the metric `takeover_time`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Takeovers {
    /// Client Identifiers that more than one device used.
    pub contended_ids: u64,
    /// Connections that took an identifier over from another that was alive. Each displaced one, and
    /// each displaced connection is in one of the next three counts.
    pub takeovers: u64,
    /// Of the displaced connections, closed by the broker.
    pub displaced_closed: u64,
    /// Of the displaced connections, still open at the end.
    pub displaced_open: u64,
    /// Of the displaced connections, ended otherwise before the broker closed them: by a fault, a
    /// cut, a timeout.
    #[serde(default)]
    pub displaced_otherwise: u64,
    /// Reasons the displaced were given, by Reason Code; `none` for 3.1.1 and for a bare close.
    pub reasons: BTreeMap<String, u64>,
    /// The most connections of one identifier that were alive at once, counted from each accepted
    /// one to the close of the one before.
    pub most_alive: u64,
    /// CONNACKs whose Session Present was right.
    pub session_present_right: u64,
    /// CONNACKs whose Session Present was wrong.
    pub session_present_wrong: u64,
}
