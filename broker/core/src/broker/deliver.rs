//! One copy of a message to one Session: sent at once, queued, or dropped and counted.

use squall_protocol::QoS;

use super::outgoing::{Delivery, Outgoing};
use super::{Broker, Turn};
use crate::connection::Connection;
use crate::counters::DropReason;
use crate::queue::Pushed;

impl Broker {
    pub(super) fn deliver(
        &mut self,
        turn: &mut Turn<'_>,
        outgoing: &mut Outgoing<'_, '_>,
        delivery: &Delivery<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(delivery.session) else {
            return;
        };
        let connection = session.connection().and_then(|id| self.connections.get(id));
        let Some(connection) = connection else {
            if delivery.qos == QoS::AtMostOnce {
                self.counters.count_dropped(DropReason::OfflineQos0, 1);
            } else {
                self.enqueue(turn, outgoing, delivery);
            }
            return;
        };
        let is_writable = turn.outboxes.pending(connection.id) <= self.config.outbox.soft_bytes;
        match delivery.qos {
            QoS::AtMostOnce if session.is_replaying() => {
                self.enqueue(turn, outgoing, delivery);
                return;
            }
            QoS::AtMostOnce if !is_writable => {
                self.counters.count_dropped(DropReason::SlowConsumer, 1);
                return;
            }
            QoS::AtLeastOnce | QoS::ExactlyOnce if !is_writable || session.holds_back() => {
                self.enqueue(turn, outgoing, delivery);
                return;
            }
            QoS::AtMostOnce | QoS::AtLeastOnce | QoS::ExactlyOnce => {}
        }
        if !fits(connection, || {
            outgoing.encoded_len(connection.version, delivery)
        }) {
            self.counters.count_dropped(DropReason::PacketTooLarge, 1);
            return;
        }
        let packet_id = match delivery.qos {
            QoS::AtMostOnce => None,
            qos @ (QoS::AtLeastOnce | QoS::ExactlyOnce) => {
                let copied = outgoing.copied(delivery, turn.now);
                Some(session.message_sent(qos, copied))
            }
        };
        let (id, version) = (connection.id, connection.version);
        let bytes = turn.outboxes.append(id, |out| {
            outgoing.append(version, delivery, packet_id, out);
        });
        self.count_appended(id, bytes);
        self.counters.count_sent(delivery.qos);
    }

    fn enqueue(
        &mut self,
        turn: &Turn<'_>,
        outgoing: &mut Outgoing<'_, '_>,
        delivery: &Delivery<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(delivery.session) else {
            return;
        };
        let copied = outgoing.copied(delivery, turn.now);
        let pushed = session.enqueue(copied, &self.config.queue);
        self.count_pushed(pushed);
    }

    pub(super) fn count_pushed(&mut self, pushed: Pushed) {
        match pushed {
            Pushed::Queued => self.counters.queued_messages += 1,
            Pushed::DroppedOldest(messages) => {
                self.counters.queued_messages -= messages - 1;
                self.counters
                    .count_dropped(DropReason::QueueFullOldest, messages);
            }
            Pushed::DroppedNewest => self.counters.count_dropped(DropReason::QueueFullNewest, 1),
        }
    }
}

/// Whether the client takes a packet of this length; it is computed only if there is a limit.
pub(super) fn fits(connection: &Connection, encoded_len: impl FnOnce() -> usize) -> bool {
    let limit = connection.maximum_packet_size;
    limit == u32::MAX || encoded_len() <= limit as usize
}
