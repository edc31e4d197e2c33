//! What a client tells its owner.

use crate::packet::{Auth, Connack, Disconnect, PacketType, Publish, Suback, Unsuback};
use crate::{PacketId, ProtocolError, ReasonCode};

/// One thing that happened: mostly, one packet that came.
///
/// An acknowledgement that ends an exchange gives its message back; one before that lends it.
/// After `Refused`, `ServerDisconnect` and `ProtocolError` the connection is over: send
/// what is queued and close the transport.
#[derive(Debug, PartialEq)]
pub enum Event<'a, M> {
    /// CONNACK with Success. What is unfinished follows as `PublishResent` and `PubrelResent`
    /// if the server has the Session [MQTT-4.4.0-1], as `Abandoned` if not [MQTT-3.2.2-5].
    Connected(Box<Connack>),
    /// CONNACK with an error.
    Refused(Box<Connack>),
    /// PUBLISH with DUP is queued, after a reconnect.
    PublishResent {
        /// Identifier of the exchange.
        id: PacketId,
        /// What is sent again.
        message: &'a M,
    },
    /// PUBREL is queued again, after a reconnect.
    PubrelResent {
        /// Identifier of the exchange.
        id: PacketId,
        /// What it releases.
        message: &'a M,
    },
    /// An unfinished message was given up; whether the server has it is unknown.
    Abandoned {
        /// The identifier it had.
        id: PacketId,
        /// What may be published anew, as a new message.
        message: M,
        /// What ended it.
        cause: AbandonCause,
    },
    /// PUBACK: a QoS 1 exchange is over.
    Puback {
        /// Identifier of the exchange, free again.
        id: PacketId,
        /// Success, or why the server refused the message.
        reason: ReasonCode,
        /// What was sent.
        message: M,
    },
    /// PUBREC with Success. With automatic answers PUBREL is queued. It may come twice if the
    /// message was retransmitted.
    PubrecReceived {
        /// Identifier of the exchange.
        id: PacketId,
        /// Success or No matching subscribers.
        reason: ReasonCode,
        /// What was sent.
        message: &'a M,
    },
    /// PUBREC with an error: a QoS 2 exchange is over [MQTT-4.4.0-2].
    PubrecRefused {
        /// Identifier of the exchange, free again.
        id: PacketId,
        /// Why the server refused the message.
        reason: ReasonCode,
        /// What was sent.
        message: M,
    },
    /// PUBCOMP: a QoS 2 exchange is over.
    Pubcomp {
        /// Identifier of the exchange, free again.
        id: PacketId,
        /// Success, or Packet Identifier not found.
        reason: ReasonCode,
        /// What was sent.
        message: M,
    },
    /// PUBACK, PUBREC or PUBCOMP for an identifier that is not in use. A PUBREC without an error was
    /// answered with PUBREL and Packet Identifier not found (§3.6.2.1); the others need no answer.
    UnknownAnswer {
        /// Which of the three.
        answer: PacketType,
        /// The identifier that it names.
        id: PacketId,
    },
    /// A new PUBLISH, for the application. With automatic answers PUBACK or PUBREC is queued.
    /// It has its Topic Name even if it came with a Topic Alias alone.
    Delivered(Publish<'a>),
    /// PUBLISH at QoS 2 whose identifier awaits PUBREL: a repetition, not for the application
    /// [MQTT-4.3.3-10]. With automatic answers PUBREC is queued.
    Duplicate(Publish<'a>),
    /// PUBREL. With automatic answers PUBCOMP is queued.
    PubrelReceived {
        /// Identifier of the exchange.
        id: PacketId,
    },
    /// SUBACK for a SUBSCRIBE of this connection.
    Suback(Suback),
    /// UNSUBACK for an UNSUBSCRIBE of this connection.
    Unsuback(Unsuback),
    /// PINGRESP.
    Pingresp,
    /// AUTH; answer with `send_auth`.
    Auth(Auth),
    /// DISCONNECT from the server.
    ServerDisconnect(Disconnect),
    /// The server broke the protocol. In 5.0 DISCONNECT with the reason is queued (§4.13).
    ProtocolError(ProtocolError),
}

/// Why an unfinished message was given up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AbandonCause {
    /// The server has no Session, so ours was discarded [MQTT-3.2.2-5].
    SessionLost,
    /// The server's Maximum Packet Size is now less than the PUBLISH [MQTT-3.2.2-15].
    PacketTooLarge,
}

/// What did not come in time: close the transport.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TimedOut {
    /// CONNACK.
    Connack,
    /// PINGRESP (§3.1.2.10).
    Pingresp,
}
