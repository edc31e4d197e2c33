//! The only place of the engine that reads a clock.

use std::time::{Duration, Instant};

/// Nanoseconds since the engine was made. Monotonic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> u64 {
        nanos(self.start.elapsed())
    }
}

/// `duration` in nanoseconds; more than 584 years are that.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
