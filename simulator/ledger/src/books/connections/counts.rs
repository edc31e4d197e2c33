//! What the connections of one group came to.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_fleet::OpenError;
use squall_protocol::ReasonCode;

use super::end::EndKind;
use super::{OPENING_ON_LINK, open_error_name};

/// Connections of one group.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GroupCounts {
    /// Transports that were asked for.
    pub attempts: u64,
    /// CONNACKs with success.
    pub connected: u64,
    /// Of those, with Session Present.
    pub session_present: u64,
    /// Of those, by a device that had been connected before.
    pub reconnects: u64,
    /// Transports that could not be had.
    pub open_failed: BTreeMap<&'static str, u64>,
    /// Attempts that came to nothing because a fault had the broker away.
    pub kept_out_by_fault: u64,
    /// CONNECTs that were sent.
    pub connects: u64,
    /// CONNACKs with an error, by Reason Code.
    pub refused: BTreeMap<ReasonCode, u64>,
    /// Ends by cause.
    pub ended: BTreeMap<EndKind, u64>,
    /// Of those, the ends of connections with a CONNACK that neither the scenario nor the device asked
    /// for.
    pub unexpected: BTreeMap<EndKind, u64>,
    /// CONNECTs whose connections ended without a CONNACK with success before the run was over.
    pub ended_early: u64,
    /// Ends before any CONNACK that the scenario did not ask for: the broker refused the CONNECT
    /// without saying so.
    pub unanswered: BTreeMap<EndKind, u64>,
    /// How long devices were connected, added up.
    pub online: Duration,
    /// How long devices were away between two connections, or after their last one, added up.
    pub away: Duration,
    /// How much of that nothing in the scenario asked for.
    pub away_unasked: Duration,
}

impl GroupCounts {
    /// CONNECTs that had no answer yet when the run was over.
    pub fn under_way(&self) -> u64 {
        self.connects - self.connected - self.ended_early
    }

    /// Connections that the broker or the network refused: our own limits aside.
    pub fn refused_total(&self) -> u64 {
        let local = open_error_name(OpenError::LocalLimit);
        let transports = self
            .open_failed
            .iter()
            .filter(|&(&name, _)| name != local && name != OPENING_ON_LINK)
            .map(|(_, count)| count);
        transports
            .chain(self.refused.values())
            .chain(self.unanswered.values())
            .sum()
    }

    /// Ends that neither the scenario nor the device asked for.
    pub fn unexpected_total(&self) -> u64 {
        self.unexpected.values().sum()
    }
}
