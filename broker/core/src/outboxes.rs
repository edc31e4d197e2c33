//! What the broker asks of its shell: bytes to write and connections to close.
//!
//! One `Outboxes` lives as long as its shard. The broker encodes straight into one [`Outbox`] per
//! connection that has something to say; the shell writes each dirty connection once per turn.
//! Empty outboxes own no memory: their buffers go back to a pool. What a socket has taken of an outbox
//! that never empties is dropped from time to time, so that its memory follows what waits.
//!
//! Invariant: a connection is in `dirty` at most once, and only with a non-empty outbox.

use crate::{Close, ConnectionId};

/// Memory of all buffers kept for reuse together, in bytes; more are freed. Enough for a fan-out to
/// thousands, whose buffers would otherwise be allocated anew every time.
const POOL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A buffer that grew beyond this is freed instead of pooled, in bytes.
const POOLED_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Bytes that wait for one connection's socket, oldest first.
#[derive(Debug, Default)]
struct Outbox {
    generation: u32,
    bytes: Vec<u8>,
    written: usize,
    is_dirty: bool,
}

/// Everything the broker asked for since the shell last looked.
#[derive(Debug, Default)]
pub struct Outboxes {
    /// By [`ConnectionId::slot`].
    outboxes: Vec<Outbox>,
    dirty: Vec<ConnectionId>,
    closes: Vec<Close>,
    pool: Pool,
    appended_bytes: u64,
}

/// Empty buffers for outboxes.
#[derive(Debug, Default)]
struct Pool {
    buffers: Vec<Vec<u8>>,
    /// Capacity of all of them.
    bytes: usize,
}

impl Pool {
    fn take(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    fn give_back(&mut self, mut buffer: Vec<u8>) {
        let bytes = buffer.capacity();
        let is_worth_it = bytes > 0 && bytes <= POOLED_BUFFER_BYTES_MAX;
        if is_worth_it && self.bytes + bytes <= POOL_BYTES_MAX {
            buffer.clear();
            self.bytes += bytes;
            self.buffers.push(buffer);
        }
    }
}

impl Outboxes {
    /// No connection has anything to be written.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `encode` append packets to what waits for the connection, and returns their bytes.
    ///
    /// It marks the connection dirty: `encode` must append something.
    pub fn append(&mut self, connection: ConnectionId, encode: impl FnOnce(&mut Vec<u8>)) -> usize {
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
            outbox.bytes = self.pool.take();
        }
        if !outbox.is_dirty {
            outbox.is_dirty = true;
            self.dirty.push(connection);
        }
        let before = outbox.bytes.len();
        encode(&mut outbox.bytes);
        let appended = outbox.bytes.len() - before;
        self.appended_bytes += appended as u64;
        appended
    }

    /// Bytes appended to any outbox until now, for a shell that limits how many it lets pile up.
    pub fn appended_bytes(&self) -> u64 {
        self.appended_bytes
    }

    /// Asks for a close, after the outbox is written.
    pub fn close(&mut self, close: Close) {
        self.closes.push(close);
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
    ///
    /// # Panics
    /// If more was taken than waited.
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
        } else if outbox.written > outbox.bytes.len() / 2 {
            // At most as many bytes are moved as were written since the last move.
            outbox.bytes.drain(..outbox.written);
            outbox.written = 0;
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

    fn recycle(pool: &mut Pool, outbox: &mut Outbox) {
        outbox.written = 0;
        pool.give_back(std::mem::take(&mut outbox.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(slot: u32) -> ConnectionId {
        ConnectionId {
            slot,
            generation: 0,
        }
    }

    /// A socket that never takes everything must not make its outbox grow by what it took.
    #[test]
    fn memory_of_an_outbox_follows_what_waits() {
        let mut outboxes = Outboxes::new();
        outboxes.append(id(0), |out| out.extend([0; 1000]));

        for round in 0..=100_u8 {
            outboxes.append(id(0), |out| out.extend([round; 1000]));
            outboxes.written(id(0), 1000);
            assert_eq!(outboxes.pending(id(0)), 1000);
        }

        assert_eq!(outboxes.pending_bytes(id(0)), [100; 1000]);
        assert!(outboxes.outboxes[0].bytes.capacity() < 8 * 1000);
    }

    /// Every appended byte is counted once, whatever happens to it.
    #[test]
    fn appended_bytes_are_counted_once() {
        let mut outboxes = Outboxes::new();

        outboxes.append(id(0), |out| out.extend([0; 10]));
        outboxes.append(id(1), |out| out.extend([0; 20]));
        outboxes.append(id(0), |out| out.extend([0; 30]));
        assert_eq!(outboxes.appended_bytes(), 60);
        outboxes.written(id(0), 35);
        outboxes.append(id(0), |out| out.extend([0; 5]));
        outboxes.forget(id(0));
        outboxes.append(id(1), |out| out.extend([0; 1]));

        assert_eq!(outboxes.appended_bytes(), 66);
    }

    /// Buffers are used again, and what is kept for that is bounded in bytes.
    #[test]
    fn pool_is_bounded_in_bytes() {
        let mut outboxes = Outboxes::new();
        let connections = 1000;

        for slot in 0..connections {
            outboxes.append(id(slot), |out| out.extend([0; POOLED_BUFFER_BYTES_MAX]));
        }
        for slot in 0..connections {
            outboxes.forget(id(slot));
            outboxes.forget(id(slot));
        }

        assert_eq!(outboxes.pool.bytes, POOL_BYTES_MAX);
        let kept = POOL_BYTES_MAX / POOLED_BUFFER_BYTES_MAX;
        assert_eq!(outboxes.pool.buffers.len(), kept);
        outboxes.append(id(0), |out| out.push(0));
        assert_eq!(outboxes.pool.buffers.len(), kept - 1);
        assert_eq!(
            outboxes.outboxes[0].bytes.capacity(),
            POOLED_BUFFER_BYTES_MAX
        );
    }
}
