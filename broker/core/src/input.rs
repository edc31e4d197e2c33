//! What a shell tells the broker: connections, bytes, deadlines.

/// Names a Network Connection for as long as the broker lives.
///
/// The shell counts `slot`s from 0 and reuses them; `generation` tells two users of one slot
/// apart, so that an input about a connection that is gone changes nothing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId {
    /// Index into the shell's and the broker's tables.
    pub slot: u32,
    /// How many connections had this slot before.
    pub generation: u32,
}

/// One thing that happened outside the broker.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A Network Connection was accepted. CONNECT must follow before the connect timeout.
    Opened {
        /// Its name from now on.
        connection: ConnectionId,
    },
    /// Bytes came in, split anyhow; parsed in place, never kept.
    Received {
        /// Where they came in.
        connection: ConnectionId,
        /// At least one byte.
        bytes: &'a [u8],
    },
    /// All that waited for a connection is written, after its socket was full or more waited than
    /// [`crate::OutboxLimits::soft_bytes`]: queued messages may go on.
    Drained {
        /// The connection whose outbox is empty.
        connection: ConnectionId,
    },
    /// The connection is gone. After a [`crate::Close`] of the broker's own this is not sent.
    Lost {
        /// Its name until now.
        connection: ConnectionId,
    },
    /// The deadline that `next_deadline` named has come.
    DeadlinePassed,
    /// The server stops: every client gets its DISCONNECT and is closed (§4.13).
    Shutdown,
}
