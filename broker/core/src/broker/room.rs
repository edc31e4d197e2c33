//! [`QueuePolicy::Reject`](crate::QueuePolicy::Reject): whether every recipient that would have
//! to queue a message has room for it. It is asked before anything is delivered, and changes nothing.

use squall_protocol::QoS;
use squall_protocol::packet::Publish;

use super::{Broker, Turn};
use crate::keys::{GroupKey, SessionKey};
use crate::message::bytes_to_keep;
use crate::subscriptions::Member;

impl Broker {
    /// Whether a recipient of the message would have to queue it and has no room for it.
    pub(super) fn would_overflow(
        &mut self,
        turn: &Turn<'_>,
        publish: &Publish<'_>,
        publisher: SessionKey,
    ) -> bool {
        let mut recipients = std::mem::take(&mut self.recipients);
        let topic = publish.topic.as_str();
        self.subscriptions
            .collect(topic, Some(publisher), &mut recipients);
        let bytes = bytes_to_keep(publish);
        let mut sessions = recipients.as_slice().iter();
        let mut groups = recipients.groups().iter();
        let overflows = sessions
            .any(|to| to.qos != QoS::AtMostOnce && self.has_no_room(turn, to.session, bytes))
            || groups.any(|&group| self.group_has_no_room(turn, group, bytes));
        self.recipients = recipients;
        overflows
    }

    fn has_no_room(&self, turn: &Turn<'_>, key: SessionKey, bytes: usize) -> bool {
        let Some(session) = self.sessions.get(key) else {
            return false;
        };
        let soft_bytes = self.config.outbox.soft_bytes;
        let is_writable = session
            .connection()
            .is_some_and(|connection| turn.outboxes.pending(connection) <= soft_bytes);
        let waits = !is_writable || session.holds_back();
        waits && !session.has_room_for(bytes, &self.config.queue)
    }

    /// Whether no member that is connected has room; without any, whether the group has none.
    fn group_has_no_room(&self, turn: &Turn<'_>, key: GroupKey, bytes: usize) -> bool {
        let Some(group) = self.subscriptions.group(key) else {
            return false;
        };
        let is_connected = |member: &&Member| {
            let session = self.sessions.get(member.session);
            session.is_some_and(|session| session.connection().is_some())
        };
        let mut members = group.members().iter().filter(is_connected).peekable();
        if members.peek().is_some() {
            members.all(|member| {
                member.qos != QoS::AtMostOnce && self.has_no_room(turn, member.session, bytes)
            })
        } else {
            group.granted_qos() != QoS::AtMostOnce
                && !group.waiting.has_room_for(bytes, &self.config.queue)
        }
    }
}
