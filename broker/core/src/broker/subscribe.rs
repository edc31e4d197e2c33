//! SUBSCRIBE and UNSUBSCRIBE (§3.8, §3.10).

use squall_protocol::codec::encoded_len;
use squall_protocol::packet::{
    Packet, RequestedFilter, RetainHandling, Subscribe, Subscription, SubscriptionIdentifier,
    Unsubscribe,
};
use squall_protocol::topic::TopicFilter;
use squall_protocol::{QoS, ReasonCode};

use super::ending::Ending;
use super::{Broker, Peer, Turn, Unfinished};
use crate::ConnectionId;
use crate::keys::{GroupKey, SessionKey, SubscriptionKey};
use crate::request::{Ask, Request};
use crate::subscriptions::{Inserted, Member, Target};

/// Filters of one packet that are applied before others get their turn. A long filter counts as
/// several, see [`BYTES_PER_FILTER`].
pub(super) const FILTERS_PER_SLICE: usize = 1024;
/// Bytes of a filter that cost as much as another filter.
const BYTES_PER_FILTER: usize = 256;

impl Broker {
    /// Adds or replaces subscriptions. SUBACK goes first, then the retained messages that they
    /// bring.
    pub(super) fn handle_subscribe(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        subscribe: &mut Subscribe,
    ) -> Result<(), Ending> {
        self.apply_slice(turn, peer, Request::subscribe(subscribe))
            .map(drop)
    }

    /// Ends subscriptions. UNSUBACK follows also if none was there [3.1.1: MQTT-3.10.4-5].
    pub(super) fn handle_unsubscribe(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        unsubscribe: &mut Unsubscribe,
    ) -> Result<(), Ending> {
        self.apply_slice(turn, peer, Request::unsubscribe(unsubscribe))
            .map(drop)
    }

    /// Goes on with a connection's request, and with what came after it once it is done.
    pub(super) fn continue_request(&mut self, turn: &mut Turn<'_>, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let (Some(request), Some(session)) = (connection.request.take(), connection.session) else {
            return;
        };
        let peer = Peer {
            connection: id,
            session,
            version: connection.version,
        };
        match self.apply_slice(turn, peer, *request) {
            Ok(held) if held.is_empty() => {}
            Ok(held) => self.read(turn, id, &held),
            Err(ending) => self.end(turn, id, ending),
        }
    }

    /// Applies the next slice of a request. When it was the last, answers and returns what came after
    /// the packet; else the request waits for its turn.
    fn apply_slice(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        mut request: Request,
    ) -> Result<Vec<u8>, Ending> {
        let mut cost = 0;
        while cost < FILTERS_PER_SLICE {
            let Some(ask) = request.next()? else {
                let answer = request.take_answer();
                self.answer(turn, peer, &answer)?;
                self.take_waiting(turn, &request.groups);
                self.feed(turn, peer.session);
                return Ok(request.held);
            };
            cost += 1 + ask.bytes() / BYTES_PER_FILTER;
            let reason = match ask {
                Ask::Subscribe(subscription, identifier) => {
                    let (reason, group) = self.subscribe(peer.session, subscription, identifier);
                    request.groups.extend(group);
                    reason
                }
                Ask::Unsubscribe(filter) => self.end_subscription(peer.session, &filter),
            };
            request.reasons.push(reason);
        }
        if let Some(connection) = self.connections.get_mut(peer.connection) {
            connection.request = Some(Box::new(request));
            let unfinished = Unfinished::Request(peer.connection);
            self.unfinished.push_back(unfinished);
        }
        Ok(Vec::new())
    }

    /// Sends an answer whose length depends on the client's packet. Errors if the client does not take
    /// a packet of that length: it would wait for its answer in vain.
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

    /// Adds one subscription. Returns its code in SUBACK, and the shared group that it joined.
    fn subscribe(
        &mut self,
        key: SessionKey,
        subscription: Subscription,
        identifier: Option<SubscriptionIdentifier>,
    ) -> (ReasonCode, Option<GroupKey>) {
        let Subscription { filter, options } = subscription;
        let Ok(filter) = filter else {
            return (ReasonCode::TopicFilterInvalid, None);
        };
        if filter.levels().count() > self.config.topic_levels_max.get() {
            return (ReasonCode::TopicFilterInvalid, None);
        }
        let session = self.sessions.of_connected(key);
        let target = target(&filter);
        let has_room = session.subscriptions().len() < self.config.subscriptions_per_session_max;
        if !has_room && self.subscriptions.find(target, key).is_none() {
            return (ReasonCode::QuotaExceeded, None);
        }
        let member = Member::new(key, options, identifier);
        let (subscription, inserted) = self.subscriptions.subscribe(target, member);
        if inserted == Inserted::New {
            session.add_subscription(subscription);
        }
        // A shared subscription brings no retained messages (§4.8.2).
        let wants_retained = target.group.is_none()
            && match options.retain_handling {
                RetainHandling::SendAtSubscribe => true,
                RetainHandling::SendIfNew => inserted == Inserted::New,
                RetainHandling::DoNotSend => false,
            };
        if wants_retained && !self.retained.is_empty() {
            let behind = session.queue_end();
            let replay = self
                .retained
                .replay(filter, options.qos, identifier, behind);
            session.add_replay(subscription, replay);
        }
        let reason = match options.qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        };
        let group = match subscription {
            SubscriptionKey::Filter(_) => None,
            SubscriptionKey::Group(group) => Some(group),
        };
        (reason, group)
    }

    /// Ends one subscription and returns its code in UNSUBACK.
    fn end_subscription(&mut self, key: SessionKey, filter: &RequestedFilter) -> ReasonCode {
        let Ok(filter) = filter else {
            return ReasonCode::TopicFilterInvalid;
        };
        let Some(subscription) = self.subscriptions.find(target(filter), key) else {
            return ReasonCode::NoSubscriptionExisted;
        };
        if let Some(session) = self.sessions.get_mut(key) {
            session.remove_subscription(subscription);
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
