//! Messages of a Session that are sent and not finished, in both directions (§4.3).

use squall_protocol::inbound::Received;
use squall_protocol::outbound::{Awaiting, Resend, Step};
use squall_protocol::packet::{Puback, Pubcomp, Publish, Pubrec, Pubrel};
use squall_protocol::{PacketId, ProtocolError, QoS, ReasonCode};

use super::Session;
use crate::message::Copied;

/// Exchanges in which the broker is the sender.
impl Session {
    /// Messages that are in flight or in its queue.
    pub(crate) fn load(&self) -> usize {
        self.outbound.len() + self.queued()
    }

    /// Messages in flight, in the order in which they were sent.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = (PacketId, Awaiting, &Copied)> {
        self.outbound.iter()
    }

    /// The message of an exchange, if the exchange still needs it, and what the exchange waits for.
    pub(crate) fn exchange(&self, id: PacketId) -> Option<(&Copied, Awaiting)> {
        self.outbound.message(id).zip(self.outbound.awaiting(id))
    }

    /// Records a message that is sent now for the first time, and gives it its identifier.
    ///
    /// # Panics
    ///
    /// At QoS 0, or if it must wait, see [`Self::holds_back`].
    pub(crate) fn message_sent(&mut self, qos: QoS, copied: Copied) -> PacketId {
        self.outbound.send(qos, copied)
    }

    /// What is to be sent again next after a reconnect [MQTT-4.4.0-1].
    pub(crate) fn poll_resend(&mut self) -> Option<Resend> {
        self.outbound.poll_resend()
    }

    pub(crate) fn handle_puback(&mut self, puback: &Puback) -> Result<Step<Copied>, ProtocolError> {
        self.outbound.handle_puback(puback)
    }

    pub(crate) fn handle_pubrec(&mut self, pubrec: &Pubrec) -> Result<Step<Copied>, ProtocolError> {
        self.outbound.handle_pubrec(pubrec)
    }

    pub(crate) fn handle_pubcomp(
        &mut self,
        pubcomp: &Pubcomp,
    ) -> Result<Step<Copied>, ProtocolError> {
        self.outbound.handle_pubcomp(pubcomp)
    }

    /// Treats a message as completed, so that its identifier and quota are free.
    pub(crate) fn abandon(&mut self, id: PacketId) {
        self.outbound.abandon(id);
    }

    /// Gives up what goes back to shared groups: the messages in flight that `sent` names, and all
    /// of its queue that came through a shared subscription. Returns them in order.
    pub(crate) fn release_shared(&mut self, sent: &[PacketId]) -> Vec<Copied> {
        let sent = sent.iter().filter_map(|&id| self.outbound.abandon(id));
        let mut released: Vec<Copied> = sent.collect();
        if let Some(backlog) = &mut self.backlog {
            released.extend(backlog.queue.extract_shared());
        }
        released
    }
}

/// Exchanges in which the client is the sender.
impl Session {
    pub(crate) fn handle_publish(
        &mut self,
        publish: &Publish<'_>,
    ) -> Result<Received, ProtocolError> {
        self.inbound.handle_publish(publish)
    }

    /// Records that PUBACK goes out.
    pub(crate) fn puback_sent(&mut self) {
        self.inbound.puback_sent();
    }

    /// Records that a PUBREC with an error goes out: the exchange is over [MQTT-4.3.3-9].
    pub(crate) fn publish_refused(&mut self, id: PacketId) {
        self.inbound.refused(id);
    }

    /// Applies a PUBREL and returns the code of its PUBCOMP (§4.3.3).
    pub(crate) fn handle_pubrel(&mut self, pubrel: &Pubrel) -> ReasonCode {
        self.inbound.handle_pubrel(pubrel)
    }
}
