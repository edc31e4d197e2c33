//! SUBSCRIBE and UNSUBSCRIBE (§3.8, §3.10).

use squall_protocol::codec::encoded_len;
use squall_protocol::packet::{
    AckProperties, Packet, RequestedFilter, RetainHandling, Suback, Subscribe, Subscription,
    SubscriptionIdentifier, Unsuback, Unsubscribe,
};
use squall_protocol::topic::TopicFilter;
use squall_protocol::{QoS, ReasonCode};

use super::ending::Ending;
use super::{Broker, Peer, Turn};
use crate::session::SessionKey;
use crate::subscriptions::{Inserted, Member, Target};

impl Broker {
    /// Adds or replaces subscriptions. SUBACK goes first, then the retained messages that they
    /// bring.
    pub(super) fn handle_subscribe(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        subscribe: Subscribe,
    ) -> Result<(), Ending> {
        let identifier = subscribe.properties.subscription_identifier;
        let subscriptions = subscribe.subscriptions.into_iter();
        let reasons = subscriptions
            .map(|subscription| self.subscribe(peer.session, subscription, identifier))
            .collect();
        let suback = Packet::Suback(Suback {
            id: subscribe.id,
            properties: AckProperties::default(),
            reasons,
        });
        self.answer(turn, peer, &suback)?;
        self.take_waiting_of_groups(turn, peer.session);
        self.feed(turn, peer.session);
        Ok(())
    }

    /// Ends subscriptions. UNSUBACK follows also if none was there [3.1.1: MQTT-3.10.4-5].
    pub(super) fn handle_unsubscribe(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        unsubscribe: &Unsubscribe,
    ) -> Result<(), Ending> {
        let filters = unsubscribe.filters.iter();
        let reasons = filters
            .map(|filter| self.end_subscription(peer.session, filter))
            .collect();
        let unsuback = Packet::Unsuback(Unsuback {
            id: unsubscribe.id,
            properties: AckProperties::default(),
            reasons,
        });
        self.answer(turn, peer, &unsuback)
    }

    /// Sends an answer whose length the client's packet decides. Errors if the client does not
    /// take it: it would wait for it in vain.
    fn answer(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        answer: &Packet<'_>,
    ) -> Result<(), Ending> {
        let connection = self.connections.get(peer.connection);
        let limit = connection.map_or(u32::MAX, |connection| connection.maximum_packet_size);
        if limit != u32::MAX && encoded_len(answer, peer.version) > limit as usize {
            return Err(Ending::AnswerTooLarge);
        }
        self.send(turn, peer.connection, peer.version, answer);
        Ok(())
    }

    /// Adds one subscription and returns its code in SUBACK.
    fn subscribe(
        &mut self,
        key: SessionKey,
        subscription: Subscription,
        identifier: Option<SubscriptionIdentifier>,
    ) -> ReasonCode {
        let Subscription { filter, options } = subscription;
        let Ok(filter) = filter else {
            return ReasonCode::TopicFilterInvalid;
        };
        if filter.levels().count() > self.config.topic_levels_max.get() {
            return ReasonCode::TopicFilterInvalid;
        }
        let Some(session) = self.sessions.get_mut(key) else {
            unreachable!("a peer has a session");
        };
        let target = target(&filter);
        let has_room = session.subscriptions.len() < self.config.subscriptions_per_session_max;
        if !has_room && self.subscriptions.find(target, key).is_none() {
            return ReasonCode::QuotaExceeded;
        }
        let member = Member::new(key, options, identifier);
        let (subscription, inserted) = self.subscriptions.subscribe(target, member);
        if inserted == Inserted::New {
            session.subscriptions.push(subscription);
        }
        // A shared subscription brings no retained messages (§4.8.2).
        let wants_retained = target.group.is_none()
            && match options.retain_handling {
                RetainHandling::SendAtSubscribe => true,
                RetainHandling::SendIfNew => inserted == Inserted::New,
                RetainHandling::DoNotSend => false,
            };
        if wants_retained && !self.retained.is_empty() {
            let backlog = session.backlog.get_or_insert_default();
            // A subscription that is replaced starts anew [MQTT-3.8.4-3].
            backlog.replays.retain(|replay| replay.filter != filter);
            let behind = backlog.queue.end();
            let replay = self
                .retained
                .replay(filter, options.qos, identifier, behind);
            backlog.replays.push_back(replay);
        }
        match options.qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        }
    }

    /// Ends one subscription and returns its code in UNSUBACK. What is queued or in flight is
    /// still sent (§3.10.4); retained messages that are not are not [MQTT-3.10.4-2].
    fn end_subscription(&mut self, key: SessionKey, filter: &RequestedFilter) -> ReasonCode {
        let Ok(filter) = filter else {
            return ReasonCode::TopicFilterInvalid;
        };
        let Some(subscription) = self.subscriptions.find(target(filter), key) else {
            return ReasonCode::NoSubscriptionExisted;
        };
        if let Some(session) = self.sessions.get_mut(key) {
            let place = session
                .subscriptions
                .iter()
                .position(|&kept| kept == subscription);
            if let Some(place) = place {
                session.subscriptions.swap_remove(place);
            }
            if let Some(backlog) = &mut session.backlog {
                backlog.replays.retain(|replay| replay.filter != *filter);
            }
        }
        self.unsubscribe(subscription, key);
        ReasonCode::Success
    }
}

fn target(filter: &TopicFilter<Box<str>>) -> Target<'_> {
    match filter.share() {
        Some(share) => Target {
            filter: share.filter.text(),
            group: Some(share.group),
        },
        None => Target {
            filter: filter.as_str(),
            group: None,
        },
    }
}
