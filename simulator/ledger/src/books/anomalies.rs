//! Things that should not happen: all counted, the first of each kind kept whole.

use std::collections::BTreeMap;

use squall_protocol::{Instant, QoS};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, FaultId, GroupId};

use super::limits::ANOMALIES_KEPT_PER_KIND;

/// One thing that should not have happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Anomaly {
    /// Of which kind.
    pub kind: AnomalyKind,
    /// When it was noticed.
    pub at: Instant,
    /// The device that saw it, or holds the Session it concerns.
    pub device: Option<DeviceId>,
    /// Topic Name of the message.
    pub topic: Option<String>,
    /// Sequence number of the message in its stream.
    pub sequence: Option<u32>,
    /// What was expected and what came.
    pub explanation: String,
    /// What it belongs to, so that a check finds its own.
    pub scope: Scope,
}

/// What an anomaly belongs to; `None` where the question has no answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Scope {
    /// Group of the device, or of the Session.
    pub group: Option<GroupId>,
    /// QoS that the message was published with.
    pub qos: Option<QoS>,
    /// The fault that came before it.
    pub fault: Option<FaultId>,
    /// The `[[expect]]` that it breaks, counted from 0 in file order.
    pub expectation: Option<usize>,
}

/// The anomalies of a run.
#[derive(Clone, Debug, Default)]
pub struct Anomalies {
    kinds: BTreeMap<AnomalyKind, Kind>,
}

#[derive(Clone, Debug, Default)]
struct Kind {
    count: u64,
    first: Vec<Anomaly>,
}

impl Anomalies {
    /// Counts an anomaly; `describe` is asked for the whole of it only if it is kept.
    pub fn note(&mut self, kind: AnomalyKind, describe: impl FnOnce() -> Anomaly) {
        let entry = self.kinds.entry(kind).or_default();
        entry.count += 1;
        if entry.first.len() < ANOMALIES_KEPT_PER_KIND {
            entry.first.push(describe());
        }
    }

    /// How many of this kind there were.
    pub fn count(&self, kind: AnomalyKind) -> u64 {
        self.kinds.get(&kind).map_or(0, |entry| entry.count)
    }

    /// The first of this kind, in the order in which they were noticed.
    pub fn first(&self, kind: AnomalyKind) -> &[Anomaly] {
        self.kinds
            .get(&kind)
            .map_or(&[], |entry| entry.first.as_slice())
    }

    /// All that are kept, in order of time.
    pub fn all(&self) -> Vec<&Anomaly> {
        let mut all: Vec<&Anomaly> = self
            .kinds
            .values()
            .flat_map(|entry| entry.first.iter())
            .collect();
        all.sort_by_key(|anomaly| anomaly.at);
        all
    }
}
