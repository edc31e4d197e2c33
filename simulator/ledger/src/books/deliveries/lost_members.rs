//! What lost members of shared subscriptions have to do with messages that did not come, or came late (§4.8.2).
//!
//! What was on its way to a member when that was lost may be gone with it: at QoS 2 no other member may have it
//! [MQTT-4.8.2-5], at QoS 1 the broker may wait for that member, and gives it to another one later. That is so of what was sent
//! shortly before, and until the broker chose another. Of what was sent long before it may be so where something may have kept
//! it on its way: whether it did is not known then. Else no lost member had it.

use std::time::Duration;

use squall_protocol::{Instant, QoS};
use squall_scenario::{ClientKey, GroupId};

use super::case::Case;
use super::pledges::Excuses;
use super::walk::{LEVELS, Outcome};
use super::{Deliveries, session, share_group};
use crate::books::patience;
use crate::books::share::Share;
use crate::books::stream::{OpenPledge, Record};
use crate::books::tallies::Excuse;
use crate::books::times::UNDER_WAY;
use crate::books::topics::{FilterKey, Recipient};

/// Whether a message may have been on its way to a member of a shared subscription that was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LostMember {
    /// It was sent long before each, or after.
    HadNot,
    /// It was sent long before one, and something may have kept it on its way until then, or it is forgotten when one was lost.
    MayHaveHad,
    /// It was on its way when one was lost. From then on it is for another one.
    Had { until: Instant },
}

impl Deliveries {
    /// What the lost members of a shared subscription have to do with a message.
    pub(super) fn lost_member(&self, filter: FilterKey, record: &Record) -> LostMember {
        let Some(share) = self.shares.get(&filter) else {
            return LostMember::HadNot;
        };
        if share.is_quiet_since(record.sent_at) {
            return LostMember::HadNot;
        }
        let sent = sent_between(record);
        let under_way = UNDER_WAY.max(self.slowest_to(share));
        if let Some(until) = share.had_until(sent, under_way) {
            return LostMember::Had { until };
        }
        let may_have_had = share.may_have_had(sent, under_way.max(patience::AT_LEAST))
            || share.waited_until(sent).is_some()
            || record.sent_at <= share.disturbed_until()
                && self.may_take_long(filter, share, record);
        match may_have_had {
            true => LostMember::MayHaveHad,
            false => LostMember::HadNot,
        }
    }

    /// The same of a message that comes at `now`, which a member may have had whose Session is over since.
    pub(super) fn lost_member_before(
        &self,
        filter: FilterKey,
        message: (Option<&Record>, Instant),
        now: Instant,
    ) -> LostMember {
        let Some(share) = self.shares.get(&filter) else {
            return LostMember::HadNot;
        };
        let (record, sent_at_least) = message;
        let lost = record.map(|record| self.lost_member(filter, record));
        // Of one whose record is gone it is not known when it was sent.
        let lost = lost.unwrap_or(match sent_at_least <= share.disturbed_until() {
            true => LostMember::MayHaveHad,
            false => LostMember::HadNot,
        });
        let has_expired = share.has_expired_member(&self.sessions, filter, now);
        match lost {
            LostMember::HadNot if has_expired => LostMember::MayHaveHad,
            LostMember::HadNot | LostMember::MayHaveHad | LostMember::Had { .. } => lost,
        }
    }

    /// The same of a message that has not come at the end. It may be among those that wait for a member whose Session lives
    /// without a connection: the broker may choose that as well.
    pub(super) fn lost_member_at_end(&self, filter: FilterKey, open: &OpenPledge) -> LostMember {
        let lost = self.lost_member(filter, &open.record);
        let share = self.shares.get(&filter);
        let has_offline = share.is_some_and(|share| {
            share.has_offline_member(&self.sessions, filter, open.record.sent_at)
        });
        match lost {
            LostMember::HadNot if has_offline => LostMember::MayHaveHad,
            LostMember::HadNot | LostMember::MayHaveHad | LostMember::Had { .. } => lost,
        }
    }

    /// How long a message may be on its way to a member, by those that came.
    fn slowest_to(&self, share: &Share) -> Duration {
        let group = share_group(&self.sessions, share);
        group.map_or(Duration::ZERO, |group| self.slowest.may_take(group))
    }

    /// Whether something else than a broker that runs may have kept a message on its way, for a time that is not known.
    fn may_take_long(&self, filter: FilterKey, share: &Share, record: &Record) -> bool {
        let has_link = |group: GroupId| self.on_links[usize::from(group.0)];
        let is_on_link = |&member: &ClientKey| {
            session(&self.sessions, member).is_some_and(|row| has_link(row.group))
        };
        has_link(record.group) && record.left.is_none()
            || share.members.iter().any(is_on_link)
            || self.may_miss(Recipient::Share(filter), record.sent_at)
            || self
                .broker_times
                .touches(record.sent_at, share.disturbed_until())
            // A broker may pass it on when it is released only (§4.3.3).
            || record.qos == QoS::ExactlyOnce && self.releases_late[usize::from(record.group.0)]
    }

    /// Why a message to a shared subscription that is open at `now`, the end, may be.
    pub(super) fn excuse_of_share(
        &self,
        filter: FilterKey,
        open: &OpenPledge,
        now: Instant,
    ) -> Option<Excuse> {
        let share = self.shares.get(&filter)?;
        if share.has_member_on_link(&self.sessions) {
            return Some(Excuse::OnLink);
        }
        let may_stay = match open.owed {
            // What a member had is gone with it at QoS 0, and no other may have it at QoS 2 [MQTT-4.8.2-5].
            QoS::AtMostOnce | QoS::ExactlyOnce => true,
            QoS::AtLeastOnce => {
                share.has_offline_member(&self.sessions, filter, open.record.sent_at)
            }
        };
        match self.lost_member_at_end(filter, open) {
            LostMember::HadNot => None,
            LostMember::MayHaveHad => may_stay.then_some(Excuse::MemberLostLate),
            LostMember::Had { until } => (may_stay || now < until).then_some(Excuse::MemberLost),
        }
    }

    /// Since when a message is on its way to a member that is there. What one had that was lost goes to another one, and
    /// what waited for one to it.
    pub(super) fn coming_to_share_since(
        &self,
        filter: FilterKey,
        record: &Record,
    ) -> Option<Instant> {
        let share = self.shares.get(&filter)?;
        let since = match self.lost_member(filter, record) {
            LostMember::HadNot | LostMember::MayHaveHad => share.waited_until(sent_between(record)),
            LostMember::Had { until } => Some(until),
        };
        Some(record.surely_had_since().max(since.unwrap_or_default()))
    }

    /// Since when the broker could give a message to the recipient that it came to; `None` if that is not known.
    pub(super) fn given_since(&self, case: &Case<'_>) -> Option<Instant> {
        let left_at = case.left?.at;
        let Recipient::Share(filter) = self.topics.places(case.topic)[case.place].recipient else {
            return Some(left_at);
        };
        let record = self.streams[case.stream].record(case.sequence())?;
        match self.lost_member(filter, record) {
            LostMember::HadNot => Some(left_at),
            LostMember::MayHaveHad => None,
            LostMember::Had { until } => Some(left_at.max(until)),
        }
    }

    /// Excuses all that a shared subscription is owed.
    pub(super) fn excuse_share(&mut self, filter: FilterKey, now: Instant, excuses: Excuses) {
        self.excuse_share_at(filter, now, &LEVELS, excuses);
    }

    /// Excuses what a shared subscription is owed at one of `levels`, what was under way for long by another name.
    pub(super) fn excuse_share_at(
        &mut self,
        filter: FilterKey,
        now: Instant,
        levels: &[QoS],
        excuses: Excuses,
    ) {
        self.walk_open(Recipient::Share(filter), levels, now, |books, id, open| {
            let was_late =
                || !books.streams[id].has_expiring && books.was_late_for_members(filter, open, now);
            Outcome::Excused(excuses.of(was_late))
        });
    }
}

/// From when until when a message may have come to the broker: it may have been sent again on a later connection, because the
/// broker did not have it before, or have left the link of its publisher later.
fn sent_between(record: &Record) -> [Instant; 2] {
    let left_at = record.left.map_or(record.sent_at, |left| left.at);
    [
        record.sent_at,
        left_at.max(record.connected_at).max(record.sent_at),
    ]
}
