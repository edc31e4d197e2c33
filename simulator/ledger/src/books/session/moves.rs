//! How a Session went from one device to another.
//!
//! Each device has Packet Identifiers of its own. What one had begun to send at QoS 2 when it lost the Session is still open
//! for the broker when the next device begins with that identifier (§4.3.3). A broker that takes the PUBLISH for the one it has
//! never passes the later message on; one that sees that it is another gives the earlier one up, also where the later is of
//! QoS 1. So one of the two may be missing: what was left open at a move, and what is sent over another's identifier.

use std::collections::{BTreeMap, BTreeSet};

use squall_fleet::{SenderLeg, Stamp};
use squall_protocol::{Instant, PacketId};

/// With fewer messages than this, settled ones are kept.
const DROPPED_FROM: usize = 256;

/// The moves of one Session.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    last_at: Option<Instant>,
    /// Whether an exchange at QoS 2 was open at a move.
    was_left_open: bool,
    /// The exchanges at QoS 2 that the broker may take for open, whichever device began them.
    open: BTreeMap<PacketId, Exchange>,
    /// Messages that the broker may have taken for others, or given up for them, by stream and sequence.
    mistaken: BTreeSet<(usize, u32)>,
    /// How many of those there were when the settled ones were last dropped.
    kept: usize,
}

/// An exchange that the broker may take for open.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    stamp: Stamp,
    stream: usize,
}

impl Moves {
    /// Another device got the Session.
    pub(crate) fn note(&mut self, now: Instant) {
        self.last_at = Some(now);
        self.was_left_open |= !self.open.is_empty();
        let left = self.open.values();
        self.mistaken
            .extend(left.map(|exchange| (exchange.stream, exchange.stamp.sequence)));
    }

    /// A device sent or got a packet of an exchange in which it is the sender.
    pub(crate) fn handle_leg(
        &mut self,
        id: PacketId,
        (stamp, stream): (Stamp, usize),
        leg: SenderLeg,
    ) {
        match leg {
            SenderLeg::PublishSent | SenderLeg::PublishResent => {
                let before = self.open.insert(id, Exchange { stamp, stream });
                if before.is_some_and(|before| before.stamp != stamp) {
                    self.mistaken.insert((stream, stamp.sequence));
                }
            }
            SenderLeg::PubrecReceived | SenderLeg::PubrelSent => {}
            SenderLeg::PubcompReceived => {
                self.open.remove(&id);
            }
        }
    }

    /// The broker refused a message with its PUBREC: that ends its exchange [MQTT-4.3.3-4].
    pub(crate) fn handle_refused(&mut self, stamp: Stamp) {
        self.open.retain(|_, open| open.stamp != stamp);
    }

    /// The broker has begun the Session anew, and knows no exchange.
    pub(crate) fn forget(&mut self) {
        self.open.clear();
    }

    /// Drops the messages of which nothing is open, by `is_open`, once they may be most of what is kept.
    pub(crate) fn drop_settled(&mut self, is_open: impl Fn(usize, u32) -> bool) {
        if self.mistaken.len() < DROPPED_FROM.max(2 * self.kept) {
            return;
        }
        self.mistaken
            .retain(|&(stream, sequence)| is_open(stream, sequence));
        self.kept = self.mistaken.len();
    }

    /// Whether another device got it after `at`, or just then.
    pub(crate) fn has_moved_since(&self, at: Instant) -> bool {
        self.last_at.is_some_and(|last_at| at <= last_at)
    }

    /// Whether the broker may take what one device sends for what another had begun.
    pub(crate) fn may_mistake(&self) -> bool {
        self.was_left_open
    }

    /// Whether the broker may have taken this message for another one, or given it up for that.
    pub(crate) fn was_mistaken(&self, stream: usize, sequence: u32) -> bool {
        self.mistaken.contains(&(stream, sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Session that moves for hours keeps the messages that are open, not all that were.
    #[test]
    fn what_is_settled_is_dropped() {
        let mut moves = Moves::default();
        let is_open = |_, sequence| sequence % 1_000 == 0;
        for sequence in 0..100_000 {
            moves.mistaken.insert((0, sequence));
            moves.drop_settled(is_open);
        }

        assert!(moves.mistaken.len() <= DROPPED_FROM.max(2 * 100));
        let open = (0..100_000).step_by(1_000);
        assert!(
            open.into_iter()
                .all(|sequence| moves.was_mistaken(0, sequence))
        );
    }
}
