//! What one delivery is: the first, another copy, out of order, misrouted, or not of this run.
//!
//! A delivery is judged in this order, and the first answer ends it: does it bear this run's
//! stamp, was it ever sent, does a subscription ask for it, may it come out of the broker's store,
//! is it what was published, has this recipient had it before, and is it in order.

use squall_fleet::{RunTag, Stamp};
use squall_protocol::{Instant, QoS};
use squall_run::AnomalyKind;
use squall_scenario::TopicKey;

use super::{Deliveries, StreamId, TallyKey, group_of, session};
use crate::books::anomalies::{Anomaly, Scope};
use crate::books::event::Event;
use crate::books::memory::MemoryLimit;
use crate::books::stream::{Arrival, Record, fingerprint};
use crate::books::topics::Recipient;

/// A PUBLISH that reached an application, wills apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery<'a> {
    /// Topic Name.
    pub(crate) topic: &'a str,
    /// QoS of this delivery.
    pub(crate) qos: QoS,
    /// What its RETAIN flag says.
    pub(crate) origin: Origin,
    /// Its DUP flag: the broker may have sent it before, on another connection.
    pub(crate) dup: bool,
    /// The whole payload.
    pub(crate) payload: &'a [u8],
    /// What the payload says of itself.
    pub(crate) stamp: Option<Stamp>,
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

/// A delivery under judgement: a message of this run that reached a Session which asks for it.
#[derive(Clone, Copy, Debug)]
struct Case<'a> {
    event: &'a Event,
    delivery: &'a Delivery<'a>,
    stamp: Stamp,
    stream: StreamId,
    topic: TopicKey,
    /// QoS of the PUBLISH to the broker.
    published: QoS,
    /// When the message was sent, if its record is kept.
    sent_at: Option<Instant>,
    /// When the generator got to it, likewise.
    reached_at: Option<Instant>,
    /// Whether it waited for its recipient.
    wait: Wait,
    /// The place that the delivery is taken for.
    place: usize,
    /// Copies that the Session's own subscriptions allow at that place.
    copies: u8,
    /// The QoS that it must have, where one subscription alone asks for it [MQTT-3.8.4-8].
    promised: Option<QoS>,
}

/// A delivery for which no case can be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stranger {
    /// It bears no stamp of this run: another client's, an earlier run's, or the broker's own.
    Foreign,
    /// Of this run, but no subscription asks for it.
    NotAskedFor,
    /// Of this run, but its device never published to this topic.
    NeverPublishedThere,
    /// Of this run, but with a sequence number that was never sent.
    NeverPublished,
}

impl Case<'_> {
    /// The tally it counts in, unless a pledge says otherwise.
    fn key(&self) -> TallyKey {
        TallyKey {
            group: self.event.group,
            published: self.published,
            owed: self.delivery.qos.min(self.published),
        }
    }

    fn sequence(&self) -> u32 {
        self.stamp.sequence
    }

    fn anomaly(&self, kind: AnomalyKind, explanation: String) -> Anomaly {
        Anomaly {
            kind,
            at: self.event.now,
            device: Some(self.event.device),
            topic: Some(self.delivery.topic.to_owned()),
            sequence: Some(self.sequence()),
            explanation,
            scope: Scope {
                group: Some(self.event.group),
                qos: Some(self.published),
                ..Scope::default()
            },
        }
    }

    fn first(&self) -> FirstDelivery {
        FirstDelivery {
            stamp: self.stamp,
            published: self.published,
            sent_at: self.sent_at,
            reached_at: self.reached_at,
            wait: self.wait,
        }
    }
}

impl Deliveries {
    /// A message reached an application.
    pub(crate) fn handle_delivered(
        &mut self,
        event: &Event,
        delivery: &Delivery<'_>,
        run: RunTag,
    ) -> Option<FirstDelivery> {
        if self.is_closed {
            return None;
        }
        let case = match self.make_case(event, delivery, run) {
            Ok(case) => case,
            Err(stranger) => {
                self.handle_stranger(event, delivery, stranger);
                return None;
            }
        };
        self.books.tally_mut(case.key()).received += 1;
        if self.may_come_from_store(&case) {
            // Sent because of a new subscription, beside what is owed.
            self.handle_replay(&case);
            return None;
        }
        self.compare(&case);
        self.attribute(&case)
    }

    /// A will of this run reached a Session that does not ask for its topic.
    pub(crate) fn handle_stray_will(&mut self, event: &Event, delivery: &Delivery<'_>) {
        if !self.is_closed {
            self.handle_stranger(event, delivery, Stranger::NotAskedFor);
        }
    }

    fn make_case<'a>(
        &self,
        event: &'a Event,
        delivery: &'a Delivery<'a>,
        run: RunTag,
    ) -> Result<Case<'a>, Stranger> {
        let stamp = delivery.stamp.filter(|stamp| stamp.run == run);
        let stamp = stamp.ok_or(Stranger::Foreign)?;
        let topic = self.topics.topic(delivery.topic);
        let stream = topic.and_then(|topic| self.stream_ids.get(&(stamp.device, topic)));
        let (Some(topic), Some(&stream)) = (topic, stream) else {
            return Err(Stranger::NeverPublishedThere);
        };
        if !self.streams[stream].has_sent(stamp.sequence) {
            return Err(Stranger::NeverPublished);
        }
        let (place, copies) = self.place_of(event, topic).ok_or(Stranger::NotAskedFor)?;
        let record = self.streams[stream].record(stamp.sequence);
        let mut case = Case {
            event,
            delivery,
            stamp,
            stream,
            topic,
            // A record that is gone was settled; the QoS of a stream is nearly always one.
            published: record.map_or(self.streams[stream].qos, |record| record.qos),
            sent_at: record.map(|record| record.sent_at),
            reached_at: record.map(|record| record.reached_at),
            wait: self.wait_of(event, record),
            place,
            copies,
            promised: None,
        };
        case.promised = self.promised_qos(&case);
        Ok(case)
    }

    fn wait_of(&self, event: &Event, record: Option<&Record>) -> Wait {
        let sent_at = record.map(|record| record.sent_at);
        let connected_at = session(&self.sessions, event.client).map(|row| row.connected_at);
        if sent_at.is_some() && sent_at < connected_at {
            Wait::Offline
        } else {
            Wait::None
        }
    }

    /// The Session's own place in a topic and the copies its subscriptions allow; without one,
    /// the place of a shared subscription that it is a member of.
    fn place_of(&self, event: &Event, topic: TopicKey) -> Option<(usize, u8)> {
        let session = session(&self.sessions, event.client)?;
        if let Some(number) = self.topics.session_place(topic, event.client) {
            let copies = session
                .asked(&self.topics.places(topic)[number].filters)
                .copies;
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
                session.is_some_and(|session| session.asked(&places[number].filters).copies > 0)
            })
    }

    fn promised_qos(&self, case: &Case<'_>) -> Option<QoS> {
        // With several subscriptions the broker may choose whose QoS it uses.
        let is_alone = case.copies == 1
            && self
                .member_places(case.event, case.topic)
                .all(|other| other == case.place);
        let session = session(&self.sessions, case.event.client).filter(|_| is_alone)?;
        let asked = session.asked(&self.topics.places(case.topic)[case.place].filters);
        Some(asked.certain?.min(case.published))
    }

    fn may_come_from_store(&self, case: &Case<'_>) -> bool {
        match case.delivery.origin {
            Origin::Live | Origin::EmptyStore => false,
            Origin::Store => case.sent_at.is_none_or(|sent_at| {
                self.may_be_sent_from_store(case.event, case.delivery.topic, sent_at)
            }),
        }
    }

    /// A message came out of the store: once for each SUBSCRIBE that asks for it [MQTT-3.3.1-9].
    fn handle_replay(&mut self, case: &Case<'_>) {
        let filters = &self.topics.places(case.topic)[case.place].filters;
        let session = session(&self.sessions, case.event.client);
        // The time it was due is never after that of its sending.
        let published_at = case.sent_at.unwrap_or(case.stamp.scheduled);
        let allowed = session.map_or(0, |session| session.requests_since(filters, published_at));
        let is_one_too_many = !case.delivery.dup
            && self.streams[case.stream]
                .cursor_mut(case.place)
                .count_replay(case.sequence())
                > allowed;
        let tally = self.books.tally_mut(case.key());
        if !is_one_too_many {
            tally.optional += 1;
            return;
        }
        tally.duplicated += 1;
        tally.forbidden += 1;
        self.anomalies.note(AnomalyKind::Duplicated, || {
            let explanation = format!(
                "a retained message came more often than the {allowed} times that SUBSCRIBE asked for it [MQTT-3.3.1-9]"
            );
            case.anomaly(AnomalyKind::Duplicated, explanation)
        });
    }

    /// Compares a delivery with what was published, if that is still known.
    fn compare(&mut self, case: &Case<'_>) {
        let Some(record) = self.streams[case.stream].record(case.sequence()) else {
            return;
        };
        let delivery = case.delivery;
        let promised = case.promised.filter(|&promised| promised != delivery.qos);
        let what = if record.hash != fingerprint(delivery.payload) {
            "has another payload than was published".to_owned()
        } else if let Some(promised) = promised {
            format!(
                "came at QoS {}, not at QoS {} [MQTT-3.8.4-8]",
                delivery.qos as u8, promised as u8
            )
        } else if delivery.origin != Origin::Live {
            "came with RETAIN to a subscription that was there before it [MQTT-3.3.1-12]".to_owned()
        } else {
            return;
        };
        self.books.tally_mut(case.key()).corrupted += 1;
        self.anomalies.note(AnomalyKind::Corrupted, || {
            let explanation = format!(
                "message {} of device {} {what}",
                case.sequence(),
                case.stamp.device.0
            );
            case.anomaly(AnomalyKind::Corrupted, explanation)
        });
    }

    /// Finds out whether it is the first delivery, and writes down what it is.
    fn attribute(&mut self, case: &Case<'_>) -> Option<FirstDelivery> {
        match self.streams[case.stream].deliver(case.place, case.sequence()) {
            arrival @ (Arrival::Pledged(_) | Arrival::Optional) => {
                self.handle_first(case, arrival);
            }
            Arrival::Forgotten => {
                // Whether this is a repeat cannot be told any longer: nothing is concluded.
                self.books.tally_mut(case.key()).optional += 1;
                self.given_up.add(MemoryLimit::Ranges, 1);
            }
            Arrival::Again => {
                // A Session that also belongs to a shared subscription may get that one's copy:
                // which of the two a copy is cannot be seen, so its own is taken first.
                if let Some((share, arrival)) = self.deliver_to_share(case) {
                    let case = Case {
                        place: share,
                        ..*case
                    };
                    self.handle_first(&case, arrival);
                } else if self.streams[case.stream].take_copy(
                    case.place,
                    case.sequence(),
                    case.copies,
                ) {
                    self.books.tally_mut(case.key()).optional += 1;
                } else {
                    self.handle_duplicate(case);
                    return None;
                }
            }
        }
        self.settle(case.stream);
        Some(case.first())
    }

    /// The place of a shared subscription of this Session that has not had the message yet.
    fn deliver_to_share(&mut self, case: &Case<'_>) -> Option<(usize, Arrival)> {
        let shares: Vec<usize> = self.member_places(case.event, case.topic).collect();
        shares
            .into_iter()
            .filter(|&share| share != case.place)
            .find_map(|share| {
                let arrival = self.streams[case.stream].deliver(share, case.sequence());
                matches!(arrival, Arrival::Pledged(_) | Arrival::Optional)
                    .then_some((share, arrival))
            })
    }

    fn handle_first(&mut self, case: &Case<'_>, arrival: Arrival) {
        let recipient = self.topics.places(case.topic)[case.place].recipient;
        if let Arrival::Pledged(owed) = arrival {
            // The pledge is in the books of the QoS it was made at, whatever came: move the
            // delivery there, or neither book would balance.
            let pledge = TallyKey {
                group: group_of(&self.sessions, &self.shares, recipient),
                published: case.published,
                owed,
            };
            let came_in = self.books.tally_mut(case.key());
            came_in.received = came_in.received.saturating_sub(1);
            let pledge = self.books.tally_mut(pledge);
            pledge.received += 1;
            pledge.delivered += 1;
        } else {
            self.books.tally_mut(case.key()).optional += 1;
        }
        if case.wait == Wait::Offline {
            self.books.tally_mut(case.key()).late += 1;
        }
        self.check_order(case, recipient);
    }

    fn check_order(&mut self, case: &Case<'_>, recipient: Recipient) {
        let event = case.event;
        let newest = session(&self.sessions, event.client).and_then(|row| row.live.last());
        if newest != Some(&event.socket) {
            // Order is promised within a connection; this one is about to be closed.
            return;
        }
        let cursor = self.streams[case.stream].cursor_mut(case.place);
        let later = cursor.is_out_of_order(event.client, case.published, case.sequence());
        let Some(later) = later else {
            return;
        };
        if let Recipient::Share(filter) = recipient
            && self
                .shares
                .get(&filter)
                .is_some_and(|share| case.sent_at <= Some(share.disturbed_until))
        {
            // It was another member's, which was lost: it had to come late.
            return;
        }
        self.books.tally_mut(case.key()).reordered += 1;
        self.anomalies.note(AnomalyKind::Reordered, || {
            let explanation = format!(
                "came after message {later} of the same publisher (device {}) and topic (§4.6)",
                case.stamp.device.0
            );
            case.anomaly(AnomalyKind::Reordered, explanation)
        });
    }

    fn handle_duplicate(&mut self, case: &Case<'_>) {
        let tally = self.books.tally_mut(case.key());
        tally.duplicated += 1;
        // What counts is the QoS that was promised: one that came instead excuses nothing.
        let owed = case.promised.unwrap_or(case.key().owed);
        // At QoS 1, on either half of the way, repeats are allowed (§4.3.2).
        let has_qos1 = case.published == QoS::AtLeastOnce || owed == QoS::AtLeastOnce;
        // A device that was given the Session cannot know what the one before it had received.
        let has_moved = session(&self.sessions, case.event.client)
            .is_some_and(|session| case.stamp.scheduled < session.moved_at);
        if has_qos1 || (has_moved && owed == QoS::ExactlyOnce) {
            return;
        }
        self.books.tally_mut(case.key()).forbidden += 1;
        self.anomalies.note(AnomalyKind::Duplicated, || {
            let explanation = format!(
                "QoS {} forbids that message {} of device {} comes again (§4.3)",
                owed as u8,
                case.sequence(),
                case.stamp.device.0
            );
            case.anomaly(AnomalyKind::Duplicated, explanation)
        });
    }

    fn handle_stranger(&mut self, event: &Event, delivery: &Delivery<'_>, stranger: Stranger) {
        let tally = self.books.tally_mut(TallyKey {
            group: event.group,
            published: delivery.qos,
            owed: delivery.qos,
        });
        tally.received += 1;
        let why = match stranger {
            Stranger::Foreign => {
                tally.foreign += 1;
                return;
            }
            Stranger::NotAskedFor => "no subscription asks for it",
            Stranger::NeverPublishedThere => {
                "the device of its stamp never published to this topic"
            }
            Stranger::NeverPublished => "its stamp has a sequence number that was never sent",
        };
        tally.misrouted += 1;
        self.anomalies.note(AnomalyKind::Misrouted, || Anomaly {
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
}
