//! When the generator stood still: something was due, and it did nothing.
//!
//! What was under way meanwhile cannot have been read, so the part of a latency that falls into a
//! standstill is the generator's. It is an upper bound: what would have come after the standstill
//! in any case loses that part too.

use std::collections::VecDeque;
use std::time::Duration;

use squall_protocol::Instant;

/// Standstills that are kept. Of what was under way before the oldest, only the part within those
/// that are kept is known.
const STANDSTILLS_MAX: usize = 16_384;

/// The standstills of a run, in order.
#[derive(Debug, Default)]
pub(super) struct Standstills {
    kept: VecDeque<Standstill>,
    /// All of them together.
    total: Duration,
    longest: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Standstill {
    from: Instant,
    to: Instant,
    /// All those before it together.
    before: Duration,
}

impl Standstills {
    /// The generator did nothing between two moments, both after every earlier standstill.
    pub(super) fn note(&mut self, from: Instant, to: Instant) {
        self.kept.push_back(Standstill {
            from,
            to,
            before: self.total,
        });
        let length = to.saturating_since(from);
        self.total += length;
        self.longest = self.longest.max(length);
        if self.kept.len() > STANDSTILLS_MAX {
            self.kept.pop_front();
        }
    }

    /// The longest of all.
    pub(super) fn longest(&self) -> Duration {
        self.longest
    }

    /// How much of the time between two moments the generator stood still.
    pub(super) fn within(&self, from: Instant, to: Instant) -> Duration {
        self.until(to).saturating_sub(self.until(from))
    }

    /// How long it had stood still by a moment.
    fn until(&self, at: Instant) -> Duration {
        let begun = self.kept.partition_point(|still| still.from <= at);
        match begun.checked_sub(1) {
            Some(last) => {
                let last = self.kept[last];
                last.before + at.min(last.to).saturating_since(last.from)
            }
            None => self
                .kept
                .front()
                .map_or(Duration::ZERO, |oldest| oldest.before),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    /// Only what falls into a standstill counts, of several and of parts of one.
    #[test]
    fn the_overlap_of_a_time_with_standstills() {
        let mut standstills = Standstills::default();
        standstills.note(at(100), at(150));
        standstills.note(at(300), at(400));

        let within = |from, to| standstills.within(at(from), at(to)).as_millis();

        assert_eq!(within(0, 1_000), 150);
        assert_eq!(within(120, 320), 50);
        assert_eq!(within(150, 300), 0);
        assert_eq!(within(310, 330), 20);
        assert_eq!(within(0, 90), 0);
    }

    /// A run that stands still all the time takes the same memory.
    #[test]
    fn the_oldest_are_forgotten() {
        let mut standstills = Standstills::default();
        for n in 0..20_000 {
            standstills.note(at(10 * n), at(10 * n + 5));
        }

        assert_eq!(standstills.kept.len(), STANDSTILLS_MAX);
        let within = standstills.within(at(199_000), at(200_000));
        assert_eq!(within, Duration::from_millis(500));
    }
}
