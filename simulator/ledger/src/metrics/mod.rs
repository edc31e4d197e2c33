//! Numbers of a run: distributions of times by tags, counters over time, rates.
//!
//! It hears the same facts as the ledger, and what the ledger made of them. A time is a sample of
//! the phase in which what it measures was due; warm-up is kept apart by that tag and left out of
//! every threshold. Latencies count from the due time of a message, whatever held it up; beside
//! them, times from the actual sending are kept for comparison, and times less what the generator
//! itself held up, which tell its share of each percentile.
//!
//! Histograms cover 1 µs to 1 h with three significant digits; longer times are counted in an
//! overflow, nothing is clipped. A sample is in exactly one cell.

mod cell;
mod populations;
mod rates;
mod series;
mod standstill;
mod thresholds;
mod under_way;

use std::collections::BTreeMap;
use std::time::Duration;

use cell::{Cell, CellTags};
use populations::Population;
use rates::{RateKey, Rates};
use series::Timeline;
use squall_fleet::{
    ConnectionFact, Fact, Observation, Phase, Planned, PublicationFact, SubscriptionFact,
};
use squall_protocol::Instant;
use squall_run::{CountedFrom, Event, Histogram, MetricCell, MetricName, PhaseKind};
use squall_scenario::{GroupId, Scenario};
use standstill::Standstills;

use crate::books::{Acknowledged, Finding, FirstDelivery, HandshakeTime, Roster, Wait};

pub(crate) use cell::Scheduled;
pub(crate) use thresholds::judge_thresholds;

/// All numbers of a run.
#[derive(Debug)]
pub struct Metrics {
    roster: Roster,
    cells: BTreeMap<Cell, Histogram>,
    timeline: Timeline,
    standstills: Standstills,
    /// The longest of all lags, and of all waits to be read.
    held_up: Duration,
    /// By metric: how many had no end when the books were closed, and the age of the oldest.
    unfinished: BTreeMap<MetricName, (u64, Duration)>,
    /// How long after its moment each phase began whose moment the scenario tells.
    phase_lags: Vec<(Phase, Duration)>,
    rates: Rates,
    /// From CONNECT to CONNACK, by group: both ways of a link.
    round_trips: Vec<Histogram>,
    /// When each phase began, in order.
    phases: Vec<(PhaseKind, Instant)>,
    ended_at: Instant,
    /// Of the last thing that was heard.
    last: Instant,
}

/// When the generator read something, how long that had waited for the generator, and how long the
/// device's link had held it.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    now: Instant,
    waited: Option<Duration>,
    on_link: Duration,
}

impl Arrival {
    fn of(now: Instant, observation: &Observation<'_>) -> Self {
        Self {
            now,
            waited: observation.waited,
            on_link: observation.on_link,
        }
    }

    /// The same without a link.
    fn without_link(self) -> Self {
        Self {
            now: self.now - self.on_link,
            on_link: Duration::ZERO,
            ..self
        }
    }
}

impl Metrics {
    /// Nothing was measured yet.
    pub(crate) fn new(roster: Roster) -> Self {
        Self {
            round_trips: vec![Histogram::new(); roster.groups()],
            roster,
            cells: BTreeMap::new(),
            timeline: Timeline::new(),
            standstills: Standstills::default(),
            held_up: Duration::ZERO,
            unfinished: BTreeMap::new(),
            phase_lags: Vec::new(),
            rates: Rates::new(),
            phases: vec![(PhaseKind::Connect, Instant::ZERO)],
            ended_at: Instant::ZERO,
            last: Instant::ZERO,
        }
    }

    /// A phase began at `at`.
    pub(crate) fn enter_phase(&mut self, at: Instant, phase: Phase) {
        self.last = at;
        match phase.kind() {
            Some(kind) => {
                if self.phases.last().is_none_or(|&(last, _)| last != kind) {
                    self.phases.push((kind, at));
                    self.rates.enter_phase(at, kind);
                }
            }
            None => self.ended_at = at,
        }
        self.timeline.begin_phase(at);
    }

    /// A device saw or did something; `online` devices are connected after it.
    pub(crate) fn observe(&mut self, now: Instant, observation: &Observation<'_>, online: u64) {
        self.held_up = self.held_up.max(observation.waited.unwrap_or_default());
        if let Fact::StoodStill { since } = observation.fact {
            self.standstills.note(since, now);
        }
        if let Fact::Begun {
            what: Planned::Phase(phase),
            due,
        } = observation.fact
        {
            self.note_phase(now, phase, due);
        }
        let Some(group) = self.roster.group_about(observation.about) else {
            return;
        };
        let of_group = CellTags {
            group: Some(group),
            ..CellTags::default()
        };
        let key = |event, qos| RateKey::of(event, group, qos);
        self.last = now;
        self.timeline.count(now, online, &observation.fact);
        match observation.fact {
            Fact::Connection(ConnectionFact::Connected { opened_at, .. }) => {
                let latency = now.saturating_since(opened_at);
                let cell = (MetricName::ConnectLatency, of_group);
                self.record(cell, opened_at, latency);
                let left = self.less_lag(opened_at, Arrival::of(now, observation));
                self.record_less_lag(cell, opened_at, left);
                self.rates.count(now, key(Event::Connected, None));
            }
            Fact::Subscription(SubscriptionFact::Answered { sent_at, .. }) => {
                let arrival = Arrival::of(now, observation);
                let took = now.saturating_since(sent_at);
                self.record_until_now((MetricName::SubscribeLatency, of_group), arrival, took);
            }
            Fact::Publication(PublicationFact::Due { stamp, qos, .. }) => {
                self.record_lag(now, (Some(group), Scheduled::Message), stamp.scheduled);
                let phase = self.phase_at(stamp.scheduled);
                self.rates.count_in(phase, key(Event::Due, Some(qos)));
            }
            Fact::Begun { what, due } => {
                let what = match what {
                    Planned::Connect => Scheduled::Connect,
                    Planned::Reconnect => Scheduled::Reconnect,
                    Planned::Fault(_) => Scheduled::Fault,
                    Planned::Phase(_) => Scheduled::Phase,
                };
                self.record_lag(now, (Some(group), what), due);
            }
            Fact::Publication(PublicationFact::Sent { qos, .. }) => {
                self.rates.count(now, key(Event::Sent, Some(qos)));
            }
            Fact::Publication(PublicationFact::Skipped { stamp, qos, .. }) => {
                let phase = self.phase_at(stamp.scheduled);
                self.rates.count_in(phase, key(Event::Dropped, Some(qos)));
            }
            Fact::Connection(
                ConnectionFact::OpenStarted
                | ConnectionFact::OpenFailed(_)
                | ConnectionFact::ConnectSent { .. }
                | ConnectionFact::Refused(_)
                | ConnectionFact::Ended(_)
                | ConnectionFact::LeftLink(_)
                | ConnectionFact::StillOnLink(_),
            )
            | Fact::Subscription(SubscriptionFact::Sent { .. })
            | Fact::Publication(PublicationFact::Acknowledged { .. })
            | Fact::Leg(_)
            | Fact::Delivered(_)
            | Fact::StoodStill { .. }
            | Fact::FaultApplied(_)
            | Fact::Retained(_) => {}
        }
    }

    /// The ledger made something of what the device saw.
    pub(crate) fn handle_finding(
        &mut self,
        now: Instant,
        observation: &Observation<'_>,
        finding: &Finding,
    ) {
        let Some(group) = self.roster.group_about(observation.about) else {
            return;
        };
        let of_group = CellTags {
            group: Some(group),
            ..CellTags::default()
        };
        let key = |event, qos| RateKey::of(event, group, qos);
        let arrival = Arrival::of(now, observation);
        match *finding {
            Finding::Delivered(first) => self.record_delivered(group, &first, arrival),
            Finding::Acknowledged { stamp, message } => {
                let tags = CellTags {
                    qos: message.map(|message| message.qos),
                    ..of_group
                };
                self.record_acknowledged(tags, stamp.scheduled, message, arrival);
            }
            Finding::Will(seen) => {
                let tags = CellTags {
                    how: Some(seen.cause),
                    fault: seen.fault,
                    ..of_group
                };
                self.record_since((MetricName::TimeToWill, tags), arrival, seen.after);
                self.timeline.count_will(now);
            }
            Finding::Displaced(after) => {
                self.record_since((MetricName::TakeoverTime, of_group), arrival, after);
            }
            Finding::RoundTrip(took) => self.round_trips[usize::from(group.0)].record(took),
            Finding::Reconnected(after) => {
                self.record_until_now((MetricName::ReconnectDelay, of_group), arrival, after);
            }
            Finding::Handshake(time) => {
                let (name, took) = match time {
                    HandshakeTime::Pubrec(took) => (MetricName::Qos2Pubrec, took),
                    HandshakeTime::Pubrel(took) => (MetricName::Qos2Pubrel, took),
                    HandshakeTime::Pubcomp(took) => (MetricName::Qos2Pubcomp, took),
                    HandshakeTime::Whole(took) => (MetricName::Qos2Handshake, took),
                };
                self.record_until_now((name, of_group), arrival, took);
            }
            Finding::NotConnected => {
                self.timeline.count_not_connected(now);
                self.rates.count(now, key(Event::Error, None));
            }
            Finding::Error => self.rates.count(now, key(Event::Error, None)),
        }
    }

    /// A message that was due came to a recipient of `group` for the first time.
    fn record_delivered(&mut self, group: GroupId, first: &FirstDelivery, arrival: Arrival) {
        let tags = CellTags {
            group: Some(group),
            qos: Some(first.published),
            is_late: first.wait == Wait::Offline,
            ..CellTags::default()
        };
        let (due, now) = (first.stamp.scheduled, arrival.now);
        let latency = now.saturating_since(due);
        self.record((MetricName::E2eLatency, tags), due, latency);
        let reached_at = first.reached_at.unwrap_or(due);
        let left = self.less_lag(reached_at, arrival);
        self.record_less_lag((MetricName::E2eLatency, tags), due, left);
        if let Some(sent_at) = first.sent_at {
            self.record_service((MetricName::E2eLatency, tags), due, (sent_at, now));
        }
        let population = Population {
            group,
            qos: first.published,
            is_late: first.wait == Wait::Offline,
        };
        self.timeline.record_e2e(now, population, latency);
        let key = RateKey::of(Event::Delivered, group, Some(first.published));
        self.rates.count(now, key);
    }

    /// The exchange of a message that was due at `due` ended with success.
    fn record_acknowledged(
        &mut self,
        tags: CellTags,
        due: Instant,
        message: Option<Acknowledged>,
        arrival: Arrival,
    ) {
        let now = arrival.now;
        let latency = now.saturating_since(due);
        self.record((MetricName::AckLatency, tags), due, latency);
        let reached_at = message.map_or(due, |message| message.reached_at);
        let left = self.less_lag(reached_at, arrival);
        self.record_less_lag((MetricName::AckLatency, tags), due, left);
        if let Some(message) = message {
            let stretch = (message.sent_at, now);
            self.record_service((MetricName::AckLatency, tags), due, stretch);
        }
    }

    /// The distributions as the run file has them.
    pub(crate) fn cells(&self, scenario: &Scenario) -> squall_run::Metrics {
        let cells = self.cells.iter().map(|(cell, histogram)| MetricCell {
            name: cell.name,
            counted_from: cell.counted_from,
            tags: cell.tags.names(scenario, cell.phase),
            histogram: histogram.clone(),
        });
        squall_run::Metrics {
            cells: cells.collect(),
        }
    }

    /// Times from CONNECT to CONNACK of a group's devices.
    pub(crate) fn round_trips(&self, group: GroupId) -> &Histogram {
        &self.round_trips[usize::from(group.0)]
    }

    /// The counters over time.
    pub(crate) fn series(&self, scenario: &Scenario) -> squall_run::Series {
        self.timeline.series(scenario, self.last)
    }

    /// Rates by group and QoS.
    pub(crate) fn rates(&self, scenario: &Scenario) -> squall_run::Rates {
        self.rates.outcome(scenario, self.measured())
    }

    /// The longest that the generator was held up: it did nothing, it did something that much too late, or
    /// something had waited that long for it to be read.
    pub(crate) fn held_up(&self) -> Duration {
        self.held_up.max(self.standstills.longest())
    }

    /// Whether devices had begun to publish: every one had had its time to connect.
    pub(crate) fn has_load(&self) -> bool {
        self.stretch(PhaseKind::Warmup).is_some()
    }

    /// From when to when the measured part lasted; `None` if it never began.
    pub(crate) fn measured(&self) -> Option<(Instant, Instant)> {
        self.stretch(PhaseKind::Measure)
    }

    /// From when to when a phase lasted; `None` if it never began.
    fn stretch(&self, wanted: PhaseKind) -> Option<(Instant, Instant)> {
        let place = self.phases.iter().position(|&(kind, _)| kind == wanted)?;
        let start = self.phases[place].1;
        let end = self
            .phases
            .get(place + 1)
            .map_or(self.ended_at, |&(_, end)| end);
        Some((start, end.max(start)))
    }

    fn record(&mut self, (name, tags): (MetricName, CellTags), due: Instant, took: Duration) {
        let cell = Cell {
            name,
            counted_from: CountedFrom::Scheduled,
            tags,
            phase: self.phase_at(due),
        };
        self.cells.entry(cell).or_default().record(took);
    }

    /// How long after its moment each phase began whose moment the scenario tells.
    pub(crate) fn phase_lags(&self) -> &[(Phase, Duration)] {
        &self.phase_lags
    }

    /// A phase began whose moment the scenario tells.
    fn note_phase(&mut self, now: Instant, phase: Phase, due: Instant) {
        self.record_lag(now, (None, Scheduled::Phase), due);
        self.phase_lags.push((phase, now.saturating_since(due)));
    }

    /// Something that was due at `due` was begun.
    fn record_lag(
        &mut self,
        now: Instant,
        (group, of): (Option<GroupId>, Scheduled),
        due: Instant,
    ) {
        let lag = now.saturating_since(due);
        self.held_up = self.held_up.max(lag);
        let tags = CellTags {
            group,
            of: Some(of),
            ..CellTags::default()
        };
        self.record((MetricName::ScheduleLag, tags), due, lag);
        self.timeline.record_lag(now, lag);
    }

    /// A time that began when what the device did had left its link and ended when the broker's answer
    /// had arrived there; as measured, it ended when the generator read that.
    fn record_since(
        &mut self,
        cell: (MetricName, CellTags),
        arrival: Arrival,
        until_arrival: Duration,
    ) {
        let arrival = arrival.without_link();
        let Arrival { waited, .. } = arrival;
        let took = until_arrival + waited.unwrap_or_default();
        self.record_until_now(cell, arrival, took);
    }

    /// A time that began with what the device did, `took` before it read the broker's answer.
    fn record_until_now(&mut self, cell: (MetricName, CellTags), arrival: Arrival, took: Duration) {
        let began = arrival.now - took;
        self.record(cell, began, took);
        let left = self.less_lag(began, arrival).min(took);
        self.record_less_lag(cell, began, left);
    }

    /// For how long the generator stood still in the measured part, all in all and at once at most, and how
    /// long that part was.
    pub(crate) fn standstills_while_measuring(&self) -> Option<[Duration; 3]> {
        let (start, end) = self.measured()?;
        let all = self.standstills.within(start, end);
        let longest = self.standstills.longest().min(all);
        Some([all, longest, end.saturating_since(start)])
    }

    /// What is left, without what the generator held up, of the time from when it acted until it
    /// read the answer: up to when the answer arrived. Where that is not known, what it stood still
    /// meanwhile is left out instead, which is an upper bound of what it held up.
    ///
    /// Over a link the device's packet may have waited in it while the generator stood still: that part is
    /// left out too.
    fn less_lag(&self, acted: Instant, arrival: Arrival) -> Duration {
        let Arrival {
            now,
            waited,
            on_link,
        } = arrival;
        let came = now - waited.unwrap_or_default();
        let left = came.saturating_since(acted);
        if waited.is_some() && on_link.is_zero() {
            return left;
        }
        left.saturating_sub(self.standstills.within(acted, came))
    }

    fn record_less_lag(
        &mut self,
        (name, tags): (MetricName, CellTags),
        due: Instant,
        left: Duration,
    ) {
        let cell = Cell {
            name,
            counted_from: CountedFrom::LessLag,
            tags,
            phase: self.phase_at(due),
        };
        self.cells.entry(cell).or_default().record(left);
    }

    fn record_service(
        &mut self,
        (name, tags): (MetricName, CellTags),
        due: Instant,
        (from, to): (Instant, Instant),
    ) {
        let cell = Cell {
            name,
            counted_from: CountedFrom::Sent,
            tags,
            phase: self.phase_at(due),
        };
        self.cells
            .entry(cell)
            .or_default()
            .record(to.saturating_since(from));
    }

    fn phase_at(&self, at: Instant) -> PhaseKind {
        self.phases
            .iter()
            .rev()
            .find(|&&(_, start)| start <= at)
            .map_or(PhaseKind::Connect, |&(kind, _)| kind)
    }
}
