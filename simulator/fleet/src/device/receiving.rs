//! What comes to a device: each event of the client role is told as facts, then the device reacts.
//!
//! An event borrows from the client role, which the reaction needs whole: so `Listener`, which has the
//! other parts of the device, tells the facts and returns a [`Reaction`] that borrows nothing.

use squall_protocol::client::Event;
use squall_protocol::packet::{Disconnect, Packet, PacketType, Publish};
use squall_protocol::{PacketId, QoS, ReasonCode};

use super::connection::Role;
use super::ending::TransportEnd;
use super::message::{MessageHandle, SenderStep};
use super::mute::Answer;
use super::passing::tell_came;
use super::publishing::Stream;
use super::qos2_faults::{AfterPubrel, Qos2Faults};
use super::repeats::Repeats;
use super::responding::Responder;
use super::turn::Turn;
use super::{Device, Profile, Who};
use crate::drive::{SocketId, Teardown};
use crate::observation::{
    ConnectionFact, CutStep, EndCause, Fact, LegFact, PublicationFact, ReceiverLeg, RetainedFact,
    SenderLeg,
};
use crate::packet_seen::PacketSeen;
use crate::payload::stamp_of;
use crate::stamp::Stamp;

/// What a device does about an event, once the event and what it borrows are gone.
#[derive(Debug)]
enum Reaction {
    Nothing,
    HandleConnected {
        session_present: bool,
    },
    /// SUBACK or UNSUBACK came.
    HandleAnswered(PacketId, Vec<ReasonCode>),
    /// An exchange ended: there is send quota again.
    SendQueue,
    Answer(Answer),
    Cut(CutStep),
    End(EndCause),
}

impl Device {
    /// Bytes came over the connection at `place`.
    pub(super) fn handle_bytes(&mut self, turn: &mut Turn<'_>, place: usize, bytes: &[u8]) {
        match self.connections[place].role {
            Role::Active(_) => {}
            Role::Displaced(_) => return self.read_displaced(turn, place, bytes),
            Role::Abandoned => return self.read_provoked(turn, place, bytes),
            Role::Opening(_) | Role::Closing | Role::Done => return,
        }
        let socket = self.connections[place].socket;
        let mut input = bytes;
        while let Some(event) = self.client.poll_event(turn.now, &mut input) {
            let mut listener = Listener {
                who: self.who,
                socket,
                qos2_faults: self.qos2_faults.as_deref_mut(),
                repeats: self.repeats.as_deref_mut(),
                check: self.check.as_mut(),
                responder: self.responder.as_deref_mut(),
                streams: &mut self.streams,
                profile: &self.profile,
            };
            let reaction = listener.note(turn, event);
            self.react(turn, reaction);
        }
        if let Some(quota) = &mut self.quota {
            let in_flight = quota.settle();
            if self.profile.exceeds_quota(in_flight) {
                let fact = ConnectionFact::QuotaExceeded { in_flight };
                self.tell_connection(turn, socket, fact);
            }
        }
    }

    /// A message of QoS 1 or 2 came.
    fn note_came(&mut self, id: PacketId) {
        if let Some(quota) = &mut self.quota {
            quota.note_came(id);
        }
    }

    /// Bytes came for a displaced connection.
    fn read_displaced(&mut self, turn: &mut Turn<'_>, place: usize, bytes: &[u8]) {
        let who = self.who;
        let connection = &mut self.connections[place];
        let socket = connection.socket;
        let Role::Displaced(displaced) = &mut connection.role else {
            return;
        };
        let mut input = bytes;
        let end = loop {
            let polled = displaced.poll_packet(&mut input);
            tell_came(turn, socket, &polled);
            match polled {
                Ok(Some(Packet::Disconnect(Disconnect { reason, .. }))) => {
                    break Some(EndCause::ServerDisconnect(reason));
                }
                // A displaced connection acknowledges nothing: the broker sends messages of QoS 1 and
                // 2 again on the new one.
                Ok(Some(Packet::Publish(publish))) if publish.qos == QoS::AtMostOnce => {
                    turn.shared.figures.delivered += 1;
                    who.tell(turn, socket, Fact::delivered(&publish, stamp_of(&publish)));
                }
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(error) => break Some(EndCause::ProtocolError(error.reason())),
            }
        };
        if let Some(cause) = end {
            self.end_transport(turn, place, TransportEnd::Close(Teardown::Fin));
            self.tell_ended(turn, place, cause);
        }
    }

    fn react(&mut self, turn: &mut Turn<'_>, reaction: Reaction) {
        match reaction {
            Reaction::Nothing => {}
            Reaction::HandleConnected { session_present } => {
                self.handle_connected(turn, session_present);
            }
            Reaction::HandleAnswered(id, reasons) => {
                self.handle_request_answered(turn, id, &reasons);
            }
            Reaction::SendQueue => self.send_queue(turn),
            Reaction::Answer(answer) => {
                if let Answer::Publish(_, Some(id)) = answer {
                    self.note_came(id);
                }
                if !self.holds(answer) {
                    self.answer(turn, answer);
                }
            }
            Reaction::Cut(step) => self.cut(turn, step),
            Reaction::End(cause) => {
                if let Some(place) = self.active_place() {
                    self.tell_link_at_end(turn, place);
                }
                self.end_active(turn, cause, TransportEnd::Close(Teardown::Fin));
            }
        }
    }
}

/// Tells the events of one connection as facts.
struct Listener<'a> {
    who: Who,
    socket: SocketId,
    qos2_faults: Option<&'a mut Qos2Faults>,
    repeats: Option<&'a mut Repeats>,
    check: Option<&'a mut super::Check>,
    responder: Option<&'a mut Responder>,
    streams: &'a mut [Stream],
    profile: &'a Profile,
}

impl Listener<'_> {
    /// Tells an event as facts and returns what the device has to do about it.
    fn note(&mut self, turn: &mut Turn<'_>, event: Event<'_, MessageHandle>) -> Reaction {
        let stamp = self.show(turn, &event);
        match event {
            Event::Connected(connack) => Reaction::HandleConnected {
                session_present: connack.session_present,
            },
            Event::Refused(connack) => {
                self.tell(
                    turn,
                    Fact::Connection(ConnectionFact::Refused(connack.reason)),
                );
                Reaction::End(EndCause::Refused)
            }
            Event::PublishResent { id, message } => self.note_publish_resent(turn, id, message),
            Event::PubrelResent { id, message } => self.note_pubrel_resent(turn, id, message),
            // Neither acknowledged nor refused: it stays in doubt.
            Event::Abandoned { id, message, .. } => {
                self.note_answered(id, &message);
                Reaction::SendQueue
            }
            Event::Puback {
                id,
                reason,
                message,
            } => self.note_finished(turn, id, &message, reason),
            Event::PubrecReceived { id, message, .. } => self.note_pubrec(turn, id, message),
            Event::PubrecRefused {
                id,
                reason,
                message,
            } => {
                self.tell_sender(turn, &message, id, SenderLeg::PubrecReceived);
                self.note_finished(turn, id, &message, reason)
            }
            Event::Pubcomp {
                id,
                reason,
                message,
            } => {
                self.tell_sender(turn, &message, id, SenderLeg::PubcompReceived);
                self.note_finished(turn, id, &message, reason)
            }
            Event::Delivered(publish) => self.note_delivered(turn, &publish, stamp),
            Event::Duplicate(publish) => {
                if let Some(id) = publish.packet_id {
                    self.tell_receiver(turn, id, ReceiverLeg::DuplicateReceived);
                }
                Reaction::Answer(Answer::Publish(publish.qos, publish.packet_id))
            }
            Event::PubrelReceived { id } => {
                self.tell_receiver(turn, id, ReceiverLeg::PubrelReceived);
                Reaction::Answer(Answer::Pubrel(id))
            }
            Event::Suback(suback) => Reaction::HandleAnswered(suback.id, suback.reasons),
            Event::Unsuback(unsuback) => Reaction::HandleAnswered(unsuback.id, unsuback.reasons),
            Event::ServerDisconnect(disconnect) => {
                Reaction::End(EndCause::ServerDisconnect(disconnect.reason))
            }
            Event::ProtocolError(error) => self.note_broken(turn, error.reason()),
            Event::UnknownAnswer { answer, id } => self.note_unknown(turn, answer, id),
            Event::Pingresp | Event::Auth(_) => Reaction::Nothing,
        }
    }

    /// Shows the packet of an event to the sink; the stamp of what it delivers.
    fn show(&self, turn: &mut Turn<'_>, event: &Event<'_, MessageHandle>) -> Option<Stamp> {
        let mut stamp = None;
        if let Event::Delivered(publish) | Event::Duplicate(publish) = event {
            stamp = stamp_of(publish);
        }
        let place = turn.coming(self.socket);
        if let Some(packet) = PacketSeen::of_event(place, event, stamp) {
            turn.sink.pass(&packet);
        }
        stamp
    }

    /// An answer came whose exchange is over, perhaps to a PUBLISH that was sent again before its end.
    fn note_unknown(&self, turn: &mut Turn<'_>, answer: PacketType, id: PacketId) -> Reaction {
        if answer == PacketType::Pubrec {
            self.tell(turn, Fact::Leg(LegFact::PubrecAfterEnd { id }));
        }
        Reaction::Nothing
    }

    /// A packet was sent again after a reconnect.
    fn await_answer(&mut self, turn: &Turn<'_>, id: PacketId) {
        if let Some(repeats) = &mut self.repeats {
            repeats.await_answer(turn.now, id);
        }
    }

    fn note_publish_resent(
        &mut self,
        turn: &mut Turn<'_>,
        id: PacketId,
        message: &MessageHandle,
    ) -> Reaction {
        self.await_answer(turn, id);
        if message.0.qos == QoS::ExactlyOnce {
            self.tell_sender(turn, message, id, SenderLeg::PublishResent);
        }
        Reaction::SendQueue
    }

    fn note_pubrel_resent(
        &mut self,
        turn: &mut Turn<'_>,
        id: PacketId,
        message: &MessageHandle,
    ) -> Reaction {
        self.await_answer(turn, id);
        self.tell_sender(turn, message, id, SenderLeg::PubrelSent);
        if self.cuts(message, SenderStep::Pubrel) {
            Reaction::Cut(CutStep::Pubrel)
        } else {
            Reaction::SendQueue
        }
    }

    fn note_pubrec(
        &mut self,
        turn: &mut Turn<'_>,
        id: PacketId,
        message: &MessageHandle,
    ) -> Reaction {
        if let Some(repeats) = &mut self.repeats {
            repeats.note_answered(id);
        }
        self.tell_sender(turn, message, id, SenderLeg::PubrecReceived);
        if self.cuts(message, SenderStep::Pubrec) {
            return Reaction::Cut(CutStep::Pubrec);
        }
        let then = if self.cuts(message, SenderStep::Pubrel) {
            AfterPubrel::Cut
        } else {
            AfterPubrel::GoOn
        };
        Reaction::Answer(Answer::Pubrec { id, then })
    }

    /// The broker broke the protocol.
    fn note_broken(&self, turn: &mut Turn<'_>, reason: ReasonCode) -> Reaction {
        if let Some(check) = &self.check {
            let expectation = check.expectation();
            let broken = RetainedFact::Broken {
                expectation,
                reason,
            };
            super::checker::tell(turn, broken);
        }
        Reaction::End(EndCause::ProtocolError(reason))
    }

    fn note_delivered(
        &mut self,
        turn: &mut Turn<'_>,
        publish: &Publish<'_>,
        stamp: Option<Stamp>,
    ) -> Reaction {
        if let Some(check) = &mut self.check {
            if publish.retain {
                let found = RetainedFact::Found {
                    expectation: check.expectation(),
                    topic: publish.topic.as_str(),
                    payload: publish.payload,
                };
                check.note_found(turn.now);
                super::checker::tell(turn, found);
            }
            return Reaction::Answer(Answer::Publish(publish.qos, publish.packet_id));
        }
        turn.shared.figures.delivered += 1;
        if let (QoS::ExactlyOnce, Some(id)) = (publish.qos, publish.packet_id) {
            if let Some(faults) = &mut self.qos2_faults {
                faults.forget(id);
            }
            self.tell_receiver(turn, id, ReceiverLeg::PublishReceived);
        }
        self.tell(turn, Fact::delivered(publish, stamp));
        if let Some(responder) = &mut self.responder {
            let arrived = turn.now - turn.waited.unwrap_or_default();
            let moments = [arrived - turn.on_link, arrived];
            responder.take(self.profile, turn.shared.run, moments, publish);
        }
        Reaction::Answer(Answer::Publish(publish.qos, publish.packet_id))
    }

    fn cuts(&mut self, message: &MessageHandle, step: SenderStep) -> bool {
        let faults = self.qos2_faults.as_mut();
        faults.is_some_and(|faults| faults.cuts(&message.0, step))
    }

    fn tell(&self, turn: &mut Turn<'_>, fact: Fact<'_>) {
        self.who.tell(turn, self.socket, fact);
    }

    fn tell_sender(
        &self,
        turn: &mut Turn<'_>,
        message: &MessageHandle,
        id: PacketId,
        leg: SenderLeg,
    ) {
        self.tell(turn, message.0.sender_leg(id, leg));
    }

    fn tell_receiver(&self, turn: &mut Turn<'_>, id: PacketId, leg: ReceiverLeg) {
        self.tell(turn, Fact::Leg(LegFact::Receiver { id, leg }));
    }

    /// The exchange of a message is over: there is room for the next one.
    fn note_finished(
        &mut self,
        turn: &mut Turn<'_>,
        id: PacketId,
        message: &MessageHandle,
        reason: ReasonCode,
    ) -> Reaction {
        self.note_answered(id, message);
        let fact = Fact::Publication(PublicationFact::Acknowledged {
            stamp: message.0.stamp,
            topic: message.0.topic.as_str(),
            reason,
        });
        self.tell(turn, fact);
        Reaction::SendQueue
    }

    /// The broker has answered a message, or never will: a closed loop has room for another.
    fn note_answered(&mut self, id: PacketId, message: &MessageHandle) {
        if let Some(repeats) = &mut self.repeats {
            repeats.note_answered(id);
        }
        if let Some(place) = message.0.closed_loop {
            self.streams[place].schedule.answered();
        }
    }
}
