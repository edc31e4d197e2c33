//! What is counted of takeovers, and what a claim about them says.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_protocol::ReasonCode;

/// A claim about takeovers, as the ledger watches over it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TakeoverLimits {
    /// Which `[[expect]]`.
    pub(crate) expectation: usize,
    /// Connections that may be alive at once.
    pub(crate) alive: Option<u32>,
    /// Longest time from a newer CONNACK to the end of the older connection.
    pub(crate) closed_within: Option<Duration>,
    /// What the displaced must be told.
    pub(crate) reason: Option<ReasonCode>,
}

/// Counts of all takeovers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TakeoverCounts {
    /// Client Identifiers that more than one device, or one device twice at once, used.
    pub contended_ids: u64,
    /// Connections that took an identifier over from one that was alive: each displaced one.
    pub takeovers: u64,
    /// Displaced connections that the broker closed.
    pub displaced_closed: u64,
    /// Displaced connections that were still open at the end.
    pub displaced_open: u64,
    /// Displaced connections that ended otherwise, before the broker closed them: by a fault, a
    /// cut, a timeout, or the end of the run.
    pub displaced_otherwise: u64,
    /// What the displaced were told, by Reason Code; `None` for a bare close.
    pub reasons: BTreeMap<Option<u8>, u64>,
    /// The most connections of one identifier that looked alive at once.
    pub most_alive: u64,
    /// The most that were alive at once for longer than allowed, themselves included.
    pub most_alive_too_long: u64,
    /// Longest time from a newer CONNACK to the end of the older connection.
    pub slowest_close: Option<Duration>,
    /// CONNACKs whose Session Present was as it must be.
    pub session_present_right: u64,
    /// CONNACKs whose Session Present was not.
    pub session_present_wrong: u64,
    /// Of those, the ones that said that there is no Session where there must be one.
    pub sessions_gone: u64,
}

/// Violations of one claim.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct TakeoverViolations {
    /// More alive than allowed for longer than allowed.
    pub(crate) alive: u64,
    /// Closed too late, or not at all.
    pub(crate) late: u64,
    /// Told something else.
    pub(crate) reason: u64,
}
