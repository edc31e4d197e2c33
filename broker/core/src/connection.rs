//! Network Connections: what the broker knows of each beside its Session.
//!
//! While a connection's packets are read, a closed [`Gate`] stands in for its own, so that messages
//! can be sent to the connection they came from: what sending needs is not in the gate.

use squall_protocol::codec::PacketReader;
use squall_protocol::{Instant, Version, server};

use crate::ConnectionId;
use crate::keys::SessionKey;
use crate::request::Request;
use crate::timer::NEVER;

/// One Network Connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    /// Its Session, once CONNECT was accepted.
    pub(crate) session: Option<SessionKey>,
    /// Fixed by CONNECT.
    pub(crate) version: Version,
    /// Largest packet the client takes, in bytes; `u32::MAX` for any.
    pub(crate) maximum_packet_size: u32,
    /// Bytes of the largest packet it was sent, if that alone is much; else 0.
    pub(crate) largest_sent: usize,
    /// When its timer fires; the end of time if none is set.
    pub(crate) timer_at: Instant,
    /// Its SUBSCRIBE or UNSUBSCRIBE that is applied in slices.
    pub(crate) request: Option<Box<Request>>,
    /// A closed one while its packets are read.
    pub(crate) gate: Gate,
}

/// What turns a connection's bytes into packets it may send.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) reader: PacketReader,
    pub(crate) role: server::Connection,
}

impl Gate {
    /// A gate that lets nothing through.
    pub(crate) fn closed() -> Self {
        Self {
            reader: PacketReader::default(),
            role: server::Connection::closed(),
        }
    }
}

/// All Network Connections, by the slot that the shell gave them.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    slots: Vec<Option<Box<Connection>>>,
    len: usize,
}

impl Connections {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a connection that was accepted at `now`.
    ///
    /// # Panics
    ///
    /// If the slot is in use.
    pub(crate) fn open(&mut self, id: ConnectionId, gate: Gate) {
        let slot = id.slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        assert!(self.slots[slot].is_none(), "the slot is free");
        self.len += 1;
        self.slots[slot] = Some(Box::new(Connection {
            id,
            session: None,
            version: Version::V3_1_1,
            maximum_packet_size: u32::MAX,
            largest_sent: 0,
            timer_at: NEVER,
            request: None,
            gate,
        }));
    }

    /// The connection in the slot that `id` names.
    pub(crate) fn in_slot(&self, id: ConnectionId) -> Option<ConnectionId> {
        let connection = self.slots.get(id.slot as usize)?.as_deref()?;
        Some(connection.id)
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        let connection = self.slots.get(id.slot as usize)?.as_deref()?;
        (connection.id == id).then_some(connection)
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let connection = self.slots.get_mut(id.slot as usize)?.as_deref_mut()?;
        (connection.id == id).then_some(connection)
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Box<Connection>> {
        self.get(id)?;
        self.len -= 1;
        self.slots[id.slot as usize].take()
    }

    /// The names of all, in the order of their slots.
    pub(crate) fn ids(&self) -> Vec<ConnectionId> {
        let connections = self.slots.iter().flatten();
        connections.map(|connection| connection.id).collect()
    }
}
