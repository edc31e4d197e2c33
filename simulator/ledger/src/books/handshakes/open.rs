//! Something of an exchange that waits for the broker.

use std::time::Duration;

use squall_protocol::{Instant, PacketId};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, GroupId};

use crate::books::anomalies::{Anomaly, Noticed, Scope, Subject};

/// Something that waited for the broker when the books were closed, or when its connection ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// Since when the broker could go on with it.
    pub(super) since: Instant,
    /// When the books were closed, or the connection ended.
    pub(super) until: Instant,
    /// How much of that the broker had.
    pub(super) waited: Duration,
    pub(super) device: DeviceId,
    pub(super) group: GroupId,
    pub(super) id: PacketId,
    pub(super) what: What,
}

/// What waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// An exchange, in this state.
    Exchange(&'static str),
    /// So many answers to PUBLISH packets that were sent again.
    Repeats(u64),
}

impl Open {
    pub(super) fn noticed(&self) -> Noticed {
        self.subject().between(self.since, self.until)
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

    pub(super) fn anomaly(&self) -> Anomaly {
        let (kind, what) = match self.what {
            What::Exchange(state) => (AnomalyKind::Qos2Incomplete, format!("{state} (§4.3.3)")),
            What::Repeats(_) => (
                AnomalyKind::Qos2DupUnanswered,
                "PUBLISH was sent again and never answered with PUBREC [MQTT-4.3.3-10]".to_owned(),
            ),
        };
        Anomaly {
            by_counts: None,
            kind,
            at: self.until,
            device: Some(self.device),
            recipient: None,
            topic: None,
            sequence: None,
            explanation: format!("packet identifier {}: {what}", self.id),
            scope: self.subject().scope,
        }
    }
}
