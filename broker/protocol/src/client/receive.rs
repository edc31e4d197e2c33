//! What comes to a client: one packet, one event.

use super::event::{AbandonCause, Event};
use super::link::{Link, Phase};
use super::send::{Message, outgoing};
use super::{Answers, Client, Journal, Session, State, UnexpectedSession};
use crate::inbound::Received;
use crate::outbound::{Resend, Step};
use crate::packet::{
    Auth, Connack, Disconnect, Packet, PacketType, Puback, Pubcomp, Publish, Pubrec, Pubrel,
    Suback, Unsuback,
};
use crate::{Instant, PacketId, ProtocolError, QoS, ReasonCode, Version};

impl<M: Message, J: Journal<Message = M>> Client<M, J> {
    /// The next event: first what is given up or resent after CONNACK, then one packet of
    /// `input`, which is moved on. `None` if all of `input` is used up.
    ///
    /// Call it until it gives `None`. When the connection is over the rest of `input` is dropped.
    pub fn poll_event<'p, 'i: 'p>(
        &'p mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> Option<Event<'p, M>> {
        let state = &mut self.state;
        if let Some((id, message)) = state.abandoned.pop_front() {
            let cause = AbandonCause::SessionLost;
            return Some(Event::Abandoned { id, message, cause });
        }
        match state.link.phase() {
            Phase::Disconnected | Phase::Over => {
                *input = &[];
                return None;
            }
            Phase::AwaitingConnack | Phase::Connected => {}
        }
        if let Some(resend) = state.outbound.poll_resend() {
            return Some(state.handle_resend(now, resend));
        }
        match self.reader.poll_packet(input, &state.link.rules()) {
            Ok(None) => None,
            Ok(Some(packet)) => Some(state.handle_packet(now, packet)),
            Err(error) => Some(fail(&mut state.link, now, error)),
        }
    }
}

impl<M: Message, J: Journal<Message = M>> State<M, J> {
    fn handle_packet<'p>(&'p mut self, now: Instant, packet: Packet<'p>) -> Event<'p, M> {
        if self.link.phase() == Phase::AwaitingConnack {
            let packet = packet.packet_type();
            if !matches!(packet, PacketType::Connack | PacketType::Auth) {
                let error = ProtocolError::ConnackExpected { packet };
                return fail(&mut self.link, now, error);
            }
        }
        let result = match packet {
            Packet::Publish(publish) => return self.handle_publish(now, publish),
            Packet::Pubrec(pubrec) => return self.handle_pubrec(now, &pubrec),
            Packet::Connack(connack) => self.handle_connack(connack),
            Packet::Puback(puback) => self.handle_puback(&puback),
            Packet::Pubrel(pubrel) => Ok(self.handle_pubrel(now, &pubrel)),
            Packet::Pubcomp(pubcomp) => self.handle_pubcomp(&pubcomp),
            Packet::Suback(suback) => self.handle_suback(suback),
            Packet::Unsuback(unsuback) => self.handle_unsuback(unsuback),
            Packet::Pingresp => {
                self.link.pingresp_came();
                Ok(Event::Pingresp)
            }
            Packet::Disconnect(disconnect) => self.handle_disconnect(disconnect),
            Packet::Auth(auth) => self.handle_auth(auth),
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq => Err(ProtocolError::NotFromServer {
                packet: packet.packet_type(),
            }),
        };
        result.unwrap_or_else(|error| fail(&mut self.link, now, error))
    }

    fn handle_resend(&mut self, now: Instant, resend: Resend) -> Event<'_, M> {
        let id = resend.id();
        let fits = match (resend, self.outbound.message(id)) {
            (Resend::Publish(_), Some(message)) => self.link.allows_publish(message.publish()),
            (Resend::Publish(_) | Resend::Pubrel(_), _) => true,
        };
        if !fits && let Some(message) = self.outbound.abandon(id) {
            let cause = AbandonCause::PacketTooLarge;
            return Event::Abandoned { id, message, cause };
        }
        let message = self
            .outbound
            .message(id)
            .expect("only exchanges are resent");
        match resend {
            Resend::Publish(id) => {
                let publish = Publish {
                    dup: true,
                    ..outgoing(message, Some(id))
                };
                self.link.send_publish(now, message, publish);
                Event::PublishResent { id, message }
            }
            Resend::Pubrel(id) => {
                self.link.send_pubrel(now, id, ReasonCode::Success);
                Event::PubrelResent { id, message }
            }
        }
    }

    fn handle_connack<'e>(&mut self, connack: Box<Connack>) -> Result<Event<'e, M>, ProtocolError> {
        if self.link.phase() == Phase::Connected {
            return Err(ProtocolError::SecondConnack);
        }
        if connack.reason.is_error() {
            self.link.end();
            return Ok(Event::Refused(connack));
        }
        if connack.session_present {
            match (self.session, self.settings.unexpected_session) {
                (Session::Stored, _) => {}
                // It is not the one that we have something of, if we have.
                (Session::Possible, _) | (Session::None, UnexpectedSession::Accept) => {
                    self.discard_session();
                }
                (Session::CleanStart, _) | (Session::None, UnexpectedSession::Close) => {
                    return Err(ProtocolError::UnexpectedSession);
                }
            }
        } else {
            self.discard_session();
        }
        self.link.accept(&connack, &self.settings);
        self.session = Session::Stored;
        let in_flight_max = self.settings.in_flight_max;
        self.outbound
            .resume(self.link.server_receive_maximum().min(in_flight_max));
        self.inbound.resume(self.link.our_receive_maximum());
        Ok(Event::Connected(connack))
    }

    /// The server has no Session, so ours is over [MQTT-3.2.2-5].
    fn discard_session(&mut self) {
        let unfinished = self.outbound.drain().map(|(id, _, message)| (id, message));
        self.abandoned.extend(unfinished);
        self.inbound.clear();
    }

    fn handle_publish<'p>(&'p mut self, now: Instant, mut publish: Publish<'p>) -> Event<'p, M> {
        let link = &mut self.link;
        if let Err(error) = self.inbound_aliases.resolve(&mut publish) {
            return fail(link, now, error);
        }
        let received = match self.inbound.handle_publish(&publish) {
            Ok(received) => received,
            Err(error) => return fail(link, now, error),
        };
        if let (Answers::Automatic, Some(id)) = (self.settings.answers, publish.packet_id) {
            match publish.qos {
                QoS::AtMostOnce => {}
                QoS::AtLeastOnce => {
                    self.inbound.puback_sent();
                    let puback = Puback::new(id, ReasonCode::Success);
                    link.send(now, &Packet::Puback(puback));
                }
                QoS::ExactlyOnce => {
                    let pubrec = Pubrec::new(id, ReasonCode::Success);
                    link.send(now, &Packet::Pubrec(pubrec));
                }
            }
        }
        match received {
            Received::New => Event::Delivered(publish),
            Received::Duplicate => Event::Duplicate(publish),
        }
    }

    fn handle_pubrel<'e>(&mut self, now: Instant, pubrel: &Pubrel) -> Event<'e, M> {
        let id = pubrel.id;
        if self.settings.answers == Answers::Automatic {
            let reason = self.inbound.handle_pubrel(pubrel);
            let pubcomp = Pubcomp::new(id, reason);
            self.link.send(now, &Packet::Pubcomp(pubcomp));
        }
        Event::PubrelReceived { id }
    }

    fn handle_puback<'e>(&mut self, puback: &Puback) -> Result<Event<'e, M>, ProtocolError> {
        let &Puback { id, reason, .. } = puback;
        Ok(match self.outbound.handle_puback(puback)? {
            Step::Finished(message) => Event::Puback {
                id,
                reason,
                message,
            },
            Step::SendPubrel { .. } | Step::Ignored => Event::UnknownAnswer {
                answer: PacketType::Puback,
                id,
            },
        })
    }

    fn handle_pubrec(&mut self, now: Instant, pubrec: &Pubrec) -> Event<'_, M> {
        let &Pubrec { id, reason, .. } = pubrec;
        let step = match self.outbound.handle_pubrec(pubrec) {
            Ok(step) => step,
            Err(error) => return fail(&mut self.link, now, error),
        };
        let pubrel_reason = match step {
            Step::Finished(message) => {
                return Event::PubrecRefused {
                    id,
                    reason,
                    message,
                };
            }
            Step::SendPubrel { reason, .. } => reason,
            Step::Ignored => {
                return Event::UnknownAnswer {
                    answer: PacketType::Pubrec,
                    id,
                };
            }
        };
        let is_known = !pubrel_reason.is_error();
        if self.settings.answers == Answers::Automatic || !is_known {
            self.link.send_pubrel(now, id, pubrel_reason);
        }
        match self.outbound.message(id) {
            Some(message) => Event::PubrecReceived {
                id,
                reason,
                message,
            },
            None => Event::UnknownAnswer {
                answer: PacketType::Pubrec,
                id,
            },
        }
    }

    fn handle_pubcomp<'e>(&mut self, pubcomp: &Pubcomp) -> Result<Event<'e, M>, ProtocolError> {
        let &Pubcomp { id, reason, .. } = pubcomp;
        Ok(match self.outbound.handle_pubcomp(pubcomp)? {
            Step::Finished(message) => Event::Pubcomp {
                id,
                reason,
                message,
            },
            Step::SendPubrel { .. } | Step::Ignored => Event::UnknownAnswer {
                answer: PacketType::Pubcomp,
                id,
            },
        })
    }

    fn handle_suback<'e>(&mut self, suback: Suback) -> Result<Event<'e, M>, ProtocolError> {
        let filters = self.answer(PacketType::Suback, suback.id)?;
        check_count(PacketType::Suback, filters, suback.reasons.len())?;
        Ok(Event::Suback(suback))
    }

    fn handle_unsuback<'e>(&mut self, unsuback: Unsuback) -> Result<Event<'e, M>, ProtocolError> {
        let filters = self.answer(PacketType::Unsuback, unsuback.id)?;
        if self.link.version() == Version::V5 {
            check_count(PacketType::Unsuback, filters, unsuback.reasons.len())?;
        }
        Ok(Event::Unsuback(unsuback))
    }

    /// Ends the request that `packet` answers, and returns how many filters it had.
    fn answer(&mut self, packet: PacketType, id: PacketId) -> Result<usize, ProtocolError> {
        match self.requests.get(&id) {
            Some(request) if request.answer == packet => {
                let filters = request.filters;
                self.requests.remove(&id);
                self.outbound.release(id);
                Ok(filters)
            }
            Some(_) | None => Err(ProtocolError::UnrequestedAnswer { packet, id }),
        }
    }

    fn handle_disconnect<'e>(
        &mut self,
        disconnect: Disconnect,
    ) -> Result<Event<'e, M>, ProtocolError> {
        if self.link.version() == Version::V3_1_1 {
            return Err(ProtocolError::NotFromServer {
                packet: PacketType::Disconnect,
            });
        }
        if disconnect.properties.session_expiry_interval.is_some() {
            return Err(ProtocolError::SessionExpiryFromServer);
        }
        self.link.end();
        Ok(Event::ServerDisconnect(disconnect))
    }

    fn handle_auth<'e>(&mut self, auth: Auth) -> Result<Event<'e, M>, ProtocolError> {
        if !self.link.names_authentication_method() {
            return Err(ProtocolError::AuthWithoutMethod);
        }
        Ok(Event::Auth(auth))
    }
}

/// One Reason Code per Topic Filter.
fn check_count(packet: PacketType, filters: usize, reasons: usize) -> Result<(), ProtocolError> {
    if filters == reasons {
        return Ok(());
    }
    Err(ProtocolError::AnswerCount {
        packet,
        filters,
        reasons,
    })
}

/// Ends the connection because of `error`. It takes only the link, as an event may borrow the
/// rest.
fn fail<'e, J: Journal>(
    link: &mut Link<J>,
    now: Instant,
    error: ProtocolError,
) -> Event<'e, J::Message> {
    link.fail(now, &error);
    Event::ProtocolError(error)
}
