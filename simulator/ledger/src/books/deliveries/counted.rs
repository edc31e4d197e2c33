//! Messages without a stamp: counted, not told apart.
//!
//! Of such a message nothing but its Topic Name says whose it is. Messages that were acknowledged and asked for, less those
//! that came, are lost; those that came, less those that were sent, are copies. Both hold only where nothing but the broker
//! can have changed a count: what else may have is looked for, and nothing is concluded there.
//!
//! A message that is lost and another one that comes twice make up for each other: a count shows the least that is wrong.
//! Where it may have hidden more, since something else is missing or came too often, no count is taken for a proof that nothing is
//! wrong ([`Span`]).

mod doubt;
mod span;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use squall_protocol::{Instant, QoS};
use squall_run::{AnomalyKind, count_text};
use squall_scenario::{ClientKey, GroupId, TopicKey};

use super::close::RunEnd;
use super::delivery::{Delivery, Origin};
use super::{Deliveries, Message, StreamId, session};
use crate::books::anomalies::{Anomaly, Scope, Subject};
use crate::books::doubts::Doubt;
use crate::books::event::Event;
use crate::books::tallies::TallyKey;
use crate::books::topics::Recipient;
use span::Span;

/// Pairs of a topic and a Session that are counted apart; of more nothing is concluded.
const PAIRS_MAX: usize = 200_000;

/// What is known of messages without a stamp.
#[derive(Debug, Default)]
pub(super) struct Counted {
    topics: HashMap<TopicKey, TopicCount>,
    pairs: HashMap<(TopicKey, ClientKey), PairCount>,
    /// Topics that have other messages of this run as well.
    mixed: HashSet<TopicKey>,
    /// Sessions that had another connection, gave a subscription up or did not read since the first message was sent.
    disturbed: HashSet<ClientKey>,
}

/// What was published to one topic.
#[derive(Debug)]
struct TopicCount {
    qos: QoS,
    sent: u64,
    acknowledged: u64,
    first_sent_at: Instant,
    /// When the last one was sent or acknowledged.
    last_at: Instant,
    /// Whether a publisher may have sent one again.
    may_repeat: bool,
    /// Whether their counts cannot be compared: several QoS, or messages that expire.
    is_uneven: bool,
}

/// What one Session was owed of a topic, and had.
#[derive(Debug)]
struct PairCount {
    group: GroupId,
    /// At QoS 1 and 2.
    owed: u64,
    owed_qos: QoS,
    /// By QoS of the delivery.
    came: [u64; 3],
}

impl Counted {
    /// The topic has messages with a stamp, or wills, too.
    pub(super) fn mix(&mut self, topic: TopicKey) {
        self.mixed.insert(topic);
    }

    /// A message was acknowledged: one without a stamp, if the topic has no others.
    pub(super) fn handle_acknowledged(&mut self, topic: TopicKey, now: Instant) {
        if let Some(count) = self.topics.get_mut(&topic) {
            count.acknowledged += 1;
            count.last_at = now;
        }
    }

    /// A message was sent again on its connection.
    pub(super) fn handle_repeated(&mut self, topic: TopicKey) {
        if let Some(count) = self.topics.get_mut(&topic) {
            count.may_repeat = true;
        }
    }

    /// Something other than the broker may change what comes to a Session, as the end of its connection.
    pub(super) fn disturb(&mut self, client: ClientKey) {
        if !self.topics.is_empty() {
            self.disturbed.insert(client);
        }
    }

    fn pair(
        &mut self,
        topic: TopicKey,
        client: ClientKey,
        group: GroupId,
    ) -> Option<&mut PairCount> {
        let has_room = self.pairs.len() < PAIRS_MAX || self.pairs.contains_key(&(topic, client));
        let new = || PairCount {
            group,
            owed: 0,
            owed_qos: QoS::AtMostOnce,
            came: [0; 3],
        };
        has_room.then(|| self.pairs.entry((topic, client)).or_insert_with(new))
    }
}

impl PairCount {
    /// All that came.
    fn received(&self) -> u64 {
        self.came.iter().sum()
    }

    /// What the Session was owed if each message that was not acknowledged is one of those that it asked for.
    fn certainly_owed(&self, count: &TopicCount) -> u64 {
        let in_doubt = count.sent.saturating_sub(count.acknowledged);
        self.owed.saturating_sub(in_doubt)
    }

    fn add_owed(&mut self, qos: QoS) {
        if qos > QoS::AtMostOnce {
            self.owed += 1;
            self.owed_qos = qos;
        }
    }
}

impl Deliveries {
    /// The QoS that a delivery was published with, if it is one of those that are counted only.
    pub(crate) fn counted_qos(&self, delivery: &Delivery<'_>) -> Option<QoS> {
        if delivery.mark.ours().is_some() {
            return None;
        }
        let topic = self.topics.topic(delivery.topic)?;
        self.counted.topics.get(&topic).map(|count| count.qos)
    }

    /// A message without a stamp was sent.
    pub(super) fn count_sent(&mut self, id: StreamId, event: &Event, message: &Message<'_>) {
        let topic = self.streams[id].topic;
        let count = self.counted.topics.entry(topic).or_insert(TopicCount {
            qos: message.qos,
            sent: 0,
            acknowledged: 0,
            first_sent_at: event.now,
            last_at: event.now,
            may_repeat: false,
            is_uneven: false,
        });
        count.sent += 1;
        count.last_at = event.now;
        count.is_uneven |= count.qos != message.qos || message.expiry.is_some();
        if !self.is_asked_for(id, event.now) {
            let book = self.books.publications_mut(event.group, message.qos);
            book.to_no_subscriber += 1;
        }
        for place in self.topics.places(topic) {
            let Some((group, owed)) = self.owed(place, event, message.qos) else {
                continue;
            };
            let pair = match place.recipient {
                Recipient::Session(client) => {
                    let pair = self.counted.pair(topic, client, group);
                    pair.ok_or(Doubt::TooMany)
                }
                Recipient::Share(_) => Err(Doubt::Overlap),
            };
            match pair {
                Ok(pair) => pair.add_owed(owed),
                Err(doubt) => {
                    let key = TallyKey {
                        group,
                        published: message.qos,
                        owed,
                    };
                    self.books.tally_mut(key).unjudged_lost.add(doubt, 1);
                }
            }
        }
    }

    /// A message without a stamp came.
    pub(super) fn count_received(&mut self, event: &Event, delivery: &Delivery<'_>) {
        let Some(topic) = self.topics.topic(delivery.topic) else {
            return;
        };
        if delivery.origin == Origin::Store {
            // Another message, that an earlier run or another client left.
            self.counted.mix(topic);
        }
        let published = self.counted.topics.get(&topic).map(|count| count.qos);
        let key = TallyKey {
            group: event.group,
            published: published.unwrap_or(delivery.qos),
            owed: delivery.qos,
        };
        let tally = self.books.tally_mut(key);
        tally.received += 1;
        tally.unstamped += 1;
        tally.uncounted += 1;
        match self.counted.pair(topic, event.client, event.group) {
            Some(pair) => pair.came[delivery.qos as usize] += 1,
            None => {
                tally.unjudged_lost.add(Doubt::TooMany, 1);
                tally.unjudged_copies.add(Doubt::TooMany, 1);
            }
        }
    }

    /// CONNECT of a device: what it has sent may be sent again, and what it was sent before may not come.
    pub(super) fn handle_counted_connect(&mut self, event: &Event) {
        self.counted.disturb(event.client);
        let ids = self.device_streams.get(&event.device);
        for &id in ids.into_iter().flatten() {
            self.counted.handle_repeated(self.streams[id].topic);
        }
    }

    /// Concludes what counts tell.
    pub(super) fn close_counted(&mut self, end: RunEnd) {
        let stamped = self.streams.iter().filter(|stream| stream.has_stamped);
        let stamped: Vec<TopicKey> = stamped.map(|stream| stream.topic).collect();
        if !self.counted.topics.is_empty() {
            self.counted.mixed.extend(stamped);
        }
        let mut pairs: Vec<_> = std::mem::take(&mut self.counted.pairs)
            .into_iter()
            .collect();
        pairs.sort_unstable_by_key(|&((topic, client), _)| (topic.0, client.0));
        for (of, pair) in pairs {
            self.close_pair(of, &pair, end);
        }
    }

    fn close_pair(&mut self, of: (TopicKey, ClientKey), pair: &PairCount, end: RunEnd) {
        let Some(count) = self.counted.topics.get(&of.0) else {
            return;
        };
        let key = TallyKey {
            group: pair.group,
            published: count.qos,
            owed: pair.owed_qos,
        };
        let (sent, since) = (count.sent, count.first_sent_at);
        let received = pair.received();
        let (missing, copies) = (Span::of_missing(count, pair), Span::of_copies(count, pair));
        let owed = pair.certainly_owed(count);
        let doubt_of_missing = self.doubt_of_missing(of, pair, end);
        let short_by = self.short_by(of, pair, end);
        let is_told = doubt_of_missing.is_none();
        let shows_lost = is_told && (missing.least == 0 || short_by.is_none());
        let doubt_of_copies = self.doubt_of_copies(of, pair);
        let shows_copies = doubt_of_copies.is_none();
        let tally = self.books.tally_mut(key);
        if let Some(doubt) = doubt_of_missing {
            tally.unjudged_lost.add(doubt, pair.owed);
        } else {
            let delivered = owed.min(received);
            tally.pledged += owed;
            tally.delivered += delivered;
            match short_by {
                None => tally.lost += missing.least,
                Some(short_by) => (0..missing.least).for_each(|_| tally.could_come(short_by)),
            }
            tally.uncounted -= delivered;
            tally.unjudged_lost.add(Doubt::Hidden, missing.unsure());
        }
        if let Some(doubt) = doubt_of_copies {
            tally.unjudged_copies.add(doubt, received);
        } else {
            tally.duplicated += copies.least;
            tally.forbidden += copies.least;
            tally.uncounted -= copies.least;
            tally.counted_once += received - copies.most;
            tally.unjudged_copies.add(Doubt::Hidden, copies.unsure());
        }
        for (kind, times, is_shown) in [
            (AnomalyKind::Lost, missing.least, shows_lost),
            (AnomalyKind::Duplicated, copies.least, shows_copies),
        ] {
            let wrong = Wrong { kind, times, since };
            if is_shown && times > 0 {
                let explanation = format!(
                    "by counts, for the messages bear no stamp: {} were sent, {} of them acknowledged and asked for, and {} came",
                    count_text(sent),
                    count_text(owed),
                    count_text(received)
                );
                self.note_counted(of, key, &wrong, &explanation);
            }
        }
    }

    /// How much longer the run would have had to go on to tell of what is missing; `None` if it can be told.
    fn short_by(
        &self,
        of: (TopicKey, ClientKey),
        pair: &PairCount,
        end: RunEnd,
    ) -> Option<Duration> {
        let since = self.counted.topics.get(&of.0)?.last_at;
        match end {
            RunEnd::Cut => None,
            RunEnd::Drained(now) => self.slowest.short_by(pair.group, since, now),
        }
    }

    fn note_counted(
        &mut self,
        of: (TopicKey, ClientKey),
        key: TallyKey,
        wrong: &Wrong,
        explanation: &str,
    ) {
        let (topic, client) = of;
        let recipient = session(&self.sessions, client).map(|session| session.device);
        let last_at = self.counted.topics.get(&topic).map(|count| count.last_at);
        let at = last_at.unwrap_or(wrong.since);
        let scope = Scope {
            group: Some(key.group),
            qos: Some(key.published),
            ..Scope::default()
        };
        let subject = Subject {
            device: recipient,
            scope,
        };
        let noticed = subject.between(wrong.since, at);
        let text = self.topics.text(topic).to_string();
        let describe = || Anomaly {
            kind: wrong.kind,
            at,
            by_counts: Some(wrong.times),
            device: None,
            recipient,
            topic: Some(text),
            sequence: None,
            explanation: explanation.to_owned(),
            scope,
        };
        self.anomalies
            .note_alike(wrong.kind, wrong.times, noticed, describe);
    }
}

/// What a count shows to be wrong.
#[derive(Clone, Copy, Debug)]
struct Wrong {
    kind: AnomalyKind,
    times: u64,
    /// When the first message was sent that was counted.
    since: Instant,
}
