//! Receiver side of QoS 1 and QoS 2: which messages are new, and how many are unanswered (§4.3).
//!
//! One `Inbound` belongs to one Session. The QoS 2 identifiers that await PUBREL outlive the
//! Network Connection (§4.1); the count against the receive maximum does not (§4.9). When an
//! answer is sent is the owner's decision: it may wait for a disk, or, in a simulated device, for
//! a fault to be over.
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
    /// PUBLISH packets of this connection that are not answered for good.
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
    /// or Packet Identifier not found, which is no error after a reconnect (§3.7.2.1).
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

    /// Puts back an identifier from stable storage. Not on a connection.
    pub fn restore(&mut self, id: PacketId) {
        if let Err(index) = self.find(id) {
            let unreleased = Unreleased {
                id,
                holds_quota: false,
            };
            self.awaiting_pubrel.insert(index, unreleased);
        }
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
