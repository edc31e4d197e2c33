//! Accepts connections for a shard, and rejects them when the shard is full.
//!
//! What goes wrong with one connection does not stop it. Running out of descriptors pauses
//! it; both that and a full connection table are logged once an episode.

use std::io;
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use squall_protocol::Instant;

use crate::descriptors::{self, Spare};
use crate::limits::ACCEPT_PAUSE;

/// What the listener last ran out of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Room {
    /// It could accept.
    Enough,
    /// The process or the system had no descriptor left.
    NoDescriptors,
    /// Connections beyond the configured number.
    NoConnections,
}

/// The listener of a shard.
#[derive(Debug)]
pub(crate) struct Acceptor {
    listener: TcpListener,
    connections_max: usize,
    spare: Spare,
    room: Room,
    /// Whether the queue of the listener may hold another connection.
    may_have_more: bool,
    /// Not before this moment.
    paused_until: Option<Instant>,
}

impl Acceptor {
    /// Accepts up to `connections_max` connections at once from `listener`.
    pub(crate) fn new(listener: TcpListener, connections_max: usize) -> Self {
        Self {
            listener,
            connections_max,
            spare: Spare::open(),
            room: Room::Enough,
            may_have_more: false,
            paused_until: None,
        }
    }

    /// The listener has something new.
    pub(crate) fn handle_readable(&mut self) {
        self.may_have_more = true;
    }

    /// Whether [`Self::poll_accept`] has something to do at `now`.
    pub(crate) fn is_ready(&self, now: Instant) -> bool {
        self.may_have_more && self.paused_until.is_none_or(|moment| moment <= now)
    }

    /// When a pause ends; `None` if there is none.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.paused_until
    }

    /// Takes the next connection, if there is one and room for it beside `connections` others.
    pub(crate) fn poll_accept(
        &mut self,
        now: Instant,
        connections: usize,
    ) -> Option<(TcpStream, SocketAddr)> {
        self.paused_until = None;
        match self.listener.accept() {
            Ok(_) if connections >= self.connections_max => {
                if self.room != Room::NoConnections {
                    self.room = Room::NoConnections;
                    tracing::warn!(connections, "connection limit reached");
                }
                None
            }
            Ok(accepted) => {
                self.room = Room::Enough;
                Some(accepted)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.may_have_more = false;
                None
            }
            Err(error) => {
                self.handle_error(now, connections, &error);
                None
            }
        }
    }

    fn handle_error(&mut self, now: Instant, connections: usize, error: &io::Error) {
        if descriptors::are_exhausted(error) {
            if self.room != Room::NoDescriptors {
                self.room = Room::NoDescriptors;
                tracing::warn!(connections, %error, "no descriptor left for another connection");
            }
            let listener = &self.listener;
            self.spare.lend(|| drop(listener.accept()));
            self.paused_until = Some(now + ACCEPT_PAUSE);
        } else if gave_up(error) {
            tracing::debug!(%error, "connection gone before it was accepted");
        } else {
            tracing::warn!(%error, "cannot accept connections for a moment");
            self.paused_until = Some(now + ACCEPT_PAUSE);
        }
    }
}

/// Whether the peer, not the system, is the cause.
fn gave_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
