//! Deliveries that no message of this run can be found for.

use squall_run::AnomalyKind;

use super::delivery::{Delivery, Mark, Origin};
use super::{Deliveries, TallyKey};
use crate::books::anomalies::{Anomaly, Scope, Subject};
use crate::books::event::Event;
use crate::books::roster::BrokerHistory;

/// A delivery for which no case can be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stranger {
    /// It bears no stamp of this run: another client's, an earlier run's, or the broker's own.
    Foreign,
    /// As foreign, but to a Topic Name that this run publishes to, just now.
    Unclear,
    /// It bears no stamp, and this run alone publishes to its Topic Name.
    Damaged,
    /// Of this run, but no subscription asks for it.
    NotAskedFor,
    /// Of this run, but its device never published to this topic.
    NeverPublishedThere,
    /// Of this run, but with a sequence number that was never sent.
    NeverPublished,
}

impl Deliveries {
    /// What a delivery is that bears no stamp of this run. A broker that was started for the run serves
    /// no other client, so that nobody else can have published what comes live.
    pub(super) fn without_stamp(&self, delivery: &Delivery<'_>) -> Stranger {
        let is_published_to = self
            .topics
            .topic(delivery.topic)
            .is_some_and(|topic| self.topics.has_places(topic));
        match (delivery.origin, self.history, delivery.mark) {
            // An earlier run may have left it.
            (Origin::Store(_) | Origin::EmptyStore, _, _) => Stranger::Foreign,
            (Origin::Live, _, _) if !is_published_to => Stranger::Foreign,
            (Origin::Live, BrokerHistory::Empty, _) => Stranger::Damaged,
            (Origin::Live, BrokerHistory::Unknown, Mark::OfAnotherRun) => Stranger::Foreign,
            (Origin::Live, BrokerHistory::Unknown, Mark::None | Mark::Ours(_)) => Stranger::Unclear,
        }
    }

    pub(super) fn handle_stranger(
        &mut self,
        event: &Event,
        delivery: &Delivery<'_>,
        stranger: Stranger,
    ) {
        let tally = self.books.tally_mut(TallyKey {
            group: event.group,
            published: delivery.qos,
            owed: delivery.qos,
        });
        tally.received += 1;
        let (kind, why) = match stranger {
            Stranger::Foreign | Stranger::Unclear => {
                tally.foreign += 1;
                tally.unclear += u64::from(stranger == Stranger::Unclear);
                return;
            }
            Stranger::Damaged => (
                AnomalyKind::Misrouted,
                "its payload bears no stamp, and this run alone publishes to its Topic Name",
            ),
            Stranger::NotAskedFor => (AnomalyKind::Misrouted, "no subscription asks for it"),
            Stranger::NeverPublishedThere => (
                AnomalyKind::Misrouted,
                "the device of its stamp never published to this topic",
            ),
            Stranger::NeverPublished => (
                AnomalyKind::Misrouted,
                "its stamp has a sequence number that was never sent",
            ),
        };
        tally.misrouted += 1;
        let subject = Subject {
            device: Some(event.device),
            scope: Scope {
                group: Some(event.group),
                qos: Some(delivery.qos),
                ..Scope::default()
            },
        };
        self.anomalies.note(kind, subject, || Anomaly {
            kind,
            at: event.now,
            device: Some(event.device),
            topic: Some(delivery.topic.to_owned()),
            sequence: delivery.mark.ours().map(|stamp| stamp.sequence),
            explanation: format!("{why} (§3.3.4)"),
            scope: subject.scope,
        });
    }
}
