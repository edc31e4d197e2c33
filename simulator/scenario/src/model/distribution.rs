//! Distributions: the one grammar for latencies, delays, gaps, backoffs and sizes of payloads.
//!
//! A distribution knows its own mean, median and quantiles, so that what the simulator did can be
//! compared with what it was told to do. Draws come from the caller's generator.

use std::time::Duration;

use rand::{Rng, RngExt};
use rand_distr::{Exp1, StandardNormal};
use squall_toml::quantity::format_duration;

/// No draw is longer: a link or a device that waits a day has left the run.
const LONGEST: Duration = Duration::from_secs(86_400);

/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_840_8;

/// What a distribution is of: a time or a size, as a number that is never negative.
pub trait Measure: Copy + PartialOrd {
    /// The number: seconds of a time, bytes of a size.
    fn number(self) -> f64;

    /// What has this number; the least or the most that there is, where `number` is beyond that.
    fn of_number(number: f64) -> Self;

    /// As a file writes it, with its unit.
    fn text(self) -> String;
}

impl Measure for Duration {
    fn number(self) -> f64 {
        self.as_secs_f64()
    }

    fn of_number(number: f64) -> Self {
        from_seconds(number)
    }

    fn text(self) -> String {
        format_duration(self)
    }
}

/// A distribution of times, or of another measure `T`. Draws are never negative; those of times are never longer than
/// a day.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution<T = Duration> {
    /// Always the same.
    Constant {
        /// The time.
        value: T,
    },
    /// Every time of an interval is equally likely.
    Uniform {
        /// The shortest time.
        min: T,
        /// The longest time, above `min`.
        max: T,
    },
    /// Normal; the few draws below zero count as zero.
    Normal {
        /// The mean, at least three times `std_dev`.
        mean: T,
        /// The standard deviation, above zero.
        std_dev: T,
    },
    /// Log-normal: the logarithm is normal. Long to the right, as latencies are.
    Lognormal {
        /// Half of the draws are shorter. Above zero.
        median: T,
        /// 99 of 100 draws are shorter. Above `median`.
        p99: T,
    },
    /// Exponential: gaps between events that are independent of each other.
    Exponential {
        /// The mean, above zero.
        mean: T,
    },
    /// Pareto: few draws are very long.
    Pareto {
        /// The shortest time, above zero.
        min: T,
        /// Tail index, above 0; the mean is finite above 1 only.
        alpha: f64,
    },
    /// Times as they were measured, each with a weight.
    Empirical {
        /// Ascending by time, weights above 0 that sum to 1; at least one.
        values: Vec<(T, f64)>,
    },
}

impl Distribution {
    /// The distribution whose every draw is zero.
    pub const fn zero() -> Self {
        Self::constant(Duration::ZERO)
    }

    /// Whether every draw is zero.
    pub fn is_zero(&self) -> bool {
        *self == Self::zero()
    }
}

impl<T: Measure> Distribution<T> {
    /// The distribution whose every draw is `value`.
    pub const fn constant(value: T) -> Self {
        Self::Constant { value }
    }

    /// Draws one. Each kind takes the same number of draws from `rng` every time, except that
    /// `normal`, `lognormal` and `exponential` may take more, with a small probability.
    pub fn sample(&self, rng: &mut impl Rng) -> T {
        match self {
            Self::Constant { value } => T::of_number(value.number()),
            Self::Uniform { min, max } => {
                let span = max.number() - min.number();
                T::of_number(min.number() + span * rng.random::<f64>())
            }
            Self::Normal { mean, std_dev } => {
                let z: f64 = rng.sample(StandardNormal);
                T::of_number(mean.number() + z * std_dev.number())
            }
            Self::Lognormal { median, p99 } => {
                let z: f64 = rng.sample(StandardNormal);
                T::of_number(median.number() * (sigma(*median, *p99) * z).exp())
            }
            Self::Exponential { mean } => {
                let unit: f64 = rng.sample(Exp1);
                T::of_number(mean.number() * unit)
            }
            Self::Pareto { .. } | Self::Empirical { .. } => self.quantile(rng.random::<f64>()),
        }
    }

    /// The mean; `None` if it is infinite.
    pub fn mean(&self) -> Option<T> {
        let number = match self {
            Self::Constant { value } => value.number(),
            Self::Uniform { min, max } => (min.number() + max.number()) / 2.0,
            Self::Normal { mean, .. } | Self::Exponential { mean } => mean.number(),
            Self::Lognormal { median, p99 } => {
                median.number() * (sigma(*median, *p99).powi(2) / 2.0).exp()
            }
            Self::Pareto { alpha, .. } if *alpha <= 1.0 => return None,
            Self::Pareto { min, alpha } => min.number() * alpha / (alpha - 1.0),
            Self::Empirical { values } => values
                .iter()
                .map(|(value, weight)| value.number() * weight)
                .sum(),
        };
        Some(T::of_number(number))
    }

    /// What half of the draws are below.
    pub fn median(&self) -> T {
        self.quantile(0.5)
    }

    /// What a draw is below with probability `q`, from 0 to below 1.
    pub fn quantile(&self, q: f64) -> T {
        match self {
            Self::Constant { value } => T::of_number(value.number()),
            Self::Uniform { min, max } => {
                T::of_number(min.number() + (max.number() - min.number()) * q)
            }
            Self::Normal { mean, std_dev } => {
                T::of_number(mean.number() + normal_quantile(q) * std_dev.number())
            }
            Self::Lognormal { median, p99 } => {
                T::of_number(median.number() * (sigma(*median, *p99) * normal_quantile(q)).exp())
            }
            Self::Exponential { mean } => T::of_number(-mean.number() * (-q).ln_1p()),
            Self::Pareto { min, alpha } => {
                T::of_number(min.number() * (1.0 - q).powf(-1.0 / alpha))
            }
            Self::Empirical { values } => {
                let mut cumulated = 0.0;
                for (value, weight) in values {
                    cumulated += weight;
                    if q < cumulated {
                        return T::of_number(value.number());
                    }
                }
                // Weights sum to 1 but for rounding.
                values.last().map_or(T::of_number(0.0), |(value, _)| *value)
            }
        }
    }
}

/// Standard deviation of the logarithm of a log-normal distribution.
fn sigma(median: impl Measure, p99: impl Measure) -> f64 {
    (p99.number() / median.number()).ln() / NORMAL_P99
}

/// Seconds as a time, kept within zero and [`LONGEST`].
pub(super) fn from_seconds(seconds: f64) -> Duration {
    let seconds = seconds.clamp(0.0, LONGEST.as_secs_f64());
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST)
}

/// Quantile of the standard normal distribution; relative error below 1.2e-9.
///
/// Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution
/// function", 2003.
fn normal_quantile(q: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    /// Below this the tail formula is the more exact one.
    const TAIL: f64 = 0.02425;

    let horner = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    if q <= 0.0 {
        f64::NEG_INFINITY
    } else if q >= 1.0 {
        f64::INFINITY
    } else if q < TAIL {
        let r = (-2.0 * q.ln()).sqrt();
        horner(&C, r) / horner(&D, r)
    } else if q > 1.0 - TAIL {
        let r = (-2.0 * (-q).ln_1p()).sqrt();
        -horner(&C, r) / horner(&D, r)
    } else {
        let r = q - 0.5;
        r * horner(&A, r * r) / horner(&B, r * r)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    use super::*;

    const DRAWS: usize = 100_000;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn sorted_draws(distribution: &Distribution) -> Vec<f64> {
        let mut rng = Pcg64Mcg::seed_from_u64(42);
        let mut draws: Vec<f64> = (0..DRAWS)
            .map(|_| distribution.sample(&mut rng).as_secs_f64())
            .collect();
        draws.sort_by(f64::total_cmp);
        draws
    }

    /// Draws agree with the mean and the quantiles that the distribution claims.
    fn assert_draws_fit(distribution: &Distribution, tolerance: f64) {
        let draws = sorted_draws(distribution);

        for q in [0.1, 0.5, 0.9, 0.99] {
            let measured = draws[(q * DRAWS as f64) as usize];
            let claimed = distribution.quantile(q).as_secs_f64();
            assert!(
                (measured / claimed - 1.0).abs() < tolerance,
                "quantile {q} of {distribution:?}: {measured} measured, {claimed} claimed"
            );
        }
        if let Some(mean) = distribution.mean() {
            let measured = draws.iter().sum::<f64>() / DRAWS as f64;
            assert!(
                (measured / mean.as_secs_f64() - 1.0).abs() < tolerance,
                "mean of {distribution:?}: {measured} measured, {mean:?} claimed"
            );
        }
    }

    #[test]
    fn uniform_draws_fit_their_quantiles() {
        assert_draws_fit(
            &Distribution::Uniform {
                min: ms(50),
                max: ms(2_000),
            },
            0.02,
        );
    }

    #[test]
    fn normal_draws_fit_their_quantiles() {
        assert_draws_fit(
            &Distribution::Normal {
                mean: ms(100),
                std_dev: ms(20),
            },
            0.02,
        );
    }

    #[test]
    fn lognormal_draws_fit_their_quantiles() {
        assert_draws_fit(
            &Distribution::Lognormal {
                median: ms(60),
                p99: ms(450),
            },
            0.03,
        );
    }

    #[test]
    fn exponential_draws_fit_their_quantiles() {
        assert_draws_fit(&Distribution::Exponential { mean: ms(200) }, 0.03);
    }

    #[test]
    fn pareto_draws_fit_their_quantiles() {
        assert_draws_fit(
            &Distribution::Pareto {
                min: ms(10),
                alpha: 3.0,
            },
            0.03,
        );
    }

    #[test]
    fn empirical_draws_come_as_often_as_their_weights_say() {
        let distribution = Distribution::Empirical {
            values: vec![(ms(10), 0.25), (ms(30), 0.5), (ms(90), 0.25)],
        };

        let draws = sorted_draws(&distribution);

        let share = |seconds: f64| {
            draws.iter().filter(|&&draw| draw == seconds).count() as f64 / DRAWS as f64
        };
        assert!((share(0.01) - 0.25).abs() < 0.01);
        assert!((share(0.03) - 0.5).abs() < 0.01);
        assert!((share(0.09) - 0.25).abs() < 0.01);
        assert_eq!(distribution.mean(), Some(ms(40)));
        assert_eq!(distribution.median(), ms(30));
    }

    /// The two parameters of a log-normal are its median and its 99th percentile.
    #[test]
    fn lognormal_quantiles_are_its_parameters() {
        let distribution = Distribution::Lognormal {
            median: ms(60),
            p99: ms(450),
        };

        let difference =
            |q, expected: f64| (distribution.quantile(q).as_secs_f64() / expected - 1.0).abs();

        assert!(difference(0.5, 0.06) < 1e-6);
        assert!(difference(0.99, 0.45) < 1e-6);
    }

    /// Values of the standard normal distribution, from printed tables.
    #[test]
    fn normal_quantile_agrees_with_tables() {
        for (q, expected) in [
            (0.5, 0.0),
            (0.841_344_746_068_543, 1.0),
            (0.975, 1.959_963_984_540_054),
            (0.99, NORMAL_P99),
            (0.001, -3.090_232_306_167_813),
        ] {
            assert!((normal_quantile(q) - expected).abs() < 1e-7, "{q}");
        }
    }

    /// A normal draw below zero is zero, and no draw is longer than a day.
    #[test]
    fn draws_stay_within_zero_and_a_day() {
        let wide = Distribution::Normal {
            mean: ms(1),
            std_dev: ms(100),
        };
        let endless = Distribution::Pareto {
            min: Duration::from_secs(3_600),
            alpha: 0.1,
        };

        let shortest = sorted_draws(&wide)[0];
        let longest = sorted_draws(&endless)[DRAWS - 1];

        assert_eq!(shortest, 0.0);
        assert_eq!(longest, LONGEST.as_secs_f64());
        assert_eq!(endless.mean(), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_draws() {
        let distribution = Distribution::Exponential { mean: ms(200) };

        assert_eq!(sorted_draws(&distribution), sorted_draws(&distribution));
    }
}
