//! What the broker asks of its shell: bytes to write and connections to close.
//!
//! One `Effects` lives as long as its shard. The broker encodes straight into one [`Outbox`] per
//! connection that has something to say; the shell writes each dirty connection once per turn.
//! Empty outboxes own no memory: their buffers go back to a pool.
//!
//! Invariant: a connection is in `dirty` at most once, and only with a non-empty outbox.

use crate::ConnectionId;

/// Buffers kept for reuse; more are freed.
const POOLED_BUFFERS_MAX: usize = 256;
/// A buffer that grew beyond this is freed instead of pooled, in bytes.
const POOLED_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Bytes that wait for one connection's socket, oldest first.
#[derive(Debug, Default)]
pub struct Outbox {
    generation: u32,
    bytes: Vec<u8>,
    written: usize,
    is_dirty: bool,
}

/// The broker wants this connection closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Close {
    /// Which one. The shell writes what its outbox holds first, as far as the socket takes it.
    pub connection: ConnectionId,
}

/// Everything the broker asked for since the shell last looked.
#[derive(Debug, Default)]
pub struct Effects {
    /// By slot.
    outboxes: Vec<Outbox>,
    dirty: Vec<ConnectionId>,
    closes: Vec<Close>,
    pool: Vec<Vec<u8>>,
}

impl Effects {
    /// Nothing to do.
    pub fn new() -> Self {
        Self::default()
    }

    /// The buffer to append encoded packets to. Marks the connection dirty: append something.
    pub fn outbox_mut(&mut self, connection: ConnectionId) -> &mut Vec<u8> {
        let slot = connection.slot as usize;
        if self.outboxes.len() <= slot {
            self.outboxes.resize_with(slot + 1, Outbox::default);
        }
        let outbox = &mut self.outboxes[slot];
        if outbox.generation != connection.generation {
            outbox.generation = connection.generation;
            outbox.bytes.clear();
            outbox.written = 0;
            outbox.is_dirty = false;
        }
        if outbox.bytes.capacity() == 0 {
            outbox.bytes = self.pool.pop().unwrap_or_default();
        }
        if !outbox.is_dirty {
            outbox.is_dirty = true;
            self.dirty.push(connection);
        }
        &mut outbox.bytes
    }

    /// Asks for a close, after the outbox is written.
    pub fn close(&mut self, connection: ConnectionId) {
        self.closes.push(Close { connection });
    }

    /// Bytes that wait for this connection's socket.
    pub fn pending(&self, connection: ConnectionId) -> usize {
        self.pending_bytes(connection).len()
    }

    /// The bytes to write next, empty if there are none.
    pub fn pending_bytes(&self, connection: ConnectionId) -> &[u8] {
        match self.outboxes.get(connection.slot as usize) {
            Some(outbox) if outbox.generation == connection.generation => {
                &outbox.bytes[outbox.written..]
            }
            _ => &[],
        }
    }

    /// Records that the socket took `bytes` bytes; an emptied buffer goes back to the pool.
    pub fn written(&mut self, connection: ConnectionId, bytes: usize) {
        let Some(outbox) = self.outboxes.get_mut(connection.slot as usize) else {
            return;
        };
        if outbox.generation != connection.generation {
            return;
        }
        outbox.written += bytes;
        assert!(
            outbox.written <= outbox.bytes.len(),
            "wrote more than there was"
        );
        if outbox.written == outbox.bytes.len() {
            Self::recycle(&mut self.pool, outbox);
        }
    }

    /// Drops what waits for a connection that is gone.
    pub fn forget(&mut self, connection: ConnectionId) {
        if let Some(outbox) = self.outboxes.get_mut(connection.slot as usize)
            && outbox.generation == connection.generation
        {
            Self::recycle(&mut self.pool, outbox);
        }
    }

    /// Takes the connections to write to, in the order in which they became dirty, into `into`.
    ///
    /// A connection whose socket is full stays the shell's to write when it can; it becomes
    /// dirty again only by a new append.
    pub fn take_dirty(&mut self, into: &mut Vec<ConnectionId>) {
        into.clear();
        std::mem::swap(&mut self.dirty, into);
        for connection in into.iter() {
            self.outboxes[connection.slot as usize].is_dirty = false;
        }
    }

    /// Takes the connections to close, in order, into `into`.
    pub fn take_closes(&mut self, into: &mut Vec<Close>) {
        into.clear();
        std::mem::swap(&mut self.closes, into);
    }

    fn recycle(pool: &mut Vec<Vec<u8>>, outbox: &mut Outbox) {
        let mut bytes = std::mem::take(&mut outbox.bytes);
        outbox.written = 0;
        if pool.len() < POOLED_BUFFERS_MAX && bytes.capacity() <= POOLED_BUFFER_BYTES_MAX {
            bytes.clear();
            pool.push(bytes);
        }
    }
}
