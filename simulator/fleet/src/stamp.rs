//! The stamp that every simulated message carries, so that it can be accounted for.

use squall_protocol::Instant;

use squall_scenario::DeviceId;

/// Identity and due time of a message: 16 bytes in a binary payload.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Stamp {
    /// Who publishes it.
    pub device: DeviceId,
    /// Counts the messages of this device to this Topic Name, from 0, in the order they are due.
    pub sequence: u32,
    /// When it was due: latency counts from here, whatever the broker did.
    pub scheduled: Instant,
}
