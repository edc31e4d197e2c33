//! Whether nothing but the broker can have changed a count.

use squall_protocol::{Instant, QoS, Version};
use squall_scenario::{ClientKey, TopicKey};

use super::PairCount;
use crate::books::deliveries::close::RunEnd;
use crate::books::deliveries::{Deliveries, session};
use crate::books::doubts::Doubt;
use crate::books::session::{Sender, Session};

/// Later than anything in a run.
const NOW: Instant = Instant::from_nanos(u64::MAX);

impl Deliveries {
    /// Why something other than the broker may be why fewer came to a Session than it was owed.
    pub(super) fn doubt_of_missing(
        &self,
        of: (TopicKey, ClientKey),
        pair: &PairCount,
        end: RunEnd,
    ) -> Option<Doubt> {
        let (Some(count), Some(session)) = (
            self.counted.topics.get(&of.0),
            session(&self.sessions, of.1),
        ) else {
            return Some(Doubt::Mixed);
        };
        if pair.owed == 0 {
            return Some(Doubt::NotAcknowledged);
        }
        if end == RunEnd::Cut {
            return Some(Doubt::RunCut);
        }
        let reasons = [
            (session.connected_at > count.first_sent_at, Doubt::Late),
            (!session.is_online(), Doubt::Away),
            (self.on_links[usize::from(pair.group.0)], Doubt::Link),
            // A second copy that the broker may send stands in for one that is lost.
            (!self.is_asked_for_once(of.0, session), Doubt::Overlap),
        ];
        self.disturbance(of, pair).or_else(|| first_of(&reasons))
    }

    /// Why something other than the broker may be why more came to a Session than were sent.
    pub(super) fn doubt_of_copies(
        &self,
        of: (TopicKey, ClientKey),
        pair: &PairCount,
    ) -> Option<Doubt> {
        let (Some(count), Some(session)) = (
            self.counted.topics.get(&of.0),
            session(&self.sessions, of.1),
        ) else {
            return Some(Doubt::Mixed);
        };
        let may_come_again =
            pair.came[QoS::AtLeastOnce as usize] > 0 && session.version != Version::V5;
        let reasons = [
            (self.history.has_other_clients(), Doubt::OtherClients),
            (count.may_repeat, Doubt::SentAgain),
            (may_come_again, Doubt::MayComeAgain),
            (session.connected_at > count.first_sent_at, Doubt::Late),
            (!self.is_asked_for_once(of.0, session), Doubt::Overlap),
        ];
        self.disturbance(of, pair).or_else(|| first_of(&reasons))
    }

    /// Whether one subscription of a Session alone asks for what is published to a topic.
    fn is_asked_for_once(&self, topic: TopicKey, session: &Session) -> bool {
        let filters = self.topics.filters(topic);
        session.asked(filters, Sender::Another, NOW).copies == 1
            && self.topics.shared_filters(topic).is_empty()
    }

    /// Which fault, other message or other connection may have changed the counts of a Session.
    fn disturbance(&self, of: (TopicKey, ClientKey), pair: &PairCount) -> Option<Doubt> {
        let (topic, client) = of;
        let count = self.counted.topics.get(&topic)?;
        let came_otherwise =
            (0..pair.came.len()).any(|qos| qos != pair.owed_qos as usize && pair.came[qos] > 0);
        if count.is_uneven || came_otherwise || self.counted.mixed.contains(&topic) {
            return Some(Doubt::Mixed);
        }
        if self.broker_times.touches(count.first_sent_at, NOW) {
            return Some(Doubt::BrokerFault);
        }
        let is_disturbed = self.counted.disturbed.contains(&client);
        is_disturbed.then_some(Doubt::Disturbed)
    }
}

/// The first reason that applies.
fn first_of(reasons: &[(bool, Doubt)]) -> Option<Doubt> {
    let found = reasons.iter().find(|(applies, _)| *applies);
    found.map(|(_, doubt)| *doubt)
}
