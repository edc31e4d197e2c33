//! How a Session went from one device to another.
//!
//! Each device has Packet Identifiers of its own. What one had begun to send at QoS 2 when it lost the Session is still open
//! for the broker, which takes the next PUBLISH with that identifier for it (§4.3.3): the message of that one may never be
//! passed on. Its PUBREL ends the exchange, so each costs one message at most.

use std::collections::{BTreeMap, BTreeSet};

use squall_fleet::{SenderLeg, Stamp};
use squall_protocol::{Instant, PacketId};

/// The moves of one Session.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    last_at: Option<Instant>,
    /// Whether an exchange at QoS 2 was open at a move.
    was_left_open: bool,
    /// The exchanges at QoS 2 that the broker may take for open, whichever device began them.
    open: BTreeMap<PacketId, Stamp>,
    /// Messages that the broker may have taken for others, by stream and sequence.
    mistaken: BTreeSet<(usize, u32)>,
}

/// Whether the broker may take a PUBLISH for that of another message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Begun {
    /// Its identifier was free, or was its own.
    Afresh,
    /// Another message had its identifier.
    OverAnother,
}

impl Moves {
    /// Another device got the Session.
    pub(crate) fn note(&mut self, now: Instant) {
        self.last_at = Some(now);
        self.was_left_open |= !self.open.is_empty();
    }

    /// A device sent or got a packet of an exchange in which it is the sender.
    pub(crate) fn handle_leg(&mut self, id: PacketId, stamp: Stamp, leg: SenderLeg) -> Begun {
        match leg {
            SenderLeg::PublishSent | SenderLeg::PublishResent => {
                let before = self.open.insert(id, stamp);
                match before.is_some_and(|before| before != stamp) {
                    true => Begun::OverAnother,
                    false => Begun::Afresh,
                }
            }
            SenderLeg::PubrecReceived | SenderLeg::PubrelSent => Begun::Afresh,
            SenderLeg::PubcompReceived => {
                self.open.remove(&id);
                Begun::Afresh
            }
        }
    }

    /// The broker refused a message with its PUBREC: that ends its exchange [MQTT-4.3.3-4].
    pub(crate) fn handle_refused(&mut self, stamp: Stamp) {
        self.open.retain(|_, open| *open != stamp);
    }

    /// The broker has begun the Session anew, and knows no exchange.
    pub(crate) fn forget(&mut self) {
        self.open.clear();
    }

    /// Whether another device got it after `at`, or just then.
    pub(crate) fn has_moved_since(&self, at: Instant) -> bool {
        self.last_at.is_some_and(|last_at| at <= last_at)
    }

    /// Whether the broker may take what one device sends for what another had begun.
    pub(crate) fn may_mistake(&self) -> bool {
        self.was_left_open
    }

    /// The broker may have taken this message for another one.
    pub(crate) fn note_mistaken(&mut self, stream: usize, sequence: u32) {
        self.mistaken.insert((stream, sequence));
    }

    /// Whether the broker may have taken this message for another one.
    pub(crate) fn was_mistaken(&self, stream: usize, sequence: u32) -> bool {
        self.mistaken.contains(&(stream, sequence))
    }
}
