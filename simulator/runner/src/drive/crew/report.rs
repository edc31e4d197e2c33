//! What a worker's sockets brought, on its way to the fleet.

use std::ops::Range;
use std::time::Duration;

use squall_fleet::{Input, OpenError, PeerClose, SocketId, Standstill};
use squall_protocol::Instant;

/// Some inputs of one worker, in order.
#[derive(Debug, Default)]
pub(in crate::drive) struct Report {
    inputs: Vec<Told>,
    bytes: Vec<u8>,
    /// Whether the look that was asked for is part of it.
    pub(in crate::drive) has_looked: bool,
    /// Whether the worker has ended and tells nothing more.
    pub(in crate::drive) is_last: bool,
}

/// One thing that a worker's sockets brought.
#[derive(Clone, Debug)]
pub(in crate::drive) struct Told {
    /// When the worker knew it.
    at: Instant,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Opened(SocketId, Duration),
    OpenFailed(SocketId, OpenError),
    Received(SocketId, Range<usize>, Option<Duration>),
    Full(SocketId),
    Drained(SocketId),
    Closed(SocketId, PeerClose),
    StoodStill(Instant, Standstill),
}

impl Report {
    /// The last one of a worker.
    pub(super) fn last() -> Self {
        Self {
            is_last: true,
            ..Self::default()
        }
    }

    /// Adds what came at `at`.
    pub(super) fn push(&mut self, at: Instant, input: Input<'_>) {
        let what = match input {
            Input::Opened { socket, waited } => What::Opened(socket, waited),
            Input::OpenFailed { socket, error } => What::OpenFailed(socket, error),
            Input::Received {
                socket,
                bytes,
                waited,
            } => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                What::Received(socket, start..self.bytes.len(), waited)
            }
            Input::Full { socket } => What::Full(socket),
            Input::Drained { socket } => What::Drained(socket),
            Input::Closed { socket, how } => What::Closed(socket, how),
            Input::StoodStill { since, what } => What::StoodStill(since, what),
            // Not of sockets.
            Input::DeadlinePassed | Input::Broker(_) | Input::Lines { .. } | Input::Stop => return,
        };
        self.inputs.push(Told { at, what });
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.inputs.is_empty() && !self.has_looked
    }

    /// Bytes of the target that it carries.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// When its worker knew the first thing that it tells; `None` if it tells nothing.
    pub(super) fn began(&self) -> Option<Instant> {
        self.inputs.first().map(|told| told.at)
    }

    /// What it tells, in order.
    pub(in crate::drive) fn inputs(&self) -> &[Told] {
        &self.inputs
    }

    /// What `told` tells a fleet that hears of it at `now`.
    pub(in crate::drive) fn input(&self, told: &Told, now: Instant) -> Input<'_> {
        let on_the_way = now.saturating_since(told.at);
        match told.what {
            What::Opened(socket, waited) => Input::Opened {
                socket,
                waited: waited + on_the_way,
            },
            What::OpenFailed(socket, error) => Input::OpenFailed { socket, error },
            What::Received(socket, ref range, waited) => Input::Received {
                socket,
                bytes: &self.bytes[range.clone()],
                waited: waited.map(|waited| waited + on_the_way),
            },
            What::Full(socket) => Input::Full { socket },
            What::Drained(socket) => Input::Drained { socket },
            What::Closed(socket, how) => Input::Closed { socket, how },
            What::StoodStill(since, what) => Input::StoodStill { since, what },
        }
    }

    /// Sets aside what `told` tells, as a report of its own.
    pub(super) fn apart(&self, told: &Told) -> Self {
        let mut apart = Self::default();
        apart.push(told.at, self.input(told, told.at));
        apart
    }
}

impl Told {
    /// The socket that it is about; `None` if it is about the whole worker.
    pub(super) fn socket(&self) -> Option<SocketId> {
        match self.what {
            What::Opened(socket, _)
            | What::OpenFailed(socket, _)
            | What::Received(socket, _, _)
            | What::Full(socket)
            | What::Drained(socket)
            | What::Closed(socket, _) => Some(socket),
            What::StoodStill(..) => None,
        }
    }
}
