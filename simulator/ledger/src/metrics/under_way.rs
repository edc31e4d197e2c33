//! What has no end when the run ends: its age is a sample.

use squall_protocol::{Instant, QoS};
use squall_run::{MetricName, Unfinished};
use squall_scenario::GroupId;

use super::Metrics;
use super::cell::CellTags;
use crate::books::UnderWay;

impl Metrics {
    /// The deliveries and answers that are under way at the end: each has taken its age at least, and a
    /// percentile without them would be the better the more of them there are.
    pub(crate) fn note_under_way(&mut self, now: Instant, under_way: &UnderWay) {
        for exchange in &under_way.exchanges {
            let of = (MetricName::AckLatency, exchange.group, exchange.qos);
            self.note_unfinished(now, of, exchange.reached_at);
        }
        for delivery in &under_way.deliveries {
            let of = (MetricName::E2eLatency, delivery.group, delivery.qos);
            self.note_unfinished(now, of, delivery.reached_at);
        }
    }

    fn note_unfinished(
        &mut self,
        now: Instant,
        (name, group, qos): (MetricName, GroupId, QoS),
        since: Instant,
    ) {
        let tags = CellTags {
            group: Some(group),
            qos: Some(qos),
            ..CellTags::default()
        };
        let age = now.saturating_since(since);
        self.record((name, tags), since, age);
        self.record_less_lag((name, tags), since, age);
        let (count, oldest) = self.unfinished.entry(name).or_default();
        *count += 1;
        *oldest = age.max(*oldest);
    }

    /// What is in the distributions with its age, because it had no end.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        let unfinished = self.unfinished.iter();
        let in_run_file = unfinished.map(|(&metric, &(count, oldest))| Unfinished {
            metric,
            count,
            oldest_us: u64::try_from(oldest.as_micros()).unwrap_or(u64::MAX),
        });
        in_run_file.collect()
    }
}
