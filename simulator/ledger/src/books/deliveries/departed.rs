//! Messages whose recipient has left: what was to come before that is not excused by it.

use squall_protocol::{Instant, QoS};

use squall_scenario::{ClientKey, GroupId};

use super::{Deliveries, session};
use crate::books::stream::OpenPledge;
use crate::books::topics::{FilterKey, Recipient};

/// What is known of a message that did not come, from before its recipient left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BeforeLeft {
    /// A later one of its stream came: it is lost.
    HadToCome,
    /// It was under way for long: whether it was lost is not known.
    WasLate,
}

impl Deliveries {
    /// What is known of a message whose recipient is off-line, from before it left; `None` if it may have been on its way.
    pub(super) fn before_it_left(
        &self,
        id: usize,
        recipient: Recipient,
        open: &OpenPledge,
    ) -> Option<BeforeLeft> {
        let Recipient::Session(client) = recipient else {
            return None;
        };
        let left_at = session(&self.sessions, client)?.offline_since?;
        if open.record.sent_at >= left_at {
            return None;
        }
        if self.had_to_come(id, client, open) {
            return Some(BeforeLeft::HadToCome);
        }
        let was_late = self.was_late(id, client, open, left_at);
        was_late.then_some(BeforeLeft::WasLate)
    }

    /// Whether a message had to come to a Session before now, whatever becomes of that: the Session had a later one on
    /// the connection that it has had since before the message was sent, and neither its expiry, nor another connection of
    /// its publisher, nor a device that did not read can be why it did not (§4.6).
    pub(super) fn had_to_come(&self, id: usize, client: ClientKey, open: &OpenPledge) -> bool {
        let stream = &self.streams[id];
        let record = &open.record;
        let is_of_one_connection =
            |since: Option<Instant>| since.is_some_and(|at| at < record.sent_at);
        let row = session(&self.sessions, client);
        record.is_ok()
            // At QoS 2 brokers may pass on at PUBLISH or at PUBREL, whose order is another one.
            && record.qos != QoS::ExactlyOnce
            && !stream.has_expiring
            && is_of_one_connection(row.map(|row| row.connected_at))
            && is_of_one_connection(self.connected_at.get(&stream.device).copied())
            && !self.may_miss(Recipient::Session(client), record.sent_at)
            && stream.is_overtaken(client, open)
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
        let is_late_for = |&member: &ClientKey| {
            session(&self.sessions, member)
                .is_none_or(|row| self.is_long_without_link(row.group, open, sent_at, now))
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
