//! What a metric's values are, and what follows from that: its aggregates and its units.

use super::Aggregate;
use crate::{Percentile, Value};

/// What a metric's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Times, kept as a histogram.
    Durations,
    /// Events a second, over the exact length of the measured part and in its windows of one second.
    Rate,
    /// A number of events.
    Count,
    /// Processor cores, read about once a second: 1.0 is one core fully busy.
    Cores,
    /// A number of bytes, read about once a second.
    Bytes,
}

impl MetricKind {
    /// The aggregates that a threshold may compare. Of percentiles these are the usual ones: times
    /// have all of them, see [`Self::allows`].
    pub const fn aggregates(self) -> &'static [Aggregate] {
        match self {
            Self::Durations => &[
                Aggregate::Percentile(Percentile::P50),
                Aggregate::Percentile(Percentile::P90),
                Aggregate::Percentile(Percentile::P95),
                Aggregate::Percentile(Percentile::P99),
                Aggregate::Percentile(Percentile::P99_9),
                Aggregate::Percentile(Percentile::P99_99),
                Aggregate::Min,
                Aggregate::Avg,
                Aggregate::Max,
                Aggregate::Count,
            ],
            Self::Rate => &[Aggregate::Min, Aggregate::Avg, Aggregate::Max],
            Self::Count => &[Aggregate::Count, Aggregate::Rate],
            Self::Cores | Self::Bytes => &[
                Aggregate::Min,
                Aggregate::Avg,
                Aggregate::Max,
                Aggregate::Value,
            ],
        }
    }

    /// Whether a threshold on a metric of this kind may compare `aggregate`.
    pub fn allows(self, aggregate: Aggregate) -> bool {
        match aggregate {
            Aggregate::Percentile(_) => self == Self::Durations,
            Aggregate::Min
            | Aggregate::Avg
            | Aggregate::Max
            | Aggregate::Count
            | Aggregate::Rate
            | Aggregate::Value => self.aggregates().contains(&aggregate),
        }
    }

    /// A number of such a metric with its unit. `number` is in seconds, events, events a second,
    /// cores or bytes; counts and bytes are rounded to whole ones.
    pub fn value(self, aggregate: Aggregate, number: f64) -> Value {
        match (self, aggregate) {
            (Self::Durations | Self::Count, Aggregate::Count) => {
                Value::Count(number.round() as u64)
            }
            (Self::Durations, _) => Value::Seconds(number),
            (Self::Rate | Self::Count, _) => Value::PerSecond(number),
            (Self::Cores, _) => Value::Cores(number),
            (Self::Bytes, _) => Value::Bytes(number.round() as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind allows the aggregates that it lists, and of times every percentile.
    #[test]
    fn a_kind_allows_what_it_lists() {
        let odd = Aggregate::Percentile("p12.5".parse().unwrap());
        let kinds = [
            MetricKind::Durations,
            MetricKind::Rate,
            MetricKind::Count,
            MetricKind::Cores,
            MetricKind::Bytes,
        ];

        for kind in kinds {
            assert!(kind.aggregates().iter().all(|&listed| kind.allows(listed)));
            assert_eq!(kind.allows(odd), kind == MetricKind::Durations);
        }
        assert!(!MetricKind::Rate.allows(Aggregate::Count));
        assert!(!MetricKind::Durations.allows(Aggregate::Rate));
    }

    /// The unit of a number follows from the metric and from what is asked of it.
    #[test]
    fn a_number_gets_its_unit() {
        let count = MetricKind::Durations.value(Aggregate::Count, 12.0);
        let time = MetricKind::Durations.value(Aggregate::Max, 0.25);
        let rate = MetricKind::Count.value(Aggregate::Rate, 0.5);
        let bytes = MetricKind::Bytes.value(Aggregate::Avg, 10.6);

        assert_eq!(count, Value::Count(12));
        assert_eq!(time, Value::Seconds(0.25));
        assert_eq!(rate, Value::PerSecond(0.5));
        assert_eq!(bytes, Value::Bytes(11));
    }
}
