//! `reconnect.backoff` that grows.

use std::time::Duration;

use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::quantity::format_duration;

use super::Resolver;
use crate::file::{GrowingFile, JitterWord};
use crate::{GrowingBackoff, Jitter};

/// `factor` unless the file says otherwise.
const FACTOR_DEFAULT: f64 = 2.0;

/// `cap` unless the file says otherwise, or begins with more.
const CAP_DEFAULT: Duration = Duration::from_secs(120);

/// A device that waits longer has left the run.
const CAP_MAX: Duration = Duration::from_secs(86_400);

impl Resolver<'_> {
    pub(super) fn resolve_growing(&mut self, file: &GrowingFile, at: &At<'_>) -> GrowingBackoff {
        let initial = file.initial.0;
        self.check_above_zero(initial, &at.key("initial"));
        self.check_at_most_a_day(initial, Duration::ZERO, &at.key("initial"));
        let cap = file.cap.map_or(CAP_DEFAULT.max(initial), |cap| cap.0);
        self.check_at_most_a_day(cap, initial.min(CAP_MAX), &at.key("cap"));
        GrowingBackoff {
            initial,
            factor: file.factor.unwrap_or(FACTOR_DEFAULT),
            cap,
            jitter: match file.jitter {
                None | Some(JitterWord::Full) => Jitter::Full,
                Some(JitterWord::Equal) => Jitter::Equal,
                Some(JitterWord::None) => Jitter::None,
            },
        }
    }

    /// Notes a wait that is below `min` or longer than a day.
    fn check_at_most_a_day(&mut self, wait: Duration, min: Duration, at: &At<'_>) {
        if (min..=CAP_MAX).contains(&wait) {
            return;
        }
        let problem = Mistake::OutOfRange {
            value: format_duration(wait),
            range: match min {
                Duration::ZERO => "at most 1d".to_owned(),
                min => format!("at least {}, at most 1d", format_duration(min)),
            },
        };
        self.diagnostics.value(at, problem);
    }
}
