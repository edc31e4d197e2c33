//! Where and when something was observed.

use squall_protocol::Instant;

use squall_fleet::SocketId;
use squall_run::AnomalyKind;
use squall_scenario::{ClientKey, DeviceId, GroupId};

use super::anomalies::{Anomaly, Noticed, Scope, Subject};
use super::hold_ups::NOTICED_AFTER;

/// The frame of one [`crate::Observation`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// The moment at which the device noticed it.
    pub(crate) now: Instant,
    /// When it was there for the device: earlier than `now` if the generator came to it late.
    pub(crate) crossed: Instant,
    /// When it reached the device's machine: earlier than `crossed` by what the device's link took. What
    /// the broker may take is counted up to here.
    pub(crate) arrived: Instant,
    /// The device that saw or did it.
    pub(crate) device: DeviceId,
    /// The group of the device.
    pub(crate) group: GroupId,
    /// The Session it concerns.
    pub(crate) client: ClientKey,
    /// The Network Connection it concerns.
    pub(crate) socket: SocketId,
}

/// What the broker did with a message, as its PUBACK, PUBREC or PUBCOMP says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answered {
    /// It has the message.
    Accepted,
    /// It refused the message, with an error.
    Refused,
}

impl Event {
    /// What an anomaly of this device is about.
    pub(crate) fn subject(&self) -> Subject {
        Subject {
            device: Some(self.device),
            scope: Scope {
                group: Some(self.group),
                ..Scope::default()
            },
        }
    }

    /// The same of what a generator that said nothing until a while ago may have brought about.
    pub(crate) fn after_a_silence(&self) -> Noticed {
        self.subject().between(self.now - NOTICED_AFTER, self.now)
    }

    /// The same of what another device, which of them is not known, may have brought about by its silence.
    pub(crate) fn after_a_silence_of_another(&self) -> Noticed {
        let subject = Subject {
            scope: Scope::default(),
            ..self.subject()
        };
        subject.between(self.now - NOTICED_AFTER, self.now)
    }

    /// An anomaly of this device, at this moment.
    pub(crate) fn anomaly(&self, kind: AnomalyKind, explanation: String) -> Anomaly {
        Anomaly {
            by_counts: None,
            kind,
            at: self.now,
            device: Some(self.device),
            recipient: None,
            topic: None,
            sequence: None,
            explanation,
            scope: self.subject().scope,
        }
    }
}
