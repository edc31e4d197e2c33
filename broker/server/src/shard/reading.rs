//! From a socket to the broker: how much is read in one turn, and what an end means.

use std::io::{ErrorKind, Read};

use squall_core::{ConnectionId, Input};

use super::Shard;
use super::closing::End;
use crate::connection::Phase;
use crate::limits::{FLUSH_APPENDED_BYTES, READ_BUFFER_BYTES, SLICE_BYTES};

/// How much of what a socket holds is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ReadUntil {
    /// Until a read brings less than there was room for: nothing else has come so far.
    Short,
    /// Until there is nothing: the peer's end may stand behind its last bytes.
    Blocked,
}

impl Shard {
    /// Reads a connection until about one buffer full has come; what is left waits for the next
    /// turn.
    pub(super) fn read(&mut self, id: ConnectionId, until: ReadUntil) {
        let mut read_bytes = 0;
        loop {
            let takes_input = self.broker.takes_input(id, &self.outboxes);
            let Some(connection) = self.connections.get_mut(id) else {
                return;
            };
            let phase = connection.phase;
            if phase == Phase::PeerClosed {
                return;
            }
            if phase == Phase::Open && !takes_input {
                connection.is_read_paused = true;
                return;
            }
            let length = match connection.stream.read(&mut self.read_buffer) {
                Ok(0) => return self.lose(id, End::Closed),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::debug!(slot = id.slot, %error, "connection failed");
                    return self.lose(id, End::Failed);
                }
            };
            if phase == Phase::Open {
                self.receive(id, length);
            }
            read_bytes += length;
            if read_bytes >= READ_BUFFER_BYTES {
                self.unread.push(id);
                return;
            }
            if until == ReadUntil::Short {
                return;
            }
        }
    }

    /// Hands the broker the first `length` bytes of the read buffer, in slices that grow as long
    /// as what follows from them is little.
    fn receive(&mut self, id: ConnectionId, length: usize) {
        self.is_unflushed = true;
        let mut slice_bytes = SLICE_BYTES;
        let mut start = 0;
        while start < length {
            let end = length.min(start + slice_bytes);
            let received = Input::Received {
                connection: id,
                bytes: &self.read_buffer[start..end],
            };
            self.broker.handle(self.now, received, &mut self.outboxes);
            self.received_bytes += end - start;
            start = end;
            let appended_bytes = self.outboxes.appended_bytes() - self.flushed_at;
            if appended_bytes > FLUSH_APPENDED_BYTES
                || self.received_bytes > self.flush_received_bytes
            {
                self.flush();
            } else if appended_bytes < FLUSH_APPENDED_BYTES / 4 {
                slice_bytes *= 2;
            }
        }
    }
}
