//! Messages whose recipient has left: of those that were under way for long before that it is not known whether they were lost.

use squall_protocol::Instant;
use squall_scenario::{ClientKey, GroupId};

use super::{Deliveries, session};
use crate::books::stream::OpenPledge;
use crate::books::topics::{FilterKey, Recipient};

impl Deliveries {
    /// Whether a message whose recipient is off-line was under way for long when that left: whether it was lost is not known then.
    pub(super) fn was_late_before_it_left(
        &self,
        id: usize,
        recipient: Recipient,
        open: &OpenPledge,
    ) -> bool {
        let Recipient::Session(client) = recipient else {
            return false;
        };
        let left_at = session(&self.sessions, client).and_then(|row| row.offline_since);
        left_at.is_some_and(|left_at| {
            open.record.sent_at < left_at && self.was_late(id, client, open, left_at)
        })
    }

    /// Whether a message was under way for long when its recipient, whose device read all the time, left at `now`.
    pub(super) fn was_late(
        &self,
        id: usize,
        client: ClientKey,
        open: &OpenPledge,
        now: Instant,
    ) -> bool {
        let record = &open.record;
        let Some(row) = session(&self.sessions, client) else {
            return false;
        };
        record.is_ok()
            && !self.streams[id].has_expiring
            && row.connected_at < record.sent_at
            && !self.may_miss(Recipient::Session(client), record.sent_at)
            && self.is_long_without_link(row.group, open, record.surely_had_since(), now)
    }

    /// Whether a message was under way to a shared subscription for long at `now`, while all who may have been chosen read,
    /// and none of them was silent.
    pub(super) fn was_late_for_members(
        &self,
        filter: FilterKey,
        open: &OpenPledge,
        now: Instant,
    ) -> bool {
        let sent_at = open.record.sent_at;
        let Some(share) = self.shares.get(&filter) else {
            return false;
        };
        let since = open.record.surely_had_since();
        let is_late_for = |&member: &ClientKey| {
            session(&self.sessions, member)
                .is_none_or(|row| self.is_long_without_link(row.group, open, since, now))
        };
        open.record.is_ok()
            && !share.had_silent_member(sent_at)
            && !self.may_miss(Recipient::Share(filter), sent_at)
            && share.members.iter().all(is_late_for)
    }

    /// Whether a message has been under way to a group for long at `now`, and no simulated link of its publisher or of the
    /// group, nor a fault of the broker, can be why.
    pub(super) fn is_long_without_link(
        &self,
        group: GroupId,
        open: &OpenPledge,
        since: Instant,
        now: Instant,
    ) -> bool {
        let has_link = |group: GroupId| self.on_links[usize::from(group.0)];
        !has_link(group)
            && !has_link(open.record.group)
            && self.slowest.is_long(group, since, now)
            && !self.broker_times.touches(since, now)
    }
}
