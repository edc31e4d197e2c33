//! A distribution of durations, kept whole.
//!
//! HdrHistogram with three significant digits over microseconds from 1 to [`Histogram::HIGHEST_US`].
//! Longer ones are not clipped: they are counted in an overflow, and the greatest is kept
//! exactly. Distributions are merged, never averaged. An empty one owns no memory.
//!
//! How it is written in a file is in `encoded`, as a table of percentiles in `steps`.

mod encoded;
mod steps;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Percentile;

use encoded::Encoded;
pub use encoded::HistogramError;
pub use steps::{PercentileStep, TableEnd};

type Counts = hdrhistogram::Histogram<u64>;

const SIGNIFICANT_DIGITS: u8 = 3;

/// A distribution of durations.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Encoded", into = "Encoded")]
#[schemars(with = "Encoded")]
pub struct Histogram {
    /// `None` until the first sample within the range.
    counts: Option<Box<Counts>>,
    /// Samples above the range.
    overflow: u64,
    /// The least sample, exactly. Meaningless without samples.
    min_us: u64,
    /// The greatest sample, exactly, those of the overflow included.
    max_us: u64,
}

/// Samples between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The least value that counts here, microseconds.
    pub low_us: u64,
    /// The greatest value that counts here, microseconds.
    pub high_us: u64,
    /// How many samples; not zero.
    pub count: u64,
}

impl Histogram {
    /// The longest duration within the range: an hour, in microseconds.
    pub const HIGHEST_US: u64 = 3_600_000_000;

    /// No samples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sample, rounded to the nearest microsecond.
    pub fn record(&mut self, duration: Duration) {
        let nanos = duration.as_nanos().saturating_add(500);
        self.record_us(u64::try_from(nanos / 1000).unwrap_or(u64::MAX));
    }

    /// Adds a sample in microseconds.
    pub fn record_us(&mut self, value_us: u64) {
        self.record_us_times(value_us, 1);
    }

    /// Adds a sample in microseconds that came `times` times.
    pub fn record_us_times(&mut self, value_us: u64, times: u64) {
        if times == 0 {
            return;
        }
        let is_first = self.is_empty();
        self.min_us = if is_first {
            value_us
        } else {
            self.min_us.min(value_us)
        };
        self.max_us = self.max_us.max(value_us);
        if value_us > Self::HIGHEST_US {
            self.overflow += times;
        } else {
            self.counts
                .get_or_insert_with(|| Box::new(new_counts()))
                .record_n(value_us, times)
                .expect("the range grows up to any u64");
        }
    }

    /// Adds all samples of `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        self.min_us = if self.is_empty() {
            other.min_us
        } else {
            self.min_us.min(other.min_us)
        };
        self.max_us = self.max_us.max(other.max_us);
        self.overflow += other.overflow;
        if let Some(theirs) = &other.counts {
            self.counts
                .get_or_insert_with(|| Box::new(new_counts()))
                .add(theirs.as_ref())
                .expect("the range grows up to any u64");
        }
    }

    /// All samples of `parts` together.
    pub fn merged<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::new();
        for part in parts {
            all.merge(part);
        }
        all
    }

    /// Samples, those of the overflow included.
    pub fn count(&self) -> u64 {
        self.counts.as_ref().map_or(0, |counts| counts.len()) + self.overflow
    }

    /// Whether it has no samples.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Samples longer than [`Self::HIGHEST_US`].
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// The least sample, exactly.
    pub fn min_us(&self) -> Option<u64> {
        (!self.is_empty()).then_some(self.min_us)
    }

    /// The greatest sample, exactly.
    pub fn max_us(&self) -> Option<u64> {
        (!self.is_empty()).then_some(self.max_us)
    }

    /// The mean, to three digits; an overflowing sample counts as [`Self::HIGHEST_US`] at least.
    pub fn mean_us(&self) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let (mean, within) = self
            .counts
            .as_ref()
            .map_or((0.0, 0), |counts| (counts.mean(), counts.len()));
        let sum = mean * within as f64 + self.overflow as f64 * Self::HIGHEST_US as f64;
        Some((sum / count as f64).clamp(self.min_us as f64, self.max_us as f64))
    }

    /// `percentile`, to three digits; `None` with fewer samples than it needs.
    ///
    /// Rule: [`Percentile::samples_needed`].
    pub fn percentile_us(&self, percentile: Percentile) -> Option<u64> {
        if self.count() < percentile.samples_needed() {
            return None;
        }
        self.quantile_us(percentile.quantile())
    }

    /// The least value that a share of `quantile` of all samples does not exceed, to three digits.
    ///
    /// For drawing: a percentile that is printed must come from [`Self::percentile_us`]. Within
    /// the overflow it is the maximum. `quantile` is from 0 to 1; `None` without samples.
    pub fn quantile_us(&self, quantile: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = ((quantile.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count);
        let value = match &self.counts {
            Some(counts) if rank <= counts.len() => {
                // A rank is turned into a quantile of the samples within the range; half a
                // sample less keeps rounding from reaching the next.
                counts.value_at_quantile((rank as f64 - 0.5) / counts.len() as f64)
            }
            Some(_) | None => self.max_us,
        };
        Some(value.clamp(self.min_us, self.max_us))
    }

    /// Samples at or below `value_us`, to the resolution of three digits.
    pub fn count_at_or_below(&self, value_us: u64) -> u64 {
        let within = self
            .buckets()
            .take_while(|bucket| bucket.low_us <= value_us);
        within.map(|bucket| bucket.count).sum()
    }

    /// The buckets with samples, ascending; not those of the overflow.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let recorded = self.counts.iter().flat_map(|counts| {
            counts.iter_recorded().map(|step| Bucket {
                low_us: counts.lowest_equivalent(step.value_iterated_to()),
                high_us: counts.highest_equivalent(step.value_iterated_to()),
                count: step.count_at_value(),
            })
        });
        recorded.filter(|bucket| bucket.count > 0)
    }
}

impl fmt::Debug for Histogram {
    /// The figures alone: a failed assertion that prints thousands of counters cannot be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count())
            .field("min_us", &self.min_us())
            .field("p50_us", &self.quantile_us(0.5))
            .field("max_us", &self.max_us())
            .finish_non_exhaustive()
    }
}

fn new_counts() -> Counts {
    Counts::new(SIGNIFICANT_DIGITS).expect("three significant digits are within 0 to 5")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values_us: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new();
        for value_us in values_us {
            histogram.record_us(value_us);
        }
        histogram
    }

    /// Percentiles of merged distributions are those of all samples together, not an average.
    #[test]
    fn merging_equals_recording_together() {
        let fast = of((1..=9_000).map(|n| n % 50 + 100));
        let slow = of((1..=1_000).map(|n| n % 70 + 90_000));

        let merged = Histogram::merged([&fast, &slow]);

        let together = of((1..=9_000)
            .map(|n| n % 50 + 100)
            .chain((1..=1_000).map(|n| n % 70 + 90_000)));
        assert_eq!(merged, together);
        assert!(merged.percentile_us(Percentile::P50).unwrap() < 150);
        assert!(merged.percentile_us(Percentile::P99).unwrap() > 89_000);
    }

    /// A percentile with fewer samples than it needs is not given.
    #[test]
    fn too_few_samples_give_no_percentile() {
        let histogram = of(1..=999);

        assert_eq!(histogram.percentile_us(Percentile::P99), None);
        assert_eq!(histogram.percentile_us(Percentile::P90), Some(900));
        assert_eq!(of(1..=1_000).percentile_us(Percentile::P99), Some(990));
        assert_eq!(Histogram::new().percentile_us(Percentile::P50), None);
    }

    /// Nothing is clipped: what is above the range is counted, and the maximum is exact.
    #[test]
    fn overflow_is_counted() {
        let beyond = Histogram::HIGHEST_US + 12_345;
        let mut histogram = of((1..=980).map(|_| 1_000));
        histogram.record_us_times(beyond, 19);
        histogram.record_us(beyond + 1);

        assert_eq!(histogram.count(), 1_000);
        assert_eq!(histogram.overflow(), 20);
        assert_eq!(histogram.max_us(), Some(beyond + 1));
        assert_eq!(histogram.quantile_us(0.98), Some(1_000));
        assert_eq!(histogram.percentile_us(Percentile::P99), Some(beyond + 1));
    }

    /// The least and the greatest sample are exact, though buckets are not.
    #[test]
    fn extremes_are_exact() {
        let histogram = of([1_234_567, 7_654_321, 2_000_001]);

        assert_eq!(histogram.min_us(), Some(1_234_567));
        assert_eq!(histogram.max_us(), Some(7_654_321));
        assert_eq!(histogram.quantile_us(1.0), Some(7_654_321));
    }

    /// Ranks are exact: the n-th of n samples is reached by the quantile that names it.
    #[test]
    fn quantiles_hit_their_rank() {
        let histogram = of(1..=1_000);

        for rank in 1..=1_000_u64 {
            assert_eq!(
                histogram.quantile_us(rank as f64 / 1_000.0),
                Some(rank),
                "rank {rank}"
            );
        }
        assert_eq!(histogram.count_at_or_below(250), 250);
    }
}
