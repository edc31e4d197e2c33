//! How long the broker is waited for before what it owes is taken for given up.
//!
//! The protocol knows no time within which a server must deliver or answer, and one that is busy may have come to it a moment
//! after the run ended. So it is waited for as long as [`AT_LEAST`], and [`TIMES_THE_SLOWEST`] times as long as it took at most
//! before.

use std::time::Duration;

use squall_protocol::Instant;

/// What has waited for less is not given up, however quick the others were: a broker may write to its disk, or clear its
/// memory, for a while.
pub(crate) const AT_LEAST: Duration = Duration::from_secs(5);

/// How many times as long as the slowest before.
const TIMES_THE_SLOWEST: u32 = 2;

/// What has been under way for less has not been so for long, however quick the others were: a machine with other work
/// holds a broker up for as long.
const LONG: Duration = Duration::from_millis(250);

/// Whether what is under way for so long is so for longer than an idle broker takes, and than the slowest before, if there was one.
pub(crate) fn is_long(under_way: Duration, slowest: Option<Duration>) -> bool {
    under_way > LONG && slowest.is_none_or(|slowest| under_way > may_take(slowest))
}

/// How long something may be under way, by the slowest before.
pub(crate) fn may_take(slowest: Duration) -> Duration {
    slowest.saturating_mul(TIMES_THE_SLOWEST)
}

/// How long is waited by the slowest before; where there was none, `without_any` at least.
pub(crate) fn needed(slowest: Option<Duration>, without_any: Duration) -> Duration {
    AT_LEAST.max(slowest.map_or(without_any, may_take))
}

/// How much longer the run would have had to go on after `now` to tell of what waits since `since`, of which `needed` is
/// needed; `None` if it can be told.
pub(crate) fn short_by(needed: Duration, since: Instant, now: Instant) -> Option<Duration> {
    let short_by = needed.saturating_sub(now.saturating_since(since));
    (!short_by.is_zero()).then_some(short_by)
}
