//! One shard: a thread's broker, its sockets, and the turns in which they meet.
//!
//! A turn begins with the first socket that has something, goes over all that have, and ends with
//! one write to each connection that the broker had something to say to. A connection's task reads
//! into the shard's one buffer, at most that much a turn, and the broker parses it in place; idle
//! connections own no buffer. The end of a turn is a task of its own ([`run_turns`]): woken when
//! the turn begins, it runs behind all tasks that were woken before it.
//!
//! It decides nothing about MQTT. A connection whose outbox is long because its peer sends but
//! does not read is not read either; what is dropped or closed then is the broker's decision.
//!
//! Invariant: what waits for a socket is written by one writer at a time, oldest first: by the end
//! of the turn, or, once the socket was full, by the connection's task alone.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::{Shutdown, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use squall_core::{Broker, Close, ConnectionId, Effects, Input, LossCause};
use squall_protocol::Instant;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::coop::unconstrained;

use crate::alarm::Alarm;
use crate::clock::Clock;
use crate::config::Config;
use crate::connection::{Connection, Connections, Phase};
use crate::limits::READ_BUFFER_BYTES;

/// What a connection's task does next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// It has more to read, in the next turn.
    NextTurn,
    /// Its connection is gone.
    Gone,
}

/// A connection that we close must be gone by `deadline`.
#[derive(Clone, Copy, Debug)]
struct Closing {
    deadline: Instant,
    connection: ConnectionId,
}

/// The turn that runs, or the last one.
#[derive(Debug)]
struct Turn {
    /// When it began; the time of everything in it.
    now: Instant,
    is_open: bool,
    /// Wakes the task that ends it.
    end: Waker,
}

/// The state of one shard's thread.
#[derive(Debug)]
pub(crate) struct Shard {
    clock: Clock,
    broker: Broker,
    effects: Effects,
    connections: Connections,
    read_buffer: Box<[u8]>,
    turn: Turn,
    /// Next deadline of the broker or of a closing connection, as of the last turn's end.
    due: Option<Instant>,
    /// In order of their deadlines.
    closing: VecDeque<Closing>,
    close_timeout: Duration,
    /// From this length of its outbox on a connection is told when it is empty again.
    drained_from_bytes: usize,
    /// Above this length of its outbox a connection is not read.
    read_pause_bytes: usize,
    /// Reused by every turn's end.
    dirty: Vec<ConnectionId>,
    closes: Vec<Close>,
    peers_closed: Vec<ConnectionId>,
    /// Wakes whoever waits for the shard: for its last connection to go, or for a panic.
    watcher: Waker,
    has_panicked: bool,
}

impl Shard {
    /// A shard without connections.
    pub(crate) fn new(config: &Config, clock: Clock) -> Self {
        let now = clock.now();
        let outbox = config.broker.outbox;
        Self {
            clock,
            broker: Broker::new(config.broker.clone(), now),
            effects: Effects::new(),
            connections: Connections::default(),
            read_buffer: vec![0; READ_BUFFER_BYTES].into_boxed_slice(),
            turn: Turn {
                now,
                is_open: false,
                end: Waker::noop().clone(),
            },
            due: None,
            closing: VecDeque::new(),
            close_timeout: config.server.close_timeout,
            drained_from_bytes: outbox.soft_bytes,
            read_pause_bytes: outbox.soft_bytes.midpoint(outbox.hard_bytes),
            dirty: Vec::new(),
            closes: Vec::new(),
            peers_closed: Vec::new(),
            watcher: Waker::noop().clone(),
            has_panicked: false,
        }
    }

    /// Connections that have a socket, closing ones included.
    pub(crate) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Tells every client that the server stops, and closes.
    pub(crate) fn shut_down(&mut self) {
        self.handle_input(Input::Shutdown);
    }

    /// Pending until the last connection is gone.
    pub(crate) fn poll_empty(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.connections.len() == 0 {
            return Poll::Ready(());
        }
        self.watcher.clone_from(cx.waker());
        Poll::Pending
    }

    /// Pending unless a task of this shard has panicked: its state can no longer be trusted.
    pub(crate) fn poll_panicked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_panicked {
            return Poll::Ready(());
        }
        self.watcher.clone_from(cx.waker());
        Poll::Pending
    }

    /// The time of this turn, which begins if none runs.
    fn now(&mut self) -> Instant {
        if !self.turn.is_open {
            self.turn.is_open = true;
            self.turn.now = self.clock.now();
            self.turn.end.wake_by_ref();
        }
        self.turn.now
    }

    fn handle_input(&mut self, input: Input<'_>) {
        let now = self.now();
        self.broker.handle(now, input, &mut self.effects);
    }

    /// One step of a connection's task.
    fn poll_connection(&mut self, id: ConnectionId, cx: &mut Context<'_>) -> Poll<Step> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Poll::Ready(Step::Gone);
        };
        if !connection.waker.will_wake(cx.waker()) {
            connection.waker.clone_from(cx.waker());
        }
        if connection.is_full {
            self.write(id);
        }
        let Some(connection) = self.connections.get_mut(id) else {
            return Poll::Ready(Step::Gone);
        };
        match connection.phase {
            Phase::Open => self.poll_receive(id, cx),
            Phase::Flushing | Phase::Lingering => self.poll_discard(id, cx),
            Phase::PeerClosed => Poll::Pending,
        }
    }

    /// Hands the broker what came in, at most one buffer full a turn.
    fn poll_receive(&mut self, id: ConnectionId, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            let Some(connection) = self.connections.get_mut(id) else {
                return Poll::Ready(Step::Gone);
            };
            if self.effects.pending(id) > self.read_pause_bytes {
                connection.is_read_paused = true;
                return Poll::Pending;
            }
            let mut buffer = ReadBuf::new(&mut self.read_buffer);
            let read = Pin::new(&mut connection.stream).poll_read(cx, &mut buffer);
            let length = buffer.filled().len();
            match read {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => {
                    tracing::debug!(slot = id.slot, %error, "connection failed");
                    self.lose(id, LossCause::Failed);
                    return Poll::Ready(Step::Gone);
                }
                Poll::Ready(Ok(())) if length == 0 => {
                    self.lose(id, LossCause::Closed);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) => {
                    let now = self.now();
                    let received = Input::Received {
                        connection: id,
                        bytes: &self.read_buffer[..length],
                    };
                    self.broker.handle(now, received, &mut self.effects);
                }
            }
            if length == READ_BUFFER_BYTES {
                return Poll::Ready(Step::NextTurn);
            }
        }
    }

    /// Reads and forgets until the peer shuts its side, at most one buffer full a turn.
    fn poll_discard(&mut self, id: ConnectionId, cx: &mut Context<'_>) -> Poll<Step> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Poll::Ready(Step::Gone);
        };
        let mut buffer = ReadBuf::new(&mut self.read_buffer);
        let read = Pin::new(&mut connection.stream).poll_read(cx, &mut buffer);
        match read {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => Poll::Ready(Step::NextTurn),
            Poll::Ready(_) => {
                self.remove(id);
                Poll::Ready(Step::Gone)
            }
        }
    }

    /// The connection ended without the broker's doing.
    fn lose(&mut self, id: ConnectionId, cause: LossCause) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let was_open = connection.phase == Phase::Open;
        match cause {
            LossCause::Closed => {
                connection.phase = Phase::PeerClosed;
                self.peers_closed.push(id);
            }
            LossCause::Failed => self.remove(id),
        }
        if was_open {
            self.handle_input(Input::Lost {
                connection: id,
                cause,
            });
        }
    }

    fn remove(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(id) else {
            return;
        };
        tracing::debug!(slot = id.slot, phase = ?connection.phase, "connection closed");
        self.effects.forget(id);
        connection.waker.wake();
        if self.connections.len() == 0 {
            self.watcher.wake_by_ref();
        }
    }

    /// Writes what waits for a connection, as far as its socket takes it.
    fn write(&mut self, id: ConnectionId) {
        let waiting = self.effects.pending(id);
        let Some(connection) = self.connections.get_mut(id) else {
            self.effects.forget(id);
            return;
        };
        let was_full = std::mem::take(&mut connection.is_full);
        match poll_write_all(connection, id, &mut self.effects) {
            Poll::Pending => connection.is_full = true,
            Poll::Ready(Err(error)) => {
                tracing::debug!(slot = id.slot, %error, "connection failed");
                self.lose(id, LossCause::Failed);
                return;
            }
            Poll::Ready(Ok(())) => {
                if connection.phase == Phase::Flushing {
                    linger(connection);
                } else if was_full || waiting >= self.drained_from_bytes {
                    self.handle_input(Input::Drained { connection: id });
                }
            }
        }
        self.resume_reading(id);
    }

    fn resume_reading(&mut self, id: ConnectionId) {
        if self.effects.pending(id) <= self.read_pause_bytes
            && let Some(connection) = self.connections.get_mut(id)
            && std::mem::take(&mut connection.is_read_paused)
        {
            connection.waker.wake_by_ref();
        }
    }

    /// One step of the task that ends the turns. Ready: the broker wants the next turn at once.
    fn poll_turn(&mut self, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<()> {
        if !self.turn.end.will_wake(cx.waker()) {
            self.turn.end.clone_from(cx.waker());
        }
        if !self.turn.is_open {
            // The alarm rang, and nobody else had anything.
            self.turn.now = self.clock.now();
        }
        self.pass_deadline();
        self.end_turn();

        let closing = self.closing.front().map(|closing| closing.deadline);
        self.due = self.broker.next_deadline().into_iter().chain(closing).min();
        match self.due {
            Some(due) => alarm.poll_set(&self.clock, self.turn.now, due, cx),
            None => Poll::Pending,
        }
    }

    /// Does what is due by the time of this turn.
    fn pass_deadline(&mut self) {
        let now = self.turn.now;
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        if self.broker.next_deadline().is_some_and(|due| due <= now) {
            self.broker
                .handle(now, Input::DeadlinePassed, &mut self.effects);
        }
        while let Some(closing) = self.closing.front()
            && closing.deadline <= now
        {
            let connection = closing.connection;
            self.closing.pop_front();
            self.remove(connection);
        }
    }

    /// Writes to each connection that the broker had something for, then closes what it closed.
    ///
    /// What the broker says in answer to this belongs to the next turn.
    fn end_turn(&mut self) {
        self.turn.is_open = false;
        let mut dirty = std::mem::take(&mut self.dirty);
        self.effects.take_dirty(&mut dirty);
        let mut closes = std::mem::take(&mut self.closes);
        self.effects.take_closes(&mut closes);
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
            self.close(close.connection);
        }
        for id in std::mem::take(&mut self.peers_closed) {
            self.remove(id);
        }
        self.dirty = dirty;
        self.closes = closes;
    }

    /// The broker let a connection go: it ends when all is written and its peer agrees.
    fn close(&mut self, id: ConnectionId) {
        let deadline = self.turn.now + self.close_timeout;
        let is_written = self.effects.pending(id) == 0;
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
    }
}

/// Shuts our side; the connection's task waits for the peer's.
fn linger(connection: &mut Connection) {
    connection.phase = Phase::Lingering;
    // A failure means that the peer is gone already, which its task will find out.
    let _ = socket2::SockRef::from(&connection.stream).shutdown(Shutdown::Write);
    connection.waker.wake_by_ref();
}

/// Writes until nothing waits, or until the socket is full and the connection's task will be woken.
fn poll_write_all(
    connection: &mut Connection,
    id: ConnectionId,
    effects: &mut Effects,
) -> Poll<std::io::Result<()>> {
    let mut cx = Context::from_waker(&connection.waker);
    loop {
        let bytes = effects.pending_bytes(id);
        if bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut connection.stream).poll_write(&mut cx, bytes) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(length)) => effects.written(id, length),
        }
    }
}

/// Exclusive use of a shard. If its user panics, the shard is marked and its watcher woken.
struct Using<'s>(RefMut<'s, Shard>);

impl<'s> Using<'s> {
    /// `None` after a panic: nothing may touch the shard any more.
    fn new(shard: &'s RefCell<Shard>) -> Option<Self> {
        let shard = shard.borrow_mut();
        (!shard.has_panicked).then_some(Self(shard))
    }
}

impl Deref for Using<'_> {
    type Target = Shard;

    fn deref(&self) -> &Shard {
        &self.0
    }
}

impl DerefMut for Using<'_> {
    fn deref_mut(&mut self) -> &mut Shard {
        &mut self.0
    }
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.has_panicked = true;
            self.watcher.wake_by_ref();
        }
    }
}

/// Takes in an accepted socket and starts its task. It must be called inside the shard's runtime.
pub(crate) fn open(shard: &Rc<RefCell<Shard>>, stream: TcpStream, peer: SocketAddr) {
    let Some(mut using) = Using::new(shard) else {
        return;
    };
    let id = using.connections.insert(stream);
    tracing::debug!(slot = id.slot, %peer, "connection opened");
    using.handle_input(Input::Opened {
        connection: id,
        peer: Some(peer),
    });
    drop(using);
    tokio::task::spawn_local(unconstrained(run_connection(Rc::clone(shard), id)));
}

async fn run_connection(shard: Rc<RefCell<Shard>>, id: ConnectionId) {
    let step = || {
        poll_fn(|cx| match Using::new(&shard) {
            Some(mut shard) => shard.poll_connection(id, cx),
            None => Poll::Ready(Step::Gone),
        })
    };
    while step().await == Step::NextTurn {
        tokio::task::yield_now().await;
    }
}

/// Ends the turns of a shard, as long as it is polled.
pub(crate) async fn run_turns(shard: Rc<RefCell<Shard>>) {
    let mut alarm = Alarm::new();
    loop {
        poll_fn(|cx| match Using::new(&shard) {
            Some(mut shard) => shard.poll_turn(&mut alarm, cx),
            None => Poll::Pending,
        })
        .await;
        tokio::task::yield_now().await;
    }
}
