//! The only place that reads the real clock: turns it into the broker's time and back.

use std::time;

use squall_protocol::Instant;

/// Time since the shard started, from the system's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: time::Instant,
}

impl Clock {
    /// A clock that stands at [`Instant::ZERO`] now.
    pub(crate) fn start() -> Self {
        Self {
            start: time::Instant::now(),
        }
    }

    /// The time now. It never goes backwards.
    pub(crate) fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// `moment` as the runtime's timer takes it; far beyond its range, its latest.
    pub(crate) fn deadline(&self, moment: Instant) -> tokio::time::Instant {
        /// No broker runs longer; the timer takes any moment before it.
        const LATEST: time::Duration = time::Duration::from_secs(100 * 365 * 86_400);
        (self.start + moment.since_start().min(LATEST)).into()
    }
}
