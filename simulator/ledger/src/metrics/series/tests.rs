//! Intervals: borders, merging, and what is told of each.

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

/// What is told of a run that goes on is what its report will say, in the intervals that are over, and a standstill shows.
#[test]
fn intervals_that_are_over_are_those_of_the_report() {
    let mut timeline = Timeline::new();
    for second in 0..5 {
        timeline.record_e2e(at(second), to_group(0), Duration::from_millis(second));
        timeline.count_will(at(second));
    }

    let over = timeline.over(at(2), at(7) + Duration::from_millis(500));

    let starts: Vec<f64> = over.iter().map(|interval| interval.start_s).collect();
    assert_eq!(starts, [2.0, 3.0, 4.0, 5.0, 6.0]);
    let wills: Vec<u64> = over.iter().map(|interval| interval.wills).collect();
    assert_eq!(wills, [1, 1, 1, 0, 0]);
    timeline.count_will(at(8));
    let whole = timeline.series(&scenario(), at(9)).intervals;
    for (now, then) in over.iter().zip(&whole[2..]) {
        assert_eq!((now.end_s, now.wills), (then.end_s, then.wills));
        assert_eq!(now.e2e_latency, then.e2e_latency);
    }
    assert!(timeline.over(at(9), at(9)).is_empty());
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
