//! Network Connections: how they began and how they ended.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::count_text;

/// Network Connections of the whole fleet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Connections {
    /// The most devices that were connected at once.
    pub peak_online: u64,
    /// What kept devices out, the most frequent first. Limits of our own machine do not count.
    pub refusals: Vec<Refusal>,
    /// One entry a group, in file order.
    pub groups: Vec<GroupConnections>,
}

/// Network Connections of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupConnections {
    /// `name` of the group.
    pub group: String,
    /// Transports that were asked for.
    pub attempts: u64,
    /// CONNACKs with success.
    pub connected: u64,
    /// Of those, with Session Present.
    pub session_present: u64,
    /// Of those, by a device that had been connected before.
    pub reconnects: u64,
    /// Transports that could not be had, by reason: `refused`, `timed_out`, `local_limit`, `other`,
    /// and `simulated_link_out`: the device's own link was out for longer than the device waits.
    pub open_failed: BTreeMap<String, u64>,
    /// CONNECTs that were refused: by a CONNACK with an error, named by its Reason Code (`0x87 Not
    /// authorized`), or without one, named by how the connection ended (`without CONNACK: peer closed
    /// (FIN)`).
    pub refused: BTreeMap<String, u64>,
    /// Ends of connections by cause: `fault power-cut`, `peer closed (RST)`, `run ended`.
    pub ended: BTreeMap<String, u64>,
    /// Of those, ends of connections with a CONNACK that neither the scenario nor the device asked for.
    pub unexpected: BTreeMap<String, u64>,
    /// How long devices were connected, in seconds, added up.
    #[serde(default)]
    pub online_s: f64,
    /// How long devices that had been connected were away, in seconds, added up.
    #[serde(default)]
    pub away_s: f64,
    /// How much of that nothing in the scenario asked for, in seconds.
    #[serde(default)]
    pub away_unasked_s: f64,
}

/// One way in which connections did not come about.
///
/// As text it is a sentence: "999 of 1,000 CONNECTs were answered with CONNACK 0x84 Unsupported
/// Protocol Version: set protocol = "3.1.1" in the group".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Connection attempts that ended so.
    pub count: u64,
    /// All attempts of the kind that `what` names.
    pub of: u64,
    /// What those are: `CONNECTs`, `connections`.
    pub what: String,
    /// What became of them: `were answered with CONNACK 0x87 Not authorized`.
    pub answer: String,
    /// What would help, if that is known.
    pub remedy: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, of) = (count_text(self.count), count_text(self.of));
        write!(f, "{count} of {of} {} {}", self.what, self.answer)?;
        match &self.remedy {
            Some(remedy) => write!(f, ": {remedy}"),
            None => Ok(()),
        }
    }
}

impl GroupConnections {
    /// Ends that neither the scenario nor the device asked for.
    pub fn unexpected_total(&self) -> u64 {
        self.unexpected.values().sum()
    }
}

impl Connections {
    /// All groups added up; the group is empty.
    pub fn total(&self) -> GroupConnections {
        let mut total = GroupConnections::default();
        for entry in &self.groups {
            total.attempts += entry.attempts;
            total.connected += entry.connected;
            total.session_present += entry.session_present;
            total.reconnects += entry.reconnects;
            add_all(&mut total.open_failed, &entry.open_failed);
            add_all(&mut total.refused, &entry.refused);
            add_all(&mut total.ended, &entry.ended);
            add_all(&mut total.unexpected, &entry.unexpected);
            total.online_s += entry.online_s;
            total.away_s += entry.away_s;
            total.away_unasked_s += entry.away_unasked_s;
        }
        total
    }
}

fn add_all(sum: &mut BTreeMap<String, u64>, part: &BTreeMap<String, u64>) {
    for (reason, count) in part {
        *sum.entry(reason.clone()).or_default() += count;
    }
}
