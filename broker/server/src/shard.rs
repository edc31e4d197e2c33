//! One shard: a thread's broker, its sockets, and the turns in which they meet.
//!
//! A turn asks which sockets have something, reads each into the shard's one buffer, at most
//! that much from one connection, and lets the broker parse it in place. At its end each connection that
//! the broker had something to say to is written once. Idle connections own no buffer.
//!
//! What a turn may pile up is limited: once [`Shard::flush_received_bytes`] came in or
//! [`FLUSH_APPENDED_BYTES`] wait to be written, it writes before it reads on. The first keeps a connection
//! that many publish to from overrunning its outbox within one turn, the second bounds a
//! fan-out.
//!
//! It decides nothing about MQTT: when a connection is not read for a while because its peer does
//! not read either, and what is dropped or closed then, is the broker's decision.
//!
//! Invariant: what waits for a socket is written oldest first. A full socket is written again
//! when it is writable, and not before.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mio::net::TcpStream;
use squall_core::{Broker, Close, ConnectionId, Input, Outboxes};
use squall_protocol::Instant;

use crate::accept::Acceptor;
use crate::alarm::Alarm;
use crate::clock::Clock;
use crate::config::Config;
use crate::connection::{Connection, Connections, Phase};
use crate::limits::{
    ACCEPTS_PER_TURN, EVENTS_PER_TURN, FLUSH_APPENDED_BYTES, READ_BUFFER_BYTES, SLICE_BYTES,
};
use crate::sockets::{Ready, Sockets, Who};
use crate::{client_ids, close_log};

/// What a shard's task does after a turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum After {
    /// There is more to do, once the runtime has looked at its other tasks.
    NextTurn,
    /// The shard has stopped: no connection is left, or the time to end them is over.
    Stopped,
}

/// How much of what a socket holds is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ReadUntil {
    /// Until a read brings less than there was room for: nothing else has come so far.
    Short,
    /// Until there is nothing: the peer's end may stand behind its last bytes.
    Blocked,
}

/// How a connection ended without the broker's doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// The peer closed its side (FIN): it may still read ours.
    Closed,
    /// A read or write failed (RST, timeout of the transport).
    Failed,
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
    /// Kept for their memory.
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

    /// Reads a connection until about one buffer full has come; what is left waits for the next
    /// turn.
    fn read(&mut self, id: ConnectionId, until: ReadUntil) {
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

    /// The connection ended without the broker's doing.
    fn lose(&mut self, id: ConnectionId, end: End) {
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

    fn remove(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.remove(id) {
            tracing::debug!(slot = id.slot, phase = ?connection.phase, "connection closed");
            self.outboxes.forget(id);
        }
    }

    /// Writes to each connection that the broker had something for, then closes what it closed.
    ///
    /// What the broker says in answer to this waits for the next time.
    fn flush(&mut self) {
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
    fn write(&mut self, id: ConnectionId) {
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

    /// The broker let a connection go: it ends when all is written and its peer agrees.
    fn close(&mut self, close: &Close) {
        let id = close.connection;
        let deadline = self.now + self.close_timeout;
        let is_written = self.outboxes.pending(id) == 0;
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.phase != Phase::Open {
            return;
        }
        close_log::write(close, connection.stream.peer_addr().ok());
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
fn linger(connection: &mut Connection) {
    connection.phase = Phase::Lingering;
    // A failure means that the peer is gone already, which reading will find out.
    let _ = connection.stream.shutdown(Shutdown::Write);
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
