//! How a Session went from one device to another.
//!
//! Each device has Packet Identifiers of its own. What one had begun to send at QoS 2 when it lost the Session is still open
//! for the broker when the next device begins with that identifier (§4.3.3). A broker that takes the PUBLISH for the one it has
//! never passes the later message on; one that sees that it is another gives the earlier one up, also where the later is of
//! QoS 1. So one of the two may be missing: what was left open at a move, and what is sent over another's identifier.
//!
//! What one device has received the next one does not know. So a message at QoS 2 that the broker may have had to send again when
//! the Session moved, because PUBREL had not come for it, comes a second time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use squall_fleet::{SenderLeg, Stamp};
use squall_protocol::PacketId;
use squall_scenario::DeviceId;

use crate::books::sequences::SequenceSet;

/// With fewer messages than this, settled ones are kept.
const DROPPED_FROM: usize = 256;

/// Ranges of messages that are remembered of a stream; with more, those between the first two count as well.
const RANGES_MAX: usize = 1_000;

/// The moves of one Session.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    /// The exchanges at QoS 2 that the broker may take for open, whichever device began them.
    open: BTreeMap<(PacketId, DeviceId), Exchange>,
    /// Messages that the broker may have taken for others, or given up for them, by stream and sequence.
    mistaken: BTreeSet<(usize, u32)>,
    /// How many of those there were when the settled ones were last dropped.
    kept: usize,
    /// All of them, the settled ones too: copies may come late.
    ever_mistaken: Messages,
    /// The identifier of a message at QoS 2 that comes just now.
    coming: Option<PacketId>,
    /// Messages at QoS 2 that came to the device that has the Session and whose PUBREL did not, by stream and sequence.
    receiving: BTreeMap<PacketId, (usize, u32)>,
    /// Those of the devices that had it before: they may come again.
    left_to_next: Messages,
}

/// Messages, by stream.
#[derive(Debug, Default)]
struct Messages(HashMap<usize, SequenceSet>);

/// Whether other messages have the Packet Identifier of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Others {
    None,
    WereOpen,
}

/// Whether the connection of a packet has its Session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Holder {
    /// It has.
    This,
    /// A later one has it by now.
    Another,
}

impl Messages {
    fn insert(&mut self, (stream, sequence): (usize, u32)) {
        let sequences = self.0.entry(stream).or_default();
        sequences.insert(sequence);
        sequences.forget_oldest_gap(RANGES_MAX);
    }

    fn contains(&self, stream: usize, sequence: u32) -> bool {
        let sequences = self.0.get(&stream);
        sequences.is_some_and(|sequences| sequences.contains(sequence))
    }
}

/// An exchange that the broker may take for open.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    stamp: Stamp,
    stream: usize,
}

impl Moves {
    /// Another device got the Session.
    pub(crate) fn note(&mut self) {
        let left: Vec<Exchange> = self.open.values().copied().collect();
        for exchange in left {
            self.note_mistaken((exchange.stream, exchange.stamp.sequence));
        }
        for message in std::mem::take(&mut self.receiving).into_values() {
            self.left_to_next.insert(message);
        }
    }

    fn note_mistaken(&mut self, message: (usize, u32)) {
        self.mistaken.insert(message);
        self.ever_mistaken.insert(message);
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
                let exchange = Exchange { stamp, stream };
                if self.end_others(id, stamp) == Others::WereOpen {
                    self.note_mistaken((stream, stamp.sequence));
                }
                self.open.insert((id, stamp.device), exchange);
            }
            SenderLeg::PubrecReceived | SenderLeg::PubrelSent => {}
            SenderLeg::PubcompReceived => {
                self.end_others(id, stamp);
                self.open.retain(|&(of, _), _| of != id);
            }
        }
    }

    /// A message has the Packet Identifier of others that are open, as happens where CONNECTs of two devices cross: the broker may
    /// give those up, or take what is sent again of them for new.
    fn end_others(&mut self, id: PacketId, stamp: Stamp) -> Others {
        let of_id = (id, DeviceId(0))..=(id, DeviceId(u32::MAX));
        let others = self.open.range(of_id).map(|(_, exchange)| *exchange);
        let others: Vec<Exchange> = others.filter(|other| other.stamp != stamp).collect();
        for other in &others {
            self.note_mistaken((other.stream, other.stamp.sequence));
        }
        match others.is_empty() {
            true => Others::None,
            false => Others::WereOpen,
        }
    }

    /// The broker refused a message with its PUBREC: that ends its exchange [MQTT-4.3.3-4].
    pub(crate) fn handle_refused(&mut self, stamp: Stamp) {
        self.open.retain(|_, open| open.stamp != stamp);
    }

    /// The broker has begun the Session anew, and knows no exchange.
    pub(crate) fn forget(&mut self) {
        self.open.clear();
        self.receiving.clear();
    }

    /// A message at QoS 2 comes to a device, with this identifier.
    pub(crate) fn handle_coming(&mut self, id: PacketId) {
        self.coming = Some(id);
    }

    /// Which message that was.
    pub(crate) fn handle_came(&mut self, message: (usize, u32), holder: Holder) {
        let Some(id) = self.coming.take() else {
            return;
        };
        match holder {
            Holder::This => {
                self.receiving.insert(id, message);
            }
            Holder::Another => self.left_to_next.insert(message),
        }
    }

    /// PUBREL came to the device that has the Session: the broker has its PUBREC, and sends no PUBLISH any longer
    /// [MQTT-4.3.3-6].
    pub(crate) fn handle_released(&mut self, id: PacketId) {
        self.receiving.remove(&id);
    }

    /// Whether the broker may have to send a message again that a device had which had the Session before.
    pub(crate) fn was_left_to_next(&self, stream: usize, sequence: u32) -> bool {
        self.left_to_next.contains(stream, sequence)
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

    /// Whether the broker may have taken this message for another one, or given it up for that.
    pub(crate) fn was_mistaken(&self, stream: usize, sequence: u32) -> bool {
        self.mistaken.contains(&(stream, sequence))
    }

    /// The same, also of messages that are settled.
    pub(crate) fn was_ever_mistaken(&self, stream: usize, sequence: u32) -> bool {
        self.ever_mistaken.contains(stream, sequence)
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
            moves.note_mistaken((0, sequence));
            moves.drop_settled(is_open);
        }

        assert!(moves.mistaken.len() <= DROPPED_FROM.max(2 * 100));
        assert!(moves.was_ever_mistaken(0, 1), "a copy may come late");
        let open = (0..100_000).step_by(1_000);
        assert!(
            open.into_iter()
                .all(|sequence| moves.was_mistaken(0, sequence))
        );
    }
}
