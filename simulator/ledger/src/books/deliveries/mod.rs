//! Every message from its sending to every recipient: pledged, delivered, lost or excused.
//!
//! It owns topics, Sessions, shared subscriptions and streams. Wills and retained copies are not
//! streams: `wills` and `retained` know those. What a connection was like is the business of
//! `connections` and `takeovers`.
//!
//! QoS 0 is at most once (§4.3.1): a pledge at QoS 0 is excused as soon as a connection on the
//! message's way is lost; what is missing with all connections in order is lost.

mod arrive;
mod close;
mod sessions;

use std::collections::{HashMap, VecDeque};

use squall_fleet::Stamp;
use squall_protocol::{Instant, QoS};
use squall_scenario::{ClientKey, DeviceId, GroupId, TopicKey};

use super::anomalies::Anomalies;
use super::event::Event;
use super::limits::RECORDS_MAX;
use super::session::Session;
use super::share::Share;
use super::stream::{OpenPledge, Record, RecordState, Stream, fingerprint};
use super::tallies::{Books, Excuse, TallyKey};
use super::topics::{FilterKey, NewPlace, Recipient, Topics};

pub(crate) use arrive::{Delivery, FirstDelivery, Origin, Wait};
pub(crate) use sessions::Ending;

/// A message as it was handed to the link, or as it would have been.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    /// Its identity.
    pub(crate) stamp: Stamp,
    /// Topic Name.
    pub(crate) topic: &'a str,
    /// QoS of the PUBLISH.
    pub(crate) qos: QoS,
    /// When the generator got to it.
    pub(crate) reached_at: Instant,
}

/// How far an acknowledged message had come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Acknowledged {
    /// When it was sent for the first time.
    pub(crate) sent_at: Instant,
    /// When the generator got to it.
    pub(crate) reached_at: Instant,
    /// QoS of the PUBLISH.
    pub(crate) qos: QoS,
}

/// Names a stream: its place in the table.
type StreamId = usize;

/// The books of all messages, and what is needed to keep them.
#[derive(Debug)]
pub(crate) struct Deliveries {
    topics: Topics,
    /// By [`ClientKey`].
    sessions: Vec<Option<Session>>,
    shares: HashMap<FilterKey, Share>,
    streams: Vec<Stream>,
    stream_ids: HashMap<(DeviceId, TopicKey), StreamId>,
    /// By [`TopicKey`].
    topic_streams: Vec<Vec<StreamId>>,
    device_streams: HashMap<DeviceId, Vec<StreamId>>,
    /// Further copies of one message that overlapping subscriptions have brought.
    copies: HashMap<CopyKey, u8>,
    copies_order: VecDeque<CopyKey>,
    /// Records of all streams.
    records: usize,
    /// Messages in doubt whose records were dropped to save memory.
    dropped_in_doubt: u64,
    books: Books,
    is_closed: bool,
    new_places: Vec<NewPlace>,
}

type CopyKey = (StreamId, ClientKey, u32);

impl Deliveries {
    /// Nothing was sent yet, by that many groups.
    pub(crate) fn new(groups: usize) -> Self {
        Self {
            topics: Topics::default(),
            sessions: Vec::new(),
            shares: HashMap::new(),
            streams: Vec::new(),
            stream_ids: HashMap::new(),
            topic_streams: Vec::new(),
            device_streams: HashMap::new(),
            copies: HashMap::new(),
            copies_order: VecDeque::new(),
            records: 0,
            dropped_in_doubt: 0,
            books: Books::new(groups),
            is_closed: false,
            new_places: Vec::new(),
        }
    }

    /// Messages that are kept because somebody may still be owed them, or their end is open.
    #[cfg(test)]
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// The books.
    pub(crate) fn books(&self) -> &Books {
        &self.books
    }

    /// A message fell due.
    pub(crate) fn handle_due(&mut self, event: &Event, qos: QoS) {
        if !self.is_closed {
            self.books.publications_mut(event.group, qos).scheduled += 1;
        }
    }

    /// A message that was due was given up.
    pub(crate) fn handle_skipped(&mut self, event: &Event, message: &Message<'_>) {
        if self.is_closed {
            return;
        }
        let publications = self.books.publications_mut(event.group, message.qos);
        publications.skipped += 1;
        let id = self.stream_of(event, message.topic);
        let skipped = Record {
            state: RecordState::Skipped,
            qos: message.qos,
            outstanding: 0,
            sent_at: event.now,
            reached_at: message.reached_at,
            socket: event.socket,
            hash: 0,
        };
        self.records += self.streams[id].put(message.stamp.sequence, skipped);
        self.settle(id);
    }

    /// A message was handed to the link for the first time.
    pub(crate) fn handle_published(
        &mut self,
        event: &Event,
        message: &Message<'_>,
        payload: &[u8],
        anomalies: &mut Anomalies,
    ) {
        if self.is_closed {
            return;
        }
        self.books.publications_mut(event.group, message.qos).sent += 1;
        let id = self.stream_of(event, message.topic);
        let record = Record {
            state: RecordState::Sent,
            qos: message.qos,
            outstanding: 0,
            sent_at: event.now,
            reached_at: message.reached_at,
            socket: event.socket,
            hash: fingerprint(payload),
        };
        let stream = &mut self.streams[id];
        stream.qos = message.qos;
        stream.has_unacknowledgeable |= message.qos == QoS::AtMostOnce;
        self.records += self.streams[id].put(message.stamp.sequence, record);
        self.pledge(id, event, message, anomalies);
        while self.records > RECORDS_MAX && self.streams[id].records() > 1 {
            self.drop_oldest(id, anomalies);
        }
    }

    /// The exchange of a message ended, `is_ok` or refused. `None` if its record is gone or it was answered before.
    pub(crate) fn handle_acknowledged(
        &mut self,
        event: &Event,
        stamp: Stamp,
        topic: &str,
        is_ok: bool,
    ) -> Option<Acknowledged> {
        let topic = self.topics.topic(topic)?;
        let &id = self.stream_ids.get(&(stamp.device, topic))?;
        let record = self.streams[id].record_mut(stamp.sequence)?;
        let acknowledged = Acknowledged {
            sent_at: record.sent_at,
            reached_at: record.reached_at,
            qos: record.qos,
        };
        if self.is_closed || record.state != RecordState::Sent {
            return Some(acknowledged);
        }
        let publications = self.books.publications_mut(event.group, record.qos);
        if is_ok {
            record.state = RecordState::Acknowledged;
            publications.acknowledged += 1;
        } else {
            record.state = RecordState::Refused;
            publications.refused += 1;
            self.withdraw(id, stamp.sequence);
        }
        self.settle(id);
        Some(acknowledged)
    }

    /// Who certainly asks for a topic now: with a connection, or with a Session that keeps
    /// messages at `qos`.
    pub(crate) fn watchers(&mut self, topic: &str, qos: QoS) -> Vec<Recipient> {
        let Some(topic) = self.topics.topic(topic) else {
            return Vec::new();
        };
        let places = self.topics.places(topic).iter();
        places
            .filter(|place| match place.recipient {
                Recipient::Session(client) => {
                    session(&self.sessions, client).is_some_and(|session| {
                        session.asked(place).certain.is_some_and(|granted| {
                            session.is_online() || granted.min(qos) > QoS::AtMostOnce
                        })
                    })
                }
                Recipient::Share(filter) => self
                    .shares
                    .get(&filter)
                    .is_some_and(|share| share.certain(&self.sessions, filter).is_some()),
            })
            .map(|place| place.recipient)
            .collect()
    }

    /// Makes a Topic Name known that is no stream's: that of a will.
    pub(crate) fn know_topic(&mut self, topic: &str) {
        let (topic, new_places) = self.topics.intern_topic(topic);
        for place in new_places {
            self.add_place(place);
        }
        self.make_room(topic);
    }

    /// For whom a message on a topic that reaches a Session is, and how many copies it may have;
    /// `None` if no subscription asks for it.
    pub(crate) fn recipient_of(&self, event: &Event, topic: &str) -> Option<(Recipient, u8)> {
        let topic = self.topics.topic(topic)?;
        let (place, copies) = self.place_of(event, topic)?;
        Some((self.topics.places(topic)[place].recipient, copies))
    }

    /// Whether a Session may be sent a message of `published_at` out of the broker's store.
    pub(crate) fn may_be_sent_from_store(
        &self,
        event: &Event,
        topic: &str,
        published_at: Instant,
    ) -> bool {
        let Some(topic) = self.topics.topic(topic) else {
            return true;
        };
        let place = self.topics.session_place(topic, event.client);
        let session = session(&self.sessions, event.client);
        place.zip(session).is_some_and(|(place, session)| {
            session.may_be_sent_from_store(&self.topics.places(topic)[place], published_at)
        })
    }

    /// Whether a connection holds the Session.
    pub(crate) fn is_online(&self, client: ClientKey) -> bool {
        session(&self.sessions, client).is_some_and(Session::is_online)
    }

    /// The device that had the Session last.
    pub(crate) fn holder(&self, client: ClientKey) -> Option<DeviceId> {
        session(&self.sessions, client).map(|session| session.device)
    }

    /// Writes down to whom a message that was just sent is owed.
    fn pledge(
        &mut self,
        id: StreamId,
        event: &Event,
        message: &Message<'_>,
        anomalies: &mut Anomalies,
    ) {
        let stream = &mut self.streams[id];
        let sequence = message.stamp.sequence;
        let mut scattered = Vec::new();
        for (number, place) in self.topics.places(stream.topic).iter().enumerate() {
            let owed = match place.recipient {
                Recipient::Session(client) => session(&self.sessions, client).and_then(|session| {
                    let granted = session.asked(place).certain?;
                    let owed = granted.min(message.qos);
                    let is_owed = session.is_online()
                        || (owed > QoS::AtMostOnce && !session.has_expired(event.now));
                    is_owed.then_some((session.group, owed))
                }),
                Recipient::Share(filter) => self.shares.get(&filter).and_then(|share| {
                    let granted = share.certain(&self.sessions, filter)?;
                    let group = share_group(&self.sessions, share)?;
                    Some((group, granted.min(message.qos)))
                }),
            };
            if let Some((group, owed)) = owed {
                if stream.pledge(number, sequence, owed) {
                    scattered.push((number, group));
                }
                let key = TallyKey {
                    group,
                    published: message.qos,
                    owed,
                };
                self.books.tally_mut(key).pledged += 1;
            }
        }
        for (place, group) in scattered {
            self.give_up_oldest(id, (place, group), anomalies);
        }
    }

    /// Ends the oldest open pledges of a place before their time, to save memory: it has missed so
    /// many messages that the first will not come any more.
    fn give_up_oldest(
        &mut self,
        id: StreamId,
        (place, group): (usize, GroupId),
        anomalies: &mut Anomalies,
    ) {
        let mut excess = Vec::new();
        self.streams[id].take_excess(place, |open| excess.push(open));
        for open in excess {
            let key = TallyKey {
                group,
                published: open.record.qos,
                owed: open.owed,
            };
            if open.record.is_ok() {
                self.lose(id, (key, &open), anomalies);
            } else {
                self.books.tally_mut(key).withdrawn += 1;
            }
        }
        self.settle(id);
    }

    /// A message turned out not to be *ok*: nothing was owed.
    fn withdraw(&mut self, id: StreamId, sequence: u32) {
        let stream = &mut self.streams[id];
        let Some(published) = stream.record(sequence).map(|record| record.qos) else {
            return;
        };
        let topic = stream.topic;
        let (topics, sessions, shares) = (&self.topics, &self.sessions, &self.shares);
        let books = &mut self.books;
        let group_at =
            |place: usize| group_of(sessions, shares, topics.places(topic)[place].recipient);
        stream.take_open_of(sequence, |open| {
            let key = TallyKey {
                group: group_at(open.place),
                published,
                owed: open.owed,
            };
            books.tally_mut(key).withdrawn += 1;
        });
        stream.take_kept_of(sequence, |place, owed| {
            let key = TallyKey {
                group: group_at(place),
                published,
                owed,
            };
            let tally = books.tally_mut(key);
            tally.delivered -= 1;
            tally.optional += 1;
            tally.withdrawn += 1;
        });
    }

    /// Ends the open pledges of some places with an excuse, those owed at `only` or all.
    fn excuse(&mut self, places: &[(TopicKey, usize)], only: Option<QoS>, excuse: Excuse) {
        for &(topic, place) in places {
            let recipient = self.topics.places(topic)[place].recipient;
            let group = group_of(&self.sessions, &self.shares, recipient);
            for &id in &self.topic_streams[topic.0 as usize] {
                let books = &mut self.books;
                self.streams[id].take_open(place, only, |open| {
                    excuse_pledge(books, group, &open, excuse);
                });
                self.records -= self.streams[id].settle();
            }
        }
    }

    /// Settles the oldest record of a stream before its time, to save memory.
    fn drop_oldest(&mut self, id: StreamId, anomalies: &mut Anomalies) {
        let stream = &mut self.streams[id];
        let sequence = stream.sequences().start;
        let Some(&record) = stream.record(sequence) else {
            return;
        };
        if record.is_ok() {
            let mut open = Vec::new();
            stream.take_open_of(sequence, |pledge| open.push(pledge));
            let topic = stream.topic;
            for pledge in open {
                let recipient = self.topics.places(topic)[pledge.place].recipient;
                let key = TallyKey {
                    group: group_of(&self.sessions, &self.shares, recipient),
                    published: record.qos,
                    owed: pledge.owed,
                };
                self.lose(id, (key, &pledge), anomalies);
            }
        } else {
            if record.state == RecordState::Sent {
                self.dropped_in_doubt += 1;
            }
            self.withdraw(id, sequence);
        }
        self.records -= self.streams[id].drop_first();
    }

    fn settle(&mut self, id: StreamId) {
        self.records -= self.streams[id].settle();
    }

    fn stream_of(&mut self, event: &Event, topic: &str) -> StreamId {
        let (topic, new_places) = self.topics.intern_topic(topic);
        for place in new_places {
            self.add_place(place);
        }
        if let Some(&id) = self.stream_ids.get(&(event.device, topic)) {
            return id;
        }
        let id = self.streams.len();
        self.streams.push(Stream::new(event.device, topic));
        self.stream_ids.insert((event.device, topic), id);
        self.make_room(topic);
        self.topic_streams[topic.0 as usize].push(id);
        self.device_streams
            .entry(event.device)
            .or_default()
            .push(id);
        id
    }

    fn make_room(&mut self, topic: TopicKey) {
        if self.topic_streams.len() <= topic.0 as usize {
            self.topic_streams
                .resize_with(topic.0 as usize + 1, Vec::new);
        }
    }

    fn add_place(&mut self, new: NewPlace) {
        let at = (new.topic, new.place);
        match new.recipient {
            Recipient::Session(client) => {
                if let Some(session) = &mut self.sessions[client.0 as usize] {
                    session.places.push(at);
                }
            }
            Recipient::Share(filter) => {
                self.shares.entry(filter).or_default().places.push(at);
            }
        }
    }
}

fn session(sessions: &[Option<Session>], client: ClientKey) -> Option<&Session> {
    sessions.get(client.0 as usize)?.as_ref()
}

/// The group whose books a shared subscription is in: that of its first member.
fn share_group(sessions: &[Option<Session>], share: &Share) -> Option<GroupId> {
    let first = *share.members.first()?;
    Some(session(sessions, first)?.group)
}

/// The group whose books a recipient is in.
fn group_of(
    sessions: &[Option<Session>],
    shares: &HashMap<FilterKey, Share>,
    recipient: Recipient,
) -> GroupId {
    let group = match recipient {
        Recipient::Session(client) => session(sessions, client).map(|session| session.group),
        Recipient::Share(filter) => shares
            .get(&filter)
            .and_then(|share| share_group(sessions, share)),
    };
    group.expect("a place belongs to a Session or to a share with a member")
}

fn excuse_pledge(books: &mut Books, group: GroupId, open: &OpenPledge, excuse: Excuse) {
    let key = TallyKey {
        group,
        published: open.record.qos,
        owed: open.owed,
    };
    books.tally_mut(key).excused[excuse as usize] += 1;
}
