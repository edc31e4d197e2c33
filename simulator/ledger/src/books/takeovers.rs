//! Connections that share a Client Identifier: who displaced whom, and which Session was there
//! (§3.1.4, §3.2.2.1.1).
//!
//! Only what a device can know is judged. Two CONNECTs that were on their way at the same time
//! may have been processed in either order, so of two connections one must close, whichever.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use squall_fleet::{EndCause, SocketId};
use squall_protocol::{Instant, ReasonCode, Version};
use squall_run::AnomalyKind;
use squall_scenario::DeviceId;

use super::anomalies::{Anomalies, Anomaly, Scope};
use super::event::Event;
use super::limits::RECENT_ENDS_MAX;
use super::roster::BrokerHistory;

/// Time in which a displaced connection may still look alive, if no claim gives another.
pub(crate) const DISPLACED_GRACE: Duration = Duration::from_secs(1);

/// A claim about takeovers, as the ledger watches over it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TakeoverLimits {
    /// Which `[[expect]]`.
    pub(crate) expectation: usize,
    /// Connections that may be alive at once.
    pub(crate) alive: Option<u32>,
    /// Longest time from a newer CONNACK to the end of the older connection.
    pub(crate) closed_within: Option<Duration>,
    /// What the displaced must be told.
    pub(crate) reason: Option<ReasonCode>,
}

/// What a CONNECT said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectSent {
    /// Protocol version.
    pub(crate) version: Version,
    /// Clean Start, or Clean Session.
    pub(crate) clean_start: bool,
    /// How long the Session outlives the connection.
    pub(crate) session_expiry: Duration,
}

/// Counts of all takeovers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TakeoverCounts {
    /// Client Identifiers that more than one device, or one device twice at once, used.
    pub contended_ids: u64,
    /// Connections that took an identifier over from one that was alive.
    pub takeovers: u64,
    /// Displaced connections that the broker closed.
    pub displaced_closed: u64,
    /// Displaced connections that it did not close.
    pub displaced_open: u64,
    /// What the displaced were told, by Reason Code; `None` for a bare close.
    pub reasons: BTreeMap<Option<u8>, u64>,
    /// The most connections of one identifier that looked alive at once.
    pub most_alive: u64,
    /// The most that were alive at once for longer than allowed, themselves included.
    pub most_alive_too_long: u64,
    /// Longest time from a newer CONNACK to the end of the older connection.
    pub slowest_close: Option<Duration>,
    /// CONNACKs whose Session Present was as it must be.
    pub session_present_right: u64,
    /// CONNACKs whose Session Present was not.
    pub session_present_wrong: u64,
}

/// Violations of one claim.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct TakeoverViolations {
    /// More alive than allowed for longer than allowed.
    pub(crate) alive: u64,
    /// Closed too late, or not at all.
    pub(crate) late: u64,
    /// Told something else.
    pub(crate) reason: u64,
}

/// What the end of a connection has to do with others of its identifier.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Displacement {
    /// Whether another connection may be the cause.
    pub(crate) is_possible: bool,
    /// Time since the CONNECT of the connection that displaced it; `None` if that is not known.
    pub(crate) after: Option<Duration>,
}

/// All identifiers of a run.
#[derive(Debug)]
pub(crate) struct Takeovers {
    history: BrokerHistory,
    /// By [`crate::ClientKey`].
    rows: Vec<Row>,
    limits: Vec<TakeoverLimits>,
    violations: Vec<TakeoverViolations>,
    counts: TakeoverCounts,
}

#[derive(Debug, Default)]
struct Row {
    attempts: Vec<Attempt>,
    ends: VecDeque<RecentEnd>,
    /// The last connection with a CONNACK.
    established: Option<Established>,
    was_tried: bool,
    is_contended: bool,
    /// What all CONNECTs had in common; `None` before the first.
    kind: Option<Kind>,
}

/// Whether Sessions are kept can differ from CONNECT to CONNECT; then nothing is sure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Clean,
    Kept,
    Mixed,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    socket: SocketId,
    device: DeviceId,
    sent_at: Instant,
    connected_at: Option<Instant>,
    sent: ConnectSent,
    /// Whether no CONNECT with this identifier was sent before.
    is_first: bool,
    /// Whether another CONNECT was on its way at some time while this was there.
    is_contested: bool,
}

/// A connection that took the place of another.
#[derive(Clone, Copy, Debug)]
struct Newer {
    sent_at: Instant,
    connected_at: Instant,
}

#[derive(Clone, Copy, Debug)]
struct RecentEnd {
    attempt: Attempt,
    at: Instant,
    told: Option<ReasonCode>,
}

#[derive(Clone, Copy, Debug)]
struct Established {
    socket: SocketId,
    connack_at: Instant,
    expiry: Duration,
    ended_at: Option<Instant>,
}

impl Takeovers {
    /// Nobody is connected.
    pub(crate) fn new(history: BrokerHistory, limits: Vec<TakeoverLimits>) -> Self {
        Self {
            history,
            rows: Vec::new(),
            violations: vec![TakeoverViolations::default(); limits.len()],
            limits,
            counts: TakeoverCounts::default(),
        }
    }

    /// The counts so far.
    pub(crate) fn counts(&self) -> &TakeoverCounts {
        &self.counts
    }

    /// Violations of the claim of an `[[expect]]`.
    pub(crate) fn violations(&self, expectation: usize) -> TakeoverViolations {
        self.limits
            .iter()
            .position(|limits| limits.expectation == expectation)
            .map(|place| self.violations[place])
            .unwrap_or_default()
    }

    /// CONNECT was sent.
    pub(crate) fn handle_connect_sent(&mut self, event: &Event, sent: ConnectSent) {
        let row = self.row_mut(event);
        row.remember_kind(&sent);
        let mut is_contested = false;
        for other in &mut row.attempts {
            other.is_contested = true;
            is_contested |= other.connected_at.is_none();
        }
        if !row.attempts.is_empty() && !row.is_contended {
            row.is_contended = true;
            self.counts.contended_ids += 1;
        }
        let row = self.row_mut(event);
        let is_first = !std::mem::replace(&mut row.was_tried, true);
        row.attempts.push(Attempt {
            socket: event.socket,
            device: event.device,
            sent_at: event.now,
            connected_at: None,
            sent,
            is_first,
            is_contested,
        });
    }

    /// CONNACK with success came. Returns how long after this CONNECT each connection ended that it
    /// displaced before its CONNACK was here.
    pub(crate) fn handle_connected(
        &mut self,
        event: &Event,
        session_present: bool,
        anomalies: &mut Anomalies,
    ) -> Vec<Duration> {
        let place = event.client.0 as usize;
        let Some(number) = self.row_mut(event).find(event.socket) else {
            return Vec::new();
        };
        let attempt = self.rows[place].attempts[number];
        self.check_session_present(event, &attempt, session_present, anomalies);
        let row = &mut self.rows[place];
        row.attempts[number].connected_at = Some(event.now);
        row.established = Some(Established {
            socket: event.socket,
            connack_at: event.now,
            expiry: attempt.sent.session_expiry,
            ended_at: None,
        });
        let alive = row
            .attempts
            .iter()
            .filter(|other| other.connected_at.is_some())
            .count() as u64;
        self.counts.most_alive = self.counts.most_alive.max(alive);
        // Those that this CONNECT displaced before its CONNACK was here.
        let displaced: Vec<RecentEnd> = row
            .ends
            .iter()
            .filter(|end| end.at >= attempt.sent_at)
            .copied()
            .collect();
        row.ends.retain(|end| end.at < attempt.sent_at);
        if alive > 1 || !displaced.is_empty() {
            self.counts.takeovers += 1;
        }
        for end in &displaced {
            self.note_displaced(event, end, Duration::ZERO, anomalies);
        }
        displaced
            .iter()
            .map(|end| end.at.saturating_since(attempt.sent_at))
            .collect()
    }

    /// A connection, or an attempt, ended.
    pub(crate) fn handle_ended(
        &mut self,
        event: &Event,
        cause: EndCause,
        anomalies: &mut Anomalies,
    ) -> Displacement {
        let row = self.row_mut(event);
        let Some(number) = row.find(event.socket) else {
            return Displacement::default();
        };
        let attempt = row.attempts.remove(number);
        if let Some(established) = &mut row.established
            && established.socket == event.socket
        {
            established.ended_at = Some(event.now);
        }
        if attempt.connected_at.is_none() {
            return Displacement {
                is_possible: attempt.is_contested,
                after: None,
            };
        }
        self.check_overlap(event, &attempt, anomalies);
        let told = match cause {
            EndCause::ServerDisconnect(reason) => Some(reason),
            EndCause::PeerClosed(_) => None,
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::Qos2Cut { .. }
            | EndCause::ProtocolError(_)
            | EndCause::TimedOut
            | EndCause::Refused
            | EndCause::RunEnded => return Displacement::default(),
        };
        let end = RecentEnd {
            attempt,
            at: event.now,
            told,
        };
        let newer = self.row_mut(event).newer_than(&attempt);
        match newer {
            Some(newer) => {
                let beside = event.now.saturating_since(newer.connected_at);
                self.note_displaced(event, &end, beside, anomalies);
                Displacement {
                    is_possible: true,
                    after: Some(event.now.saturating_since(newer.sent_at)),
                }
            }
            None if told == Some(ReasonCode::SessionTakenOver) && attempt.is_contested => {
                // By one whose CONNACK is not here yet, or that is gone already.
                self.counts.takeovers += 1;
                self.note_displaced(event, &end, Duration::ZERO, anomalies);
                let sent_at = self.row_mut(event).only_one_on_its_way();
                Displacement {
                    is_possible: true,
                    after: sent_at.map(|sent_at| event.now.saturating_since(sent_at)),
                }
            }
            None => {
                let row = self.row_mut(event);
                row.ends.push_back(end);
                if row.ends.len() > RECENT_ENDS_MAX {
                    row.ends.pop_front();
                }
                Displacement {
                    is_possible: attempt.is_contested,
                    after: None,
                }
            }
        }
    }

    /// Ends the account: those that are still alive together have been for too long or not.
    pub(crate) fn close(&mut self, now: Instant, anomalies: &mut Anomalies) {
        for place in 0..self.rows.len() {
            let attempts = std::mem::take(&mut self.rows[place].attempts);
            let mut alive: Vec<Attempt> = attempts
                .iter()
                .filter(|attempt| attempt.connected_at.is_some())
                .copied()
                .collect();
            alive.sort_by_key(|attempt| attempt.connected_at);
            while alive.len() > 1 {
                let oldest = alive.remove(0);
                self.counts.displaced_open += 1;
                self.judge_overlap(now, &oldest, &alive, anomalies);
            }
            self.rows[place].attempts = attempts;
        }
    }

    fn row_mut(&mut self, event: &Event) -> &mut Row {
        let place = event.client.0 as usize;
        if self.rows.len() <= place {
            self.rows.resize_with(place + 1, Row::default);
        }
        &mut self.rows[place]
    }

    fn check_overlap(&mut self, event: &Event, ended: &Attempt, anomalies: &mut Anomalies) {
        let others: Vec<Attempt> = self
            .row_mut(event)
            .attempts
            .iter()
            .filter(|other| other.connected_at.is_some())
            .copied()
            .collect();
        if !others.is_empty() {
            self.judge_overlap(event.now, ended, &others, anomalies);
        }
    }

    /// Judges how long a connection that ends now was alive beside others that go on.
    fn judge_overlap(
        &mut self,
        now: Instant,
        ended: &Attempt,
        others: &[Attempt],
        anomalies: &mut Anomalies,
    ) {
        let overlaps: Vec<Duration> = others
            .iter()
            .map(|other| {
                now.saturating_since(other.connected_at.max(ended.connected_at).unwrap_or(now))
            })
            .collect();
        let longest = overlaps.iter().copied().max().unwrap_or_default();
        self.counts.slowest_close = self.counts.slowest_close.max(Some(longest));
        for place in 0..self.limits.len() {
            let limits = self.limits[place];
            let grace = limits.closed_within.unwrap_or(DISPLACED_GRACE);
            let beside = overlaps.iter().filter(|&&overlap| overlap > grace).count();
            if beside == 0 {
                continue;
            }
            let alive = beside as u64 + 1;
            self.counts.most_alive_too_long = self.counts.most_alive_too_long.max(alive);
            if limits
                .alive
                .is_some_and(|allowed| alive > u64::from(allowed))
            {
                self.violations[place].alive += 1;
                let what = format!(
                    "{alive} connections of one client identifier were alive together for {longest:?} (§3.1.4)"
                );
                note(anomalies, (AnomalyKind::TwoAlive, now), ended.device, what);
            }
            if limits.closed_within.is_some() {
                self.violations[place].late += 1;
                let what = format!(
                    "still open {longest:?} after the CONNACK of a newer connection, the limit is {grace:?} (§3.1.4)"
                );
                note(
                    anomalies,
                    (AnomalyKind::DisplacedNotClosed, now),
                    ended.device,
                    what,
                );
            }
        }
    }

    /// The broker closed a connection because of a newer one.
    fn note_displaced(
        &mut self,
        event: &Event,
        end: &RecentEnd,
        after: Duration,
        anomalies: &mut Anomalies,
    ) {
        self.counts.displaced_closed += 1;
        self.counts.slowest_close = self.counts.slowest_close.max(Some(after));
        let told = end.told.map(|reason| reason as u8);
        *self.counts.reasons.entry(told).or_default() += 1;
        if end.attempt.sent.version != Version::V5 {
            // 3.1.1 has no DISCONNECT from the server.
            return;
        }
        for place in 0..self.limits.len() {
            let Some(expected) = self.limits[place].reason else {
                continue;
            };
            if end.told == Some(expected) {
                continue;
            }
            self.violations[place].reason += 1;
            let what = match end.told {
                Some(told) => format!("closed with {}, expected {}", told.name(), expected.name()),
                None => format!("closed without DISCONNECT, expected {}", expected.name()),
            };
            note(
                anomalies,
                (AnomalyKind::DisplacedReason, event.now),
                end.attempt.device,
                what,
            );
        }
    }

    fn check_session_present(
        &mut self,
        event: &Event,
        attempt: &Attempt,
        session_present: bool,
        anomalies: &mut Anomalies,
    ) {
        let history = self.history;
        let row = self.row_mut(event);
        let expected = row.expects_session(event.now, attempt, history);
        let Some(expected) = expected else {
            return;
        };
        if expected == session_present {
            self.counts.session_present_right += 1;
            return;
        }
        self.counts.session_present_wrong += 1;
        let what = format!(
            "CONNACK says session present {}, expected {} (§3.2.2.1.1)",
            u8::from(session_present),
            u8::from(expected)
        );
        note(
            anomalies,
            (AnomalyKind::SessionPresent, event.now),
            event.device,
            what,
        );
    }
}

impl Row {
    fn remember_kind(&mut self, sent: &ConnectSent) {
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

    fn find(&self, socket: SocketId) -> Option<usize> {
        self.attempts
            .iter()
            .position(|attempt| attempt.socket == socket)
    }

    /// The connection that was first to have its CONNACK, of those that are alive and whose CONNECT
    /// was sent after the CONNACK of `older` had come.
    fn newer_than(&self, older: &Attempt) -> Option<Newer> {
        self.attempts
            .iter()
            .filter(|other| Some(other.sent_at) >= older.connected_at)
            .filter_map(|other| {
                Some(Newer {
                    connected_at: other.connected_at?,
                    sent_at: other.sent_at,
                })
            })
            .min_by_key(|newer| newer.connected_at)
    }

    /// When the CONNECT was sent whose CONNACK is awaited; `None` if there is none, or several, of
    /// which any may have displaced another connection.
    fn only_one_on_its_way(&self) -> Option<Instant> {
        let mut waiting = self
            .attempts
            .iter()
            .filter(|attempt| attempt.connected_at.is_none());
        let only = waiting.next()?;
        waiting.next().is_none().then_some(only.sent_at)
    }

    /// Whether a CONNACK must say that there is a Session; `None` if either may be right.
    fn expects_session(
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
            let is_sure = history == BrokerHistory::Empty && !attempt.is_contested;
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

fn note(
    anomalies: &mut Anomalies,
    (kind, at): (AnomalyKind, Instant),
    device: DeviceId,
    explanation: String,
) {
    anomalies.note(kind, || Anomaly {
        kind,
        at,
        device: Some(device),
        topic: None,
        sequence: None,
        explanation,
        scope: Scope::default(),
    });
}
