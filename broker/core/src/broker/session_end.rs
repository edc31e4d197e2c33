//! The end of a Session and of its subscriptions, and what its shared groups get back (§4.8.2).

use squall_protocol::PacketId;
use squall_protocol::outbound::Awaiting;

use super::{Broker, Turn};
use crate::counters::DropReason;
use crate::keys::{SessionKey, SubscriptionKey};
use crate::message::Copied;
use crate::will;

impl Broker {
    /// Ends a Session that has no connection, or has just lost it: its shared groups get what they
    /// may give to others, then its will is published.
    pub(super) fn end_session(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(session) = self.sessions.take(key) else {
            return;
        };
        let ended = session.end();
        self.counters.queued_messages -= ended.queued;
        self.end_subscriptions(key, ended.subscriptions, ended.replays);
        self.counters
            .count_dropped(DropReason::SessionEnded, ended.lost);
        for copied in ended.shared {
            self.give_to_group(turn, copied);
        }
        if let Some(will) = ended.will {
            self.counters.wills_published += 1;
            self.publish(turn, &mut will::to_publish(&will), None);
        }
    }

    /// Gives back to their groups the messages of shared subscriptions that a Session without a
    /// connection holds: what was never sent, and what was sent at QoS 1 if another member can
    /// have it now. Without one the client gets it again when it is back (§4.8.2).
    pub(super) fn return_shared(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let is_member = |key: &SubscriptionKey| matches!(key, SubscriptionKey::Group(_));
        if !session.subscriptions().iter().any(is_member) {
            return;
        }
        let sent: Vec<PacketId> = session
            .in_flight()
            .filter(|&(_, awaiting, copied)| {
                awaiting == Awaiting::Puback && self.has_connected_member(copied)
            })
            .map(|(id, ..)| id)
            .collect();
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let queued = session.queued();
        let shared = session.release_shared(&sent);
        self.counters.queued_messages -= queued - session.queued();
        for copied in shared {
            self.give_to_group(turn, copied);
        }
    }

    fn has_connected_member(&self, copied: &Copied) -> bool {
        let group = copied.group.and_then(|key| self.subscriptions.group(key));
        group.is_some_and(|group| {
            let mut members = group.members().iter();
            members.any(|member| {
                let session = self.sessions.get(member.session);
                session.is_some_and(|session| session.connection().is_some())
            })
        })
    }

    /// Ends one subscription and counts what waited in a group that ended with it.
    pub(super) fn unsubscribe(&mut self, subscription: SubscriptionKey, key: SessionKey) {
        if let Some(group) = self.subscriptions.unsubscribe(subscription, key) {
            self.counters.queued_messages -= group.waiting.len();
            self.counters
                .count_dropped(DropReason::GroupEnded, group.waiting.len());
        }
    }
}
