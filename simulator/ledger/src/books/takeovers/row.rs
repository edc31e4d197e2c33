//! The connections of one Client Identifier: those that are there, and those that ended lately.

use std::collections::VecDeque;
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{Instant, ReasonCode};
use squall_scenario::{BrokerHistory, DeviceId};

use super::{ConnectSent, TakeoverTime};

#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) attempts: Vec<Attempt>,
    /// Ends that a connection whose CONNACK has not come yet may have caused.
    pub(super) ends: VecDeque<RecentEnd>,
    /// The last connection with a CONNACK.
    pub(super) established: Option<Established>,
    pub(super) was_tried: bool,
    pub(super) is_contended: bool,
    /// What all CONNECTs had in common; `None` before the first.
    pub(super) kind: Option<Kind>,
}

/// Whether Sessions are kept can differ from CONNECT to CONNECT; then nothing is sure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Clean,
    Kept,
    Mixed,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) socket: SocketId,
    pub(super) device: DeviceId,
    pub(super) sent_at: Instant,
    pub(super) connected_at: Option<Instant>,
    /// When the broker's close was at the device's machine, which its link still keeps from the device.
    pub(super) closed_at: Option<Instant>,
    pub(super) sent: ConnectSent,
    /// Whether its device does not read it: it may have been closed.
    pub(super) is_unread: bool,
    /// Whether no CONNECT with this identifier was sent before.
    pub(super) is_first: bool,
    /// Whether another CONNECT was on its way at some time while this was there.
    pub(super) is_contested: bool,
    /// The connection that displaced it; `None` if none did.
    pub(super) displaced_by: Option<Newer>,
}

impl Attempt {
    /// When it was over for the device's machine, if its device hears of the end at `heard`.
    pub(super) fn over_at(&self, heard: Instant) -> Instant {
        self.closed_at
            .map_or(heard, |closed_at| closed_at.min(heard))
    }
}

/// The CONNECT that displaced a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    /// When it was handed to its device's link.
    handed_at: Instant,
    /// When it had left that link.
    pub(super) sent_at: Instant,
}

impl Cause {
    /// The CONNECT of `attempt`.
    pub(super) fn of(attempt: &Attempt) -> Self {
        Self {
            handed_at: attempt.sent.handed_at,
            sent_at: attempt.sent_at,
        }
    }

    /// How long after it `end` came.
    pub(super) fn took(&self, end: &RecentEnd) -> TakeoverTime {
        TakeoverTime {
            after: end.at.saturating_since(self.sent_at),
            with_links: end.seen_at.saturating_since(self.handed_at),
        }
    }
}

/// A connection that took the place of another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newer {
    pub(super) cause: Cause,
    /// Since when both looked alive.
    pub(super) connected_at: Instant,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct RecentEnd {
    /// The CONNECT that displaced it, if no other can have.
    pub(super) only_cause: Option<Cause>,
    pub(super) attempt: Attempt,
    pub(super) at: Instant,
    /// When its device saw it.
    pub(super) seen_at: Instant,
    pub(super) told: Option<ReasonCode>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Established {
    pub(super) socket: SocketId,
    pub(super) connack_at: Instant,
    pub(super) expiry: Duration,
    /// When it had ended for the broker at the earliest; `None` while it goes on.
    pub(super) ended_at: Option<Instant>,
}

impl Row {
    pub(super) fn remember_kind(&mut self, sent: &ConnectSent) {
        let kind = if sent.clean_start {
            Kind::Clean
        } else {
            Kind::Kept
        };
        self.kind = match self.kind {
            Some(known) if known != kind => Some(Kind::Mixed),
            Some(_) | None => Some(kind),
        };
    }

    pub(super) fn find(&self, socket: SocketId) -> Option<usize> {
        self.attempts
            .iter()
            .position(|attempt| attempt.socket == socket)
    }

    /// The connections that are displaced by one whose CONNACK has just come: those that were
    /// alive, and that no other has displaced before. Returns how many.
    pub(super) fn displace_others(&mut self, socket: SocketId, newer: Newer) -> u64 {
        let mut displaced = 0;
        for other in &mut self.attempts {
            let is_older = other.socket != socket && other.connected_at.is_some();
            // One that the broker had closed before cannot be displaced.
            let is_there = other.closed_at.is_none_or(|at| at >= newer.cause.sent_at);
            if is_older && is_there && other.displaced_by.is_none() {
                other.displaced_by = Some(newer);
                displaced += 1;
            }
        }
        displaced
    }

    /// `ended` is over, although its CONNACK came last: its CONNECT was on its way together with that
    /// of a connection that goes on, and was, or may have been, processed before it. Then the takeover
    /// was the other way round, and the other is not displaced.
    pub(super) fn turn_round(&mut self, ended: &Attempt) -> Option<Newer> {
        let winner = self.attempts.iter_mut().find(|other| {
            other.displaced_by.is_some() && other.connected_at >= Some(ended.sent_at)
        })?;
        winner.displaced_by = None;
        Some(Newer {
            cause: Cause::of(winner),
            connected_at: ended.connected_at?.max(winner.connected_at?),
        })
    }

    /// Takes out the ends that a connection whose CONNECT was sent at `sent_at` may have caused.
    pub(super) fn take_ends_since(&mut self, sent_at: Instant) -> Vec<RecentEnd> {
        let (later, earlier) = std::mem::take(&mut self.ends)
            .into_iter()
            .partition(|end: &RecentEnd| end.at >= sent_at);
        self.ends = VecDeque::from(earlier as Vec<_>);
        later
    }

    /// Takes out the ends that no connection can explain that still waits for its CONNACK: what
    /// caused them is gone without one.
    pub(super) fn take_abandoned_ends(&mut self) -> Vec<RecentEnd> {
        let earliest = self.earliest_pending();
        let (waiting, abandoned) = std::mem::take(&mut self.ends)
            .into_iter()
            .partition(|end: &RecentEnd| earliest.is_some_and(|sent_at| sent_at <= end.at));
        self.ends = VecDeque::from(waiting as Vec<_>);
        abandoned
    }

    /// The CONNECT whose CONNACK is awaited; `None` if there is none, or several, of which any may have
    /// displaced another connection.
    pub(super) fn only_one_on_its_way(&self) -> Option<Cause> {
        let mut waiting = self
            .attempts
            .iter()
            .filter(|attempt| attempt.connected_at.is_none());
        let only = waiting.next()?;
        waiting.next().is_none().then(|| Cause::of(only))
    }

    /// When the first CONNECT was sent that waits for its CONNACK.
    pub(super) fn earliest_pending(&self) -> Option<Instant> {
        let pending = self
            .attempts
            .iter()
            .filter(|row| row.connected_at.is_none());
        pending.map(|row| row.sent_at).min()
    }

    /// Connections that are alive, as far as their devices' machines know.
    pub(super) fn alive(&self) -> Vec<Attempt> {
        let alive = self
            .attempts
            .iter()
            .filter(|row| row.connected_at.is_some() && row.closed_at.is_none())
            .filter(|row| !row.is_unread);
        alive.copied().collect()
    }

    /// Connections that were displaced, and whose end their devices have not heard of.
    pub(super) fn displaced(&self) -> Vec<Attempt> {
        let displaced = self
            .attempts
            .iter()
            .filter(|row| row.displaced_by.is_some());
        displaced.copied().collect()
    }

    /// Whether a CONNACK must say that there is a Session; `None` if either may be right.
    pub(super) fn expects_session(
        &self,
        now: Instant,
        attempt: &Attempt,
        history: BrokerHistory,
    ) -> Option<bool> {
        if attempt.sent.clean_start {
            return Some(false);
        }
        if self.kind == Some(Kind::Mixed) {
            return None;
        }
        if attempt.is_first {
            // A CONNECT that was sent later may have been first all the same.
            let is_sure = !history.has_earlier_runs() && !attempt.is_contested;
            return is_sure.then_some(false);
        }
        let established = self.established?;
        let was_known = established.connack_at <= attempt.sent_at;
        let is_kept = established.expiry > Duration::ZERO
            && established
                .ended_at
                .is_none_or(|ended_at| now < ended_at + established.expiry);
        (was_known && is_kept).then_some(true)
    }
}

impl RecentEnd {
    /// Whether the broker may have closed it by Keep Alive before it had the newer CONNECT: the link of its device may
    /// have held what that sent [MQTT-3.1.2-22].
    pub(super) fn may_have_timed_out(&self) -> bool {
        let has_link = self.attempt.sent.handed_at < self.attempt.sent_at;
        has_link && self.told == Some(ReasonCode::KeepAliveTimeout)
    }

    /// How long after the CONNECT that caused it it came, if only one can have.
    pub(super) fn took(&self) -> Option<TakeoverTime> {
        Some(self.only_cause?.took(self))
    }
}
