//! Things that should not happen: all counted, the first of each kind kept whole.

use std::collections::BTreeMap;

use squall_protocol::{Instant, QoS};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, FaultId, GroupId, Scenario};

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

impl Anomaly {
    /// As the run file has it.
    pub(crate) fn in_run_file(&self, scenario: &Scenario) -> squall_run::Anomaly {
        let client_id = self.device.map(|device| {
            let (group, index) = scenario.group_of(device);
            scenario.group(group).client_id_of(index)
        });
        squall_run::Anomaly {
            kind: self.kind,
            at_s: self.at.as_secs_f64(),
            client_id,
            topic: self.topic.clone(),
            sequence: self.sequence.map(u64::from),
            explanation: self.explanation.clone(),
        }
    }

    /// The same, after a fault.
    pub(crate) fn after(mut self, fault: Option<FaultId>) -> Self {
        self.scope.fault = fault;
        self
    }
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

/// The anomalies that one book noticed, or those of a whole run.
#[derive(Clone, Debug)]
pub struct Anomalies {
    kinds: BTreeMap<AnomalyKind, Kind>,
    kept_per_kind: usize,
}

#[derive(Clone, Debug, Default)]
struct Kind {
    count: u64,
    first: Vec<Anomaly>,
}

impl Anomalies {
    /// None yet; of each kind the first `kept_per_kind` will be kept whole.
    pub(crate) fn new(kept_per_kind: usize) -> Self {
        Self {
            kinds: BTreeMap::new(),
            kept_per_kind,
        }
    }

    /// Adds those of another book.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (&kind, theirs) in &other.kinds {
            let ours = self.kinds.entry(kind).or_default();
            ours.count += theirs.count;
            ours.first.extend(theirs.first.iter().cloned());
            ours.first.sort_by_key(|anomaly| anomaly.at);
            ours.first.truncate(self.kept_per_kind);
        }
    }

    /// Counts an anomaly; `describe` is asked for the whole of it only if it is kept.
    pub fn note(&mut self, kind: AnomalyKind, describe: impl FnOnce() -> Anomaly) {
        let entry = self.kinds.entry(kind).or_default();
        entry.count += 1;
        if entry.first.len() < self.kept_per_kind {
            entry.first.push(describe());
        }
    }

    /// How many of this kind there were.
    pub fn count(&self, kind: AnomalyKind) -> u64 {
        self.kinds.get(&kind).map_or(0, |entry| entry.count)
    }

    /// How many of each kind there were.
    pub(crate) fn counts(&self) -> BTreeMap<AnomalyKind, u64> {
        self.kinds
            .iter()
            .map(|(&kind, entry)| (kind, entry.count))
            .collect()
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
