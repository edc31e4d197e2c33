//! One Session, as its devices know it: its subscriptions and the connections that hold it.
//!
//! A subscription asks for a message *certainly* from its SUBACK on; between SUBSCRIBE and SUBACK
//! it *may*. Rows are never removed, so that a filter is matched once however often it is
//! subscribed to.

mod options;
mod unread;

use std::collections::VecDeque;
use std::time::Duration;

use squall_fleet::{SocketId, Wanted};
use squall_protocol::packet::{SubscriptionIdentifier, SubscriptionOptions};
use squall_protocol::{Instant, QoS, Version};
use squall_scenario::{DeviceId, GroupId};

use super::event::Event;
use super::stream::OpenCursors;
use super::topics::FilterKey;

pub(crate) use options::{Brings, Identifiers, Resumes, RetainFlag, Sender, brings_first};
pub(crate) use unread::Unread;

/// Absences of one Session that are remembered.
const ABSENCES_MAX: usize = 64;

/// One Session.
#[derive(Debug)]
pub(crate) struct Session {
    /// Group of its devices.
    pub(crate) group: GroupId,
    /// The device that had the last CONNACK.
    pub(crate) device: DeviceId,
    /// Every filter that was ever subscribed to.
    pub(crate) subscriptions: Vec<Subscription>,
    /// The cursors in which it may have open pledges.
    pub(crate) open: OpenCursors,
    /// Connections with a CONNACK and without an end, oldest CONNACK first.
    pub(crate) live: Vec<SocketId>,
    /// When the last CONNACK came.
    pub(crate) connected_at: Instant,
    /// When another device than before got the Session; the start of the run if none did.
    pub(crate) moved_at: Instant,
    /// When it was surely over the last time; the start of the run if it never was.
    pub(crate) over_at: Instant,
    /// Protocol version of the last CONNECT.
    pub(crate) version: Version,
    /// How long the Session outlives its connection.
    pub(crate) expiry: Duration,
    /// Whether a link still held something on its way to it at the end.
    pub(crate) is_on_link: bool,
    /// The last time in which no connection held it.
    pub(crate) away: Option<Away>,
    /// When it may have missed what came to it at QoS 0 because its device did not read.
    pub(crate) unread: Unread,
    /// Times before that in which no connection held it, from the end to the CONNACK, the oldest first.
    pub(crate) absences: VecDeque<(Instant, Instant)>,
    /// When the last connection had ended for the broker at the earliest, if none is live.
    pub(crate) offline_since: Option<Instant>,
}

/// A time in which no connection held a Session that goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Away {
    /// When it began.
    pub(crate) from: Instant,
    /// When the Session was connected again; `None` if it was not.
    pub(crate) until: Option<Instant>,
    /// Messages that were owed to it meanwhile.
    pub(crate) waited: u64,
    /// Of those, the ones that came afterwards.
    pub(crate) came: u64,
    /// Whether nothing asked for the end that it began with.
    pub(crate) is_unasked: bool,
}

/// One Topic Filter of one Session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscription {
    /// The Topic Filter that is subscribed to.
    pub(crate) filter: FilterKey,
    /// Whether it asks for messages.
    pub(crate) state: SubscriptionState,
    /// As the last SUBSCRIBE asked for it; the QoS is in `granted`.
    pub(crate) options: SubscriptionOptions,
    /// The Subscription Identifier of that SUBSCRIBE.
    pub(crate) identifier: Option<SubscriptionIdentifier>,
    /// What the last SUBSCRIBE brings of what is retained.
    pub(crate) brings: Brings,
    /// The most that any brings that was sent for it in this Session.
    pub(crate) brings_at_most: Brings,
    /// Granted by the last SUBACK.
    pub(crate) granted: QoS,
    /// When SUBACK came; `None` from SUBSCRIBE until then.
    pub(crate) confirmed_at: Option<Instant>,
    /// SUBSCRIBE packets that were sent for it.
    pub(crate) requests: Requests,
    /// When SUBSCRIBE was sent for the first time in this Session.
    pub(crate) asked_at: Instant,
    /// The connection of the last SUBSCRIBE.
    pub(crate) asked_on: SocketId,
    /// When it was sent for the first time on that connection.
    pub(crate) asked_here_at: Instant,
    /// When it became active; means nothing before.
    pub(crate) active_since: Instant,
    /// The connection that it was made or resumed on.
    pub(crate) socket: SocketId,
}

/// SUBSCRIBE packets for one Topic Filter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Requests {
    /// On their way, or lost with a connection.
    open: u32,
    /// When the last SUBACKs came, the newest first.
    answered_at: [Option<Instant>; 4],
}

impl Requests {
    /// SUBSCRIBE was sent, on another connection than before or on the same.
    pub(crate) fn send(&mut self, on: Connection) {
        self.open = match on {
            Connection::Same => self.open + 1,
            Connection::Other => 1,
        };
    }

    /// SUBACK came.
    pub(crate) fn answer(&mut self, now: Instant) {
        self.open = self.open.saturating_sub(1);
        self.answered_at.rotate_right(1);
        self.answered_at[0] = Some(now);
    }

    /// How many were not answered before `at`; all that can be if they are too many to know.
    fn since(&self, at: Instant) -> u32 {
        let answered = self.answered_at.iter().filter(|known| **known >= Some(at));
        match answered.count() {
            count if count == self.answered_at.len() => u32::MAX,
            count => self.open + u32::try_from(count).expect("there are few"),
        }
    }
}

impl Subscription {
    /// SUBSCRIBE is sent for a filter for the first time.
    pub(crate) fn ask(filter: FilterKey, event: &Event, wanted: &Wanted, brings: Brings) -> Self {
        let mut requests = Requests::default();
        if brings > Brings::Nothing {
            requests.send(Connection::Other);
        }
        Self {
            filter,
            state: SubscriptionState::Requested,
            options: wanted.options,
            identifier: wanted.identifier,
            brings,
            brings_at_most: brings,
            granted: QoS::AtMostOnce,
            confirmed_at: None,
            requests,
            asked_at: event.now,
            asked_on: event.socket,
            asked_here_at: event.now,
            active_since: event.now,
            socket: event.socket,
        }
    }

    /// SUBSCRIBE is sent again.
    pub(crate) fn ask_again(&mut self, event: &Event, wanted: &Wanted) {
        self.options = wanted.options;
        self.identifier = wanted.identifier;
        self.brings = self.brings_again(event.socket);
        if self.state == SubscriptionState::Absent {
            self.brings_at_most = self.brings;
            self.asked_at = event.now;
            self.asked_here_at = event.now;
        } else if self.asked_on != event.socket {
            self.asked_here_at = event.now;
        }
        self.brings_at_most = self.brings_at_most.max(self.brings);
        self.asked_on = event.socket;
        if self.brings > Brings::Nothing {
            self.requests.send(if self.socket == event.socket {
                Connection::Same
            } else {
                Connection::Other
            });
        }
        self.socket = event.socket;
        self.confirmed_at = None;
        if self.state != SubscriptionState::Active {
            self.state = SubscriptionState::Requested;
        }
    }
}

/// Whether a packet is sent on the same connection as the one before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Connection {
    /// It is sent on the same one.
    Same,
    /// It is sent on another.
    Other,
}

/// Whether a subscription asks for messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SubscriptionState {
    /// It does not ask for messages.
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
    /// Subscriptions that ask, certainly or not: as many copies are allowed
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
            open: OpenCursors::default(),
            over_at: Instant::ZERO,
            live: Vec::new(),
            connected_at: Instant::ZERO,
            moved_at: Instant::ZERO,
            version: Version::V5,
            expiry: Duration::ZERO,
            is_on_link: false,
            away: None,
            unread: Unread::default(),
            absences: VecDeque::new(),
            offline_since: None,
        }
    }

    /// A connection holds it again.
    pub(crate) fn come_back(&mut self, now: Instant) {
        let Some(away) = self.away.as_mut().filter(|away| away.until.is_none()) else {
            return;
        };
        away.until = Some(now);
        if self.absences.len() == ABSENCES_MAX {
            self.absences.pop_front();
        }
        self.absences.push_back((away.from, now));
    }

    /// Whether no connection held it at `at`, as far as that is remembered.
    pub(crate) fn was_away_at(&self, at: Instant) -> bool {
        let mut absences = self.absences.iter();
        absences.any(|&(from, until)| from <= at && at < until)
    }

    /// Whether a connection holds it.
    pub(crate) fn is_online(&self) -> bool {
        !self.live.is_empty()
    }

    /// Whether the Session may be over at `now` because its expiry has passed.
    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        self.offline_since
            .is_some_and(|since| now >= since + self.expiry)
    }

    /// What those of its subscriptions that are among `filters` ask of what `sender` publishes.
    pub(crate) fn asked(&self, filters: &[FilterKey], sender: Sender) -> Asked {
        let mut asked = Asked {
            certain: None,
            copies: 0,
        };
        for subscription in &self.subscriptions {
            if !subscription.asks_for_messages_of(sender) || !filters.contains(&subscription.filter)
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

    /// Since when it has asked for messages that `filters` match without a break, so that one of
    /// `qos` had to reach it; `None` if it does not, or has no connection.
    pub(crate) fn watching_since(&self, filters: &[FilterKey], qos: QoS) -> Option<Instant> {
        if !self.is_online() || self.is_on_link {
            return None;
        }
        let asks = |subscription: &&Subscription| {
            subscription.state == SubscriptionState::Active
                && filters.contains(&subscription.filter)
        };
        let active = || self.subscriptions.iter().filter(asks);
        let since = active()
            .map(|subscription| subscription.active_since)
            .min()?;
        let granted = active().map(|subscription| subscription.granted).max()?;
        let kept_since = match granted.min(qos) {
            QoS::AtMostOnce => {
                let read_since = self.unread.last_until();
                self.over_at.max(self.connected_at).max(read_since)
            }
            QoS::AtLeastOnce | QoS::ExactlyOnce => self.over_at,
        };
        Some(since.max(kept_since))
    }

    /// Whether the broker may send a message of `published_at` that `filters` match out of its
    /// store: a subscription among them was made later, or is being made [MQTT-3.3.1-9].
    pub(crate) fn may_be_sent_from_store(
        &self,
        filters: &[FilterKey],
        published_at: Instant,
    ) -> bool {
        self.subscriptions.iter().any(|subscription| {
            subscription.state != SubscriptionState::Absent
                && subscription.brings_at_most > Brings::Nothing
                && filters.contains(&subscription.filter)
                && subscription
                    .confirmed_at
                    .is_none_or(|confirmed_at| confirmed_at >= published_at)
        })
    }

    /// SUBSCRIBE packets for any of `filters` that may bring a message of `published_at` out of the
    /// broker's store: each may do so once.
    pub(crate) fn requests_since(&self, filters: &[FilterKey], published_at: Instant) -> u32 {
        let subscriptions = self.subscriptions.iter();
        subscriptions
            .filter(|subscription| filters.contains(&subscription.filter))
            .map(|subscription| subscription.requests.since(published_at))
            .fold(0, u32::saturating_add)
    }

    /// The earliest time at which SUBSCRIBE was sent for any of `filters`, as far as it may have
    /// brought something on `socket`: what was asked for on another connection may come here later.
    pub(crate) fn asked_at(&self, filters: &[FilterKey], socket: SocketId) -> Option<Instant> {
        let asking = self.asking(filters);
        asking
            .map(|row| {
                if row.asked_on == socket && self.expiry.is_zero() {
                    row.asked_here_at
                } else {
                    row.asked_at
                }
            })
            .min()
    }

    /// Whether SUBSCRIBE for any of `filters` may have brought something on another connection than
    /// `socket` that may come again on this one.
    pub(crate) fn asked_before(&self, filters: &[FilterKey], socket: SocketId) -> bool {
        self.asking(filters)
            .any(|row| row.asked_on != socket || row.asked_at < row.asked_here_at)
    }

    /// The QoS granted for `filters`, while no SUBSCRIBE for them waits for its SUBACK.
    pub(crate) fn granted_for_certain(&self, filters: &[FilterKey]) -> Option<QoS> {
        let is_certain = self
            .asking(filters)
            .all(|row| row.state == SubscriptionState::Active && row.confirmed_at.is_some());
        let granted = self.asking(filters).map(|row| row.granted).max();
        granted.filter(|_| is_certain)
    }

    /// Those of its subscriptions that are among `filters` and ask, certainly or not.
    pub(crate) fn asking(&self, filters: &[FilterKey]) -> impl Iterator<Item = &Subscription> {
        self.subscriptions
            .iter()
            .filter(|row| row.state != SubscriptionState::Absent && filters.contains(&row.filter))
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
                SubscriptionState::Requested
                | SubscriptionState::Active
                | SubscriptionState::Ending
                    if self.live.contains(&subscription.socket) =>
                {
                    SubscriptionState::Ending
                }
                SubscriptionState::Requested
                | SubscriptionState::Active
                | SubscriptionState::Ending => SubscriptionState::Absent,
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
