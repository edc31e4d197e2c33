//! What is counted of exchanges.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_fleet::{ReceiverLeg, SenderLeg};

/// Counts of all exchanges.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HandshakeCounts {
    /// Exchanges that devices began.
    pub sender_started: u64,
    /// Of those, finished.
    pub sender_completed: u64,
    /// Exchanges that the broker began.
    pub receiver_started: u64,
    /// Of those, finished.
    pub receiver_completed: u64,
    /// PUBLISH packets that devices sent again.
    pub dup_sent: u64,
    /// Of those, answered with PUBREC.
    pub dup_answered: u64,
    /// Of those, not answered though the connection was up for longer than it takes to answer one.
    pub dup_unanswered: u64,
    /// Of those, what the broker could answer still when the run ended.
    pub dup_coming: Unjudged,
    /// Of those, the ones that had waited for long when their connection ended, and not for so long that they are unanswered.
    pub dup_left: u64,
    /// PUBLISH packets that came again after the PUBREL of their exchange.
    pub publish_after_pubrel: u64,
    /// Exchanges that were the broker's turn, for longer than it takes to go on with one, when the run, the Session or the last
    /// connection of the Session ended.
    pub incomplete: u64,
    /// Further ones that it could go on with still when the run ended.
    pub coming: Unjudged,
    /// Further ones that had waited for long when the Session or its last connection ended, and not for so long that they are
    /// incomplete.
    pub left: u64,
    /// Exchanges that were open at the end, or had waited for long when their Session ended, by side and last step.
    pub open: BTreeMap<&'static str, u64>,
    /// Packets that devices sent again on the same connection, by packet and QoS.
    pub repeated: BTreeMap<&'static str, u64>,
    /// Connections cut on purpose, by the step after which.
    pub cuts: BTreeMap<&'static str, u64>,
    /// Answers kept back on purpose.
    pub withheld: BTreeMap<&'static str, u64>,
    /// Packets of each of the sender's legs.
    pub sender_legs: BTreeMap<SenderLeg, u64>,
    /// Packets of each of the receiver's legs.
    pub receiver_legs: BTreeMap<ReceiverLeg, u64>,
}

/// What waited for the broker when the run ended, and not for long enough to tell.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Unjudged {
    /// How many.
    pub count: u64,
    /// How much longer the run would have had to go on to tell what became of all of those.
    pub short_by: Duration,
}

impl Unjudged {
    /// Adds some for which the run was too short by so much.
    pub(super) fn add(&mut self, count: u64, short_by: Duration) {
        self.count += count;
        self.short_by = self.short_by.max(short_by);
    }
}
