//! What each fact, and what the ledger made of it, adds to the numbers.

use std::time::Duration;

use squall_fleet::{
    ConnectionFact, Fact, Observation, Pace, Phase, Planned, PublicationFact, Standstill,
    SubscriptionFact,
};
use squall_protocol::Instant;
use squall_run::{CountedFrom, Event, MetricName, PhaseKind};
use squall_scenario::GroupId;

use super::Metrics;
use super::arrival::Arrival;
use super::cell::{CellTags, Measure, Scheduled};
use super::populations::Population;
use super::rates::RateKey;
use crate::books::{Acknowledged, Answered, Finding, FirstDelivery, HandshakeTime, Wait, WillSeen};

impl Metrics {
    /// The generator got to a message that was due at `scheduled`: gives the phase that this was in.
    fn hear_due(
        &mut self,
        now: Instant,
        group: GroupId,
        pace: Pace,
        scheduled: Instant,
    ) -> PhaseKind {
        match pace {
            Pace::Schedule => self.record_lag(now, Some(group), Scheduled::Message, scheduled),
            // It was due by nothing but itself.
            Pace::ClosedLoop => {}
        }
        self.phase_at(scheduled)
    }

    /// A device saw or did something; `online` devices are connected after it.
    pub(crate) fn observe(&mut self, now: Instant, observation: &Observation<'_>, online: u64) {
        self.note_generator(now, observation);
        let Some(group) = self.roster.group_about(observation.about) else {
            return;
        };
        let of_group = CellTags {
            group: Some(group),
            ..CellTags::default()
        };
        let key = |event, qos| RateKey::of(event, group, qos);
        let arrival = Arrival::of(now, observation);
        self.last = now;
        self.timeline.count(now, online, &observation.fact);
        match observation.fact {
            Fact::Connection(ConnectionFact::Connected { opened_at, .. }) => {
                self.record_connected(of_group, arrival, opened_at);
                self.rates.count(now, key(Event::Connected, None));
            }
            Fact::Subscription(SubscriptionFact::Answered { sent_at, .. }) => {
                self.record_subscribed(of_group, arrival, sent_at);
            }
            Fact::Publication(ref fact) => self.hear_publication(now, group, fact),
            Fact::Begun { what, due } => self.note_begun(now, group, what, due),
            Fact::Connection(
                ConnectionFact::OpenStarted
                | ConnectionFact::OpenFailed(_)
                | ConnectionFact::ConnectSent { .. }
                | ConnectionFact::Refused(_)
                | ConnectionFact::Ended(_)
                | ConnectionFact::LeftLink(_)
                | ConnectionFact::CloseArrived(_)
                | ConnectionFact::LinkAtEnd(_)
                | ConnectionFact::ReadingStopped { .. }
                | ConnectionFact::ReadingResumed { .. }
                | ConnectionFact::QuotaExceeded { .. }
                | ConnectionFact::StillOnLink(_),
            )
            | Fact::Subscription(_)
            | Fact::Link(_)
            | Fact::Silence(_)
            | Fact::Exchange(_)
            | Fact::Leg(_)
            | Fact::Delivered(_)
            | Fact::StoodStill { .. }
            | Fact::FaultApplied(_)
            | Fact::Broker(_)
            | Fact::Provocation(_)
            | Fact::Retained(_) => {}
        }
    }

    fn hear_publication(&mut self, now: Instant, group: GroupId, fact: &PublicationFact<'_>) {
        let key = |event, qos| RateKey::of(event, group, Some(qos));
        match *fact {
            PublicationFact::Due {
                stamp, qos, pace, ..
            } => {
                let phase = self.hear_due(now, group, pace, stamp.scheduled);
                self.rates.count_in(phase, key(Event::Due, qos));
            }
            PublicationFact::Sent { qos, .. } => self.rates.count(now, key(Event::Sent, qos)),
            PublicationFact::Skipped { stamp, qos, .. } => {
                self.count_skipped(stamp.scheduled, key(Event::Dropped, qos));
            }
            PublicationFact::Repeated { .. } | PublicationFact::Acknowledged { .. } => {}
        }
    }

    fn count_skipped(&mut self, scheduled: Instant, dropped: RateKey) {
        let phase = self.phase_at(scheduled);
        self.rates.count_in(phase, dropped);
    }

    fn record_subscribed(&mut self, of_group: CellTags, arrival: Arrival, sent_at: Instant) {
        let measure = Measure::new(MetricName::SubscribeLatency, of_group);
        self.record_answer(measure, arrival, sent_at);
    }

    fn record_connected(&mut self, of_group: CellTags, arrival: Arrival, opened_at: Instant) {
        let took = arrival.now.saturating_since(opened_at);
        self.timeline.record_connected(arrival.now, took);
        let measure = Measure::new(MetricName::ConnectLatency, of_group);
        self.record_answer(measure, arrival, opened_at);
    }

    fn note_begun(&mut self, now: Instant, group: GroupId, what: Planned, due: Instant) {
        self.record_lag(now, Some(group), Scheduled::of(what), due);
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
            Finding::Unstamped(published) => {
                self.timeline.count_unstamped(now);
                self.rates
                    .count(now, key(Event::Delivered, Some(published)));
            }
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
                let measure = Measure::new(MetricName::TimeToWill, tags);
                self.record_will(measure, arrival, &seen);
                self.timeline.count_will(now);
            }
            Finding::Displaced(took) => {
                let measure = Measure::new(MetricName::TakeoverTime, of_group);
                self.record_since(measure, arrival, took.after);
                self.record_with_links(measure, now, took.with_links);
            }
            Finding::Answered(answered) => self.record_answered(of_group, &answered, arrival),
            Finding::RoundTrip(took) => self.round_trips[usize::from(group.0)].record(took),
            Finding::Reconnected(after) => {
                self.record_until_now(
                    Measure::new(MetricName::ReconnectDelay, of_group),
                    arrival,
                    after,
                );
            }
            Finding::Handshake(time) => {
                let (name, took) = handshake_metric(time);
                self.record_until_now(Measure::new(name, of_group), arrival, took);
            }
            Finding::NotConnected => {
                self.timeline.count_not_connected(now);
                self.rates.count(now, key(Event::Error, None));
            }
            Finding::Error => self.rates.count(now, key(Event::Error, None)),
        }
    }

    /// The answer came to what a device had asked for at `since`.
    fn record_answer(&mut self, measure: Measure, arrival: Arrival, since: Instant) {
        self.record_until_now(measure, arrival, arrival.now.saturating_since(since));
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
        let measure = Measure::new(MetricName::E2eLatency, tags);
        self.record(measure, CountedFrom::Scheduled, due, latency);
        let reached_at = first.reached_at.unwrap_or(due);
        let left = self.less_lag(reached_at, arrival);
        self.record(measure, CountedFrom::LessLag, due, left);
        if let Some(sent_at) = first.sent_at {
            self.timeline.count_under_way(sent_at, now);
            let took = now.saturating_since(sent_at);
            self.record(measure, CountedFrom::Sent, due, took);
            if self.times_service {
                let measure = Measure::new(MetricName::ServiceLatency, tags);
                self.record(measure, CountedFrom::Scheduled, due, took);
                let left = self.less_lag(sent_at, arrival);
                self.record(measure, CountedFrom::LessLag, due, left);
            }
        }
        self.record_spent(tags, first, arrival);
        let population = Population {
            group,
            qos: first.published,
            is_late: first.wait == Wait::Offline,
        };
        self.timeline.record_e2e(now, population, latency);
        let key = RateKey::of(Event::Delivered, group, Some(first.published));
        self.rates.count(now, key);
    }

    /// The response to a request came to the device that asked.
    fn record_answered(&mut self, tags: CellTags, answered: &Answered, arrival: Arrival) {
        let measure = Measure::new(MetricName::RoundTrip, tags);
        let &Answered {
            due,
            reached_at,
            sent_at,
        } = answered;
        let now = arrival.now;
        self.record(
            measure,
            CountedFrom::Scheduled,
            due,
            now.saturating_since(due),
        );
        let left = self.less_lag(reached_at, arrival);
        self.record(measure, CountedFrom::LessLag, due, left);
        if let Some(sent_at) = sent_at {
            let took = self.since_written(sent_at, now);
            self.record(measure, CountedFrom::Sent, due, took);
        }
    }

    /// A will reached a watcher: as long as the broker had for it, and as long as it took.
    fn record_will(&mut self, measure: Measure, arrival: Arrival, seen: &WillSeen) {
        let came = arrival.without_link();
        let took = seen.after + came.waited.unwrap_or_default();
        let since = came.now - took;
        let began = since - seen.barred;
        self.record(measure, CountedFrom::Scheduled, began, took);
        let left = self.less_lag(since, came).min(took);
        self.record(measure, CountedFrom::LessLag, began, left);
        self.record_with_links(measure, arrival.now, seen.with_links);
    }

    /// A time that ended at `now`, with what simulated links held.
    fn record_with_links(&mut self, measure: Measure, now: Instant, took: Duration) {
        self.record(measure, CountedFrom::WithLinks, now - took, took);
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
        let measure = Measure::new(MetricName::AckLatency, tags);
        self.record(measure, CountedFrom::Scheduled, due, latency);
        let reached_at = message.map_or(due, |message| message.reached_at);
        let left = self.less_lag(reached_at, arrival);
        self.record(measure, CountedFrom::LessLag, due, left);
        if let Some(message) = message {
            let took = self.since_written(message.sent_at, now);
            self.record(measure, CountedFrom::Sent, due, took);
        }
    }

    /// What the fact tells of the generator itself.
    fn note_generator(&mut self, now: Instant, observation: &Observation<'_>) {
        if let Fact::StoodStill { since, what } = observation.fact {
            match what {
                Standstill::Whole => self.standstills.note(since, now),
                Standstill::Writing => self.unwritten.note(since, now),
            }
        }
        if let Fact::Begun {
            what: Planned::Phase(phase),
            due,
        } = observation.fact
        {
            self.note_phase(now, phase, due);
        }
    }

    /// A phase began whose moment the scenario tells.
    fn note_phase(&mut self, now: Instant, phase: Phase, due: Instant) {
        self.record_lag(now, None, Scheduled::Phase, due);
        self.phase_lags.push((phase, now.saturating_since(due)));
    }
}

fn handshake_metric(time: HandshakeTime) -> (MetricName, Duration) {
    match time {
        HandshakeTime::Pubrec(took) => (MetricName::Qos2Pubrec, took),
        HandshakeTime::Pubrel(took) => (MetricName::Qos2Pubrel, took),
        HandshakeTime::Pubcomp(took) => (MetricName::Qos2Pubcomp, took),
        HandshakeTime::Whole(took) => (MetricName::Qos2Handshake, took),
    }
}
