//! From the outboxes to the sockets, once a turn or when much waits.

use std::io::{ErrorKind, Write};

use squall_core::{ConnectionId, Input, Outboxes};

use super::Shard;
use super::closing::{End, linger};
use crate::connection::{Connection, Phase};

impl Shard {
    /// Writes to each connection that the broker had something for, then closes what it closed.
    ///
    /// What the broker says in answer to this waits for the next time.
    pub(super) fn flush(&mut self) {
        self.is_unflushed = false;
        self.received_bytes = 0;
        let mut dirty = std::mem::take(&mut self.dirty);
        self.outboxes.take_dirty(&mut dirty);
        let mut closes = std::mem::take(&mut self.closes);
        self.outboxes.take_closes(&mut closes);
        self.flushed_at = self.outboxes.appended_bytes();
        for &id in &dirty {
            let is_full = self
                .connections
                .get_mut(id)
                .is_some_and(|connection| connection.is_full);
            if !is_full {
                self.write(id);
            }
        }
        for close in &closes {
            self.close(close);
        }
        while let Some(id) = self.peers_closed.pop() {
            self.remove(id);
        }
        self.dirty = dirty;
        self.closes = closes;
    }

    /// Writes what waits for a connection, as far as its socket takes it.
    pub(super) fn write(&mut self, id: ConnectionId) {
        let waiting_bytes = self.outboxes.pending(id);
        let Some(connection) = self.connections.get_mut(id) else {
            self.outboxes.forget(id);
            return;
        };
        let was_full = std::mem::take(&mut connection.is_full);
        match write_pending(connection, id, &mut self.outboxes) {
            Written::Partly => connection.is_full = true,
            Written::Failed(error) => {
                tracing::debug!(slot = id.slot, %error, "connection failed");
                return self.lose(id, End::Failed);
            }
            Written::Wholly if connection.phase == Phase::Flushing => linger(connection),
            Written::Wholly if was_full || waiting_bytes >= self.drained_from_bytes => {
                self.handle_input(Input::Drained { connection: id });
            }
            Written::Wholly => {}
        }
        self.resume_reading(id);
    }

    fn resume_reading(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id)
            && connection.is_read_paused
            && self.broker.takes_input(id, &self.outboxes)
        {
            connection.is_read_paused = false;
            self.unread.push(id);
        }
    }
}

/// How a write ended.
#[derive(Debug)]
enum Written {
    Wholly,
    /// The socket is full.
    Partly,
    Failed(std::io::Error),
}

fn write_pending(
    connection: &mut Connection,
    id: ConnectionId,
    outboxes: &mut Outboxes,
) -> Written {
    loop {
        let bytes = outboxes.pending_bytes(id);
        let waiting_bytes = bytes.len();
        if waiting_bytes == 0 {
            return Written::Wholly;
        }
        match connection.stream.write(bytes) {
            Ok(length) => {
                outboxes.written(id, length);
                if length < waiting_bytes {
                    return Written::Partly;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Written::Partly,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Written::Failed(error),
        }
    }
}
