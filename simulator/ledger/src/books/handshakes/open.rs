//! An exchange that the run left open.

use squall_protocol::{Instant, PacketId};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, GroupId};

use crate::books::anomalies::{Anomaly, Noticed, Scope, Subject};

/// An exchange that is open when the books are closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// Since when the device waits for the broker, at the earliest.
    pub(super) since: Instant,
    pub(super) now: Instant,
    pub(super) device: DeviceId,
    pub(super) group: GroupId,
    pub(super) id: PacketId,
}

impl Open {
    pub(super) fn noticed(&self) -> Noticed {
        self.subject().between(self.since, self.now)
    }

    pub(super) fn subject(&self) -> Subject {
        Subject {
            device: Some(self.device),
            scope: Scope {
                group: Some(self.group),
                ..Scope::default()
            },
        }
    }

    pub(super) fn anomaly(&self, kind: AnomalyKind, what: &str) -> Anomaly {
        Anomaly {
            by_counts: None,
            kind,
            at: self.now,
            device: Some(self.device),
            recipient: None,
            topic: None,
            sequence: None,
            explanation: format!("packet identifier {}: {what}", self.id),
            scope: self.subject().scope,
        }
    }
}
