//! Percentile bootstrap of what lies between two medians.

use super::Scale;
use crate::FigureSpread;

/// How often both sides are drawn again: with fewer, an interval that one figure of thirty leaves by chance once in three
/// thousand times would be the range of all draws.
const RESAMPLES: usize = 10_000;

/// Where `share` of the differences between medians lie when the runs of both sides are drawn again from themselves, with
/// replacement; the same runs always give the same interval. Both sides have at least one run.
///
/// Source: B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
pub(super) fn interval(base: &[f64], other: &[f64], scale: Scale, share: f64) -> (f64, f64) {
    let mut chance = SplitMix64::of(base.iter().chain(other));
    let mut draw = |runs: &[f64]| {
        let drawn = runs.iter().map(|_| runs[chance.below(runs.len())]);
        FigureSpread::of(drawn).map_or(0.0, |spread| spread.median)
    };
    let mut differences: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let from = draw(base);
            scale.between(from, draw(other))
        })
        .collect();
    differences.sort_by(f64::total_cmp);
    let beyond = ((1.0 - share) / 2.0 * RESAMPLES as f64).floor() as usize;
    let beyond = beyond.min((RESAMPLES - 1) / 2);
    (differences[beyond], differences[RESAMPLES - 1 - beyond])
}

/// A generator whose every draw follows from what it began with.
///
/// Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SplitMix64(u64);

impl SplitMix64 {
    /// One that begins with these numbers.
    fn of<'a>(numbers: impl Iterator<Item = &'a f64>) -> Self {
        let mut all = Self(0);
        for number in numbers {
            all.0 ^= number.to_bits();
            all.0 = all.next();
        }
        all
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`, each as likely as the next to within 1 in 10^16 for a thousand of them.
    fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The interval of few runs ends where the nearest and the farthest runs of the two sides are, and is the same each time.
    #[test]
    fn of_three_runs_the_interval_reaches_from_the_nearest_to_the_farthest() {
        let (base, other) = ([10.0, 12.0, 11.0], [20.0, 30.0, 25.0]);

        let found = interval(&base, &other, Scale::Difference, 0.9997);

        assert_eq!(found, (8.0, 20.0));
        assert_eq!(found, interval(&base, &other, Scale::Difference, 0.9997));
    }

    /// Of many runs it is about the width that the normal distribution gives a median: 2 * 1.96 * 1.2533 * σ * √(2/n).
    #[test]
    fn of_many_runs_the_interval_is_as_wide_as_it_must_be() {
        let quantiles = (1..=200).map(|place| {
            // About normal: the sum of a logit's quantile, scaled to σ = 1.
            let share = f64::from(place) / 201.0;
            (share / (1.0 - share)).ln() / 1.702
        });
        let runs: Vec<f64> = quantiles.collect();

        let (low, high) = interval(&runs, &runs, Scale::Difference, 0.95);

        let expected = 2.0 * 1.96 * 1.2533 * (2.0_f64 / 200.0).sqrt();
        assert!((high - low) > 0.75 * expected, "{low} {high}");
        assert!((high - low) < 1.25 * expected, "{low} {high}");
    }
}
