//! Receiver side of QoS 1 and QoS 2: which messages are new, and how many are unanswered (§4.3).
//!
//! One `Inbound` belongs to one Session. The QoS 2 identifiers that await PUBREL outlive the
//! Network Connection (§4.1); the count against the receive maximum does not (§4.9). The owner
//! decides when an answer is sent: it may wait for a disk, or, in a simulated device, for a fault
//! to end.
//!
//! Invariant: an identifier is in the set from the first PUBLISH that carries it until a PUBCOMP,
//! or a PUBREC with an error, is sent for it.

use std::collections::VecDeque;

use crate::packet::{Publish, Pubrel};
use crate::{PacketId, ProtocolError, QoS, ReasonCode};

/// An empty set with room for more entries than this gives its memory back.
const KEPT_ENTRIES_MAX: usize = 16;

/// Messages that came in and are not finished.
///
/// An empty one owns no heap memory.
#[derive(Clone, Debug, Default)]
pub struct Inbound {
    /// Ascending by identifier. Mostly it is changed at its ends, as peers count upwards.
    awaiting_pubrel: VecDeque<Unreleased>,
    /// What we allow on this connection; 0 without one.
    receive_maximum: u16,
    /// PUBLISH packets of this connection without their last answer: PUBACK, PUBCOMP or an error.
    in_flight: u16,
}

/// A QoS 2 message whose PUBREL is not answered.
#[derive(Clone, Copy, Debug)]
struct Unreleased {
    id: PacketId,
    /// Whether its PUBLISH came on this Network Connection.
    holds_quota: bool,
}

/// What a PUBLISH is to the receiver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Received {
    /// Deliver it onward.
    New,
    /// QoS 2, and its identifier awaits PUBREL: answer with PUBREC and do not deliver it again
    /// [MQTT-4.3.3-10].
    Duplicate,
}

impl Inbound {
    /// Starts the Session's next Network Connection, its first one included, on which
    /// `receive_maximum` QoS 1 and QoS 2 messages may be unanswered (§3.3.4).
    pub fn resume(&mut self, receive_maximum: u16) {
        self.receive_maximum = receive_maximum;
        self.in_flight = 0;
        for unreleased in &mut self.awaiting_pubrel {
            unreleased.holds_quota = false;
        }
    }

    /// Ends the Session's exchanges, not its connection.
    pub fn clear(&mut self) {
        self.awaiting_pubrel = VecDeque::new();
        self.in_flight = 0;
    }

    /// Applies a PUBLISH. At QoS 0 there is nothing to remember.
    ///
    /// Errors if more messages are unanswered than we allow: DISCONNECT with 0x93 (§3.3.4).
    ///
    /// # Panics
    ///
    /// If QoS is not 0 and there is no Packet Identifier, which no decoded packet has.
    pub fn handle_publish(&mut self, publish: &Publish<'_>) -> Result<Received, ProtocolError> {
        let id = || {
            publish
                .packet_id
                .expect("decoding requires it [MQTT-2.2.1-2]")
        };
        match publish.qos {
            QoS::AtMostOnce => Ok(Received::New),
            QoS::AtLeastOnce => {
                self.take_quota()?;
                Ok(Received::New)
            }
            QoS::ExactlyOnce => match self.find(id()) {
                Ok(index) if self.awaiting_pubrel[index].holds_quota => Ok(Received::Duplicate),
                Ok(index) => {
                    self.take_quota()?;
                    self.awaiting_pubrel[index].holds_quota = true;
                    Ok(Received::Duplicate)
                }
                Err(index) => {
                    self.take_quota()?;
                    let unreleased = Unreleased {
                        id: id(),
                        holds_quota: true,
                    };
                    self.awaiting_pubrel.insert(index, unreleased);
                    Ok(Received::New)
                }
            },
        }
    }

    /// Records that a PUBACK was sent, with whatever Reason Code, for a PUBLISH of this
    /// connection.
    pub fn puback_sent(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Records that a PUBREC with an error was sent: the exchange is over, and a PUBLISH with
    /// its identifier is a new message [MQTT-4.3.3-9].
    pub fn refused(&mut self, id: PacketId) {
        self.finish(id);
    }

    /// Applies a PUBREL whose PUBCOMP is sent now, and returns the PUBCOMP's Reason Code: Success,
    /// or Packet Identifier not found, which is not an error after a reconnect (§3.7.2.1).
    ///
    /// From here on a PUBLISH with this identifier is a new message [MQTT-4.3.3-12].
    pub fn handle_pubrel(&mut self, pubrel: &Pubrel) -> ReasonCode {
        if self.finish(pubrel.id) {
            ReasonCode::Success
        } else {
            ReasonCode::PacketIdentifierNotFound
        }
    }

    /// Whether a QoS 2 message with this identifier came and is not released.
    pub fn is_awaiting_pubrel(&self, id: PacketId) -> bool {
        self.find(id).is_ok()
    }

    /// Identifiers that await PUBREL, ascending.
    pub fn iter(&self) -> impl Iterator<Item = PacketId> {
        self.awaiting_pubrel.iter().map(|unreleased| unreleased.id)
    }

    /// Messages of this connection that count against the receive maximum.
    pub fn in_flight(&self) -> u16 {
        self.in_flight
    }

    fn take_quota(&mut self) -> Result<(), ProtocolError> {
        if self.in_flight >= self.receive_maximum {
            return Err(ProtocolError::ReceiveMaximumExceeded {
                limit: self.receive_maximum,
            });
        }
        self.in_flight += 1;
        Ok(())
    }

    /// Returns whether the identifier was in the set.
    fn finish(&mut self, id: PacketId) -> bool {
        let Ok(index) = self.find(id) else {
            return false;
        };
        if let Some(unreleased) = self.awaiting_pubrel.remove(index) {
            let held = u16::from(unreleased.holds_quota);
            self.in_flight = self.in_flight.saturating_sub(held);
        }
        if self.awaiting_pubrel.is_empty() && self.awaiting_pubrel.capacity() > KEPT_ENTRIES_MAX {
            self.awaiting_pubrel = VecDeque::new();
        }
        true
    }

    /// Where the identifier is, or where it belongs.
    fn find(&self, id: PacketId) -> Result<usize, usize> {
        match (self.awaiting_pubrel.front(), self.awaiting_pubrel.back()) {
            (Some(front), _) if front.id == id => Ok(0),
            (_, Some(back)) if back.id < id => Err(self.awaiting_pubrel.len()),
            _ => self
                .awaiting_pubrel
                .binary_search_by_key(&id, |unreleased| unreleased.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::PublishProperties;
    use crate::topic::TopicName;

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    fn publish(qos: QoS, packet_id: u16) -> Publish<'static> {
        Publish {
            dup: false,
            qos,
            retain: false,
            topic: TopicName::new("a").unwrap(),
            packet_id: PacketId::new(packet_id),
            properties: PublishProperties::default(),
            payload: b"",
        }
    }

    fn pubrel(value: u16) -> Pubrel {
        Pubrel::new(id(value), ReasonCode::Success)
    }

    fn connected(receive_maximum: u16) -> Inbound {
        let mut inbound = Inbound::default();
        inbound.resume(receive_maximum);
        inbound
    }

    /// A QoS 2 PUBLISH that comes again before its PUBREL is not delivered again
    /// [MQTT-4.3.3-10].
    #[test]
    fn an_identifier_that_awaits_pubrel_is_a_duplicate() {
        let mut inbound = connected(10);
        let qos2 = publish(QoS::ExactlyOnce, 1);
        assert_eq!(inbound.handle_publish(&qos2), Ok(Received::New));

        let again = inbound.handle_publish(&qos2);

        assert_eq!(again, Ok(Received::Duplicate));
        assert_eq!(inbound.in_flight(), 1);
    }

    /// The set of identifiers is Session State (§4.1).
    #[test]
    fn a_duplicate_is_known_after_a_reconnect() {
        let mut inbound = connected(10);
        let qos2 = publish(QoS::ExactlyOnce, 1);
        inbound.handle_publish(&qos2).unwrap();

        inbound.resume(10);

        assert_eq!(inbound.handle_publish(&qos2), Ok(Received::Duplicate));
    }

    /// After PUBCOMP a PUBLISH with the same identifier is a new message [MQTT-4.3.3-12].
    #[test]
    fn an_identifier_is_new_again_after_pubcomp() {
        let mut inbound = connected(10);
        let qos2 = publish(QoS::ExactlyOnce, 1);
        inbound.handle_publish(&qos2).unwrap();

        assert_eq!(inbound.handle_pubrel(&pubrel(1)), ReasonCode::Success);

        assert_eq!(inbound.handle_publish(&qos2), Ok(Received::New));
    }

    /// After PUBREC with an error a PUBLISH with the same identifier is new [MQTT-4.3.3-9].
    #[test]
    fn an_identifier_is_new_again_after_pubrec_with_an_error() {
        let mut inbound = connected(10);
        let qos2 = publish(QoS::ExactlyOnce, 1);
        inbound.handle_publish(&qos2).unwrap();

        inbound.refused(id(1));

        assert_eq!(inbound.in_flight(), 0);
        assert_eq!(inbound.handle_publish(&qos2), Ok(Received::New));
    }

    /// PUBREL for an exchange we do not know is answered with 0x92 (§3.7.2.1).
    #[test]
    fn pubrel_for_an_unknown_identifier_is_answered_with_0x92() {
        let mut inbound = connected(10);

        let reason = inbound.handle_pubrel(&pubrel(1));

        assert_eq!(reason, ReasonCode::PacketIdentifierNotFound);
    }

    /// QoS 1 has no duplicates to the receiver: each PUBLISH is a message [MQTT-4.3.2-5].
    #[test]
    fn a_qos_1_message_that_comes_again_is_delivered_again() {
        let mut inbound = connected(10);
        let qos1 = publish(QoS::AtLeastOnce, 1);

        let received = [inbound.handle_publish(&qos1), inbound.handle_publish(&qos1)];

        assert_eq!(received, [Ok(Received::New), Ok(Received::New)]);
    }

    /// More unanswered messages than the receive maximum are an error, 0x93 (§3.3.4).
    #[test]
    fn one_message_more_than_the_receive_maximum_is_refused() {
        let mut inbound = connected(2);
        inbound
            .handle_publish(&publish(QoS::AtLeastOnce, 1))
            .unwrap();
        inbound
            .handle_publish(&publish(QoS::ExactlyOnce, 2))
            .unwrap();

        let error = inbound
            .handle_publish(&publish(QoS::ExactlyOnce, 3))
            .unwrap_err();

        assert_eq!(error, ProtocolError::ReceiveMaximumExceeded { limit: 2 });
        assert_eq!(error.reason(), ReasonCode::ReceiveMaximumExceeded);
        assert!(!inbound.is_awaiting_pubrel(id(3)));
    }

    /// PUBACK and PUBCOMP make room, and QoS 0 takes none (§4.9).
    #[test]
    fn answers_give_the_receive_maximum_back() {
        let mut inbound = connected(2);
        inbound
            .handle_publish(&publish(QoS::AtLeastOnce, 1))
            .unwrap();
        inbound
            .handle_publish(&publish(QoS::ExactlyOnce, 2))
            .unwrap();
        inbound
            .handle_publish(&publish(QoS::AtMostOnce, 0))
            .unwrap();
        assert_eq!(inbound.in_flight(), 2);

        inbound.puback_sent();
        inbound.handle_pubrel(&pubrel(2));

        assert_eq!(inbound.in_flight(), 0);
    }

    /// The count is one of the connection (§3.3.4): what came on an earlier one, and is not sent
    /// again, takes nothing.
    #[test]
    fn the_receive_maximum_counts_from_0_on_each_connection() {
        let mut inbound = connected(1);
        inbound
            .handle_publish(&publish(QoS::ExactlyOnce, 1))
            .unwrap();

        inbound.resume(1);

        let next = inbound.handle_publish(&publish(QoS::ExactlyOnce, 2));
        assert_eq!(next, Ok(Received::New));
        assert_eq!(inbound.handle_pubrel(&pubrel(1)), ReasonCode::Success);
        assert_eq!(inbound.in_flight(), 1);
    }

    mod against_a_naive_set {
        use super::*;
        use proptest::prelude::*;
        use std::collections::BTreeMap;

        #[derive(Clone, Debug)]
        enum Action {
            Publish(u16),
            Pubrel(u16),
            Refuse(u16),
            Reconnect,
        }

        fn action() -> impl Strategy<Value = Action> {
            prop_oneof![
                8 => (1_u16..40).prop_map(Action::Publish),
                5 => (1_u16..40).prop_map(Action::Pubrel),
                1 => (1_u16..40).prop_map(Action::Refuse),
                1 => Just(Action::Reconnect),
            ]
        }

        proptest! {
            /// Answers and counts are those of a map from identifier to "came on this connection".
            #[test]
            fn every_answer_agrees(
                limit in 1_u16..20,
                actions in prop::collection::vec(action(), 1..300),
            ) {
                let mut inbound = connected(limit);
                let mut naive: BTreeMap<u16, bool> = BTreeMap::new();
                for action in actions {
                    let counted = naive.values().filter(|&&counted| counted).count();
                    match action {
                        Action::Publish(value) => {
                            let expected = match naive.get(&value) {
                                Some(true) => Ok(Received::Duplicate),
                                _ if counted == usize::from(limit) => {
                                    Err(ProtocolError::ReceiveMaximumExceeded { limit })
                                }
                                Some(false) => Ok(Received::Duplicate),
                                None => Ok(Received::New),
                            };
                            if expected.is_ok() {
                                naive.insert(value, true);
                            }
                            let qos2 = publish(QoS::ExactlyOnce, value);
                            prop_assert_eq!(inbound.handle_publish(&qos2), expected);
                        }
                        Action::Pubrel(value) => {
                            let expected = match naive.remove(&value) {
                                Some(_) => ReasonCode::Success,
                                None => ReasonCode::PacketIdentifierNotFound,
                            };
                            prop_assert_eq!(inbound.handle_pubrel(&pubrel(value)), expected);
                        }
                        Action::Refuse(value) => {
                            naive.remove(&value);
                            inbound.refused(id(value));
                        }
                        Action::Reconnect => {
                            naive.values_mut().for_each(|counted| *counted = false);
                            inbound.resume(limit);
                        }
                    }
                    let counted = naive.values().filter(|&&counted| counted).count();
                    prop_assert_eq!(usize::from(inbound.in_flight()), counted);
                }
                let kept: Vec<u16> = inbound.iter().map(PacketId::get).collect();
                prop_assert_eq!(kept, naive.into_keys().collect::<Vec<_>>());
            }
        }
    }
}
