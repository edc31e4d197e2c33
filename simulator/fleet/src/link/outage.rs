//! When a link is out: nothing passes, nothing is closed, and what waits passes afterwards.

use std::collections::VecDeque;
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::Outages;

use crate::random::Generator;

/// The outages of one link, drawn up to the latest moment that was asked about.
///
/// Invariant: `windows` are in order, do not overlap, and end after the last `forget`.
#[derive(Debug)]
pub(super) struct OutageTrack {
    outages: Option<Outages>,
    rng: Generator,
    /// Begin and end of those that are not over.
    windows: VecDeque<(Instant, Instant)>,
    /// A time without passage that a fault imposes.
    imposed: Option<(Instant, Instant)>,
    /// End of the last one drawn, or when it began.
    drawn_until: Instant,
    /// Those that are over: how many, and how long in all.
    over: u64,
    over_time: Duration,
    /// What has been taken of the total.
    taken: (u64, Duration),
}

impl OutageTrack {
    /// Outages as `outages` describes them, from `since` on; `None` has none.
    pub(super) fn new(outages: Option<Outages>, rng: Generator, since: Instant) -> Self {
        Self {
            outages,
            rng,
            windows: VecDeque::new(),
            imposed: None,
            drawn_until: since,
            over: 0,
            over_time: Duration::ZERO,
            taken: (0, Duration::ZERO),
        }
    }

    /// Nothing passes from `from` until `until`, whatever was drawn. It takes the place of what was imposed before.
    pub(super) fn impose(&mut self, from: Instant, until: Instant) {
        self.imposed = Some((from, until));
    }

    /// The first moment from `at` on at which the link is not out.
    pub(super) fn clear_from(&mut self, at: Instant) -> Instant {
        let mut at = at;
        loop {
            let drawn = self.clear_of_drawn(at);
            let imposed = self
                .imposed
                .filter(|&(from, until)| from <= drawn && drawn < until);
            match imposed {
                Some((_, until)) => at = until,
                None => return drawn,
            }
        }
    }

    fn clear_of_drawn(&mut self, at: Instant) -> Instant {
        let Some(outages) = &self.outages else {
            return at;
        };
        while self.drawn_until <= at {
            let begin = self.drawn_until + outages.every.sample(&mut self.rng);
            let end = begin + outages.lasts.sample(&mut self.rng);
            // Two draws of zero must not repeat this endlessly: each turn gets on by at least 1 ns.
            self.drawn_until = end.max(self.drawn_until + Duration::from_nanos(1));
            self.windows.push_back((begin, end));
        }
        self.windows
            .iter()
            .find(|&&(begin, end)| begin <= at && at < end)
            .map_or(at, |&(_, end)| end)
    }

    /// Drops the outages that are over by `now`: no later call asks about an earlier moment.
    pub(super) fn forget(&mut self, now: Instant) {
        while let Some(&(begin, end)) = self.windows.front()
            && end <= now
        {
            self.over += 1;
            self.over_time += end.saturating_since(begin);
            self.windows.pop_front();
        }
    }

    /// As [`Self::total`], since it was last asked so.
    pub(super) fn take_total(&mut self, now: Instant) -> (u64, Duration) {
        let (count, time) = self.total(now);
        let (counted, counted_time) = std::mem::replace(&mut self.taken, (count, time));
        (count - counted, time - counted_time)
    }

    /// Outages that began by `now`, and the time that they lasted until then.
    pub(super) fn total(&mut self, now: Instant) -> (u64, Duration) {
        // A link without traffic asked for no outage yet, and was out all the same.
        self.clear_of_drawn(now);
        self.forget(now);
        let running = self.windows.iter().filter(|&&(begin, _)| begin <= now);
        running.fold((self.over, self.over_time), |(count, time), &(begin, _)| {
            (count + 1, time + now.saturating_since(begin))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Draws, Purpose};
    use squall_scenario::Distribution;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + secs(seconds)
    }

    fn track(every: Distribution, lasts: Distribution) -> OutageTrack {
        OutageTrack::new(
            Some(Outages { every, lasts }),
            Draws::of_device(1, "g", 0).generator(Purpose::Outages, 0),
            Instant::ZERO,
        )
    }

    /// Outages follow each other: the gap counts from the end of the one before.
    #[test]
    fn what_comes_in_an_outage_passes_at_its_end() {
        let mut track = track(
            Distribution::constant(secs(10)),
            Distribution::constant(secs(3)),
        );

        let passes: Vec<Instant> = [9, 10, 12, 13, 22, 23, 25]
            .map(|second| track.clear_from(at(second)))
            .to_vec();

        assert_eq!(passes, [9, 13, 13, 13, 22, 26, 26].map(at));
    }

    /// An answer about the future takes nothing from answers about the present.
    #[test]
    fn asking_ahead_changes_no_answer() {
        let mut track = track(
            Distribution::constant(secs(10)),
            Distribution::constant(secs(3)),
        );

        assert_eq!(track.clear_from(at(24)), at(26));
        assert_eq!(track.clear_from(at(11)), at(13));
    }

    /// The share of time in outage is mean / (mean + gap): the `network` check relies on it.
    #[test]
    fn the_time_in_outage_has_the_configured_share() {
        let mut track = track(
            Distribution::Exponential { mean: secs(45) },
            Distribution::constant(secs(3)),
        );

        let (count, time) = track.total(at(1_000_000));

        let share = time.as_secs_f64() / 1e6;
        assert!((share / (3.0 / 48.0) - 1.0).abs() < 0.05, "{share}");
        assert!(count.abs_diff(1_000_000 / 48) < 1_000, "{count}");
    }

    /// A partition bars the way between outages too, and an outage that has begun in it goes on after it.
    #[test]
    fn what_comes_in_an_imposed_outage_passes_after_both() {
        let mut track = track(
            Distribution::constant(secs(10)),
            Distribution::constant(secs(3)),
        );
        track.impose(at(5), at(11));

        let passes: Vec<Instant> = [4, 5, 12, 14]
            .map(|second| track.clear_from(at(second)))
            .to_vec();

        assert_eq!(passes, [4, 13, 13, 14].map(at));
        assert_eq!(track.total(at(14)), (1, secs(3)));
    }

    /// Without the block, a link is never out.
    #[test]
    fn no_outages_are_none() {
        let mut track = OutageTrack::new(
            None,
            Draws::of_device(1, "g", 0).generator(Purpose::Outages, 0),
            Instant::ZERO,
        );

        assert_eq!(track.clear_from(at(5)), at(5));
        assert_eq!(track.total(at(5)), (0, Duration::ZERO));
    }
}
