//! The names of the times that faults strike.

use squall_protocol::Instant;
use squall_scenario::FaultId;

/// One time that one fault fires.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Firing {
    /// The planned moment.
    pub(crate) at: Instant,
    /// The fault that fires.
    pub(crate) fault: FaultId,
    /// How many times it fired before.
    pub(crate) number: u64,
}
