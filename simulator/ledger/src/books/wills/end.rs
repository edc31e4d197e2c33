//! How a connection with a will ended, and what must follow (§3.1.2.5, §3.14.4).

use squall_protocol::Instant;
use squall_scenario::{DropKind, FaultId};

use crate::books::delay::{Delay, PUBLISHED_WITHIN, RESUME_SLACK};

/// How a connection with a will ended.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum WillCause {
    /// A fault dropped it.
    Dropped(DropKind),
    /// A fault said goodbye for it.
    Disconnected,
    /// A fault said goodbye with reason 0x04 (§3.14.2.1).
    DisconnectedWithWill,
    /// A cut of the `qos2` block.
    Qos2Cut,
    /// The broker closed it, with or without a reason: a takeover or a fault of the broker.
    ClosedByBroker,
    /// The device gave up: no answer, or a broken protocol.
    GivenUp,
}

/// Whether a will must follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Due {
    /// Exactly one.
    Must,
    /// At most one: the broker may see the end otherwise than the device.
    May,
    /// None: a connection resumed the Session before the will was due [MQTT-3.1.3-9].
    Cancelled,
    /// One for each watcher or none at all: a connection resumed the Session about when the will was due.
    AtEdge,
    /// None [MQTT-3.14.4-3].
    MustNot,
}

/// The end of a connection, as far as wills are concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WillEnd {
    /// The fault behind it, if any.
    pub(crate) fault: Option<FaultId>,
    /// How it ended.
    pub(crate) cause: WillCause,
    /// What must follow.
    pub(crate) due: Due,
    /// When it left the device's link, so that the broker could know of it; `None` before.
    pub(crate) left_at: Option<Instant>,
    /// When the broker has surely noticed, and its will has come.
    pub(crate) noticed_by: Instant,
    /// How long the will waits before it comes.
    pub(crate) delay: Delay,
}

impl WillEnd {
    /// When its will is due at the earliest: it has left the link, and the delay has passed; `None` before it has left.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.left_at.map(|left_at| left_at + self.delay.time())
    }

    /// When its will has surely been published, if nothing held the broker up; `None` if that is not known. A broker that
    /// the transport tells of the end has [`PUBLISHED_WITHIN`] for it, one that must notice a silence as long as that takes.
    pub(super) fn published_by(&self) -> Option<Instant> {
        match self.cause {
            WillCause::Dropped(DropKind::Silent) => Some(self.noticed_by),
            WillCause::Dropped(_)
            | WillCause::Disconnected
            | WillCause::DisconnectedWithWill
            | WillCause::Qos2Cut
            | WillCause::ClosedByBroker
            | WillCause::GivenUp => self.due_at().map(|due_at| due_at + PUBLISHED_WITHIN),
        }
    }

    /// When a connection resumed its Session that was there at `back_at`, if that was before the will was due, and by no
    /// more than a second.
    pub(super) fn resumed_in_time(&self, back_at: Option<Instant>) -> Option<Instant> {
        let (Due::AtEdge, Some(due_at)) = (self.due, self.due_at()) else {
            return None;
        };
        back_at.filter(|&at| at + RESUME_SLACK < due_at)
    }
}

impl Due {
    /// Whether a will may come.
    pub(crate) const fn is_possible(self) -> bool {
        match self {
            Self::Must | Self::May | Self::AtEdge => true,
            Self::Cancelled | Self::MustNot => false,
        }
    }
}

impl WillCause {
    /// Its name in reports, and the tag `how`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dropped(kind) => kind.name(),
            Self::Disconnected => "disconnect",
            Self::DisconnectedWithWill => "disconnect_with_will",
            Self::Qos2Cut => "qos2_cut",
            Self::ClosedByBroker => "closed_by_broker",
            Self::GivenUp => "given_up",
        }
    }

    /// Whether a polite goodbye: no will must follow.
    pub const fn is_polite(self) -> bool {
        matches!(self, Self::Disconnected)
    }
}
