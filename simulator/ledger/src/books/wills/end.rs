//! How a connection with a will ended, and what must follow (§3.1.2.5, §3.14.4).

use squall_protocol::Instant;
use squall_scenario::{DropKind, FaultId};

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
    /// When the broker has surely noticed.
    pub(crate) noticed_by: Instant,
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
