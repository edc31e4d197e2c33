//! The broker of one shard: every input comes in here and is handed to its part.
//!
//! Each part is a file with the `handle_*` of its packets: `connect`, `publish`, `acknowledge` and
//! `subscribe`. `fan_out` finds the recipients of a message, `deliver` decides what each gets,
//! `outgoing` encodes it, `room` tells whether all of them can keep it. `feed` brings one Session what
//! waits for it, `kept` sends a copy that waited. `ending` lists why a connection ends, `detach` takes
//! it from its Session after `goodbye` sent the last packet; `session_end` ends a Session, `wills`
//! publishes its will. `timers` does what is due, `sys` publishes the `$SYS` tree.
//!
//! Several shards: each has a `Broker` of its own. A message for Sessions of another shard leaves
//! through `fan_out`, as one more kind of recipient, and comes in as one more [`Input`].
//! Durability: what must be on disk before an acknowledgement leaves is known where `publish`
//! sends it; the record goes to [`Outboxes`] there, and the acknowledgement waits in the outbox
//! for the shell to hear that it is durable.
//!
//! Invariant: a connection that is not in the table is closed or gone, and no input about it
//! changes anything.

mod acknowledge;
mod connect;
mod deliver;
mod detach;
mod ending;
mod fan_out;
mod feed;
mod goodbye;
mod kept;
mod leaving;
mod outgoing;
mod publish;
mod room;
mod session_end;
mod subscribe;
mod sys;
mod timers;
mod wills;

use std::collections::VecDeque;

use squall_protocol::codec::{PacketReader, encode};
use squall_protocol::packet::Packet;
use squall_protocol::server::{self, Admitted};
use squall_protocol::{Instant, ProtocolError, Version};

use crate::config::{Config, OutboxLimits};
use crate::connection::{Connections, Gate};
use crate::counters::Counters;
use crate::keys::SessionKey;
use crate::retained::RetainedStore;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::subscriptions::{Recipients, Subscriptions};
use crate::timer::{NEVER, TimerWheel};
use crate::{ClientIds, ConnectionId, Input, Outboxes};
use ending::Ending;
use leaving::Leaving;

/// An MQTT broker as a state machine. It owns every Session, subscription and message of one
/// shard.
#[derive(Debug)]
pub struct Broker {
    config: Config,
    counters: Counters,
    connections: Connections,
    sessions: Sessions,
    subscriptions: Subscriptions,
    retained: RetainedStore,
    timers: TimerWheel<Timer>,
    /// Work that paused so that other clients are served.
    unfinished: VecDeque<Unfinished>,
    /// Sessions that have ended and still have subscriptions.
    leaving: VecDeque<Leaving>,
    /// When the broker started.
    started: Instant,
    /// When `$SYS` is published next; the end of time for never.
    sys_due: Instant,
    client_ids: ClientIds,
    /// Reused from message to message, so that its memory is not allocated anew.
    recipients: Recipients,
    /// Reused from deadline to deadline, so that its memory is not allocated anew.
    due: Vec<Timer>,
}

/// The owner of a timer.
#[derive(Clone, Copy, Debug)]
enum Timer {
    Connection(ConnectionId),
    Session(SessionKey),
}

/// Work that is done in slices, because all of it at once would keep others waiting.
#[derive(Clone, Copy, Debug)]
enum Unfinished {
    /// A Session's replay of retained messages.
    Session(SessionKey),
    /// A connection's SUBSCRIBE or UNSUBSCRIBE.
    Request(ConnectionId),
    /// The first of `Broker::leaving`.
    Leaving,
}

/// When an input happened, and where what follows goes.
#[derive(Debug)]
struct Turn<'e> {
    now: Instant,
    outboxes: &'e mut Outboxes,
}

/// The sender of a packet: a client whose CONNECT was accepted.
#[derive(Clone, Copy, Debug)]
struct Peer {
    connection: ConnectionId,
    session: SessionKey,
    version: Version,
}

impl Broker {
    /// A broker without Sessions that starts at `now` and assigns `client_ids`.
    pub fn new(config: Config, client_ids: ClientIds, now: Instant) -> Self {
        let config = config.bounded();
        let sys_due = if config.sys_interval.is_some() {
            now
        } else {
            NEVER
        };
        Self {
            counters: Counters::default(),
            connections: Connections::default(),
            sessions: Sessions::default(),
            subscriptions: Subscriptions::new(config.match_cache_topics_max),
            retained: RetainedStore::default(),
            timers: TimerWheel::new(),
            unfinished: VecDeque::new(),
            leaving: VecDeque::new(),
            started: now,
            sys_due,
            client_ids,
            recipients: Recipients::default(),
            due: Vec::new(),
            config,
        }
    }

    /// The limits and choices that it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Applies `input`, which happened at `now`, and appends what follows from it to `outboxes`.
    ///
    /// `now` never goes backwards, and `outboxes` is always the same one. Inputs about a
    /// connection that the broker closed, or that a later one replaced in its slot, change
    /// nothing.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, outboxes: &mut Outboxes) {
        let turn = &mut Turn { now, outboxes };
        match input {
            Input::Opened { connection } => self.handle_opened(turn, connection),
            Input::Received { connection, bytes } => self.handle_received(turn, connection, bytes),
            Input::Drained { connection } => self.handle_drained(turn, connection),
            Input::Lost { connection } => self.end(turn, connection, Ending::Lost),
            Input::DeadlinePassed => self.handle_deadline(turn),
            Input::Shutdown => self.handle_shutdown(turn),
        }
    }

    /// When [`Input::DeadlinePassed`] is due next; a moment that has passed means at once. A shell asks
    /// once after every turn, not after every input.
    pub fn next_deadline(&self) -> Option<Instant> {
        if !self.unfinished.is_empty() {
            return Some(self.started);
        }
        let timer = self.timers.next_deadline().unwrap_or(NEVER);
        let expiry = self.retained.next_expiry().unwrap_or(NEVER);
        Some(timer.min(expiry).min(self.sys_due)).filter(|&deadline| deadline != NEVER)
    }

    /// Whether a shell should read on from a connection. It should not while a long SUBSCRIBE of it is
    /// in progress, or while much waits for a socket whose peer sends and does not read: the answers
    /// would reach the hard limit, and the connection would be closed.
    ///
    /// A peer that is slow to read one large message is read all the same: its PINGREQ must come
    /// through, or its Keep Alive would run out.
    pub fn takes_input(&self, id: ConnectionId, outboxes: &Outboxes) -> bool {
        let pending = outboxes.pending(id);
        let OutboxLimits {
            soft_bytes,
            hard_bytes,
        } = self.config.outbox;
        let connection = self.connections.get(id);
        if connection.is_some_and(|connection| connection.request.is_some()) {
            return false;
        }
        let largest_sent = || connection.map_or(0, |c| c.largest_sent);
        pending <= soft_bytes || pending <= soft_bytes.midpoint(hard_bytes) + largest_sent()
    }

    /// What was counted until now. It costs the same however many Sessions there are.
    pub fn counters(&self) -> Counters {
        let mut counters = self.counters.clone();
        counters.connections = self.connections.len();
        counters.sessions = self.sessions.len();
        counters.subscriptions = self.subscriptions.len();
        counters.retained_messages = self.retained.len();
        counters.retained_bytes = self.retained.bytes();
        // These two are kept where they change; a walk over all Sessions must agree.
        debug_assert_eq!(counters.clients_connected, self.sessions.connected());
        debug_assert_eq!(
            counters.queued_messages,
            self.sessions.queued() + self.subscriptions.waiting()
        );
        counters
    }

    fn handle_opened(&mut self, turn: &mut Turn<'_>, id: ConnectionId) {
        let settings = server::Settings {
            connect_timeout: self.config.connect_timeout,
            connect_size_max: self.config.connect_size_max.get(),
            maximum_packet_size: self.config.maximum_packet_size.get(),
            topic_alias_maximum: self.config.topic_alias_maximum,
        };
        let gate = Gate {
            reader: PacketReader::default(),
            role: server::Connection::new(turn.now, &settings),
        };
        if let Some(replaced) = self.connections.in_slot(id) {
            self.end(turn, replaced, Ending::Lost);
        }
        let deadline = gate.role.deadline();
        self.connections.open(id, gate);
        self.counters.connections_opened += 1;
        self.arm_connection(id, deadline);
    }

    fn handle_received(&mut self, turn: &mut Turn<'_>, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        self.counters.bytes_received += bytes.len() as u64;
        match &mut connection.request {
            Some(request) => request.held.extend_from_slice(bytes),
            None => self.read(turn, id, bytes),
        }
    }

    /// Handles the packets in `bytes`, which came next on the connection.
    fn read(&mut self, turn: &mut Turn<'_>, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let mut gate = std::mem::replace(&mut connection.gate, Gate::closed());
        let read = self.read_packets(turn, id, &mut gate, bytes);
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.gate = gate;
        let limit = self.config.outbox.hard_bytes + connection.largest_sent;
        let is_overfull = turn.outboxes.pending(id) > limit;
        match read {
            Err(ending) => self.end(turn, id, ending),
            Ok(()) if is_overfull => self.end(turn, id, Ending::DoesNotRead),
            Ok(()) => {}
        }
    }

    fn read_packets(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConnectionId,
        gate: &mut Gate,
        mut bytes: &[u8],
    ) -> Result<(), Ending> {
        let Gate { reader, role } = gate;
        // Before the packets: a whole packet moves the deadline further than its bytes do.
        role.handle_partial(turn.now, bytes.len());
        while let Some(mut packet) = reader.poll_packet(&mut bytes, &role.rules())? {
            let admitted = role.handle_packet(turn.now, &mut packet)?;
            if let Admitted::Connect(connect) = admitted {
                let welcome = self.handle_connect(turn, id, connect)?;
                role.accept(turn.now, &welcome.connack);
                self.arm_connection(id, role.deadline());
                self.send_welcome(turn, welcome);
            } else {
                let Some(peer) = self.peer(id) else {
                    return Ok(());
                };
                self.handle_admitted(turn, peer, admitted)?;
            }
            if let Some(connection) = self.connections.get_mut(id)
                && let Some(request) = &mut connection.request
            {
                request.held.extend_from_slice(bytes);
                return Ok(());
            }
        }
        Ok(())
    }

    /// The client of a connection; `None` if it was closed meanwhile, or has no Session yet.
    fn peer(&self, id: ConnectionId) -> Option<Peer> {
        let connection = self.connections.get(id)?;
        Some(Peer {
            connection: id,
            session: connection.session?,
            version: connection.version,
        })
    }

    fn handle_admitted(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        packet: Admitted<'_, '_>,
    ) -> Result<(), Ending> {
        match packet {
            Admitted::Publish(publish) => self.handle_publish(turn, peer, publish),
            Admitted::Puback(puback) => self.handle_puback(turn, peer, puback),
            Admitted::Pubrec(pubrec) => self.handle_pubrec(turn, peer, pubrec),
            Admitted::Pubrel(pubrel) => self.handle_pubrel(turn, peer, pubrel),
            Admitted::Pubcomp(pubcomp) => self.handle_pubcomp(turn, peer, pubcomp),
            Admitted::Subscribe(subscribe) => self.handle_subscribe(turn, peer, subscribe),
            Admitted::Unsubscribe(unsubscribe) => self.handle_unsubscribe(turn, peer, unsubscribe),
            Admitted::Pingreq => {
                self.send(turn, peer.connection, peer.version, &Packet::Pingresp);
                Ok(())
            }
            Admitted::Disconnect(disconnect) => Err(Ending::Disconnect(disconnect.clone())),
            Admitted::Connect(_) => Err(ProtocolError::SecondConnect.into()),
            // A CONNECT that names a method is refused, so none was named.
            Admitted::Auth(_) => Err(ProtocolError::AuthWithoutMethod.into()),
        }
    }

    fn handle_drained(&mut self, turn: &mut Turn<'_>, id: ConnectionId) {
        if let Some(connection) = self.connections.get(id)
            && let Some(session) = connection.session
        {
            self.feed(turn, session);
        }
    }

    /// The Session of a client that sent a packet.
    fn session_of(&mut self, peer: Peer) -> &mut Session {
        self.sessions.of_connected(peer.session)
    }

    /// Counts what was appended to the connection's outbox.
    fn count_appended(&mut self, id: ConnectionId, bytes: usize) {
        self.counters.bytes_sent += bytes as u64;
        if bytes > self.config.outbox.soft_bytes
            && let Some(connection) = self.connections.get_mut(id)
        {
            connection.largest_sent = connection.largest_sent.max(bytes);
        }
    }

    /// Appends a packet to the connection's outbox.
    fn send(
        &mut self,
        turn: &mut Turn<'_>,
        connection: ConnectionId,
        version: Version,
        packet: &Packet<'_>,
    ) {
        let bytes = turn
            .outboxes
            .append(connection, |out| encode(packet, version, out));
        self.count_appended(connection, bytes);
    }
}
