//! The retained message of every Topic Name (§3.3.1.3), and how a subscription goes through them.
//!
//! The store is ordered by Topic Name, so that a new subscription can be served in slices: a
//! [`Replay`] remembers the last topic it sent and goes on behind it. It leaves out what was
//! stored after the subscription began, as the subscription brings that anyway.
//!
//! Messages of the broker's own, to [`RESERVED_PREFIX`], do not count against the limits: `$SYS` must
//! take no room from clients.
//!
//! Invariant: `clients` has the messages that are not the broker's own, and the sum of their bytes;
//! `expiring` has exactly those that expire.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

use squall_protocol::packet::SubscriptionIdentifier;
use squall_protocol::topic::TopicFilter;
use squall_protocol::{Instant, QoS};

use crate::config::RetainedLimits;
use crate::message::Message;
use crate::timer::NEVER;

/// Topics that only the broker itself publishes to (§4.7.2).
pub(crate) const RESERVED_PREFIX: &str = "$SYS/";

/// A message that waits for subscriptions to its topic.
#[derive(Debug)]
pub(crate) struct Retained {
    pub(crate) message: Rc<Message>,
    /// Counts up with every message stored.
    sequence: u64,
}

/// All retained messages.
#[derive(Debug, Default)]
pub(crate) struct RetainedStore {
    messages: BTreeMap<Rc<str>, Retained>,
    expiring: BTreeSet<(Instant, Rc<str>)>,
    clients: Usage,
    /// Sequence of the message that is stored next.
    next_sequence: u64,
}

/// What the limits are compared with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Usage {
    messages: usize,
    bytes: usize,
}

/// What [`RetainedStore::set`] came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stored {
    Stored,
    /// The store is full; an older message of the topic is gone all the same.
    Full,
}

/// A subscription's way through the store.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) filter: TopicFilter<Box<str>>,
    /// Highest QoS of the subscription.
    pub(crate) qos: QoS,
    pub(crate) identifier: Option<SubscriptionIdentifier>,
    /// How many messages must have left the Session's queue before this may go on.
    pub(crate) behind: u64,
    /// The last topic that is done.
    after: Option<Rc<str>>,
    /// Messages of this sequence or later come through the subscription itself.
    before: u64,
}

/// Where a [`Replay`] is.
#[derive(Debug)]
pub(crate) enum Found {
    /// This message is next; [`Replay::advance`] past its topic once it is sent.
    Message {
        topic: Rc<str>,
        message: Rc<Message>,
    },
    /// The replay is over.
    End,
    /// The budget is used up.
    Paused,
}

impl Found {
    fn message(topic: &Rc<str>, retained: &Retained) -> Self {
        Self::Message {
            topic: Rc::clone(topic),
            message: Rc::clone(&retained.message),
        }
    }
}

impl Replay {
    /// Continues after `topic`.
    pub(crate) fn advance(&mut self, topic: Rc<str>) {
        self.after = Some(topic);
    }
}

impl RetainedStore {
    /// Whether there is no message at all, the broker's own included.
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Messages of clients.
    pub(crate) fn len(&self) -> usize {
        self.clients.messages
    }

    /// Bytes of the messages of clients.
    pub(crate) fn bytes(&self) -> usize {
        self.clients.bytes
    }

    /// Whether a message of `bytes` bytes can be stored, in place of its topic's older one if there
    /// is one.
    pub(crate) fn has_room_for(&self, topic: &str, bytes: usize, limits: &RetainedLimits) -> bool {
        if topic.starts_with(RESERVED_PREFIX) {
            return true;
        }
        let Usage {
            messages,
            bytes: used,
        } = self.clients;
        // The older message is looked for only if the room depends on it.
        if messages < limits.messages_max && used + bytes <= limits.bytes_max {
            return true;
        }
        match self.messages.get(topic) {
            Some(older) => {
                messages <= limits.messages_max
                    && used - older.message.bytes() + bytes <= limits.bytes_max
            }
            None => false,
        }
    }

    /// Stores `message` in place of its topic's older one [MQTT-3.3.1-5].
    pub(crate) fn set(&mut self, message: Rc<Message>, limits: &RetainedLimits) -> Stored {
        let bytes = message.bytes();
        let has_room = self.has_room_for(message.topic().as_str(), bytes, limits);
        let topic: Rc<str> = match self.remove(message.topic().as_str()) {
            Some(topic) => topic,
            None => message.topic().as_str().into(),
        };
        if !has_room {
            return Stored::Full;
        }
        if !topic.starts_with(RESERVED_PREFIX) {
            self.clients.messages += 1;
            self.clients.bytes += bytes;
        }
        if message.expires_at() != NEVER {
            self.expiring
                .insert((message.expires_at(), Rc::clone(&topic)));
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.messages.insert(topic, Retained { message, sequence });
        Stored::Stored
    }

    /// Forgets the topic's message [MQTT-3.3.1-6].
    pub(crate) fn clear(&mut self, topic: &str) {
        self.remove(topic);
    }

    /// Removes up to `at_most` messages that have expired by `now`; returns how many. Whether more have
    /// expired, [`Self::next_expiry`] tells.
    pub(crate) fn expire(&mut self, now: Instant, at_most: usize) -> usize {
        for expired in 0..at_most {
            match self.expiring.first() {
                Some((expires_at, topic)) if *expires_at <= now => {
                    let topic = Rc::clone(topic);
                    self.remove(&topic);
                }
                Some(_) | None => return expired,
            }
        }
        at_most
    }

    /// When [`Self::expire`] next has something to do.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.expiring.first().map(|&(expires_at, _)| expires_at)
    }

    /// Starts to go through what is stored now. `behind` is the Session's queue's end.
    pub(crate) fn replay(
        &self,
        filter: TopicFilter<Box<str>>,
        qos: QoS,
        identifier: Option<SubscriptionIdentifier>,
        behind: u64,
    ) -> Replay {
        Replay {
            filter,
            qos,
            identifier,
            behind,
            after: None,
            before: self.next_sequence,
        }
    }

    /// Looks for the replay's next message. Each look costs one of `budget`, and each stored message
    /// that is passed over another; one that does not match is done.
    pub(crate) fn find_next(&self, replay: &mut Replay, now: Instant, budget: &mut usize) -> Found {
        let Some(left) = budget.checked_sub(1) else {
            return Found::Paused;
        };
        *budget = left;
        if !replay.filter.has_wildcards() {
            return self.find_exact(replay, now);
        }
        let prefix = literal_prefix(replay.filter.as_str());
        let start = match &replay.after {
            Some(topic) => Bound::Excluded(&**topic),
            None => Bound::Included(prefix),
        };
        let mut last = None;
        let mut found = Found::End;
        for (topic, retained) in self.messages.range::<str, _>((start, Bound::Unbounded)) {
            if !topic.starts_with(prefix) {
                break;
            }
            if self.is_due(replay, retained, now) {
                found = Found::message(topic, retained);
                break;
            }
            last = Some(topic);
            if *budget == 0 {
                found = Found::Paused;
                break;
            }
            *budget -= 1;
        }
        if let Some(topic) = last {
            replay.after = Some(Rc::clone(topic));
        }
        found
    }

    fn find_exact(&self, replay: &Replay, now: Instant) -> Found {
        let topic = replay.filter.as_str();
        match self.messages.get_key_value(topic) {
            Some((topic, retained))
                if replay.after.is_none() && self.is_due(replay, retained, now) =>
            {
                Found::message(topic, retained)
            }
            _ => Found::End,
        }
    }

    fn is_due(&self, replay: &Replay, retained: &Retained, now: Instant) -> bool {
        retained.sequence < replay.before
            && !retained.message.is_expired(now)
            && replay.filter.matches(&retained.message.topic())
    }

    fn remove(&mut self, topic: &str) -> Option<Rc<str>> {
        let (topic, retained) = self.messages.remove_entry(topic)?;
        if !topic.starts_with(RESERVED_PREFIX) {
            self.clients.messages -= 1;
            self.clients.bytes -= retained.message.bytes();
        }
        let expiring = (retained.message.expires_at(), topic);
        self.expiring.remove(&expiring);
        Some(expiring.1)
    }
}

/// What every topic that the filter matches begins with. `a/#` matches `a` as well.
fn literal_prefix(filter: &str) -> &str {
    let literal = match filter.find(['+', '#']) {
        Some(wildcard) => &filter[..wildcard],
        None => filter,
    };
    match filter[literal.len()..].starts_with('#') {
        true => literal.strip_suffix('/').unwrap_or(literal),
        false => literal,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use squall_protocol::packet::{Publish, PublishProperties};
    use squall_protocol::topic::TopicName;

    use super::*;

    fn message(topic: &str, expiry: Option<u32>) -> Rc<Message> {
        let publish = Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: TopicName::new(topic).unwrap(),
            packet_id: None,
            properties: PublishProperties {
                message_expiry_interval: expiry,
                ..PublishProperties::default()
            },
            payload: b"p",
        };
        Rc::new(Message::new(&publish, Instant::ZERO))
    }

    fn replay(store: &RetainedStore, filter: &str) -> Replay {
        let filter = TopicFilter::new(Box::from(filter)).unwrap();
        store.replay(filter, QoS::AtMostOnce, None, 0)
    }

    fn topics(store: &RetainedStore, replay: &mut Replay, slice: usize) -> Vec<String> {
        let mut topics = Vec::new();
        let mut budget = slice;
        loop {
            match store.find_next(replay, Instant::ZERO, &mut budget) {
                Found::Message { topic, message } => {
                    replay.advance(topic);
                    topics.push(message.topic().as_str().to_owned());
                }
                Found::Paused => budget = slice,
                Found::End => return topics,
            }
        }
    }

    fn store(topics: &[&str]) -> RetainedStore {
        let mut store = RetainedStore::default();
        for topic in topics {
            let stored = store.set(message(topic, None), &RetainedLimits::default());
            assert_eq!(stored, Stored::Stored);
        }
        store
    }

    /// A message stored after the subscription comes through it and not out of the store.
    #[test]
    fn a_replay_leaves_out_what_is_stored_later() {
        let mut store = store(&["a/1", "a/2"]);
        let mut replay = replay(&store, "a/+");
        store.set(message("a/2", None), &RetainedLimits::default());
        store.set(message("a/3", None), &RetainedLimits::default());

        assert_eq!(topics(&store, &mut replay, 10), ["a/1"]);
    }

    /// A message beyond the limit is not stored, one in place of another is.
    #[test]
    fn the_store_is_bounded() {
        let limits = RetainedLimits {
            messages_max: 1,
            ..RetainedLimits::default()
        };
        let mut store = store(&["a"]);

        assert_eq!(store.set(message("b", None), &limits), Stored::Full);
        assert_eq!(store.set(message("a", None), &limits), Stored::Stored);

        assert_eq!((store.len(), store.bytes()), (1, 2));
    }

    /// An expired message is gone [MQTT-3.3.2-5], and nothing of it stays behind.
    #[test]
    fn messages_expire() {
        let mut store = store(&["a"]);
        store.set(message("b", Some(5)), &RetainedLimits::default());
        store.set(message("c", Some(3)), &RetainedLimits::default());
        store.set(message("c", None), &RetainedLimits::default());
        let at = Instant::ZERO + Duration::from_secs(5);
        assert_eq!(store.next_expiry(), Some(at));

        assert_eq!(store.expire(at, 10), 1);

        assert_eq!((store.len(), store.bytes()), (2, 4));
        assert_eq!(store.next_expiry(), None);
    }

    /// Many that expire at one moment go in slices, so that others get their turn.
    #[test]
    fn messages_expire_in_slices() {
        let mut store = RetainedStore::default();
        for topic in ["a", "b", "c"] {
            store.set(message(topic, Some(5)), &RetainedLimits::default());
        }
        let at = Instant::ZERO + Duration::from_secs(5);

        assert_eq!(store.expire(at, 2), 2);
        assert_eq!((store.len(), store.next_expiry()), (1, Some(at)));
        assert_eq!(store.expire(at, 2), 1);

        assert_eq!((store.len(), store.next_expiry()), (0, None));
    }

    proptest! {
        /// However small the slices, a replay sends exactly what the filter matches, in order.
        #[test]
        fn a_replay_sends_what_the_filter_matches(
            stored in prop::collection::btree_set("[ab$]{0,2}(/[ab-]{0,2}){0,3}", 1..20),
            filter in "([ab+]|[+]/)?(/([ab]{0,2}|[+])){0,2}(/#)?",
            slice in 1_usize..5,
        ) {
            let Ok(filter) = TopicFilter::new(filter.as_str()) else { return Ok(()) };
            let stored: Vec<&str> = stored.iter().map(String::as_str).filter(|t| !t.is_empty()).collect();
            let store = store(&stored);
            let mut replay = replay(&store, filter.as_str());

            let expected: Vec<&str> = stored
                .into_iter()
                .filter(|topic| filter.matches(&TopicName::new(*topic).unwrap()))
                .collect();
            prop_assert_eq!(topics(&store, &mut replay, slice), expected);
        }
    }
}
