//! The ways by which one message may come to a Session: its own subscriptions, and each shared one that it is a member of.
//!
//! Which of them a copy is for cannot be seen from outside. So a copy is taken for one that waits for the message, the
//! Session's own first, then for one that has not had it. Where none is left, what another member was taken to have had
//! by the same shared subscription may have been for another way of that member: then it is counted there. So of as many
//! copies as there are ways none is held against the broker, and of more, or fewer than are owed, each is: of more at QoS 1
//! as `sharing` says.

use squall_protocol::Instant;
use squall_scenario::{ClientKey, TopicKey};

use super::case::{Case, Sent};
use super::{Deliveries, session};
use crate::books::session::Sender;
use crate::books::stream::Arrival;

/// A place in a topic that a Session has messages by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct OneWay {
    /// The place.
    pub(super) place: usize,
    /// Copies of one message that the subscriptions there allow.
    pub(super) copies: u8,
}

impl Deliveries {
    /// All ways by which a Session may have a message of a topic, its own subscriptions first.
    pub(super) fn ways(&self, client: ClientKey, topic: TopicKey, sent: Sent) -> Vec<OneWay> {
        let own = self.own_way(client, topic, sent);
        let shares = self.member_places(client, topic, sent.at);
        let shares = shares.map(|place| OneWay { place, copies: 1 });
        own.into_iter().chain(shares).collect()
    }

    /// The place of the Session's own subscriptions, if any of them may bring it.
    fn own_way(&self, client: ClientKey, topic: TopicKey, sent: Sent) -> Option<OneWay> {
        let place = self.topics.session_place(topic, client)?;
        let filters = &self.topics.places(topic)[place].filters;
        let session = session(&self.sessions, client)?;
        let copies = session.asked(filters, sent.sender, sent.at).copies;
        (copies > 0).then_some(OneWay { place, copies })
    }

    /// Places of shared subscriptions of a topic that the Session is a member of, for what was sent at `sent_at`.
    pub(super) fn member_places(
        &self,
        client: ClientKey,
        topic: TopicKey,
        sent_at: Instant,
    ) -> impl Iterator<Item = usize> + '_ {
        let session = session(&self.sessions, client);
        let places = self.topics.places(topic);
        self.topics
            .share_places(topic)
            .iter()
            .copied()
            .filter(move |&number| {
                // A shared subscription has no No Local [MQTT-3.8.3-4].
                session.is_some_and(|session| {
                    session
                        .asked(&places[number].filters, Sender::Another, sent_at)
                        .copies
                        > 0
                })
            })
    }

    /// The case at the place that a message out of the broker's store comes by: that of the Session's own subscriptions, where
    /// it has any. A shared one gets none (§4.8.2), and whether No Local keeps back what the Session had retained is not said.
    pub(super) fn at_own_way<'a>(&self, case: &Case<'a>) -> Case<'a> {
        let sent = Sent {
            sender: Sender::Another,
            at: case.sent_at_least(),
        };
        match self.own_way(case.event.client, case.topic, sent) {
            Some(OneWay { place, copies }) => Case {
                place,
                copies,
                ..*case
            },
            None => *case,
        }
    }

    /// The case at the way that waits for its message, if its own does not and another does.
    pub(super) fn at_the_way_that_waits<'a>(&self, case: &Case<'a>) -> Case<'a> {
        let stream = &self.streams[case.stream];
        let waits = |place| stream.awaits(place, case.sequence());
        if waits(case.place) {
            return *case;
        }
        let mut shares = self.member_places(case.event.client, case.topic, case.sent_at_least());
        match shares.find(|&place| waits(place)) {
            Some(place) => Case {
                place,
                copies: 1,
                ..*case
            },
            None => *case,
        }
    }

    /// A way of another member that had the message by a shared subscription of this Session, as far as is known, and may
    /// as well have had it by that: it is taken for that one's copy, and this copy for the other.
    pub(super) fn exchange_ways(&mut self, case: &Case<'_>) -> Option<(usize, Arrival)> {
        let shares: Vec<usize> = self
            .member_places(case.event.client, case.topic, case.sent_at_least())
            .collect();
        let holders = self.holders(case).into_iter();
        let of_others = holders
            .filter(|holder| holder.client != case.event.client && shares.contains(&holder.share));
        let others = of_others.flat_map(|holder| holder.others);
        others
            .filter(|place| !shares.contains(place))
            .find_map(|place| {
                let stream = &mut self.streams[case.stream];
                let arrival =
                    stream.deliver(place, case.sequence(), case.delivery.qos, case.event.now);
                matches!(arrival, Arrival::Pledged(_) | Arrival::Optional)
                    .then_some((place, arrival))
            })
    }
}
