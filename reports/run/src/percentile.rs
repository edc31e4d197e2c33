//! A percentile, and how many samples it needs.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::count_text;

/// A percentile from p0.001 to p99.999, in steps of a thousandth of a per cent.
///
/// Written `p50`, `p99.9`, in files and in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percentile {
    /// Thousandths of a per cent, from 1 to 99,999.
    millipercent: u32,
}

/// A text is not a percentile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a percentile such as p50 or p99.9, at most p99.999")]
pub struct NotAPercentile {
    /// The text.
    pub text: String,
}

impl Percentile {
    /// Samples that must lie beyond a percentile for it to be printed or judged.
    pub const SAMPLES_BEYOND: u64 = 10;
    /// p50, the median.
    pub const P50: Self = Self {
        millipercent: 50_000,
    };
    /// p90.
    pub const P90: Self = Self {
        millipercent: 90_000,
    };
    /// p95.
    pub const P95: Self = Self {
        millipercent: 95_000,
    };
    /// p99.
    pub const P99: Self = Self {
        millipercent: 99_000,
    };
    /// p99.9.
    pub const P99_9: Self = Self {
        millipercent: 99_900,
    };
    /// p99.99.
    pub const P99_99: Self = Self {
        millipercent: 99_990,
    };
    /// The percentiles that tables show, ascending.
    pub const SHOWN: [Self; 6] = [
        Self::P50,
        Self::P90,
        Self::P95,
        Self::P99,
        Self::P99_9,
        Self::P99_99,
    ];

    /// The share of samples at or below it, between 0 and 1.
    pub fn quantile(self) -> f64 {
        f64::from(self.millipercent) / 100_000.0
    }

    /// The highest of those that tables show which so many samples can judge; `None` with too few for any.
    pub fn highest_judged_by(samples: u64) -> Option<Self> {
        let mut shown = Self::SHOWN.into_iter().rev();
        shown.find(|percentile| percentile.samples_needed() <= samples)
    }

    /// What to limit in place of a percentile that `samples` cannot judge.
    pub fn advice(samples: u64) -> String {
        match Self::highest_judged_by(samples) {
            Some(percentile) => format!(
                "limit `{percentile}`, which takes {}, or `max`, which takes one",
                count_text(percentile.samples_needed())
            ),
            None => "limit `max`, which takes one".to_owned(),
        }
    }

    /// The fewest samples with which this percentile may be printed or judged:
    /// [`Self::SAMPLES_BEYOND`] must lie beyond it, on the side where fewer do. p50 needs 20, p99
    /// needs 1,000, p99.9 needs 10,000, p1 needs 1,000.
    ///
    /// With fewer, a handful of samples decides: one stall of the machine moves the figure from
    /// the body of the distribution to its maximum, and it comes out differently in the next run.
    pub fn samples_needed(self) -> u64 {
        let beyond = self.millipercent.min(100_000 - self.millipercent);
        (Self::SAMPLES_BEYOND * 100_000).div_ceil(u64::from(beyond))
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", f64::from(self.millipercent) / 1000.0)
    }
}

impl FromStr for Percentile {
    type Err = NotAPercentile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NotAPercentile {
            text: text.to_owned(),
        };
        let digits = text.strip_prefix('p').ok_or_else(error)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str, longest| {
            (1..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 2) || !is_number(fraction, 3) {
            return Err(error());
        }
        let millipercent: u32 = format!("{whole}{fraction:0<3}")
            .parse()
            .map_err(|_| error())?;
        if (1..100_000).contains(&millipercent) {
            Ok(Self { millipercent })
        } else {
            Err(error())
        }
    }
}

impl TryFrom<String> for Percentile {
    type Error = NotAPercentile;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Percentile> for String {
    fn from(percentile: Percentile) -> Self {
        percentile.to_string()
    }
}

impl JsonSchema for Percentile {
    fn schema_name() -> Cow<'static, str> {
        "Percentile".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^p[0-9]{1,2}(\\.[0-9]{1,3})?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A percentile is written as it is read.
    #[test]
    fn text_round_trips() {
        for text in ["p50", "p99", "p99.9", "p99.99", "p99.999", "p0.001", "p5"] {
            let percentile: Percentile = text.parse().unwrap();

            assert_eq!(percentile.to_string(), text);
        }
    }

    /// What is not a percentile is refused, p0 and p100 among it: they are the minimum and maximum.
    #[test]
    fn other_text_is_refused() {
        for text in [
            "", "p", "50", "p100", "p0", "p99.9999", "p-1", "p9 9", "p99.", "p+5", "pp5",
        ] {
            assert!(text.parse::<Percentile>().is_err(), "{text}");
        }
    }

    /// Ten samples must lie beyond a percentile, above a high one and below a low one.
    #[test]
    fn ten_samples_lie_beyond_a_percentile() {
        let needed = Percentile::SHOWN.map(Percentile::samples_needed);

        assert_eq!(needed, [20, 100, 200, 1_000, 10_000, 100_000]);
        assert_eq!("p1".parse::<Percentile>().unwrap().samples_needed(), 1_000);
    }
}
