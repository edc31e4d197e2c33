//! Sizes of payloads: one for all messages of a stream, or one drawn for each.

use rand::Rng;
use squall_toml::quantity::format_size;

use super::distribution::{Distribution, Measure};

/// A number of bytes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ByteCount(pub u32);

impl Measure for ByteCount {
    fn number(self) -> f64 {
        f64::from(self.0)
    }

    fn of_number(number: f64) -> Self {
        // The cast keeps what is beyond the range at its ends.
        Self(number.round() as u32)
    }

    fn text(self) -> String {
        format_size(self.0.into())
    }
}

/// The sizes of the payloads of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    /// What each size is drawn from, before the bounds.
    pub drawn: Distribution<ByteCount>,
    /// A smaller draw counts as this: at least the stamp, where there is one in the payload.
    pub min: ByteCount,
    /// A larger draw counts as this.
    pub max: ByteCount,
}

impl Sizes {
    /// Always this size.
    pub const fn constant(bytes: u32) -> Self {
        let bytes = ByteCount(bytes);
        Self {
            drawn: Distribution::Constant { value: bytes },
            min: bytes,
            max: bytes,
        }
    }

    /// The size, if it is always the same.
    pub fn as_constant(&self) -> Option<ByteCount> {
        match self.drawn {
            Distribution::Constant { value } => Some(value.clamp(self.min, self.max)),
            Distribution::Uniform { .. }
            | Distribution::Normal { .. }
            | Distribution::Lognormal { .. }
            | Distribution::Exponential { .. }
            | Distribution::Pareto { .. }
            | Distribution::Empirical { .. } => None,
        }
    }

    /// Draws a size; a constant one takes no draw from `rng`.
    pub fn sample(&self, rng: &mut impl Rng) -> ByteCount {
        self.drawn.sample(rng).clamp(self.min, self.max)
    }

    /// What a draw is below with probability `q`, from 0 to below 1.
    pub fn quantile(&self, q: f64) -> ByteCount {
        self.drawn.quantile(q).clamp(self.min, self.max)
    }

    /// The mean in bytes, after the bounds.
    ///
    /// It is the integral of the quantiles: over the halves of what is left of the probability, again and again, so that
    /// a long tail counts as much as it weighs.
    pub fn mean(&self) -> f64 {
        /// What is left after as many halves weighs less than a byte, at any size.
        const HALVES: i32 = 48;
        const STEPS: u32 = 64;
        if let Some(ByteCount(bytes)) = self.as_constant() {
            return bytes.into();
        }
        let mut sum = 0.0;
        for half in 1..=HALVES {
            // From 1 - 2^(1 - half) to 1 - 2^-half.
            let left = 0.5_f64.powi(half - 1);
            let width = left / 2.0 / f64::from(STEPS);
            let quantiles = (0..STEPS).map(|step| {
                let q = 1.0 - left + (f64::from(step) + 0.5) * width;
                self.quantile(q).number()
            });
            sum += width * quantiles.sum::<f64>();
        }
        sum + 0.5_f64.powi(HALVES) * self.max.number()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    use super::*;

    fn sizes(drawn: Distribution<ByteCount>, min: u32, max: u32) -> Sizes {
        Sizes {
            drawn,
            min: ByteCount(min),
            max: ByteCount(max),
        }
    }

    fn lognormal() -> Distribution<ByteCount> {
        Distribution::Lognormal {
            median: ByteCount(200),
            p99: ByteCount(4_096),
        }
    }

    /// The mean that a plan tells is that of the draws, bounds included.
    #[test]
    fn draws_have_the_mean_that_is_told() {
        const DRAWS: u32 = 200_000;
        let pareto = Distribution::Pareto {
            min: ByteCount(100),
            alpha: 1.5,
        };
        for sizes in [
            sizes(lognormal(), 16, 1 << 20),
            sizes(lognormal(), 150, 1_000),
            sizes(pareto, 16, 10_000),
            Sizes::constant(64),
        ] {
            let mut rng = Pcg64Mcg::seed_from_u64(1);

            let sum: f64 = (0..DRAWS).map(|_| sizes.sample(&mut rng).number()).sum();

            let measured = sum / f64::from(DRAWS);
            let told = sizes.mean();
            assert!((measured / told - 1.0).abs() < 0.01, "{measured} {told}");
        }
    }

    /// The mean of a log-normal is the median times exp(sigma² / 2).
    #[test]
    fn the_mean_without_bounds_is_that_of_the_formula() {
        let sigma = (4_096.0_f64 / 200.0).ln() / 2.326_347_874;
        let formula = 200.0 * (sigma * sigma / 2.0).exp();

        let told = sizes(lognormal(), 0, u32::MAX).mean();

        assert!((told / formula - 1.0).abs() < 0.002, "{told} {formula}");
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let sizes = sizes(lognormal(), 150, 1_000);
        let mut rng = Pcg64Mcg::seed_from_u64(3);

        let draws: Vec<u32> = (0..10_000).map(|_| sizes.sample(&mut rng).0).collect();

        assert_eq!(draws.iter().min(), Some(&150));
        assert_eq!(draws.iter().max(), Some(&1_000));
    }
}
