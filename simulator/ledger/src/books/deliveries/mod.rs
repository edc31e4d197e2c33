//! Every message from its sending to every recipient: pledged, delivered, lost or excused.
//!
//! It owns topics, Sessions, shared subscriptions and streams. Wills and retained copies are not streams: `wills` and
//! `retained` know those. What a connection was like is the business of `connections` and `takeovers`.
//!
//! QoS 0 is at most once (§4.3.1): what was on its way for a short time is excused when a connection on that is lost, of what was
//! for long nothing follows; what is missing with all connections in order is lost.

mod arrive;
mod backlog;
mod came_here;
mod case;
mod close;
mod contents;
mod copies;
mod counted;
mod crossing;
mod delivery;
mod departed;
mod expiry;
mod forgetting;
mod identifiers;
mod leaving;
mod lost_members;
mod message;
mod missing_replays;
mod moves;
mod order;
mod pledges;
mod publications;
mod repeats;
mod replay;
mod sessions;
mod share_counts;
mod sharing;
mod stranger;
mod suspicion;
mod tail;
mod unfounded;
mod walk;
mod watching;
mod ways;

pub(super) use close::RunEnd;

use std::collections::{HashMap, HashSet, VecDeque};

use squall_fleet::SocketId;
use squall_protocol::{Instant, QoS};
use squall_scenario::{BrokerHistory, ClientKey, DeviceId, GroupId, TopicKey};

use super::anomalies::Anomalies;
use super::broker_times::BrokerTimes;
use super::event::Event;
use super::memory::{GivenUp, Memory};
use super::missing::Missing;
use super::replays::Replays;
use super::roster::{Names, Roster};
use super::session::Sender;
use super::session::Session;
use super::share::Share;
use super::stream::{Publisher, RecordState, Stream};
use super::tallies::{Books, TallyKey};
use super::topics::{FilterKey, Recipient, Topics};
use backlog::BacklogCounts;
use came_here::CameHere;
use counted::Counted;
use crossing::Crossing;
use expiry::Expiries;
use identifiers::AwaitedIdentifiers;
use repeats::Repeats;
use sharing::SharedCopies;
use tail::Slowest;

pub(crate) use case::{FirstDelivery, Wait};
pub(crate) use delivery::{Delivery, Mark, Origin};
pub(crate) use expiry::ExpiryLimit;
pub(crate) use message::{Acknowledged, Message};
pub(crate) use sessions::Ending;
pub(crate) use share_counts::ShareCounts;
pub(crate) use suspicion::Suspicion;
pub(crate) use watching::{Watcher, WillRecipient};

/// Names a stream: its place in the table.
pub(crate) type StreamId = usize;

/// The books of all messages, and what is needed to keep them.
#[derive(Debug)]
pub(crate) struct Deliveries {
    topics: Topics,
    /// By [`ClientKey`].
    sessions: Vec<Option<Session>>,
    shares: HashMap<FilterKey, Share>,
    streams: Vec<Stream>,
    stream_ids: HashMap<(DeviceId, TopicKey), StreamId>,
    device_streams: HashMap<DeviceId, Vec<StreamId>>,
    /// Records of all streams.
    records: usize,
    /// What the broker may know that is not of the run.
    history: BrokerHistory,
    /// By group: whether its Sessions are those of an earlier run.
    resumes: Vec<bool>,
    names: Names,
    /// When the last CONNACK of a device came: what it had sent before may have been sent again, also
    /// where the connection before has not ended yet.
    connected_at: HashMap<DeviceId, Instant>,
    /// When the latest message of QoS 1 of a device was sent that was answered.
    answered_until: HashMap<DeviceId, Instant>,
    /// Connections whose way to the broker was still held by a link at the end.
    on_link_up: HashSet<SocketId>,
    /// Messages that were sent again on the same connection.
    repeats: Repeats,
    /// What came to Sessions since they were back.
    came_here: CameHere,
    /// Who had the messages of shared subscriptions.
    shared_copies: SharedCopies,
    /// Subscription Identifiers that are to come still.
    identifiers: AwaitedIdentifiers,
    /// Messages that expire.
    expiries: Expiries,
    /// What waited for Sessions that were away.
    backlog: BacklogCounts,
    /// What became of the messages of shared subscriptions.
    share_counts: ShareCounts,
    /// By group: whether its devices have links.
    on_links: Vec<bool>,
    /// By group: whether its devices have a Receive Maximum.
    limits_quota: Vec<bool>,
    /// By group: whether its devices release QoS 2 messages later than they are asked to.
    releases_late: Vec<bool>,
    /// Messages without a stamp.
    counted: Counted,
    /// When faults had the broker away.
    broker_times: BrokerTimes,
    /// Messages that links hold.
    crossing: Crossing,
    /// How long deliveries took at most.
    slowest: Slowest,
    /// What must come out of the broker's store.
    replays: Replays,
    memory: Memory,
    given_up: GivenUp,
    books: Books,
    anomalies: Anomalies,
    /// Whether the book of responses asks for what is missing.
    tells_missing: bool,
    missing: Vec<Missing>,
    suspicions: VecDeque<Suspicion>,
    is_closed: bool,
}

impl Deliveries {
    /// Nothing was sent yet.
    pub(crate) fn new(roster: &Roster, expiries: Vec<ExpiryLimit>, memory: Memory) -> Self {
        Self {
            topics: Topics::default(),
            sessions: Vec::new(),
            shares: HashMap::new(),
            streams: Vec::new(),
            stream_ids: HashMap::new(),
            device_streams: HashMap::new(),
            records: 0,
            history: roster.history(),
            resumes: roster.resuming().to_vec(),
            names: roster.names(),
            connected_at: HashMap::new(),
            answered_until: HashMap::new(),
            on_link_up: HashSet::new(),
            repeats: Repeats::default(),
            came_here: CameHere::default(),
            shared_copies: SharedCopies::default(),
            identifiers: AwaitedIdentifiers::default(),
            expiries: Expiries::new(expiries),
            backlog: BacklogCounts::default(),
            share_counts: ShareCounts::default(),
            on_links: roster.on_links().to_vec(),
            limits_quota: roster.limiting_quotas().to_vec(),
            releases_late: roster.releasing_late().to_vec(),
            counted: Counted::default(),
            broker_times: BrokerTimes::default(),
            crossing: Crossing::default(),
            slowest: Slowest::new(roster),
            replays: Replays::new(memory.replays),
            memory,
            given_up: GivenUp::default(),
            books: Books::new(roster.groups()),
            anomalies: Anomalies::new(memory.anomalies_per_kind),
            tells_missing: roster.has_responses(),
            missing: Vec::new(),
            suspicions: VecDeque::new(),
            is_closed: false,
        }
    }

    /// Messages that are kept because a Session may still be owed them, or their end is open.
    #[cfg(test)]
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// The tallies of publications and deliveries.
    pub(crate) fn books(&self) -> &Books {
        &self.books
    }

    /// The books, to be tampered with.
    #[cfg(test)]
    pub(crate) fn books_mut(&mut self) -> &mut Books {
        &mut self.books
    }

    /// What was wrong with deliveries.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// The same, to be told of the generator's hold-ups.
    pub(crate) fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// When faults had the broker away, with what this book counts of it.
    pub(crate) fn broker_times(&self) -> &BrokerTimes {
        &self.broker_times
    }

    /// When faults had the broker away, to be told of more.
    pub(crate) fn broker_times_mut(&mut self) -> &mut BrokerTimes {
        &mut self.broker_times
    }

    /// What was given up to save memory.
    pub(crate) fn given_up(&self) -> &GivenUp {
        &self.given_up
    }

    /// A message fell due.
    pub(crate) fn handle_due(&mut self, event: &Event, qos: QoS) {
        if !self.is_closed {
            self.books.publications_mut(event.group, qos).scheduled += 1;
        }
    }

    /// When the connection that a device had last began; the start of the run if it had none.
    fn connected_at_of(&self, device: DeviceId) -> Instant {
        self.connected_at
            .get(&device)
            .copied()
            .unwrap_or(Instant::ZERO)
    }

    /// Makes the Topic Name of a will known, or of what a checker found: no stream need have it.
    pub(crate) fn know_topic(&mut self, topic: &str) {
        let topic = self.topics.intern_topic(topic);
        self.counted.mix(topic);
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
        session(&self.sessions, event.client).is_some_and(|session| {
            session.may_be_sent_from_store(self.topics.filters(topic), published_at)
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

    fn settle(&mut self, id: StreamId) {
        let settled = self.streams[id].settle();
        self.records = self.records.saturating_sub(settled);
    }

    fn stream_of(&mut self, event: &Event, topic: &str) -> StreamId {
        let topic = self.topics.intern_topic(topic);
        if let Some(&id) = self.stream_ids.get(&(event.device, topic)) {
            return id;
        }
        self.topics.open_places(topic);
        let publisher = Publisher {
            device: event.device,
            client: event.client,
        };
        let id = self.streams.len();
        self.streams
            .push(Stream::new(publisher, topic, self.memory.ranges));
        self.stream_ids.insert((event.device, topic), id);
        self.device_streams
            .entry(event.device)
            .or_default()
            .push(id);
        id
    }
}

fn session(sessions: &[Option<Session>], client: ClientKey) -> Option<&Session> {
    sessions.get(client.0 as usize)?.as_ref()
}

/// Whose a message of `publisher` is, as the Session of `client` sees it.
fn sender_to(client: ClientKey, publisher: ClientKey) -> Sender {
    match client == publisher {
        true => Sender::Itself,
        false => Sender::Another,
    }
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
