//! The end of a connection, whose it was, and why: what a log line needs.

use std::fmt;
use std::rc::Rc;

use squall_protocol::{ProtocolError, ReasonCode};

use crate::ConnectionId;

/// A connection is over for the broker: the shell closes it, unless the shell itself reported its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Close {
    /// The shell writes what its outbox holds first, as far as the socket takes it.
    pub connection: ConnectionId,
    /// Client Identifier of its Session; `None` before CONNECT was accepted.
    pub client_id: Option<Rc<str>>,
    /// What ended the connection.
    pub cause: CloseCause,
}

/// Why a connection is over. As text it is what a log line says of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CloseCause {
    /// The client sent DISCONNECT with this code.
    Disconnect(ReasonCode),
    /// The client broke the protocol or sent a Malformed Packet (§4.13).
    Protocol(ProtocolError),
    /// CONNECT was refused with this code.
    Refused(ReasonCode),
    /// The client takes no packet as large as an answer to it [MQTT-3.1.2-24].
    AnswerTooLarge,
    /// A message to a Topic Name of more levels than [`crate::Config::topic_levels_max`].
    TopicTooDeep {
        /// Levels of the Topic Name.
        levels: usize,
        /// Levels that are taken.
        limit: usize,
    },
    /// CONNECT did not come in time.
    ConnectTimeout,
    /// One and a half times the Keep Alive passed in silence [MQTT-3.1.2-22].
    KeepAliveTimeout,
    /// More waits for its socket than [`crate::OutboxLimits::hard_bytes`].
    DoesNotRead,
    /// Another connection has the Client Identifier now [MQTT-3.1.4-3].
    TakenOver,
    /// The transport ended without DISCONNECT, as the shell has told ([`crate::Input::Lost`]).
    TransportEnded,
    /// The server stops, and closes every connection.
    Shutdown,
}

impl fmt::Display for CloseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnect(ReasonCode::Success) => f.write_str("the client disconnected"),
            Self::Disconnect(reason) => {
                write!(f, "the client disconnected: {}", reason.name())
            }
            Self::Protocol(error) => write!(f, "the client broke the protocol: {error}"),
            Self::Refused(reason) => write!(f, "CONNECT refused: {}", reason.name()),
            Self::AnswerTooLarge => f.write_str("an answer is larger than the client takes"),
            Self::TopicTooDeep { levels, limit } => write!(
                f,
                "a topic name of {levels} levels, the limit is {limit} (topic_levels_max)"
            ),
            Self::ConnectTimeout => f.write_str("no CONNECT in time"),
            Self::KeepAliveTimeout => f.write_str("silent for one and a half keep alives"),
            Self::DoesNotRead => f.write_str("too much waits to be read by the client"),
            Self::TakenOver => f.write_str("another connection took its client identifier"),
            Self::TransportEnded => f.write_str("the transport ended without DISCONNECT"),
            Self::Shutdown => f.write_str("the server stops"),
        }
    }
}
