//! How a Session went from one device to another.
//!
//! Each device has Packet Identifiers of its own. What one had begun to send at QoS 2 when it lost the Session is still open
//! for the broker, which takes the next PUBLISH with that identifier for it (§4.3.3): each such exchange costs the device
//! after it one message at most, for that one's PUBREL ends it.

use std::collections::BTreeSet;

use squall_protocol::Instant;

/// The moves of one Session.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    last_at: Option<Instant>,
    /// Exchanges at QoS 2 that were open at any move, at most.
    left_open: u64,
    /// Messages that the broker is taken to have had for those, by stream and sequence.
    taken: BTreeSet<(usize, u32)>,
}

impl Moves {
    /// Another device got the Session; that before had up to `left_open` exchanges at QoS 2 open.
    pub(crate) fn note(&mut self, now: Instant, left_open: u64) {
        self.last_at = Some(now);
        self.left_open += left_open;
    }

    /// Whether another device got it after `at`, or just then.
    pub(crate) fn has_moved_since(&self, at: Instant) -> bool {
        self.last_at.is_some_and(|last_at| at <= last_at)
    }

    /// Whether the broker may take what one device sends for what another had begun.
    pub(crate) fn may_mistake(&self) -> bool {
        self.left_open > 0
    }

    /// Whether the broker may have taken this message too for what another device had begun; remembers it.
    pub(crate) fn take_for_another(&mut self, stream: usize, sequence: u32) -> bool {
        let message = (stream, sequence);
        if !self.taken.contains(&message) && self.taken.len() as u64 >= self.left_open {
            return false;
        }
        self.taken.insert(message);
        true
    }
}
