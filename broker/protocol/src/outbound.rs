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
    /// Nothing to do: the identifier is not in use, or the answer comes after one that it contradicts.
    Ignored,
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
    /// Success is sent or received; the one before has ended with [`Self::connection_lost`]. Take
    /// [`Self::poll_resend`] until it is `None`, then send.
    ///
    /// `receive_maximum` is what the peer allows on this connection: 65,535 if it does not say,
    /// and in 3.1.1 [MQTT-3.3.4-7].
    pub fn resume(&mut self, receive_maximum: u16) {
        self.receive_maximum = receive_maximum;
        self.quota = receive_maximum;
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
        for exchange in self.exchanges.values_mut() {
            if let Exchange::Message { holds_quota, .. } = exchange {
                *holds_quota = false;
            }
        }
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
            None => Ok(Step::Ignored),
            Some(Awaiting::Puback) => Ok(self.finished(id)),
            Some(Awaiting::Pubrec | Awaiting::Pubcomp) => Err(ProtocolError::PubackForQoS2 { id }),
        }
    }

    /// Applies a PUBREC and returns the step it asks for (§4.3.3).
    ///
    /// An error in it ends the exchange and is never answered: PUBREL follows only on a code below
    /// 0x80 [MQTT-4.3.3-4]. If one without an error comes when PUBREL was sent already, PUBREL goes
    /// out once more: the receiver waits for it.
    ///
    /// Errors if the message was sent at QoS 1, whose answer is PUBACK.
    pub fn handle_pubrec(&mut self, pubrec: &Pubrec) -> Result<Step<M>, ProtocolError> {
        let id = pubrec.id;
        let Some(awaiting) = self.awaiting_mut(id) else {
            if pubrec.reason.is_error() {
                return Ok(Step::Ignored);
            }
            // We lost this exchange, the peer did not: let it finish (§3.6.2.1).
            return Ok(Step::SendPubrel {
                id,
                reason: ReasonCode::PacketIdentifierNotFound,
            });
        };
        match awaiting {
            Awaiting::Puback => Err(ProtocolError::PubrecForQoS1 { id }),
            Awaiting::Pubrec if pubrec.reason.is_error() => Ok(self.finished(id)),
            // The message was accepted with an earlier PUBREC: its PUBCOMP is still due.
            Awaiting::Pubcomp if pubrec.reason.is_error() => Ok(Step::Ignored),
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
            None => Ok(Step::Ignored),
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
        self.finish(id).map_or(Step::Ignored, Step::Finished)
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
