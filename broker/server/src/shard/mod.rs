//! One shard: a thread's broker, its sockets, and the turns in which they meet.
//!
//! A turn asks which sockets have something, reads each into the shard's one buffer, at most
//! that much from one connection, and lets the broker parse it in place. At its end each connection that
//! the broker had something to say to is written once. Idle connections own no buffer.
//!
//! What a turn may pile up is limited: once [`Shard::flush_received_bytes`] came in or
//! [`FLUSH_APPENDED_BYTES`](crate::limits::FLUSH_APPENDED_BYTES) wait to be written, it writes before it reads on. The first keeps a connection
//! that many publish to from overrunning its outbox within one turn, the second bounds a
//! fan-out.
//!
//! `reading` brings bytes from a socket to the broker, `writing` from the outboxes to a socket, and
//! `closing` has every way a connection leaves.
//!
//! It decides nothing about MQTT: when a connection is not read for a while because its peer does
//! not read either, and what is dropped or closed then, is the broker's decision.
//!
//! Invariant: what waits for a socket is written oldest first. A full socket is written again
//! when it is writable, and not before.

mod closing;
mod reading;
mod writing;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mio::net::TcpStream;
use squall_core::{Broker, Close, ConnectionId, Input, Outboxes};
use squall_protocol::Instant;

use crate::accept::Acceptor;
use crate::alarm::Alarm;
use crate::client_ids;
use crate::clock::Clock;
use crate::config::Config;
use crate::connection::Connections;
use crate::limits::{ACCEPTS_PER_TURN, EVENTS_PER_TURN, READ_BUFFER_BYTES};
use crate::sockets::{Ready, Sockets, Who};
use reading::ReadUntil;

/// What a shard's task does after a turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum After {
    /// There is more to do, once the runtime has looked at its other tasks.
    NextTurn,
    /// The shard has stopped: no connection is left, or the time to end them is over.
    Stopped,
}

/// A connection that we close must be gone by `deadline`.
#[derive(Clone, Copy, Debug)]
struct Closing {
    deadline: Instant,
    connection: ConnectionId,
}

/// The state of one shard's thread.
#[derive(Debug)]
pub(crate) struct Shard {
    clock: Clock,
    /// When the turn began: the time of everything in it.
    now: Instant,
    broker: Broker,
    outboxes: Outboxes,
    sockets: Sockets,
    /// `None` once the shard stops.
    acceptor: Option<Acceptor>,
    connections: Connections,
    read_buffer: Box<[u8]>,
    /// To be read in the next turn without being named by [`Sockets`].
    unread: Vec<ConnectionId>,
    /// In order of their deadlines.
    closing: VecDeque<Closing>,
    close_timeout: Duration,
    shutdown_timeout: Duration,
    /// When a shard that stops gives up on the connections that are left.
    stopped_by: Option<Instant>,
    /// Next deadline of any kind, as of the last turn's end.
    due: Option<Instant>,
    /// Whether the broker was told something since the last write.
    is_unflushed: bool,
    /// Bytes that came in since the last write.
    received_bytes: usize,
    /// Value of [`Outboxes::appended_bytes`] at the last write.
    flushed_at: u64,
    flush_received_bytes: usize,
    /// From this length of its outbox on a connection is told when it is empty again.
    drained_from_bytes: usize,
    /// Wakes the shard's task.
    waker: Waker,
    /// Reused from turn to turn, so that their memory is not allocated anew.
    ready: Vec<Ready>,
    dirty: Vec<ConnectionId>,
    closes: Vec<Close>,
    peers_closed: Vec<ConnectionId>,
}

impl Shard {
    /// A shard without connections. It must be made inside the runtime.
    ///
    /// # Errors
    /// If the system has no more selectors to give.
    pub(crate) fn new(
        config: &Config,
        clock: Clock,
        mut listener: mio::net::TcpListener,
    ) -> std::io::Result<Self> {
        let now = clock.now();
        let outbox = config.broker.outbox;
        let sockets = Sockets::new()?;
        sockets.add(&mut listener, Who::Listener)?;
        Ok(Self {
            clock,
            now,
            broker: Broker::new(config.broker.clone(), client_ids::from_system(), now),
            outboxes: Outboxes::new(),
            sockets,
            acceptor: Some(Acceptor::new(listener, config.listen.connections_max)),
            connections: Connections::default(),
            read_buffer: vec![0; READ_BUFFER_BYTES].into_boxed_slice(),
            unread: Vec::new(),
            closing: VecDeque::new(),
            close_timeout: config.server.close_timeout,
            shutdown_timeout: config.server.shutdown_timeout,
            stopped_by: None,
            due: Some(now),
            is_unflushed: false,
            received_bytes: 0,
            flushed_at: 0,
            flush_received_bytes: outbox.soft_bytes / 2,
            drained_from_bytes: outbox.soft_bytes,
            waker: Waker::noop().clone(),
            ready: Vec::new(),
            dirty: Vec::new(),
            closes: Vec::new(),
            peers_closed: Vec::new(),
        })
    }

    /// Connections that have a socket, closing ones included.
    pub(crate) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Accepts no more, tells every client that the server stops, and lets its task end when
    /// they are gone.
    pub(crate) fn shut_down(&mut self) {
        self.now = self.clock.now();
        self.acceptor = None;
        self.stopped_by = Some(self.now + self.shutdown_timeout);
        self.handle_input(Input::Shutdown);
        self.waker.wake_by_ref();
    }

    /// One step of the shard's task: a turn, if there is anything to do.
    ///
    /// # Errors
    /// If the sockets can no longer be asked.
    pub(crate) fn poll_turn(
        &mut self,
        alarm: &mut Alarm,
        cx: &mut Context<'_>,
    ) -> Poll<std::io::Result<After>> {
        if !self.waker.will_wake(cx.waker()) {
            self.waker.clone_from(cx.waker());
        }
        self.now = self.clock.now();
        loop {
            self.ready.clear();
            let polled = self.sockets.poll_ready(cx, &mut self.ready)?;
            if polled.is_pending() && !self.has_work() {
                let Some(due) = self.due else {
                    return Poll::Pending;
                };
                return alarm
                    .poll_set(&self.clock, self.now, due, cx)
                    .map(|()| Ok(After::NextTurn));
            }
            self.run_turn();
            let is_over = self.stopped_by.is_some_and(|moment| moment <= self.now);
            if self.stopped_by.is_some() && (is_over || self.connections.len() == 0) {
                return Poll::Ready(Ok(After::Stopped));
            }
            if self.ready.len() == EVENTS_PER_TURN || self.has_work() {
                return Poll::Ready(Ok(After::NextTurn));
            }
        }
    }

    /// Whether a turn has something to do although no socket has.
    fn has_work(&self) -> bool {
        self.is_unflushed
            || !self.unread.is_empty()
            || self.due.is_some_and(|due| due <= self.now)
            || self.acceptor.as_ref().is_some_and(|a| a.is_ready(self.now))
    }

    fn run_turn(&mut self) {
        self.pass_deadline();
        let unread = std::mem::take(&mut self.unread);
        for index in 0..self.ready.len() {
            self.handle_ready(self.ready[index]);
        }
        for id in unread {
            self.read(id, ReadUntil::Blocked);
        }
        self.accept();
        self.flush();

        let closing = self.closing.front().map(|closing| closing.deadline);
        let accept = self.acceptor.as_ref().and_then(Acceptor::deadline);
        self.due = [
            self.broker.next_deadline(),
            closing,
            accept,
            self.stopped_by,
        ]
        .into_iter()
        .flatten()
        .min();
    }

    fn handle_input(&mut self, input: Input<'_>) {
        self.is_unflushed = true;
        self.broker.handle(self.now, input, &mut self.outboxes);
    }

    /// Does what is due by the time of this turn.
    fn pass_deadline(&mut self) {
        if self.due.is_none_or(|due| due > self.now) {
            return;
        }
        if self
            .broker
            .next_deadline()
            .is_some_and(|due| due <= self.now)
        {
            self.handle_input(Input::DeadlinePassed);
        }
        while let Some(closing) = self.closing.front()
            && closing.deadline <= self.now
        {
            let connection = closing.connection;
            self.closing.pop_front();
            self.remove(connection);
        }
    }

    fn handle_ready(&mut self, ready: Ready) {
        let slot = match ready.who {
            Who::Slot(slot) => slot,
            Who::Listener => {
                if let Some(acceptor) = &mut self.acceptor {
                    acceptor.handle_readable();
                }
                return;
            }
        };
        // The slot may have a new connection since the system was asked: then it is looked at
        // once too often, which changes nothing.
        let id = self.connections.id(slot);
        if ready.is_writable
            && let Some(connection) = self.connections.get_mut(id)
            && connection.is_full
        {
            self.write(id);
        }
        if ready.is_readable {
            let until = if ready.is_ended {
                ReadUntil::Blocked
            } else {
                ReadUntil::Short
            };
            self.read(id, until);
        }
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTS_PER_TURN {
            let connections = self.connections.len();
            let Some(acceptor) = &mut self.acceptor else {
                return;
            };
            if !acceptor.is_ready(self.now) {
                return;
            }
            if let Some((stream, peer)) = acceptor.poll_accept(self.now, connections) {
                self.open(stream, peer);
            }
        }
    }

    fn open(&mut self, mut stream: TcpStream, peer: SocketAddr) {
        let who = Who::Slot(self.connections.next_id().slot);
        if let Err(error) = self.sockets.add(&mut stream, who) {
            tracing::warn!(%peer, %error, "connection not taken in");
            return;
        }
        let id = self.connections.insert(stream);
        tracing::debug!(slot = id.slot, %peer, "connection opened");
        self.handle_input(Input::Opened { connection: id });
    }
}
