//! The recipients of one message: each Session once, however many of its subscriptions match.
//!
//! Both versions get one copy for overlapping subscriptions, at the highest of their QoS
//! levels, as 3.1.1 demands [3.1.1: MQTT-3.3.5-1] and 5.0 allows (§3.3.4). The copy carries the
//! Subscription Identifiers of all of them [MQTT-3.3.4-4], and keeps its RETAIN flag if one of
//! them asks for it. The memory is reused from message to message.

use squall_protocol::QoS;
use squall_protocol::packet::SubscriptionIdentifier;

use super::members::Member;
use crate::keys::{GroupKey, SessionKey};

/// One Session's copy of the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipient {
    pub(crate) session: SessionKey,
    /// Highest QoS of the subscriptions that match; the message's own may be lower.
    pub(crate) qos: QoS,
    pub(crate) retain_as_published: bool,
    /// The first Subscription Identifier, if there is one.
    pub(crate) identifier: Option<SubscriptionIdentifier>,
    /// Place of the next identifier in `Recipients::identifiers`, plus 1; 0 for none.
    more: u32,
}

/// Where a Session is in the list, valid for one message only.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    message: u32,
    place: u32,
}

/// The recipients of one message and the shared groups that it is for.
#[derive(Debug, Default)]
pub(crate) struct Recipients {
    list: Vec<Recipient>,
    groups: Vec<GroupKey>,
    /// Chains of further identifiers: each with the place of the next, plus 1.
    identifiers: Vec<(SubscriptionIdentifier, u32)>,
    /// Where in the list each Session is.
    marks: Vec<Mark>,
    message: u32,
}

impl Recipients {
    /// Starts the list of the next message.
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.groups.clear();
        self.identifiers.clear();
        self.message = self.message.wrapping_add(1);
        if self.message == 0 {
            self.marks.clear();
            self.message = 1;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn as_slice(&self) -> &[Recipient] {
        &self.list
    }

    pub(crate) fn groups(&self) -> &[GroupKey] {
        &self.groups
    }

    /// The recipient's Subscription Identifiers beyond the first.
    pub(crate) fn more_identifiers(
        &self,
        recipient: &Recipient,
    ) -> impl Iterator<Item = SubscriptionIdentifier> {
        let mut next = recipient.more;
        std::iter::from_fn(move || {
            let place = next.checked_sub(1)?;
            let (identifier, following) = self.identifiers[place as usize];
            next = following;
            Some(identifier)
        })
    }

    /// Whether the recipient has more than one Subscription Identifier.
    pub(crate) fn has_more_identifiers(recipient: &Recipient) -> bool {
        recipient.more != 0
    }

    pub(super) fn add_group(&mut self, group: GroupKey) {
        self.groups.push(group);
    }

    /// Adds a member that cannot be in the list yet.
    pub(super) fn add(&mut self, member: &Member) {
        self.list.push(Recipient {
            session: member.session,
            qos: member.qos,
            retain_as_published: member.retain_as_published,
            identifier: member.identifier,
            more: 0,
        });
    }

    /// Adds a member, or what it asks for to the Session's copy.
    pub(super) fn merge(&mut self, member: &Member) {
        let index = member.session.index() as usize;
        if self.marks.len() <= index {
            self.marks.resize(index + 1, Mark::default());
        }
        let mark = self.marks[index];
        if mark.message != self.message {
            self.marks[index] = Mark {
                message: self.message,
                place: self.list.len() as u32,
            };
            self.add(member);
            return;
        }
        let recipient = &mut self.list[mark.place as usize];
        recipient.qos = recipient.qos.max(member.qos);
        recipient.retain_as_published |= member.retain_as_published;
        let Some(identifier) = member.identifier else {
            return;
        };
        if recipient.identifier.is_none() {
            recipient.identifier = Some(identifier);
        } else {
            self.identifiers.push((identifier, recipient.more));
            recipient.more = self.identifiers.len() as u32;
        }
    }
}
