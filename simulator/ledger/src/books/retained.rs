//! What the broker should have retained, and what checkers found (§3.3.1.3).
//!
//! Two models, kept apart: the last will with RETAIN of each topic, and the last acknowledged
//! PUBLISH with RETAIN. Where the order of two values is not known, either is right.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use squall_fleet::{RetainedFact, SocketId, Stamp};
use squall_protocol::{
    Instant, QoS,
    topic::{TopicFilter, TopicName},
};
use squall_scenario::DeviceId;

use super::memory::Memory;
use super::stream::fingerprint;

/// Topics of which it is kept what was retained there before the run's own wills.
const STORED_TOPICS_MAX: usize = 100_000;

/// How long a broker may take to send what is retained, after SUBACK.
const STORED_WITHIN: Duration = Duration::from_secs(1);

/// Bytes of a payload that an explanation quotes.
const QUOTED_BYTES_MAX: usize = 40;

/// Of messages that replace each other, one in this time is remembered.
const CONFIRMED_EVERY: Duration = Duration::from_millis(250);

/// So many are remembered of one topic.
const CONFIRMED_MAX: usize = 16;

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
    /// What devices were sent as retained of topics where no will of this run was due yet: it is of
    /// before the run, or of another client.
    stored: HashMap<String, Value>,
    /// By `[[expect]]`.
    probes: BTreeMap<usize, Probe>,
}

/// What a checker found.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    /// Messages by topic.
    pub(crate) found: BTreeMap<String, Found>,
    /// Whether it has seen everything.
    pub(crate) is_complete: bool,
}

/// One message that a checker found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Found {
    /// Of its payload.
    pub(crate) hash: u64,
    /// The beginning of its payload, for people.
    pub(crate) quote: String,
}

/// What was published to one topic.
#[derive(Clone, Debug, Default)]
struct Published {
    /// In order of sending; at first the topic has nothing.
    candidates: Vec<Candidate>,
    /// Since when something is surely there in place of nothing.
    set_at: Option<Instant>,
    /// The last messages that surely arrived, the oldest first, one in [`CONFIRMED_EVERY`].
    confirmed: VecDeque<Confirmed>,
    /// What was dropped from the candidates to save memory; `None` once it is surely overwritten.
    dropped: Option<Dropped>,
}

/// Candidates that are no longer kept.
#[derive(Clone, Copy, Debug)]
struct Dropped {
    /// Who sent them; `None` if several devices did.
    device: Option<DeviceId>,
    /// The highest sequence number among them.
    sequence: u32,
}

/// Wills with RETAIN of one topic.
#[derive(Debug)]
struct Wills {
    /// When the first one of this run was due.
    first_at: Instant,
    candidates: Vec<WillCandidate>,
    /// When the broker surely had the last of those that are no longer kept.
    dropped: Option<Instant>,
}

/// A message that surely arrived, and replaced what its device had sent before.
#[derive(Clone, Copy, Debug)]
struct Confirmed {
    device: DeviceId,
    sequence: u32,
    at: Instant,
}

/// What is known of a message that came out of the broker's store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Stored {
    /// Fingerprint of its payload and QoS of its PUBLISH, if that is still known.
    pub(crate) published: Option<(u64, QoS)>,
    /// When a later message of its device had surely replaced it, at the latest.
    pub(crate) overwritten_at: Option<Instant>,
}

/// That something is retained, whichever of the values that may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SurelyThere {
    /// Since when.
    pub(crate) since: Instant,
    /// The lowest QoS of the values that may be there.
    pub(crate) qos: QoS,
}

/// What one topic may have retained.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Values {
    /// One of these.
    OneOf(Vec<Value>),
    /// Anything: values were dropped to save memory.
    Unknown,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    value: Value,
    device: DeviceId,
    socket: SocketId,
    sequence: u32,
    sent_at: Instant,
    acknowledged_at: Option<Instant>,
    qos: QoS,
    /// Whether it was sent at QoS 0 on a connection that was lost.
    is_doubtful: bool,
}

#[derive(Clone, Copy, Debug)]
struct WillCandidate {
    value: Value,
    /// When the broker surely had it retained.
    noticed_by: Instant,
}

/// What a topic had retained before the first will of this run was due there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Before {
    /// This.
    Had(Value),
    /// No device that asked for the topic was there to see.
    Unknown,
}

/// A PUBLISH with RETAIN as it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetainedPublish<'a> {
    /// Topic Name.
    pub(crate) topic: &'a str,
    /// Payload; empty clears [MQTT-3.3.1-6].
    pub(crate) payload: &'a [u8],
    /// Identity.
    pub(crate) stamp: Stamp,
    /// How.
    pub(crate) qos: QoS,
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
    /// When the broker surely had it retained.
    pub(crate) noticed_by: Instant,
    /// Whether it must be published.
    pub(crate) is_certain: bool,
}

impl Retained {
    /// Nothing is retained.
    pub(crate) fn new(memory: Memory) -> Self {
        Self {
            candidates_max: memory.retained_candidates,
            publishes: HashMap::new(),
            unacknowledgeable: HashMap::new(),
            wills: HashMap::new(),
            stored: HashMap::new(),
            probes: BTreeMap::new(),
        }
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
        row.candidates.push(Candidate {
            value: value_of(publish.payload),
            device: publish.stamp.device,
            socket: publish.socket,
            sequence: publish.stamp.sequence,
            sent_at: now,
            acknowledged_at: None,
            qos: publish.qos,
            is_doubtful: false,
        });
        if row.candidates.len() > self.candidates_max {
            row.drop_oldest();
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
            since: row.set_at.filter(|_| is_never_empty)?,
            qos,
        })
    }

    /// A message was acknowledged, or refused.
    pub(crate) fn handle_acknowledged(
        &mut self,
        now: Instant,
        topic: &str,
        stamp: Stamp,
        is_ok: bool,
    ) {
        let Some(row) = self.publishes.get_mut(topic) else {
            return;
        };
        let Some(place) = row.candidates.iter().position(|candidate| {
            candidate.device == stamp.device && candidate.sequence == stamp.sequence
        }) else {
            return;
        };
        if is_ok {
            row.candidates[place].acknowledged_at = Some(now);
            row.confirm(place);
        } else {
            row.candidates.remove(place);
        }
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
        let row = row.or_insert_with(|| Wills {
            first_at: now,
            candidates: vec![WillCandidate {
                value: None,
                noticed_by: Instant::ZERO,
            }],
            dropped: None,
        });
        if will.is_certain {
            // What was there before the connection ended is overwritten.
            row.candidates
                .retain(|candidate| candidate.noticed_by >= now);
            row.dropped = row.dropped.filter(|&noticed_by| noticed_by >= now);
        }
        row.candidates.push(WillCandidate {
            value: will.value,
            noticed_by: will.noticed_by,
        });
        if row.candidates.len() > self.candidates_max {
            let dropped = row.candidates.remove(0);
            row.dropped = row.dropped.max(Some(dropped.noticed_by));
        }
    }

    /// A device was sent a retained message.
    pub(crate) fn handle_stored(&mut self, topic: &str, payload: &[u8]) {
        let is_new = !self.wills.contains_key(topic) && !self.stored.contains_key(topic);
        if is_new && self.stored.len() < STORED_TOPICS_MAX {
            self.stored.insert(topic.to_owned(), value_of(payload));
        }
    }

    /// What was retained in a topic before the first will of this run was due there, and when that was.
    /// `watched_since` is since when a device has asked for the topic without a break, if one has: it
    /// would have been sent what was retained.
    pub(crate) fn before_wills(&self, topic: &str, watched_since: Option<Instant>) -> Before {
        let Some(row) = self.wills.get(topic) else {
            return Before::Unknown;
        };
        if let Some(&value) = self.stored.get(topic) {
            return Before::Had(value);
        }
        let is_full = self.stored.len() >= STORED_TOPICS_MAX;
        match watched_since {
            Some(since) if !is_full && since + STORED_WITHIN <= row.first_at => Before::Had(None),
            Some(_) | None => Before::Unknown,
        }
    }

    /// A checker found something out. One that could not leaves its probe incomplete.
    pub(crate) fn handle_checker(&mut self, fact: &RetainedFact<'_>) {
        match *fact {
            RetainedFact::Found {
                expectation,
                topic,
                payload,
            } => {
                let found = Found {
                    hash: fingerprint(payload),
                    quote: quote(payload),
                };
                let probe = self.probes.entry(expectation).or_default();
                probe.found.insert(topic.to_owned(), found);
            }
            RetainedFact::Complete { expectation } => {
                self.probes.entry(expectation).or_default().is_complete = true;
            }
            RetainedFact::Unknown { .. } => {}
        }
    }

    /// What the checker of an `[[expect]]` found.
    pub(crate) fn probe(&self, expectation: usize) -> Option<&Probe> {
        self.probes.get(&expectation)
    }

    /// What each topic that `filter` matches may have, by the last will.
    pub(crate) fn last_wills(&self, filter: &TopicFilter<Box<str>>) -> BTreeMap<&str, Values> {
        self.wills
            .iter()
            .filter(|(topic, _)| matches(filter, topic))
            .map(|(topic, row)| (topic.as_str(), row.values()))
            .collect()
    }

    /// What each topic that `filter` matches may have, by the last PUBLISH.
    pub(crate) fn last_publishes(&self, filter: &TopicFilter<Box<str>>) -> BTreeMap<&str, Values> {
        self.publishes
            .iter()
            .filter(|(topic, _)| matches(filter, topic))
            .map(|(topic, row)| (&**topic, row.values()))
            .collect()
    }
}

impl Wills {
    fn values(&self) -> Values {
        match self.dropped {
            Some(_) => Values::Unknown,
            None => {
                let candidates = self.candidates.iter();
                Values::OneOf(candidates.map(|candidate| candidate.value).collect())
            }
        }
    }
}

impl Published {
    /// A candidate surely arrived: what it surely overwrote goes.
    fn confirm(&mut self, place: usize) {
        let confirmed = self.candidates[place];
        if let Some(at) = confirmed.acknowledged_at {
            self.set_at.get_or_insert(at);
            self.remember(&confirmed, at);
        }
        self.candidates.retain(|other| {
            let is_same_device = other.device == confirmed.device;
            let is_older = if is_same_device {
                other.sequence < confirmed.sequence
            } else {
                other
                    .acknowledged_at
                    .is_some_and(|acknowledged| acknowledged < confirmed.sent_at)
            };
            !is_older
        });
        self.dropped = self.dropped.filter(|dropped| {
            dropped.device != Some(confirmed.device) || dropped.sequence >= confirmed.sequence
        });
    }

    fn remember(&mut self, confirmed: &Candidate, at: Instant) {
        let last = self.confirmed.back().map(|last| last.at);
        if last.is_some_and(|last| at < last + CONFIRMED_EVERY) {
            return;
        }
        if self.confirmed.len() == CONFIRMED_MAX {
            self.confirmed.pop_front();
        }
        self.confirmed.push_back(Confirmed {
            device: confirmed.device,
            sequence: confirmed.sequence,
            at,
        });
    }

    fn stored(&self, stamp: Stamp) -> Stored {
        let candidate = self.candidates.iter().find(|candidate| {
            candidate.device == stamp.device && candidate.sequence == stamp.sequence
        });
        let later = self.confirmed.iter().find(|confirmed| {
            confirmed.device == stamp.device && confirmed.sequence > stamp.sequence
        });
        Stored {
            published: candidate.and_then(|candidate| Some((candidate.value?, candidate.qos))),
            overwritten_at: later.map(|confirmed| confirmed.at),
        }
    }

    /// Drops the oldest candidate to save memory.
    fn drop_oldest(&mut self) {
        let oldest = self.candidates.remove(0);
        let dropped = self.dropped.get_or_insert(Dropped {
            device: Some(oldest.device),
            sequence: oldest.sequence,
        });
        if dropped.device != Some(oldest.device) {
            dropped.device = None;
        }
        dropped.sequence = dropped.sequence.max(oldest.sequence);
    }

    /// What may be there.
    fn values(&self) -> Values {
        let mut row = self.clone();
        // At QoS 0 a connection that was never lost is the only acknowledgement.
        while let Some(place) = row.candidates.iter().rposition(|candidate| {
            candidate.qos == QoS::AtMostOnce
                && !candidate.is_doubtful
                && candidate.acknowledged_at.is_none()
        }) {
            row.candidates[place].acknowledged_at = Some(row.candidates[place].sent_at);
            row.confirm(place);
        }
        let mut values: Vec<Value> = row
            .candidates
            .iter()
            .map(|candidate| candidate.value)
            .collect();
        if row.set_at.is_none() {
            values.push(None);
        }
        match row.dropped {
            Some(_) => Values::Unknown,
            None => Values::OneOf(values),
        }
    }
}

fn value_of(payload: &[u8]) -> Value {
    (!payload.is_empty()).then(|| fingerprint(payload))
}

fn quote(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(&payload[..payload.len().min(QUOTED_BYTES_MAX)]);
    text.escape_debug().to_string()
}

fn matches(filter: &TopicFilter<Box<str>>, topic: &str) -> bool {
    TopicName::new(topic).is_ok_and(|name| filter.matches(&name))
}
