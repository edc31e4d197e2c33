//! The bound of `--find-max`, written as a condition of a threshold, and what a step needs so that it can be judged.

use std::time::Duration;

use serde::{Serialize, Serializer};
use squall_run::{Aggregate, Comparison, MetricName, Percentile};
use squall_scenario::{Condition, Limit};

/// How a bound is written.
const FORM: &str = "`p50|p90|p95|p99|p99.9|max < TIME`, or with `<=`, as `p99 < 10ms`";
/// Messages beyond the percentile that each step is to have.
const MESSAGES_BEYOND: f64 = 100.0;
/// Messages beyond it without which a step is not made.
const MESSAGES_BEYOND_MIN: f64 = 10.0;
/// Messages of a step where the slowest is what is bound.
const MESSAGES_FOR_MAX: f64 = 1000.0;
/// The longest that a step is made so that it has its messages.
const STEP_MAX: Duration = Duration::from_secs(30);

/// An upper limit on a latency.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The latency that is bound.
    pub of: Slowest,
    comparison: Comparison,
    limit: Duration,
    text: String,
}

/// Which of all latencies is looked at: a percentile, or the slowest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Slowest {
    P50,
    P90,
    P95,
    P99,
    P999,
    Max,
}

impl Bound {
    /// Reads a bound as a threshold of a scenario is read.
    ///
    /// # Errors
    /// What is wrong with it, and the form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let condition = Condition::parse(text, MetricName::E2eLatency)
            .map_err(|error| format!("{error}; a bound is {FORM}"))?;
        let wrong = |why: &str| Err(format!("{why}; a bound is {FORM}"));
        let Some(of) = Slowest::of(condition.aggregate) else {
            return wrong(&format!("`{}` cannot be bound here", condition.aggregate));
        };
        let (Comparison::Less | Comparison::LessOrEqual) = condition.comparison else {
            let symbol = condition.comparison.symbol();
            return wrong(&format!(
                "`{symbol}` is not an upper limit, of which there is a highest rate"
            ));
        };
        match condition.limit {
            Limit::Time(limit) if !limit.is_zero() => Ok(Self {
                of,
                comparison: condition.comparison,
                limit,
                text: condition.text,
            }),
            Limit::Time(_) | Limit::Bytes(_) | Limit::Number(_) => {
                wrong("the limit is a time above 0")
            }
        }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The comparison and the limit: `< 10ms`.
    pub fn limit_text(&self) -> &str {
        self.text.find('<').map_or("", |at| &self.text[at..])
    }

    /// The limit in microseconds.
    pub fn limit_us(&self) -> f64 {
        self.limit.as_secs_f64() * 1e6
    }

    /// Whether so many microseconds are within it.
    pub fn holds(&self, actual_us: u64) -> bool {
        self.comparison.holds(actual_us as f64, self.limit_us())
    }

    /// How long a step at `rate` messages a second is measured: `shortest`, or longer until it has 100 messages beyond the
    /// percentile, up to half a minute.
    pub fn step(&self, rate: f64, shortest: Duration) -> Duration {
        let needed = Duration::from_secs_f64(self.of.messages(MESSAGES_BEYOND) / rate);
        shortest.max(needed.min(STEP_MAX))
    }

    /// The lowest rate at which the longest step can be judged.
    pub fn lowest_rate(&self, shortest: Duration) -> f64 {
        let longest = shortest.max(STEP_MAX).as_secs_f64();
        self.of.messages(MESSAGES_BEYOND_MIN) / longest
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Slowest {
    fn of(aggregate: Aggregate) -> Option<Self> {
        match aggregate {
            Aggregate::Percentile(Percentile::P50) => Some(Self::P50),
            Aggregate::Percentile(Percentile::P90) => Some(Self::P90),
            Aggregate::Percentile(Percentile::P95) => Some(Self::P95),
            Aggregate::Percentile(Percentile::P99) => Some(Self::P99),
            Aggregate::Percentile(Percentile::P99_9) => Some(Self::P999),
            Aggregate::Max => Some(Self::Max),
            Aggregate::Percentile(_)
            | Aggregate::Min
            | Aggregate::Avg
            | Aggregate::Count
            | Aggregate::Rate
            | Aggregate::Value => None,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::Max => "max",
        }
    }

    /// Messages of which `beyond` are slower.
    fn messages(self, beyond: f64) -> f64 {
        match self {
            Self::P50 => beyond / 0.5,
            Self::P90 => beyond / 0.1,
            Self::P95 => beyond / 0.05,
            Self::P99 => beyond / 0.01,
            Self::P999 => beyond / 0.001,
            Self::Max => MESSAGES_FOR_MAX * beyond / MESSAGES_BEYOND,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str) -> Bound {
        Bound::parse(text).expect("it is one")
    }

    /// Both comparisons are taken at their word, at the limit itself too.
    #[test]
    fn a_bound_holds_up_to_its_limit() {
        let (below, up_to) = (bound("p99 < 10ms"), bound("max <= 10ms"));

        assert_eq!((below.of, up_to.of), (Slowest::P99, Slowest::Max));
        assert!(below.holds(9999) && !below.holds(10_000));
        assert!(up_to.holds(10_000) && !up_to.holds(10_001));
        assert_eq!(bound("p99.9<1s").of, Slowest::P999);
    }

    /// What is not a bound is refused with the form of one.
    #[test]
    fn other_text_is_refused_with_the_form() {
        let cases = [
            ("", "malformed condition"),
            ("p99", "malformed condition"),
            ("p99 10ms", "malformed condition"),
            ("p99 < 10", "is not"),
            ("p99 < 0ms", "above 0"),
            ("p99 > 10ms", "is not an upper limit"),
            ("p99 == 10ms", "is not an upper limit"),
            ("p98 < 10ms", "`p98` cannot be bound"),
            ("avg < 10ms", "`avg` cannot be bound"),
            ("count < 10", "`count` cannot be bound"),
            ("p100 < 10ms", "has no aggregate `p100`"),
        ];
        for (text, words) in cases {
            let error = Bound::parse(text).expect_err(text);

            assert!(error.contains(words), "{text}: {error}");
            assert!(error.contains("as `p99 < 10ms`"), "{text}: {error}");
        }
    }

    /// A step has a hundred messages beyond its percentile, or lasts half a minute.
    #[test]
    fn a_step_is_as_long_as_its_percentile_needs() {
        let three = Duration::from_secs(3);
        let p99 = bound("p99 < 10ms");

        assert_eq!(p99.step(100_000.0, three), three);
        assert_eq!(p99.step(1000.0, three), Duration::from_secs(10));
        assert_eq!(p99.step(100.0, three), Duration::from_secs(30));
        assert_eq!(p99.step(100.0, 20 * three), Duration::from_secs(60));
        assert_eq!(p99.lowest_rate(three), 1000.0 / 30.0);
        assert_eq!(
            bound("max < 1s").step(500.0, Duration::ZERO),
            Duration::from_secs(2)
        );
    }
}
