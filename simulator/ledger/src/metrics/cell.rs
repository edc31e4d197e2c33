//! The name of one distribution: what is measured, from when, and of whom.

use squall_fleet::Planned;
use squall_protocol::QoS;
use squall_run::{CountedFrom, MetricName, PhaseKind, Tags};
use squall_scenario::{FaultId, GroupId, Scenario};

use crate::books::WillCause;

/// Names one distribution.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Cell {
    pub(super) name: MetricName,
    pub(super) counted_from: CountedFrom,
    pub(super) tags: CellTags,
    pub(super) phase: PhaseKind,
}

/// What is measured, and of whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    pub(super) name: MetricName,
    pub(super) tags: CellTags,
}

impl Measure {
    pub(super) const fn new(name: MetricName, tags: CellTags) -> Self {
        Self { name, tags }
    }
}

/// Tags of a distribution beside its phase.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct CellTags {
    pub(super) group: Option<GroupId>,
    pub(super) qos: Option<QoS>,
    pub(super) how: Option<WillCause>,
    pub(super) fault: Option<FaultId>,
    /// Of a schedule lag.
    pub(super) of: Option<Scheduled>,
    pub(super) is_late: bool,
}

/// What was scheduled, as the tag `of` of `schedule_lag` has it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Scheduled {
    /// A message.
    Message,
    /// The first connect of a device.
    Connect,
    /// A later one.
    Reconnect,
    /// A SUBSCRIBE or UNSUBSCRIBE at a time of the scenario.
    Subscription,
    /// What a fault does to one device.
    Fault,
    /// The begin of a phase, of the run as a whole.
    Phase,
}

impl Scheduled {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Message,
        Self::Connect,
        Self::Reconnect,
        Self::Subscription,
        Self::Fault,
        Self::Phase,
    ];

    /// What a fact calls so.
    pub(super) const fn of(what: Planned) -> Self {
        match what {
            Planned::Connect => Self::Connect,
            Planned::Reconnect => Self::Reconnect,
            Planned::Subscription => Self::Subscription,
            Planned::Fault(_) => Self::Fault,
            Planned::Phase(_) => Self::Phase,
        }
    }

    /// The value of the tag.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Connect => "connect",
            Self::Reconnect => "reconnect",
            Self::Subscription => "subscription",
            Self::Fault => "fault",
            Self::Phase => "phase",
        }
    }

    /// Several of them, in a sentence.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Message => "messages",
            Self::Connect => "connects",
            Self::Reconnect => "reconnects",
            Self::Subscription => "subscriptions",
            Self::Fault => "faults",
            Self::Phase => "phases",
        }
    }
}

impl CellTags {
    /// Of one group and QoS.
    pub(super) fn of(group: GroupId, qos: QoS) -> Self {
        Self {
            group: Some(group),
            qos: Some(qos),
            ..Self::default()
        }
    }

    pub(super) fn names(self, scenario: &Scenario, phase: PhaseKind) -> Tags {
        let mut tags = Tags::from([("phase".to_owned(), phase.as_str().to_owned())]);
        if let Some(group) = self.group {
            tags.insert("group".to_owned(), scenario.group(group).name.clone());
        }
        if let Some(qos) = self.qos {
            tags.insert("qos".to_owned(), (qos as u8).to_string());
        }
        if let Some(how) = self.how {
            tags.insert("how".to_owned(), how.name().to_owned());
        }
        if let Some(of) = self.of {
            tags.insert("of".to_owned(), of.name().to_owned());
        }
        if let Some(fault) = self.fault {
            tags.insert("fault".to_owned(), scenario.fault(fault).name.clone());
        }
        if self.is_late {
            tags.insert("late".to_owned(), "true".to_owned());
        }
        tags
    }
}
