//! What a liar has seen: when messages were published, when connections began, and how many messages each has had.

use std::collections::HashMap;
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::packet::{Packet, Publish};
use squall_protocol::{Instant, QoS};
use squall_world::{Direction, Passing};

use crate::scenarios::LOAD_ENDS;

/// A message that a liar keeps.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: QoS,
    /// Its Message Expiry Interval.
    pub(crate) expiry: Option<u32>,
    /// When it passed.
    pub(crate) at: Instant,
    /// The connection that it passed on.
    pub(crate) socket: SocketId,
}

impl Kept {
    pub(crate) fn of(passing: &Passing<'_>, publish: &Publish<'_>) -> Self {
        Self {
            topic: publish.topic.as_str().to_owned(),
            payload: publish.payload.to_vec(),
            qos: publish.qos,
            expiry: publish.properties.message_expiry_interval,
            at: passing.now,
            socket: passing.socket,
        }
    }

    /// Whether its time was over.
    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        let lives = self.expiry.map(|secs| Duration::from_secs(secs.into()));
        lives.is_some_and(|lives| now > self.at + lives)
    }
}

/// Messages that each connection had whose end came before that of the load.
pub(crate) type Ended = HashMap<SocketId, u64>;

/// What has passed.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    now: Instant,
    /// When each message was published, by topic and payload.
    published: HashMap<(String, Vec<u8>), Instant>,
    connected: HashMap<SocketId, Instant>,
    /// Messages that passed to each device.
    had: HashMap<SocketId, u64>,
    /// The same, where a connection has ended.
    ended: Ended,
    /// What was the case at their ends in a run without a lie.
    to_come: Ended,
    /// The latest connection of each Client Identifier, and those that have ended, with when.
    socket_of: HashMap<String, SocketId>,
    ended_at: HashMap<SocketId, Instant>,
    /// The connection that each Client Identifier had before its latest.
    before: HashMap<String, SocketId>,
    /// What was published to one Session, by its Client Identifier.
    pub(crate) sent_to: HashMap<String, Vec<Kept>>,
}

impl Notes {
    /// Notes of a run of which it is known what its connections will have had at their ends.
    pub(crate) fn knowing(to_come: Ended) -> Self {
        Self {
            to_come,
            ..Self::default()
        }
    }

    /// What connections had that ended during the load.
    pub(crate) fn into_ended(self) -> Ended {
        self.ended
    }

    /// A packet passes.
    pub(crate) fn handle_packet(&mut self, passing: &Passing<'_>) {
        self.now = passing.now;
        match (passing.direction, passing.packet) {
            (Direction::ToBroker, Packet::Publish(publish)) => {
                let kept = Kept::of(passing, publish);
                self.published
                    .entry((kept.topic.clone(), kept.payload.clone()))
                    .or_insert(passing.now);
                if let Some((_, client)) = kept.topic.rsplit_once('/') {
                    self.sent_to
                        .entry(client.to_owned())
                        .or_default()
                        .push(kept);
                }
            }
            (Direction::ToDevice, packet) if is_connack(packet) => {
                self.connected.insert(passing.socket, passing.now);
                let client = passing.client_id.to_owned();
                let before = self.socket_of.insert(client.clone(), passing.socket);
                if let Some(before) = before {
                    self.before.insert(client, before);
                }
            }
            (Direction::ToDevice, Packet::Publish(_)) => {
                *self.had.entry(passing.socket).or_default() += 1;
            }
            (Direction::ToBroker | Direction::ToDevice, _) => {}
        }
    }

    /// A connection ends.
    pub(crate) fn handle_close(&mut self, socket: SocketId) {
        self.ended_at.entry(socket).or_insert(self.now);
        if self.now < LOAD_ENDS {
            let had = self.had.get(&socket).copied().unwrap_or_default();
            self.ended.entry(socket).or_insert(had);
        }
    }

    /// The connection that a client had before its present one.
    pub(crate) fn socket_before(&self, client: &str) -> Option<SocketId> {
        self.before.get(client).copied()
    }

    /// When the connection ended that a client had before its present one.
    pub(crate) fn last_end(&self, client: &str) -> Option<Instant> {
        let before = self.before.get(client)?;
        self.ended_at.get(before).copied()
    }

    /// How old the connection is.
    pub(crate) fn age(&self, passing: &Passing<'_>) -> Duration {
        let connected = self.connected.get(&passing.socket).copied();
        passing.now.saturating_since(connected.unwrap_or_default())
    }

    /// How many more messages come on a connection before it ends, if it does.
    pub(crate) fn comes_before_end(&self, socket: SocketId) -> Option<u64> {
        let all = self.to_come.get(&socket)?;
        let had = self.had.get(&socket).copied().unwrap_or_default();
        Some(all.saturating_sub(had))
    }

    /// Whether a message was published before the connection began that it passes on.
    pub(crate) fn has_waited(&self, passing: &Passing<'_>, publish: &Publish<'_>) -> bool {
        let key = (publish.topic.as_str().to_owned(), publish.payload.to_vec());
        let connected = self.connected.get(&passing.socket);
        self.published
            .get(&key)
            .is_some_and(|at| connected.is_some_and(|connected| at < connected))
    }
}

/// Whether a packet is CONNACK.
pub(crate) fn is_connack(packet: &Packet<'_>) -> bool {
    matches!(packet, Packet::Connack(_))
}
