//! The end of a Session and of its subscriptions, and what its shared groups get back (§4.8.2).

use squall_protocol::outbound::Awaiting;

use super::{Broker, Turn};
use crate::counters::DropReason;
use crate::keys::{SessionKey, SubscriptionKey};
use crate::message::Copied;
use crate::session::Session;
use crate::will;

impl Broker {
    /// Ends a Session that has no connection, or has just lost it.
    ///
    /// Messages of shared subscriptions go to other members, except those of QoS 2 that were
    /// sent [MQTT-4.8.2-5]; all others are lost with the Session.
    pub(super) fn end_session(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(mut session) = self.sessions.take(key) else {
            return;
        };
        let queued = session.queued();
        let shared = extract_shared(&mut session);
        self.counters.queued_messages -= queued;
        let subscriptions = std::mem::take(&mut session.subscriptions);
        self.end_subscriptions(key, subscriptions.into_vec());
        let lost = session.queued() + session.outbound.len();
        self.counters.count_dropped(DropReason::SessionEnded, lost);
        for copied in shared {
            self.give_to_group(turn, copied);
        }
        if let Some(will) = session.will {
            self.counters.wills_published += 1;
            self.publish(turn, &mut will::to_publish(&will), None);
        }
    }

    /// Gives back to their groups the messages of shared subscriptions that a Session without a
    /// connection holds: what was never sent, and what was sent at QoS 1 if another member can
    /// have it now. Without one the client gets it again when it is back (§4.8.2).
    pub(super) fn return_shared(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let is_member = |key: &SubscriptionKey| matches!(key, SubscriptionKey::Group(_));
        if !session.subscriptions.as_slice().iter().any(is_member) {
            return;
        }
        let mut shared = Vec::new();
        let mut outbound = std::mem::take(&mut session.outbound);
        let backlog = session.backlog.take();
        shared.extend(outbound.extract(|awaiting, copied| {
            awaiting == Awaiting::Puback && self.has_connected_member(copied)
        }));
        if let Some(session) = self.sessions.get_mut(key) {
            session.outbound = outbound;
            session.backlog = backlog;
            if let Some(backlog) = &mut session.backlog {
                let queued = backlog.queue.extract_shared();
                self.counters.queued_messages -= queued.len();
                shared.extend(queued);
            }
        }
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
                session.is_some_and(|session| session.connection.is_some())
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

/// Takes out of a Session that ends what its shared groups may give to others.
fn extract_shared(session: &mut Session) -> Vec<Copied> {
    let mut shared = session
        .outbound
        .extract(|awaiting, copied| awaiting == Awaiting::Puback && copied.group.is_some());
    if let Some(backlog) = &mut session.backlog {
        shared.extend(backlog.queue.extract_shared());
    }
    shared
}
