//! What one watcher's first sight of a will tells.

use std::time::Duration;

use squall_run::duration_text;
use squall_scenario::FaultId;

use super::end::WillCause;
use crate::books::delay::Delay;

/// A will that was seen for the first time by one watcher.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WillSeen {
    /// The fault before it, if any.
    pub(crate) fault: Option<FaultId>,
    /// How the connection ended.
    pub(crate) cause: WillCause,
    /// Time that the broker had since the will was due, until it reached the watcher's machine: without `barred`. Without a
    /// delay it was due when the end had left the device's link.
    pub(crate) after: Duration,
    /// How long the will had to wait before it was due.
    pub(crate) delay: Delay,
    /// Time in between in which the broker could send the watcher nothing: it was away, or its link held the
    /// answers that the broker waits for.
    pub(crate) barred: Duration,
    /// Time since the device ended the connection, until the watcher's device had the will: with what the
    /// links of both held.
    pub(crate) with_links: Duration,
}

impl WillSeen {
    /// What the time counts from, in words.
    pub(super) fn since_text(&self) -> &'static str {
        match self.delay {
            Delay::None => "the drop",
            Delay::UntilResumed(_) | Delay::UntilReplaced(_) => "it was due",
        }
    }

    /// What the links of the two devices add, in words; nothing if they have none.
    pub(super) fn links_text(&self) -> String {
        if self.with_links <= self.after + self.delay.time() {
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
        let delay = match self.delay {
            Delay::None => "",
            Delay::UntilResumed(_) | Delay::UntilReplaced(_) => " and Will Delay",
        };
        format!(" without what the simulated links held{barred} ({with_links} with it{delay})")
    }
}
