//! What one delivery is: the first, another copy, out of order, or meant for nobody.

use squall_fleet::Stamp;
use squall_protocol::{Instant, QoS};
use squall_run::AnomalyKind;
use squall_scenario::TopicKey;

use super::{CopyKey, Deliveries, StreamId, TallyKey, group_of, session};
use crate::books::anomalies::{Anomalies, Anomaly, Scope};
use crate::books::event::Event;
use crate::books::limits::COPIES_TRACKED_MAX;
use crate::books::stream::{Arrival, fingerprint};
use crate::books::topics::Recipient;

/// A PUBLISH that reached an application, wills apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery<'a> {
    /// As it came.
    pub(crate) topic: &'a str,
    /// As it came.
    pub(crate) qos: QoS,
    /// What its RETAIN flag says.
    pub(crate) origin: Origin,
    /// As it came.
    pub(crate) payload: &'a [u8],
    /// What the payload says of itself.
    pub(crate) stamp: Option<Stamp>,
    /// Whether the broker may hold messages of earlier runs.
    pub(crate) may_be_foreign: bool,
}

/// What the RETAIN flag of a delivery says: set is out of the store, for a new subscription
/// (§3.3.1.3), and nothing else [MQTT-3.3.1-12].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// It was published just now, or waited for the Session.
    Live,
    /// It was retained.
    Store,
    /// It was retained, but nothing was ever published there that could be.
    EmptyStore,
}

/// What a first delivery tells the metrics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FirstDelivery {
    /// The message.
    pub(crate) stamp: Stamp,
    /// QoS of the PUBLISH to the broker.
    pub(crate) published: QoS,
    /// When it was handed to the publisher's link, if that is still known.
    pub(crate) sent_at: Option<Instant>,
    /// When the generator got to it, if that is still known.
    pub(crate) reached_at: Option<Instant>,
    /// Whether it waited for its recipient.
    pub(crate) wait: Wait,
}

/// Whether a delivery waited for its recipient to be connected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wait {
    /// The recipient was connected when it was sent, or nothing is known of that.
    None,
    /// It was sent before the connection that it came on was resumed: its latency is the time that
    /// the recipient was away.
    Offline,
}

/// A delivery whose stream is known.
#[derive(Clone, Copy, Debug)]
struct Known {
    stream: StreamId,
    topic: TopicKey,
    stamp: Stamp,
    published: QoS,
    sent_at: Option<Instant>,
    reached_at: Option<Instant>,
    /// The tally it counts in, unless a pledge says otherwise.
    key: TallyKey,
}

impl Deliveries {
    /// A message reached an application.
    pub(crate) fn handle_delivered(
        &mut self,
        event: &Event,
        delivery: &Delivery<'_>,
        anomalies: &mut Anomalies,
    ) -> Option<FirstDelivery> {
        if self.is_closed {
            return None;
        }
        let known = match self.recognise(event, delivery) {
            Ok(known) => known,
            Err(stranger) => {
                self.handle_stranger(event, delivery, stranger, anomalies);
                return None;
            }
        };
        let Some((place, copies)) = self.place_of(event, known.topic) else {
            self.misroute(event, delivery, "no subscription asks for it", anomalies);
            return None;
        };
        self.books.tally_mut(known.key).received += 1;
        if self.is_from_store(event, delivery, &known) {
            // Sent because of a new subscription, beside what is owed.
            self.books.tally_mut(known.key).optional += 1;
            return None;
        }
        let promised = self.promised_qos(event, &known, (place, copies));
        self.compare(event, delivery, (&known, promised), anomalies);
        self.attribute(event, &known, (place, copies), anomalies)
    }

    fn is_from_store(&self, event: &Event, delivery: &Delivery<'_>, known: &Known) -> bool {
        match delivery.origin {
            Origin::Live | Origin::EmptyStore => false,
            Origin::Store => known
                .sent_at
                .is_none_or(|sent_at| self.may_be_sent_from_store(event, delivery.topic, sent_at)),
        }
    }

    /// The QoS that a delivery must have, where one subscription alone has asked for it
    /// [MQTT-3.8.4-8].
    fn promised_qos(
        &self,
        event: &Event,
        known: &Known,
        (place, copies): (usize, u8),
    ) -> Option<QoS> {
        let is_alone = copies == 1
            && self
                .member_places(event, known.topic)
                .all(|other| other == place);
        let session = session(&self.sessions, event.client).filter(|_| is_alone)?;
        let asked = session.asked(&self.topics.places(known.topic)[place]);
        Some(asked.certain?.min(known.published))
    }

    fn recognise(&self, event: &Event, delivery: &Delivery<'_>) -> Result<Known, Stranger> {
        let Some(stamp) = delivery.stamp else {
            return Err(Stranger::Unstamped);
        };
        let topic = self.topics.topic(delivery.topic);
        let stream = topic.and_then(|topic| self.stream_ids.get(&(stamp.device, topic)));
        let (Some(topic), Some(&stream)) = (topic, stream) else {
            return Err(Stranger::NeverPublishedThere);
        };
        if !self.streams[stream].has_sent(stamp.sequence) {
            return Err(Stranger::NeverPublished);
        }
        let record = self.streams[stream].record(stamp.sequence);
        // A record that is gone was settled; the QoS of a stream is nearly always one.
        let published = record.map_or(self.streams[stream].qos, |record| record.qos);
        Ok(Known {
            stream,
            topic,
            stamp,
            published,
            sent_at: record.map(|record| record.sent_at),
            reached_at: record.map(|record| record.reached_at),
            key: TallyKey {
                group: event.group,
                published,
                owed: delivery.qos.min(published),
            },
        })
    }

    /// The Session's own place in a topic and the copies its subscriptions allow; without one,
    /// the place of a shared subscription that it is a member of.
    pub(super) fn place_of(&self, event: &Event, topic: TopicKey) -> Option<(usize, u8)> {
        let session = session(&self.sessions, event.client)?;
        if let Some(number) = self.topics.session_place(topic, event.client) {
            let copies = session.asked(&self.topics.places(topic)[number]).copies;
            if copies > 0 {
                return Some((number, copies));
            }
        }
        let mut shares = self.member_places(event, topic);
        shares.next().map(|number| (number, 1))
    }

    /// Places of shared subscriptions of a topic that the Session is a member of.
    fn member_places(&self, event: &Event, topic: TopicKey) -> impl Iterator<Item = usize> + '_ {
        let session = session(&self.sessions, event.client);
        let places = self.topics.places(topic);
        self.topics
            .share_places(topic)
            .iter()
            .copied()
            .filter(move |&number| {
                session.is_some_and(|session| session.asked(&places[number]).copies > 0)
            })
    }

    /// Finds what the delivery is and writes it down.
    fn attribute(
        &mut self,
        event: &Event,
        known: &Known,
        (place, copies): (usize, u8),
        anomalies: &mut Anomalies,
    ) -> Option<FirstDelivery> {
        let sequence = known.stamp.sequence;
        let arrival = self.streams[known.stream].deliver(place, sequence);
        match arrival {
            Arrival::Pledged(_) | Arrival::Optional => {
                self.handle_first(event, known, (place, arrival), anomalies);
            }
            Arrival::Forgotten => self.books.tally_mut(known.key).optional += 1,
            Arrival::Again => {
                if let Some((share, arrival)) = self.deliver_to_share(event, known, place) {
                    self.handle_first(event, known, (share, arrival), anomalies);
                } else if self.take_copy((known.stream, event.client, sequence), copies) {
                    self.books.tally_mut(known.key).optional += 1;
                } else {
                    let promised = self.promised_qos(event, known, (place, copies));
                    self.handle_duplicate(event, (known, promised), anomalies);
                    return None;
                }
            }
        }
        self.records -= self.streams[known.stream].settle();
        Some(FirstDelivery {
            stamp: known.stamp,
            published: known.published,
            sent_at: known.sent_at,
            reached_at: known.reached_at,
            wait: self.wait_of(event, known),
        })
    }

    fn wait_of(&self, event: &Event, known: &Known) -> Wait {
        let connected_at = session(&self.sessions, event.client).map(|row| row.connected_at);
        if known.sent_at.is_some() && known.sent_at < connected_at {
            Wait::Offline
        } else {
            Wait::None
        }
    }

    /// A copy beyond the Session's own may be that of a shared subscription it belongs to.
    fn deliver_to_share(
        &mut self,
        event: &Event,
        known: &Known,
        own: usize,
    ) -> Option<(usize, Arrival)> {
        let shares: Vec<usize> = self.member_places(event, known.topic).collect();
        shares
            .into_iter()
            .filter(|&share| share != own)
            .find_map(|share| {
                let arrival = self.streams[known.stream].deliver(share, known.stamp.sequence);
                matches!(arrival, Arrival::Pledged(_) | Arrival::Optional)
                    .then_some((share, arrival))
            })
    }

    fn handle_first(
        &mut self,
        event: &Event,
        known: &Known,
        (place, arrival): (usize, Arrival),
        anomalies: &mut Anomalies,
    ) {
        let recipient = self.topics.places(known.topic)[place].recipient;
        if let Arrival::Pledged(owed) = arrival {
            // The pledge is in the books of the QoS it was made at, whatever came.
            let pledge = TallyKey {
                group: group_of(&self.sessions, &self.shares, recipient),
                published: known.published,
                owed,
            };
            if pledge != known.key {
                self.books.tally_mut(known.key).received -= 1;
                self.books.tally_mut(pledge).received += 1;
            }
            self.books.tally_mut(pledge).delivered += 1;
        } else {
            self.books.tally_mut(known.key).optional += 1;
        }
        if self.wait_of(event, known) == Wait::Offline {
            self.books.tally_mut(known.key).late += 1;
        }
        self.check_order(event, known, (place, recipient), anomalies);
    }

    fn check_order(
        &mut self,
        event: &Event,
        known: &Known,
        (place, recipient): (usize, Recipient),
        anomalies: &mut Anomalies,
    ) {
        let newest = session(&self.sessions, event.client).and_then(|row| row.live.last());
        if newest != Some(&event.socket) {
            // Order is promised within a connection; this one is about to be closed.
            return;
        }
        let cursor = self.streams[known.stream].cursor_mut(place);
        let later = cursor.is_out_of_order(event.client, known.published, known.stamp.sequence);
        let Some(later) = later else {
            return;
        };
        if let Recipient::Share(filter) = recipient
            && self
                .shares
                .get(&filter)
                .is_some_and(|share| known.sent_at <= Some(share.disturbed_until))
        {
            // It was another member's, which was lost: it had to come late.
            return;
        }
        self.books.tally_mut(known.key).reordered += 1;
        anomalies.note(AnomalyKind::Reordered, || {
            let explanation = format!(
                "came after message {later} of the same publisher (device {}) and topic (§4.6)",
                known.stamp.device.0
            );
            self.anomaly(AnomalyKind::Reordered, event, known, explanation)
        });
    }

    fn handle_duplicate(
        &mut self,
        event: &Event,
        (known, promised): (&Known, Option<QoS>),
        anomalies: &mut Anomalies,
    ) {
        let tally = self.books.tally_mut(known.key);
        tally.duplicated += 1;
        // What counts is the QoS that was promised: one that came instead excuses nothing.
        let owed = promised.unwrap_or(known.key.owed);
        let has_qos1 = known.published == QoS::AtLeastOnce || owed == QoS::AtLeastOnce;
        // A device that was given the Session cannot know what the one before it had received.
        let has_moved = session(&self.sessions, event.client)
            .is_some_and(|session| known.stamp.scheduled < session.moved_at);
        if has_qos1 || (has_moved && owed == QoS::ExactlyOnce) {
            return;
        }
        self.books.tally_mut(known.key).forbidden += 1;
        anomalies.note(AnomalyKind::Duplicated, || {
            let explanation = format!(
                "QoS {} forbids that message {} of device {} comes again (§4.3)",
                owed as u8, known.stamp.sequence, known.stamp.device.0
            );
            self.anomaly(AnomalyKind::Duplicated, event, known, explanation)
        });
    }

    /// Whether overlapping subscriptions allow one more copy of a message; uses it up.
    fn take_copy(&mut self, copy: CopyKey, allowed: u8) -> bool {
        if allowed < 2 {
            return false;
        }
        if !self.copies.contains_key(&copy) {
            self.copies_order.push_back(copy);
            if self.copies_order.len() > COPIES_TRACKED_MAX
                && let Some(oldest) = self.copies_order.pop_front()
            {
                self.copies.remove(&oldest);
            }
        }
        let used = self.copies.entry(copy).or_insert(1);
        if *used >= allowed {
            return false;
        }
        *used += 1;
        true
    }

    /// Compares a delivery with what was published, if that is still known.
    fn compare(
        &mut self,
        event: &Event,
        delivery: &Delivery<'_>,
        (known, promised): (&Known, Option<QoS>),
        anomalies: &mut Anomalies,
    ) {
        let Some(record) = self.streams[known.stream].record(known.stamp.sequence) else {
            return;
        };
        let what = if record.hash != fingerprint(delivery.payload) {
            "has another payload than was published".to_owned()
        } else if let Some(promised) = promised.filter(|&promised| promised != delivery.qos) {
            format!(
                "came at QoS {}, not at QoS {} [MQTT-3.8.4-8]",
                delivery.qos as u8, promised as u8
            )
        } else if delivery.origin != Origin::Live {
            "came with RETAIN to a subscription that was there before it [MQTT-3.3.1-12]".to_owned()
        } else {
            return;
        };
        self.books.tally_mut(known.key).corrupted += 1;
        anomalies.note(AnomalyKind::Corrupted, || {
            let Stamp {
                sequence, device, ..
            } = known.stamp;
            let explanation = format!("message {sequence} of device {} {what}", device.0);
            self.anomaly(AnomalyKind::Corrupted, event, known, explanation)
        });
    }

    fn handle_stranger(
        &mut self,
        event: &Event,
        delivery: &Delivery<'_>,
        stranger: Stranger,
        anomalies: &mut Anomalies,
    ) {
        // The broker's own topics, and what earlier runs left there, are nobody's messages.
        let is_system = delivery.topic.starts_with('$');
        let is_left_over = delivery.origin == Origin::Store && delivery.may_be_foreign;
        if is_system || is_left_over {
            let key = stranger_key(event, delivery);
            let tally = self.books.tally_mut(key);
            tally.received += 1;
            tally.optional += 1;
            return;
        }
        self.misroute(event, delivery, stranger.explanation(), anomalies);
    }

    fn misroute(
        &mut self,
        event: &Event,
        delivery: &Delivery<'_>,
        why: &str,
        anomalies: &mut Anomalies,
    ) {
        let tally = self.books.tally_mut(stranger_key(event, delivery));
        tally.received += 1;
        tally.misrouted += 1;
        anomalies.note(AnomalyKind::Misrouted, || Anomaly {
            kind: AnomalyKind::Misrouted,
            at: event.now,
            device: Some(event.device),
            topic: Some(delivery.topic.to_owned()),
            sequence: delivery.stamp.map(|stamp| stamp.sequence),
            explanation: format!("{why} (§3.3.4)"),
            scope: Scope {
                group: Some(event.group),
                qos: Some(delivery.qos),
                ..Scope::default()
            },
        });
    }

    fn anomaly(
        &self,
        kind: AnomalyKind,
        event: &Event,
        known: &Known,
        explanation: String,
    ) -> Anomaly {
        Anomaly {
            kind,
            at: event.now,
            device: Some(event.device),
            topic: Some(self.topics.text(known.topic).to_string()),
            sequence: Some(known.stamp.sequence),
            explanation,
            scope: Scope {
                group: Some(event.group),
                qos: Some(known.published),
                ..Scope::default()
            },
        }
    }
}

/// Why a delivery belongs to no stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stranger {
    Unstamped,
    NeverPublishedThere,
    NeverPublished,
}

impl Stranger {
    const fn explanation(self) -> &'static str {
        match self {
            Self::Unstamped => {
                "no device published it, or it is a will that nothing here subscribed to"
            }
            Self::NeverPublishedThere => "the device of its stamp never published to this topic",
            Self::NeverPublished => "its stamp has a sequence number that was never sent",
        }
    }
}

fn stranger_key(event: &Event, delivery: &Delivery<'_>) -> TallyKey {
    TallyKey {
        group: event.group,
        published: delivery.qos,
        owed: delivery.qos,
    }
}
