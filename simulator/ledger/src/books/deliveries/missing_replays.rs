//! Retained messages that a SUBSCRIBE asked for and that did not come: lost, or on their way when a connection ended.
//!
//! A broker sends them with SUBACK, or just after it. Whether one is lost is told by how long ago SUBACK came, as it is for
//! other messages by when they were sent; once its connection has ended it cannot come.

use std::time::Duration;

use squall_protocol::Instant;
use squall_run::AnomalyKind;
use squall_scenario::TopicKey;

use super::sessions::Ending;
use super::{Deliveries, session};
use crate::books::anomalies::{Anomaly, Scope, Subject};
use crate::books::event::Event;
use crate::books::replays::Missing;
use crate::books::retained::SETTLING_TIME;
use crate::books::session::SubscriptionState;
use crate::books::tallies::{Excuse, Tally, TallyKey};

impl Deliveries {
    /// Something came out of the store of a topic.
    pub(super) fn come_out_of_store(&mut self, event: &Event, topic: TopicKey) {
        if let Some(confirmed_at) = self.replays.handle_come(event, topic) {
            let took = event.now.saturating_since(confirmed_at);
            self.slowest.note(event.group, took);
        }
    }

    /// A connection ended: what had not come for long after SUBACK is lost, or may be. A broker that ends a connection by
    /// itself has a reason of its own.
    pub(super) fn end_replays(&mut self, event: &Event, ending: &Ending) {
        for missing in self.replays.handle_ended(event) {
            if !ending.is_unasked
                && self.was_replay_late(&missing, ending.earliest)
                && self.close_replay(&missing, ending.earliest).is_some()
            {
                let tally = self.missing_replay_mut(&missing);
                tally.excused[Excuse::LeftLate as usize] += 1;
            }
        }
    }

    /// Whether a retained message had not come for long when its connection, whose device read all the time, ended at `now`.
    fn was_replay_late(&self, missing: &Missing, now: Instant) -> bool {
        let Some(session) = session(&self.sessions, missing.client) else {
            return false;
        };
        let is_asked_for = session
            .subscription(missing.filter)
            .is_some_and(|row| row.state == SubscriptionState::Active);
        is_asked_for
            && session.has_live(missing.socket)
            && !session.is_on_link
            && !self.on_links[usize::from(session.group.0)]
            && session.unread.last_until() <= missing.confirmed_at
            && self
                .slowest
                .is_long(session.group, missing.confirmed_at, now)
    }

    /// The run is drained: retained messages that have not come never will.
    pub(super) fn close_replays(&mut self, now: Instant) {
        for missing in self.replays.take_missing(now, SETTLING_TIME) {
            let is_there = session(&self.sessions, missing.client)
                .is_some_and(|session| session.has_live(missing.socket) && !session.is_on_link);
            if is_there && let Some(short_by) = self.close_replay(&missing, now) {
                self.missing_replay_mut(&missing).could_come(short_by);
            }
        }
    }

    /// Counts a retained message that had not come at `now`: it is lost, or, where other clients use the broker, perhaps
    /// cleared. Returns how much longer it would take to tell, if neither can be told yet.
    fn close_replay(&mut self, missing: &Missing, now: Instant) -> Option<Duration> {
        let group = session(&self.sessions, missing.client)?.group;
        let has_other_clients = self.history.has_other_clients();
        let short_by = self.slowest.short_by(group, missing.confirmed_at, now);
        let tally = self.missing_replay_mut(missing);
        if has_other_clients {
            tally.perhaps_cleared += 1;
            self.note_missing_replay(AnomalyKind::RetainedAbsent, now, missing);
            return None;
        }
        tally.pledged += 1;
        if short_by.is_none() {
            tally.lost += 1;
            self.note_missing_replay(AnomalyKind::Lost, now, missing);
        }
        short_by
    }

    /// The books that a missing retained message is in.
    fn missing_replay_mut(&mut self, missing: &Missing) -> &mut Tally {
        let key = self.missing_replay_key(missing);
        self.books.tally_mut(key)
    }

    fn missing_replay_key(&self, missing: &Missing) -> TallyKey {
        let session = session(&self.sessions, missing.client);
        TallyKey {
            group: session.expect("what is missing belongs to a Session").group,
            published: missing.published,
            owed: missing.published.min(missing.granted),
        }
    }

    fn note_missing_replay(&mut self, kind: AnomalyKind, now: Instant, missing: &Missing) {
        let subject = Subject {
            device: session(&self.sessions, missing.client).map(|session| session.device),
            scope: Scope {
                group: Some(self.missing_replay_key(missing).group),
                qos: Some(missing.published),
                ..Scope::default()
            },
        };
        let noticed = subject.between(missing.confirmed_at, now);
        self.anomalies.note(kind, noticed, || Anomaly {
            by_counts: None,
            kind,
            at: missing.confirmed_at,
            device: subject.device,
            recipient: None,
            topic: Some(self.topics.text(missing.topic).to_string()),
            sequence: None,
            explanation:
                "something was retained when SUBSCRIBE was sent, and never came [MQTT-3.3.1-9]"
                    .to_owned(),
            scope: subject.scope,
        });
    }
}
