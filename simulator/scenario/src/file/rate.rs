//! A rate over time, as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::DurationText;

/// Messages per second: a number, or a profile over time. Times count from the beginning of the measured part.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Rate")]
pub(crate) enum RateFile {
    /// Always the same.
    Constant(#[schemars(range(min = 0.000_001, max = 100_000_000))] f64),
    /// Linear between points; before the first one the first rate, after the last one the last. Two points at one
    /// moment are a step.
    Points(#[schemars(length(min = 1, max = 10_000))] Vec<RatePointFile>),
    /// Points that come again.
    Repeat(RepeatFile),
    /// The hours of a day, 24 h of real time.
    Day(DayProfileFile),
}

/// The rate at a moment.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RatePoint")]
pub(crate) struct RatePointFile {
    /// The moment, not before that of the point before.
    pub(crate) at: DurationText,
    /// Messages per second then.
    #[schemars(range(min = 0, max = 100_000_000))]
    pub(crate) rate: f64,
}

/// Points that come again after each period.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RepeatedRate")]
pub(crate) struct RepeatFile {
    /// How long a period is. The first one begins with the measured part.
    pub(crate) repeat: DurationText,
    /// The points of a period, from its beginning.
    #[schemars(length(min = 1, max = 10_000))]
    pub(crate) points: Vec<RatePointFile>,
}

/// A rate that follows the hours of a day: 24 h of real time. A day that passes faster is written as `points` with
/// `repeat`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DayRate")]
pub(crate) struct DayProfileFile {
    /// The lowest and the highest rate of a day of 24 h of real time, and when the highest is. A day that passes faster is
    /// written as `points` with `repeat`.
    pub(crate) day: DayFile,
}

/// A cosine over 24 hours of real time; the measured part begins at midnight. A day that passes faster is written as
/// `points` with `repeat`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Day")]
pub(crate) struct DayFile {
    /// Messages per second twelve hours from the peak.
    #[schemars(range(min = 0, max = 100_000_000))]
    pub(crate) low: f64,
    /// Messages per second at the peak.
    #[schemars(range(min = 0.000_001, max = 100_000_000))]
    pub(crate) high: f64,
    /// When the peak is, counted from midnight: less than 24h.
    pub(crate) peak: DurationText,
}
