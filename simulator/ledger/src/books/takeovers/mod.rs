//! Connections that share a Client Identifier: who displaced whom, and which Session was there
//! (§3.1.4, §3.2.2.1.1).
//!
//! Only what a device can know is judged. Two CONNECTs that were on their way at the same time
//! may have been processed in either order, so of two connections one must close, whichever.
//!
//! The news of one takeover comes in two orders. A broker closes the older connection when it processes the
//! newer CONNECT, and the two devices have different links: the close may be heard of after the CONNACK of
//! the newer connection, or before it. In the first case the older one is marked as displaced when the
//! CONNACK comes, and its close is then explained. In the second the close is kept for as long as a CONNECT
//! is on its way that may have caused it, and is explained by the CONNACK, or by the end of that attempt. Where
//! the connection with the last CONNACK is the one that closes, the broker processed the two CONNECTs the
//! other way round: the mark is taken from the one that goes on.
//!
//! Invariant, once the books are closed: every takeover displaced one connection, which was closed
//! by the broker, ended otherwise, or is still open.

mod counts;
mod judge;
mod row;

use std::time::Duration;

use squall_fleet::EndCause;
use squall_protocol::{Instant, ReasonCode, Version};
use squall_scenario::BrokerHistory;

pub use self::counts::TakeoverCounts;
pub(crate) use self::counts::{TakeoverLimits, TakeoverViolations};
use self::row::{Attempt, Cause, Established, Newer, RecentEnd, Row};
use super::anomalies::Anomalies;
use super::broker_times::BrokerTimes;
use super::event::Event;
use super::memory::{GivenUp, Memory, MemoryLimit};
use super::tallies::Imbalance;

/// Time in which a displaced connection may still look alive, if no claim gives another.
pub(crate) const DISPLACED_GRACE: Duration = Duration::from_secs(1);

/// What a CONNECT said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectSent {
    /// Protocol version.
    pub(crate) version: Version,
    /// Clean Start, or Clean Session.
    pub(crate) clean_start: bool,
    /// How long the Session outlives the connection.
    pub(crate) session_expiry: Duration,
    /// When it was handed to the device's link, or sent without one.
    pub(crate) handed_at: Instant,
}

/// Whether a device reads a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reading {
    /// It does not.
    Stopped,
    /// It does again.
    Resumed,
}

/// How long a takeover took, until the displaced connection was closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TakeoverTime {
    /// From when the newer CONNECT had left its device's link until the close was at the machine of the
    /// displaced device.
    pub(crate) after: Duration,
    /// From when its device sent the newer CONNECT until the displaced device saw the close: with what the links
    /// of both held.
    pub(crate) with_links: Duration,
}

/// What the end of a connection has to do with others of its identifier.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Displacement {
    /// Whether another connection may be the cause.
    pub(crate) is_possible: bool,
    /// How long that took; `None` if it is not known.
    pub(crate) took: Option<TakeoverTime>,
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
    recent_ends_max: usize,
    given_up: GivenUp,
    anomalies: Anomalies,
    is_closed: bool,
    /// When faults had the broker away.
    broker_times: BrokerTimes,
}

impl Takeovers {
    /// No device is connected.
    pub(crate) fn new(history: BrokerHistory, limits: Vec<TakeoverLimits>, memory: Memory) -> Self {
        Self {
            history,
            rows: Vec::new(),
            violations: vec![TakeoverViolations::default(); limits.len()],
            limits,
            counts: TakeoverCounts::default(),
            recent_ends_max: memory.recent_ends,
            given_up: GivenUp::default(),
            anomalies: Anomalies::new(memory.anomalies_per_kind),
            broker_times: BrokerTimes::default(),
            is_closed: false,
        }
    }

    /// What was wrong with takeovers.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// The same, to be told of the generator's hold-ups.
    pub(crate) fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// When faults had the broker away, with what this book counts of it.
    pub(crate) fn broker_times(&self) -> &BrokerTimes {
        &self.broker_times
    }

    /// When faults had the broker away, to be told of more.
    pub(crate) fn broker_times_mut(&mut self) -> &mut BrokerTimes {
        &mut self.broker_times
    }

    /// What was given up to save memory.
    pub(crate) fn given_up(&self) -> &GivenUp {
        &self.given_up
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

    /// The device of a connection stops reading it, or reads on.
    pub(crate) fn handle_reading(&mut self, event: &Event, reading: Reading) {
        let row = self.row_mut(event);
        if let Some(place) = row.find(event.socket) {
            row.attempts[place].is_unread = reading == Reading::Stopped;
        }
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
            closed_at: None,
            sent,
            is_unread: false,
            is_first,
            is_contested,
            displaced_by: None,
        });
    }

    /// CONNACK with success came. Returns for each connection that this one displaced before its
    /// CONNACK was here how long that took from its CONNECT, where that is known.
    pub(crate) fn handle_connected(
        &mut self,
        event: &Event,
        session_present: bool,
    ) -> Vec<TakeoverTime> {
        if self.is_closed {
            return Vec::new();
        }
        let place = event.client.0 as usize;
        let Some(number) = self.row_mut(event).find(event.socket) else {
            return Vec::new();
        };
        let attempt = self.rows[place].attempts[number];
        self.check_session_present(event, &attempt, session_present);
        let row = &mut self.rows[place];
        row.attempts[number].connected_at = Some(event.arrived);
        row.established = Some(Established {
            socket: event.socket,
            connack_at: event.arrived,
            expiry: attempt.sent.session_expiry,
            ended_at: None,
        });
        let alive = row.alive().len() as u64;
        self.counts.takeovers += row.displace_others(
            event.socket,
            Newer {
                cause: Cause::of(&attempt),
                connected_at: event.arrived,
            },
        );
        self.counts.most_alive = self.counts.most_alive.max(alive);
        // Those that this CONNECT displaced before its CONNACK was here, and those whose cause is
        // gone without one.
        let mut displaced = row.take_ends_since(attempt.sent_at);
        displaced.extend(row.take_abandoned_ends());
        self.note_displaced_early(event, &displaced);
        displaced.iter().filter_map(RecentEnd::took).collect()
    }

    /// The connection of `event` ended, for the broker not before `earliest`: its Session expires from then
    /// on.
    pub(crate) fn handle_session_left(&mut self, event: &Event, earliest: Instant) {
        let established = self.row_mut(event).established.as_mut();
        if let Some(established) = established.filter(|row| row.socket == event.socket) {
            established.ended_at = Some(earliest);
        }
    }

    /// The broker's close of a connection is at the device's machine: from then on it is not alive.
    pub(crate) fn handle_close_arrived(&mut self, event: &Event) {
        let row = self.row_mut(event);
        if let Some(number) = row.find(event.socket) {
            row.attempts[number].closed_at = Some(event.arrived);
        }
    }

    /// A connection, or an attempt, ended.
    pub(crate) fn handle_ended(&mut self, event: &Event, cause: EndCause) -> Displacement {
        let is_closed = self.is_closed;
        let row = self.row_mut(event);
        let Some(number) = row.find(event.socket) else {
            return Displacement::default();
        };
        let attempt = row.attempts.remove(number);
        if is_closed {
            return Displacement {
                is_possible: attempt.is_contested || attempt.displaced_by.is_some(),
                took: None,
            };
        }
        if attempt.connected_at.is_none() {
            // It may have displaced others, and been displaced, before its CONNACK was here.
            let abandoned = row.take_abandoned_ends();
            self.note_displaced_early(event, &abandoned);
            return Displacement {
                is_possible: attempt.is_contested,
                took: None,
            };
        }
        self.check_overlap(event, &attempt);
        let told = match cause {
            EndCause::ServerDisconnect(reason) => Some(reason),
            EndCause::PeerClosed(_) => None,
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::Qos2Cut { .. }
            | EndCause::ProtocolError(_)
            | EndCause::TimedOut
            | EndCause::Refused
            | EndCause::RunEnded => {
                self.handle_ended_otherwise(event, &attempt);
                return Displacement::default();
            }
        };
        let end = RecentEnd {
            only_cause: self.row_mut(event).only_one_on_its_way(),
            attempt,
            at: attempt.over_at(event.arrived),
            seen_at: event.crossed,
            told,
        };
        self.handle_closed(event, end)
    }

    /// A connection that had its CONNACK ended, but the broker did not close it.
    fn handle_ended_otherwise(&mut self, event: &Event, attempt: &Attempt) {
        if let Some(newer) = attempt.displaced_by {
            self.counts.displaced_otherwise += 1;
            let over_at = attempt.over_at(event.arrived);
            let beside = over_at.saturating_since(newer.connected_at);
            self.judge_displaced(event.now, attempt, beside);
        } else if self.row_mut(event).turn_round(attempt).is_some() {
            // Of two whose CONNECTs crossed it may have been the one that is displaced.
            self.counts.displaced_otherwise += 1;
        }
    }

    /// The broker closed a connection that had its CONNACK.
    fn handle_closed(&mut self, event: &Event, end: RecentEnd) -> Displacement {
        let attempt = end.attempt;
        let recent_ends_max = self.recent_ends_max;
        let row = self.row_mut(event);
        // By one that is there, whichever of the two CONNECTs was processed first.
        let newer = attempt.displaced_by.or_else(|| row.turn_round(&attempt));
        if let Some(newer) = newer {
            let beside = end.at.saturating_since(newer.connected_at);
            self.note_displaced(event, &end, beside);
            return Displacement {
                is_possible: true,
                took: Some(newer.cause.took(&end)),
            };
        }
        if row.earliest_pending().is_some() {
            // Perhaps by one whose CONNACK is not here yet.
            row.ends.push_back(end);
            if row.ends.len() > recent_ends_max {
                row.ends.pop_front();
                self.given_up.add(MemoryLimit::RecentEnds, 1);
            }
        } else if end.told == Some(ReasonCode::SessionTakenOver) && attempt.is_contested {
            // By one that is gone already.
            self.note_displaced_early(event, &[end]);
            return Displacement {
                is_possible: true,
                took: None,
            };
        }
        Displacement {
            is_possible: attempt.is_contested,
            took: None,
        }
    }

    /// Ends the account: those that are still alive together have been for too long or not.
    pub(crate) fn close(&mut self, now: Instant) {
        self.is_closed = true;
        for place in 0..self.rows.len() {
            for displaced in self.rows[place].displaced() {
                let Some(newer) = displaced.displaced_by else {
                    continue;
                };
                match displaced.closed_at {
                    Some(_) => self.counts.displaced_closed += 1,
                    None => self.counts.displaced_open += 1,
                }
                let beside = displaced.over_at(now).saturating_since(newer.connected_at);
                self.judge_displaced(now, &displaced, beside);
            }
            let mut alive = self.rows[place].alive();
            alive.sort_by_key(|attempt| attempt.connected_at);
            while alive.len() > 1 {
                let oldest = alive.remove(0);
                self.judge_overlap(now, &oldest, &alive);
            }
        }
    }

    /// Takeovers that no displaced connection stands for, or the other way round: none, or squall
    /// has a fault.
    pub(crate) fn imbalance(&self) -> Option<Imbalance> {
        let counts = &self.counts;
        let displaced =
            counts.displaced_closed + counts.displaced_open + counts.displaced_otherwise;
        (displaced != counts.takeovers).then(|| Imbalance {
            book: "takeovers".to_owned(),
            unexplained: displaced.abs_diff(counts.takeovers),
        })
    }

    fn row_mut(&mut self, event: &Event) -> &mut Row {
        let place = event.client.0 as usize;
        if self.rows.len() <= place {
            self.rows.resize_with(place + 1, Row::default);
        }
        &mut self.rows[place]
    }
}
