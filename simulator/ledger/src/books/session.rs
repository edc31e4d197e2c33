//! One Session, as its devices know it: its subscriptions and the connections that hold it.
//!
//! A subscription asks for a message *certainly* from its SUBACK on; between SUBSCRIBE and SUBACK
//! it *may*. Rows are never removed, so that a filter is matched once however often it is
//! subscribed to.

use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{Instant, QoS};
use squall_scenario::{DeviceId, GroupId, TopicKey};

use super::topics::{FilterKey, Place};

/// One Session.
#[derive(Debug)]
pub(crate) struct Session {
    /// Group of its devices.
    pub(crate) group: GroupId,
    /// The device that had the last CONNACK.
    pub(crate) device: DeviceId,
    /// Every filter that was ever subscribed to.
    pub(crate) subscriptions: Vec<Subscription>,
    /// Its places: topic and place number.
    pub(crate) places: Vec<(TopicKey, usize)>,
    /// Connections with a CONNACK and without an end, oldest CONNACK first.
    pub(crate) live: Vec<SocketId>,
    /// When the last CONNACK came.
    pub(crate) connected_at: Instant,
    /// When another device than before got the Session; the start of the run if none did.
    pub(crate) moved_at: Instant,
    /// How long the Session outlives its connection.
    pub(crate) expiry: Duration,
    /// When the last connection ended, if none is live.
    pub(crate) offline_since: Option<Instant>,
}

/// One Topic Filter of one Session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscription {
    /// Which.
    pub(crate) filter: FilterKey,
    /// Whether it asks for messages.
    pub(crate) state: SubscriptionState,
    /// Granted by the last SUBACK.
    pub(crate) granted: QoS,
    /// When SUBACK came; `None` from SUBSCRIBE until then.
    pub(crate) confirmed_at: Option<Instant>,
    /// The connection that it was made or resumed on.
    pub(crate) socket: SocketId,
}

/// Whether a subscription asks for messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SubscriptionState {
    /// No.
    Absent,
    /// It may: SUBSCRIBE was sent.
    Requested,
    /// Certainly: SUBACK came.
    Active,
    /// It may: a connection with Clean Start is about to end it.
    Ending,
}

/// What a Session's own subscriptions ask of one topic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Asked {
    /// The highest QoS granted, if one asks certainly.
    pub(crate) certain: Option<QoS>,
    /// Subscriptions that ask, certainly or not: so many copies are allowed
    /// ([MQTT-3.3.4-2], [3.1.1: MQTT-3.3.5-1]).
    pub(crate) copies: u8,
}

impl Session {
    /// A Session that no broker knows yet.
    pub(crate) fn new(group: GroupId, device: DeviceId) -> Self {
        Self {
            group,
            device,
            subscriptions: Vec::new(),
            places: Vec::new(),
            live: Vec::new(),
            connected_at: Instant::ZERO,
            moved_at: Instant::ZERO,
            expiry: Duration::ZERO,
            offline_since: None,
        }
    }

    /// Whether a connection holds it.
    pub(crate) fn is_online(&self) -> bool {
        !self.live.is_empty()
    }

    /// Whether the Session was surely over at `now` because its expiry has passed.
    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        self.offline_since
            .is_some_and(|since| now >= since + self.expiry)
    }

    /// What its own subscriptions ask of a place.
    pub(crate) fn asked(&self, place: &Place) -> Asked {
        let mut asked = Asked {
            certain: None,
            copies: 0,
        };
        for subscription in &self.subscriptions {
            if subscription.state == SubscriptionState::Absent
                || !place.filters.contains(&subscription.filter)
            {
                continue;
            }
            asked.copies = asked.copies.saturating_add(1);
            if subscription.state == SubscriptionState::Active {
                asked.certain = asked.certain.max(Some(subscription.granted));
            }
        }
        asked
    }

    /// Whether the broker may send a message of `published_at` at a place out of its store: a
    /// subscription that asks for it was made later, or is being made
    /// [MQTT-3.3.1-9].
    pub(crate) fn may_be_sent_from_store(&self, place: &Place, published_at: Instant) -> bool {
        self.subscriptions.iter().any(|subscription| {
            subscription.state != SubscriptionState::Absent
                && place.filters.contains(&subscription.filter)
                && subscription
                    .confirmed_at
                    .is_none_or(|confirmed_at| confirmed_at >= published_at)
        })
    }

    /// The subscription to one filter.
    pub(crate) fn subscription(&self, filter: FilterKey) -> Option<&Subscription> {
        self.subscriptions
            .iter()
            .find(|subscription| subscription.filter == filter)
    }

    /// As [`Self::subscription`].
    pub(crate) fn subscription_mut(&mut self, filter: FilterKey) -> Option<&mut Subscription> {
        self.subscriptions
            .iter_mut()
            .find(|subscription| subscription.filter == filter)
    }

    /// A connection with Clean Start was asked for: every subscription is about to end.
    pub(crate) fn begin_clean_start(&mut self) {
        for subscription in &mut self.subscriptions {
            subscription.state = match subscription.state {
                SubscriptionState::Absent => SubscriptionState::Absent,
                // What is on its way on a connection that lives may still come.
                _ if self.live.contains(&subscription.socket) => SubscriptionState::Ending,
                _ => SubscriptionState::Absent,
            };
        }
    }

    /// A connection got the Session as it was: its subscriptions go on there.
    pub(crate) fn resume(&mut self, socket: SocketId) {
        for subscription in &mut self.subscriptions {
            subscription.socket = socket;
        }
    }

    /// The Session is over for a connection: what was subscribed there ends.
    pub(crate) fn end_subscriptions(&mut self, socket: SocketId) {
        for subscription in &mut self.subscriptions {
            if subscription.socket == socket {
                subscription.state = SubscriptionState::Absent;
            }
        }
    }

    /// What a clean start of another connection left on one that has ended now.
    pub(crate) fn end_ending(&mut self, socket: SocketId) {
        for subscription in &mut self.subscriptions {
            if subscription.socket == socket && subscription.state == SubscriptionState::Ending {
                subscription.state = SubscriptionState::Absent;
            }
        }
    }
}
