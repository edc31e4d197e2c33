//! Whose an anomaly is, and when it may have come about: known before it is described.

use std::time::Duration;

use squall_protocol::{Instant, QoS};
use squall_scenario::{DeviceId, FaultId, GroupId};

use crate::books::hold_ups::Span;

/// What an anomaly belongs to; `None` where the question has no answer.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
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

/// Whose an anomaly is, and what it belongs to: known before it is described.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Subject {
    /// The device that it is about.
    pub device: Option<DeviceId>,
    /// What it belongs to.
    pub scope: Scope,
}

impl Subject {
    /// A device, after a fault.
    pub(crate) fn after(fault: Option<FaultId>, device: DeviceId) -> Self {
        Self {
            device: Some(device),
            scope: Scope {
                fault,
                ..Scope::default()
            },
        }
    }

    /// No device: what breaks the `[[expect]]` with this number.
    pub(crate) fn of_expectation(number: usize) -> Self {
        Self {
            device: None,
            scope: Scope {
                expectation: Some(number),
                ..Scope::default()
            },
        }
    }
}

impl Subject {
    /// Something that may have come about between two moments, by a generator that was held up then.
    pub(crate) fn between(self, since: Instant, until: Instant) -> Noticed {
        let excess = Duration::ZERO;
        Noticed {
            span: Some(Span {
                since,
                until,
                excess,
            }),
            ..self.into()
        }
    }

    /// Something about a message or will of `publisher`, which came to the device, or did not.
    pub(crate) fn with_message_of(self, publisher: DeviceId) -> Noticed {
        Noticed::from(self).with_message_of(publisher)
    }
}

/// Whose an anomaly is, and when a generator that was held up may have brought it about; without a time it
/// cannot have.
#[derive(Clone, Copy, Debug)]
pub struct Noticed {
    pub(super) subject: Subject,
    pub(super) span: Option<Span>,
    /// Whose message it is about.
    pub(super) publisher: Option<DeviceId>,
}

impl Noticed {
    /// Whose it is.
    pub(crate) fn subject(self) -> Subject {
        self.subject
    }

    /// As [`Subject::with_message_of`].
    pub(crate) fn with_message_of(self, publisher: DeviceId) -> Self {
        Self {
            publisher: Some(publisher),
            ..self
        }
    }

    pub(super) fn whose(self) -> Whose {
        Whose {
            device: self.about().device,
            recipient: self.publisher.and(self.subject.device),
        }
    }

    /// The subject with the device that it is about: whose message it is, if it is about one.
    pub(super) fn about(self) -> Subject {
        Subject {
            device: self.publisher.or(self.subject.device),
            ..self.subject
        }
    }

    /// A time that was above its limit by `excess`.
    pub(crate) fn beyond(self, excess: Duration) -> Self {
        let span = self.span.map(|span| Span { excess, ..span });
        Self { span, ..self }
    }
}

impl From<Subject> for Noticed {
    fn from(subject: Subject) -> Self {
        Self {
            subject,
            span: None,
            publisher: None,
        }
    }
}

/// Between which devices something went wrong: those that are kept are spread over these.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Whose {
    pub(super) device: Option<DeviceId>,
    pub(super) recipient: Option<DeviceId>,
}
