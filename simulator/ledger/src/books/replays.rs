//! Retained messages that Sessions must be sent because of a SUBSCRIBE, and have not had yet.
//!
//! They belong to the connection that the SUBSCRIBE was sent on: once it ends, nothing more can come.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{Instant, QoS};
use squall_scenario::{ClientKey, TopicKey};

use super::event::Event;
use super::topics::FilterKey;

/// What is awaited, by Session.
#[derive(Debug)]
pub(crate) struct Replays {
    sessions: BTreeMap<ClientKey, Awaited>,
    /// Messages of all Sessions.
    kept: usize,
    kept_max: usize,
}

#[derive(Debug)]
struct Awaited {
    socket: SocketId,
    topics: BTreeMap<TopicKey, Replay>,
}

#[derive(Clone, Copy, Debug)]
struct Replay {
    filter: FilterKey,
    published: QoS,
    /// What SUBACK granted, and when it came.
    confirmed: Option<(QoS, Instant)>,
}

/// A retained message that did not come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missing {
    /// Whose it was.
    pub(crate) client: ClientKey,
    /// The connection that it was asked for on.
    pub(crate) socket: SocketId,
    /// Where it is retained.
    pub(crate) topic: TopicKey,
    /// The subscription that asks for it.
    pub(crate) filter: FilterKey,
    /// QoS of the PUBLISH to the broker.
    pub(crate) published: QoS,
    /// QoS of the subscription.
    pub(crate) granted: QoS,
    /// When SUBACK came.
    pub(crate) confirmed_at: Instant,
}

impl Replays {
    /// Nothing is awaited, and no more than `kept_max` will be at once.
    pub(crate) fn new(kept_max: usize) -> Self {
        Self {
            sessions: BTreeMap::new(),
            kept: 0,
            kept_max,
        }
    }

    /// Whether no more is looked for.
    pub(crate) fn is_full(&self) -> bool {
        self.kept >= self.kept_max
    }

    /// SUBSCRIBE was sent, and something of QoS `published` is retained at `topic`.
    pub(crate) fn expect(
        &mut self,
        event: &Event,
        topic: TopicKey,
        filter: FilterKey,
        published: QoS,
    ) {
        let is_of_another = self
            .sessions
            .get(&event.client)
            .is_some_and(|awaited| awaited.socket != event.socket);
        if is_of_another {
            self.forget(event.client);
        }
        let awaited = self.sessions.entry(event.client).or_insert(Awaited {
            socket: event.socket,
            topics: BTreeMap::new(),
        });
        let replay = Replay {
            filter,
            published,
            confirmed: None,
        };
        // Filters that overlap may bring one copy for both.
        self.kept += usize::from(awaited.topics.insert(topic, replay).is_none());
    }

    /// SUBACK came; `granted` is `None` if it refuses the filter.
    pub(crate) fn confirm(&mut self, event: &Event, filter: FilterKey, granted: Option<QoS>) {
        let Some(awaited) = self.of_connection(event) else {
            return;
        };
        let before = awaited.topics.len();
        for replay in awaited.topics.values_mut() {
            if replay.filter == filter {
                replay.confirmed = granted.map(|granted| (granted, event.now));
            }
        }
        if granted.is_none() {
            awaited.topics.retain(|_, replay| replay.filter != filter);
        }
        let gone = before - awaited.topics.len();
        self.kept -= gone;
    }

    /// Whether something is to come out of the store of a topic.
    pub(crate) fn awaits(&self, event: &Event, topic: TopicKey) -> bool {
        self.sessions.get(&event.client).is_some_and(|awaited| {
            awaited.socket == event.socket && awaited.topics.contains_key(&topic)
        })
    }

    /// A message came out of the store. Returns when SUBACK had come, if this was awaited and SUBACK came before it.
    pub(crate) fn handle_come(&mut self, event: &Event, topic: TopicKey) -> Option<Instant> {
        let replay = self.of_connection(event)?.topics.remove(&topic)?;
        self.kept -= 1;
        replay.confirmed.map(|(_, at)| at)
    }

    /// A connection ended. Returns what was granted on it and has not come.
    pub(crate) fn handle_ended(&mut self, event: &Event) -> Vec<Missing> {
        if self.of_connection(event).is_none() {
            return Vec::new();
        }
        let Some(awaited) = self.sessions.remove(&event.client) else {
            return Vec::new();
        };
        self.kept -= awaited.topics.len();
        awaited.missing_of(event.client).collect()
    }

    /// Takes out what was granted before `now` less `grace` and has not come.
    pub(crate) fn take_missing(&mut self, now: Instant, grace: Duration) -> Vec<Missing> {
        self.kept = 0;
        std::mem::take(&mut self.sessions)
            .into_iter()
            .flat_map(|(client, awaited)| awaited.missing_of(client))
            .filter(|missing| missing.confirmed_at + grace < now)
            .collect()
    }

    fn of_connection(&mut self, event: &Event) -> Option<&mut Awaited> {
        self.sessions
            .get_mut(&event.client)
            .filter(|awaited| awaited.socket == event.socket)
    }

    fn forget(&mut self, client: ClientKey) {
        if let Some(awaited) = self.sessions.remove(&client) {
            self.kept -= awaited.topics.len();
        }
    }
}

impl Awaited {
    /// What was granted and has not come.
    fn missing_of(self, client: ClientKey) -> impl Iterator<Item = Missing> {
        let socket = self.socket;
        self.topics.into_iter().filter_map(move |(topic, replay)| {
            let (granted, confirmed_at) = replay.confirmed?;
            Some(Missing {
                client,
                socket,
                topic,
                filter: replay.filter,
                published: replay.published,
                granted,
                confirmed_at,
            })
        })
    }
}
