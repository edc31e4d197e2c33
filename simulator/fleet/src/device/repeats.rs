//! `retransmit = "same_connection"`: what is unanswered for a while is sent again, as clients of MQTT 3.1 did.
//!
//! Each exchange has one time: that at which its last packet, PUBLISH or PUBREL, is sent again unless it is answered
//! before. MQTT 5.0 forbids it [MQTT-4.4.0-1], so that a broker meets a bad client; MQTT 3.1.1 does not (§4.4).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use squall_protocol::outbound::Resend;
use squall_protocol::{Instant, PacketId};
use squall_scenario::Retransmit;

use super::Device;
use super::message::MessageHandle;
use super::turn::Turn;
use crate::observation::{Fact, PublicationFact, RepeatedPacket, SenderLeg};

/// The exchanges of one connection that wait for an answer: at most one for each Packet Identifier.
#[derive(Debug)]
pub(super) struct Repeats {
    after: Duration,
    due: BTreeMap<PacketId, Instant>,
    order: BTreeSet<(Instant, PacketId)>,
}

impl Repeats {
    /// `None` if nothing is sent again on the same connection.
    pub(super) fn new(rule: Retransmit) -> Option<Box<Self>> {
        match rule {
            Retransmit::OnReconnect => None,
            Retransmit::SameConnection { after } => Some(Box::new(Self {
                after,
                due: BTreeMap::new(),
                order: BTreeSet::new(),
            })),
        }
    }

    /// A packet of this exchange was sent that is to be answered.
    pub(super) fn await_answer(&mut self, now: Instant, id: PacketId) {
        self.note_answered(id);
        let due = now + self.after;
        self.due.insert(id, due);
        self.order.insert((due, id));
    }

    /// The broker has answered, or never will.
    pub(super) fn note_answered(&mut self, id: PacketId) {
        if let Some(due) = self.due.remove(&id) {
            self.order.remove(&(due, id));
        }
    }

    /// The connection ended: what is unanswered is sent again on the next one.
    pub(super) fn connection_lost(&mut self) {
        self.due.clear();
        self.order.clear();
    }

    /// When a packet is sent again.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.order.first().map(|&(due, _)| due)
    }

    fn poll(&mut self, now: Instant) -> Option<PacketId> {
        let &(due, id) = self.order.first().filter(|&&(due, _)| due <= now)?;
        self.due.remove(&id);
        self.order.remove(&(due, id));
        Some(id)
    }
}

impl Device {
    /// Sends again what is due to be; nothing while the device is muted.
    pub(super) fn repeat_due(&mut self, turn: &mut Turn<'_>) {
        if self.is_muted() {
            return;
        }
        while let Some(repeats) = &mut self.repeats
            && let Some(id) = repeats.poll(turn.now)
        {
            let has_room = self.has_room();
            let resend = has_room.then(|| self.client.retransmit(turn.now, id));
            if let Some(Err(_)) = resend {
                // Its exchange or its connection is over.
                continue;
            }
            // Without room for it, it waits for its next time.
            if let Some(repeats) = &mut self.repeats {
                repeats.await_answer(turn.now, id);
            }
            if let Some(Ok(resend)) = resend {
                self.tell_repeat(turn, resend);
            }
        }
    }

    fn tell_repeat(&self, turn: &mut Turn<'_>, resend: Resend) {
        let (id, packet, leg) = match resend {
            Resend::Publish(id) => (id, RepeatedPacket::Publish, SenderLeg::PublishResent),
            Resend::Pubrel(id) => (id, RepeatedPacket::Pubrel, SenderLeg::PubrelSent),
        };
        let Some(MessageHandle(message)) = self.client.outbound().message(id) else {
            return;
        };
        let socket = self.current_socket();
        let fact = PublicationFact::Repeated {
            stamp: message.stamp,
            topic: message.topic.as_str(),
            qos: message.qos,
            packet,
        };
        self.tell(turn, socket, Fact::Publication(fact));
        if message.qos == squall_protocol::QoS::ExactlyOnce {
            self.tell(turn, socket, message.sender_leg(id, leg));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    fn at_ms(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    fn each_second() -> Repeats {
        let after = Duration::from_secs(1);
        *Repeats::new(Retransmit::SameConnection { after }).expect("a rule that asks for it")
    }

    /// An exchange is due once, at the time that its last packet sets.
    #[test]
    fn the_last_packet_of_an_exchange_sets_its_time() {
        let mut repeats = each_second();
        repeats.await_answer(at_ms(0), id(1));
        repeats.await_answer(at_ms(500), id(2));
        repeats.await_answer(at_ms(700), id(1));

        let before = repeats.poll(at_ms(1_499));
        let due = [repeats.poll(at_ms(1_700)), repeats.poll(at_ms(1_700))];

        assert_eq!(before, None);
        assert_eq!(due, [Some(id(2)), Some(id(1))]);
        assert_eq!(repeats.next_due(), None);
    }

    /// An identifier that is used again has nothing of the exchange before it.
    #[test]
    fn an_answer_ends_the_time_of_its_exchange_alone() {
        let mut repeats = each_second();
        repeats.await_answer(at_ms(0), id(1));
        repeats.await_answer(at_ms(0), id(2));
        repeats.note_answered(id(1));
        repeats.await_answer(at_ms(900), id(1));

        assert_eq!(repeats.poll(at_ms(1_000)), Some(id(2)));
        assert_eq!(repeats.poll(at_ms(1_000)), None);
        assert_eq!(repeats.next_due(), Some(at_ms(1_900)));
    }
}
