//! Accepts connections for a shard, and says no where there is no room.
//!
//! What goes wrong with one connection does not stop the loop. Running out of descriptors pauses
//! it; both that and a full connection table are logged once an episode.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::net::TcpListener;

use crate::descriptors::{self, Spare};
use crate::limits::{ACCEPT_PAUSE, ACCEPTS_PER_TURN};
use crate::shard::{self, Shard};

/// What the accept loop last had to say no to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Room {
    /// Nothing.
    Enough,
    /// Descriptors.
    NoDescriptors,
    /// Connections beyond the configured number.
    NoConnections,
}

/// Accepts until it is dropped.
pub(crate) async fn accept(
    listener: TcpListener,
    connections_max: usize,
    shard: Rc<RefCell<Shard>>,
) {
    let mut spare = Spare::open();
    let mut room = Room::Enough;
    loop {
        for _ in 0..ACCEPTS_PER_TURN {
            match poll_fn(|cx| listener.poll_accept(cx)).await {
                Ok((stream, _)) if shard.borrow().connections() >= connections_max => {
                    drop(stream);
                    if room != Room::NoConnections {
                        room = Room::NoConnections;
                        tracing::warn!(connections_max, "connection limit reached");
                    }
                }
                Ok((stream, peer)) => {
                    room = Room::Enough;
                    shard::open(&shard, stream, peer);
                }
                Err(error) if descriptors::are_exhausted(&error) => {
                    if room != Room::NoDescriptors {
                        room = Room::NoDescriptors;
                        tracing::warn!(
                            connections = shard.borrow().connections(),
                            %error,
                            "no descriptor left for another connection"
                        );
                    }
                    spare.lend(|| refuse_one(&listener));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                Err(error) if gave_up(&error) => {
                    tracing::debug!(%error, "connection gone before it was accepted");
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections for a moment");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        tokio::task::yield_now().await;
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

/// Accepts and closes the connection that waits longest, if there is one.
fn refuse_one(listener: &TcpListener) {
    let refused: Poll<io::Result<_>> =
        listener.poll_accept(&mut Context::from_waker(Waker::noop()));
    drop(refused);
}
