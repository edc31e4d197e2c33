//! Counters over time, in a bounded number of intervals of equal length.
//!
//! Intervals begin with one second. When there are too many, neighbours are merged in pairs and
//! the length doubles, so a day and a minute take the same memory. Histograms are merged, never
//! averaged.

use std::time::Duration;

use squall_protocol::Instant;
use squall_run::{Interval, Series};

use crate::ledger::is_taken;
use crate::observation::Fact;

/// Intervals at most; with more, pairs are merged.
pub(crate) const INTERVALS_MAX: usize = 600;
/// Length of an interval at the start.
const FIRST_LENGTH: Duration = Duration::from_secs(1);

/// Counters over time.
#[derive(Debug)]
pub(crate) struct Timeline {
    length: Duration,
    intervals: Vec<Interval>,
    /// Devices that are connected now.
    online: u64,
}

impl Timeline {
    /// Nothing has happened.
    pub(crate) fn new() -> Self {
        Self {
            length: FIRST_LENGTH,
            intervals: Vec::new(),
            online: 0,
        }
    }

    /// Counts a fact; `online` devices are connected after it.
    pub(crate) fn count(&mut self, now: Instant, online: u64, fact: &Fact<'_>) {
        // Intervals that are skipped keep the number of devices from before.
        self.at(now);
        self.online = online;
        let interval = self.at(now);
        interval.online = online;
        match fact {
            Fact::PublishDue { .. } => interval.scheduled += 1,
            Fact::Published { .. } => interval.sent += 1,
            Fact::PublishAcknowledged { reason, .. } if is_taken(*reason) => {
                interval.acknowledged += 1;
            }
            Fact::Delivered { .. } => interval.delivered += 1,
            Fact::Connected { .. } => interval.connected += 1,
            Fact::Ended(_) => interval.ended += 1,
            Fact::OpenFailed(_) | Fact::ConnectRefused(_) => interval.connect_failed += 1,
            Fact::OpenStarted
            | Fact::ConnectSent { .. }
            | Fact::SubscribeSent { .. }
            | Fact::Subscribed { .. }
            | Fact::PublishSkipped { .. }
            | Fact::PublishAcknowledged { .. }
            | Fact::SenderLeg { .. }
            | Fact::ReceiverLeg { .. }
            | Fact::AnswerWithheld { .. }
            | Fact::FaultApplied(_)
            | Fact::RetainedFound { .. }
            | Fact::RetainedComplete { .. }
            | Fact::RetainedUnknown { .. } => {}
        }
    }

    /// Counts a will.
    pub(crate) fn count_will(&mut self, now: Instant) {
        self.at(now).wills += 1;
    }

    /// Adds an end-to-end latency.
    pub(crate) fn record_e2e(&mut self, now: Instant, latency: Duration) {
        self.at(now).e2e_latency.record(latency);
    }

    /// Adds a schedule lag.
    pub(crate) fn record_lag(&mut self, now: Instant, lag: Duration) {
        self.at(now).schedule_lag.record(lag);
    }

    /// As the run file has it.
    pub(crate) fn series(&self) -> Series {
        Series {
            interval_s: self.length.as_secs_f64(),
            intervals: self.intervals.clone(),
        }
    }

    /// The interval of a moment; those up to it are made, with the devices that were connected.
    fn at(&mut self, now: Instant) -> &mut Interval {
        let mut place = place_at(now, self.length);
        while place >= INTERVALS_MAX {
            self.merge_pairs();
            place = place_at(now, self.length);
        }
        while self.intervals.len() <= place {
            self.intervals.push(Interval {
                online: self.online,
                ..Interval::default()
            });
        }
        &mut self.intervals[place]
    }

    fn merge_pairs(&mut self) {
        self.length *= 2;
        let mut merged = Vec::with_capacity(self.intervals.len().div_ceil(2));
        let mut intervals = std::mem::take(&mut self.intervals).into_iter();
        while let Some(mut first) = intervals.next() {
            if let Some(second) = intervals.next() {
                add(&mut first, &second);
            }
            merged.push(first);
        }
        self.intervals = merged;
    }
}

/// Place of the interval that a moment is in.
pub(crate) fn place_at(now: Instant, length: Duration) -> usize {
    let place = now.since_start().as_nanos() / length.as_nanos();
    usize::try_from(place).unwrap_or(usize::MAX)
}

fn add(sum: &mut Interval, later: &Interval) {
    sum.online = later.online;
    sum.scheduled += later.scheduled;
    sum.sent += later.sent;
    sum.acknowledged += later.acknowledged;
    sum.delivered += later.delivered;
    sum.connected += later.connected;
    sum.ended += later.ended;
    sum.connect_failed += later.connect_failed;
    sum.wills += later.wills;
    sum.e2e_latency.merge(&later.e2e_latency);
    sum.schedule_lag.merge(&later.schedule_lag);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    /// A run of any length fits, and nothing that was counted is lost.
    #[test]
    fn pairs_merge_when_there_are_too_many() {
        let mut timeline = Timeline::new();

        for second in 0..2_000 {
            timeline.record_e2e(at(second), Duration::from_millis(second));
            timeline.count_will(at(second));
        }

        let series = timeline.series();
        assert_eq!(series.interval_s, 4.0);
        assert_eq!(series.intervals.len(), 500);
        assert_eq!(series.intervals[1].wills, 4);
        assert_eq!(series.intervals[1].e2e_latency.max_us(), Some(7_000));
        let samples: u64 = series
            .intervals
            .iter()
            .map(|interval| interval.e2e_latency.count())
            .sum();
        assert_eq!(samples, 2_000);
    }

    /// An interval in which nothing happens still says how many devices are connected.
    #[test]
    fn quiet_intervals_keep_the_devices_online() {
        let mut timeline = Timeline::new();
        timeline.count(at(0), 7, &Fact::OpenStarted);

        timeline.count(at(3), 8, &Fact::OpenStarted);

        let online: Vec<u64> = timeline
            .series()
            .intervals
            .iter()
            .map(|interval| interval.online)
            .collect();
        assert_eq!(online, [7, 7, 7, 8]);
    }
}
