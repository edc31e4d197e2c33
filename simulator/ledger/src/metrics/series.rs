//! Counters over time, in a bounded number of intervals.
//!
//! An interval begins where a phase begins, so that none holds events of two phases, and where a fault
//! strikes, so that what it did is not counted with what came before it. Otherwise they have one
//! length, at first a second. When there are too many, neighbours within a phase are merged in pairs
//! and the length doubles, so a day and a minute take the same memory. Histograms are merged, never
//! averaged.

use std::time::Duration;

use squall_fleet::{ConnectionFact, Fact, PublicationFact};
use squall_protocol::Instant;
use squall_run::{Interval, Series};
use squall_scenario::Scenario;

use super::populations::{Known, Latencies, Population};
use crate::books::is_taken;

/// Intervals at most; with more, pairs are merged.
const INTERVALS_MAX: usize = 600;
/// Length of an interval at the start.
const FIRST_LENGTH: Duration = Duration::from_secs(1);

/// Counters over time.
#[derive(Debug)]
pub(crate) struct Timeline {
    length: Duration,
    /// Ascending, without gaps: each ends where the next one starts.
    spans: Vec<Span>,
    /// Devices that are connected now.
    online: u64,
    populations: Known,
}

/// An interval in the making.
#[derive(Debug)]
struct Span {
    start: Instant,
    /// What it shares with the interval before it.
    place: Place,
    /// The bounds and the end-to-end latencies in it are filled in when the series is handed out.
    counts: Interval,
    latencies: Latencies,
    /// Deliveries whose message was sent in it.
    set_out: u64,
    /// Deliveries that came in it, of those whose sending is known.
    came: u64,
}

/// Whether an interval may be merged with the one before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// It may not: it is the first of its phase.
    BeginsPhase,
    /// It may: its phase goes on.
    WithinPhase,
}

impl Timeline {
    /// Nothing has happened.
    pub(crate) fn new() -> Self {
        Self {
            length: FIRST_LENGTH,
            spans: vec![Span::new(Instant::ZERO, Place::BeginsPhase, 0)],
            online: 0,
            populations: Known::default(),
        }
    }

    /// A phase begins at `at`: so does an interval.
    ///
    /// If facts of later moments were counted already, it is the first interval from `at` on.
    pub(crate) fn begin_phase(&mut self, at: Instant) {
        self.fill_up_to(at);
        match self.spans.iter_mut().find(|span| span.start >= at) {
            Some(span) => span.place = Place::BeginsPhase,
            None => self.push(Span::new(at, Place::BeginsPhase, self.online)),
        }
    }

    /// A fault strikes at `at`: an interval begins there, unless one began a short time before, as
    /// for the second device that it hits.
    fn begin_fault(&mut self, at: Instant) {
        self.fill_up_to(at);
        let starts_before = self.spans.last().map(|span| span.start + self.length / 4);
        if starts_before.is_none_or(|earliest| earliest <= at) {
            self.push(Span::new(at, Place::WithinPhase, self.online));
        }
    }

    /// Counts a fact; `online` devices are connected after it.
    pub(crate) fn count(&mut self, now: Instant, online: u64, fact: &Fact<'_>) {
        if let Fact::FaultApplied(_) = fact {
            self.begin_fault(now);
        }
        // Intervals that are skipped keep the number of devices from before.
        self.at(now);
        self.online = online;
        let interval = self.at(now);
        interval.online = online;
        match fact {
            // Where it was due: the generator may come later.
            Fact::Publication(PublicationFact::Due { stamp, .. }) => {
                self.at(stamp.scheduled).scheduled += 1;
            }
            Fact::Publication(PublicationFact::Sent { payload, .. }) => {
                interval.sent += 1;
                interval.sent_payload_bytes += payload.len() as u64;
            }
            Fact::Publication(PublicationFact::Acknowledged { reason, .. })
                if is_taken(*reason) =>
            {
                interval.acknowledged += 1;
            }
            Fact::Delivered(delivered) => {
                interval.delivered += 1;
                interval.delivered_payload_bytes += delivered.payload.len() as u64;
            }
            Fact::Connection(ConnectionFact::Connected { .. }) => interval.connected += 1,
            Fact::Connection(ConnectionFact::Ended(_)) => interval.ended += 1,
            Fact::Connection(
                ConnectionFact::OpenStarted
                | ConnectionFact::OpenFailed(_)
                | ConnectionFact::ConnectSent { .. }
                | ConnectionFact::Refused(_)
                | ConnectionFact::LeftLink(_)
                | ConnectionFact::CloseArrived(_)
                | ConnectionFact::LinkAtEnd(_)
                | ConnectionFact::ReadingStopped { .. }
                | ConnectionFact::ReadingResumed { .. }
                | ConnectionFact::QuotaExceeded { .. }
                | ConnectionFact::StillOnLink(_),
            )
            | Fact::Publication(
                PublicationFact::Skipped { .. }
                | PublicationFact::Repeated { .. }
                | PublicationFact::Acknowledged { .. },
            )
            | Fact::Subscription(_)
            | Fact::Link(_)
            | Fact::Silence(_)
            | Fact::Exchange(_)
            | Fact::Leg(_)
            | Fact::Begun { .. }
            | Fact::StoodStill { .. }
            | Fact::FaultApplied(_)
            | Fact::Broker(_)
            | Fact::Provocation(_)
            | Fact::Retained(_) => {}
        }
    }

    /// Counts a connection that did not come about.
    pub(crate) fn count_not_connected(&mut self, now: Instant) {
        self.at(now).connect_failed += 1;
    }

    /// Counts a will.
    pub(crate) fn count_will(&mut self, now: Instant) {
        self.at(now).wills += 1;
    }

    /// Counts a message that came without a stamp.
    pub(crate) fn count_unstamped(&mut self, now: Instant) {
        self.at(now).unstamped += 1;
    }

    /// Adds an end-to-end latency.
    pub(crate) fn record_e2e(&mut self, now: Instant, population: Population, latency: Duration) {
        let place = self.place_of(now);
        let latencies = &mut self.spans[place].latencies;
        latencies.record(&mut self.populations, population, latency);
    }

    /// A delivery came that was sent at `sent`: until now it was under way.
    pub(crate) fn count_under_way(&mut self, sent: Instant, now: Instant) {
        let (set_out, came) = (self.place_of(sent), self.place_of(now));
        self.spans[set_out].set_out += 1;
        self.spans[came].came += 1;
    }

    /// Adds a schedule lag.
    pub(crate) fn record_lag(&mut self, now: Instant, lag: Duration) {
        self.at(now).schedule_lag.record(lag);
    }

    /// Adds the time that a device took to connect.
    pub(crate) fn record_connected(&mut self, now: Instant, took: Duration) {
        self.at(now).connect_latency.record(took);
    }

    /// As the run file has it, up to `end`.
    pub(crate) fn series(&self, scenario: &Scenario, end: Instant) -> Series {
        let is_apart = !self.populations.are_one();
        // As many set out up to the end of an interval as came or will have come.
        let mut under_way = 0_u64;
        let next_starts = self.spans.iter().skip(1).map(|span| span.start);
        let ends = next_starts.chain([end]);
        let intervals = self.spans.iter().zip(ends).map(|(span, end)| {
            under_way = (under_way + span.set_out).saturating_sub(span.came);
            Interval {
                under_way: Some(under_way),
                e2e_latency_of: if is_apart {
                    span.latencies.apart(scenario)
                } else {
                    Vec::new()
                },
                ..span.until(end)
            }
        });
        Series {
            intervals: intervals.collect(),
        }
    }

    /// The intervals that are over at `now`, of those that begin at `from` or later; the populations are not told apart, and what
    /// is under way is not told: more of it may turn out later.
    ///
    /// The last one has no end until something happens after it. Here it ends at `now` at the latest, and empty ones follow: a
    /// standstill is seen while it goes on.
    pub(crate) fn over(&self, from: Instant, now: Instant) -> Vec<Interval> {
        let first = self.spans.partition_point(|span| span.start < from);
        let pairs = self.spans[first..].windows(2);
        let mut all: Vec<Interval> = pairs.map(|pair| pair[0].until(pair[1].start)).collect();
        let Some(last) = self.spans.last() else {
            return all;
        };
        let mut start = last.start;
        while start + self.length <= now && all.len() < INTERVALS_MAX {
            let end = start + self.length;
            if start == last.start && start >= from {
                all.push(last.until(end));
            } else if start >= from {
                let empty = Span::new(start, Place::WithinPhase, self.online);
                all.push(empty.until(end));
            }
            start = end;
        }
        all
    }

    /// The interval of a moment; those up to it are made, with the devices that were connected.
    fn at(&mut self, now: Instant) -> &mut Interval {
        let place = self.place_of(now);
        &mut self.spans[place].counts
    }

    fn place_of(&mut self, now: Instant) -> usize {
        self.fill_up_to(now);
        // The first interval starts at zero, so one starts at `now` or before it.
        self.spans.partition_point(|span| span.start <= now) - 1
    }

    /// Makes intervals until the last one ends after `now`.
    fn fill_up_to(&mut self, now: Instant) {
        while let Some(last) = self.spans.last()
            && last.start + self.length <= now
        {
            let next = Span::new(last.start + self.length, Place::WithinPhase, self.online);
            self.push(next);
        }
    }

    fn push(&mut self, span: Span) {
        self.spans.push(span);
        if self.spans.len() > INTERVALS_MAX {
            self.merge_pairs();
        }
    }

    fn merge_pairs(&mut self) {
        self.length *= 2;
        let mut merged: Vec<Span> = Vec::with_capacity(self.spans.len().div_ceil(2));
        let mut spans = std::mem::take(&mut self.spans).into_iter().peekable();
        while let Some(mut first) = spans.next() {
            if let Some(second) = spans.next_if(|next| next.place == Place::WithinPhase) {
                add(&mut first.counts, &second.counts);
                first.latencies.add(&second.latencies);
                first.set_out += second.set_out;
                first.came += second.came;
            }
            merged.push(first);
        }
        self.spans = merged;
    }
}

impl Span {
    /// As the run file has it, without what is told of the run as a whole.
    fn until(&self, end: Instant) -> Interval {
        Interval {
            start_s: self.start.as_secs_f64(),
            end_s: end.max(self.start).as_secs_f64(),
            e2e_latency: self.latencies.total(),
            ..self.counts.clone()
        }
    }

    fn new(start: Instant, place: Place, online: u64) -> Self {
        Self {
            start,
            place,
            counts: Interval {
                online,
                ..Interval::default()
            },
            latencies: Latencies::default(),
            set_out: 0,
            came: 0,
        }
    }
}

fn add(sum: &mut Interval, later: &Interval) {
    sum.online = later.online;
    sum.scheduled += later.scheduled;
    sum.sent += later.sent;
    sum.acknowledged += later.acknowledged;
    sum.delivered += later.delivered;
    sum.unstamped += later.unstamped;
    sum.connected += later.connected;
    sum.ended += later.ended;
    sum.connect_failed += later.connect_failed;
    sum.wills += later.wills;
    sum.schedule_lag.merge(&later.schedule_lag);
    sum.connect_latency.merge(&later.connect_latency);
    sum.sent_payload_bytes += later.sent_payload_bytes;
    sum.delivered_payload_bytes += later.delivered_payload_bytes;
}

#[cfg(test)]
mod tests;
