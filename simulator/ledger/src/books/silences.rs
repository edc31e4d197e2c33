//! Devices that fell silent and left their connections open: whether the broker closes them when one and a half
//! times Keep Alive have passed [MQTT-3.1.2-22], and not before.
//!
//! Counted as a packet capture would: from the last packet before the silence to the broker's FIN or RST. A silence that another
//! connection of the same Client Identifier ends is a takeover's, and says nothing; so does one that the run, or the device
//! itself, ends before its time is up. A device that a fault has muted talks again: `mutes` has what of the end of its
//! connection is the mute's.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_fleet::{EndCause, SilenceFact, SocketId};
use squall_protocol::{Instant, ReasonCode};
use squall_run::{AnomalyKind, duration_text};
use squall_scenario::{BrokerHistory, ClientKey, DeviceId, FaultId};

use super::anomalies::{Anomalies, Anomaly, Noticed, Subject};
use super::broker_times::BrokerTimes;
use super::event::Event;
use super::memory::Memory;
use super::mutes::{MuteEffects, Mutes};

/// What a `keep_alive` claims.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SilenceLimit {
    /// Number of the `[[expect]]`.
    pub(crate) expectation: usize,
    /// What a broker may take beyond one and a half times Keep Alive.
    pub(crate) closed_within: Duration,
}

/// What became of silences.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct SilenceCounts {
    /// Connections with a Keep Alive on which a device fell silent. Each is in one of the next six counts.
    pub(crate) began: u64,
    /// The broker closed it.
    pub(crate) closed: u64,
    /// Another connection of its Client Identifier came, which ends it at once.
    pub(crate) taken_over: u64,
    /// The broker closed it early, and another client of the broker may have taken it over.
    pub(crate) unclear: u64,
    /// The device talked again, or ended it by itself, and the broker had not closed it.
    pub(crate) broken: u64,
    /// It ended with the broker's process, by a fault.
    pub(crate) ended_with_broker: u64,
    /// Open at the end of the run.
    pub(crate) open: u64,
    /// Of those that were closed, before one and a half times Keep Alive had passed.
    pub(crate) early: u64,
    /// The longest time from then to a close.
    pub(crate) slowest: Option<Duration>,
    /// The longest time from then for which one was open that the broker had not closed when its device talked again, or
    /// when the run ended.
    pub(crate) longest_open: Option<Duration>,
    /// The longest time by which one was closed before.
    pub(crate) earliest: Option<Duration>,
    /// The same of those of which it is unclear why.
    pub(crate) unclear_by: Option<Duration>,
}

/// The book of silences.
#[derive(Debug)]
pub(crate) struct Silences {
    history: BrokerHistory,
    limits: Vec<SilenceLimit>,
    /// By [`SilenceLimit`].
    late: Vec<u64>,
    /// Of those, the ones that were never closed.
    left_open: Vec<u64>,
    open: BTreeMap<(ClientKey, SocketId), Open>,
    counts: SilenceCounts,
    mutes: Mutes,
    anomalies: Anomalies,
    /// When faults had the broker away.
    broker_times: BrokerTimes,
}

/// A silence that goes on.
#[derive(Clone, Copy, Debug)]
struct Open {
    device: DeviceId,
    fault: FaultId,
    keep_alive: Duration,
    /// When the last byte before it had left the device and its link; `None` while the link may hold some.
    said_at: Option<Instant>,
    /// Until when an earlier silence on the same connection explains its close.
    excused_until: Option<Instant>,
}

/// What else is known of a connection of which a silence is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Circumstances {
    /// Whether the device has a link, which may hold what it said last.
    pub(crate) is_on_link: bool,
    /// Whether the device goes on with the connection: it is muted.
    pub(crate) is_muted: bool,
    /// When the device did not read it, if it did not: a close by the broker may have lain there.
    pub(crate) unread: Option<[Instant; 2]>,
}

/// The close of a silent connection by the broker.
#[derive(Clone, Copy, Debug)]
struct Close {
    at: Instant,
    /// When something that its device had said before was at the system's socket for sure.
    heard_at: Instant,
    /// When all of it was.
    last_at: Instant,
    /// The reason of its DISCONNECT.
    told: Option<ReasonCode>,
}

impl Close {
    /// Whether the broker says itself that it is for the silence: no other client brings that about.
    fn is_by_keep_alive(&self) -> bool {
        self.told == Some(ReasonCode::KeepAliveTimeout)
    }
}

impl Open {
    /// How long the broker must wait and may not wait any longer [MQTT-3.1.2-22].
    fn patience(&self) -> Duration {
        self.keep_alive * 3 / 2
    }
}

impl Circumstances {
    /// Whether a close just after `due` would have been seen when it came.
    fn sees_at(self, due: Instant) -> bool {
        self.unread
            .is_none_or(|[since, until]| due < since || until < due)
    }
}

impl Silences {
    /// Nothing was silent yet.
    pub(crate) fn new(history: BrokerHistory, limits: Vec<SilenceLimit>, memory: Memory) -> Self {
        Self {
            history,
            late: vec![0; limits.len()],
            left_open: vec![0; limits.len()],
            limits,
            open: BTreeMap::new(),
            counts: SilenceCounts::default(),
            mutes: Mutes::default(),
            anomalies: Anomalies::new(memory.anomalies_per_kind),
            broker_times: BrokerTimes::default(),
        }
    }

    /// What was counted.
    pub(crate) fn counts(&self) -> &SilenceCounts {
        &self.counts
    }

    /// Connections that were closed later than the `[[expect]]` with this number allows, or not at all.
    pub(crate) fn late(&self, expectation: usize) -> u64 {
        self.of_limit(expectation, &self.late)
    }

    /// Of those, the ones that the broker had not closed when their devices talked again, or when the run ended.
    pub(crate) fn left_open(&self, expectation: usize) -> u64 {
        self.of_limit(expectation, &self.left_open)
    }

    fn of_limit(&self, expectation: usize, counts: &[u64]) -> u64 {
        let limits = self.limits.iter().zip(counts);
        let mut of_it = limits.filter(|(limit, _)| limit.expectation == expectation);
        of_it.next().map_or(0, |(_, &count)| count)
    }

    /// What should not have happened.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    pub(crate) fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// When faults had the broker away, to be told of more.
    pub(crate) fn broker_times_mut(&mut self) -> &mut BrokerTimes {
        &mut self.broker_times
    }

    /// A device fell silent, or talks again, or the broker closed what it had left open.
    pub(crate) fn handle(&mut self, event: &Event, fact: SilenceFact, known: Circumstances) {
        let key = (event.client, event.socket);
        match fact {
            SilenceFact::Began { keep_alive, .. } if keep_alive.is_zero() => {}
            SilenceFact::Began {
                fault,
                number,
                keep_alive,
                said_at,
            } => {
                let excused_until = self.mutes.excused_until(event.socket);
                let open = Open {
                    device: event.device,
                    fault,
                    keep_alive,
                    said_at: (!known.is_on_link).then_some(said_at),
                    excused_until,
                };
                if known.is_muted {
                    let by = (fault, number);
                    self.mutes
                        .begin(event.socket, by, open.patience(), open.said_at);
                }
                self.open.insert(key, open);
                self.counts.began += 1;
            }
            SilenceFact::Broken => {
                self.mutes.break_off(event);
                if let Some(open) = self.open.remove(&key) {
                    self.counts.broken += 1;
                    self.judge_open(event.now, open, known);
                }
            }
            SilenceFact::Closed {
                heard_at,
                last_at,
                told,
            } => {
                self.mutes.close(event, heard_at);
                if let Some(open) = self.open.remove(&key) {
                    let close = Close {
                        at: event.arrived,
                        heard_at,
                        last_at,
                        told,
                    };
                    self.handle_closed(&close, open, known);
                }
            }
        }
    }

    /// The last of what a device did before it fell silent has left its link.
    pub(crate) fn handle_left(&mut self, event: &Event) {
        if let Some(open) = self.open.get_mut(&(event.client, event.socket)) {
            open.said_at.get_or_insert(event.now);
        }
        self.mutes.handle_left(event);
    }

    /// A connection is over. The fault that had muted its device, if that is why the broker ended it.
    pub(crate) fn handle_ended(&mut self, event: &Event, cause: EndCause) -> Option<FaultId> {
        let fault = self.end_by_mute(event, cause);
        self.mutes.forget(event.socket);
        fault
    }

    /// The fault that had muted a device, if that is why the broker ended its connection.
    pub(crate) fn end_by_mute(&self, event: &Event, cause: EndCause) -> Option<FaultId> {
        match cause {
            EndCause::PeerClosed(_) | EndCause::ServerDisconnect(_) => self.mutes.cause_of(event),
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::Qos2Cut { .. }
            | EndCause::ProtocolError(_)
            | EndCause::Refused
            | EndCause::TimedOut
            | EndCause::RunEnded => None,
        }
    }

    /// What came of the time that a fault muted devices after `number` others.
    pub(crate) fn effects(&self, fault: FaultId, number: u64) -> Option<MuteEffects> {
        self.mutes.effects(fault, number)
    }

    /// A CONNECT was sent for a Client Identifier: its older connections are to be closed at once [MQTT-3.1.4-3].
    pub(crate) fn handle_connect_sent(&mut self, client: ClientKey) {
        let first = (client, SocketId(0));
        while let Some((&key, _)) = self
            .open
            .range(first..)
            .next()
            .filter(|((of, _), _)| *of == client)
        {
            self.open.remove(&key);
            self.counts.taken_over += 1;
        }
    }

    /// A CONNECT has left its device's link: a silence that began meanwhile on an older connection is ended by it too.
    pub(crate) fn handle_connect_left(&mut self, event: &Event) {
        let first = (event.client, SocketId(0));
        let of_client = self.open.range(first..).map(|(&key, _)| key);
        let of_client = of_client.take_while(|&(client, _)| client == event.client);
        let older: Vec<_> = of_client
            .filter(|&(_, socket)| socket != event.socket)
            .collect();
        for key in older {
            self.open.remove(&key);
            self.counts.taken_over += 1;
        }
    }

    /// The run is over: judges what the broker has left open for longer than it may.
    pub(crate) fn close(&mut self, now: Instant) {
        for open in std::mem::take(&mut self.open).into_values() {
            self.counts.open += 1;
            let known = Circumstances {
                is_on_link: false,
                is_muted: false,
                unread: None,
            };
            self.judge_open(now, open, known);
        }
    }

    /// Judges a connection that the broker has not closed by `now`.
    fn judge_open(&mut self, now: Instant, open: Open, known: Circumstances) {
        let due = open.said_at.map(|said_at| said_at + open.patience());
        let due = due.map(|due| due + self.broker_times.away_between(due, now));
        if let Some(due) = due.filter(|&due| due < now && known.sees_at(due)) {
            let beyond = now.saturating_since(due);
            self.counts.longest_open = self.counts.longest_open.max(Some(beyond));
            for (limit, left) in self.limits.iter().zip(&mut self.left_open) {
                *left += u64::from(beyond > limit.closed_within);
            }
            self.judge_late(now, open, due, "still open");
        }
    }

    /// Judges a connection that the broker closed.
    fn handle_closed(&mut self, close: &Close, open: Open, known: Circumstances) {
        let at = close.at;
        let not_before = close.heard_at + open.patience();
        if self.broker_times.ended_process(close.heard_at, at) {
            // It ended with the broker's process, or that has forgotten it.
            self.counts.ended_with_broker += 1;
            return;
        }
        let is_excused = open.excused_until.is_some_and(|until| at <= until);
        if at < not_before && !is_excused {
            let by = not_before.saturating_since(at);
            if self.history.has_other_clients() && !close.is_by_keep_alive() {
                self.counts.unclear += 1;
                self.counts.unclear_by = self.counts.unclear_by.max(Some(by));
                return;
            }
            self.judge_early(at, open, by);
        }
        self.counts.closed += 1;
        let due = close.last_at + open.patience();
        let due = due + self.broker_times.away_between(due, at);
        if known.sees_at(due) {
            let beyond = at.saturating_since(due);
            self.counts.slowest = self.counts.slowest.max(Some(beyond));
            self.judge_late(at, open, due, "closed");
        }
    }

    fn judge_early(&mut self, at: Instant, open: Open, by: Duration) {
        self.counts.early += 1;
        self.counts.earliest = self.counts.earliest.max(Some(by));
        let what = format!(
            "closed {} before one and a half times its Keep Alive of {} had passed without a packet",
            text(by),
            text(open.keep_alive)
        );
        let subject = Subject::after(Some(open.fault), open.device);
        let noticed = subject.between(at - open.patience(), at);
        self.note(AnomalyKind::ClosedEarly, at, noticed, what);
    }

    /// Judges a connection that was closed `at`, or is `still open` then, and was to be closed by `due`.
    fn judge_late(&mut self, at: Instant, open: Open, due: Instant, how: &str) {
        let beyond = at.saturating_since(due);
        for place in 0..self.limits.len() {
            let limit = self.limits[place].closed_within;
            if beyond <= limit {
                continue;
            }
            self.late[place] += 1;
            let what = format!(
                "{how} {} after one and a half times its Keep Alive of {} had passed without a packet, the limit is {} \
                 [MQTT-3.1.2-22]",
                text(beyond),
                text(open.keep_alive),
                text(limit)
            );
            let noticed = Subject::after(Some(open.fault), open.device).between(due, at);
            self.note(
                AnomalyKind::ClosedLate,
                at,
                noticed.beyond(beyond - limit),
                what,
            );
        }
    }

    fn note(&mut self, kind: AnomalyKind, at: Instant, noticed: Noticed, explanation: String) {
        let subject = noticed.subject();
        self.anomalies.note(kind, noticed, || Anomaly {
            by_counts: None,
            kind,
            at,
            device: subject.device,
            recipient: None,
            topic: None,
            sequence: None,
            explanation,
            scope: subject.scope,
        });
    }
}

fn text(duration: Duration) -> String {
    duration_text(duration.as_secs_f64())
}
