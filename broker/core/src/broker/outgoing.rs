//! One message on its way out, encoded for its recipients.
//!
//! A message for one recipient is encoded straight into its outbox, one for many is encoded once
//! for each version and copied. A body is made only when a copy has to be kept: QoS 0 to connected
//! recipients needs none. Nothing is allocated for each recipient.

use std::rc::Rc;

use squall_protocol::codec::{PublishExtras, PublishFlags, PublishTemplate, encode_publish};
use squall_protocol::packet::{Publish, SubscriptionIdentifier};
use squall_protocol::{Instant, PacketId, QoS, Version};

use crate::keys::{GroupKey, SessionKey};
use crate::message::{Copied, CopyOptions, Message};
use crate::subscriptions::Member;

/// A message on its way to its recipients. It borrows the packet, which is large, from where it was
/// decoded.
#[derive(Debug)]
pub(super) struct Outgoing<'o, 'p> {
    publish: &'o mut Publish<'p>,
    body: Option<Rc<Message>>,
    /// For 3.1.1 and 5.0, made when a second recipient needs it.
    templates: [Option<PublishTemplate>; 2],
    pub(super) recipients: usize,
}

/// One recipient's copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery<'i> {
    pub(super) session: SessionKey,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) identifiers: &'i [SubscriptionIdentifier],
    pub(super) group: Option<GroupKey>,
}

impl<'o, 'p> Outgoing<'o, 'p> {
    /// A message as its publisher sent it, without what concerns only the publisher's connection: DUP
    /// is not propagated [MQTT-3.3.1-3], nor is a Topic Alias.
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
    pub(super) fn with_body(publish: &'o mut Publish<'p>, body: &Rc<Message>) -> Self {
        Self {
            body: Some(Rc::clone(body)),
            ..Self::new(publish)
        }
    }

    /// The message as a packet, in no version yet.
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
    pub(super) fn copied(&mut self, delivery: &Delivery<'_>, now: Instant) -> Copied {
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

    pub(super) fn encoded_len(&mut self, version: Version, delivery: &Delivery<'_>) -> usize {
        let extras = delivery.extras();
        self.template(version)
            .encoded_len_with(delivery.qos, &extras)
    }

    pub(super) fn append(
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
    pub(super) fn to_member(member: &'i Member, publish: &Publish<'_>, group: GroupKey) -> Self {
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
