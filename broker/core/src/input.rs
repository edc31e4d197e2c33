//! What a shell tells the broker.

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
        /// Not empty.
        bytes: &'a [u8],
    },
    /// The shell wrote to a connection that had more than
    /// [`crate::Outboxes::pending`] allowed; queued messages may go on.
    Drained {
        /// What can be written again.
        connection: ConnectionId,
    },
    /// The connection is gone. After a [`crate::Close`] of the broker's own this is not sent.
    Lost {
        /// What is gone.
        connection: ConnectionId,
    },
    /// The deadline that `next_deadline` named has come.
    DeadlinePassed,
    /// The server stops: every client gets its DISCONNECT and is closed (§4.13).
    Shutdown,
}
