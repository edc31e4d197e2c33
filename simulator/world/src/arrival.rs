//! What comes out of a pipe, and what it means at each end.

use std::time::Duration;

use squall_core::ConnectionId;
use squall_fleet::{Input, OpenError, PeerClose, SocketId};
use squall_protocol::Instant;

use super::Direction;

/// One thing on its way.
#[derive(Debug)]
pub(super) enum Content {
    Open,
    Opened,
    Refused,
    Bytes(Direction, Vec<u8>),
    End(Direction),
    /// To the broker, where TLS or WebSocket lies between: what its transport has to unwrap.
    Wire(FromWire),
}

/// Something that came out of a port.
#[derive(Debug)]
pub(super) struct CameOut {
    /// When: not after it is looked for.
    pub(super) at: Instant,
    pub(super) socket: SocketId,
    pub(super) arrival: Arrival,
}

/// What comes to the broker's transport.
#[derive(Debug)]
pub(super) enum FromWire {
    Bytes(Vec<u8>),
    End,
}

/// Something came out of a pipe, by what it came to.
#[derive(Debug)]
pub(super) enum Arrival {
    Broker(ConnectionId, Arrived),
    Transport(FromWire),
    Device(Arrived),
}

/// What a pipe gives to one of its ends.
#[derive(Debug)]
pub(super) enum Arrived {
    Opened,
    /// There is no connection.
    Failed(OpenError),
    Bytes(Vec<u8>),
    Closed(PeerClose),
}

impl Arrived {
    /// As the broker hears it.
    pub(super) fn for_broker(&self, connection: ConnectionId) -> squall_core::Input<'_> {
        match self {
            Self::Opened => squall_core::Input::Opened { connection },
            Self::Bytes(bytes) => squall_core::Input::Received { connection, bytes },
            // A connection that failed has none.
            Self::Failed(_) | Self::Closed(_) => squall_core::Input::Lost { connection },
        }
    }

    /// As the fleet hears it, `waited` after it came out.
    pub(super) fn for_fleet(&self, socket: SocketId, waited: Duration) -> Input<'_> {
        match self {
            Self::Opened => Input::Opened {
                socket,
                waited: Duration::ZERO,
            },
            Self::Failed(error) => Input::OpenFailed {
                socket,
                error: *error,
            },
            Self::Bytes(bytes) => Input::Received {
                socket,
                bytes,
                waited: Some(waited),
            },
            Self::Closed(how) => Input::Closed { socket, how: *how },
        }
    }
}
