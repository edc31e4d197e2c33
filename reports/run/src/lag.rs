//! How much of a latency is the generator's own lag.
//!
//! For each sample the run file has the time as it was measured, and the time less what the
//! generator held up ([`CountedFrom::LessLag`]). No sample is longer in the second, so no
//! percentile is. The share of a percentile is how much smaller it would be without the lag:
//! `1 - less_lag / measured`, both at the same percentile.

use crate::{CountedFrom, Histogram, MetricName, Metrics, Percentile, Tags, WithoutLag};

/// From this share on a figure carries a note.
pub const LAG_SHARE_NOTED: f64 = 0.1;

/// Lag below this is not noted, whatever its share, in microseconds: the timers of a machine are not
/// more exact, and the choice of a broker does not depend on so small a figure.
pub const LAG_NOTED_US: u64 = 1_000;

/// One figure with the part of it that is the generator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LagShare {
    /// The figure, in microseconds.
    pub measured_us: u64,
    /// What it would be without the generator's lag, in microseconds.
    pub less_lag_us: u64,
}

impl LagShare {
    /// A quantile, from 0 to 1, of a metric whose cells carry `tags`; `None` if the metric is not
    /// measured both ways, or has no samples.
    pub fn of_quantile(
        metrics: &Metrics,
        metric: MetricName,
        tags: &Tags,
        quantile: f64,
    ) -> Option<Self> {
        let [measured, less_lag] = both(metrics, metric, tags)?;
        Some(Self {
            measured_us: measured.quantile_us(quantile)?,
            less_lag_us: less_lag.quantile_us(quantile)?,
        })
    }

    /// The generator's share, from 0 to 1.
    pub fn share(&self) -> f64 {
        if self.measured_us == 0 {
            return 0.0;
        }
        self.lag_us() as f64 / self.measured_us as f64
    }

    /// How much the generator adds to the figure, in microseconds.
    pub fn lag_us(&self) -> u64 {
        self.measured_us.saturating_sub(self.less_lag_us)
    }

    /// Whether a report must carry a note beside the figure.
    pub fn is_noted(&self) -> bool {
        self.share() > LAG_SHARE_NOTED && self.lag_us() >= LAG_NOTED_US
    }
}

/// What helps against lag of messages, wills and takeovers.
const LESS_LOAD: &str = "For less of it: simulate fewer devices or messages a second, use a quieter machine, or give the \
     broker processor cores of its own.";

/// What helps against lag of connects.
const SLOWER_CONNECTS: &str = "For less of it: lower `connect_rate`, use a quieter machine, or give the broker processor cores of its own.";

/// A sentence for the figures of which squall's own lag is a large part, with the remedy; empty if it is
/// a large part of none.
pub fn lag_notes(metrics: &Metrics) -> Vec<String> {
    let noted: Vec<(MetricName, String)> = MetricName::ALL
        .into_iter()
        .filter(|metric| metric.without_lag() == WithoutLag::Kept)
        .filter_map(|metric| Some((metric, noted_figures(metrics, metric)?)))
        .collect();
    if noted.is_empty() {
        return Vec::new();
    }
    let figures: Vec<String> = noted
        .iter()
        .map(|(metric, figures)| format!("of {}, {figures}", metric.in_words()))
        .collect();
    let is_of_connects = |(metric, _): &(MetricName, String)| *metric == MetricName::ConnectLatency;
    let remedy = if noted.iter().all(is_of_connects) {
        SLOWER_CONNECTS
    } else {
        LESS_LOAD
    };
    vec![format!(
        "squall itself was late, and these figures contain its own delay, not only the broker's: {}. {remedy}",
        figures.join("; ")
    )]
}

/// `94 % of the maximum and 62 % of p99.9`
fn noted_figures(metrics: &Metrics, metric: MetricName) -> Option<String> {
    let [measured, less_lag] = both(metrics, metric, &Tags::new())?;
    let percentiles = Percentile::SHOWN.into_iter().rev();
    let printed = percentiles.filter_map(|percentile| {
        let share = LagShare {
            measured_us: measured.percentile_us(percentile)?,
            less_lag_us: less_lag.percentile_us(percentile)?,
        };
        Some((percentile.to_string(), share))
    });
    let max = LagShare {
        measured_us: measured.max_us()?,
        less_lag_us: less_lag.max_us()?,
    };
    let parts: Vec<String> = std::iter::once(("the maximum".to_owned(), max))
        .chain(printed)
        .filter(|(_, share)| share.is_noted())
        .map(|(figure, share)| format!("{:.0} % of {figure}", 100.0 * share.share()))
        .collect();
    let (last, others) = parts.split_last()?;
    Some(match others {
        [] => last.clone(),
        _ => format!("{} and {last}", others.join(", ")),
    })
}

/// The times as measured and less the lag; `None` without samples of both.
fn both(metrics: &Metrics, metric: MetricName, tags: &Tags) -> Option<[Histogram; 2]> {
    let clocks = [CountedFrom::Scheduled, CountedFrom::LessLag];
    let both = clocks.map(|clock| metrics.select_counted_from(metric, clock, tags));
    let [measured, less_lag] = &both;
    (!measured.is_empty() && measured.count() == less_lag.count()).then_some(both)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MetricCell;

    /// 20,000 samples of 5 ms, of which the slowest `slow` took 500 ms, `lag_us` of them by the
    /// generator.
    fn metrics(slow: u64, lag_us: u64) -> Metrics {
        let cell = |counted_from, slow_us| {
            let mut histogram = Histogram::new();
            histogram.record_us_times(5_000, 20_000 - slow);
            histogram.record_us_times(slow_us, slow);
            MetricCell {
                name: MetricName::E2eLatency,
                counted_from,
                tags: Tags::from([("phase".to_owned(), "measure".to_owned())]),
                histogram,
            }
        };
        Metrics {
            cells: vec![
                cell(CountedFrom::Scheduled, 500_000),
                cell(CountedFrom::LessLag, 500_000 - lag_us),
            ],
        }
    }

    /// The note names the figures in plain words and says what helps. The share is of the figure, not of the slowest samples: where they do not reach, there is
    /// none.
    #[test]
    fn each_percentile_has_a_share_of_its_own() {
        let metrics = metrics(100, 470_000);
        let of = |quantile| {
            LagShare::of_quantile(&metrics, MetricName::E2eLatency, &Tags::new(), quantile)
                .expect("it is measured both ways")
        };

        assert_eq!(of(0.5).share(), 0.0);
        assert_eq!(of(0.99).lag_us(), 0);
        assert!((of(0.999).share() - 0.94).abs() < 0.01, "{:?}", of(0.999));
        assert_eq!(
            lag_notes(&metrics),
            [
                "squall itself was late, and these figures contain its own delay, not only the broker's: of the end-to-end \
                 latency, 94 % of the maximum and 94 % of p99.9. For less of it: simulate fewer devices or messages a second, \
                 use a quieter machine, or give the broker processor cores of its own."
            ]
        );
    }

    /// A tenth of the figure, or less than a millisecond, needs no word.
    #[test]
    fn little_lag_is_not_noted() {
        assert_eq!(lag_notes(&metrics(100, 40_000)), Vec::<String>::new());
        assert_eq!(lag_notes(&Metrics::default()), Vec::<String>::new());
    }
}
