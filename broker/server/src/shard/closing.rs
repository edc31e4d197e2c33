//! How a connection leaves the shard: the broker lets it go, its peer ends it, or it fails.

use std::net::Shutdown;

use squall_core::{Close, ConnectionId, Input};

use super::{Closing, Shard};
use crate::close_log;
use crate::connection::{Connection, Phase};

/// How a connection ended that the broker did not end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// The peer closed its side (FIN): it may still read ours.
    Closed,
    /// A read or write failed (RST, timeout of the transport).
    Failed,
}

impl Shard {
    /// Handles the end of a connection that the broker did not end.
    pub(super) fn lose(&mut self, id: ConnectionId, end: End) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let phase = connection.phase;
        if phase == Phase::Open && end == End::Closed {
            connection.phase = Phase::PeerClosed;
            self.peers_closed.push(id);
        } else {
            self.remove(id);
        }
        if phase == Phase::Open {
            self.handle_input(Input::Lost { connection: id });
        }
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.remove(id) {
            tracing::debug!(slot = id.slot, phase = ?connection.phase, "connection closed");
            self.outboxes.forget(id);
        }
    }

    /// Ends a connection that the broker closed, once all is written and its peer has shut its side.
    pub(super) fn close(&mut self, close: &Close) {
        let id = close.connection;
        let deadline = self.now + self.close_timeout;
        let is_written = self.outboxes.pending(id) == 0;
        let peer = self
            .connections
            .get_mut(id)
            .and_then(|connection| connection.stream.peer_addr().ok());
        close_log::write(close, peer);
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.phase != Phase::Open {
            return;
        }
        if is_written {
            linger(connection);
        } else {
            connection.phase = Phase::Flushing;
        }
        self.closing.push_back(Closing {
            deadline,
            connection: id,
        });
        if connection.is_read_paused {
            connection.is_read_paused = false;
            self.unread.push(id);
        }
    }
}

/// Shuts our side and waits for the peer's.
pub(super) fn linger(connection: &mut Connection) {
    connection.phase = Phase::Lingering;
    // A failure means that the peer is gone already, which reading will find out.
    let _ = connection.stream.shutdown(Shutdown::Write);
}
