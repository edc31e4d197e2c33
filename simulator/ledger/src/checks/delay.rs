//! The delay that a network is configured to have, from its distributions' formulas.
//!
//! Where one distribution alone varies, its formula is all: the quantile that a file names comes out
//! as the file names it. A sum of two has no formula for its quantiles. Each is cut into strata of
//! equal probability, every stratum of one is added to every stratum of the other, and the sums are
//! sorted. No random number is involved: what the links draw is judged by something else than
//! their own sampler.

use std::time::Duration;

use squall_scenario::{Distribution, Network};

/// Strata of the latency: the highest one lies above p99.97.
const LATENCY_STRATA: u32 = 4_000;
/// Strata of what is added to each draw of the latency.
const JITTER_STRATA: u32 = 64;
/// Strata of one way, each way, of a round trip.
const WAY_STRATA: u32 = 500;

/// The quantiles of a delay.
#[derive(Debug)]
pub(super) enum Delay {
    /// One distribution, and what is added to each draw of it.
    Formula {
        /// The one that varies.
        varying: Distribution,
        /// The same for each draw.
        constant: Duration,
    },
    /// Values of equal probability, ascending, in nanoseconds.
    Strata(Vec<u64>),
}

impl Delay {
    /// Latency and jitter of one segment.
    pub(super) fn one_way(network: &Network) -> Self {
        let formula = |varying: &Distribution, constant| Self::Formula {
            varying: varying.clone(),
            constant,
        };
        match (&network.latency, &network.jitter) {
            (latency, Distribution::Constant { value }) => formula(latency, *value),
            (Distribution::Constant { value }, jitter) => formula(jitter, *value),
            (latency, jitter) => Self::of_sums(
                &strata(LATENCY_STRATA, |q| latency.quantile(q)),
                &strata(JITTER_STRATA, |q| jitter.quantile(q)),
            ),
        }
    }

    /// There and back, each way drawn apart.
    pub(super) fn twice(&self) -> Self {
        let way = strata(WAY_STRATA, |q| self.quantile(q));
        Self::of_sums(&way, &way)
    }

    /// The value that a share `quantile` of all is below.
    pub(super) fn quantile(&self, quantile: f64) -> Duration {
        match self {
            Self::Formula { varying, constant } => varying.quantile(quantile) + *constant,
            Self::Strata(sorted) => {
                // A share of the strata, rounded down to a place.
                let place = (quantile * sorted.len() as f64) as usize;
                Duration::from_nanos(sorted[place.min(sorted.len() - 1)])
            }
        }
    }

    fn of_sums(left: &[u64], right: &[u64]) -> Self {
        let sums = left
            .iter()
            .flat_map(|&left| right.iter().map(move |&right| left.saturating_add(right)));
        let mut sorted: Vec<u64> = sums.collect();
        sorted.sort_unstable();
        Self::Strata(sorted)
    }
}

/// The middles of `count` strata of equal probability, in nanoseconds.
fn strata(count: u32, quantile: impl Fn(f64) -> Duration) -> Vec<u64> {
    let middle = |place| (f64::from(place) + 0.5) / f64::from(count);
    let nanos = |value: Duration| u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
    (0..count)
        .map(|place| nanos(quantile(middle(place))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_scenario::Scenario;

    fn delay_of(latency: &str, jitter: &str) -> Delay {
        let text = format!(
            "version = 1\nname = \"a\"\n[[network]]\nname = \"n\"\nlatency = {latency}\n{jitter}\n\
             [[group]]\nname = \"g\"\ncount = 1\nnetwork = \"n\"\n"
        );
        let scenario = Scenario::parse("a.toml", &text, &[]).unwrap();
        Delay::one_way(&scenario.networks[0])
    }

    fn assert_close(actual: Duration, expected_ms: f64) {
        let actual_ms = actual.as_secs_f64() * 1e3;
        assert!(
            (actual_ms / expected_ms - 1.0).abs() < 0.005,
            "{actual_ms} ms, not {expected_ms} ms"
        );
    }

    /// Without jitter the formula of the latency is all: a lognormal has the median and the p99
    /// that its file names, exactly and not to the width of a stratum.
    #[test]
    fn a_latency_alone_has_its_own_quantiles() {
        let delay = delay_of(
            "{ dist = \"lognormal\", median = \"60ms\", p99 = \"450ms\" }",
            "",
        );

        let [median, p99] = [0.5, 0.99].map(|quantile| delay.quantile(quantile));
        let nanosecond = Duration::from_nanos(1);
        assert!(
            median.abs_diff(Duration::from_millis(60)) <= nanosecond,
            "{median:?}"
        );
        assert!(
            p99.abs_diff(Duration::from_millis(450)) <= nanosecond,
            "{p99:?}"
        );
    }

    /// Normal distributions add: means, and squares of deviations. 3, 4, 5; 2.3263 deviations
    /// are p99.
    #[test]
    fn normal_latency_and_jitter_add_to_a_normal_delay() {
        let delay = delay_of(
            "{ dist = \"normal\", mean = \"50ms\", std_dev = \"3ms\" }",
            "jitter = { dist = \"normal\", mean = \"20ms\", std_dev = \"4ms\" }",
        );

        assert_close(delay.quantile(0.5), 70.0);
        assert_close(delay.quantile(0.99), 70.0 + 2.3263 * 5.0);
        let round_trip = delay.twice();
        assert_close(round_trip.quantile(0.5), 140.0);
        assert_close(round_trip.quantile(0.99), 140.0 + 2.3263 * 50_f64.sqrt());
    }
}
