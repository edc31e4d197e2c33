//! How long a device waits before it connects again.

use std::time::Duration;

use rand::{Rng, RngExt};

use super::distribution::from_seconds;
use crate::Distribution;

/// `reconnect.backoff`: the time from the end of a connection, or of an attempt, to the next attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Backoff {
    /// Drawn for each attempt, whatever became of the attempts before.
    Drawn(Distribution),
    /// Grows with each attempt that fails.
    Growing(GrowingBackoff),
}

impl Backoff {
    /// The wait before the next attempt, when `waits` of them passed since the last CONNACK with
    /// Success, or since the beginning.
    pub fn sample(&self, waits: u32, rng: &mut impl Rng) -> Duration {
        match self {
            Self::Drawn(distribution) => distribution.sample(rng),
            Self::Growing(growing) => growing.sample(waits, rng),
        }
    }

    /// A typical wait right after a connection that had its CONNACK.
    pub(crate) fn typical(&self) -> Duration {
        match self {
            Self::Drawn(distribution) => {
                distribution.mean().unwrap_or_else(|| distribution.median())
            }
            Self::Growing(growing) => growing.initial.mul_f64(growing.jitter.mean()),
        }
    }
}

/// Exponential backoff with a cap.
///
/// The waits since the last CONNACK with Success, or since the beginning, are counted from 0; wait
/// `n` is at most the smaller of `cap` and `initial * factor^n`, less what the jitter takes off.
///
/// Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrowingBackoff {
    /// The longest first wait, above zero.
    pub initial: Duration,
    /// What each wait is multiplied with for the next, at least 1.
    pub factor: f64,
    /// No wait is longer: at least `initial`, at most a day.
    pub cap: Duration,
    /// How much of a wait is random.
    pub jitter: Jitter,
}

impl GrowingBackoff {
    /// The longest that wait `n` can be, counted from 0.
    pub fn longest(&self, n: u32) -> Duration {
        let power = i32::try_from(n).unwrap_or(i32::MAX);
        let seconds = self.initial.as_secs_f64() * self.factor.powi(power);
        from_seconds(seconds).min(self.cap)
    }

    /// The shortest that wait `n` can be, counted from 0.
    pub fn shortest(&self, n: u32) -> Duration {
        match self.jitter {
            Jitter::Full => Duration::ZERO,
            Jitter::Equal => self.longest(n) / 2,
            Jitter::None => self.longest(n),
        }
    }

    /// Draws wait `n`. Without jitter nothing is drawn from `rng`.
    fn sample(&self, n: u32, rng: &mut impl Rng) -> Duration {
        let (min, max) = (self.shortest(n), self.longest(n));
        match self.jitter {
            Jitter::Full | Jitter::Equal => min + (max - min).mul_f64(rng.random::<f64>()),
            Jitter::None => max,
        }
    }
}

/// How much of a growing wait is random.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Jitter {
    /// Uniform from zero to the whole wait.
    #[default]
    Full,
    /// Half of the wait, and a uniform draw from zero to the other half.
    Equal,
    /// Nothing: every device waits equally long.
    None,
}

impl Jitter {
    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Equal => "equal",
            Self::None => "none",
        }
    }

    /// The mean of a wait, as a share of the longest that it can be.
    const fn mean(self) -> f64 {
        match self {
            Self::Full => 0.5,
            Self::Equal => 0.75,
            Self::None => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_pcg::Pcg64Mcg;

    use super::*;

    fn growing(jitter: Jitter) -> GrowingBackoff {
        GrowingBackoff {
            initial: Duration::from_secs(1),
            factor: 3.0,
            cap: Duration::from_secs(20),
            jitter,
        }
    }

    /// One second, three times as long each time, and never more than the cap; a number of waits that
    /// no power holds is the cap as well.
    #[test]
    fn a_wait_grows_by_its_factor_up_to_the_cap() {
        let backoff = growing(Jitter::None);

        let waits = [0, 1, 2, 3, 4, u32::MAX].map(|n| backoff.longest(n).as_secs());

        assert_eq!(waits, [1, 3, 9, 20, 20, 20]);
    }

    /// Draws fill the interval that the jitter leaves, and have the mean that it claims.
    #[test]
    fn draws_fill_what_the_jitter_leaves() {
        const DRAWS: u32 = 20_000;
        for (jitter, shortest) in [(Jitter::Full, 0.0), (Jitter::Equal, 4.5)] {
            let backoff = growing(jitter);
            let mut rng = Pcg64Mcg::new(7);

            let draws: Vec<f64> = (0..DRAWS)
                .map(|_| backoff.sample(2, &mut rng).as_secs_f64())
                .collect();

            let least = draws.iter().copied().fold(f64::MAX, f64::min);
            let most = draws.iter().copied().fold(0.0, f64::max);
            let mean = draws.iter().sum::<f64>() / f64::from(DRAWS);
            assert!((shortest..shortest + 0.05).contains(&least), "{least}");
            assert!((8.95..=9.0).contains(&most), "{most}");
            assert!((mean / 9.0 - jitter.mean()).abs() < 0.01, "{mean}");
        }
    }
}
