//! One message to all its recipients: sent at once, queued, or dropped and counted.
//!
//! A message for one recipient is encoded straight into its outbox, one for many is encoded once
//! per version and copied. A body is made only when a copy has to be kept: QoS 0 to connected
//! recipients needs none. Nothing is allocated per recipient.

use std::rc::Rc;

use squall_protocol::codec::{PublishExtras, PublishFlags, PublishTemplate, encode_publish};
use squall_protocol::packet::{Publish, SubscriptionIdentifier};
use squall_protocol::{Instant, PacketId, QoS, Version};

use super::{Broker, Turn};
use crate::connection::Connection;
use crate::counters::DropReason;
use crate::keys::{GroupKey, SessionKey};
use crate::message::{Copied, CopyOptions, Message};
use crate::queue::Pushed;
use crate::subscriptions::{Member, Recipient, Recipients};

/// Whether anyone had subscribed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FanOut {
    Matched,
    NoSubscribers,
}

/// A message on its way to its recipients. It borrows the packet, which is large, from where it was
/// decoded.
#[derive(Debug)]
pub(super) struct Outgoing<'o, 'p> {
    publish: &'o mut Publish<'p>,
    body: Option<Rc<Message>>,
    /// For 3.1.1 and 5.0, made when a second recipient needs it.
    templates: [Option<PublishTemplate>; 2],
    recipients: usize,
}

/// One recipient's copy.
#[derive(Clone, Copy, Debug)]
struct Delivery<'i> {
    session: SessionKey,
    qos: QoS,
    retain: bool,
    identifiers: &'i [SubscriptionIdentifier],
    group: Option<GroupKey>,
}

impl<'o, 'p> Outgoing<'o, 'p> {
    /// A message as its publisher sent it. What concerned only the publisher's connection is
    /// taken off: DUP is not propagated [MQTT-3.3.1-3], nor is a Topic Alias.
    pub(super) fn new(publish: &'o mut Publish<'p>) -> Self {
        publish.dup = false;
        publish.packet_id = None;
        publish.properties.topic_alias = None;
        Self {
            publish,
            body: None,
            templates: [None, None],
            recipients: 0,
        }
    }

    /// A message that has a body.
    fn with_body(publish: &'o mut Publish<'p>, body: &Rc<Message>) -> Self {
        Self {
            body: Some(Rc::clone(body)),
            ..Self::new(publish)
        }
    }

    /// The message.
    pub(super) fn publish(&self) -> &Publish<'p> {
        self.publish
    }

    /// The body, made now if there is none.
    pub(super) fn message(&mut self, now: Instant) -> Rc<Message> {
        let publish = &*self.publish;
        let body = self
            .body
            .get_or_insert_with(|| Rc::new(Message::new(publish, now)));
        Rc::clone(body)
    }

    /// What is kept of a recipient's copy.
    fn copied(&mut self, delivery: &Delivery<'_>, now: Instant) -> Copied {
        let (message, identifier) = match delivery.identifiers {
            [] => (self.message(now), None),
            &[identifier] => (self.message(now), Some(identifier)),
            identifiers => (self.message_with(identifiers, now), None),
        };
        Copied {
            message,
            options: CopyOptions::new(delivery.qos, delivery.retain, identifier),
            group: delivery.group,
        }
    }

    /// A body of its own for the rare copy with several Subscription Identifiers.
    fn message_with(
        &mut self,
        identifiers: &[SubscriptionIdentifier],
        now: Instant,
    ) -> Rc<Message> {
        self.publish.properties.subscription_identifiers = identifiers.to_vec();
        let message = Rc::new(Message::new(self.publish, now));
        self.publish.properties.subscription_identifiers.clear();
        message
    }

    fn encoded_len(&mut self, version: Version, delivery: &Delivery<'_>) -> usize {
        let extras = delivery.extras();
        self.template(version)
            .encoded_len_with(delivery.qos, &extras)
    }

    fn append(
        &mut self,
        version: Version,
        delivery: &Delivery<'_>,
        packet_id: Option<PacketId>,
        out: &mut Vec<u8>,
    ) {
        let flags = PublishFlags {
            dup: false,
            qos: delivery.qos,
            retain: delivery.retain,
        };
        if self.recipients > 1 {
            let template = self.template(version);
            if delivery.identifiers.is_empty() {
                template.append(out, flags, packet_id);
            } else {
                template.append_with(out, flags, packet_id, &delivery.extras());
            }
            return;
        }
        let Publish { qos, retain, .. } = *self.publish;
        self.publish.qos = delivery.qos;
        self.publish.retain = delivery.retain;
        self.publish.packet_id = packet_id;
        let identifiers = &mut self.publish.properties.subscription_identifiers;
        identifiers.extend_from_slice(delivery.identifiers);
        encode_publish(self.publish, version, out);
        self.publish.qos = qos;
        self.publish.retain = retain;
        self.publish.packet_id = None;
        self.publish.properties.subscription_identifiers.clear();
    }

    fn template(&mut self, version: Version) -> &PublishTemplate {
        let publish = &*self.publish;
        let template = match version {
            Version::V3_1_1 => &mut self.templates[0],
            Version::V5 => &mut self.templates[1],
        };
        template.get_or_insert_with(|| PublishTemplate::new(publish, version))
    }
}

impl<'i> Delivery<'i> {
    /// The copy for a member of a shared group.
    fn to_member(member: &'i Member, publish: &Publish<'_>, group: GroupKey) -> Self {
        Self {
            session: member.session,
            qos: publish.qos.min(member.qos),
            retain: publish.retain && member.retain_as_published,
            identifiers: member.identifier.as_slice(),
            group: Some(group),
        }
    }

    fn extras(&self) -> PublishExtras<'_> {
        PublishExtras {
            message_expiry_interval: None,
            subscription_identifiers: self.identifiers,
        }
    }
}

impl Broker {
    /// Brings a message to everyone who subscribed to its topic.
    pub(super) fn fan_out(
        &mut self,
        turn: &mut Turn<'_>,
        outgoing: &mut Outgoing<'_, '_>,
        publisher: Option<SessionKey>,
    ) -> FanOut {
        let mut recipients = std::mem::take(&mut self.recipients);
        let topic = outgoing.publish.topic;
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
        let qos = outgoing.publish.qos.min(recipient.qos);
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
            retain: outgoing.publish.retain && recipient.retain_as_published,
            identifiers,
            group: None,
        };
        self.deliver(turn, outgoing, &delivery);
    }

    /// Brings a message to the member of the group with the least to do, of those that take a
    /// packet of its size, or keeps it until a member connects.
    ///
    /// §3.1.2.11.4 leaves the choice to the server what becomes of a message that is too large for
    /// some of the members: here it is dropped only if it is too large for each that is connected.
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
            let connection = connections.get(session.connection?)?;
            is_connected = true;
            let delivery = Delivery::to_member(member, outgoing.publish, key);
            fits(connection, || {
                outgoing.encoded_len(connection.version, &delivery)
            })
            .then(|| session.outbound.len() + session.queued())
        };
        let Some(group) = self.subscriptions.group_mut(key) else {
            return;
        };
        match group.choose(load) {
            Some(member) => {
                let delivery = Delivery::to_member(&member, outgoing.publish, key);
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
        let qos = outgoing.publish.qos.min(group.granted_qos());
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

    fn deliver(
        &mut self,
        turn: &mut Turn<'_>,
        outgoing: &mut Outgoing<'_, '_>,
        delivery: &Delivery<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(delivery.session) else {
            return;
        };
        let connection = session.connection.and_then(|id| self.connections.get(id));
        let Some(connection) = connection else {
            if delivery.qos == QoS::AtMostOnce {
                self.counters.count_dropped(DropReason::OfflineQos0, 1);
            } else {
                self.enqueue(turn, outgoing, delivery);
            }
            return;
        };
        let is_writable = turn.outboxes.pending(connection.id) <= self.config.outbox.soft_bytes;
        match delivery.qos {
            QoS::AtMostOnce if session.is_replaying() => {
                self.enqueue(turn, outgoing, delivery);
                return;
            }
            QoS::AtMostOnce if !is_writable => {
                self.counters.count_dropped(DropReason::SlowConsumer, 1);
                return;
            }
            QoS::AtLeastOnce | QoS::ExactlyOnce if !is_writable || session.holds_back() => {
                self.enqueue(turn, outgoing, delivery);
                return;
            }
            QoS::AtMostOnce | QoS::AtLeastOnce | QoS::ExactlyOnce => {}
        }
        if !fits(connection, || {
            outgoing.encoded_len(connection.version, delivery)
        }) {
            self.counters.count_dropped(DropReason::PacketTooLarge, 1);
            return;
        }
        let packet_id = match delivery.qos {
            QoS::AtMostOnce => None,
            qos @ (QoS::AtLeastOnce | QoS::ExactlyOnce) => {
                let copied = outgoing.copied(delivery, turn.now);
                Some(session.outbound.send(qos, copied))
            }
        };
        let (id, version) = (connection.id, connection.version);
        let bytes = turn.outboxes.append(id, |out| {
            outgoing.append(version, delivery, packet_id, out);
        });
        self.count_appended(id, bytes);
        self.counters.count_sent(delivery.qos);
    }

    fn enqueue(
        &mut self,
        turn: &Turn<'_>,
        outgoing: &mut Outgoing<'_, '_>,
        delivery: &Delivery<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(delivery.session) else {
            return;
        };
        let copied = outgoing.copied(delivery, turn.now);
        let backlog = session.backlog.get_or_insert_default();
        let pushed = backlog.queue.push(copied, &self.config.queue);
        self.count_pushed(pushed);
    }

    fn count_pushed(&mut self, pushed: Pushed) {
        match pushed {
            Pushed::Queued => self.counters.queued_messages += 1,
            Pushed::DroppedOldest(messages) => {
                self.counters.queued_messages -= messages - 1;
                self.counters
                    .count_dropped(DropReason::QueueFullOldest, messages);
            }
            Pushed::DroppedNewest => self.counters.count_dropped(DropReason::QueueFullNewest, 1),
        }
    }
}

/// Whether the client takes a packet of this length; it is computed only if there is a limit.
pub(super) fn fits(connection: &Connection, encoded_len: impl FnOnce() -> usize) -> bool {
    let limit = connection.maximum_packet_size;
    limit == u32::MAX || encoded_len() <= limit as usize
}
