//! What one delivery is: the first, another copy, out of order, corrupted, misrouted, or not of this run.
//!
//! A delivery is judged in this order, and the first answer ends it: does it bear this run's
//! stamp (`stranger`), was it ever sent, does a subscription ask for it, may it come out of the broker's store (`replay`),
//! is it what was published, has this recipient had it before (`copies`), and is it in order.
//!
//! The order matters. A copy out of the store is sent because of a SUBSCRIBE, beside what is owed: counted
//! after the pledges it would end one, and the message itself would be taken for a repeat. What a message
//! says is compared before it is attributed: a corrupted one is not what was owed, and ends no pledge; one at
//! another QoS or with a wrong flag is, and does. Order is judged last, of first deliveries only: a repeat is late by nature.

use squall_protocol::QoS;
use squall_scenario::TopicKey;

use super::case::{Case, FirstDelivery, Sent, Wait};
use super::delivery::{Delivery, Origin};
use super::stranger::Stranger;
use super::ways::OneWay;
use super::{Deliveries, TallyKey, group_of, sender_to, session};
use crate::books::event::Event;
use crate::books::memory::MemoryLimit;
use crate::books::session::Sender;
use crate::books::stream::{Arrival, Record};
use crate::books::topics::Recipient;

impl Deliveries {
    /// A message reached an application.
    pub(crate) fn handle_delivered(
        &mut self,
        event: &Event,
        delivery: &Delivery<'_>,
    ) -> Option<FirstDelivery> {
        if self.is_closed {
            return None;
        }
        if self.counted_qos(delivery).is_some() {
            self.count_received(event, delivery);
            return None;
        }
        let case = match self.make_case(event, delivery) {
            Ok(case) => case,
            Err(stranger) => {
                self.handle_stranger(event, delivery, stranger);
                return None;
            }
        };
        self.note_receiving(&case);
        let stored = self.may_come_from_store(&case);
        if let Some(stranger) = self.unwanted(&case, stored) {
            self.handle_stranger(event, delivery, stranger);
            return None;
        }
        self.books.tally_mut(case.key()).received += 1;
        if let Some(stored) = stored {
            // Sent because of a new subscription, beside what is owed.
            self.handle_replay(&case, stored);
            return None;
        }
        if let Some(what) = self.changed_content(&case) {
            self.note_corrupted(&case, what);
            return None;
        }
        self.check_label(&case);
        self.check_identifiers(&case);
        self.check_expiry(&case);
        let first = self.attribute(&case);
        self.note_came_here(&case);
        first
    }

    /// A will of this run reached a Session that does not ask for its topic.
    pub(crate) fn handle_stray_will(&mut self, event: &Event, delivery: &Delivery<'_>) {
        if !self.is_closed {
            let topic = self.topics.topic(delivery.topic);
            let stranger = topic.map_or(Stranger::NotAskedFor, |topic| {
                self.not_asked_for(event, topic)
            });
            self.handle_stranger(event, delivery, stranger);
        }
    }

    fn make_case<'a>(
        &self,
        event: &'a Event,
        delivery: &'a Delivery<'a>,
    ) -> Result<Case<'a>, Stranger> {
        let stamp = delivery.mark.ours();
        let stamp = stamp.ok_or_else(|| self.without_stamp(event, delivery))?;
        let topic = self.topics.topic(delivery.topic);
        let stream = topic.and_then(|topic| self.stream_ids.get(&(stamp.device, topic)));
        let (Some(topic), Some(&stream)) = (topic, stream) else {
            return Err(match self.history.has_other_clients() {
                true => Stranger::Republished,
                false => Stranger::NeverPublishedThere,
            });
        };
        if !self.streams[stream].has_sent(stamp.sequence) {
            return Err(Stranger::NeverPublished);
        }
        let record = self.streams[stream].record(stamp.sequence);
        let sent = Sent {
            sender: sender_to(event.client, self.streams[stream].client),
            at: record.map_or(stamp.scheduled, |record| record.sent_at),
        };
        let way = self.way_for(event, topic, sent, delivery.origin)?;
        let mut case = Case {
            event,
            delivery,
            stamp,
            stream,
            topic,
            // A record that is gone was settled.
            published: record.map_or_else(
                || self.streams[stream].qos_of_forgotten(delivery.qos),
                |record| record.qos,
            ),
            sent_at: record.map(|record| record.sent_at),
            left: record.and_then(|record| {
                let recipient = Recipient::Session(event.client);
                self.left_once(stamp.device, record, recipient)
            }),
            reached_at: record.map(|record| record.reached_at),
            wait: self.wait_of(event, record),
            sender: sent.sender,
            place: way.place,
            copies: way.copies,
            has_other_ways: self.ways(event.client, topic, sent).len() > 1,
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

    /// Where a message has its place, and the copies that it may come in. Whether No Local keeps from a client what it
    /// had retained itself is not said: that may come out of the store.
    fn way_for(
        &self,
        event: &Event,
        topic: TopicKey,
        sent: Sent,
        origin: Origin,
    ) -> Result<OneWay, Stranger> {
        let first = |sent| self.ways(event.client, topic, sent).first().copied();
        let of_another = Sent {
            sender: Sender::Another,
            ..sent
        };
        first(sent).map_or_else(
            || match (first(of_another), origin) {
                (None, _) => Err(self.not_asked_for(event, topic)),
                (Some(_), Origin::Live | Origin::EmptyStore) => Err(Stranger::Local),
                (Some(way), Origin::Store) => Ok(way),
            },
            Ok,
        )
    }

    fn promised_qos(&self, case: &Case<'_>) -> Option<QoS> {
        // With several subscriptions the broker may choose whose QoS it uses.
        let is_alone = case.copies == 1 && !case.has_other_ways;
        let session = session(&self.sessions, case.event.client).filter(|_| is_alone)?;
        let filters = &self.topics.places(case.topic)[case.place].filters;
        let asked = session.asked(filters, case.sender, case.sent_at_least());
        Some(asked.certain?.min(case.published))
    }

    /// Finds out whether it is the first delivery, and writes down what it is.
    fn attribute(&mut self, case: &Case<'_>) -> Option<FirstDelivery> {
        let case = &self.at_the_way_that_waits(case);
        let now = case.event.now;
        let stream = &mut self.streams[case.stream];
        let arrival = stream.deliver(case.place, case.sequence(), case.delivery.qos, now);
        self.check_dup(case, arrival);
        match arrival {
            arrival @ (Arrival::Pledged(_) | Arrival::Optional) => {
                self.suspect_before(case);
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
                } else if let Some((place, arrival)) = self.exchange_ways(case) {
                    self.handle_first(&Case { place, ..*case }, arrival);
                } else if self.take_for_a_repeat(case) {
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
        let shares: Vec<usize> = self
            .member_places(case.event.client, case.topic, case.sent_at_least())
            .collect();
        shares
            .into_iter()
            .filter(|&share| share != case.place)
            .find_map(|share| {
                let stream = &mut self.streams[case.stream];
                let arrival =
                    stream.deliver(share, case.sequence(), case.delivery.qos, case.event.now);
                matches!(arrival, Arrival::Pledged(_) | Arrival::Optional)
                    .then_some((share, arrival))
            })
    }

    fn handle_first(&mut self, case: &Case<'_>, arrival: Arrival) {
        let recipient = self.topics.places(case.topic)[case.place].recipient;
        let group = group_of(&self.sessions, &self.shares, recipient);
        if let Arrival::Pledged(owed) = arrival {
            // The pledge is in the books of the QoS it was made at, whatever came: move the
            // delivery there, or neither book would balance.
            let pledge_key = TallyKey {
                group,
                published: case.published,
                owed,
            };
            let came_in = self.books.tally_mut(case.key());
            came_in.received = came_in.received.saturating_sub(1);
            let pledge = self.books.tally_mut(pledge_key);
            pledge.received += 1;
            pledge.delivered += 1;
            self.note_waited(case, owed);
        } else {
            self.books.tally_mut(case.key()).optional += 1;
        }
        if let Recipient::Share(_) = recipient {
            self.share_counts.came += 1;
        }
        self.note_holder(case);
        if self.has_no_reason_to_repeat(case) || self.is_given_once(case) {
            self.books.tally_mut(case.key()).unrepeatable += 1;
        }
        if case.wait == Wait::Offline {
            let away = session(&self.sessions, case.event.client).and_then(|row| row.away);
            let is_unasked = away.is_some_and(|away| away.is_unasked);
            let tally = self.books.tally_mut(case.key());
            tally.late += 1;
            tally.late_unasked += u64::from(is_unasked);
        }
        self.check_order(case, recipient);
        if let Arrival::Pledged(_) = arrival {
            // Its own time says nothing of whether it may have been on its way for so long.
            self.note_took(case, group);
        }
    }
}
