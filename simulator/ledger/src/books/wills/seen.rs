//! What one watcher's first sight of a will tells.

use std::time::Duration;

use squall_run::duration_text;
use squall_scenario::FaultId;

use super::end::WillCause;

/// A will that was seen for the first time by one watcher.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WillSeen {
    /// The fault before it, if any.
    pub(crate) fault: Option<FaultId>,
    /// How the connection ended.
    pub(crate) cause: WillCause,
    /// Time that the broker had since that left the device's link, until the will reached the watcher's
    /// machine: without `barred`.
    pub(crate) after: Duration,
    /// Time in between in which the broker could send the watcher nothing: it was away, or its link held the
    /// answers that the broker waits for.
    pub(crate) barred: Duration,
    /// Time since the device ended the connection, until the watcher's device had the will: with what the
    /// links of both held.
    pub(crate) with_links: Duration,
}

impl WillSeen {
    /// What the links of the two devices add, in words; nothing if they have none.
    pub(super) fn links_text(&self) -> String {
        if self.with_links <= self.after {
            return String::new();
        }
        let with_links = duration_text(self.with_links.as_secs_f64());
        let barred = if self.barred.is_zero() {
            String::new()
        } else {
            format!(
                " and without {} in which the watcher was away or its link held the answers to earlier messages",
                duration_text(self.barred.as_secs_f64())
            )
        };
        format!(" without what the simulated links held{barred} ({with_links} with it)")
    }
}
