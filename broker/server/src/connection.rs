//! The shard's table of Network Connections: sockets by slot.
//!
//! A `Connection` is what the shell knows of one socket, a few bytes; the broker and its outboxes hold
//! what its client sent and what waits for it. It owns no buffer, no task and no timer.
//!
//! Invariant: a slot's generation grows when its connection is removed, so an old
//! [`ConnectionId`] never finds the next user of its slot.

use mio::net::TcpStream;
use squall_core::ConnectionId;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// The broker knows it.
    Open,
    /// The broker has let it go, and its last bytes wait for the socket to take them.
    Flushing,
    /// All is written and our side is shut. What the peer still sends is discarded until it
    /// shuts its own: a close with unread bytes would send RST, and with it take back the last
    /// bytes that we sent.
    Lingering,
    /// The peer has shut its side: gone at the end of the turn, after one last write.
    PeerClosed,
}

/// What the shard knows of one socket.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Non-blocking, and known to the selector under its slot.
    pub(crate) stream: TcpStream,
    /// How far it has come.
    pub(crate) phase: Phase,
    /// The socket took less than there was: nothing is written until it is writable.
    pub(crate) is_full: bool,
    /// Not read until its outbox is shorter: its peer sends but does not read.
    pub(crate) is_read_paused: bool,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    connection: Option<Connection>,
}

/// All connections of a shard.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    slots: Vec<Slot>,
    free: Vec<u32>,
    len: usize,
}

impl Connections {
    /// Connections in the table, whatever their phase.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// What the next connection will be called.
    pub(crate) fn next_id(&self) -> ConnectionId {
        match self.free.last() {
            Some(&slot) => self.id(slot),
            None => ConnectionId {
                slot: u32::try_from(self.slots.len()).expect("connections_max fits 32 bits"),
                generation: 0,
            },
        }
    }

    /// Takes in a socket under the name that [`Self::next_id`] gave.
    pub(crate) fn insert(&mut self, stream: TcpStream) -> ConnectionId {
        let id = self.next_id();
        let connection = Some(Connection {
            stream,
            phase: Phase::Open,
            is_full: false,
            is_read_paused: false,
        });
        match self.free.pop() {
            Some(slot) => self.slots[slot as usize].connection = connection,
            None => self.slots.push(Slot {
                generation: id.generation,
                connection,
            }),
        }
        self.len += 1;
        id
    }

    /// The name of the connection that has a slot, or had it last.
    pub(crate) fn id(&self, slot: u32) -> ConnectionId {
        ConnectionId {
            slot,
            generation: self.slots[slot as usize].generation,
        }
    }

    /// The connection of that name, unless it is gone.
    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        if slot.generation == id.generation {
            slot.connection.as_mut()
        } else {
            None
        }
    }

    /// Takes a connection out; its slot is free for another.
    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        let connection = slot.connection.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.slot);
        self.len -= 1;
        Some(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> TcpStream {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        TcpStream::connect(listener.local_addr().unwrap()).unwrap()
    }

    /// A slot is used again, but the name of its last connection finds nothing.
    #[test]
    fn old_name_does_not_find_the_next_user_of_a_slot() {
        let mut connections = Connections::default();
        let first = connections.insert(socket());
        let other = connections.insert(socket());

        assert!(connections.remove(first).is_some());
        let announced = connections.next_id();
        let second = connections.insert(socket());

        assert_eq!(second, announced);
        assert_eq!(second.slot, first.slot);
        assert_ne!(second.generation, first.generation);
        assert!(connections.get_mut(first).is_none());
        assert!(connections.remove(first).is_none());
        assert!(connections.get_mut(second).is_some());
        assert!(connections.get_mut(other).is_some());
        assert_eq!(connections.len(), 2);
    }
}
