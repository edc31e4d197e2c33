//! Every way a Network Connection or a Session ends, and what follows: the last packet, the will,
//! the Session's remaining life.
//!
//! | ending | last packet | will |
//! | --- | --- | --- |
//! | DISCONNECT with 0x00 | none | discarded [MQTT-3.14.4-3] |
//! | DISCONNECT with any other code | none | published |
//! | lost, keep alive, protocol error, does not read | DISCONNECT in 5.0 | published |
//! | taken over | DISCONNECT 0x8E in 5.0 | published, unless it is delayed and the Session goes on [MQTT-3.1.3-9] |
//! | shutdown | DISCONNECT 0x8B in 5.0 | deferred: not published (§3.1.2.5) |
//!
//! Published means after the Will Delay Interval, or when the Session ends if that is sooner.

use std::rc::Rc;

use squall_protocol::codec::encoded_len;
use squall_protocol::outbound::Awaiting;
use squall_protocol::packet::{
    Connack, ConnackProperties, Disconnect, DisconnectProperties, Packet,
};
use squall_protocol::{ProtocolError, ReasonCode, Version};

use super::{Broker, Turn};
use crate::connection::Connection;
use crate::counters::DropReason;
use crate::keys::{SessionKey, SubscriptionKey};
use crate::message::Copied;
use crate::session::Session;
use crate::timer::NEVER;
use crate::will;
use crate::{Close, CloseCause, ConnectionId};

/// Why a Network Connection ends.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// The client said so.
    Disconnect(Disconnect),
    /// The client broke the protocol or sent a Malformed Packet.
    Protocol(ProtocolError),
    /// CONNECT is refused with this code.
    Refused(ReasonCode),
    /// The client does not take a packet as large as our answer [MQTT-3.1.2-24].
    AnswerTooLarge,
    /// A Topic Name has more levels than we take (§4.13).
    TopicTooDeep { levels: usize },
    /// CONNECT did not come in time.
    ConnectTimeout,
    /// One and a half times the Keep Alive passed in silence [MQTT-3.1.2-22].
    KeepAliveTimeout,
    /// More waits for its socket than we keep.
    DoesNotRead,
    /// Another connection took the Session, which goes on.
    TakenOver,
    /// Another connection has the Client Identifier, and the Session ends.
    TakenOverByNewSession,
    /// The shell says that it is gone.
    Lost,
    /// The server stops.
    Shutdown,
}

impl From<ProtocolError> for Ending {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

/// What becomes of the will.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum WillFate {
    /// After its delay, unless a connection that continues the Session comes first.
    Published,
    Discarded,
}

impl Ending {
    /// The code of our DISCONNECT or refusing CONNACK; `None` if nothing is sent.
    fn reason(&self) -> Option<ReasonCode> {
        match self {
            Self::Protocol(error) => Some(error.reason()),
            Self::Refused(reason) => Some(*reason),
            Self::TopicTooDeep { .. } => Some(ReasonCode::TopicNameInvalid),
            Self::AnswerTooLarge => Some(ReasonCode::PacketTooLarge),
            Self::KeepAliveTimeout => Some(ReasonCode::KeepAliveTimeout),
            Self::DoesNotRead => Some(ReasonCode::QuotaExceeded),
            Self::TakenOver | Self::TakenOverByNewSession => Some(ReasonCode::SessionTakenOver),
            Self::Shutdown => Some(ReasonCode::ServerShuttingDown),
            Self::Disconnect(_) | Self::ConnectTimeout | Self::Lost => None,
        }
    }

    fn will_fate(&self) -> WillFate {
        match self {
            Self::Disconnect(disconnect) if disconnect.reason == ReasonCode::Success => {
                WillFate::Discarded
            }
            Self::Shutdown => WillFate::Discarded,
            Self::Disconnect(_)
            | Self::Protocol(_)
            | Self::Refused(_)
            | Self::AnswerTooLarge
            | Self::TopicTooDeep { .. }
            | Self::ConnectTimeout
            | Self::KeepAliveTimeout
            | Self::DoesNotRead
            | Self::TakenOver
            | Self::TakenOverByNewSession
            | Self::Lost => WillFate::Published,
        }
    }
}

impl Broker {
    /// Ends a connection: sends what is to be said, asks for the close, frees its Session.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>, id: ConnectionId, ending: Ending) {
        let Some(connection) = self.connections.remove(id) else {
            return;
        };
        self.counters.connections_closed += 1;
        match ending {
            Ending::Protocol(_) | Ending::TopicTooDeep { .. } => self.counters.protocol_errors += 1,
            Ending::KeepAliveTimeout => self.counters.keep_alive_timeouts += 1,
            Ending::DoesNotRead => self.counters.outbox_overflows += 1,
            Ending::Disconnect(_)
            | Ending::Refused(_)
            | Ending::AnswerTooLarge
            | Ending::ConnectTimeout
            | Ending::TakenOver
            | Ending::TakenOverByNewSession
            | Ending::Lost
            | Ending::Shutdown => {}
        }
        if let Some(cause) = self.close_cause(&ending) {
            self.say_goodbye(turn, &connection, &ending);
            let session = connection.session.and_then(|key| self.sessions.get(key));
            turn.outboxes.close(Close {
                connection: id,
                client_id: session.map(|session| Rc::clone(&session.client_id)),
                cause,
            });
        }
        if let Some(key) = connection.session {
            self.detach(turn, key, &ending);
        }
    }

    /// What a shell is told about an ending; `None` for one that it told us.
    fn close_cause(&self, ending: &Ending) -> Option<CloseCause> {
        Some(match ending {
            Ending::Disconnect(disconnect) => CloseCause::Disconnect(disconnect.reason),
            Ending::Protocol(error) => CloseCause::Protocol(*error),
            Ending::Refused(reason) => CloseCause::Refused(*reason),
            Ending::AnswerTooLarge => CloseCause::AnswerTooLarge,
            Ending::TopicTooDeep { levels } => CloseCause::TopicTooDeep {
                levels: *levels,
                limit: self.config.topic_levels_max.get(),
            },
            Ending::ConnectTimeout => CloseCause::ConnectTimeout,
            Ending::KeepAliveTimeout => CloseCause::KeepAliveTimeout,
            Ending::DoesNotRead => CloseCause::DoesNotRead,
            Ending::TakenOver | Ending::TakenOverByNewSession => CloseCause::TakenOver,
            Ending::Shutdown => CloseCause::Shutdown,
            Ending::Lost => return None,
        })
    }

    /// Ends every connection, also those without CONNECT.
    pub(super) fn handle_shutdown(&mut self, turn: &mut Turn<'_>) {
        for id in self.connections.ids() {
            self.end(turn, id, Ending::Shutdown);
        }
    }

    /// Sends the last packet, if there is one to send: DISCONNECT in 5.0, or a CONNACK that
    /// refuses.
    fn say_goodbye(&mut self, turn: &mut Turn<'_>, connection: &Connection, ending: &Ending) {
        let Some(reason) = ending.reason() else {
            return;
        };
        if connection.session.is_some() {
            if connection.version == Version::V5 {
                self.send_disconnect(turn, connection, reason, ending);
            }
            return;
        }
        let Some(version) = refusal_version(connection, ending) else {
            return;
        };
        self.counters.clients_refused += 1;
        let connack = Packet::Connack(Box::new(Connack {
            session_present: false,
            reason,
            properties: ConnackProperties::default(),
        }));
        let role = &connection.gate.role;
        if role.allows_packet_of(encoded_len(&connack, version)) {
            self.send(turn, connection.id, version, &connack);
        }
    }

    /// DISCONNECT with a text about what the client did wrong, if the client takes a packet of
    /// that size [MQTT-3.14.2-3].
    fn send_disconnect(
        &mut self,
        turn: &mut Turn<'_>,
        connection: &Connection,
        reason: ReasonCode,
        ending: &Ending,
    ) {
        let wants_text = connection.gate.role.sends_problem_information();
        let reason_string = match ending {
            Ending::Protocol(error) if wants_text => Some(error.to_string()),
            _ => None,
        };
        let mut packet = Packet::Disconnect(Disconnect {
            reason,
            properties: DisconnectProperties {
                reason_string,
                ..DisconnectProperties::default()
            },
        });
        let limit = connection.maximum_packet_size as usize;
        if encoded_len(&packet, Version::V5) > limit {
            packet = Packet::Disconnect(Disconnect {
                reason,
                properties: DisconnectProperties::default(),
            });
        }
        if encoded_len(&packet, Version::V5) <= limit {
            self.send(turn, connection.id, Version::V5, &packet);
        }
    }

    /// Takes the connection from its Session.
    fn detach(&mut self, turn: &mut Turn<'_>, key: SessionKey, ending: &Ending) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.connection = None;
        self.counters.clients_connected -= 1;
        session.outbound.connection_lost();
        if let Ending::Disconnect(disconnect) = ending
            && let Some(interval) = disconnect.properties.session_expiry_interval
        {
            session.expiry_interval = interval.min(self.config.session_expiry_interval_max);
        }
        let session_ends =
            session.expiry_interval == 0 || matches!(ending, Ending::TakenOverByNewSession);
        if ending.will_fate() == WillFate::Discarded {
            session.will = None;
        }
        if session_ends {
            // Its will, if it is still there, is published with the end of the Session.
            self.end_session(turn, key);
            return;
        }
        session.expires_at = match session.expiry_interval {
            u32::MAX => NEVER,
            seconds => turn.now + std::time::Duration::from_secs(seconds.into()),
        };
        match &session.will {
            Some(will) => {
                session.will_due = turn.now + will::delay(will, session.expiry_interval);
            }
            None => session.will_due = NEVER,
        }
        if session.will_due <= turn.now {
            self.publish_will(turn, key);
        }
        self.arm_session(key);
        if !matches!(ending, Ending::TakenOver) {
            self.return_shared(turn, key);
        }
    }

    /// Publishes the Session's will.
    pub(super) fn publish_will(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.will_due = NEVER;
        if let Some(will) = session.will.take() {
            self.counters.wills_published += 1;
            self.publish(turn, &mut will::to_publish(&will), Some(key));
        }
    }

    /// Ends a Session that has no connection (any more).
    ///
    /// Messages of shared subscriptions go to other members, except those of QoS 2 that were
    /// sent [MQTT-4.8.2-5]; all others are lost with the Session.
    pub(super) fn end_session(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(mut session) = self.sessions.take(key) else {
            return;
        };
        let queued = session.queued();
        let shared = extract_shared(&mut session);
        self.counters.queued_messages -= queued;
        let subscriptions = std::mem::take(&mut session.subscriptions);
        self.end_subscriptions(key, subscriptions.into_vec());
        let lost = session.queued() + session.outbound.len();
        self.counters.count_dropped(DropReason::SessionEnded, lost);
        for copied in shared {
            self.give_to_group(turn, copied);
        }
        if let Some(will) = session.will {
            self.counters.wills_published += 1;
            self.publish(turn, &mut will::to_publish(&will), None);
        }
    }

    /// Gives back to their groups the messages of shared subscriptions that a Session without a
    /// connection holds: what was never sent, and what was sent at QoS 1 if another member can
    /// have it now. Without one the client gets it again when it is back (§4.8.2).
    fn return_shared(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let is_member = |key: &SubscriptionKey| matches!(key, SubscriptionKey::Group(_));
        if !session.subscriptions.as_slice().iter().any(is_member) {
            return;
        }
        let mut shared = Vec::new();
        let mut outbound = std::mem::take(&mut session.outbound);
        let backlog = session.backlog.take();
        shared.extend(outbound.extract(|awaiting, copied| {
            awaiting == Awaiting::Puback && self.has_connected_member(copied)
        }));
        if let Some(session) = self.sessions.get_mut(key) {
            session.outbound = outbound;
            session.backlog = backlog;
            if let Some(backlog) = &mut session.backlog {
                let queued = backlog.queue.extract_shared();
                self.counters.queued_messages -= queued.len();
                shared.extend(queued);
            }
        }
        for copied in shared {
            self.give_to_group(turn, copied);
        }
    }

    fn has_connected_member(&self, copied: &Copied) -> bool {
        let group = copied.group.and_then(|key| self.subscriptions.group(key));
        group.is_some_and(|group| {
            let mut members = group.members().iter();
            members.any(|member| {
                let session = self.sessions.get(member.session);
                session.is_some_and(|session| session.connection.is_some())
            })
        })
    }

    /// Ends one subscription and counts what waited in a group that ended with it.
    pub(super) fn unsubscribe(&mut self, subscription: SubscriptionKey, key: SessionKey) {
        if let Some(group) = self.subscriptions.unsubscribe(subscription, key) {
            self.counters.queued_messages -= group.waiting.len();
            self.counters
                .count_dropped(DropReason::GroupEnded, group.waiting.len());
        }
    }
}

/// Takes out of a Session that ends what its shared groups may give to others.
fn extract_shared(session: &mut Session) -> Vec<Copied> {
    let mut shared = session
        .outbound
        .extract(|awaiting, copied| awaiting == Awaiting::Puback && copied.group.is_some());
    if let Some(backlog) = &mut session.backlog {
        shared.extend(backlog.queue.extract_shared());
    }
    shared
}

/// The version of the CONNACK that refuses a CONNECT; `None` if what came was no CONNECT, which
/// is answered by the close alone.
fn refusal_version(connection: &Connection, ending: &Ending) -> Option<Version> {
    let gate = &connection.gate;
    match ending {
        // A level above ours is answered as 5.0 has it, one below as 3.1.1 has it.
        Ending::Protocol(ProtocolError::UnsupportedProtocol { level }) if *level > 5 => {
            Some(Version::V5)
        }
        Ending::Protocol(ProtocolError::UnsupportedProtocol { .. }) => Some(Version::V3_1_1),
        Ending::Refused(_) => gate.role.version(),
        // 3.1.1 has no return code for it: a close says as much [3.1.1: MQTT-3.1.4-1].
        Ending::Protocol(_) => gate
            .reader
            .connect_version()
            .filter(|&version| version == Version::V5),
        Ending::Disconnect(_)
        | Ending::AnswerTooLarge
        | Ending::TopicTooDeep { .. }
        | Ending::ConnectTimeout
        | Ending::KeepAliveTimeout
        | Ending::DoesNotRead
        | Ending::TakenOver
        | Ending::TakenOverByNewSession
        | Ending::Lost
        | Ending::Shutdown => None,
    }
}
