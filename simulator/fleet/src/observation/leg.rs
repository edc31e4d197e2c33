//! Steps of QoS 2 exchanges, from the device's side.

use squall_protocol::PacketId;

use crate::stamp::Stamp;

/// A packet of a QoS 2 exchange (§4.3.3).
#[derive(Clone, Debug)]
pub enum LegFact<'a> {
    /// The device is the sender.
    Sender {
        /// Identity of the message.
        stamp: Stamp,
        /// Topic Name.
        topic: &'a str,
        /// Packet Identifier of the exchange.
        id: PacketId,
        /// The step of the exchange.
        leg: SenderLeg,
    },
    /// The device is the receiver.
    Receiver {
        /// Packet Identifier of the exchange.
        id: PacketId,
        /// The step of the exchange.
        leg: ReceiverLeg,
    },
    /// PUBREC came for an exchange that has ended: the answer to a PUBLISH that was sent again before its end.
    PubrecAfterEnd {
        /// Packet Identifier of the exchange.
        id: PacketId,
    },
    /// The `qos2` block kept an answer back on this connection.
    Withheld {
        /// Packet Identifier of the exchange.
        id: PacketId,
        /// The answer that was due.
        answer: ReceiverAnswer,
    },
}

/// An answer of a QoS 2 receiver.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ReceiverAnswer {
    /// PUBREC.
    Pubrec,
    /// PUBCOMP.
    Pubcomp,
}

/// A leg of QoS 2, sender's side, in order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SenderLeg {
    /// PUBLISH without DUP was sent.
    PublishSent,
    /// PUBLISH with DUP was sent.
    PublishResent,
    /// PUBREC came.
    PubrecReceived,
    /// PUBREL was sent, for the first time or again.
    PubrelSent,
    /// PUBCOMP came.
    PubcompReceived,
}

impl LegFact<'_> {
    /// Whether the device sent a packet that the broker is to answer.
    pub(crate) fn asks_broker(&self) -> bool {
        match self {
            Self::Sender { leg, .. } => match leg {
                SenderLeg::PublishSent | SenderLeg::PublishResent | SenderLeg::PubrelSent => true,
                SenderLeg::PubrecReceived | SenderLeg::PubcompReceived => false,
            },
            Self::Receiver { leg, .. } => match leg {
                ReceiverLeg::PubrecSent => true,
                ReceiverLeg::PublishReceived
                | ReceiverLeg::DuplicateReceived
                | ReceiverLeg::PubrelReceived
                | ReceiverLeg::PubcompSent => false,
            },
            Self::PubrecAfterEnd { .. } | Self::Withheld { .. } => false,
        }
    }
}

impl SenderLeg {
    /// Every leg, in order.
    pub const ALL: [Self; 5] = [
        Self::PublishSent,
        Self::PublishResent,
        Self::PubrecReceived,
        Self::PubrelSent,
        Self::PubcompReceived,
    ];
}

/// A leg of QoS 2, receiver's side, in order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ReceiverLeg {
    /// PUBLISH with a new identifier came.
    PublishReceived,
    /// PUBLISH with an identifier that awaits PUBREL came: not delivered again [MQTT-4.3.3-10].
    DuplicateReceived,
    /// PUBREC was sent.
    PubrecSent,
    /// PUBREL came.
    PubrelReceived,
    /// PUBCOMP was sent.
    PubcompSent,
}

impl ReceiverLeg {
    /// Every leg, in order.
    pub const ALL: [Self; 5] = [
        Self::PublishReceived,
        Self::DuplicateReceived,
        Self::PubrecSent,
        Self::PubrelReceived,
        Self::PubcompSent,
    ];
}
