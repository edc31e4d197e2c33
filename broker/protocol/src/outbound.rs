//! Sender side of QoS 1 and QoS 2: what is in flight, and what each answer changes (§4.3).
//!
//! One `Outbound` belongs to one Session and outlives its Network Connections (§4.1). It reads no
//! clock: a message is resent only after a reconnect, never on a timer [MQTT-4.4.0-1]. Encoding
//! lives in `codec`, Packet Identifiers in `packet_ids`. `M` is what the owner needs to send a
//! message again; it is kept until the exchange ends.
//!
//! After a reconnect everything unfinished is sent again in its original order [MQTT-4.6.0-1]. If
//! the new receive maximum is smaller than what is in flight, PUBLISH packets go in windows, each
//! as an answer makes room, and PUBREL packets, which need no quota, do not wait for them.
//!
//! Invariant, per Network Connection: `quota` plus the unfinished messages whose PUBLISH was sent
//! on it is the receive maximum. So a PUBCOMP for a PUBREL that was resent gives no quota back, as
//! it took none (§4.9), and never are more messages unacknowledged than the receiver allows
//! [MQTT-3.3.4-7] [MQTT-3.3.4-9].

use std::collections::VecDeque;

use crate::packet::{Puback, Pubcomp, Pubrec};
use crate::packet_ids::PacketIds;
use crate::{PacketId, ProtocolError, QoS, ReasonCode};

/// QoS 1 and QoS 2 messages that one side of a Session has sent and the other has not finished.
#[derive(Clone, Debug)]
pub struct Outbound<M> {
    exchanges: PacketIds<Exchange<M>>,
    /// Boxed because it is there only after a reconnect with something unfinished.
    resends: Option<Box<Resends>>,
    /// The peer's receive maximum on this connection; 0 without a connection.
    receive_maximum: u16,
    /// How many more messages may be sent now, as far as the receive maximum goes.
    quota: u16,
}

/// One use of a Packet Identifier.
#[derive(Clone, Debug)]
enum Exchange<M> {
    /// A message.
    Message {
        awaiting: Awaiting,
        /// Whether its PUBLISH was sent on this Network Connection.
        holds_quota: bool,
        message: M,
    },
    /// A request of the client's, answered by SUBACK or UNSUBACK.
    Request,
}

/// What is still to be resent on this connection.
///
/// An entry whose exchange was answered in the meantime stays until its turn and is passed over.
/// No identifier is reused while there are entries, as new messages wait for them.
#[derive(Clone, Debug)]
struct Resends {
    queue: VecDeque<Resend>,
    /// Whether the queue is in send order, or has every PUBREL before the first PUBLISH.
    order: ResendOrder,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ResendOrder {
    AsSent,
    PubrelsFirst,
}

/// What the sender of a message waits for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Awaiting {
    /// QoS 1: PUBACK ends the exchange.
    Puback,
    /// QoS 2, first half: PUBREC.
    Pubrec,
    /// QoS 2, second half: PUBCOMP ends the exchange. PUBLISH is never sent again
    /// [MQTT-4.3.3-6].
    Pubcomp,
}

/// What an answer of the peer asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step<M> {
    /// The exchange is over and its identifier free; quota may have come back.
    Finished(M),
    /// Send PUBREL.
    SendPubrel {
        /// Identifier of the exchange.
        id: PacketId,
        /// Success, or Packet Identifier not found where we know nothing of the exchange; not
        /// sent in 3.1.1.
        reason: ReasonCode,
    },
    /// The identifier is not in use: an answer that was given twice. Nothing to do.
    UnknownIdentifier,
}

/// One packet to send again after a reconnect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resend {
    /// PUBLISH, with DUP [MQTT-3.3.1-1]. [`Outbound::message`] has the message.
    Publish(PacketId),
    /// PUBREL.
    Pubrel(PacketId),
}

impl<M> Default for Outbound<M> {
    /// A Session without a Network Connection and with nothing in flight; it owns no heap memory.
    fn default() -> Self {
        Self {
            exchanges: PacketIds::default(),
            resends: None,
            receive_maximum: 0,
            quota: 0,
        }
    }
}

impl<M> Outbound<M> {
    /// Starts the Session's next Network Connection, its first one included, once CONNACK with
    /// Success is sent or received. Take [`Self::poll_resend`] until it is `None`, then send.
    ///
    /// `receive_maximum` is what the peer allows on this connection: 65,535 if it does not say,
    /// and in 3.1.1 [MQTT-3.3.4-7].
    pub fn resume(&mut self, receive_maximum: u16) {
        self.receive_maximum = receive_maximum;
        self.quota = receive_maximum;
        for exchange in self.exchanges.values_mut() {
            if let Exchange::Message { holds_quota, .. } = exchange {
                *holds_quota = false;
            }
        }
        let queue: VecDeque<_> = self
            .iter()
            .map(|(id, awaiting, _)| match awaiting {
                Awaiting::Puback | Awaiting::Pubrec => Resend::Publish(id),
                Awaiting::Pubcomp => Resend::Pubrel(id),
            })
            .collect();
        self.resends = (!queue.is_empty()).then(|| {
            Box::new(Resends {
                queue,
                order: ResendOrder::AsSent,
            })
        });
    }

    /// Ends the Network Connection: nothing is sent until [`Self::resume`], and identifiers of
    /// SUBSCRIBE and UNSUBSCRIBE, which are never resent, become free.
    pub fn connection_lost(&mut self) {
        self.receive_maximum = 0;
        self.quota = 0;
        self.resends = None;
        let requests: Vec<_> = self
            .exchanges
            .iter()
            .filter(|(_, exchange)| matches!(exchange, Exchange::Request))
            .map(|(id, _)| id)
            .collect();
        for id in requests {
            self.exchanges.remove(id);
        }
    }

    /// How many more messages the receive maximum allows now (§4.9).
    pub fn quota(&self) -> u16 {
        self.quota
    }

    /// Whether a new message may be sent: there is a connection, a quota and an identifier, and
    /// nothing older waits to be resent first.
    pub fn can_send(&self) -> bool {
        self.quota > 0 && self.resends.is_none() && !self.exchanges.is_exhausted()
    }

    /// Records a message that is sent now for the first time, and gives it its identifier.
    ///
    /// # Panics
    ///
    /// If [`Self::can_send`] is false, or at QoS 0, which has no answer.
    pub fn send(&mut self, qos: QoS, message: M) -> PacketId {
        assert!(self.can_send(), "no quota, or older messages go first");
        let awaiting = match qos {
            QoS::AtMostOnce => panic!("QoS 0 is not in flight"),
            QoS::AtLeastOnce => Awaiting::Puback,
            QoS::ExactlyOnce => Awaiting::Pubrec,
        };
        self.quota -= 1;
        self.exchanges.insert(Exchange::Message {
            awaiting,
            holds_quota: true,
            message,
        })
    }

    /// Takes an identifier for a SUBSCRIBE or UNSUBSCRIBE; `None` if all are in use.
    ///
    /// It takes no quota and lasts until [`Self::release`] or the end of the connection.
    pub fn reserve(&mut self) -> Option<PacketId> {
        (!self.exchanges.is_exhausted()).then(|| self.exchanges.insert(Exchange::Request))
    }

    /// Gives back an identifier of [`Self::reserve`]. Returns whether it was one.
    pub fn release(&mut self, id: PacketId) -> bool {
        let is_request = matches!(self.exchanges.get(id), Some(Exchange::Request));
        if is_request {
            self.exchanges.remove(id);
        }
        is_request
    }

    /// Applies a PUBACK (§4.3.2). It ends the exchange whatever its Reason Code.
    ///
    /// Errors if the message was sent at QoS 2, whose answer is PUBREC.
    pub fn handle_puback(&mut self, puback: &Puback) -> Result<Step<M>, ProtocolError> {
        let id = puback.id;
        match self.awaiting(id) {
            None => Ok(Step::UnknownIdentifier),
            Some(Awaiting::Puback) => Ok(self.finished(id)),
            Some(Awaiting::Pubrec | Awaiting::Pubcomp) => Err(ProtocolError::PubackForQoS2 { id }),
        }
    }

    /// Applies a PUBREC and returns the step it asks for (§4.3.3).
    ///
    /// An error in it ends the exchange [MQTT-4.3.3-4]. If it comes when PUBREL was sent already,
    /// PUBREL goes out once more: the receiver waits for it. Errors if the message was sent at
    /// QoS 1, whose answer is PUBACK.
    pub fn handle_pubrec(&mut self, pubrec: &Pubrec) -> Result<Step<M>, ProtocolError> {
        let id = pubrec.id;
        let Some(awaiting) = self.awaiting_mut(id) else {
            // We lost this exchange, the peer did not: let it finish (§3.6.2.1).
            return Ok(Step::SendPubrel {
                id,
                reason: ReasonCode::PacketIdentifierNotFound,
            });
        };
        match awaiting {
            Awaiting::Puback => Err(ProtocolError::PubrecForQoS1 { id }),
            Awaiting::Pubrec if pubrec.reason.is_error() => Ok(self.finished(id)),
            // From here on PUBREL is resent, PUBLISH never [MQTT-4.3.3-6].
            Awaiting::Pubrec | Awaiting::Pubcomp => {
                *awaiting = Awaiting::Pubcomp;
                Ok(Step::SendPubrel {
                    id,
                    reason: ReasonCode::Success,
                })
            }
        }
    }

    /// Applies a PUBCOMP (§4.3.3). It ends the exchange whatever its Reason Code.
    ///
    /// Errors if the message was sent at QoS 1, or if its PUBREC has not come.
    pub fn handle_pubcomp(&mut self, pubcomp: &Pubcomp) -> Result<Step<M>, ProtocolError> {
        let id = pubcomp.id;
        match self.awaiting(id) {
            None => Ok(Step::UnknownIdentifier),
            Some(Awaiting::Puback) => Err(ProtocolError::PubcompForQoS1 { id }),
            Some(Awaiting::Pubrec) => Err(ProtocolError::PubcompBeforePubrec { id }),
            Some(Awaiting::Pubcomp) => Ok(self.finished(id)),
        }
    }

    /// Takes the next packet to resend, oldest first, as far as the quota allows.
    ///
    /// Ask again after every answer of the peer: each may make room.
    pub fn poll_resend(&mut self) -> Option<Resend> {
        let resends = self.resends.as_mut()?;
        while let Some(&next) = resends.queue.front() {
            let is_due = match (next, self.exchanges.get_mut(next.id())) {
                (
                    Resend::Publish(_),
                    Some(Exchange::Message {
                        awaiting,
                        holds_quota,
                        ..
                    }),
                ) => {
                    let is_due = *awaiting != Awaiting::Pubcomp && !*holds_quota;
                    if is_due && self.quota == 0 {
                        if resends.bring_pubrels_forward() {
                            continue;
                        }
                        return None;
                    }
                    if is_due {
                        *holds_quota = true;
                        self.quota -= 1;
                    }
                    is_due
                }
                (Resend::Pubrel(_), Some(Exchange::Message { awaiting, .. })) => {
                    *awaiting == Awaiting::Pubcomp
                }
                (_, Some(Exchange::Request) | None) => false,
            };
            resends.queue.pop_front();
            if is_due {
                if resends.queue.is_empty() {
                    self.resends = None;
                }
                return Some(next);
            }
        }
        self.resends = None;
        None
    }

    /// The message of an exchange.
    pub fn message(&self, id: PacketId) -> Option<&M> {
        match self.exchanges.get(id)? {
            Exchange::Message { message, .. } => Some(message),
            Exchange::Request => None,
        }
    }

    /// The message of an exchange, to change: what PUBREL does not need may go after PUBREC.
    pub fn message_mut(&mut self, id: PacketId) -> Option<&mut M> {
        match self.exchanges.get_mut(id)? {
            Exchange::Message { message, .. } => Some(message),
            Exchange::Request => None,
        }
    }

    /// What an exchange waits for.
    pub fn awaiting(&self, id: PacketId) -> Option<Awaiting> {
        match self.exchanges.get(id)? {
            Exchange::Message { awaiting, .. } => Some(*awaiting),
            Exchange::Request => None,
        }
    }

    /// Ends an exchange as if the peer had completed it, and returns its message.
    ///
    /// For a message that can no longer be sent, such as one that is larger than a new
    /// connection's Maximum Packet Size [MQTT-3.1.2-25].
    pub fn abandon(&mut self, id: PacketId) -> Option<M> {
        self.awaiting(id)?;
        self.finish(id)
    }

    /// Abandons the messages that `choose` says yes to and returns them in send order.
    ///
    /// For messages that go to another Session, as those of a shared subscription do (§4.8.2).
    pub fn extract(&mut self, mut choose: impl FnMut(Awaiting, &M) -> bool) -> Vec<M> {
        let chosen: Vec<_> = self
            .iter()
            .filter(|&(_, awaiting, message)| choose(awaiting, message))
            .map(|(id, ..)| id)
            .collect();
        chosen
            .into_iter()
            .filter_map(|id| self.finish(id))
            .collect()
    }

    /// Ends the Session's exchanges and requests: what was in flight, in send order.
    pub fn drain(&mut self) -> impl Iterator<Item = (PacketId, Awaiting, M)> + use<M> {
        self.resends = None;
        self.quota = self.receive_maximum;
        self.exchanges
            .drain()
            .filter_map(|(id, exchange)| match exchange {
                Exchange::Message {
                    awaiting, message, ..
                } => Some((id, awaiting, message)),
                Exchange::Request => None,
            })
    }

    /// Puts back an unfinished message from stable storage, as the youngest. Not on a connection.
    ///
    /// # Panics
    ///
    /// If the identifier is in use.
    pub fn restore(&mut self, id: PacketId, awaiting: Awaiting, message: M) {
        let exchange = Exchange::Message {
            awaiting,
            holds_quota: false,
            message,
        };
        self.exchanges.restore(id, exchange);
    }

    /// Unfinished messages in the order in which they were sent.
    pub fn iter(&self) -> impl Iterator<Item = (PacketId, Awaiting, &M)> {
        self.exchanges
            .iter()
            .filter_map(|(id, exchange)| match exchange {
                Exchange::Message {
                    awaiting, message, ..
                } => Some((id, *awaiting, message)),
                Exchange::Request => None,
            })
    }

    /// How many identifiers are in use, requests included.
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// Whether nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    fn finished(&mut self, id: PacketId) -> Step<M> {
        self.finish(id)
            .map_or(Step::UnknownIdentifier, Step::Finished)
    }

    fn finish(&mut self, id: PacketId) -> Option<M> {
        match self.exchanges.remove(id)? {
            Exchange::Message {
                holds_quota,
                message,
                ..
            } => {
                self.quota += u16::from(holds_quota);
                Some(message)
            }
            Exchange::Request => None,
        }
    }

    fn awaiting_mut(&mut self, id: PacketId) -> Option<&mut Awaiting> {
        match self.exchanges.get_mut(id)? {
            Exchange::Message { awaiting, .. } => Some(awaiting),
            Exchange::Request => None,
        }
    }
}

impl Resend {
    /// Identifier of the exchange.
    pub fn id(self) -> PacketId {
        match self {
            Self::Publish(id) | Self::Pubrel(id) => id,
        }
    }
}

impl Resends {
    /// Lets PUBREL packets overtake PUBLISH packets that wait for quota. Returns whether one is
    /// now in front.
    fn bring_pubrels_forward(&mut self) -> bool {
        if self.order == ResendOrder::AsSent {
            self.order = ResendOrder::PubrelsFirst;
            let queue = self.queue.make_contiguous();
            queue.sort_by_key(|resend| matches!(resend, Resend::Publish(_)));
        }
        matches!(self.queue.front(), Some(Resend::Pubrel(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    fn connected(receive_maximum: u16) -> Outbound<char> {
        let mut outbound = Outbound::default();
        outbound.resume(receive_maximum);
        outbound
    }

    fn puback(id: PacketId) -> Puback {
        Puback::new(id, ReasonCode::Success)
    }

    fn pubrec(id: PacketId) -> Pubrec {
        Pubrec::new(id, ReasonCode::Success)
    }

    fn pubcomp(id: PacketId) -> Pubcomp {
        Pubcomp::new(id, ReasonCode::Success)
    }

    fn resends(outbound: &mut Outbound<char>) -> Vec<Resend> {
        std::iter::from_fn(|| outbound.poll_resend()).collect()
    }

    /// Each message takes one of the send quota and its PUBACK gives it back [MQTT-4.9.0-1]
    /// [MQTT-4.9.0-2].
    #[test]
    fn no_more_messages_are_sent_than_the_receive_maximum() {
        let mut outbound = connected(2);
        let first = outbound.send(QoS::AtLeastOnce, 'a');
        outbound.send(QoS::ExactlyOnce, 'b');
        assert!(!outbound.can_send());

        let step = outbound.handle_puback(&puback(first));

        assert_eq!(step, Ok(Step::Finished('a')));
        assert!(outbound.can_send());
        assert_eq!(outbound.quota(), 1);
    }

    /// PUBREC is half of the exchange: only PUBCOMP gives the quota back (§4.9).
    #[test]
    fn pubrec_keeps_the_quota_and_pubcomp_returns_it() {
        let mut outbound = connected(1);
        let sent = outbound.send(QoS::ExactlyOnce, 'a');

        let step = outbound.handle_pubrec(&pubrec(sent));
        assert_eq!(
            step,
            Ok(Step::SendPubrel {
                id: sent,
                reason: ReasonCode::Success
            })
        );
        assert_eq!(outbound.quota(), 0);

        let step = outbound.handle_pubcomp(&pubcomp(sent));
        assert_eq!(step, Ok(Step::Finished('a')));
        assert_eq!(outbound.quota(), 1);
    }

    /// A refused QoS 2 message is finished and gives its quota back (§4.9).
    #[test]
    fn pubrec_with_an_error_returns_the_quota() {
        let mut outbound = connected(2);
        let sent = outbound.send(QoS::ExactlyOnce, 'a');
        assert_eq!(outbound.quota(), 1);

        let step = outbound.handle_pubrec(&Pubrec::new(sent, ReasonCode::QuotaExceeded));

        assert_eq!(step, Ok(Step::Finished('a')));
        assert_eq!(outbound.quota(), 2);
        assert!(outbound.is_empty());
    }

    /// PUBLISH and PUBREL that are unacknowledged go again after a reconnect [MQTT-4.4.0-1], in
    /// the order in which the messages were sent [MQTT-4.6.0-1].
    #[test]
    fn everything_unfinished_is_resent_in_its_original_order() {
        let mut outbound = connected(10);
        let ids = ['a', 'b', 'c', 'd'].map(|message| outbound.send(QoS::ExactlyOnce, message));
        let last = outbound.send(QoS::AtLeastOnce, 'e');
        for id in [ids[3], ids[1]] {
            outbound.handle_pubrec(&pubrec(id)).unwrap();
        }
        outbound.handle_pubcomp(&pubcomp(ids[3])).unwrap();

        outbound.connection_lost();
        outbound.resume(10);

        let expected = [
            Resend::Publish(ids[0]),
            Resend::Pubrel(ids[1]),
            Resend::Publish(ids[2]),
            Resend::Publish(last),
        ];
        assert_eq!(resends(&mut outbound), expected);
    }

    /// Messages are resent after a reconnect and at no other time [MQTT-4.4.0-1].
    #[test]
    fn nothing_is_resent_on_the_same_connection() {
        let mut outbound = connected(10);
        outbound.send(QoS::AtLeastOnce, 'a');

        assert_eq!(outbound.poll_resend(), None);
    }

    /// After PUBREC the PUBLISH is never sent again [MQTT-4.3.3-6].
    #[test]
    fn publish_is_not_resent_once_pubrec_came() {
        let mut outbound = connected(1);
        let sent = outbound.send(QoS::ExactlyOnce, 'a');
        outbound.handle_pubrec(&pubrec(sent)).unwrap();

        outbound.connection_lost();
        outbound.resume(1);

        assert_eq!(resends(&mut outbound), [Resend::Pubrel(sent)]);
    }

    /// A smaller receive maximum than what is in flight is kept too [MQTT-3.3.4-9].
    #[test]
    fn a_smaller_receive_maximum_resends_in_windows() {
        let mut outbound = connected(10);
        let ids = ['a', 'b', 'c'].map(|message| outbound.send(QoS::AtLeastOnce, message));
        outbound.connection_lost();
        outbound.resume(1);
        assert_eq!(resends(&mut outbound), [Resend::Publish(ids[0])]);

        outbound.handle_puback(&puback(ids[0])).unwrap();
        assert!(!outbound.can_send(), "older messages go first");

        assert_eq!(resends(&mut outbound), [Resend::Publish(ids[1])]);
        outbound.handle_puback(&puback(ids[1])).unwrap();
        assert_eq!(resends(&mut outbound), [Resend::Publish(ids[2])]);
        outbound.handle_puback(&puback(ids[2])).unwrap();
        assert!(outbound.can_send());
    }

    /// PUBREL is no PUBLISH: the receive maximum does not hold it back [MQTT-4.9.0-3].
    #[test]
    fn pubrel_is_resent_without_quota() {
        let mut outbound = connected(10);
        let ids = ['a', 'b', 'c'].map(|message| outbound.send(QoS::ExactlyOnce, message));
        outbound.handle_pubrec(&pubrec(ids[2])).unwrap();

        outbound.connection_lost();
        outbound.resume(1);

        let expected = [Resend::Publish(ids[0]), Resend::Pubrel(ids[2])];
        assert_eq!(resends(&mut outbound), expected);
    }

    /// PUBCOMP for a PUBREL that was resent must not raise the quota above what the receiver
    /// counts (§4.9).
    #[test]
    fn pubcomp_for_a_resent_pubrel_returns_no_quota() {
        let mut outbound = connected(2);
        let sent = outbound.send(QoS::ExactlyOnce, 'a');
        outbound.handle_pubrec(&pubrec(sent)).unwrap();
        outbound.connection_lost();
        outbound.resume(2);
        resends(&mut outbound);
        outbound.send(QoS::AtLeastOnce, 'b');

        outbound.handle_pubcomp(&pubcomp(sent)).unwrap();

        assert_eq!(outbound.quota(), 1);
    }

    /// What is answered before its turn to be resent is passed over.
    #[test]
    fn an_answered_message_is_not_resent() {
        let mut outbound = connected(10);
        let ids = ['a', 'b'].map(|message| outbound.send(QoS::AtLeastOnce, message));
        outbound.connection_lost();
        outbound.resume(10);

        outbound.handle_puback(&puback(ids[0])).unwrap();

        assert_eq!(resends(&mut outbound), [Resend::Publish(ids[1])]);
        assert_eq!(outbound.quota(), 9);
    }

    /// PUBREC for an exchange we do not know is answered, so that the peer can finish (§3.6.2.1).
    #[test]
    fn pubrec_for_an_unknown_identifier_asks_for_pubrel_0x92() {
        let mut outbound = connected(1);

        let step = outbound.handle_pubrec(&pubrec(id(7)));

        assert_eq!(
            step,
            Ok(Step::SendPubrel {
                id: id(7),
                reason: ReasonCode::PacketIdentifierNotFound
            })
        );
    }

    /// PUBACK and PUBCOMP for identifiers that are not in use change nothing.
    #[test]
    fn answers_to_nothing_are_ignored() {
        let mut outbound = connected(1);

        let puback = outbound.handle_puback(&puback(id(7)));
        let pubcomp = outbound.handle_pubcomp(&pubcomp(id(7)));

        assert_eq!(puback, Ok(Step::UnknownIdentifier));
        assert_eq!(pubcomp, Ok(Step::UnknownIdentifier));
        assert_eq!(outbound.quota(), 1);
    }

    /// QoS 1 is answered with PUBACK (§4.3.2), QoS 2 with PUBREC and then PUBCOMP (§4.3.3).
    #[test]
    fn an_answer_of_the_wrong_kind_is_a_protocol_error() {
        let mut outbound = connected(2);
        let qos1 = outbound.send(QoS::AtLeastOnce, 'a');
        let qos2 = outbound.send(QoS::ExactlyOnce, 'b');

        let errors = [
            outbound.handle_puback(&puback(qos2)),
            outbound.handle_pubrec(&pubrec(qos1)),
            outbound.handle_pubcomp(&pubcomp(qos1)),
            outbound.handle_pubcomp(&pubcomp(qos2)),
        ];

        let expected = [
            Err(ProtocolError::PubackForQoS2 { id: qos2 }),
            Err(ProtocolError::PubrecForQoS1 { id: qos1 }),
            Err(ProtocolError::PubcompForQoS1 { id: qos1 }),
            Err(ProtocolError::PubcompBeforePubrec { id: qos2 }),
        ];
        assert_eq!(errors, expected);
        assert_eq!(outbound.len(), 2);
    }

    /// SUBSCRIBE and PUBLISH share the identifiers [MQTT-2.2.1-3], not the quota.
    #[test]
    fn a_request_takes_an_identifier_but_no_quota() {
        let mut outbound = connected(1);

        let request = outbound.reserve().unwrap();
        let sent = outbound.send(QoS::AtLeastOnce, 'a');

        assert_ne!(request, sent);
        assert_eq!(
            outbound.handle_puback(&puback(request)),
            Ok(Step::UnknownIdentifier)
        );
        assert!(outbound.release(request));
        assert!(!outbound.release(sent));
    }

    /// A request is not part of the Session State (§4.1): it ends with its connection.
    #[test]
    fn a_request_is_not_resent() {
        let mut outbound = connected(1);
        outbound.reserve().unwrap();

        outbound.connection_lost();
        outbound.resume(1);

        assert_eq!(resends(&mut outbound), []);
        assert!(outbound.is_empty());
    }

    /// Exchanges survive a restart of the server in their order.
    #[test]
    fn restored_messages_are_resent_in_the_order_they_are_restored_in() {
        let mut outbound = Outbound::default();
        outbound.restore(id(9), Awaiting::Pubcomp, 'a');
        outbound.restore(id(2), Awaiting::Puback, 'b');

        outbound.resume(10);

        let expected = [Resend::Pubrel(id(9)), Resend::Publish(id(2))];
        assert_eq!(resends(&mut outbound), expected);
        assert_eq!(outbound.send(QoS::AtLeastOnce, 'c'), id(3));
    }

    /// Messages of a shared subscription go back to the group in their order (§4.8.2).
    #[test]
    fn extracted_messages_keep_their_order() {
        let mut outbound = connected(10);
        for message in ['a', 'B', 'c', 'D'] {
            outbound.send(QoS::AtLeastOnce, message);
        }

        let extracted = outbound.extract(|_, message| message.is_ascii_uppercase());

        assert_eq!(extracted, ['B', 'D']);
        assert_eq!(outbound.quota(), 8);
    }

    /// A Session with nothing in flight costs no heap memory.
    #[test]
    fn an_empty_outbound_is_small() {
        assert!(size_of::<Outbound<char>>() <= 64);
    }
}
