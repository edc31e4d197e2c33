//! What the broker should have retained, and what checkers found (§3.3.1.3).
//!
//! `published` and `wills` have what may be there by messages and by wills with RETAIN, `order` puts both
//! together. Where the order of two values is not known, either is right.

mod order;
mod probe;
mod published;
mod wills;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Duration;

use squall_fleet::{SocketId, Stamp};
use squall_protocol::{
    Instant, QoS,
    topic::{TopicFilter, TopicName},
};
use squall_scenario::{ClientKey, DeviceId};

pub(crate) use self::probe::{Found, Probe};
use self::published::{Candidate, Published};
use self::wills::{WillCandidate, Wills};
use super::delay::Delay;
use super::event::Answered;
use super::memory::Memory;
use super::stream::{Content, ContentPrint, fingerprint};

/// Topics of which it is kept what was retained there before the run's own wills.
const STORED_TOPICS_MAX: usize = 100_000;

/// How long a broker may take with what is retained: to send it, after SUBACK, and, where it has several
/// nodes, to have each of them know of a value that it has acknowledged.
pub(crate) const SETTLING_TIME: Duration = Duration::from_secs(1);

/// What a topic may have retained: `None` is nothing.
pub(crate) type Value = Option<u64>;

/// The models and the findings.
#[derive(Debug)]
pub(crate) struct Retained {
    candidates_max: usize,
    publishes: HashMap<Rc<str>, Published>,
    /// Topics that each open connection has sent messages with RETAIN to at QoS 0.
    unacknowledgeable: HashMap<SocketId, BTreeSet<Rc<str>>>,
    wills: HashMap<String, Wills>,
    /// The topic of the last will of each Session that has not been connected since.
    last_wills: HashMap<ClientKey, String>,
    /// What devices were sent as retained of topics where no will of this run was due yet: it is of
    /// before the run, or of another client.
    stored: HashMap<String, Value>,
    /// By `[[expect]]`.
    probes: BTreeMap<usize, Probe>,
    /// Topics in them that the run knows nothing of.
    found: usize,
    found_max: usize,
    /// When checkers began to look.
    checking_since: Option<Instant>,
}

/// What is known of a message that came out of the broker's store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Stored {
    /// What it says and QoS of its PUBLISH, if that is still known.
    pub(crate) published: Option<(ContentPrint, QoS)>,
    /// When the broker had acknowledged it, if that is still known.
    pub(crate) acknowledged_at: Option<Instant>,
    /// When a later message of its device had surely replaced it, at the latest.
    pub(crate) overwritten_at: Option<Instant>,
}

/// That something is retained, whichever of the values that may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SurelyThere {
    /// The moment since which something is surely there.
    pub(crate) since: Instant,
    /// The lowest QoS of the values that may be there.
    pub(crate) qos: QoS,
}

/// What one topic may have retained.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Values {
    /// One of these.
    OneOf(Allowed),
    /// Anything: values were dropped to save memory, or their order is not known.
    Unknown,
}

/// Values of a topic that are right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Allowed {
    /// By everything that must have come in the end.
    pub(crate) last: Vec<Value>,
    /// Further ones, as long as wills have not come that the broker need not have published yet.
    pub(crate) not_yet: Vec<Value>,
}

/// What a topic had retained before the first will of this run was due there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Before {
    /// It had this value.
    Had(Value),
    /// No device that asked for the topic was there to see.
    Unknown,
}

/// A PUBLISH with RETAIN as it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetainedPublish<'a> {
    /// Topic Name.
    pub(crate) topic: &'a str,
    /// What it says; an empty payload clears [MQTT-3.3.1-6].
    pub(crate) content: Content<'a>,
    /// Identity of the message.
    pub(crate) stamp: Stamp,
    /// QoS that it was published with.
    pub(crate) qos: QoS,
    /// Whether it lives for a limited time only.
    pub(crate) expires: bool,
    /// On which connection.
    pub(crate) socket: SocketId,
}

/// A will with RETAIN of a connection that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetainedWill<'a> {
    /// Will Topic.
    pub(crate) topic: &'a str,
    /// What it leaves there.
    pub(crate) value: Value,
    /// Whose connection ended.
    pub(crate) client: ClientKey,
    /// The connection that ended.
    pub(crate) socket: SocketId,
    /// When the end had left the device's link.
    pub(crate) left_at: Instant,
    /// When the broker surely had it retained.
    pub(crate) noticed_by: Instant,
    /// Whether it must be published.
    pub(crate) is_certain: bool,
    /// How long it waits before it is.
    pub(crate) delay: Delay,
}

impl Retained {
    /// Nothing is retained.
    pub(crate) fn new(memory: Memory) -> Self {
        Self {
            candidates_max: memory.retained_candidates,
            publishes: HashMap::new(),
            unacknowledgeable: HashMap::new(),
            wills: HashMap::new(),
            last_wills: HashMap::new(),
            stored: HashMap::new(),
            probes: BTreeMap::new(),
            found: 0,
            found_max: memory.found_topics,
            checking_since: None,
        }
    }

    /// Checkers begin to look: what the broker gets from now on they may find, or what was there before.
    pub(crate) fn begin_checking(&mut self, now: Instant) {
        self.checking_since = Some(now);
    }

    /// A PUBLISH with RETAIN was sent.
    pub(crate) fn handle_published(&mut self, now: Instant, publish: &RetainedPublish<'_>) {
        let topic = match self.publishes.get_key_value(publish.topic) {
            Some((topic, _)) => Rc::clone(topic),
            None => Rc::from(publish.topic),
        };
        if publish.qos == QoS::AtMostOnce {
            let topics = self.unacknowledgeable.entry(publish.socket).or_default();
            topics.insert(Rc::clone(&topic));
        }
        let row = self.publishes.entry(topic).or_default();
        row.has_expiring |= publish.expires;
        row.candidates.push(Candidate {
            value: value_of(publish.content.payload),
            said: publish.content.print().said,
            device: publish.stamp.device,
            socket: publish.socket,
            sequence: publish.stamp.sequence,
            sent_at: now,
            acknowledged_at: None,
            qos: publish.qos,
            is_doubtful: self.checking_since.is_some(),
            is_certain: false,
        });
        if row.candidates.len() > self.candidates_max {
            row.drop_oldest();
        }
    }

    /// A message of QoS 1 was sent again on its connection: if it has RETAIN, the broker may store it once more, over later ones.
    pub(crate) fn handle_repeated(&mut self, topic: &str) {
        if let Some(row) = self.publishes.get_mut(topic) {
            row.is_unordered = true;
        }
    }

    /// Whether any message with RETAIN was sent there.
    pub(crate) fn has_published(&self, topic: &str) -> bool {
        self.publishes.contains_key(topic)
    }

    /// What is known of a message that came out of the store.
    pub(crate) fn stored(&self, topic: &str, stamp: Stamp) -> Stored {
        self.publishes
            .get(topic)
            .map_or(Stored::default(), |row| row.stored(stamp))
    }

    /// The devices whose messages may be there.
    pub(crate) fn publishers(&self, topic: &str) -> impl Iterator<Item = DeviceId> + '_ {
        let row = self.publishes.get(topic);
        let candidates = row.into_iter().flat_map(|row| &row.candidates);
        candidates.map(|candidate| candidate.device)
    }

    /// Whether a topic surely has something. Of one that wills are retained at nothing is said.
    pub(crate) fn surely_there(&self, topic: &str) -> Option<SurelyThere> {
        if self.wills.contains_key(topic) {
            return None;
        }
        let row = self.publishes.get(topic)?;
        let is_never_empty = row
            .candidates
            .iter()
            .all(|candidate| candidate.value.is_some());
        let qos = row.candidates.iter().map(|candidate| candidate.qos).min()?;
        Some(SurelyThere {
            since: row
                .set_at
                .filter(|_| is_never_empty && !row.has_expiring && !row.is_unordered)?,
            qos,
        })
    }

    /// A message was acknowledged, or refused. Tells whether something is surely there now for the first
    /// time.
    pub(crate) fn handle_acknowledged(
        &mut self,
        now: Instant,
        topic: &str,
        stamp: Stamp,
        answered: Answered,
    ) -> bool {
        let Some(row) = self.publishes.get_mut(topic) else {
            return false;
        };
        let Some(place) = row.candidates.iter().position(|candidate| {
            candidate.device == stamp.device && candidate.sequence == stamp.sequence
        }) else {
            return false;
        };
        let was_set = row.set_at.is_some();
        match answered {
            Answered::Accepted => {
                row.candidates[place].acknowledged_at = Some(now);
                if self.checking_since.is_none() {
                    row.candidates[place].is_certain = true;
                    row.confirm(place);
                }
            }
            Answered::Refused => {
                row.candidates.remove(place);
            }
        }
        !was_set && row.set_at.is_some()
    }

    /// A connection ended politely: everything that it carried has arrived.
    pub(crate) fn handle_left(&mut self, socket: SocketId) {
        self.unacknowledgeable.remove(&socket);
    }

    /// A connection was lost: what it carried at QoS 0 may not have arrived.
    pub(crate) fn handle_lost(&mut self, socket: SocketId) {
        let Some(topics) = self.unacknowledgeable.remove(&socket) else {
            return;
        };
        for topic in topics {
            let row = self.publishes.get_mut(&topic);
            for candidate in row.into_iter().flat_map(|row| &mut row.candidates) {
                if candidate.socket == socket && candidate.qos == QoS::AtMostOnce {
                    candidate.is_doubtful = true;
                }
            }
        }
    }

    /// A will with RETAIN is due now, or, without `is_certain`, may be.
    pub(crate) fn handle_will(&mut self, now: Instant, will: &RetainedWill<'_>) {
        let row = self.wills.entry(will.topic.to_owned());
        let row = row.or_insert_with(|| Wills::new(now));
        let &RetainedWill {
            topic,
            value,
            client,
            socket,
            left_at,
            noticed_by,
            is_certain,
            delay,
        } = will;
        row.push(
            WillCandidate {
                value,
                client,
                socket,
                at: now,
                left_at,
                noticed_by,
                is_certain,
                delay,
            },
            self.candidates_max,
        );
        self.last_wills.insert(client, topic.to_owned());
    }

    /// CONNECT was sent for a Session, or has left its device's link.
    pub(crate) fn handle_connect_sent(&mut self, client: ClientKey) {
        let topic = self.last_wills.get(&client);
        if let Some(row) = topic.and_then(|topic| self.wills.get_mut(topic)) {
            row.note_asked(client);
        }
    }

    /// A Session is connected again.
    pub(crate) fn handle_connected(&mut self, client: ClientKey, now: Instant) {
        let topic = self.last_wills.remove(&client);
        if let Some(row) = topic.and_then(|topic| self.wills.get_mut(&topic)) {
            row.note_back(client, now);
        }
    }

    /// A device was sent a retained message.
    pub(crate) fn handle_stored(&mut self, topic: &str, payload: &[u8]) {
        let is_new = !self.wills.contains_key(topic) && !self.stored.contains_key(topic);
        if is_new && self.stored.len() < STORED_TOPICS_MAX {
            self.stored.insert(topic.to_owned(), value_of(payload));
        }
    }

    /// What was retained in a topic before the first will of this run was due there, or, where none was,
    /// before `until`. `watched_since` is since when a device has asked for the topic without a break, if
    /// one has: it would have been sent what was retained.
    pub(crate) fn before(
        &self,
        topic: &str,
        watched_since: Option<Instant>,
        until: Instant,
    ) -> Before {
        if let Some(&value) = self.stored.get(topic) {
            return Before::Had(value);
        }
        let until = self.wills.get(topic).map_or(until, |row| row.first_at);
        let is_full = self.stored.len() >= STORED_TOPICS_MAX;
        match watched_since {
            Some(since) if !is_full && since + SETTLING_TIME <= until => Before::Had(None),
            Some(_) | None => Before::Unknown,
        }
    }

    /// What each topic that `filter` matches may have at `at`, when a checker looked.
    pub(crate) fn values(
        &self,
        filter: &TopicFilter<Box<str>>,
        at: Instant,
    ) -> BTreeMap<&str, Values> {
        let of_wills = self.wills.keys().map(String::as_str);
        let topics = self.publishes.keys().map(|topic| &**topic).chain(of_wills);
        topics
            .filter(|topic| matches(filter, topic))
            .map(|topic| {
                let (published, wills) = (self.publishes.get(topic), self.wills.get(topic));
                (topic, order::values(published, wills, at))
            })
            .collect()
    }

    /// Whether a will with RETAIN was due there.
    pub(crate) fn has_will(&self, topic: &str) -> bool {
        self.wills.contains_key(topic)
    }

    /// Whether a value is that of a message that may be there.
    pub(crate) fn is_published(&self, topic: &str, hash: u64) -> bool {
        let row = self.publishes.get(topic);
        row.is_some_and(|row| row.candidates.iter().any(|other| other.value == Some(hash)))
    }
}

fn value_of(payload: &[u8]) -> Value {
    (!payload.is_empty()).then(|| fingerprint(payload))
}

fn matches(filter: &TopicFilter<Box<str>>, topic: &str) -> bool {
    TopicName::new(topic).is_ok_and(|name| filter.matches(&name))
}
