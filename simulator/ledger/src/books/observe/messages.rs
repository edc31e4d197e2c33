//! What facts of messages mean for the books: sent, acknowledged, delivered.

use std::time::Duration;

use squall_fleet::payload::{has_form_of_squall, in_property};
use squall_fleet::{DeliveredFact, PublicationFact, SkipCause, Stamp};
use squall_protocol::{Instant, QoS, ReasonCode, Version};

use super::{Finding, is_taken};
use crate::books::Ledger;
use crate::books::connections::{ErrorArea, reason_text};
use crate::books::deliveries::FirstDelivery;
use crate::books::deliveries::{Delivery, Mark, Message, Origin, WillRecipient};
use crate::books::event::{Answered, Event};
use crate::books::missing::MessageKey;
use crate::books::retained::{RetainedPublish, Stored};
use crate::books::stream::Content;
use crate::books::wills::{Audiences, WillArrival, WillDelivery};

/// Runs are shorter than that.
const RUN_LENGTH_MAX: Duration = Duration::from_secs(28 * 24 * 3600);

impl Ledger {
    pub(super) fn handle_publication(
        &mut self,
        event: &Event,
        fact: &PublicationFact<'_>,
        findings: &mut Vec<Finding>,
    ) {
        match *fact {
            PublicationFact::Due { qos, .. } => {
                self.deliveries.handle_due(event, qos);
                if self.closed_at.is_none() {
                    self.unsent.handle_due(event, qos);
                }
            }
            PublicationFact::Sent {
                stamp,
                topic,
                qos,
                retain,
                payload,
                properties,
                reached_at,
                expiry,
                stamp_place,
            } => {
                let message = Message {
                    stamp,
                    topic,
                    qos,
                    retain,
                    reached_at,
                    expiry,
                    stamp_place,
                };
                let content = Content {
                    payload,
                    properties: Some(properties),
                };
                self.handle_sent(event, &message, content);
            }
            PublicationFact::Skipped {
                stamp,
                topic,
                qos,
                cause,
            } => {
                let message = Message::skipped(event, stamp, topic, qos);
                self.handle_skipped(event, &message, cause);
            }
            PublicationFact::Repeated {
                stamp,
                topic,
                qos,
                packet,
            } => {
                self.handshakes.handle_repeated(packet, qos);
                self.handle_repeated(event, stamp, topic, qos);
            }
            PublicationFact::Acknowledged {
                stamp,
                topic,
                reason,
            } => findings.push(self.handle_acknowledged(event, stamp, topic, reason)),
        }
    }

    fn handle_skipped(&mut self, event: &Event, message: &Message<'_>, cause: SkipCause) {
        self.deliveries.handle_skipped(event, message);
        if self.closed_at.is_none() {
            self.unsent
                .handle_skipped(event, message.qos, cause, &self.connections);
        }
    }

    /// A device sent a packet again on its connection, for which a broker may end that in MQTT 5.0 [MQTT-4.4.0-1].
    fn handle_repeated(&mut self, event: &Event, stamp: Stamp, topic: &str, qos: QoS) {
        // At QoS 2 the broker knows it for a repeat.
        if qos == QoS::AtLeastOnce {
            self.deliveries.handle_repeated(stamp, topic);
            self.retained.handle_repeated(topic);
        }
        let connection = self.open.get_mut(&event.socket);
        if let Some(connection) = connection.filter(|open| open.sent.version == Version::V5) {
            connection.has_repeated = true;
        }
    }

    fn handle_sent(&mut self, event: &Event, message: &Message<'_>, content: Content<'_>) {
        self.deliveries.handle_published(event, message, &content);
        self.unsent.handle_sent(event, message.qos);
        if message.retain && self.closed_at.is_none() {
            let publish = RetainedPublish {
                topic: message.topic,
                content,
                stamp: message.stamp,
                qos: message.qos,
                expires: message.expiry.is_some(),
                socket: event.socket,
            };
            self.retained.handle_published(event.now, &publish);
        }
    }

    fn handle_acknowledged(
        &mut self,
        event: &Event,
        stamp: Stamp,
        topic: &str,
        reason: ReasonCode,
    ) -> Finding {
        let answered = if is_taken(reason) {
            Answered::Accepted
        } else {
            Answered::Refused
        };
        let message = self
            .deliveries
            .handle_acknowledged(event, stamp, topic, answered);
        let is_new = self
            .retained
            .handle_acknowledged(event.now, topic, stamp, answered);
        if is_new {
            self.deliveries.note_retained(topic);
        }
        if answered == Answered::Accepted {
            return Finding::Acknowledged { stamp, message };
        }
        self.handshakes.handle_refused(event.device, stamp);
        self.connections
            .note_error(event.now, ErrorArea::Publish, &reason_text(reason));
        Finding::Error
    }

    pub(super) fn handle_delivered(
        &mut self,
        event: &Event,
        delivered: &DeliveredFact<'_>,
        findings: &mut Vec<Finding>,
    ) {
        let &DeliveredFact {
            topic,
            qos,
            dup,
            retain,
            payload,
            stamp,
            properties,
        } = delivered;
        if qos > QoS::AtMostOnce {
            self.quotas.note_came(event.group);
        }
        if qos == QoS::AtLeastOnce {
            self.windows.handle_qos1(event);
        }
        let has_old_messages = self.roster.history().has_earlier_runs();
        if retain && has_old_messages && self.closed_at.is_none() {
            self.retained.handle_stored(topic, payload);
        }
        let mark = self.mark_of(delivered);
        let stored = mark.ours().map_or(Stored::default(), |stamp| {
            self.retained.stored(topic, stamp)
        });
        let origin = self.origin_of(delivered);
        let delivery = Delivery {
            topic,
            qos,
            origin,
            stored,
            dup,
            payload,
            properties: Some(properties).filter(|_| self.roster.speaks_v5(event.group)),
            mark,
            expiry: properties
                .message_expiry_interval
                .map(|seconds| Duration::from_secs(seconds.into())),
            identifiers: &properties.subscription_identifiers,
        };
        let unstamped = self.deliveries.counted_qos(&delivery);
        if origin == Origin::Live && unstamped.is_none() {
            self.note_live(event, stamp, &delivery);
        }
        if self.wills.known(topic, payload).is_none() {
            let first = self.deliveries.handle_delivered(event, &delivery);
            if let Some(sent_at) = first.and_then(|first| first.sent_at) {
                self.stalls.handle_read(event, sent_at);
            }
            findings.extend(first.map(Finding::Delivered));
            let unstamped = unstamped.filter(|_| self.closed_at.is_none());
            findings.extend(unstamped.map(Finding::Unstamped));
            let may_be_of_an_exchange = self.closed_at.is_none() && !self.responses.is_idle();
            if let Some(stamp) = mark.ours().filter(|_| may_be_of_an_exchange) {
                let key = MessageKey::of(stamp, topic);
                findings.extend(self.note_exchange(event, key, delivered, first));
            }
        } else if let Some(recipient) = self.will_recipient(event, topic, payload) {
            findings.extend(self.handle_will_delivery(event, delivered, recipient));
        } else {
            self.deliveries.handle_stray_will(event, &delivery);
        }
    }

    /// A message that was published just now came, which bears a stamp, or is not of this run.
    fn note_live(&mut self, event: &Event, stamp: Option<Stamp>, delivery: &Delivery<'_>) {
        self.note_other_run(event, stamp);
        let ours = delivery.mark.ours();
        if let Some(stamp) = ours.filter(|_| delivery.qos > QoS::AtMostOnce) {
            self.windows.note_published(event.socket, stamp.scheduled);
        }
    }

    /// For whom a will is that came; `None` if no subscription asks for it.
    fn will_recipient(&self, event: &Event, topic: &str, payload: &[u8]) -> Option<WillRecipient> {
        let sent_at = self.wills.published_since(topic, payload);
        let sent_at = sent_at.unwrap_or(event.now);
        self.deliveries.recipient_of(event, topic, sent_at)
    }

    /// What the RETAIN flag of a message says.
    fn origin_of(&self, delivered: &DeliveredFact<'_>) -> Origin {
        if !delivered.retain {
            Origin::Live
        } else if self.roster.history().has_earlier_runs()
            || self.retained.has_published(delivered.topic)
        {
            Origin::Store
        } else {
            Origin::EmptyStore
        }
    }

    /// What a message of this run that came means to the requests, if it means anything.
    fn note_exchange(
        &mut self,
        event: &Event,
        key: MessageKey,
        delivered: &DeliveredFact<'_>,
        first: Option<FirstDelivery>,
    ) -> Option<Finding> {
        self.responses
            .handle_request(event, key, delivered.properties, first);
        // A copy is not the response, nor is what the broker has changed.
        first?;
        let answered = self
            .responses
            .handle_response(event, key, delivered.properties);
        answered.map(Finding::Answered)
    }

    /// Whose message it says that it is.
    fn mark_of(&self, delivered: &DeliveredFact<'_>) -> Mark {
        let has_form =
            || in_property(delivered.properties).is_some() || has_form_of_squall(delivered.payload);
        match delivered.stamp {
            Some(stamp) if stamp.run == self.roster.run() => Mark::Ours(stamp),
            Some(_) if has_form() => Mark::OfAnotherRun,
            Some(_) | None => Mark::None,
        }
    }

    /// Counts a message that was published just now if it bears the stamp of another run. Sessions that
    /// were there before the run may hold messages of an earlier one.
    fn note_other_run(&mut self, event: &Event, stamp: Option<Stamp>) {
        let Some(stamp) = stamp else {
            return;
        };
        // Any 16 bytes look like a stamp; few of them like one that was due in the first weeks
        // of a run.
        let due = stamp.scheduled.since_start();
        let is_plausible = due > Duration::ZERO && due < RUN_LENGTH_MAX;
        let is_of_another = is_plausible && stamp.run != self.roster.run();
        if is_of_another && !self.roster.resumes(event.group) {
            // Devices that this run does not have are counted as one.
            let device = stamp.device.min(self.roster.end_of_devices());
            *self.messages_of_other_runs.entry(device).or_default() += 1;
        }
    }

    /// A will came to a recipient that asks for it: wills are accounted for apart.
    fn handle_will_delivery(
        &mut self,
        event: &Event,
        delivered: &DeliveredFact<'_>,
        WillRecipient { recipient, copies }: WillRecipient,
    ) -> Option<Finding> {
        let &DeliveredFact { topic, payload, .. } = delivered;
        if delivered.retain {
            self.deliveries.handle_will_from_store(event, topic);
        }
        if self.closed_at.is_some() {
            return None;
        }
        let arrived = self.stalls.earliest_arrival(event);
        let is_measured = arrived == event.arrived;
        let event = &Event { arrived, ..*event };
        let will_qos = self.wills.known(topic, payload)?.qos;
        let may_be_sent = |published_at| {
            self.deliveries
                .may_be_sent_from_store(event, topic, published_at)
        };
        let connection = self.open.get(&event.socket);
        let there_since = connection.and_then(|connection| connection.connect_left_at);
        let room = self
            .windows
            .room(event, there_since.unwrap_or(Instant::ZERO));
        let arrival = WillArrival {
            topic,
            payload,
            is_from_store: delivered.retain
                && self.wills.may_be_stored(topic, payload, may_be_sent),
            is_marked_as_repeat: delivered.dup && delivered.qos == QoS::AtLeastOnce,
            is_of_displaced: delivered.qos > QoS::AtMostOnce && self.deliveries.is_displaced(event),
            recipient,
            watched_since: self.deliveries.watched_since(recipient, topic, will_qos),
            alone_since: self.deliveries.alone_since(event),
            copies,
            room,
        };
        let arrived = self.wills.handle_delivered(event, &arrival);
        self.make_room_for_wills(event.now);
        match arrived {
            WillDelivery::NoWill | WillDelivery::Counted => None,
            // How long it took cannot be seen by a device that did not read.
            WillDelivery::First(seen) => is_measured.then_some(Finding::Will(seen)),
        }
    }

    /// Settles accounts of wills early if too many are kept.
    pub(super) fn make_room_for_wills(&mut self, now: Instant) {
        if self.wills.is_full() {
            self.wills.make_room(now, Audiences::new(&self.deliveries));
        }
    }
}
