//! Whether each message of a shared subscription reached one member, also where a member was lost (§4.8.2).

use squall_protocol::QoS;

use super::Deliveries;
use crate::books::stream::OpenPledge;
use crate::books::topics::FilterKey;

/// What became of the messages of shared subscriptions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ShareCounts {
    /// Messages that came to a member for the first time.
    pub(crate) came: u64,
    /// Copies of them that a member got though another one, or the same, had the message.
    pub(crate) twice: u64,
    /// Messages that reached no member, though no member was lost that may have had them.
    pub(crate) lost: u64,
    /// Messages at QoS 1 that no member had had when the Session of one ended.
    pub(crate) at_stake: u64,
    /// Of all messages that a lost member may have had, those that reached no other.
    pub(crate) not_passed_on: u64,
    /// Messages that could come still when the run ended.
    pub(crate) coming: u64,
}

impl Deliveries {
    /// What became of the messages of shared subscriptions.
    pub(crate) fn share_counts(&self) -> ShareCounts {
        self.share_counts
    }

    /// A member's Session ended: what is under way at QoS 1 must reach another member, if there is one.
    pub(super) fn note_at_stake(&mut self, filter: FilterKey) {
        let Some(share) = self.shares.get(&filter) else {
            return;
        };
        if share.certain(&self.sessions, filter).is_none() {
            return;
        }
        let cursors = share.open.at(QoS::AtLeastOnce);
        let open: u64 = cursors
            .map(|cursor| self.streams[cursor.stream].pending(cursor.place, QoS::AtLeastOnce))
            .sum();
        self.share_counts.at_stake += open;
    }

    /// A message of a shared subscription reached no member.
    pub(super) fn note_share_lost(&mut self, filter: FilterKey, open: &OpenPledge) {
        let share = self.shares.get(&filter);
        let was_disturbed = share.is_some_and(|share| open.record.sent_at <= share.disturbed_until);
        match was_disturbed {
            true => self.share_counts.not_passed_on += 1,
            false => self.share_counts.lost += 1,
        }
    }
}
