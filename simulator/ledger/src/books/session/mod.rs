//! One Session, as its devices know it: its subscriptions and the connections that hold it.
//!
//! A subscription asks for a message *certainly* from its SUBACK to its UNSUBSCRIBE; between SUBSCRIBE and SUBACK, and
//! between UNSUBSCRIBE and UNSUBACK, it *may*. Of what was sent before UNSUBACK, some may come after it (§3.10.4). Rows
//! are never removed, so that a filter is matched once however often it is
//! subscribed to.

mod brings;
mod moves;
mod options;
mod requests;
mod subscription;
mod unread;

use std::collections::VecDeque;
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{Instant, QoS, Version};
use squall_scenario::{DeviceId, GroupId};

use super::stream::OpenCursors;
use super::topics::FilterKey;

pub(crate) use brings::{Brings, Resumes, brings_first};
pub(crate) use moves::{Holder, Moves};
pub(crate) use options::{Identifiers, RetainFlag, Sender};
pub(crate) use subscription::{Subscription, SubscriptionState};
pub(crate) use unread::Unread;

/// Later than anything was sent: what a subscription asks for then it asks for now.
const NOW: Instant = Instant::from_nanos(u64::MAX);

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
    pub(crate) live: Vec<Live>,
    /// The connection of the last CONNECT, and that of the last CONNACK with success.
    pub(crate) last: LastConnections,
    /// When the last CONNACK came.
    pub(crate) connected_at: Instant,
    /// How it went from one device to another.
    pub(crate) moves: Moves,
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
    /// The last time in which the broker had forgotten it: from the end of its connection until a SUBACK told that it knows
    /// it again.
    pub(crate) forgotten: Option<(Instant, Option<Instant>)>,
    /// When the last connection had ended for the broker at the earliest, if none is live.
    pub(crate) offline_since: Option<Instant>,
}

/// The last connections of a Session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastConnections {
    /// That of the last CONNECT.
    pub(crate) asked: Option<SocketId>,
    /// That of the last CONNACK with success.
    pub(crate) connected: Option<SocketId>,
    /// That of the last CONNACK with Session Present 1.
    pub(crate) resumed: Option<SocketId>,
}

/// A connection of a Session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Live {
    pub(crate) socket: SocketId,
    /// Its device.
    pub(crate) device: DeviceId,
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
            last: LastConnections::default(),
            connected_at: Instant::ZERO,
            moves: Moves::default(),
            version: Version::V5,
            expiry: Duration::ZERO,
            is_on_link: false,
            away: None,
            unread: Unread::default(),
            absences: VecDeque::new(),
            forgotten: None,
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

    /// Whether it has this connection.
    pub(crate) fn has_live(&self, socket: SocketId) -> bool {
        self.live.iter().any(|live| live.socket == socket)
    }

    /// Whether it has this connection and no other.
    pub(crate) fn has_only(&self, socket: SocketId) -> bool {
        self.live.len() == 1 && self.has_live(socket)
    }

    /// Whether the Session may be over at `now` because its expiry has passed.
    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        self.offline_since
            .is_some_and(|since| now >= since + self.expiry)
    }

    /// Whether it is over once `socket`, whose CONNECT was the last, takes it over: a Session that ends with its connection ends
    /// with one that is displaced too, whose end may be heard of later.
    pub(crate) fn ends_by_takeover(&self, socket: SocketId) -> bool {
        self.is_online() && self.expiry.is_zero() && self.last.asked == Some(socket)
    }

    /// What those of its subscriptions that are among `filters` ask of what `sender` sent at `sent_at`.
    pub(crate) fn asked(&self, filters: &[FilterKey], sender: Sender, sent_at: Instant) -> Asked {
        let mut asked = Asked {
            certain: None,
            copies: 0,
        };
        for subscription in &self.subscriptions {
            if !subscription.may_bring(sender, sent_at) || !filters.contains(&subscription.filter) {
                continue;
            }
            asked.copies = asked.copies.saturating_add(1);
            if subscription.state == SubscriptionState::Active {
                asked.certain = asked.certain.max(Some(subscription.granted));
            }
        }
        asked
    }

    /// Whether another connection may have displaced this one.
    pub(crate) fn is_displaced(&self, socket: SocketId) -> bool {
        [self.last.asked, self.last.connected] != [Some(socket), Some(socket)]
    }

    /// Whether SUBSCRIBE was ever sent for any of `filters`.
    pub(crate) fn has_asked(&self, filters: &[FilterKey]) -> bool {
        let mut subscriptions = self.subscriptions.iter();
        subscriptions.any(|subscription| filters.contains(&subscription.filter))
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
            subscription.asks_for(published_at)
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
        let asking = self.asking(filters, NOW);
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
        self.asking(filters, NOW)
            .any(|row| row.asked_on != socket || row.asked_at < row.asked_here_at)
    }

    /// The QoS granted for `filters`, while no SUBSCRIBE for them waits for its SUBACK.
    pub(crate) fn granted_for_certain(&self, filters: &[FilterKey]) -> Option<QoS> {
        let is_certain = self
            .asking(filters, NOW)
            .all(|row| row.state == SubscriptionState::Active && row.confirmed_at.is_some());
        let asking = self.asking(filters, NOW);
        let granted = asking.map(|row| row.granted).max();
        granted.filter(|_| is_certain)
    }

    /// Those of its subscriptions that are among `filters` and ask, certainly or not, for what was sent at `sent_at`.
    pub(crate) fn asking(
        &self,
        filters: &[FilterKey],
        sent_at: Instant,
    ) -> impl Iterator<Item = &Subscription> {
        self.subscriptions
            .iter()
            .filter(move |row| row.asks_for(sent_at) && filters.contains(&row.filter))
    }

    /// Whether a subscription to any of `filters` was given up in this Session, and not made again.
    pub(crate) fn has_left(&self, filters: &[FilterKey]) -> bool {
        self.subscriptions
            .iter()
            .any(|row| row.has_left() && filters.contains(&row.filter))
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

    /// The Session is over, or about to be because a connection with Clean Start was asked for: so is every subscription.
    pub(crate) fn begin_ending(&mut self) {
        for subscription in &mut self.subscriptions {
            // What is on its way on a connection that lives may still come.
            let may_come =
                subscription.state != SubscriptionState::Absent || subscription.has_left();
            let is_live = |live: &Live| live.socket == subscription.socket;
            match may_come && self.live.iter().any(is_live) {
                true => subscription.state = SubscriptionState::Ending,
                false => subscription.end(),
            }
        }
    }

    /// A connection got the Session as it was: its subscriptions go on there.
    pub(crate) fn resume(&mut self, socket: SocketId) {
        self.last.resumed = Some(socket);
        for subscription in &mut self.subscriptions {
            subscription.socket = socket;
        }
    }

    /// The Session is over for a connection: what was subscribed there ends.
    pub(crate) fn end_subscriptions(&mut self, socket: SocketId) {
        for subscription in &mut self.subscriptions {
            if subscription.socket == socket {
                subscription.end();
            }
        }
    }

    /// What a clean start of another connection left on one that has ended now.
    pub(crate) fn end_ending(&mut self, socket: SocketId) {
        for subscription in &mut self.subscriptions {
            if subscription.socket == socket && subscription.state == SubscriptionState::Ending {
                subscription.end();
            }
        }
    }
}
