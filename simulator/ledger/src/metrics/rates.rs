//! Events per second, by group and QoS.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_protocol::{Instant, QoS};
use squall_scenario::GroupId;

use super::series::{INTERVALS_MAX, place_at};

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Rate {
    /// CONNACKs with success.
    Connect,
    /// Messages handed to a link for the first time.
    Publish,
    /// First deliveries to a recipient.
    Delivery,
    /// Messages that were due and given up.
    Dropped,
    /// Anything that was refused or broken.
    Error,
}

/// What is counted, of which group, at which QoS.
pub(crate) type RateKey = (Rate, GroupId, Option<QoS>);

/// Counters over time by group and QoS.
#[derive(Debug)]
pub(crate) struct Rates {
    length: Duration,
    counts: BTreeMap<RateKey, Vec<u64>>,
}

/// Events of a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    /// All of them.
    pub(crate) count: u64,
    /// Per second over the whole stretch.
    pub(crate) mean: f64,
    /// Per second of the interval with the fewest, of those that lie within the stretch; `None`
    /// if none does.
    pub(crate) min: Option<f64>,
    /// As `min`, with the most.
    pub(crate) max: Option<f64>,
    /// Intervals within the stretch.
    pub(crate) intervals: u64,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            length: Duration::from_secs(1),
            counts: BTreeMap::new(),
        }
    }
}

impl Rates {
    /// Counts one event.
    pub(crate) fn count(&mut self, now: Instant, key: RateKey) {
        while place_at(now, self.length) >= INTERVALS_MAX {
            self.length *= 2;
            for counts in self.counts.values_mut() {
                *counts = counts.chunks(2).map(|pair| pair.iter().sum()).collect();
            }
        }
        let place = place_at(now, self.length);
        let counts = self.counts.entry(key).or_default();
        if counts.len() <= place {
            counts.resize(place + 1, 0);
        }
        counts[place] += 1;
    }

    /// Events of the keys that `choose` takes, from `start` to `end`.
    ///
    /// The count takes whole intervals, those that begin within the stretch.
    pub(crate) fn within(
        &self,
        (start, end): (Instant, Instant),
        choose: impl Fn(&RateKey) -> bool,
    ) -> Stretch {
        let first = start
            .since_start()
            .as_nanos()
            .div_ceil(self.length.as_nanos());
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let last = place_at(end, self.length);
        let intervals = last.saturating_sub(first);
        let mut sums = vec![0_u64; intervals];
        for (_, counts) in self.counts.iter().filter(|(key, _)| choose(key)) {
            for (sum, count) in sums.iter_mut().zip(counts.iter().skip(first)) {
                *sum += count;
            }
        }
        let seconds = self.length.as_secs_f64();
        let count: u64 = sums.iter().sum();
        let rate = |count: u64| count as f64 / seconds;
        let mean = match intervals {
            0 => 0.0,
            intervals => rate(count) / intervals as f64,
        };
        Stretch {
            count,
            mean,
            min: sums.iter().min().copied().map(rate),
            max: sums.iter().max().copied().map(rate),
            intervals: intervals as u64,
        }
    }

    /// All events of the keys that `choose` takes, except those between `skip`.
    pub(crate) fn total(
        &self,
        skip: Option<(Instant, Instant)>,
        choose: impl Fn(&RateKey) -> bool,
    ) -> u64 {
        let skipped = skip.map_or(0, |stretch| self.within(stretch, &choose).count);
        let all: u64 = self
            .counts
            .iter()
            .filter(|(key, _)| choose(key))
            .flat_map(|(_, counts)| counts)
            .sum();
        all - skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    const KEY: RateKey = (Rate::Publish, GroupId(0), Some(QoS::AtLeastOnce));

    /// Rates come from whole intervals within the stretch.
    #[test]
    fn rates_are_of_whole_intervals() {
        let mut rates = Rates::default();
        for millis in (0..5_000).step_by(100) {
            rates.count(at(millis), KEY);
        }
        rates.count(at(3_050), KEY);

        let stretch = rates.within((at(1_500), at(4_500)), |key| *key == KEY);

        assert_eq!(stretch.intervals, 2);
        assert_eq!((stretch.count, stretch.mean), (21, 10.5));
        assert_eq!((stretch.min, stretch.max), (Some(10.0), Some(11.0)));
    }

    /// Merging pairs keeps the sum and the rate.
    #[test]
    fn long_runs_merge_intervals() {
        let mut rates = Rates::default();
        for second in 0..1_500 {
            rates.count(at(second * 1_000), KEY);
        }

        let stretch = rates.within((at(0), at(1_200_000)), |_| true);

        assert_eq!(stretch.mean, 1.0);
        assert_eq!(rates.total(None, |_| true), 1_500);
        assert_eq!(rates.total(None, |key| key.0 == Rate::Error), 0);
    }
}
