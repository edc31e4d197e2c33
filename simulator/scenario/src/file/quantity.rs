//! Quantities with units, and distributions of times, as the file writes them.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use squall_toml::quantity::{Quantity, UnitError, parse_bit_rate, parse_duration, parse_size};

/// How the schema calls a quantity, in `format`.
const fn format_of(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Duration => "squall-duration",
        Quantity::Size => "squall-size",
        Quantity::BitRate => "squall-bit-rate",
    }
}

/// The quantity that the schema calls `format`.
pub(crate) fn quantity_of(format: &str) -> Option<Quantity> {
    [Quantity::Duration, Quantity::Size, Quantity::BitRate]
        .into_iter()
        .find(|quantity| format_of(*quantity) == format)
}

/// The JSON Schema of a text that is a quantity. Editors know the pattern, squall knows the format.
fn schema_of(quantity: Quantity, pattern: &str, description: &str) -> Schema {
    json_schema!({
        "type": "string",
        "format": format_of(quantity),
        "pattern": pattern,
        "description": description,
    })
}

/// A time with its unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DurationText(pub(crate) Duration);

/// A number of bytes with its unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeText(pub(crate) u64);

/// Bits per second with their unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitRateText(pub(crate) u64);

fn parse<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&str) -> Result<T, UnitError>,
) -> Result<T, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    parse(&text).map_err(de::Error::custom)
}

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(deserializer, parse_duration).map(Self)
    }
}

impl<'de> Deserialize<'de> for SizeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(deserializer, parse_size).map(Self)
    }
}

impl<'de> Deserialize<'de> for BitRateText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(deserializer, parse_bit_rate).map(Self)
    }
}

impl JsonSchema for DurationText {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema_of(
            Quantity::Duration,
            r"^([0-9]+(\.[0-9]+)? ?(ns|us|µs|ms|s|m|h|d) ?)+$",
            "A time with its unit: 250ms, 10s, 1m30s.",
        )
    }
}

impl JsonSchema for SizeText {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema_of(
            Quantity::Size,
            r"^[0-9]+(\.[0-9]+)? ?(B|KB|KiB|MB|MiB|GB|GiB)$",
            "A number of bytes with its unit: 16B, 64KiB.",
        )
    }
}

impl JsonSchema for BitRateText {
    fn schema_name() -> Cow<'static, str> {
        "BitRate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema_of(
            Quantity::BitRate,
            r"^[0-9]+(\.[0-9]+)? ?([kKmMgG]?bit/s)$",
            "Bits per second: 256kbit/s.",
        )
    }
}

/// A time that is always the same, or a distribution of times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Distribution")]
pub(crate) enum DistributionFile {
    /// Always the same.
    Constant(DurationText),
    /// A distribution, by its name and parameters.
    Shape(ShapeFile),
}

/// A distribution of times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "dist", rename_all = "lowercase", deny_unknown_fields)]
#[schemars(rename = "Shape")]
pub(crate) enum ShapeFile {
    /// Always the same.
    Constant {
        /// The time.
        value: DurationText,
    },
    /// Every time of an interval is equally likely.
    Uniform {
        /// The shortest time.
        min: DurationText,
        /// The longest time.
        max: DurationText,
    },
    /// Normal; draws below zero count as zero.
    Normal {
        /// The mean, at least three times the standard deviation.
        mean: DurationText,
        /// The standard deviation.
        std_dev: DurationText,
    },
    /// Log-normal: long to the right, as latencies are.
    Lognormal {
        /// Half of the draws are shorter.
        median: DurationText,
        /// 99 of 100 draws are shorter.
        p99: DurationText,
    },
    /// Exponential: gaps between events that are independent of each other.
    Exponential {
        /// The mean.
        mean: DurationText,
    },
    /// Pareto: few draws are very long.
    Pareto {
        /// The shortest time.
        min: DurationText,
        /// Tail index: the smaller, the longer the tail.
        #[schemars(extend("exclusiveMinimum" = 0), range(max = 1_000))]
        alpha: f64,
    },
    /// Times as they were measured.
    Empirical {
        /// The measured times.
        #[schemars(length(min = 1))]
        values: Vec<DurationText>,
        /// How often each time comes, relative to the others. By default all are equally frequent.
        weights: Option<Vec<f64>>,
    },
}
