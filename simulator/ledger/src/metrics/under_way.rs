//! What has no end when the run ends: its age is a sample.

use squall_protocol::Instant;
use squall_run::{CountedFrom, MetricName, Unfinished};
use squall_scenario::GroupId;

use super::Metrics;
use super::cell::{CellTags, Measure};
use crate::books::UnderWay;

impl Metrics {
    /// The deliveries and answers that are under way at the end: each has taken its age at least, and a
    /// percentile without them would be the better the more of them there are.
    pub(crate) fn note_under_way(&mut self, now: Instant, under_way: &UnderWay) {
        for exchange in &under_way.exchanges {
            let tags = CellTags::of(exchange.group, exchange.qos);
            let measure = Measure::new(MetricName::AckLatency, tags);
            self.note_unfinished(now, measure, exchange.reached_at);
        }
        for delivery in &under_way.deliveries {
            let tags = CellTags::of(delivery.group, delivery.qos);
            let measure = Measure::new(MetricName::E2eLatency, tags);
            self.note_unfinished(now, measure, delivery.reached_at);
            if let Some(left_at) = delivery.left_at {
                let measure = Measure::new(MetricName::BrokerTime, tags);
                self.note_unfinished(now, measure, left_at);
            }
            if self.times_service {
                let measure = Measure::new(MetricName::ServiceLatency, tags);
                self.note_unfinished(now, measure, delivery.sent_at);
            }
        }
    }

    /// Requests that were owed a response and had none at the end: their groups, and when the generator got to them.
    pub(crate) fn note_unanswered(&mut self, now: Instant, requests: &[(GroupId, Instant)]) {
        for &(group, reached_at) in requests {
            let tags = CellTags {
                group: Some(group),
                ..CellTags::default()
            };
            let measure = Measure::new(MetricName::RoundTrip, tags);
            self.note_unfinished(now, measure, reached_at);
        }
    }

    fn note_unfinished(&mut self, now: Instant, measure: Measure, since: Instant) {
        let age = now.saturating_since(since);
        self.record(measure, CountedFrom::Scheduled, since, age);
        self.record(measure, CountedFrom::LessLag, since, age);
        let (count, oldest) = self.unfinished.entry(measure.name).or_default();
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
