//! Deliveries that no message of this run can be found for.

use squall_run::AnomalyKind;
use squall_scenario::{BrokerHistory, TopicKey};

use super::delivery::{Delivery, Mark, Origin};
use super::{Deliveries, TallyKey, session};
use crate::books::anomalies::Anomaly;
use crate::books::event::Event;

/// A delivery for which no case can be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stranger {
    /// It bears no stamp of this run: another client's, an earlier run's, or the broker's own.
    Foreign,
    /// As foreign, but live, to a Topic Name that this run publishes to.
    Unclear,
    /// It bears no stamp, and this run alone publishes to its Topic Name.
    Damaged,
    /// Of this run, but no subscription asks for it.
    NotAskedFor,
    /// Of this run, and sent after the client had given its subscription up.
    AfterUnsuback,
    /// Of this run, on a connection that another one has displaced: what that one asked for, the Session asks no more.
    OfDisplaced,
    /// Of this run, and the client's own, though it asks not to get those.
    Local,
    /// Of this run, and out of the store, though no SUBSCRIBE asked for what is retained.
    KeptBack,
    /// Of this run, but its device never published to this topic.
    NeverPublishedThere,
    /// The same on a broker that others use: a bridge, or another client that publishes what it receives.
    Republished,
    /// Of this run, but with a sequence number that was never sent.
    NeverPublished,
}

impl Stranger {
    /// What is wrong with it, and the sentence of the specification; `None` where it may be another client's.
    fn fault(self) -> Option<(AnomalyKind, &'static str)> {
        Some(match self {
            Self::Foreign | Self::Unclear | Self::Republished | Self::OfDisplaced => return None,
            Self::Damaged => (
                AnomalyKind::Corrupted,
                "its payload bears no stamp, and this run alone publishes to its Topic Name (§3.3.4)",
            ),
            Self::NotAskedFor => (
                AnomalyKind::Misrouted,
                "no subscription asks for it (§3.3.4)",
            ),
            Self::AfterUnsuback => (
                AnomalyKind::Misrouted,
                "it was published after UNSUBACK for its subscription had come [MQTT-3.10.4-2]",
            ),
            Self::Local => (
                AnomalyKind::Misrouted,
                "it is the client's own, and No Local asks not to get those [MQTT-3.8.3-3]",
            ),
            Self::KeptBack => (
                AnomalyKind::Misrouted,
                "it came out of the store, and Retain Handling asks for nothing there [MQTT-3.3.1-10], [MQTT-3.3.1-11]",
            ),
            Self::NeverPublishedThere => (
                AnomalyKind::Misrouted,
                "the device of its stamp never published to this topic (§3.3.4)",
            ),
            Self::NeverPublished => (
                AnomalyKind::Misrouted,
                "its stamp has a sequence number that was never sent (§3.3.4)",
            ),
        })
    }
}

impl Deliveries {
    /// What a delivery is that bears no stamp of this run. On a broker that serves no other client what
    /// comes live was published by this run, unless the Session is that of an earlier one.
    pub(super) fn without_stamp(&self, event: &Event, delivery: &Delivery<'_>) -> Stranger {
        let is_published_to = self
            .topics
            .topic(delivery.topic)
            .is_some_and(|topic| self.topics.has_places(topic));
        let is_live_and_ours = delivery.origin == Origin::Live && is_published_to;
        if !is_live_and_ours {
            // An earlier run may have left it, or it is on a topic that is not the run's.
            return Stranger::Foreign;
        }
        let may_be_of_others = match self.history {
            BrokerHistory::Empty => false,
            BrokerHistory::EarlierRuns => self.resumes[usize::from(event.group.0)],
            BrokerHistory::OtherClients => true,
        };
        if !may_be_of_others {
            return Stranger::Damaged;
        }
        match delivery.mark {
            Mark::OfAnotherRun => Stranger::Foreign,
            Mark::None | Mark::Ours(_) => Stranger::Unclear,
        }
    }

    /// What a delivery is that no subscription of its Session asks for.
    pub(super) fn not_asked_for(&self, event: &Event, topic: TopicKey) -> Stranger {
        let filters = self.topics.filters(topic);
        let shared = self.topics.shared_filters(topic);
        let has_left = session(&self.sessions, event.client)
            .is_some_and(|session| session.has_left(filters) || session.has_left(shared));
        let was_asked = session(&self.sessions, event.client).is_some_and(|session| {
            session.is_displaced(event.socket)
                && (session.has_asked(filters) || session.has_asked(shared))
        });
        match has_left {
            _ if was_asked => Stranger::OfDisplaced,
            true => Stranger::AfterUnsuback,
            false => Stranger::NotAskedFor,
        }
    }

    pub(super) fn handle_stranger(
        &mut self,
        event: &Event,
        delivery: &Delivery<'_>,
        stranger: Stranger,
    ) {
        let key = TallyKey {
            group: event.group,
            published: delivery.qos,
            owed: delivery.qos,
        };
        self.books.tally_mut(key).received += 1;
        if stranger == Stranger::Foreign && delivery.origin != Origin::Live {
            self.end_replaced(event, delivery.topic);
        }
        let tally = self.books.tally_mut(key);
        let Some((kind, why)) = stranger.fault() else {
            if stranger == Stranger::OfDisplaced {
                tally.optional += 1;
                return;
            }
            tally.foreign += 1;
            tally.unclear += u64::from(stranger != Stranger::Foreign);
            return;
        };
        if kind == AnomalyKind::Corrupted {
            tally.corrupted += 1;
        } else {
            tally.misrouted += 1;
        }
        let mut subject = event.subject();
        subject.scope.qos = Some(delivery.qos);
        self.anomalies.note(kind, subject, || Anomaly {
            by_counts: None,
            kind,
            at: event.now,
            device: Some(event.device),
            recipient: None,
            topic: Some(delivery.topic.to_owned()),
            sequence: delivery.mark.ours().map(|stamp| stamp.sequence),
            explanation: why.to_owned(),
            scope: subject.scope,
        });
    }
}
