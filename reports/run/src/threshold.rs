//! Limits on numbers and whether they held.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ClaimResult, MetricName, Percentile, Tags, Value};

/// One expression of `[thresholds]`, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdOutcome {
    /// The metric.
    pub metric: MetricName,
    /// The tags it was narrowed to.
    pub tags: Tags,
    /// The expression as written: `p99 < 250ms`.
    pub expression: String,
    /// What is compared.
    pub aggregate: Aggregate,
    /// How it is compared.
    pub comparison: Comparison,
    /// What it is compared with.
    pub limit: Value,
    /// What was measured; `None` without samples.
    pub actual: Option<Value>,
    /// What it would be without the generator's own lag; `None` if that is not known.
    pub less_lag: Option<Value>,
    /// Samples behind `actual`.
    pub samples: u64,
    /// What follows from that.
    pub result: ThresholdResult,
}

/// Whether a threshold held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdResult {
    /// The number is as asked.
    Held,
    /// It is not.
    Broken,
    /// It is not, but would be without the generator's own lag: nothing follows about the broker.
    ExplainedByLag,
    /// There are fewer samples than the aggregate needs: not judged, and the run is invalid.
    TooFewSamples,
}

/// What of a metric is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// A percentile.
    Percentile(Percentile),
    /// The least sample.
    Min,
    /// The mean.
    Avg,
    /// The greatest sample.
    Max,
    /// How many samples.
    Count,
    /// Samples a second of the measured phase.
    Rate,
    /// The value of a metric that is one number.
    Value,
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(percentile) => write!(f, "{percentile}"),
            Self::Min => f.write_str("min"),
            Self::Avg => f.write_str("avg"),
            Self::Max => f.write_str("max"),
            Self::Count => f.write_str("count"),
            Self::Rate => f.write_str("rate"),
            Self::Value => f.write_str("value"),
        }
    }
}

/// A text is not an aggregate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an aggregate such as p99, avg or max")]
pub struct NotAnAggregate {
    /// As it was written.
    pub text: String,
}

impl FromStr for Aggregate {
    type Err = NotAnAggregate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "min" => Ok(Self::Min),
            "avg" => Ok(Self::Avg),
            "max" => Ok(Self::Max),
            "count" => Ok(Self::Count),
            "rate" => Ok(Self::Rate),
            "value" => Ok(Self::Value),
            _ => text
                .parse()
                .map(Self::Percentile)
                .map_err(|_| NotAnAggregate {
                    text: text.to_owned(),
                }),
        }
    }
}

/// How a measured value is compared with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// All of them, those of two characters first: a text that begins with `<=` begins with `<` too.
    pub const ALL: [Self; 6] = [
        Self::LessOrEqual,
        Self::GreaterOrEqual,
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::Greater,
    ];

    /// Whether `actual` is to `limit` as asked. Both in the same unit.
    pub fn holds(self, actual: f64, limit: f64) -> bool {
        match self {
            Self::Less => actual < limit,
            Self::LessOrEqual => actual <= limit,
            Self::Greater => actual > limit,
            Self::GreaterOrEqual => actual >= limit,
            Self::Equal => actual == limit,
            Self::NotEqual => actual != limit,
        }
    }

    /// As it is written in a scenario.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl ThresholdOutcome {
    /// Whether it held.
    pub fn passed(&self) -> bool {
        self.result == ThresholdResult::Held
    }

    /// The same in the words that claims have.
    pub fn claim_result(&self) -> ClaimResult {
        match self.result {
            ThresholdResult::Held => ClaimResult::Held,
            ThresholdResult::Broken => ClaimResult::Broken,
            ThresholdResult::ExplainedByLag | ThresholdResult::TooFewSamples => {
                ClaimResult::NotJudged
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An aggregate is read as it is written.
    #[test]
    fn aggregates_round_trip() {
        for text in [
            "p50", "p99.9", "min", "avg", "max", "count", "rate", "value",
        ] {
            let aggregate: Aggregate = text.parse().unwrap();

            assert_eq!(aggregate.to_string(), text);
        }
        assert!("q99".parse::<Aggregate>().is_err());
        assert!("p100".parse::<Aggregate>().is_err());
    }
}
