//! Asks the system which of the shard's sockets have something, once a turn.
//!
//! All sockets of a shard are in one `mio::Poll`, and only that is known to the runtime, as one
//! descriptor that is readable when any socket has an event. So a connection costs no task, no waker
//! and no entry in the runtime's driver: nearly a kilobyte less each, and no wake-up per read.
//!
//! Events are edges: a socket is named when something new came, not as long as something is
//! there. A reader that stops before the end must come back without being asked.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::task::{Context, Poll};
use std::time::Duration;

use mio::event::Source;
use mio::{Events, Interest, Token};
use tokio::io::Interest as DriverInterest;
use tokio::io::unix::AsyncFd;

use crate::limits::EVENTS_PER_TURN;

/// What the system says about one socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ready {
    /// The socket that it is about.
    pub(crate) who: Who,
    /// Something can be read: bytes, an end or an error.
    pub(crate) is_readable: bool,
    /// The peer has shut its side or the connection failed: read to the end.
    pub(crate) is_ended: bool,
    /// More can be written.
    pub(crate) is_writable: bool,
}

/// What a socket belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Who {
    /// Where connections come in.
    Listener,
    /// The connection in this slot, or one that was in it a moment ago.
    Slot(u32),
}

impl Who {
    const LISTENER: Token = Token(usize::MAX);

    fn token(self) -> Token {
        match self {
            Self::Listener => Self::LISTENER,
            Self::Slot(slot) => Token(slot as usize),
        }
    }

    fn of(token: Token) -> Self {
        if token == Self::LISTENER {
            return Self::Listener;
        }
        Self::Slot(u32::try_from(token.0).expect("it was made from a slot"))
    }
}

#[derive(Debug)]
struct Selector(mio::Poll);

impl AsRawFd for Selector {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The sockets of one shard.
#[derive(Debug)]
pub(crate) struct Sockets {
    selector: AsyncFd<Selector>,
    events: Events,
}

impl Sockets {
    /// None yet. It must be made inside the runtime.
    pub(crate) fn new() -> io::Result<Self> {
        let selector = Selector(mio::Poll::new()?);
        #[expect(
            deprecated,
            reason = "its successor is unsafe, which is forbidden here; what that asks for holds: \
                      the selector owns its descriptor, and keeps it open and the same"
        )]
        let selector = AsyncFd::with_interest(selector, DriverInterest::READABLE)?;
        Ok(Self {
            selector,
            events: Events::with_capacity(EVENTS_PER_TURN),
        })
    }

    /// Adds a socket; it leaves when it is closed.
    pub(crate) fn add(&self, socket: &mut impl Source, who: Who) -> io::Result<()> {
        let interest = match who {
            Who::Listener => Interest::READABLE,
            Who::Slot(_) => Interest::READABLE | Interest::WRITABLE,
        };
        let registry = self.selector.get_ref().0.registry();
        registry.register(socket, who.token(), interest)
    }

    /// Takes what happened since the last call into `into`, at most [`EVENTS_PER_TURN`] events.
    /// Pending means that nothing did.
    pub(crate) fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut Vec<Ready>,
    ) -> Poll<io::Result<()>> {
        let mut guard = std::task::ready!(self.selector.poll_read_ready_mut(cx))?;
        match guard
            .get_inner_mut()
            .0
            .poll(&mut self.events, Some(Duration::ZERO))
        {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Poll::Ready(Ok(())),
            Err(error) => return Poll::Ready(Err(error)),
        }
        into.extend(self.events.iter().map(|event| Ready {
            who: Who::of(event.token()),
            is_readable: event.is_readable() || event.is_error(),
            is_ended: event.is_read_closed() || event.is_error(),
            is_writable: event.is_writable() || event.is_write_closed(),
        }));
        if into.len() < EVENTS_PER_TURN {
            guard.clear_ready();
        }
        Poll::Ready(Ok(()))
    }
}
