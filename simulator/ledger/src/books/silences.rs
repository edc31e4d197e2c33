//! Devices that fell silent and left their connections open: whether the broker closes them when one and a half
//! times Keep Alive have passed [MQTT-3.1.2-22], and not before.
//!
//! Counted as a packet capture would: from the last packet before the silence to the broker's FIN or RST. A silence that another
//! connection of the same Client Identifier ends is a takeover's, and says nothing; so does one that the run ends before
//! its time is up.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_fleet::{SilenceFact, SocketId};
use squall_protocol::Instant;
use squall_run::{AnomalyKind, duration_text};
use squall_scenario::{BrokerHistory, ClientKey, DeviceId, FaultId};

use super::anomalies::{Anomalies, Anomaly, Noticed, Subject};
use super::event::Event;
use super::memory::Memory;

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
    /// Connections with a Keep Alive on which a device fell silent. Each is in one of the next four counts.
    pub(crate) began: u64,
    /// The broker closed it.
    pub(crate) closed: u64,
    /// Another connection of its Client Identifier came, which ends it at once.
    pub(crate) taken_over: u64,
    /// The broker closed it early, and another client of the broker may have taken it over.
    pub(crate) unclear: u64,
    /// Open at the end of the run.
    pub(crate) open: u64,
    /// Of those that were closed, before one and a half times Keep Alive had passed.
    pub(crate) early: u64,
    /// The longest time from then to the close, or to the end of the run.
    pub(crate) slowest: Option<Duration>,
    /// The longest time by which one was closed before.
    pub(crate) earliest: Option<Duration>,
}

/// The book of silences.
#[derive(Debug)]
pub(crate) struct Silences {
    history: BrokerHistory,
    limits: Vec<SilenceLimit>,
    /// By [`SilenceLimit`].
    late: Vec<u64>,
    open: BTreeMap<(ClientKey, SocketId), Open>,
    counts: SilenceCounts,
    anomalies: Anomalies,
}

/// A silence that goes on.
#[derive(Clone, Copy, Debug)]
struct Open {
    device: DeviceId,
    fault: FaultId,
    keep_alive: Duration,
    /// When the last byte before it had left the device and its link; `None` while the link may hold some.
    said_at: Option<Instant>,
}

impl Open {
    /// How long the broker must wait and may not wait any longer [MQTT-3.1.2-22].
    fn patience(&self) -> Duration {
        self.keep_alive * 3 / 2
    }
}

impl Silences {
    /// Nothing was silent yet.
    pub(crate) fn new(history: BrokerHistory, limits: Vec<SilenceLimit>, memory: Memory) -> Self {
        Self {
            history,
            late: vec![0; limits.len()],
            limits,
            open: BTreeMap::new(),
            counts: SilenceCounts::default(),
            anomalies: Anomalies::new(memory.anomalies_per_kind),
        }
    }

    /// What was counted.
    pub(crate) fn counts(&self) -> &SilenceCounts {
        &self.counts
    }

    /// Connections that were closed later than the `[[expect]]` with this number allows, or not at all.
    pub(crate) fn late(&self, expectation: usize) -> u64 {
        let limits = self.limits.iter().zip(&self.late);
        let mut of_it = limits.filter(|(limit, _)| limit.expectation == expectation);
        of_it.next().map_or(0, |(_, &late)| late)
    }

    /// What should not have happened.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    pub(crate) fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// A device fell silent, or the broker closed what it had left open.
    pub(crate) fn handle(&mut self, event: &Event, fact: SilenceFact, is_on_link: bool) {
        match fact {
            SilenceFact::Began { keep_alive, .. } if keep_alive.is_zero() => {}
            SilenceFact::Began {
                fault,
                keep_alive,
                said_at,
            } => {
                let open = Open {
                    device: event.device,
                    fault,
                    keep_alive,
                    said_at: (!is_on_link).then_some(said_at),
                };
                self.open.insert((event.client, event.socket), open);
                self.counts.began += 1;
            }
            SilenceFact::Closed { heard_at, last_at } => {
                if let Some(open) = self.open.remove(&(event.client, event.socket)) {
                    self.handle_closed(event.arrived, open, heard_at, last_at);
                }
            }
        }
    }

    /// The last of what a device did before it fell silent has left its link.
    pub(crate) fn handle_left(&mut self, event: &Event) {
        if let Some(open) = self.open.get_mut(&(event.client, event.socket)) {
            open.said_at.get_or_insert(event.now);
        }
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

    /// The run is over: judges what the broker has left open for longer than it may.
    pub(crate) fn close(&mut self, now: Instant) {
        for open in std::mem::take(&mut self.open).into_values() {
            self.counts.open += 1;
            let due = open.said_at.map(|said_at| said_at + open.patience());
            if let Some(due) = due.filter(|&due| due < now) {
                self.judge_late(now, open, due, "still open");
            }
        }
    }

    fn handle_closed(&mut self, at: Instant, open: Open, heard_at: Instant, last_at: Instant) {
        let not_before = heard_at + open.patience();
        if at < not_before {
            if self.history.has_other_clients() {
                self.counts.unclear += 1;
                return;
            }
            self.judge_early(at, open, not_before.saturating_since(at));
        }
        self.counts.closed += 1;
        self.judge_late(at, open, last_at + open.patience(), "closed");
    }

    fn judge_early(&mut self, at: Instant, open: Open, by: Duration) {
        self.counts.early += 1;
        self.counts.earliest = self.counts.earliest.max(Some(by));
        let what = format!(
            "closed {} before one and a half times its Keep Alive of {} had passed without a packet",
            text(by),
            text(open.keep_alive)
        );
        let noticed = Subject::after(Some(open.fault), open.device).into();
        self.note(AnomalyKind::ClosedEarly, at, noticed, what);
    }

    /// Judges a connection that was closed `at`, or is `still open` then, and was to be closed by `due`.
    fn judge_late(&mut self, at: Instant, open: Open, due: Instant, how: &str) {
        let beyond = at.saturating_since(due);
        self.counts.slowest = self.counts.slowest.max(Some(beyond));
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
