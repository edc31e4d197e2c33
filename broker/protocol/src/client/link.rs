//! The Network Connection of a client: what is queued, what the server allows, what is due.

use std::time::Duration;

use super::{Journal, Settings, TimedOut};
use crate::alias::{Alias, OutboundAliases};
use crate::codec::{self, DecodeRules, PACKET_BYTES_MAX};
use crate::packet::{Connack, Connect, Disconnect, DisconnectProperties, Packet, Publish, Pubrel};
use crate::topic::TopicName;
use crate::{Instant, PacketId, ProtocolError, QoS, ReasonCode, Version};

/// One Network Connection, or none.
#[derive(Debug)]
pub(super) struct Link<J> {
    phase: Phase,
    outcome: Outcome,
    version: Version,
    /// Bytes to send. Empty, it owns no memory.
    transmit: Vec<u8>,
    /// Of what is in `transmit`.
    journal: J,
    aliases: OutboundAliases,
    /// When CONNECT was queued, later when a packet was queued last.
    last_sent: Instant,
    /// When the PINGREQ was queued that has no PINGRESP.
    pingreq_at: Option<Instant>,
    keep_alive_secs: u16,
    /// What we said in CONNECT.
    ours: Limits,
    /// What the server said in CONNACK.
    servers: Limits,
    server_maximum_qos: QoS,
    flags: Flags,
}

/// What a connection has reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// There is no connection.
    Disconnected,
    /// CONNECT is queued or sent.
    AwaitingConnack,
    /// CONNACK with Success came.
    Connected,
    /// It is over: what is queued may still be sent.
    Over,
}

/// What became of the CONNECT.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// There was none.
    None,
    /// CONNACK has not come, or it refused.
    Unanswered,
    /// CONNACK with Success came.
    Accepted,
}

/// What one side takes.
#[derive(Clone, Copy, Debug)]
struct Limits {
    maximum_packet_size: u32,
    receive_maximum: u16,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    names_authentication_method: bool,
    session_ends_with_connection: bool,
    server_refuses_retain: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            maximum_packet_size: u32::MAX,
            receive_maximum: u16::MAX,
        }
    }
}

impl<J: Default> Default for Link<J> {
    fn default() -> Self {
        Self {
            phase: Phase::Disconnected,
            outcome: Outcome::None,
            version: Version::V5,
            transmit: Vec::new(),
            journal: J::default(),
            aliases: OutboundAliases::default(),
            last_sent: Instant::ZERO,
            pingreq_at: None,
            keep_alive_secs: 0,
            ours: Limits::default(),
            servers: Limits::default(),
            server_maximum_qos: QoS::ExactlyOnce,
            flags: Flags::default(),
        }
    }
}

impl<J: Journal> Link<J> {
    pub(super) fn connect(&mut self, now: Instant, connect: &Connect) {
        let properties = &connect.properties;
        self.phase = Phase::AwaitingConnack;
        self.outcome = Outcome::Unanswered;
        self.version = connect.version;
        self.keep_alive_secs = connect.keep_alive;
        self.ours = Limits {
            maximum_packet_size: properties.maximum_packet_size.unwrap_or(u32::MAX),
            receive_maximum: properties.receive_maximum.unwrap_or(u16::MAX),
        };
        self.flags = Flags {
            names_authentication_method: properties.authentication_method.is_some(),
            session_ends_with_connection: match connect.version {
                Version::V3_1_1 => connect.clean_start,
                Version::V5 => properties.session_expiry_interval.unwrap_or(0) == 0,
            },
            server_refuses_retain: false,
        };
        self.send(now, &Packet::Connect(Box::new(connect.clone())));
    }

    /// Takes the server's limits from a CONNACK with Success.
    pub(super) fn accept(&mut self, connack: &Connack, settings: &Settings) {
        let properties = &connack.properties;
        self.phase = Phase::Connected;
        self.outcome = Outcome::Accepted;
        self.servers = Limits {
            maximum_packet_size: properties.maximum_packet_size.unwrap_or(u32::MAX),
            receive_maximum: properties.receive_maximum.unwrap_or(u16::MAX),
        };
        self.server_maximum_qos = properties.maximum_qos.unwrap_or(QoS::ExactlyOnce);
        self.flags.server_refuses_retain = properties.retain_available == Some(false);
        if let Some(seconds) = properties.session_expiry_interval {
            self.flags.session_ends_with_connection = seconds == 0;
        }
        if let Some(seconds) = properties.server_keep_alive {
            self.keep_alive_secs = seconds;
        }
        let alias_maximum = properties.topic_alias_maximum.unwrap_or(0);
        self.aliases = OutboundAliases::new(alias_maximum.min(settings.topic_aliases_max));
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.outcome
    }

    pub(super) fn keep_alive(&self) -> Duration {
        Duration::from_secs(self.keep_alive_secs.into())
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    pub(super) fn rules(&self) -> DecodeRules {
        DecodeRules {
            version: Some(self.version),
            maximum_packet_size: self.ours.maximum_packet_size.min(PACKET_BYTES_MAX),
        }
    }

    pub(super) fn our_receive_maximum(&self) -> u16 {
        self.ours.receive_maximum
    }

    pub(super) fn server_receive_maximum(&self) -> u16 {
        self.servers.receive_maximum
    }

    pub(super) fn server_maximum_qos(&self) -> QoS {
        self.server_maximum_qos
    }

    pub(super) fn server_refuses_retain(&self) -> bool {
        self.flags.server_refuses_retain
    }

    pub(super) fn names_authentication_method(&self) -> bool {
        self.flags.names_authentication_method
    }

    /// Whether the Session ends when this connection does (§3.1.2.11.2).
    pub(super) fn session_ends_with_it(&self) -> bool {
        self.flags.session_ends_with_connection
    }

    /// Queues a packet.
    pub(super) fn send(&mut self, now: Instant, packet: &Packet<'_>) {
        self.journal.note(packet);
        self.encode(now, packet);
    }

    fn encode(&mut self, now: Instant, packet: &Packet<'_>) {
        codec::encode(packet, self.version, &mut self.transmit);
        self.last_sent = now;
    }

    /// Queues a PUBLISH of `message`, with a Topic Alias if there is one for it.
    pub(super) fn send_publish(
        &mut self,
        now: Instant,
        message: &J::Message,
        mut publish: Publish<'_>,
    ) {
        self.journal.note_publish(message, &publish);
        match self.aliases.assign(publish.topic.as_str()) {
            Alias::Unused => {}
            Alias::Introduced(alias) => publish.properties.topic_alias = Some(alias),
            Alias::Known(alias) => {
                publish.properties.topic_alias = Some(alias);
                publish.topic = TopicName::ALIASED;
            }
        }
        self.encode(now, &Packet::Publish(publish));
    }

    /// Queues PUBREL.
    pub(super) fn send_pubrel(&mut self, now: Instant, id: PacketId, reason: ReasonCode) {
        self.send(now, &Packet::Pubrel(Pubrel::new(id, reason)));
    }

    /// Whether the server takes a PUBLISH of this size, with the Packet Identifier and the Topic
    /// Alias that it may get.
    pub(super) fn allows_publish(&self, mut publish: Publish<'_>) -> bool {
        if self.servers.maximum_packet_size == u32::MAX {
            return true;
        }
        publish.packet_id = match publish.qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce | QoS::ExactlyOnce => PacketId::new(1),
        };
        if self.aliases.maximum() > 0 {
            publish.properties.topic_alias = Some(1);
        }
        self.allows(&Packet::Publish(publish))
    }

    /// Whether the server takes a packet of this size [MQTT-3.2.2-15].
    pub(super) fn allows(&self, packet: &Packet<'_>) -> bool {
        let bytes = codec::encoded_len(packet, self.version);
        u32::try_from(bytes).is_ok_and(|bytes| bytes <= self.servers.maximum_packet_size)
    }

    /// Queues DISCONNECT and ends the connection.
    pub(super) fn disconnect(&mut self, now: Instant, disconnect: &Disconnect) {
        if self.version == Version::V5
            && let Some(seconds) = disconnect.properties.session_expiry_interval
        {
            self.flags.session_ends_with_connection = seconds == 0;
        }
        self.send(now, &Packet::Disconnect(disconnect.clone()));
        self.end();
    }

    /// Ends the connection because of the server's error. 3.1.1 cannot name the error, and its
    /// DISCONNECT would cancel the will.
    pub(super) fn fail(&mut self, now: Instant, error: &ProtocolError) {
        if self.version == Version::V5 {
            let disconnect = Disconnect {
                reason: error.reason(),
                properties: DisconnectProperties::default(),
            };
            self.send(now, &Packet::Disconnect(disconnect));
        }
        self.end();
    }

    /// Ends the connection: nothing more is queued or accepted.
    pub(super) fn end(&mut self) {
        self.phase = Phase::Over;
    }

    /// A PINGRESP that is awaited has its whole time from `now` on.
    pub(super) fn await_pingresp_anew(&mut self, now: Instant) {
        self.pingreq_at = self.pingreq_at.map(|_| now);
    }

    pub(super) fn pingresp_came(&mut self) {
        self.pingreq_at = None;
    }

    pub(super) fn has_transmit(&self) -> bool {
        !self.transmit.is_empty()
    }

    pub(super) fn poll_transmit(&mut self, into: &mut Vec<u8>) -> J {
        into.append(&mut self.transmit);
        self.transmit = Vec::new();
        std::mem::take(&mut self.journal)
    }

    pub(super) fn deadline(&self, settings: &Settings) -> Option<Instant> {
        match self.phase {
            Phase::Disconnected | Phase::Over => None,
            Phase::AwaitingConnack => Some(self.last_sent + settings.connack_timeout),
            Phase::Connected => {
                let pingresp_due = self.pingreq_at.map(|at| at + settings.pingresp_timeout);
                let due = [self.pingreq_due(), pingresp_due];
                due.into_iter().flatten().min()
            }
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, settings: &Settings) -> Option<TimedOut> {
        self.deadline(settings)
            .filter(|&deadline| deadline <= now)?;
        if self.phase == Phase::AwaitingConnack {
            self.end();
            return Some(TimedOut::Connack);
        }
        if let Some(at) = self.pingreq_at
            && at + settings.pingresp_timeout <= now
        {
            self.end();
            return Some(TimedOut::Pingresp);
        }
        self.send(now, &Packet::Pingreq);
        self.pingreq_at.get_or_insert(now);
        None
    }

    fn pingreq_due(&self) -> Option<Instant> {
        let keep_alive = self.keep_alive();
        (self.keep_alive_secs > 0).then(|| self.last_sent + keep_alive)
    }
}
