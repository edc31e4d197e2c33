//! Which number of a metric a threshold compares.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Percentile;

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
            "avg" | "mean" => Ok(Self::Avg),
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
