//! Messages that live for a limited time: whether they come later than that, and what they say is left of it.
//!
//! The broker must not begin to deliver a message that has expired [MQTT-3.3.2-5], and tells with each delivery what is
//! left: the interval less what the message had waited [MQTT-3.3.2-6]. It has had the message since some moment between
//! its sending and its acknowledgement. When it began to deliver one that comes over a simulated link, to a device that did not
//! read for a while, or again with DUP, is not known: those are not judged.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use squall_protocol::{Instant, QoS, Version};
use squall_run::{AnomalyKind, duration_text};

use super::case::Case;
use super::walk::Outcome;
use super::{Deliveries, StreamId, session};
use crate::books::event::Event;
use crate::books::stream::OpenPledge;
use crate::books::topics::Recipient;

/// Messages whose time is remembered; older ones are not judged.
const MESSAGES_MAX: usize = 500_000;

/// A Session that is connected for so long before a message expires is sent it in time.
const BROKER_NEEDS: Duration = Duration::from_secs(5);

/// A claim about messages that expire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ExpiryLimit {
    /// Which `[[expect]]`.
    pub(crate) expectation: usize,
    /// How much sooner or later the broker may be.
    pub(crate) tolerance: Duration,
}

/// What was found of messages that expire, for one `[[expect]]`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ExpiryCounts {
    /// Deliveries that were compared with the time of their message.
    pub(crate) compared: u64,
    /// Of those, the ones that came too late.
    pub(crate) late: u64,
    /// Deliveries whose remaining time was compared.
    pub(crate) told: u64,
    /// Of those, the ones with another than they must have.
    pub(crate) told_wrong: u64,
}

/// The messages of a run that expire.
#[derive(Debug)]
pub(super) struct Expiries {
    messages: HashMap<(StreamId, u32), Expiring>,
    /// Those in `messages`, the oldest first.
    order: VecDeque<(StreamId, u32)>,
    limits: Vec<(ExpiryLimit, ExpiryCounts)>,
    /// Pledges of messages that expired before their Sessions could have them.
    expired: u64,
}

/// What is known of the expiry of a message.
#[derive(Clone, Copy, Debug)]
enum Expiry {
    /// It has none.
    Never,
    Known(Expiring),
    /// It may have one: that is not remembered.
    Forgotten,
}

#[derive(Clone, Copy, Debug)]
struct Expiring {
    interval: Duration,
    sent_at: Instant,
    /// When the broker had it at the latest, if that is known.
    received_by: Option<Instant>,
}

impl Expiries {
    /// Nothing was sent yet.
    pub(super) fn new(limits: Vec<ExpiryLimit>) -> Self {
        let limits = limits.into_iter();
        Self {
            messages: HashMap::new(),
            order: VecDeque::new(),
            limits: limits
                .map(|limit| (limit, ExpiryCounts::default()))
                .collect(),
            expired: 0,
        }
    }

    /// A message that expires was sent.
    pub(super) fn note_sent(&mut self, message: (StreamId, u32), at: Instant, interval: Duration) {
        let expiring = Expiring {
            interval,
            sent_at: at,
            received_by: None,
        };
        self.messages.insert(message, expiring);
        self.order.push_back(message);
        if self.order.len() > MESSAGES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.messages.remove(&oldest);
        }
    }

    /// The broker acknowledged a message.
    pub(super) fn note_acknowledged(&mut self, message: (StreamId, u32), at: Instant) {
        if let Some(expiring) = self.messages.get_mut(&message) {
            expiring.received_by = Some(at);
        }
    }
}

impl Deliveries {
    /// What was found for one `[[expect]]`.
    pub(crate) fn expiry_counts(&self, expectation: usize) -> ExpiryCounts {
        let limits = self.expiries.limits.iter();
        let mut of_it = limits.filter(|(limit, _)| limit.expectation == expectation);
        of_it
            .next()
            .map_or(ExpiryCounts::default(), |&(_, counts)| counts)
    }

    /// Pledges of messages that expired before their Sessions could have them, and did not come.
    pub(crate) fn expired(&self) -> u64 {
        self.expiries.expired
    }

    /// Compares the time of a delivery, and what it says is left, with the interval of its message.
    pub(super) fn check_expiry(&mut self, case: &Case<'_>) {
        let message = (case.stream, case.sequence());
        let Some(&expiring) = self.expiries.messages.get(&message) else {
            return;
        };
        let is_held = self.is_held_outside(case, expiring.sent_at);
        // With another PUBLISH its time begins anew.
        if case.delivery.dup
            || self.was_repeated(case)
            || is_held
            || self.expiries.limits.is_empty()
        {
            return;
        }
        let arrived = case.event.arrived;
        // At QoS 0 nothing but the sending is known; an acknowledgement may come after the message.
        let received_by = match case.published {
            QoS::AtMostOnce => expiring.sent_at,
            QoS::AtLeastOnce | QoS::ExactlyOnce => expiring.received_by.unwrap_or(arrived),
        };
        let waited_at_least = arrived.saturating_since(received_by);
        let waited_at_most = arrived.saturating_since(expiring.sent_at);
        let is_v5 = session(&self.sessions, case.event.client)
            .is_some_and(|session| session.version == Version::V5);
        let mut wrong = Vec::new();
        for (limit, counts) in &mut self.expiries.limits {
            counts.compared += 1;
            if waited_at_least > expiring.interval + limit.tolerance {
                counts.late += 1;
                let what = format!(
                    "came after it had waited {} in the broker, and lives for {} [MQTT-3.3.2-5]",
                    duration_text(waited_at_least.as_secs_f64()),
                    duration_text(expiring.interval.as_secs_f64())
                );
                wrong.push((AnomalyKind::Expired, what));
            }
            if !is_v5 {
                continue;
            }
            counts.told += 1;
            // It is told in whole seconds.
            let slack = limit.tolerance + Duration::from_secs(1);
            let most = expiring.interval.saturating_sub(waited_at_least) + slack;
            let least = expiring.interval.saturating_sub(waited_at_most + slack);
            let told = case.delivery.expiry;
            // One that has less than a second left may come without.
            let left = told.unwrap_or_default();
            if left > most || left < least {
                counts.told_wrong += 1;
                let told = told.map_or("without an expiry".to_owned(), |told| {
                    format!("with {} left to live", duration_text(told.as_secs_f64()))
                });
                let what = format!(
                    "came {told}: it lives for {}, and had waited between {} and {} [MQTT-3.3.2-6]",
                    duration_text(expiring.interval.as_secs_f64()),
                    duration_text(waited_at_least.as_secs_f64()),
                    duration_text(waited_at_most.as_secs_f64())
                );
                wrong.push((AnomalyKind::ExpiryWrong, what));
            }
        }
        for (kind, what) in wrong {
            self.note_wrong(kind, case, &what);
        }
    }

    /// Whether something else than a broker that runs may have held a message that was sent at `sent_at`, for a time that
    /// is not known: the link of either device, a recipient that did not read, a fault of the broker.
    fn is_held_outside(&self, case: &Case<'_>, sent_at: Instant) -> bool {
        self.is_from_a_link(case)
            || self.on_links[usize::from(case.event.group.0)]
            || session(&self.sessions, case.event.client)
                .is_some_and(|session| session.unread.last_until() >= sent_at)
            || self.broker_times.touches(sent_at, case.event.arrived)
    }

    /// Whether the link of its publisher may have held a message.
    fn is_from_a_link(&self, case: &Case<'_>) -> bool {
        let record = self.streams[case.stream].record(case.sequence());
        record.map_or_else(
            || self.on_links.contains(&true),
            |record| self.on_links[usize::from(record.group.0)],
        )
    }

    /// Whether a pledge that is open at `now` may be because its message has expired: its Session could not have it for
    /// all of its time, or the device did not read, or a link or its own window may have kept the broker from sending it.
    pub(super) fn may_have_expired(
        &self,
        id: StreamId,
        recipient: Recipient,
        open: &OpenPledge,
        now: Instant,
    ) -> bool {
        let expiring = match self.expiry_of(id, open) {
            Expiry::Never => return false,
            Expiry::Forgotten => return true,
            Expiry::Known(expiring) => expiring,
        };
        let expires_at = expiring.sent_at + expiring.interval;
        if now < expires_at {
            return false;
        }
        if self.broker_times.touches(expiring.sent_at, expires_at) {
            return true;
        }
        match recipient {
            Recipient::Session(client) => session(&self.sessions, client).is_none_or(|session| {
                let group = usize::from(session.group.0);
                let was_there = session.connected_at <= expiring.sent_at
                    || session.connected_at + BROKER_NEEDS < expires_at;
                let was_read = session.unread.last_until() < expiring.sent_at;
                self.on_links[group] || self.limits_quota[group] || !was_there || !was_read
            }),
            Recipient::Share(filter) => self
                .shares
                .get(&filter)
                .is_none_or(|share| share.disturbed_until() >= expiring.sent_at),
        }
    }

    /// Whether the time of a message was over at `at`, or may have been.
    pub(super) fn may_be_over(&self, id: StreamId, open: &OpenPledge, at: Instant) -> bool {
        match self.expiry_of(id, open) {
            Expiry::Never => false,
            Expiry::Forgotten => true,
            Expiry::Known(expiring) => expiring.sent_at + expiring.interval <= at,
        }
    }

    fn expiry_of(&self, id: StreamId, open: &OpenPledge) -> Expiry {
        if !self.streams[id].has_expiring {
            return Expiry::Never;
        }
        match self.expiries.messages.get(&(id, open.sequence)) {
            Some(&expiring) => Expiry::Known(expiring),
            None if self.expiries.order.len() >= MESSAGES_MAX => Expiry::Forgotten,
            None => Expiry::Never,
        }
    }

    /// A connection of a Session ends: what was sent and has expired while it was there, for long against what came before, is
    /// lost. Later connections say nothing about that.
    pub(super) fn lose_expired(&mut self, event: &Event) {
        let group = usize::from(event.group.0);
        if self.expiries.messages.is_empty() || self.on_links[group] || self.limits_quota[group] {
            return;
        }
        let session = self.session_mut(event);
        let there_since = session.connected_at.max(session.unread.last_until());
        let now = event.now;
        self.walk_open(
            Recipient::Session(event.client),
            &[QoS::AtLeastOnce],
            now,
            |books, id, open| {
                let expiring = books.expiries.messages.get(&(id, open.sequence));
                let is_lost = expiring.is_some_and(|expiring| {
                    let since = open.record.surely_had_since();
                    let until = expiring.sent_at + expiring.interval;
                    open.record.is_ok()
                        && open.record.qos == QoS::AtLeastOnce
                        && there_since < since
                        && until <= now
                        && books.slowest.is_long(event.group, since, until)
                        && !books.broker_times.touches(since, until)
                });
                match is_lost {
                    true => Outcome::Lost,
                    false => Outcome::Stays,
                }
            },
        );
    }

    /// A pledge is excused because its message expired.
    pub(super) fn note_expired(&mut self) {
        self.expiries.expired += 1;
    }
}
