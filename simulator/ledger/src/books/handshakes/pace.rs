//! How long the broker takes to go on with an exchange, and so which open ones it has surely left.
//!
//! The protocol knows no time within which a server must answer. One that is busy may have come to an exchange a moment after
//! the run ended: it is taken for left once it has waited for [`GOES_ON_WITHIN`] and for [`TIMES_THE_SLOWEST`] times as long
//! as the slowest answer took.

use std::time::Duration;

use squall_protocol::Instant;

/// What has waited for less is not taken for left, however quick the broker was before.
const GOES_ON_WITHIN: Duration = Duration::from_secs(5);

/// How many times as long as the slowest answer an exchange waits before it is taken for left.
const TIMES_THE_SLOWEST: u32 = 2;

/// How long the broker took at most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    slowest: Duration,
}

impl Pace {
    /// The broker answered after so long.
    pub(super) fn note(&mut self, took: Duration) {
        self.slowest = self.slowest.max(took);
    }

    /// How much longer the run would have had to go on after `now` to tell of an exchange that waits since `since`; `None` if
    /// it can be told.
    pub(super) fn short_by(&self, since: Instant, now: Instant) -> Option<Duration> {
        let needed = GOES_ON_WITHIN.max(self.slowest * TIMES_THE_SLOWEST);
        let short_by = needed.saturating_sub(now.saturating_since(since));
        (!short_by.is_zero()).then_some(short_by)
    }
}
