//! Whether each message of a shared subscription reached one member, also where a member was lost (§4.8.2).

use squall_protocol::QoS;

use super::lost_members::LostMember;
use super::{Deliveries, StreamId, group_of};
use crate::books::stream::OpenPledge;
use crate::books::tallies::Excuse;
use crate::books::topics::{FilterKey, Recipient};

/// What became of the messages of shared subscriptions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ShareCounts {
    /// Messages that came to a member for the first time.
    pub(crate) came: u64,
    /// Copies of them that a member got though another one, or the same, had the message.
    pub(crate) twice: u64,
    /// Messages above QoS 0 that reached no member, though no member was lost that may have had them.
    pub(crate) lost: u64,
    /// Messages at QoS 1 that no member had had when the Session of one ended.
    pub(crate) at_stake: u64,
    /// Of all messages above QoS 0 that a lost member may have had, those that reached no other.
    pub(crate) not_passed_on: u64,
    /// Messages above QoS 0 that could come still when the run ended.
    pub(crate) coming: u64,
    /// Messages above QoS 0 that did not come, of which it is not known whether the broker had lost them.
    pub(crate) late: u64,
    /// Messages above QoS 0 that reached no member, of which it is not known whether a lost member had had them.
    pub(crate) unclear: u64,
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

    /// A message of a shared subscription reached no member. One at QoS 0 need not (§4.3.1).
    pub(super) fn note_share_lost(&mut self, filter: FilterKey, open: &OpenPledge) {
        if open.owed == QoS::AtMostOnce {
            return;
        }
        match self.lost_member_at_end(filter, open) {
            LostMember::HadNot => self.share_counts.lost += 1,
            LostMember::MayHaveHad => self.share_counts.unclear += 1,
            LostMember::Had { .. } => self.share_counts.not_passed_on += 1,
        }
    }

    /// A message to a recipient could come still when the run ended.
    pub(super) fn note_share_coming(&mut self, recipient: Recipient, open: &OpenPledge) {
        let is_to_share = matches!(recipient, Recipient::Share(_));
        self.share_counts.coming += u64::from(is_to_share && open.owed > QoS::AtMostOnce);
    }

    /// Writes down why a message did not come.
    pub(super) fn excuse(&mut self, id: StreamId, open: &OpenPledge, excuse: Excuse) {
        let recipient = self.topics.places(self.streams[id].topic)[open.place].recipient;
        let key = open.key(group_of(&self.sessions, &self.shares, recipient));
        self.books.tally_mut(key).excused[excuse as usize] += 1;
        if !excuse.is_late() {
            return;
        }
        match recipient {
            Recipient::Session(_) => {
                self.backlog.late += u64::from(self.has_waited(recipient, open));
            }
            Recipient::Share(_) => {
                self.share_counts.late += u64::from(open.owed > QoS::AtMostOnce);
            }
        }
    }
}
