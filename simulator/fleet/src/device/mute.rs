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

/// An answer that a device owes the broker.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// PUBACK or PUBREC, to a PUBLISH of this QoS; none at QoS 0.
    ToPublish(QoS, Option<PacketId>),
    /// PUBREL.
    ToPubrec {
        /// Packet Identifier of the exchange.
        id: PacketId,
        /// What the `qos2` block does behind it.
        then: AfterPubrel,
    },
    /// PUBCOMP.
    ToPubrel(PacketId),
}

impl Answer {
    /// Whether nothing is to be sent.
    pub(super) fn is_none(self) -> bool {
        match self {
            Self::ToPublish(qos, id) => qos == QoS::AtMostOnce || id.is_none(),
            Self::ToPubrec { .. } | Self::ToPubrel(_) => false,
        }
    }
}
