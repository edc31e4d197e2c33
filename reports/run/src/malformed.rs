//! Malformed packets that faults sent, and what the broker did about them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Malformed packets of one kind, over the whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MalformedOutcome {
    /// The rule that they break, as the scenario names it.
    pub kind: String,
    /// Protocol version: `3.1.1` or `5.0`.
    pub version: String,
    /// The statement of the specification that they break, or else its section.
    pub source: String,
    /// Packets that were sent. Each is in one of the next three counts.
    pub sent: u64,
    /// The broker closed the connection.
    pub closed: u64,
    /// Another connection of the Client Identifier came before, which ends it: not judged from then on.
    pub taken_over: u64,
    /// Open at the end of the run.
    pub left_open: u64,
    /// Reason Codes of DISCONNECTs that came before the close.
    pub reasons: BTreeMap<String, u64>,
    /// Of those, reasons that have nothing to do with the packet.
    pub unfit_reasons: u64,
    /// The longest time from a packet to the close.
    pub slowest_s: Option<f64>,
}
