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
    /// Attempts that came to nothing because a fault had the broker away or paused.
    #[serde(default)]
    pub kept_out_by_fault: u64,
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

    /// Ends of connections with a CONNACK that the scenario did not ask for and that were still no surprise, by cause:
    /// those that a simulated link brought about, and those of connections that were displaced.
    pub fn explained(&self) -> BTreeMap<String, u64> {
        let is_asked = |cause: &str| {
            cause.starts_with("fault ")
                || [
                    "run ended",
                    "refused",
                    "QoS 2 handshake cut on purpose",
                    "went away as its group does",
                ]
                .contains(&cause)
        };
        let ended = self.ended.iter().filter(|(cause, _)| !is_asked(cause));
        let explained = ended.map(|(cause, &count)| {
            let of = |counts: &BTreeMap<String, u64>, key: &str| counts.get(key).copied();
            let unexpected = of(&self.unexpected, cause).unwrap_or(0);
            let refused = of(&self.refused, &format!("without CONNACK: {cause}")).unwrap_or(0);
            (cause.clone(), count.saturating_sub(unexpected + refused))
        });
        explained.filter(|&(_, count)| count > 0).collect()
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
            total.kept_out_by_fault += entry.kept_out_by_fault;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What neither a fault struck nor is a surprise was brought about by a link or a takeover.
    #[test]
    fn ends_that_links_bring_about_are_counted() {
        let counts = |entries: &[(&str, u64)]| {
            let entries = entries.iter();
            entries
                .map(|&(cause, count)| (cause.to_owned(), count))
                .collect::<BTreeMap<String, u64>>()
        };
        let group = GroupConnections {
            ended: counts(&[
                ("fault power-cut", 10),
                ("no answer in time", 55),
                ("peer closed (FIN)", 9),
                ("run ended", 300),
            ]),
            unexpected: counts(&[("peer closed (FIN)", 2)]),
            refused: counts(&[("without CONNACK: peer closed (FIN)", 4)]),
            ..GroupConnections::default()
        };

        let explained = group.explained();

        assert_eq!(
            explained,
            counts(&[("no answer in time", 55), ("peer closed (FIN)", 3)])
        );
    }
}
