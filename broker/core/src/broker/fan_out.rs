//! One message to every Session that subscribed to its topic, and to one member of each shared group.

use squall_protocol::QoS;
use squall_protocol::packet::SubscriptionIdentifier;

use super::deliver::fits;
use super::outgoing::{Delivery, Outgoing};
use super::{Broker, Turn};
use crate::counters::DropReason;
use crate::keys::{GroupKey, SessionKey};
use crate::message::{Copied, CopyOptions};
use crate::subscriptions::{Member, Recipient, Recipients};

/// Whether a subscription matched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FanOut {
    Matched,
    NoSubscribers,
}

impl Broker {
    /// Brings a message to every Session that subscribed to its topic, except for one that asks not to
    /// get its own.
    pub(super) fn fan_out(
        &mut self,
        turn: &mut Turn<'_>,
        outgoing: &mut Outgoing<'_, '_>,
        publisher: Option<SessionKey>,
    ) -> FanOut {
        let mut recipients = std::mem::take(&mut self.recipients);
        let topic = outgoing.publish().topic;
        self.subscriptions
            .collect(topic.as_str(), publisher, &mut recipients);
        outgoing.recipients = recipients.len() + recipients.groups().len();
        for recipient in recipients.as_slice() {
            self.deliver_to_recipient(turn, outgoing, &recipients, recipient);
        }
        for &group in recipients.groups() {
            self.deliver_to_group(turn, outgoing, group);
        }
        self.recipients = recipients;
        if outgoing.recipients == 0 {
            FanOut::NoSubscribers
        } else {
            FanOut::Matched
        }
    }

    /// Brings a message that came through a shared subscription to a member of its group, again
    /// or for the first time.
    pub(super) fn give_to_group(&mut self, turn: &mut Turn<'_>, copied: Copied) {
        let Some(group) = copied.group else {
            return;
        };
        if copied.message.is_expired(turn.now) {
            self.counters.count_dropped(DropReason::Expired, 1);
            return;
        }
        if self.subscriptions.group(group).is_none() {
            self.counters.count_dropped(DropReason::GroupEnded, 1);
            return;
        }
        let mut publish = copied.message.to_publish(turn.now);
        let mut outgoing = Outgoing::with_body(&mut publish, &copied.message);
        self.deliver_to_group(turn, &mut outgoing, group);
    }

    fn deliver_to_recipient(
        &mut self,
        turn: &mut Turn<'_>,
        outgoing: &mut Outgoing<'_, '_>,
        recipients: &Recipients,
        recipient: &Recipient,
    ) {
        let qos = outgoing.publish().qos.min(recipient.qos);
        let several: Vec<SubscriptionIdentifier>;
        let identifiers = if Recipients::has_more_identifiers(recipient) {
            let more = recipients.more_identifiers(recipient);
            several = recipient.identifier.into_iter().chain(more).collect();
            several.as_slice()
        } else {
            recipient.identifier.as_slice()
        };
        let delivery = Delivery {
            session: recipient.session,
            qos,
            retain: outgoing.publish().retain && recipient.retain_as_published,
            identifiers,
            group: None,
        };
        self.deliver(turn, outgoing, &delivery);
    }

    /// Brings a message to the member of the group with the least to do, of those that take a
    /// packet of its size, or keeps it until a member connects.
    ///
    /// For a message that is too large for some of the members §3.1.2.11.4 leaves the choice to the
    /// server: here it is dropped only if it is too large for each member that is connected.
    fn deliver_to_group(
        &mut self,
        turn: &mut Turn<'_>,
        outgoing: &mut Outgoing<'_, '_>,
        key: GroupKey,
    ) {
        let (sessions, connections) = (&self.sessions, &self.connections);
        let mut is_connected = false;
        let load = |member: &Member| {
            let session = sessions.get(member.session)?;
            let connection = connections.get(session.connection()?)?;
            is_connected = true;
            let delivery = Delivery::to_member(member, outgoing.publish(), key);
            fits(connection, || {
                outgoing.encoded_len(connection.version, &delivery)
            })
            .then(|| session.load())
        };
        let Some(group) = self.subscriptions.group_mut(key) else {
            return;
        };
        match group.choose(load) {
            Some(member) => {
                let delivery = Delivery::to_member(&member, outgoing.publish(), key);
                self.deliver(turn, outgoing, &delivery);
            }
            None if is_connected => self.counters.count_dropped(DropReason::PacketTooLarge, 1),
            None => self.keep_for_group(turn, outgoing, key),
        }
    }

    fn keep_for_group(&mut self, turn: &Turn<'_>, outgoing: &mut Outgoing<'_, '_>, key: GroupKey) {
        let Some(group) = self.subscriptions.group_mut(key) else {
            return;
        };
        let qos = outgoing.publish().qos.min(group.granted_qos());
        if qos == QoS::AtMostOnce {
            self.counters.count_dropped(DropReason::OfflineQos0, 1);
            return;
        }
        let copied = Copied {
            message: outgoing.message(turn.now),
            options: CopyOptions::new(qos, false, None),
            group: Some(key),
        };
        let pushed = group.waiting.push(copied, &self.config.queue);
        self.count_pushed(pushed);
    }
}
