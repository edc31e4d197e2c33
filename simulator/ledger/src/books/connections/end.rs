//! How a connection ended, and whether anything asked for it.

use squall_fleet::{EndCause, PeerClose};
use squall_protocol::ReasonCode;
use squall_scenario::FaultId;

use super::{layer_fault_name, reason_text};

/// How a peer closes without a word of MQTT, as reports name it.
const FIN: &str = "FIN";
const RST: &str = "RST";
/// Both ways in which a peer closes without a reason.
pub(crate) const PEER_CLOSES: [&str; 2] = [FIN, RST];

/// How a connection ended, as reports name it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum EndKind {
    /// A fault.
    Fault(FaultId),
    /// Its group's `availability` or `leave`.
    WentAway,
    /// A cut of the `qos2` block.
    Qos2Cut,
    /// The broker, without DISCONNECT.
    PeerClosed(&'static str),
    /// The broker, with DISCONNECT.
    ServerDisconnect(ReasonCode),
    /// The device, because of a broken protocol.
    ProtocolError(ReasonCode),
    /// The device, because an answer did not come.
    TimedOut,
    /// CONNACK with an error.
    Refused,
    /// The end of the run.
    RunEnded,
}

/// The end of a connection, as far as it must be explained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionEnd {
    /// Why, as the device knows it.
    pub(crate) cause: EndCause,
    /// Whether it had a CONNACK.
    pub(crate) was_connected: bool,
    /// Whether another connection may have displaced it.
    pub(crate) may_be_displaced: bool,
    /// Whether squall's own link brought it about.
    pub(crate) is_of_link: bool,
    /// Whether a fault had stopped the device from reading it, for which a broker may end it.
    pub(crate) is_of_stall: bool,
    /// The fault that had muted the device, for which the broker had to end it [MQTT-3.1.2-22].
    pub(crate) muted_by: Option<FaultId>,
    /// Whether its device sent something again on it that MQTT 5.0 forbids to, for which a broker may end it.
    pub(crate) is_of_repeat: bool,
    /// The fault of the broker that brought it about, if one did.
    pub(crate) of_broker: Option<FaultId>,
    /// Whether the broker serves others beside this run.
    pub(crate) is_on_shared_broker: bool,
}

impl ConnectionEnd {
    /// How it ended: by a fault of the broker, whatever the device saw of that.
    pub(super) fn kind(&self) -> EndKind {
        let by_fault = self.of_broker.map(EndKind::Fault);
        by_fault.unwrap_or_else(|| EndKind::of(self.cause))
    }

    /// What else may look like this end, to stand behind a sentence about it.
    pub(super) fn lookalike(&self) -> &'static str {
        match self.cause {
            EndCause::PeerClosed(_) if self.is_on_shared_broker => {
                "; another client that connects with this client identifier looks like that too, where the broker \
                 gives no reason, as in MQTT 3.1.1"
            }
            EndCause::PeerClosed(_)
            | EndCause::ServerDisconnect(_)
            | EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::Qos2Cut { .. }
            | EndCause::Refused
            | EndCause::RunEnded
            | EndCause::ProtocolError(_)
            | EndCause::TimedOut => "",
        }
    }

    /// Whether neither the scenario, its links among it, nor the device asked for it.
    pub(in crate::books) fn is_unexpected(&self) -> bool {
        if self.is_of_link
            || self.is_of_stall
            || self.muted_by.is_some()
            || self.of_broker.is_some()
        {
            return false;
        }
        match self.cause {
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::Qos2Cut { .. }
            | EndCause::Refused
            | EndCause::RunEnded => false,
            EndCause::ProtocolError(_) | EndCause::TimedOut => true,
            EndCause::PeerClosed(_) => !self.may_be_displaced && !self.is_of_repeat,
            EndCause::ServerDisconnect(reason) => {
                let is_displaced = self.may_be_displaced && reason == ReasonCode::SessionTakenOver;
                !self.is_of_repeat && !is_displaced
            }
        }
    }
}

impl ConnectionEnd {
    /// Whether another client may have displaced it: the broker says so, or gives no reason.
    pub(in crate::books) fn may_be_by_another_client(&self) -> bool {
        let looks_so = match self.cause {
            EndCause::PeerClosed(_) => true,
            EndCause::ServerDisconnect(reason) => reason == ReasonCode::SessionTakenOver,
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::Qos2Cut { .. }
            | EndCause::Refused
            | EndCause::RunEnded
            | EndCause::ProtocolError(_)
            | EndCause::TimedOut => false,
        };
        self.was_connected && looks_so && self.is_unexpected()
    }
}

impl EndKind {
    /// Whether the scenario asked for such an end.
    pub(super) fn is_asked(self) -> bool {
        match self {
            Self::Fault(_) | Self::WentAway | Self::Qos2Cut | Self::RunEnded => true,
            Self::PeerClosed(_)
            | Self::ServerDisconnect(_)
            | Self::ProtocolError(_)
            | Self::TimedOut
            | Self::Refused => false,
        }
    }

    /// The kind of a cause.
    pub(crate) fn of(cause: EndCause) -> Self {
        match cause {
            EndCause::Dropped { fault } | EndCause::Disconnected { fault, .. } => {
                Self::Fault(fault)
            }
            EndCause::WentAway(_) => Self::WentAway,
            EndCause::Qos2Cut { .. } => Self::Qos2Cut,
            EndCause::PeerClosed(PeerClose::Fin) => Self::PeerClosed(FIN),
            EndCause::PeerClosed(PeerClose::Reset) => Self::PeerClosed(RST),
            EndCause::PeerClosed(PeerClose::Layer(fault)) => {
                Self::PeerClosed(layer_fault_name(fault))
            }
            EndCause::ServerDisconnect(reason) => Self::ServerDisconnect(reason),
            EndCause::ProtocolError(reason) => Self::ProtocolError(reason),
            EndCause::TimedOut => Self::TimedOut,
            EndCause::Refused => Self::Refused,
            EndCause::RunEnded => Self::RunEnded,
        }
    }
}

impl std::fmt::Display for EndKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault(fault) => write!(f, "fault {}", fault.0),
            Self::WentAway => f.write_str("went away as its group does"),
            Self::Qos2Cut => f.write_str("QoS 2 handshake cut on purpose"),
            Self::PeerClosed(how) => write!(f, "peer closed ({how})"),
            Self::ServerDisconnect(reason) => {
                write!(f, "DISCONNECT from the broker: {}", reason_text(*reason))
            }
            Self::ProtocolError(reason) => write!(f, "protocol error: {}", reason_text(*reason)),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Refused => f.write_str("refused"),
            Self::RunEnded => f.write_str("run ended"),
        }
    }
}
