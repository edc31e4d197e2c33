//! The last packet of a connection that the broker ends: DISCONNECT in 5.0, or a CONNACK that refuses.

use squall_protocol::codec::encoded_len;
use squall_protocol::packet::{
    Connack, ConnackProperties, Disconnect, DisconnectProperties, Packet,
};
use squall_protocol::{ProtocolError, ReasonCode, Version};

use super::ending::Ending;
use super::{Broker, Turn};
use crate::connection::Connection;

impl Broker {
    /// Sends the last packet, if there is one to send: DISCONNECT in 5.0, or a CONNACK that
    /// refuses.
    pub(super) fn say_goodbye(
        &mut self,
        turn: &mut Turn<'_>,
        connection: &Connection,
        ending: &Ending,
    ) {
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
        let reason_string = if let Ending::Protocol(error) = ending
            && wants_text
        {
            Some(error.to_string())
        } else {
            None
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
}

/// The version of the CONNACK that refuses a CONNECT; `None` if another packet came, which is
/// answered by the close alone.
fn refusal_version(connection: &Connection, ending: &Ending) -> Option<Version> {
    let gate = &connection.gate;
    match ending {
        // A level above ours is answered as 5.0 has it, one below as 3.1.1 has it.
        Ending::Protocol(ProtocolError::UnsupportedProtocol { level }) if *level > 5 => {
            Some(Version::V5)
        }
        Ending::Protocol(ProtocolError::UnsupportedProtocol { .. }) => Some(Version::V3_1_1),
        Ending::Refused(_) => gate.role.version(),
        // 3.1.1 has no return code for it: the connection is closed [3.1.1: MQTT-3.1.4-1].
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
