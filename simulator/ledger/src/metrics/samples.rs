//! Records samples, each in its cell.

use std::time::Duration;

use squall_protocol::Instant;
use squall_run::{CountedFrom, MetricName};
use squall_scenario::GroupId;

use super::Metrics;
use super::arrival::Arrival;
use super::cell::{Cell, CellTags, Measure, Scheduled};

impl Metrics {
    /// A time of the phase in which `due` lies.
    pub(super) fn record(
        &mut self,
        Measure { name, tags }: Measure,
        counted_from: CountedFrom,
        due: Instant,
        took: Duration,
    ) {
        let cell = Cell {
            name,
            counted_from,
            tags,
            phase: self.phase_at(due),
        };
        self.cells.entry(cell).or_default().record(took);
    }

    /// Something that was due at `due` was begun.
    pub(super) fn record_lag(
        &mut self,
        now: Instant,
        group: Option<GroupId>,
        of: Scheduled,
        due: Instant,
    ) {
        let lag = now.saturating_since(due);
        let tags = CellTags {
            group,
            of: Some(of),
            ..CellTags::default()
        };
        let measure = Measure::new(MetricName::ScheduleLag, tags);
        self.record(measure, CountedFrom::Scheduled, due, lag);
        self.timeline.record_lag(now, lag);
    }

    /// A time that began when what the device did had left its link and ended when the broker's answer
    /// had arrived there; as measured, it ended when the generator read that.
    pub(super) fn record_since(
        &mut self,
        measure: Measure,
        arrival: Arrival,
        until_arrival: Duration,
    ) {
        let arrival = arrival.without_link();
        let Arrival { waited, .. } = arrival;
        let took = until_arrival + waited.unwrap_or_default();
        self.record_until_now(measure, arrival, took);
    }

    /// A time that began with what the device did, `took` before it read the broker's answer.
    pub(super) fn record_until_now(&mut self, measure: Measure, arrival: Arrival, took: Duration) {
        let began = arrival.now - took;
        self.record(measure, CountedFrom::Scheduled, began, took);
        let left = self.less_lag(began, arrival).min(took);
        self.record(measure, CountedFrom::LessLag, began, left);
    }

    /// What is left, without what the generator held up, of the time from when it acted until it
    /// read the answer: up to when the answer arrived. Where that is not known, what it stood still
    /// meanwhile is left out instead, which is an upper bound of what it held up.
    ///
    /// Over a link the device's packet may have waited in it while the generator stood still: that part is
    /// left out too.
    pub(super) fn less_lag(&self, acted: Instant, arrival: Arrival) -> Duration {
        let Arrival {
            now,
            waited,
            on_link,
        } = arrival;
        let came = now - waited.unwrap_or_default();
        let left = self.since_written(acted, came);
        if waited.is_some() && on_link.is_zero() {
            return left;
        }
        left.saturating_sub(self.standstills.within(acted, came))
    }

    /// The time between two moments, without that in which the generator did not write what a device sent. Where devices
    /// are those of several workers it is an upper bound, as [`Standstills`](super::standstill) are.
    pub(super) fn since_written(&self, acted: Instant, came: Instant) -> Duration {
        let all = came.saturating_since(acted);
        all.saturating_sub(self.unwritten.within(acted, came))
    }
}
