//! Malformed packets that a fault sends, and what the broker does about them.

use squall_protocol::{Malformation, ReasonCode, Version};
use squall_scenario::FaultId;

use super::Path;

/// A step in the life of a connection on which a malformed packet was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProvocationFact {
    /// The packet was sent; nothing follows it on this connection.
    Sent {
        /// The fault that sent it.
        fault: FaultId,
        /// How many times it had fired before.
        number: u64,
        /// The rule that the packet breaks.
        malformation: Malformation,
        /// Protocol version of the connection.
        version: Version,
        /// How it gets to the broker.
        path: Path,
    },
    /// DISCONNECT came, with this reason.
    Told(ReasonCode),
    /// The broker closed the connection.
    Closed,
}
