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
            Fact::Publication(PublicationFact::Sent { .. }) => interval.sent += 1,
            Fact::Publication(PublicationFact::Acknowledged { reason, .. })
                if is_taken(*reason) =>
            {
                interval.acknowledged += 1;
            }
            Fact::Delivered(_) => interval.delivered += 1,
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
                start_s: span.start.as_secs_f64(),
                end_s: end.max(span.start).as_secs_f64(),
                under_way: Some(under_way),
                e2e_latency: span.latencies.total(),
                e2e_latency_of: if is_apart {
                    span.latencies.apart(scenario)
                } else {
                    Vec::new()
                },
                ..span.counts.clone()
            }
        });
        Series {
            intervals: intervals.collect(),
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_protocol::QoS;
    use squall_scenario::{FaultId, GroupId};

    fn scenario() -> Scenario {
        let group = |name: &str| format!("[[group]]\nname = \"{name}\"\ncount = 1\n");
        let groups: String = ('a'..='m').map(|name| group(&name.to_string())).collect();
        Scenario::parse(
            "a.toml",
            &format!("version = 1\nname = \"a\"\n{groups}"),
            &[],
        )
        .unwrap()
    }

    fn to_group(group: u16) -> Population {
        Population {
            group: GroupId(group),
            qos: QoS::AtLeastOnce,
            is_late: false,
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    /// A run of any length fits, and nothing that was counted is lost.
    #[test]
    fn pairs_merge_when_there_are_too_many() {
        let mut timeline = Timeline::new();

        for second in 0..2_000 {
            timeline.record_e2e(at(second), to_group(0), Duration::from_millis(second));
            timeline.count_will(at(second));
        }

        let intervals = timeline.series(&scenario(), at(2_000)).intervals;
        assert_eq!(intervals.len(), 500);
        assert_eq!((intervals[1].start_s, intervals[1].end_s), (4.0, 8.0));
        assert_eq!(intervals[1].wills, 4);
        assert_eq!(intervals[1].e2e_latency.max_us(), Some(7_000));
        let samples: u64 = intervals
            .iter()
            .map(|interval| interval.e2e_latency.count())
            .sum();
        assert_eq!(samples, 2_000);
    }

    /// What is under way at the end of an interval has set out and not come; it is the same number
    /// after intervals were merged.
    #[test]
    fn what_is_under_way_is_counted_at_the_end_of_intervals() {
        let mut timeline = Timeline::new();
        timeline.count_under_way(at(0), at(3));
        timeline.count_under_way(at(1), at(3));
        timeline.count_under_way(at(4), at(4));

        let few = timeline.series(&scenario(), at(5)).intervals;
        timeline.count_will(at(700));
        let merged = timeline.series(&scenario(), at(701)).intervals;

        let counts: Vec<Option<u64>> = few.iter().map(|interval| interval.under_way).collect();
        assert_eq!(counts, [1, 2, 2, 0, 0].map(Some));
        assert_eq!((merged[0].end_s, merged[0].under_way), (2.0, Some(2)));
        assert_eq!((merged[1].end_s, merged[1].under_way), (4.0, Some(0)));
    }

    /// Intervals begin with the measured part, however long connecting took, and stay so when
    /// they are merged: what a fault did is never counted before it.
    #[test]
    fn an_interval_begins_where_a_phase_begins() {
        let mut timeline = Timeline::new();
        let measured = Instant::ZERO + Duration::from_millis(2_300);
        timeline.begin_phase(measured);
        timeline.count_will(measured);

        let short = timeline.series(&scenario(), at(4)).intervals;
        timeline.count_will(at(1_000));
        let long = timeline.series(&scenario(), at(1_001)).intervals;

        let starts: Vec<f64> = short.iter().map(|interval| interval.start_s).collect();
        assert_eq!(starts, [0.0, 1.0, 2.0, 2.3]);
        assert_eq!((short[2].end_s, short[3].wills), (2.3, 1));
        assert!(long.len() <= INTERVALS_MAX);
        assert!(long.iter().any(|interval| interval.start_s == 2.3));
        assert!(long.windows(2).all(|pair| pair[0].end_s == pair[1].start_s));
    }

    /// An interval begins where a fault strikes, once for all devices that it hits.
    #[test]
    fn an_interval_begins_where_a_fault_strikes() {
        let mut timeline = Timeline::new();
        let strike = Instant::ZERO + Duration::from_millis(2_600);
        timeline.count(at(2), 3, &Fact::Connection(ConnectionFact::OpenStarted));

        for micros in [0, 20, 40] {
            let now = strike + Duration::from_micros(micros);
            timeline.count(now, 3, &Fact::FaultApplied(FaultId(0)));
        }

        let starts: Vec<f64> = timeline
            .series(&scenario(), at(4))
            .intervals
            .iter()
            .map(|interval| interval.start_s)
            .collect();
        assert_eq!(starts, [0.0, 1.0, 2.0, 2.6]);
    }

    /// Populations that have nothing in common are told apart in each interval, the first eight of
    /// them; the total holds all. Of one population there is the total only.
    #[test]
    fn populations_are_told_apart_in_each_interval() {
        let (mut one, mut many) = (Timeline::new(), Timeline::new());
        one.record_e2e(at(0), to_group(0), Duration::from_millis(3));
        let late = Population {
            is_late: true,
            ..to_group(0)
        };

        many.record_e2e(at(1), late, Duration::from_secs(4));
        for group in 0..12 {
            many.record_e2e(at(1), to_group(group), Duration::from_millis(3));
        }

        let one = one.series(&scenario(), at(2)).intervals;
        let many = many.series(&scenario(), at(2)).intervals;
        assert_eq!(
            (one[0].first_deliveries(), one[0].e2e_latency_of.len()),
            (1, 0)
        );
        assert_eq!(many[1].first_deliveries(), 13);
        let apart: Vec<(&str, u8, bool, Option<u64>)> = many[1]
            .e2e_latency_of
            .iter()
            .map(|of| (&*of.group, of.qos, of.late, of.latency.max_us()))
            .collect();
        assert_eq!(apart.len(), 8);
        assert_eq!(apart[0], ("a", 1, false, Some(3_000)));
        assert_eq!(apart[1], ("a", 1, true, Some(4_000_000)));
        assert!(many[0].e2e_latency_of.is_empty());
    }

    /// An interval in which nothing happens still says how many devices are connected.
    #[test]
    fn quiet_intervals_keep_the_devices_online() {
        let mut timeline = Timeline::new();
        timeline.count(at(0), 7, &Fact::Connection(ConnectionFact::OpenStarted));

        timeline.count(at(3), 8, &Fact::Connection(ConnectionFact::OpenStarted));

        let online: Vec<u64> = timeline
            .series(&scenario(), at(4))
            .intervals
            .iter()
            .map(|interval| interval.online)
            .collect();
        assert_eq!(online, [7, 7, 7, 8]);
    }
}
