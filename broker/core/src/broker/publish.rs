//! PUBLISH and PUBREL from a client: each message goes onward once and is answered (§3.3, §4.3).
//!
//! A QoS 2 message goes onward with its PUBLISH; its identifier is remembered until PUBREL, so
//! that a repetition is answered and not delivered again [MQTT-4.3.3-10].

use squall_protocol::inbound::Received;
use squall_protocol::packet::{Packet, Puback, Pubcomp, Publish, Pubrec, Pubrel};
use squall_protocol::topic::TopicName;
use squall_protocol::{QoS, ReasonCode, Version};

use super::ending::Ending;
use super::fan_out::FanOut;
use super::outgoing::Outgoing;
use super::{Broker, Peer, Turn};
use crate::config::QueuePolicy;
use crate::counters::DropReason;
use crate::keys::SessionKey;
use crate::message::bytes_to_keep;
use crate::retained::{RESERVED_PREFIX, Stored};

/// Why a Topic Name is not taken from a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TopicRefusal {
    /// It has more levels than [`crate::Config::topic_levels_max`].
    TooManyLevels { levels: usize },
    /// It is the server's own (§4.7.2).
    Reserved,
}

impl Broker {
    /// Applies a PUBLISH, its Topic Alias already resolved.
    pub(super) fn handle_publish(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        publish: &mut Publish<'_>,
    ) -> Result<(), Ending> {
        self.counters.count_received(publish.qos);
        let received = self.session_of(peer).handle_publish(publish)?;
        let (qos, packet_id) = (publish.qos, publish.packet_id);
        let reason = match received {
            Received::Duplicate => ReasonCode::Success,
            Received::New => self.take_publish(turn, peer, publish)?,
        };
        let Some(id) = packet_id else {
            return Ok(());
        };
        let answer = match qos {
            QoS::AtMostOnce => return Ok(()),
            QoS::AtLeastOnce => Packet::Puback(Puback::new(id, reason)),
            QoS::ExactlyOnce => Packet::Pubrec(Pubrec::new(id, reason)),
        };
        let session = self.session_of(peer);
        match qos {
            QoS::AtLeastOnce => session.puback_sent(),
            QoS::ExactlyOnce if reason.is_error() => session.publish_refused(id),
            QoS::ExactlyOnce | QoS::AtMostOnce => {}
        }
        self.send(turn, peer.connection, peer.version, &answer);
        Ok(())
    }

    /// Applies a PUBREL: the identifier is free, known or not (§4.3.3).
    pub(super) fn handle_pubrel(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        pubrel: &Pubrel,
    ) -> Result<(), Ending> {
        let reason = self.session_of(peer).handle_pubrel(pubrel);
        let pubcomp = Packet::Pubcomp(Pubcomp::new(pubrel.id, reason));
        self.send(turn, peer.connection, peer.version, &pubcomp);
        Ok(())
    }

    /// Checks that we take `topic` from a client.
    pub(super) fn check_topic(&self, topic: TopicName<&str>) -> Result<(), TopicRefusal> {
        let levels_max = self.config.topic_levels_max.get();
        // A topic of n bytes has at most n + 1 levels: those of a short topic need not be counted.
        let levels = match topic.as_str().len() {
            bytes if bytes < levels_max => 1,
            _ => topic.levels().count(),
        };
        if levels > levels_max {
            Err(TopicRefusal::TooManyLevels { levels })
        } else if topic.as_str().starts_with(RESERVED_PREFIX) {
            Err(TopicRefusal::Reserved)
        } else {
            Ok(())
        }
    }

    /// Sends a new message of a client onward and returns the code of its answer.
    fn take_publish(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        publish: &mut Publish<'_>,
    ) -> Result<ReasonCode, Ending> {
        match self.check_topic(publish.topic) {
            Ok(()) => {}
            Err(TopicRefusal::TooManyLevels { levels }) => {
                return Err(Ending::TopicTooDeep { levels });
            }
            Err(TopicRefusal::Reserved) => {
                self.counters.count_dropped(DropReason::ReservedTopic, 1);
                return Ok(ReasonCode::NotAuthorized);
            }
        }
        let can_be_refused = peer.version == Version::V5 && publish.qos != QoS::AtMostOnce;
        if can_be_refused
            && self.config.queue.policy == QueuePolicy::Reject
            && self.would_overflow(turn, publish, peer.session)
        {
            self.counters
                .count_dropped(DropReason::QueueFullRejected, 1);
            return Ok(ReasonCode::QuotaExceeded);
        }
        // Refused as a whole: if it were delivered all the same, the publisher's next attempt would
        // deliver it a second time.
        if can_be_refused && !self.has_room_to_retain(publish) {
            self.counters.count_dropped(DropReason::RetainedFull, 1);
            return Ok(ReasonCode::QuotaExceeded);
        }
        match self.publish(turn, publish, Some(peer.session)) {
            FanOut::Matched => Ok(ReasonCode::Success),
            FanOut::NoSubscribers => Ok(ReasonCode::NoMatchingSubscribers),
        }
    }

    /// Whether what is to be retained of the message can be stored.
    fn has_room_to_retain(&self, publish: &Publish<'_>) -> bool {
        !publish.retain
            || publish.payload.is_empty()
            || self.retained.has_room_for(
                publish.topic.as_str(),
                bytes_to_keep(publish),
                &self.config.retained,
            )
    }

    /// Publishes a message of a client, of a will or of the broker: stores it if it is retained,
    /// and brings it to its subscribers. What concerned only its publisher's connection is taken
    /// off `publish`.
    pub(super) fn publish(
        &mut self,
        turn: &mut Turn<'_>,
        publish: &mut Publish<'_>,
        publisher: Option<SessionKey>,
    ) -> FanOut {
        let mut outgoing = Outgoing::new(publish);
        let publish = outgoing.publish();
        if publish.retain && publish.payload.is_empty() {
            // Nothing is stored, and what was is gone [MQTT-3.3.1-6], [MQTT-3.3.1-7].
            self.retained.clear(publish.topic.as_str());
        } else if publish.retain {
            let message = outgoing.message(turn.now);
            if self.retained.set(message, &self.config.retained) == Stored::Full {
                self.counters.count_dropped(DropReason::RetainedFull, 1);
            }
        }
        self.fan_out(turn, &mut outgoing, publisher)
    }
}
