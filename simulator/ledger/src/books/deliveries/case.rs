//! One delivery under judgement, and what is known of its message.

use squall_fleet::Stamp;
use squall_protocol::{Instant, QoS};
use squall_run::AnomalyKind;
use squall_scenario::TopicKey;

use super::delivery::Delivery;
use super::{StreamId, TallyKey};
use crate::books::anomalies::{Anomaly, Noticed, Scope, Subject};
use crate::books::event::Event;
use crate::books::session::Sender;
use crate::books::stream::Left;

/// What a first delivery tells the metrics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FirstDelivery {
    /// Identity of the message.
    pub(crate) stamp: Stamp,
    /// QoS of the PUBLISH to the broker.
    pub(crate) published: QoS,
    /// When it was handed to the publisher's link, if that is still known.
    pub(crate) sent_at: Option<Instant>,
    /// When it left its publisher's link, if that is known.
    pub(crate) left: Option<Left>,
    /// When the generator got to it, if that is still known.
    pub(crate) reached_at: Option<Instant>,
    /// Whether it waited for its recipient.
    pub(crate) wait: Wait,
}

/// Whether a delivery waited for its recipient to be connected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wait {
    /// The recipient was connected when it was sent, or nothing is known of that.
    None,
    /// It was sent before the connection that it came on was resumed: its latency is the time that
    /// the recipient was away.
    Offline,
}

/// Who sent a message, and when, or not before when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) sender: Sender,
    pub(super) at: Instant,
}

/// A delivery under judgement: a message of this run that reached a Session which asks for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) event: &'a Event,
    pub(super) delivery: &'a Delivery<'a>,
    pub(super) stamp: Stamp,
    pub(super) stream: StreamId,
    pub(super) topic: TopicKey,
    /// QoS of the PUBLISH to the broker.
    pub(super) published: QoS,
    /// When the message was sent, if its record is kept.
    pub(super) sent_at: Option<Instant>,
    /// When it left its publisher's link, if that is known.
    pub(super) left: Option<Left>,
    /// When the generator got to it, likewise.
    pub(super) reached_at: Option<Instant>,
    /// Whether it waited for its recipient.
    pub(super) wait: Wait,
    /// Whether its publisher has the Session that it came to.
    pub(super) sender: Sender,
    /// The place that the delivery is taken for.
    pub(super) place: usize,
    /// Copies that the Session's own subscriptions allow at that place.
    pub(super) copies: u8,
    /// Whether it may have come to the Session at another place as well.
    pub(super) has_other_ways: bool,
    /// The QoS that it must have, where one subscription alone asks for it [MQTT-3.8.4-8].
    pub(super) promised: Option<QoS>,
}

impl Case<'_> {
    /// The tally it counts in, unless a pledge says otherwise.
    pub(super) fn key(&self) -> TallyKey {
        TallyKey {
            group: self.event.group,
            published: self.published,
            owed: self.delivery.qos.min(self.published),
        }
    }

    pub(super) fn sequence(&self) -> u32 {
        self.stamp.sequence
    }

    pub(super) fn subject(&self) -> Subject {
        Subject {
            device: Some(self.event.device),
            scope: Scope {
                group: Some(self.event.group),
                qos: Some(self.published),
                ..Scope::default()
            },
        }
    }

    /// The subject of what is wrong with it.
    pub(super) fn noticed(&self) -> Noticed {
        self.subject().with_message_of(self.stamp.device)
    }

    pub(super) fn anomaly(&self, kind: AnomalyKind, explanation: String) -> Anomaly {
        Anomaly {
            by_counts: None,
            kind,
            at: self.event.now,
            device: Some(self.stamp.device),
            recipient: Some(self.event.device),
            topic: Some(self.delivery.topic.to_owned()),
            sequence: Some(self.sequence()),
            explanation,
            scope: Scope {
                group: Some(self.event.group),
                qos: Some(self.published),
                ..Scope::default()
            },
        }
    }

    /// A moment that is not after its sending: that at which it was due, where its record is gone.
    pub(super) fn sent_at_least(&self) -> Instant {
        self.sent_at.unwrap_or(self.stamp.scheduled)
    }

    /// What it tells the metrics if it is the first.
    pub(super) fn first(&self) -> FirstDelivery {
        FirstDelivery {
            stamp: self.stamp,
            published: self.published,
            sent_at: self.sent_at,
            left: self.left,
            reached_at: self.reached_at,
            wait: self.wait,
        }
    }
}
