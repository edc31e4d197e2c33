//! CONNECT: which Session the client gets, which connection is displaced, and what CONNACK says
//! (§3.1, §3.2).

use squall_protocol::codec::encoded_len;
use squall_protocol::packet::{Connack, ConnackProperties, Connect, Packet};
use squall_protocol::{ReasonCode, Version};

use super::ending::Ending;
use super::{Broker, Peer, Turn};
use crate::ConnectionId;
use crate::keys::{GroupKey, SessionKey, SubscriptionKey};
use crate::session::Connected;

/// Client Identifiers drawn for one client before it is refused.
const CLIENT_ID_DRAWS_MAX: usize = 4;

/// A client whose CONNECT was accepted, and what it is told.
#[derive(Debug)]
pub(super) struct Welcome {
    pub(super) peer: Peer,
    pub(super) connack: Connack,
}

/// Whether the client's stored Session goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Continuity {
    New,
    Resumed,
}

impl Broker {
    /// Applies a CONNECT: the first packet of its connection, as the role has checked.
    ///
    /// The connection that held the client's Session leaves it first [MQTT-3.1.4-3].
    pub(super) fn handle_connect(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConnectionId,
        connect: &mut Connect,
    ) -> Result<Welcome, Ending> {
        self.check_connect(connect)?;
        let assigned_client_id = if connect.client_id.is_empty() {
            let assigned = self.assign_client_id();
            Some(assigned.ok_or(Ending::Refused(ReasonCode::ServerUnavailable))?)
        } else {
            None
        };
        if let Some(client_id) = &assigned_client_id {
            connect.client_id.clone_from(client_id);
        }
        let expiry_wish = expiry_wish(connect);
        let expiry_interval = expiry_wish.min(self.config.session_expiry_interval_max);
        let mut connack = Connack {
            session_present: false,
            reason: ReasonCode::Success,
            properties: ConnackProperties {
                session_expiry_interval: (expiry_interval < expiry_wish).then_some(expiry_interval),
                receive_maximum: Some(self.config.receive_maximum.get()),
                maximum_packet_size: Some(self.config.maximum_packet_size.get()),
                assigned_client_identifier: assigned_client_id,
                topic_alias_maximum: Some(self.config.topic_alias_maximum)
                    .filter(|&maximum| maximum > 0),
                ..ConnackProperties::default()
            },
        };
        let packet = Packet::Connack(Box::new(connack.clone()));
        let limit = connect.properties.maximum_packet_size.unwrap_or(u32::MAX);
        if encoded_len(&packet, connect.version) > limit as usize {
            return Err(Ending::AnswerTooLarge);
        }
        let (key, continuity) = self.take_session(turn, connect);
        connack.session_present = continuity == Continuity::Resumed;
        let peer = Peer {
            connection: id,
            session: key,
            version: connect.version,
        };
        self.attach(peer, connect);
        self.counters.clients_accepted += 1;
        Ok(Welcome { peer, connack })
    }

    /// Sends CONNACK, and then what waits for the client.
    pub(super) fn send_welcome(&mut self, turn: &mut Turn<'_>, welcome: Welcome) {
        let Welcome { peer, connack } = welcome;
        let connack = Packet::Connack(Box::new(connack));
        self.send(turn, peer.connection, peer.version, &connack);
        self.take_waiting_of_groups(turn, peer.session);
        self.feed(turn, peer.session);
    }

    /// Refuses what a CONNECT asks for and this broker does not accept.
    fn check_connect(&self, connect: &Connect) -> Result<(), Ending> {
        // A Session that is kept needs a Client Identifier to be found by [3.1.1: MQTT-3.1.3-8].
        if connect.version == Version::V3_1_1
            && connect.client_id.is_empty()
            && !connect.clean_start
        {
            return Err(Ending::Refused(ReasonCode::ClientIdentifierNotValid));
        }
        // This broker has no authentication method [MQTT-4.12.0-1].
        if connect.properties.authentication_method.is_some() {
            return Err(Ending::Refused(ReasonCode::BadAuthenticationMethod));
        }
        if let Some(will) = &connect.will
            && self.check_topic(will.topic.borrowed()).is_err()
        {
            return Err(Ending::Refused(match connect.version {
                // The return code that comes nearest: the server is available, and a retry would not
                // help [3.1.1: MQTT-3.2.2-6].
                Version::V3_1_1 => ReasonCode::NotAuthorized,
                Version::V5 => ReasonCode::TopicNameInvalid,
            }));
        }
        let has_session = self.sessions.find(&connect.client_id).is_some();
        if !has_session && self.sessions.len() >= self.config.sessions_max {
            return Err(Ending::Refused(ReasonCode::QuotaExceeded));
        }
        Ok(())
    }

    /// A Client Identifier of ours that no Session has [MQTT-3.1.3-6]; `None` if none can be drawn.
    fn assign_client_id(&mut self) -> Option<String> {
        // 128 random bits hardly ever repeat; a second draw is enough unless the generator is broken.
        for _ in 0..CLIENT_ID_DRAWS_MAX {
            let client_id = self.client_ids.draw()?;
            if self.sessions.find(&client_id).is_none() {
                return Some(client_id);
            }
        }
        None
    }

    /// Finds or makes the client's Session and takes it from the connection that has it.
    fn take_session(&mut self, turn: &mut Turn<'_>, connect: &Connect) -> (SessionKey, Continuity) {
        let client_id = &connect.client_id;
        if let Some(key) = self.sessions.find(client_id)
            && let Some(session) = self.sessions.get(key)
        {
            let ends = connect.clean_start;
            if let Some(displaced) = session.connection() {
                let ending = if ends {
                    Ending::TakenOverByNewSession
                } else {
                    Ending::TakenOver
                };
                self.counters.takeovers += 1;
                self.end(turn, displaced, ending);
            } else if ends {
                self.end_session(turn, key);
            }
        }
        // A Session that was to end with its displaced connection is gone as well.
        match self.sessions.find(client_id) {
            Some(key) => (key, Continuity::Resumed),
            None => (self.sessions.create(client_id), Continuity::New),
        }
    }

    /// Joins the connection and the Session.
    fn attach(&mut self, peer: Peer, connect: &mut Connect) {
        let connection = self.connections.get_mut(peer.connection);
        let connection = connection.expect("a connection whose packets are read is in the table");
        connection.session = Some(peer.session);
        connection.version = peer.version;
        connection.maximum_packet_size = connect.properties.maximum_packet_size.unwrap_or(u32::MAX);
        let receive_maximum = connect.properties.receive_maximum.unwrap_or(u16::MAX);
        let connected = Connected {
            connection: peer.connection,
            will: connect.will.take().map(Box::new),
            expiry_interval: expiry_wish(connect).min(self.config.session_expiry_interval_max),
            outbound_max: receive_maximum.min(self.config.in_flight_max.get()),
            inbound_max: match peer.version {
                Version::V3_1_1 => u16::MAX,
                Version::V5 => self.config.receive_maximum.get(),
            },
        };
        let session = self.sessions.of_connected(peer.session);
        session.handle_connected(connected);
        self.counters.clients_connected += 1;
    }

    /// Gives the client what its shared groups kept for the member that connects first.
    fn take_waiting_of_groups(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let subscriptions = session.subscriptions().iter();
        let groups: Vec<GroupKey> = subscriptions
            .filter_map(|&subscription| match subscription {
                SubscriptionKey::Filter(_) => None,
                SubscriptionKey::Group(group) => Some(group),
            })
            .collect();
        self.take_waiting(turn, &groups);
    }

    /// Sends what waits in these groups, each of which has a connected member now.
    pub(super) fn take_waiting(&mut self, turn: &mut Turn<'_>, groups: &[GroupKey]) {
        let mut waiting = Vec::new();
        for &group in groups {
            if let Some(group) = self.subscriptions.group_mut(group) {
                waiting.extend(std::iter::from_fn(|| group.waiting.pop()));
            }
        }
        self.counters.queued_messages -= waiting.len();
        for copied in waiting {
            self.give_to_group(turn, copied);
        }
    }
}

/// Seconds for which the client wants its Session kept. In 3.1.1 a Session either ends with its
/// connection or never (§3.1.2.4 of 3.1.1).
fn expiry_wish(connect: &Connect) -> u32 {
    match connect.version {
        Version::V3_1_1 if connect.clean_start => 0,
        Version::V3_1_1 => u32::MAX,
        Version::V5 => connect.properties.session_expiry_interval.unwrap_or(0),
    }
}
