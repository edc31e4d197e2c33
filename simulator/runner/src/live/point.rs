//! The history that a page draws: the intervals of a run in figures, in bounded memory.
//!
//! A histogram of an interval may take 90 KB. Here only the counts that are not zero are kept, some kilobytes, so that
//! intervals can still be merged where there are too many: percentiles are those of the merged samples, never of percentiles.

use std::time::Duration;

use serde::Serialize;
use squall_run::{Histogram, Interval, Percentile};

/// Points at most; with more, neighbours of one phase are merged in pairs.
pub const POINTS_MAX: usize = 600;

/// One interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    start_s: f64,
    end_s: f64,
    online: u64,
    scheduled: u64,
    sent: u64,
    first_deliveries: u64,
    /// The greater where intervals were merged.
    outstanding: Outstanding,
    latency: Samples,
    lag: Samples,
}

/// Deliveries that were outstanding when an interval was told first, a little after its end.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Outstanding {
    /// How many.
    pub count: u64,
    /// The moment, since the start of the run.
    pub at: Duration,
}

/// Samples of times, as the buckets that have any.
#[derive(Clone, Debug, Default, PartialEq)]
struct Samples {
    /// A value of the bucket in microseconds, and how many are in it; ascending.
    buckets: Vec<(u64, u64)>,
    max_us: Option<u64>,
}

/// A point as pages get it. Times in microseconds; a percentile with too few samples is `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointText {
    pub start_s: f64,
    end_s: f64,
    online: u64,
    scheduled: u64,
    sent: u64,
    delivered: u64,
    outstanding: u64,
    outstanding_at_s: f64,
    p50_us: Option<u64>,
    p99_us: Option<u64>,
    max_us: Option<u64>,
    lag_p99_us: Option<u64>,
    lag_max_us: Option<u64>,
}

impl Point {
    /// The figures of `interval`, beside what was outstanding.
    pub fn of(interval: &Interval, outstanding: Outstanding) -> Self {
        Self {
            start_s: interval.start_s,
            end_s: interval.end_s,
            online: interval.online,
            scheduled: interval.scheduled,
            sent: interval.sent,
            first_deliveries: interval.first_deliveries(),
            outstanding,
            latency: Samples::of(&interval.e2e_latency),
            lag: Samples::of(&interval.schedule_lag),
        }
    }

    /// As pages get it.
    pub fn text(&self) -> PointText {
        let (latency, lag) = (self.latency.histogram(), self.lag.histogram());
        PointText {
            start_s: self.start_s,
            end_s: self.end_s,
            online: self.online,
            scheduled: self.scheduled,
            sent: self.sent,
            delivered: self.first_deliveries,
            outstanding: self.outstanding.count,
            outstanding_at_s: self.outstanding.at.as_secs_f64(),
            p50_us: latency.percentile_us(Percentile::P50),
            p99_us: latency.percentile_us(Percentile::P99),
            max_us: self.latency.max_us,
            lag_p99_us: lag.percentile_us(Percentile::P99),
            lag_max_us: self.lag.max_us,
        }
    }

    /// Start, in seconds since the start of the run.
    pub fn start_s(&self) -> f64 {
        self.start_s
    }

    /// First deliveries within it.
    pub fn first_deliveries(&self) -> u64 {
        self.first_deliveries
    }

    /// Deliveries that were outstanding when it was told first.
    pub fn outstanding(&self) -> Outstanding {
        self.outstanding
    }

    fn and(mut self, later: &Self) -> Self {
        self.end_s = later.end_s;
        self.online = later.online;
        self.scheduled += later.scheduled;
        self.sent += later.sent;
        self.first_deliveries += later.first_deliveries;
        self.outstanding = self.outstanding.max(later.outstanding);
        self.latency.add(&later.latency);
        self.lag.add(&later.lag);
        self
    }
}

impl Samples {
    fn of(histogram: &Histogram) -> Self {
        let buckets = histogram.buckets();
        let mut buckets: Vec<(u64, u64)> = buckets
            .map(|bucket| (bucket.high_us, bucket.count))
            .collect();
        if histogram.overflow() > 0 {
            buckets.push((Histogram::HIGHEST_US + 1, histogram.overflow()));
        }
        Self {
            buckets,
            max_us: histogram.max_us(),
        }
    }

    fn histogram(&self) -> Histogram {
        let mut histogram = Histogram::new();
        for &(value_us, times) in &self.buckets {
            // What a bucket holds is not above the greatest sample.
            let value_us = self.max_us.map_or(value_us, |max_us| value_us.min(max_us));
            histogram.record_us_times(value_us, times);
        }
        histogram
    }

    fn add(&mut self, later: &Self) {
        self.buckets.extend(&later.buckets);
        self.buckets.sort_unstable();
        self.buckets.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        self.max_us = self.max_us.max(later.max_us);
    }
}

/// Merges pairs of neighbours that do not lie on either side of one of `borders`, seconds since the start of the run.
pub fn merge_pairs(points: Vec<Point>, borders: &[f64]) -> Vec<Point> {
    let mut merged = Vec::with_capacity(points.len().div_ceil(2));
    let mut points = points.into_iter().peekable();
    while let Some(first) = points.next() {
        let second = points.next_if(|next| !borders.contains(&next.start_s));
        merged.push(match second {
            Some(second) => first.and(&second),
            None => first,
        });
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start_s: f64, latencies_us: &[u64]) -> Interval {
        let mut interval = Interval {
            start_s,
            end_s: start_s + 1.0,
            sent: 3,
            ..Interval::default()
        };
        for &latency_us in latencies_us {
            interval.e2e_latency.record_us(latency_us);
        }
        interval
    }

    /// A percentile of a point is that of its interval's histogram, and that of merged points that of the merged histogram.
    #[test]
    fn percentiles_are_those_of_the_histograms() {
        let one: Vec<u64> = (1..2_000).map(|number| number * 37).collect();
        let other: Vec<u64> = (1..3_000).map(|number| number * 1_013).collect();
        let (one, other) = (interval(0.0, &one), interval(1.0, &other));
        let points = [&one, &other].map(|interval| Point::of(interval, Outstanding::default()));

        let merged = merge_pairs(points.to_vec(), &[]);

        let both = Histogram::merged([&one.e2e_latency, &other.e2e_latency]);
        for (text, histogram) in [
            (points[0].text(), &one.e2e_latency),
            (points[1].text(), &other.e2e_latency),
            (merged[0].text(), &both),
        ] {
            assert_eq!(text.p50_us, histogram.percentile_us(Percentile::P50));
            assert_eq!(text.p99_us, histogram.percentile_us(Percentile::P99));
            assert_eq!(text.max_us, histogram.max_us());
            assert_eq!(text.delivered, histogram.count());
        }
        assert_eq!(
            (merged[0].start_s, merged[0].end_s, merged[0].sent),
            (0.0, 2.0, 6)
        );
    }

    /// Points of two phases stay apart.
    #[test]
    fn points_are_not_merged_over_a_border() {
        let points = (0..5)
            .map(|second| Point::of(&interval(f64::from(second), &[]), Outstanding::default()));

        let merged = merge_pairs(points.collect(), &[3.0]);

        let starts: Vec<f64> = merged.iter().map(Point::start_s).collect();
        assert_eq!(starts, [0.0, 2.0, 3.0]);
    }
}
