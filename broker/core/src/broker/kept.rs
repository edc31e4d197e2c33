//! Kept copies on their way out: for the first time or again, or to another member of their group.

use squall_protocol::codec::encoded_len;
use squall_protocol::packet::Packet;
use squall_protocol::{PacketId, QoS};

use super::deliver::fits;
use super::{Broker, Turn};
use crate::counters::DropReason;
use crate::keys::SessionKey;
use crate::message::Copied;

/// How a kept copy is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sending {
    /// At QoS 0, without a Packet Identifier.
    Unnumbered,
    First(PacketId),
    /// After a reconnect, with DUP.
    Again(PacketId),
}

impl Broker {
    /// Sends a kept copy with its Packet Identifier. True if it went out, false if it is larger
    /// than the client takes [MQTT-3.1.2-25].
    pub(super) fn send_copied(
        &mut self,
        turn: &mut Turn<'_>,
        key: SessionKey,
        copied: &Copied,
        sending: Sending,
    ) -> bool {
        let session = self.sessions.get(key);
        let connection = session.and_then(|session| self.connections.get(session.connection()?));
        let Some(connection) = connection else {
            return false;
        };
        let mut publish = copied.to_publish(turn.now);
        let packet_id = match sending {
            Sending::Unnumbered => None,
            Sending::First(id) | Sending::Again(id) => Some(id),
        };
        publish.packet_id = packet_id;
        // [MQTT-3.3.1-1]
        publish.dup = matches!(sending, Sending::Again(_));
        let qos = publish.qos;
        let (id, version) = (connection.id, connection.version);
        let packet = Packet::Publish(publish);
        if !fits(connection, || encoded_len(&packet, version)) {
            self.handle_too_large(turn, copied, sending);
            return false;
        }
        self.send(turn, id, version, &packet);
        self.counters.count_sent(qos);
        self.counters.publishes_repeated += u64::from(matches!(sending, Sending::Again(_)));
        true
    }

    /// A kept copy is larger than its client takes: another member of its group gets it if one can,
    /// unless it is a QoS 2 message that was sent, which stays with its client [MQTT-4.8.2-5].
    fn handle_too_large(&mut self, turn: &mut Turn<'_>, copied: &Copied, sending: Sending) {
        let is_begun = match sending {
            Sending::Unnumbered | Sending::First(_) => false,
            Sending::Again(_) => copied.options.qos() == QoS::ExactlyOnce,
        };
        if copied.group.is_some() && !is_begun {
            self.give_to_group(turn, copied.clone());
        } else {
            self.counters.count_dropped(DropReason::PacketTooLarge, 1);
        }
    }
}
