//! What keeps a device from talking on one connection for a while, and the answers that it owes meanwhile.

use squall_protocol::{PacketId, QoS};

use super::qos2_faults::AfterPubrel;
use crate::firing::Firing;

/// What a fault that mutes a device keeps of one connection.
#[derive(Debug)]
pub(super) struct Mute {
    /// The firing of the fault.
    pub(super) by: Firing,
    /// Answers that are due, in order. A broker that keeps to Receive Maximum sends so many messages at most before
    /// the first of them.
    pub(super) held: Vec<Answer>,
}

/// What a device owes the broker an answer to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// PUBACK or PUBREC, to a PUBLISH of this QoS; none at QoS 0.
    Publish(QoS, Option<PacketId>),
    /// PUBREL.
    Pubrec {
        /// Packet Identifier of the exchange.
        id: PacketId,
        /// What the `qos2` block does behind it.
        then: AfterPubrel,
    },
    /// PUBCOMP.
    Pubrel(PacketId),
}

impl Answer {
    /// Whether nothing is to be sent.
    pub(super) fn is_none(self) -> bool {
        match self {
            Self::Publish(qos, id) => qos == QoS::AtMostOnce || id.is_none(),
            Self::Pubrec { .. } | Self::Pubrel(_) => false,
        }
    }
}
