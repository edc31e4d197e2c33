//! How a figure of a link is compared with what is configured: by rank, or as a number.
//!
//! A figure is off if it differs by more than the tolerance and chance does not explain it: three
//! standard errors of the sample are allowed for. Quantiles are compared by rank, so that the
//! allowance needs no assumption about the distribution: the share of samples below the
//! configured quantile, moved by the tolerance, must be on the right side of it.

use std::time::Duration;

use squall_run::Histogram;

/// Standard errors that chance may take.
pub(super) const STANDARD_ERRORS: f64 = 3.0;

/// How a figure is compared.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// A quantile, by rank.
    Rank {
        samples: Histogram,
        quantile: f64,
        configured: Duration,
        /// Time that may be added beside the configured one.
        extra: Duration,
        /// Share of samples that something else may have delayed.
        delayed_share: f64,
    },
    /// A number, with three standard errors.
    Number {
        configured: f64,
        measured: f64,
        error: f64,
    },
}

impl Test {
    /// Whether the measured figure is within the tolerance and what chance explains.
    pub(super) fn holds(&self, tolerance: f64) -> bool {
        match self {
            Self::Number {
                configured,
                measured,
                error,
            } => {
                let difference = (measured - configured).abs();
                difference <= configured * tolerance + STANDARD_ERRORS * error
            }
            Self::Rank {
                samples,
                quantile,
                configured,
                extra,
                delayed_share,
            } => {
                let count = samples.count() as f64;
                if count == 0.0 {
                    return false;
                }
                let error = STANDARD_ERRORS * (quantile * (1.0 - quantile) / count).sqrt();
                let share_at_or_below = |micros: f64| {
                    // A time in microseconds that no run reaches saturates.
                    samples.count_at_or_below(micros as u64) as f64 / count
                };
                let micros = configured.as_secs_f64() * 1e6;
                let upper = micros * (1.0 + tolerance) + extra.as_secs_f64() * 1e6;
                let lower = micros * (1.0 - tolerance);
                let is_short_enough =
                    share_at_or_below(upper.ceil() + 1.0) >= quantile - error - delayed_share;
                let is_long_enough =
                    share_at_or_below((lower - 1.0).max(0.0)) <= quantile + error || micros < 1.0;
                is_short_enough && is_long_enough
            }
        }
    }
}
