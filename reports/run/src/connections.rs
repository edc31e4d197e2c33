//! Network Connections: how they began and how they ended.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Network Connections of the whole fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connections {
    /// The most devices that were connected at once.
    pub peak_online: u64,
    /// One entry a group, in file order.
    pub groups: Vec<GroupConnections>,
}

/// Network Connections of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupConnections {
    /// The group.
    pub group: String,
    /// Transports that were asked for.
    pub attempts: u64,
    /// CONNACKs with success.
    pub connected: u64,
    /// Of those, with Session Present.
    pub session_present: u64,
    /// Of those, by a device that had been connected before.
    pub reconnects: u64,
    /// Transports that could not be had, by reason: `refused`, `timed_out`, `local_limit`, `other`.
    pub open_failed: BTreeMap<String, u64>,
    /// CONNACKs with an error, by Reason Code: `0x87 not authorized`.
    pub refused: BTreeMap<String, u64>,
    /// Ends of connections by cause: `fault power-cut`, `peer closed (RST)`, `run ended`.
    pub ended: BTreeMap<String, u64>,
    /// Of those, ends that neither the scenario nor the device asked for.
    pub unexpected: u64,
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
            total.unexpected += entry.unexpected;
            add_all(&mut total.open_failed, &entry.open_failed);
            add_all(&mut total.refused, &entry.refused);
            add_all(&mut total.ended, &entry.ended);
        }
        total
    }
}

fn add_all(sum: &mut BTreeMap<String, u64>, part: &BTreeMap<String, u64>) {
    for (reason, count) in part {
        *sum.entry(reason.clone()).or_default() += count;
    }
}
