//! What ends a load before its time.

use std::fmt;
use std::io;

use squall_protocol::{ProtocolError, ReasonCode};
use squall_transport::TransportError;

/// One of the clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Client {
    /// The publisher at this place.
    Publisher(u32),
    /// The subscriber at this place.
    Subscriber(u32),
}

/// Why a load could not go on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The system could not give a socket, or the selector failed.
    #[error("the system refuses a socket")]
    System(#[source] io::Error),
    /// No TCP connection came about, or it failed.
    #[error("the connection of {client} failed")]
    Connection {
        /// Whose.
        client: Client,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// TLS or WebSocket failed.
    #[error("the connection of {client} failed")]
    Layers {
        /// Whose.
        client: Client,
        /// What failed.
        #[source]
        source: TransportError,
    },
    /// The broker closed a connection.
    #[error("the broker closed the connection of {0}")]
    Closed(Client),
    /// The broker sent DISCONNECT (§3.14).
    #[error("the broker sent {client} a DISCONNECT: {}", .reason.name())]
    Disconnected {
        /// Whom.
        client: Client,
        /// Why.
        reason: ReasonCode,
    },
    /// CONNACK with an error (§3.2.2.2).
    #[error("the broker refuses to connect {client}: {}", .reason.name())]
    Refused {
        /// Whom.
        client: Client,
        /// Why.
        reason: ReasonCode,
    },
    /// SUBACK with an error, or with a lower QoS than was asked for (§3.9.3).
    #[error("the broker does not grant the subscription of {client}: {}", .reason.name())]
    NotSubscribed {
        /// Whose.
        client: Client,
        /// What it answered.
        reason: ReasonCode,
    },
    /// PUBACK, PUBREC or PUBCOMP with an error (§3.4.2.1).
    #[error("the broker refuses a message of {client}: {}", .reason.name())]
    NotPublished {
        /// Whose.
        client: Client,
        /// Why.
        reason: ReasonCode,
    },
    /// What the broker sent is not MQTT.
    #[error("what the broker sent {client} breaks the protocol")]
    Protocol {
        /// Whom.
        client: Client,
        /// The rule that it breaks.
        #[source]
        source: ProtocolError,
    },
    /// A packet that a server does not send to a client in this state.
    #[error("the broker sent {client} a {packet} that it had not asked for")]
    Unexpected {
        /// Whom.
        client: Client,
        /// Name of the packet.
        packet: squall_protocol::packet::PacketType,
    },
    /// No CONNACK or SUBACK came for a long time.
    #[error(
        "{ready} of {all} clients are connected and subscribed, and for {silent_s} s no other one was"
    )]
    Silent {
        /// Clients that were ready.
        ready: usize,
        /// All that were to be.
        all: usize,
        /// Seconds that nothing came.
        silent_s: u64,
    },
    /// After the load messages were missing, and the broker did not answer pings.
    #[error(
        "after the load nothing came for {silent_s} s, and {connections} connections had no answer to a ping: the broker stands still, \
         and nothing is known of the messages that are missing"
    )]
    Unanswered {
        /// Connections without an answer.
        connections: usize,
        /// Seconds since something came.
        silent_s: u64,
    },
    /// After the load messages came for so long that the rest was not waited for.
    #[error(
        "{after_s} s after the load the broker is still working through it, {missing} deliveries and acknowledgements behind: nothing is known of those"
    )]
    Unfinished {
        /// Deliveries and acknowledgements that were missing.
        missing: u64,
        /// Seconds since the load.
        after_s: u64,
    },
    /// The caller asked for the end.
    #[error("stopped")]
    Stopped,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publisher(place) => write!(f, "publisher {place}"),
            Self::Subscriber(place) => write!(f, "subscriber {place}"),
        }
    }
}
