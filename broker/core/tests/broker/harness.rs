//! A broker and its clients in one thread and in virtual time.
//!
//! Clients are bare connections: each packet that a test names is encoded by the codec, and what
//! the broker wrote is decoded by it. Nothing answers on its own.

use std::time::Duration;

use squall_core::{Broker, ClientIds, Close, Config, ConnectionId, Input, OutboxLimits, Outboxes};
use squall_protocol::codec::{DecodeRules, PACKET_BYTES_MAX, PacketReader, encode};
use squall_protocol::packet::{Connack, Connect, Packet};
use squall_protocol::{Instant, ReasonCode, Version};

use crate::received::Received;

/// A broker under test, and the shell around it.
pub(crate) struct Harness {
    pub(crate) broker: Broker,
    outboxes: Outboxes,
    now: Instant,
    sides: Vec<Side>,
}

/// Names one connection of the test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Client(usize);

struct Side {
    id: ConnectionId,
    version: Version,
    received: Vec<u8>,
    closed: Option<Close>,
    /// Its socket takes nothing.
    is_stalled: bool,
}

impl Harness {
    /// A broker with the default limits and without `$SYS`.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A broker without `$SYS` whose limits `adjust` changes.
    pub(crate) fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        Self::drawing(ClientIds::counted(), adjust)
    }

    /// A broker without `$SYS` whose outboxes have these limits, in bytes.
    pub(crate) fn with_outboxes(soft_bytes: usize, hard_bytes: usize) -> Self {
        Self::with(|config| {
            config.outbox = OutboxLimits {
                soft_bytes,
                hard_bytes,
            };
        })
    }

    /// A broker without `$SYS` that assigns `client_ids`, and whose limits `adjust` changes.
    pub(crate) fn drawing(client_ids: ClientIds, adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            sys_interval: None,
            ..Config::default()
        };
        adjust(&mut config);
        Self {
            broker: Broker::new(config, client_ids, Instant::ZERO),
            outboxes: Outboxes::new(),
            now: Instant::ZERO,
            sides: Vec::new(),
        }
    }

    /// Opens a connection on which nothing is sent yet.
    pub(crate) fn open(&mut self, version: Version) -> Client {
        let id = ConnectionId {
            slot: self.sides.len() as u32,
            generation: 0,
        };
        self.sides.push(Side {
            id,
            version,
            received: Vec::new(),
            closed: None,
            is_stalled: false,
        });
        self.handle(Input::Opened { connection: id });
        Client(self.sides.len() - 1)
    }

    /// Opens a connection and sends CONNECT, whatever comes of it.
    pub(crate) fn try_connect(&mut self, connect: Connect) -> Client {
        let client = self.open(connect.version);
        self.send(client, &Packet::Connect(Box::new(connect)));
        client
    }

    /// Connects and returns CONNACK too. What follows CONNACK stays to be received.
    pub(crate) fn connect(&mut self, connect: Connect) -> (Client, Connack) {
        let client = self.try_connect(connect);
        let connack = self.take_connack(client);
        assert_eq!(connack.reason, ReasonCode::Success);
        (client, connack)
    }

    /// Connects a client whose CONNACK is of no interest.
    pub(crate) fn join(&mut self, connect: Connect) -> Client {
        self.connect(connect).0
    }

    /// Takes the first packet that came, which is CONNACK.
    pub(crate) fn take_connack(&mut self, client: Client) -> Connack {
        let side = &mut self.sides[client.0];
        let rules = DecodeRules {
            version: Some(side.version),
            maximum_packet_size: PACKET_BYTES_MAX,
        };
        let mut input = side.received.as_slice();
        let mut reader = PacketReader::default();
        let connack = match reader.poll_packet(&mut input, &rules) {
            Ok(Some(Packet::Connack(connack))) => *connack,
            other => panic!("CONNACK, not {other:?}"),
        };
        side.received = input.to_vec();
        connack
    }

    /// Sends a packet from the client to the broker.
    pub(crate) fn send(&mut self, client: Client, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        encode(packet, self.sides[client.0].version, &mut bytes);
        self.send_bytes(client, &bytes);
    }

    /// Sends bytes that may be no packet.
    pub(crate) fn send_bytes(&mut self, client: Client, bytes: &[u8]) {
        let connection = self.sides[client.0].id;
        self.handle(Input::Received { connection, bytes });
    }

    /// Takes what came from the broker since the last look.
    pub(crate) fn receive(&mut self, client: Client) -> Received {
        let side = &mut self.sides[client.0];
        Received::decode(&std::mem::take(&mut side.received), side.version)
    }

    /// Takes the bytes that came from the broker since the last look.
    pub(crate) fn receive_bytes(&mut self, client: Client) -> Vec<u8> {
        std::mem::take(&mut self.sides[client.0].received)
    }

    /// Whether the broker closed the connection.
    pub(crate) fn is_closed(&self, client: Client) -> bool {
        self.sides[client.0].closed.is_some()
    }

    /// Whose connection the broker closed, and why, as a log line says it.
    pub(crate) fn close_log(&self, client: Client) -> Option<(Option<&str>, String)> {
        let close = self.sides[client.0].closed.as_ref()?;
        Some((close.client_id.as_deref(), close.cause.to_string()))
    }

    /// Whether the broker wants to be told more of what the client sends.
    pub(crate) fn takes_input(&self, client: Client) -> bool {
        let connection = self.sides[client.0].id;
        self.broker.takes_input(connection, &self.outboxes)
    }

    /// The network takes the connection away.
    pub(crate) fn lose(&mut self, client: Client) {
        let side = &self.sides[client.0];
        assert!(side.closed.is_none(), "still open");
        self.handle(Input::Lost {
            connection: side.id,
        });
    }

    /// The client's socket takes nothing from here on.
    pub(crate) fn stall(&mut self, client: Client) {
        self.sides[client.0].is_stalled = true;
    }

    /// The client's socket takes everything again.
    pub(crate) fn resume(&mut self, client: Client) {
        self.sides[client.0].is_stalled = false;
        self.write(client.0);
        let connection = self.sides[client.0].id;
        self.handle(Input::Drained { connection });
    }

    /// The server stops.
    pub(crate) fn shut_down(&mut self) {
        self.handle(Input::Shutdown);
    }

    /// Lets time pass, with every deadline in it at its moment.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(deadline) = self.broker.next_deadline().filter(|&next| next <= end) {
            self.now = self.now.max(deadline);
            self.handle(Input::DeadlinePassed);
        }
        self.now = end;
    }

    /// Runs the deadlines that are due without letting time pass.
    pub(crate) fn settle(&mut self) {
        self.advance(Duration::ZERO);
    }

    fn handle(&mut self, input: Input<'_>) {
        self.broker.handle(self.now, input, &mut self.outboxes);
        let mut dirty = Vec::new();
        self.outboxes.take_dirty(&mut dirty);
        for id in dirty {
            self.write(id.slot as usize);
        }
        let mut closes = Vec::new();
        self.outboxes.take_closes(&mut closes);
        for close in closes {
            let slot = close.connection.slot as usize;
            self.write(slot);
            assert!(self.sides[slot].closed.is_none(), "closed once");
            self.outboxes.forget(close.connection);
            self.sides[slot].closed = Some(close);
        }
    }

    fn write(&mut self, index: usize) {
        let side = &mut self.sides[index];
        if side.is_stalled {
            return;
        }
        let pending = self.outboxes.pending_bytes(side.id);
        side.received.extend_from_slice(pending);
        let bytes = pending.len();
        self.outboxes.written(side.id, bytes);
    }
}
