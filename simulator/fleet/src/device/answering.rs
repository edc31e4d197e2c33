//! What a device sends because something came: PUBACK, PUBREC, PUBREL, PUBCOMP.
//!
//! The `qos2` block may put a PUBREL off, keep an answer back, or cut the connection behind one.

use squall_protocol::{PacketId, QoS, ReasonCode};

use super::Device;
use super::message::MessageHandle;
use super::mute::Answer;
use super::qos2_faults::{AfterPubrel, DelayedPubrel};
use super::turn::Turn;
use crate::observation::{CutStep, Fact, LegFact, ReceiverAnswer, ReceiverLeg, SenderLeg};

impl Device {
    /// Sends an answer that is due.
    pub(super) fn answer(&mut self, turn: &mut Turn<'_>, answer: Answer) {
        match answer {
            Answer::Publish(QoS::AtMostOnce, _) | Answer::Publish(_, None) => {}
            Answer::Publish(QoS::AtLeastOnce, Some(id)) => {
                // Fails only if the connection is over; the broker then sends the message again.
                if self
                    .client
                    .send_puback(turn.now, id, ReasonCode::Success)
                    .is_ok()
                {
                    self.note_last_answer(id);
                }
            }
            Answer::Publish(QoS::ExactlyOnce, Some(id)) => {
                self.answer_receiver(turn, id, ReceiverAnswer::Pubrec);
            }
            Answer::Pubrel(id) => self.answer_receiver(turn, id, ReceiverAnswer::Pubcomp),
            Answer::Pubrec { id, then } => match &mut self.qos2_faults {
                Some(faults) => {
                    faults.delay_pubrel(turn.now, id, then);
                    self.handle_qos2_faults(turn);
                }
                None => self.send_pubrel(turn, id),
            },
        }
    }

    /// Sends an answer of a QoS 2 receiver, or withholds it.
    fn answer_receiver(&mut self, turn: &mut Turn<'_>, id: PacketId, answer: ReceiverAnswer) {
        let faults = self.qos2_faults.as_mut();
        if faults.is_some_and(|faults| faults.withholds(turn.now, id, answer)) {
            let fact = Fact::Leg(LegFact::Withheld { id, answer });
            self.tell(turn, self.current_socket(), fact);
            return;
        }
        let (sent, leg) = match answer {
            ReceiverAnswer::Pubrec => (
                self.client.send_pubrec(turn.now, id, ReasonCode::Success),
                ReceiverLeg::PubrecSent,
            ),
            ReceiverAnswer::Pubcomp => (
                self.client.send_pubcomp(turn.now, id),
                ReceiverLeg::PubcompSent,
            ),
        };
        if sent.is_err() {
            // The connection ended with the event before: the broker asks again on the next.
            return;
        }
        if answer == ReceiverAnswer::Pubcomp {
            self.note_last_answer(id);
            if let Some(faults) = &mut self.qos2_faults {
                faults.forget(id);
            }
        }
        let fact = Fact::Leg(LegFact::Receiver { id, leg });
        self.tell(turn, self.current_socket(), fact);
    }

    /// Sends the PUBRELs that are due, and cuts if it is time to; nothing while the device is muted.
    pub(super) fn handle_qos2_faults(&mut self, turn: &mut Turn<'_>) {
        if self.is_muted() {
            return;
        }
        while let Some(faults) = &mut self.qos2_faults
            && let Some(DelayedPubrel { id, then, .. }) = faults.poll_pubrel(turn.now)
        {
            self.send_pubrel(turn, id);
            match then {
                AfterPubrel::GoOn => {}
                AfterPubrel::Cut => self.cut(turn, CutStep::Pubrel),
            }
        }
        let faults = self.qos2_faults.as_ref();
        if faults.is_some_and(|faults| faults.is_cut_due(turn.now)) {
            self.cut(turn, CutStep::Withheld);
        }
    }

    fn send_pubrel(&mut self, turn: &mut Turn<'_>, id: PacketId) {
        if self.client.send_pubrel(turn.now, id).is_err() {
            // The exchange or the connection ended meanwhile.
            return;
        }
        if let Some(repeats) = &mut self.repeats {
            repeats.await_answer(turn.now, id);
        }
        let socket = self.current_socket();
        if let Some(MessageHandle(message)) = self.client.outbound().message(id) {
            let fact = message.sender_leg(id, SenderLeg::PubrelSent);
            self.tell(turn, socket, fact);
        }
    }

    /// The last answer to a message of QoS 1 or 2 is written.
    fn note_last_answer(&mut self, id: PacketId) {
        self.note_answered();
        if let Some(quota) = &mut self.quota {
            quota.note_answered(id);
        }
    }
}
