//! The figures that runs are compared by.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::{
    Latency, Percentile, Summary, bytes_text, count_text, digits, duration_text, rate_text,
};

/// A figure of a run. All rates are means of the measured part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// The most devices connected at once.
    Online,
    /// 99th percentile of the time to connect.
    ConnectP99,
    /// Messages sent a second.
    Sent,
    /// First deliveries a second.
    Delivered,
    /// Deliveries that were owed and never made.
    Lost,
    /// Median of the end-to-end latency, of the group and QoS where it is the highest.
    E2eP50,
    /// 99th percentile of the end-to-end latency, likewise.
    E2eP99,
    /// Mean processor use of the broker.
    BrokerCpu,
    /// Peak resident memory of the broker.
    BrokerRss,
    /// Processor seconds of the broker for each million messages sent and delivered.
    CpuPerMillion,
}

/// What the numbers of a figure count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FigureUnit {
    /// Things.
    Count,
    /// Microseconds.
    Micros,
    /// Events a second.
    PerSecond,
    /// Processor cores.
    Cores,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Things for each message.
    PerMessage,
}

impl Figure {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Online,
        Self::ConnectP99,
        Self::Sent,
        Self::Delivered,
        Self::Lost,
        Self::E2eP50,
        Self::E2eP99,
        Self::BrokerCpu,
        Self::BrokerRss,
        Self::CpuPerMillion,
    ];

    /// Those that a terminal has room for.
    pub const FEW: [Self; 7] = [
        Self::Online,
        Self::ConnectP99,
        Self::Sent,
        Self::Delivered,
        Self::Lost,
        Self::E2eP99,
        Self::CpuPerMillion,
    ];

    /// For a reader.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::ConnectP99 => "connect p99",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Lost => "lost",
            Self::E2eP50 => "e2e p50",
            Self::E2eP99 => "e2e p99",
            Self::BrokerCpu => "broker CPU",
            Self::BrokerRss => "broker RSS",
            Self::CpuPerMillion => "CPU s/million",
        }
    }

    /// For a program: with the unit of the plain number.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::ConnectP99 => "connect_p99_us",
            Self::Sent => "sent_per_s",
            Self::Delivered => "delivered_per_s",
            Self::Lost => "lost",
            Self::E2eP50 => "e2e_p50_us",
            Self::E2eP99 => "e2e_p99_us",
            Self::BrokerCpu => "broker_cpu_cores",
            Self::BrokerRss => "broker_rss_bytes",
            Self::CpuPerMillion => "broker_cpu_s_per_million",
        }
    }

    /// What its numbers count.
    pub const fn unit(self) -> FigureUnit {
        match self {
            Self::Online | Self::Lost => FigureUnit::Count,
            Self::ConnectP99 | Self::E2eP50 | Self::E2eP99 => FigureUnit::Micros,
            Self::Sent | Self::Delivered => FigureUnit::PerSecond,
            Self::BrokerCpu => FigureUnit::Cores,
            Self::BrokerRss => FigureUnit::Bytes,
            Self::CpuPerMillion => FigureUnit::Seconds,
        }
    }

    /// A number of it, with its unit where its heading does not have it.
    pub fn text(self, number: f64) -> String {
        self.unit().text(number)
    }

    fn of(self, summary: &Summary) -> Option<f64> {
        let highest = |percentile| {
            let of_all = summary.e2e_latency_of.iter().filter(|of_one| !of_one.late);
            let of_all = of_all.filter_map(|of_one| of_one.latency.percentile_us(percentile));
            of_all.max().map(|us| us as f64)
        };
        let p99 = |latency: &Latency| latency.percentile_us(Percentile::P99);
        match self {
            Self::Online => Some(summary.peak_online as f64),
            Self::ConnectP99 => {
                let latency = summary.connect_latency.as_ref();
                latency.and_then(p99).map(|us| us as f64)
            }
            Self::Sent => summary.achieved_per_s,
            Self::Delivered => summary.delivered_per_s,
            Self::Lost => Some(summary.lost as f64),
            Self::E2eP50 => highest(Percentile::P50),
            Self::E2eP99 => highest(Percentile::P99),
            Self::BrokerCpu => summary.broker_cpu_mean_cores,
            Self::BrokerRss => summary.broker_rss_peak_bytes.map(|bytes| bytes as f64),
            Self::CpuPerMillion => summary.broker_cpu_s_per_million,
        }
    }
}

impl FigureUnit {
    /// A number in it; seconds are without their unit, which a heading has.
    pub fn text(self, number: f64) -> String {
        match self {
            // The median of an even number of runs may lie between two counts.
            Self::Count if number.fract() != 0.0 => format!("{number:.1}"),
            Self::Count => count_text(number as u64),
            Self::Micros => duration_text(number / 1e6),
            Self::PerSecond => rate_text(number),
            Self::Cores if number >= 0.1 => format!("{number:.2} cores"),
            Self::Cores => format!("{number:.3} cores"),
            Self::Bytes => bytes_text(number as u64),
            Self::Seconds => format!("{number:.2}"),
            Self::PerMessage => digits(number),
        }
    }
}

/// The figures of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures([Option<f64>; Figure::ALL.len()]);

impl Figures {
    /// Those of a run with this summary.
    pub fn of(summary: &Summary) -> Self {
        Self(Figure::ALL.map(|figure| figure.of(summary)))
    }

    /// One of them; `None` where the run has no such figure.
    pub fn get(&self, figure: Figure) -> Option<f64> {
        self.0[figure as usize]
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Figure::ALL.map(Figure::key).into_iter().zip(self.0))
    }
}

impl JsonSchema for Figures {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Figures".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, Option<f64>>::json_schema(generator)
    }
}

/// How far apart the same figure of several runs is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FigureSpread {
    /// The middle one; of an even number, the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// How many there are.
    pub count: usize,
}

impl FigureSpread {
    /// That of `numbers`; `None` without any.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = numbers.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        };
        Some(Self {
            median,
            min,
            max,
            count: sorted.len(),
        })
    }

    /// The middle, with both ends where there are several: `4.00 µs (1.00 µs..10.0 µs)`.
    pub fn text(self, text: impl Fn(f64) -> String) -> String {
        let median = text(self.median);
        match self.count {
            1 => median,
            _ => format!("{median} ({}..{})", text(self.min), text(self.max)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// The place of a figure in the list is the place of its number.
    #[test]
    fn figures_are_listed_in_their_order() {
        for (place, figure) in Figure::ALL.into_iter().enumerate() {
            assert_eq!(figure as usize, place);
        }
    }

    /// The latency is that of the group and QoS where it is the highest: a mean over groups would hide the slow one.
    #[test]
    fn the_highest_latency_is_compared() {
        let summary = Summary::of(&sample::passing());
        let highest = summary.e2e_latency_of.iter().filter(|of_one| !of_one.late);
        let highest = highest.filter_map(|of_one| of_one.latency.percentile_us(Percentile::P99));
        let highest = highest.max().unwrap() as f64;

        let figures = Figures::of(&summary);

        assert_eq!(figures.get(Figure::E2eP99), Some(highest));
        assert!(summary.e2e_latency_of.len() > 1);
    }

    /// The middle of three, and the mean of the two in the middle of four.
    #[test]
    fn the_middle_of_runs_is_the_median() {
        let odd = FigureSpread::of([3.0, 1.0, 100.0]).unwrap();
        let even = FigureSpread::of([4.0, 1.0, 2.0, 100.0]).unwrap();

        assert_eq!((odd.min, odd.median, odd.max), (1.0, 3.0, 100.0));
        assert_eq!(even.median, 3.0);
        assert_eq!((odd.count, even.count), (3, 4));
        assert_eq!(FigureSpread::of([]), None);
        let text = |number: f64| number.to_string();
        assert_eq!(odd.text(text), "3 (1..100)");
        assert_eq!(FigureSpread::of([7.0]).unwrap().text(text), "7");
    }
}
