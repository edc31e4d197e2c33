//! Limits on numbers and whether they held.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Aggregate, ClaimResult, MetricName, Tags, Value};

/// One expression of `[thresholds]`, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdOutcome {
    /// The metric that it limits.
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
    /// What it is about: `e2e_latency{group=backend, qos=1}`.
    pub fn selector(&self) -> String {
        let tags = self.tags.iter();
        let tags: Vec<String> = tags.map(|(tag, value)| format!("{tag}={value}")).collect();
        match tags.is_empty() {
            true => self.metric.to_string(),
            false => format!("{}{{{}}}", self.metric, tags.join(", ")),
        }
    }

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
