//! Times in which nothing came although something was owed.

use std::time::Duration;

use crate::clock::nanos;

/// How often is looked: a pause is known to so much.
const CHECK: Duration = Duration::from_millis(100);

/// The longest pause by now, in nanoseconds of the engine's clock.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    /// Deliveries and acknowledgements when it was last looked.
    progress: u64,
    /// When they last were more, or nothing was owed.
    moved_at: u64,
    checked_at: u64,
    longest: u64,
}

impl Pauses {
    /// Whether it is time to look.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        now - self.checked_at >= nanos(CHECK)
    }

    /// Whether anything came since it was last looked.
    pub(crate) fn has_moved(&self, progress: u64) -> bool {
        progress != self.progress
    }

    /// Notes what has come by `now`, and where that is nothing new, whether anything is owed.
    pub(crate) fn note(&mut self, now: u64, progress: u64, is_owed: bool) {
        self.checked_at = now;
        if self.has_moved(progress) || !is_owed {
            self.progress = progress;
            self.moved_at = now;
        }
        self.longest = self.longest.max(now - self.moved_at);
    }

    /// The longest since the last call. What goes on begins anew `now`.
    pub(crate) fn take(&mut self, now: u64) -> Duration {
        self.moved_at = now;
        Duration::from_nanos(std::mem::take(&mut self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pause lasts from what came last to what comes next; without anything owed there is none.
    #[test]
    fn a_pause_needs_something_owed() {
        let ms = |ms: u64| nanos(Duration::from_millis(ms));
        let mut pauses = Pauses::default();
        assert!(!pauses.is_due(ms(99)) && pauses.is_due(ms(100)));

        for (at, progress, owed) in [
            (100, 5, true),
            (900, 5, true),
            (1000, 6, false),
            (5000, 6, false),
        ] {
            pauses.note(ms(at), progress, owed);
        }

        assert_eq!(pauses.take(ms(5000)), Duration::from_millis(800));
        pauses.note(ms(5400), 6, true);
        assert_eq!(pauses.take(ms(5400)), Duration::from_millis(400));
    }
}
