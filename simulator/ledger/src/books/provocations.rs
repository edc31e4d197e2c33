//! Malformed packets that faults sent: whether the broker closed the connection, as it must ([MQTT-4.13.1-1],
//! [3.1.1: MQTT-4.8.0-1]), and what it said.
//!
//! Counted as a packet capture would: from when the packet has left the device and its link to the broker's FIN or RST
//! at the device's machine. A connection that is still open when another CONNECT with its Client Identifier is sent says
//! nothing from then on: a takeover ends it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use squall_fleet::{Path, ProvocationFact, SocketId};
use squall_protocol::{Instant, Malformation, ReasonCode, Version};
use squall_run::{AnomalyKind, duration_text};
use squall_scenario::{ClientKey, FaultId};

use super::anomalies::{Anomalies, Anomaly, Subject};
use super::broker_times::BrokerTimes;
use super::event::Event;
use super::memory::Memory;

/// What a `malformed` claims.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ProvocationLimit {
    /// Number of the `[[expect]]`.
    pub(crate) expectation: usize,
    /// Longest time from the packet to the close.
    pub(crate) closed_within: Option<Duration>,
}

/// What became of malformed packets of one kind and version.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ProvocationCounts {
    /// Packets that were sent. Each is in one of the next three counts.
    pub(crate) sent: u64,
    /// The broker closed the connection.
    pub(crate) closed: u64,
    /// Its device, or another one with its Client Identifier, sent CONNECT before.
    pub(crate) taken_over: u64,
    /// The connection was open when the run ended.
    pub(crate) open: u64,
    /// What DISCONNECTs said.
    pub(crate) told: BTreeMap<ReasonCode, u64>,
    /// Of those, reasons that have nothing to do with the packet.
    pub(crate) unfit: u64,
    /// The longest time to a close.
    pub(crate) slowest: Option<Duration>,
}

/// What became of the malformed packets of one time that a fault struck.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ProvocationEffects {
    /// Connections that the broker closed.
    pub(crate) closed: u64,
    /// Connections that it left open.
    pub(crate) left_open: u64,
}

/// The book of malformed packets.
#[derive(Debug)]
pub(crate) struct Provocations {
    limits: Vec<ProvocationLimit>,
    /// By [`ProvocationLimit`]: connections that were not closed in time.
    late: Vec<u64>,
    /// Of those, the ones that the broker never closed.
    left_open: Vec<u64>,
    /// The longest time to a close.
    slowest: Option<Duration>,
    /// The longest that one was open that the broker had not closed when the run, or a CONNECT, ended it.
    longest_open: Option<Duration>,
    open: HashMap<SocketId, Open>,
    counts: BTreeMap<(Malformation, bool), ProvocationCounts>,
    effects: BTreeMap<(FaultId, u64), ProvocationEffects>,
    anomalies: Anomalies,
    /// When faults had the broker away.
    broker_times: BrokerTimes,
}

/// A connection that the broker has to close.
#[derive(Clone, Copy, Debug)]
struct Open {
    by: (FaultId, u64),
    subject: Subject,
    client: ClientKey,
    malformation: Malformation,
    version: Version,
    /// When the packet had left the device's link; `None` while that holds it.
    left_at: Option<Instant>,
    /// How it got to the broker.
    path: Path,
    /// When its device read nothing; `None` if it always did.
    unread: Option<Unread>,
}

/// When a device read nothing.
#[derive(Clone, Copy, Debug)]
struct Unread {
    since: Instant,
    /// When it read on; `None` if it has not.
    until: Option<Instant>,
}

impl Open {
    /// Since when at the earliest what the device reads `at` was there.
    fn there_since(&self, at: Instant) -> Instant {
        let lay = self
            .unread
            .filter(|unread| unread.until.is_none_or(|until| at <= until));
        lay.map_or(at, |unread| at.min(unread.since))
    }

    /// Whether the broker may have ended the connection for this reason before it had the packet, which waited on a link.
    fn may_have_come_too_late(&self, reason: ReasonCode) -> bool {
        let ends = [ReasonCode::KeepAliveTimeout, ReasonCode::SessionTakenOver];
        self.path == Path::OverLink && ends.contains(&reason)
    }
}

impl Provocations {
    /// No packet was sent.
    pub(crate) fn new(limits: Vec<ProvocationLimit>, memory: Memory) -> Self {
        Self {
            late: vec![0; limits.len()],
            left_open: vec![0; limits.len()],
            longest_open: None,
            limits,
            slowest: None,
            open: HashMap::new(),
            counts: BTreeMap::new(),
            effects: BTreeMap::new(),
            anomalies: Anomalies::new(memory.anomalies_per_kind),
            broker_times: BrokerTimes::default(),
        }
    }

    /// What was wrong.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// The same, to be told of the generator's hold-ups.
    pub(crate) fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// When faults had the broker away, to be told of more.
    pub(crate) fn broker_times_mut(&mut self) -> &mut BrokerTimes {
        &mut self.broker_times
    }

    /// What became of the packets, by the rule that they break, those of 3.1.1 apart.
    pub(crate) fn counts(
        &self,
    ) -> impl Iterator<Item = (Malformation, Version, &ProvocationCounts)> {
        self.counts.iter().map(|(&(malformation, is_v5), counts)| {
            let version = if is_v5 { Version::V5 } else { Version::V3_1_1 };
            (malformation, version, counts)
        })
    }

    /// Whose connections the broker has not closed, though it has had the packets.
    pub(crate) fn left_open_now(&self) -> impl Iterator<Item = ClientKey> {
        let open = self.open.values().filter(|open| open.left_at.is_some());
        open.map(|open| open.client)
    }

    /// What came of the time that a fault struck after `number` others.
    pub(crate) fn effects(&self, fault: FaultId, number: u64) -> Option<ProvocationEffects> {
        self.effects.get(&(fault, number)).copied()
    }

    /// Connections that were not closed within the limit of the `[[expect]]` with this number.
    pub(crate) fn late(&self, expectation: usize) -> u64 {
        self.of_limit(expectation, &self.late)
    }

    /// Of those, the ones that the broker never closed.
    pub(crate) fn left_open(&self, expectation: usize) -> u64 {
        self.of_limit(expectation, &self.left_open)
    }

    fn of_limit(&self, expectation: usize, counts: &[u64]) -> u64 {
        let limits = self.limits.iter().zip(counts);
        let mut of_it = limits.filter(|(limit, _)| limit.expectation == expectation);
        of_it.next().map_or(0, |(_, &count)| count)
    }

    /// The longest time from a packet to the close, if the broker closed a connection.
    pub(crate) fn slowest(&self) -> Option<Duration> {
        self.slowest
    }

    /// The longest that a connection was open after its packet that the broker did not close.
    pub(crate) fn longest_open(&self) -> Option<Duration> {
        self.longest_open
    }

    /// A packet was sent, or the broker did something about it.
    /// `unread_since` is when its device stopped from reading it, if it does not now.
    pub(crate) fn handle(
        &mut self,
        event: &Event,
        fact: ProvocationFact,
        unread_since: Option<Instant>,
    ) {
        match fact {
            ProvocationFact::Sent {
                fault,
                number,
                malformation,
                version,
                path,
            } => {
                let open = Open {
                    by: (fault, number),
                    subject: Subject::after(Some(fault), event.device),
                    client: event.client,
                    malformation,
                    version,
                    left_at: (path == Path::Direct).then_some(event.now),
                    path,
                    unread: unread_since.map(|since| Unread { since, until: None }),
                };
                self.open.insert(event.socket, open);
                self.counts_mut(&open).sent += 1;
                self.effects.entry(open.by).or_default();
            }
            ProvocationFact::Told(reason) => self.handle_told(event, reason),
            ProvocationFact::Closed => {
                if let Some(open) = self.open.remove(&event.socket) {
                    self.handle_closed(open.there_since(event.arrived), &open);
                }
            }
        }
    }

    /// The device of a connection stops reading it.
    pub(crate) fn handle_reading_stopped(&mut self, event: &Event) {
        if let Some(open) = self.open.get_mut(&event.socket) {
            open.unread = Some(Unread {
                since: event.now,
                until: None,
            });
        }
    }

    /// The device of a connection reads on.
    pub(crate) fn handle_reading_resumed(&mut self, event: &Event) {
        let open = self.open.get_mut(&event.socket);
        if let Some(unread) = open.and_then(|open| open.unread.as_mut()) {
            unread.until = Some(event.now);
        }
    }

    /// What a device sent before its end has left its link.
    pub(crate) fn handle_left(&mut self, event: &Event) {
        if let Some(open) = self.open.get_mut(&event.socket) {
            open.left_at.get_or_insert(event.now);
        }
    }

    /// A CONNECT was sent: it ends the older connections of its Client Identifier.
    pub(crate) fn handle_connect_sent(&mut self, event: &Event) {
        let sockets: Vec<SocketId> = self
            .open
            .iter()
            .filter(|(_, open)| open.client == event.client)
            .map(|(&socket, _)| socket)
            .collect();
        for socket in sockets {
            if let Some(open) = self.open.remove(&socket) {
                self.counts_mut(&open).taken_over += 1;
                self.judge_open(event.now, &open);
            }
        }
    }

    /// The run is over: what is open was never closed.
    pub(crate) fn close(&mut self, now: Instant) {
        let mut open: Vec<(SocketId, Open)> = self.open.drain().collect();
        open.sort_unstable_by_key(|&(socket, _)| socket);
        for (_, open) in open {
            self.counts_mut(&open).open += 1;
            self.effects.entry(open.by).or_default().left_open += 1;
            self.judge_open(now, &open);
        }
    }

    fn handle_told(&mut self, event: &Event, reason: ReasonCode) {
        let Some(&open) = self.open.get(&event.socket) else {
            return;
        };
        // Whatever a client has sent, a broker that is asked to stop may say so.
        let is_farewell = reason == ReasonCode::ServerShuttingDown
            && self
                .broker_times
                .ended_process(event.arrived, event.arrived);
        let is_fit =
            open.malformation.allows(reason) || open.may_have_come_too_late(reason) || is_farewell;
        let counts = self.counts_mut(&open);
        *counts.told.entry(reason).or_default() += 1;
        if is_fit {
            return;
        }
        counts.unfit += 1;
        let what = format!(
            "DISCONNECT with 0x{:02X} {} after {}",
            reason as u8,
            reason.name(),
            words(&open)
        );
        self.note(AnomalyKind::MalformedReason, event.now, &open, what);
    }

    fn handle_closed(&mut self, at: Instant, open: &Open) {
        let took = open
            .left_at
            .map_or(Duration::ZERO, |left| self.time_of_broker(left, at));
        let counts = self.counts_mut(open);
        counts.closed += 1;
        counts.slowest = counts.slowest.max(Some(took));
        self.effects.entry(open.by).or_default().closed += 1;
        self.slowest = self.slowest.max(Some(took));
        self.judge(at, open, took, "closed only");
    }

    /// Judges a connection that is open at `now`: there is nothing to judge while its packet was on a link.
    fn judge_open(&mut self, now: Instant, open: &Open) {
        if let Some(left_at) = open.left_at {
            let now = open.there_since(now);
            let took = self.time_of_broker(left_at, now);
            let is_long = |limit: &ProvocationLimit| limit.closed_within.is_some_and(|l| took > l);
            for (limit, left) in self.limits.iter().zip(&mut self.left_open) {
                *left += u64::from(is_long(limit));
            }
            if self.limits.iter().any(is_long) {
                self.longest_open = self.longest_open.max(Some(took));
                self.judge(now, open, took, "open still");
            }
        }
    }

    /// The time from `since` to `until`, but for what faults had the broker away.
    fn time_of_broker(&self, since: Instant, until: Instant) -> Duration {
        let away = self.broker_times.away_between(since, until);
        until.saturating_since(since).saturating_sub(away)
    }

    fn judge(&mut self, now: Instant, open: &Open, took: Duration, what: &str) {
        for place in 0..self.limits.len() {
            let limit = self.limits[place].closed_within;
            let Some(limit) = limit.filter(|&limit| took > limit) else {
                continue;
            };
            self.late[place] += 1;
            let explanation = format!(
                "{what} {} after {}, the limit is {}",
                duration_text(took.as_secs_f64()),
                words(open),
                duration_text(limit.as_secs_f64())
            );
            let noticed = open.subject.between(now - took, now).beyond(took - limit);
            self.anomalies
                .note(AnomalyKind::MalformedTolerated, noticed, || {
                    anomaly(AnomalyKind::MalformedTolerated, now, open, explanation)
                });
        }
    }

    fn note(&mut self, kind: AnomalyKind, now: Instant, open: &Open, explanation: String) {
        self.anomalies
            .note(kind, open.subject, || anomaly(kind, now, open, explanation));
    }

    fn counts_mut(&mut self, open: &Open) -> &mut ProvocationCounts {
        let key = (open.malformation, open.version == Version::V5);
        self.counts.entry(key).or_default()
    }
}

/// The packet, with the rule that it breaks.
fn words(open: &Open) -> String {
    let source = open.malformation.source(open.version);
    match source.starts_with('§') {
        true => format!("a packet with {} ({source})", open.malformation.name()),
        false => format!("a packet with {} [{source}]", open.malformation.name()),
    }
}

fn anomaly(kind: AnomalyKind, at: Instant, open: &Open, explanation: String) -> Anomaly {
    Anomaly {
        by_counts: None,
        kind,
        at,
        device: open.subject.device,
        recipient: None,
        topic: None,
        sequence: None,
        explanation,
        scope: open.subject.scope,
    }
}
