//! `[group.reconnect]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{DistributionFile, DurationText};

/// Whether and when a device comes back.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Reconnect")]
pub(crate) struct ReconnectFile {
    /// After which ends a device comes back. Default `unexpected`.
    pub(crate) when: Option<WhenWord>,
    /// Time from the end of a connection, or of an attempt, to the next attempt to connect: a distribution,
    /// or a time that grows with each attempt that fails. Default uniform from 100ms to 1s.
    pub(crate) backoff: Option<BackoffFile>,
}

/// Time until the next attempt to connect.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Backoff")]
pub(crate) enum BackoffFile {
    /// Drawn for each attempt, whatever became of the attempts before.
    Drawn(DistributionFile),
    /// Grows with each attempt that fails.
    Growing(GrowingFile),
}

/// A time that grows with each attempt that fails, and is back to `initial` after a CONNACK with
/// Success: a connection that the broker accepted, however short it was.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GrowingBackoff")]
pub(crate) struct GrowingFile {
    /// The first wait, above 0s.
    pub(crate) initial: DurationText,
    /// What each wait is multiplied with for the next. Default 2.
    #[schemars(range(min = 1, max = 1_000))]
    pub(crate) factor: Option<f64>,
    /// No wait is longer; at least `initial`, at most 1d. Default 2m, or `initial` if that is longer.
    pub(crate) cap: Option<DurationText>,
    /// How much of a wait is random. Default full.
    pub(crate) jitter: Option<JitterWord>,
}

/// How much of a wait is random.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Jitter")]
pub(crate) enum JitterWord {
    /// All of it: uniform from zero to the wait, so that a fleet does not come back at one instant.
    Full,
    /// Half of it: uniform from half the wait to the wait.
    Equal,
    /// Nothing: every device waits equally long.
    None,
}

/// After which ends a device comes back.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "When")]
pub(crate) enum WhenWord {
    /// After none.
    Never,
    /// After every end, except those that a fault asked for.
    Unexpected,
    /// After every end, those that a fault asked for included.
    Always,
}
