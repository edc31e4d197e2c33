//! What the owner of a client asks it to send.

use super::link::Phase;
use super::{Client, Journal, Request};
use crate::outbound::{Awaiting, Resend};
use crate::packet::{
    Auth, Disconnect, Packet, PacketType, Puback, Pubcomp, Publish, Pubrec, Pubrel, Subscribe,
    SubscribeProperties, Subscription, UndecodedFilters, Unsubscribe, UserProperties,
};
use crate::topic::TopicFilter;
use crate::{Instant, PacketId, QoS, ReasonCode, Version};

/// A message that a client publishes, as its owner keeps it.
pub trait Message {
    /// The message as a packet: the same one each time, because it may be sent more than once.
    ///
    /// The client sets DUP, the Packet Identifier and the Topic Alias; what is there is ignored.
    fn publish(&self) -> Publish<'_>;
}

/// A message that was not sent, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unsent<M> {
    /// The message, given back.
    pub message: M,
    /// What kept it from being sent.
    pub cause: UnsentCause,
}

/// Why a message cannot be sent now.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum UnsentCause {
    /// There is no connection, or CONNACK has not come.
    #[error("not connected")]
    NotConnected,
    /// As many messages are in flight as the server or our settings allow, or older ones wait to
    /// be resent (§4.9).
    #[error("too many messages in flight")]
    QuotaExhausted,
    /// Larger than the server's Maximum Packet Size [MQTT-3.2.2-15].
    #[error("larger than the server's maximum packet size")]
    PacketTooLarge,
    /// Above the server's Maximum QoS [MQTT-3.2.2-11].
    #[error("the server takes no more than QoS {}", *maximum as u8)]
    QoSNotSupported {
        /// The server's Maximum QoS.
        maximum: QoS,
    },
    /// RETAIN, and the server has Retain Available 0 [MQTT-3.2.2-14].
    #[error("the server does not retain messages")]
    RetainNotSupported,
}

/// Why a packet other than PUBLISH cannot be sent now.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum SendError {
    /// There is no connection, or CONNACK has not come.
    #[error("not connected")]
    NotConnected,
    /// Larger than the server's Maximum Packet Size [MQTT-3.2.2-15].
    #[error("larger than the server's maximum packet size")]
    PacketTooLarge,
    /// All 65,535 Packet Identifiers are in use.
    #[error("no packet identifier is free")]
    NoPacketId,
    /// No exchange with this identifier is in a state for this packet.
    #[error("packet identifier {id} does not await this packet")]
    NotAwaited {
        /// What was asked for.
        id: PacketId,
    },
}

impl<M: Message, J: Journal<Message = M>> Client<M, J> {
    /// Whether a QoS 1 or QoS 2 message may be sent now, as far as the connection and the number
    /// in flight go.
    pub fn can_publish(&self) -> bool {
        self.is_connected() && self.state.outbound.can_send()
    }

    /// Queues a message. At QoS 1 and 2 it is kept until its exchange is over, and the identifier
    /// of that is returned; at QoS 0 it is dropped and `None` returned.
    pub fn publish(&mut self, now: Instant, message: M) -> Result<Option<PacketId>, Unsent<M>> {
        if let Err(cause) = self.check_publish(message.publish()) {
            return Err(Unsent { message, cause });
        }
        let qos = message.publish().qos;
        if qos == QoS::AtMostOnce {
            let publish = outgoing(&message, None);
            self.state.link.send_publish(now, &message, publish);
            return Ok(None);
        }
        let id = self.state.outbound.send(qos, message);
        if let Some(message) = self.state.outbound.message(id) {
            let publish = outgoing(message, Some(id));
            self.state.link.send_publish(now, message, publish);
        }
        Ok(Some(id))
    }

    /// Queues the last packet of the exchange once more on the same connection, PUBLISH with DUP or
    /// PUBREL, and returns which. This is what MQTT 3.1 clients did; MQTT 5.0 resends after a
    /// reconnect only [MQTT-4.4.0-1].
    pub fn retransmit(&mut self, now: Instant, id: PacketId) -> Result<Resend, SendError> {
        self.check_connected()?;
        let not_awaited = SendError::NotAwaited { id };
        let message = self.state.outbound.message(id).ok_or(not_awaited)?;
        match self.state.outbound.awaiting(id).ok_or(not_awaited)? {
            Awaiting::Puback | Awaiting::Pubrec => {
                let publish = Publish {
                    dup: true,
                    ..outgoing(message, Some(id))
                };
                self.state.link.send_publish(now, message, publish);
                Ok(Resend::Publish(id))
            }
            Awaiting::Pubcomp => {
                self.state.link.send_pubrel(now, id, ReasonCode::Success);
                Ok(Resend::Pubrel(id))
            }
        }
    }

    fn check_publish(&self, publish: Publish<'_>) -> Result<(), UnsentCause> {
        let maximum = self.state.link.server_maximum_qos();
        if self.state.link.phase() != Phase::Connected {
            Err(UnsentCause::NotConnected)
        } else if publish.qos > maximum {
            Err(UnsentCause::QoSNotSupported { maximum })
        } else if publish.retain && self.state.link.server_refuses_retain() {
            Err(UnsentCause::RetainNotSupported)
        } else if publish.qos != QoS::AtMostOnce && !self.state.outbound.can_send() {
            Err(UnsentCause::QuotaExhausted)
        } else if !self.state.link.allows_publish(publish) {
            Err(UnsentCause::PacketTooLarge)
        } else {
            Ok(())
        }
    }
}

impl<M, J: Journal<Message = M>> Client<M, J> {
    /// Queues SUBSCRIBE and returns the identifier that SUBACK will have. It is not sent again
    /// after a reconnect.
    pub fn subscribe(
        &mut self,
        now: Instant,
        properties: SubscribeProperties,
        subscriptions: Vec<Subscription>,
    ) -> Result<PacketId, SendError> {
        let id = self.request(PacketType::Suback, subscriptions.len())?;
        let subscribe = Subscribe {
            id,
            properties,
            subscriptions,
            rest: UndecodedFilters::default(),
        };
        self.send_request(now, id, &Packet::Subscribe(subscribe))
    }

    /// Queues UNSUBSCRIBE and returns the identifier that UNSUBACK will have. It is not sent again
    /// after a reconnect.
    pub fn unsubscribe(
        &mut self,
        now: Instant,
        user_properties: UserProperties,
        filters: Vec<TopicFilter<Box<str>>>,
    ) -> Result<PacketId, SendError> {
        let id = self.request(PacketType::Unsuback, filters.len())?;
        let unsubscribe = Unsubscribe {
            id,
            user_properties,
            filters: filters.into_iter().map(Ok).collect(),
            rest: UndecodedFilters::default(),
        };
        self.send_request(now, id, &Packet::Unsubscribe(unsubscribe))
    }

    /// Queues DISCONNECT and ends the connection: send what is queued, then close the transport.
    ///
    /// Reason and properties are not sent in 3.1.1.
    pub fn disconnect(&mut self, now: Instant, disconnect: &Disconnect) -> Result<(), SendError> {
        self.check_connected()?;
        self.state.link.disconnect(now, disconnect);
        Ok(())
    }

    /// Queues AUTH: a step of the authentication that CONNECT began, or of a later one (§4.12).
    pub fn send_auth(&mut self, now: Instant, auth: Auth) -> Result<(), SendError> {
        let may_send = match self.state.link.phase() {
            Phase::AwaitingConnack | Phase::Connected => {
                self.state.link.names_authentication_method()
            }
            Phase::Disconnected | Phase::Over => false,
        };
        if !may_send || self.state.link.version() == Version::V3_1_1 {
            return Err(SendError::NotConnected);
        }
        self.state.link.send(now, &Packet::Auth(auth));
        Ok(())
    }

    /// Queues PUBACK for a PUBLISH of this connection, with manual answers.
    pub fn send_puback(
        &mut self,
        now: Instant,
        id: PacketId,
        reason: ReasonCode,
    ) -> Result<(), SendError> {
        self.check_connected()?;
        self.state.inbound.puback_sent();
        self.state
            .link
            .send(now, &Packet::Puback(Puback::new(id, reason)));
        Ok(())
    }

    /// Queues PUBREC for a PUBLISH of this connection, with manual answers. An error in it ends
    /// the exchange.
    pub fn send_pubrec(
        &mut self,
        now: Instant,
        id: PacketId,
        reason: ReasonCode,
    ) -> Result<(), SendError> {
        self.check_connected()?;
        if !self.state.inbound.is_awaiting_pubrel(id) {
            return Err(SendError::NotAwaited { id });
        }
        if reason.is_error() {
            self.state.inbound.refused(id);
        }
        self.state
            .link
            .send(now, &Packet::Pubrec(Pubrec::new(id, reason)));
        Ok(())
    }

    /// Queues PUBREL for a message whose PUBREC came, with manual answers.
    pub fn send_pubrel(&mut self, now: Instant, id: PacketId) -> Result<(), SendError> {
        self.check_connected()?;
        if self.state.outbound.awaiting(id) != Some(Awaiting::Pubcomp) {
            return Err(SendError::NotAwaited { id });
        }
        self.state.link.send_pubrel(now, id, ReasonCode::Success);
        Ok(())
    }

    /// Queues PUBCOMP for a PUBREL of this connection, with manual answers: Success, or Packet
    /// Identifier not found if the exchange is not ours.
    pub fn send_pubcomp(&mut self, now: Instant, id: PacketId) -> Result<(), SendError> {
        self.check_connected()?;
        let pubrel = Pubrel::new(id, ReasonCode::Success);
        let reason = self.state.inbound.handle_pubrel(&pubrel);
        self.state
            .link
            .send(now, &Packet::Pubcomp(Pubcomp::new(id, reason)));
        Ok(())
    }

    fn check_connected(&self) -> Result<(), SendError> {
        if self.is_connected() {
            Ok(())
        } else {
            Err(SendError::NotConnected)
        }
    }

    fn request(&mut self, answer: PacketType, filters: usize) -> Result<PacketId, SendError> {
        self.check_connected()?;
        let id = self.state.outbound.reserve().ok_or(SendError::NoPacketId)?;
        self.state.requests.insert(id, Request { answer, filters });
        Ok(id)
    }

    fn send_request(
        &mut self,
        now: Instant,
        id: PacketId,
        packet: &Packet<'_>,
    ) -> Result<PacketId, SendError> {
        if !self.state.link.allows(packet) {
            self.state.requests.remove(&id);
            self.state.outbound.release(id);
            return Err(SendError::PacketTooLarge);
        }
        self.state.link.send(now, packet);
        Ok(id)
    }
}

/// A message as it goes for the first time.
pub(super) fn outgoing<M: Message>(message: &M, packet_id: Option<PacketId>) -> Publish<'_> {
    Publish {
        dup: false,
        packet_id,
        ..message.publish()
    }
}
