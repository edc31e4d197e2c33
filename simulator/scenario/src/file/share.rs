//! A share over time, as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::DurationText;

/// A share from 0 to 1: a number, or a profile over time. Times count from the beginning of the measured part.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Share")]
pub(crate) enum ShareFile {
    /// Always the same.
    Constant(#[schemars(range(min = 0.000_001, max = 1))] f64),
    /// Linear between points; before the first one the first share, after the last one the last. Two points at one
    /// moment are a step.
    Points(#[schemars(length(min = 1, max = 10_000))] Vec<SharePointFile>),
    /// Points that come again.
    Repeat(RepeatedShareFile),
    /// The hours of a day, 24 h of real time.
    Day(DayShareFile),
}

/// The share at a moment.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SharePoint")]
pub(crate) struct SharePointFile {
    /// The moment, not before that of the point before.
    pub(crate) at: DurationText,
    /// The share then.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) share: f64,
}

/// Shares that come again after each period.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RepeatedShare")]
pub(crate) struct RepeatedShareFile {
    /// How long a period is. The first one begins with the measured part.
    pub(crate) repeat: DurationText,
    /// The points of a period, from its beginning.
    #[schemars(length(min = 1, max = 10_000))]
    pub(crate) points: Vec<SharePointFile>,
}

/// A share that follows the hours of a day: 24 h of real time. A day that passes faster is written as `points` with
/// `repeat`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DayShare")]
pub(crate) struct DayShareFile {
    /// The lowest and the highest share of a day of 24 h of real time, and when the highest is. A day that passes faster is
    /// written as `points` with `repeat`.
    pub(crate) day: ShareOfDayFile,
}

/// A cosine over 24 hours; the measured part begins at midnight.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ShareOfDay")]
pub(crate) struct ShareOfDayFile {
    /// The share twelve hours from the peak.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) low: f64,
    /// The share at the peak.
    #[schemars(range(min = 0.000_001, max = 1))]
    pub(crate) high: f64,
    /// When the peak is, counted from midnight: less than 24h.
    pub(crate) peak: DurationText,
}
