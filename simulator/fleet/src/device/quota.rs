//! How many messages the broker has unacknowledged on a connection, as far as the device can tell (§4.9).
//!
//! What comes together was sent before the broker could read an answer to any of it. So an answer counts from the
//! next bytes on only: the count is never more than what the broker had in flight.

use std::collections::HashSet;

use squall_protocol::PacketId;

/// Messages of QoS 1 and 2 that came on one connection, and whose last answer is not sent or may not have been read
/// by the broker when it sent the next.
#[derive(Debug, Default)]
pub(super) struct Quota {
    open: HashSet<PacketId>,
    /// Those that were answered since the last bytes came.
    answered: Vec<PacketId>,
}

impl Quota {
    /// A new connection: its quota is full.
    pub(super) fn reset(&mut self) {
        self.open.clear();
        self.answered.clear();
    }

    /// A message came.
    pub(super) fn note_came(&mut self, id: PacketId) {
        self.open.insert(id);
    }

    /// The last answer to a message was written: PUBACK or PUBCOMP.
    pub(super) fn note_answered(&mut self, id: PacketId) {
        self.answered.push(id);
    }

    /// All that came together is handled, and the answers are sent. Gives the messages that the broker had in flight at
    /// least.
    pub(super) fn settle(&mut self) -> usize {
        let in_flight = self.open.len();
        for id in self.answered.drain(..) {
            self.open.remove(&id);
        }
        in_flight
    }
}
