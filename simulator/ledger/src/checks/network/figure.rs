//! The figures of a link: latency, losses, bandwidth, outages, round trip.

use std::time::Duration;

use squall_fleet::LinkReport;
use squall_run::{AllowedRange, Direction, Histogram, NetworkFigure, Percentile, Value};
use squall_scenario::{Loss, Network};

use super::outcome::{Way, micros};
use super::test::{STANDARD_ERRORS, Test};
use crate::checks::delay::Delay;

/// Time that the generator may take for its turns beside the link.
const HOST_TIME: Duration = Duration::from_millis(20);

/// One figure of a link, configured and measured.
#[derive(Debug)]
pub(super) struct Figure {
    /// Its name in reports and claims.
    pub(super) name: String,
    /// `None` for a figure of both directions.
    direction: Option<Direction>,
    /// What the network's profile says.
    pub(super) configured: Value,
    /// What was found; `None` without a sample.
    pub(super) measured: Option<Value>,
    /// Samples behind `measured`.
    pub(super) samples: u64,
    /// How the two are compared.
    pub(super) test: Test,
}

/// The figures of a direction, and those of both, as the run file has them.
pub(super) fn of_direction(figures: &[Figure], direction: Direction) -> Vec<NetworkFigure> {
    figures
        .iter()
        .filter(|figure| figure.direction.is_none_or(|of| of == direction))
        .map(|figure| NetworkFigure {
            name: figure.name.clone(),
            configured: figure.configured.clone(),
            measured: figure.measured.clone(),
            samples: figure.samples,
            samples_needed: figure.samples_needed(),
        })
        .collect()
}

impl Figure {
    /// Whether there are samples enough: as many as a percentile takes to be printed.
    pub(super) fn is_judged(&self) -> bool {
        self.samples >= self.samples_needed()
    }

    /// Samples that put enough of them beyond a quantile; a number takes one.
    fn samples_needed(&self) -> u64 {
        match &self.test {
            Test::Number { .. } => 1,
            Test::Rank { quantile, .. } => {
                let beyond = quantile.min(1.0 - quantile);
                (Percentile::SAMPLES_BEYOND as f64 / beyond).round() as u64
            }
        }
    }

    /// Whether it is a quantile above the median.
    pub(super) fn is_of_the_tail(&self) -> bool {
        matches!(self.test, Test::Rank { quantile, .. } if quantile > 0.5)
    }

    /// What the measured figure may be; `None` for a number whose chance is not known. A quantile is
    /// compared by rank, so its chance is a share of the samples.
    pub(super) fn allowed(&self, tolerance: f64) -> Option<AllowedRange> {
        let asked = self.configured.clone();
        let tolerated = Value::Ratio(tolerance);
        Some(match &self.test {
            Test::Number { error, .. } if !error.is_finite() => return None,
            Test::Number {
                configured, error, ..
            } => {
                let chance = STANDARD_ERRORS * error;
                let beside = configured * tolerance + chance;
                let like = |number: f64| like(&asked, number.max(0.0));
                AllowedRange {
                    at_least: like(configured - beside),
                    at_most: like(configured + beside),
                    chance: like(chance),
                    tolerance: tolerated,
                    asked,
                    quantile: None,
                }
            }
            Test::Rank {
                samples,
                quantile,
                configured,
                extra,
                delayed_share,
            } => {
                let seconds = configured.as_secs_f64();
                let count = (samples.count() as f64).max(1.0);
                let error = STANDARD_ERRORS * (quantile * (1.0 - quantile) / count).sqrt();
                AllowedRange {
                    asked,
                    tolerance: tolerated,
                    at_least: Value::Seconds(seconds * (1.0 - tolerance)),
                    at_most: Value::Seconds(seconds * (1.0 + tolerance) + extra.as_secs_f64()),
                    chance: Value::Ratio((error + delayed_share).min(1.0)),
                    quantile: Some(*quantile),
                }
            }
        })
    }
}

/// Latency, losses and bandwidth of one direction.
pub(super) fn direction_figures(network: &Network, way: Way<'_>, one_way: &Delay) -> Vec<Figure> {
    let suffix = direction_name(way.direction);
    let samples = micros(&way.report.latency);
    let mut figures: Vec<Figure> = [0.5, 0.99]
        .into_iter()
        .map(|quantile| {
            let configured = one_way.quantile(quantile);
            let measured = samples.quantile_us(quantile);
            Figure {
                name: format!("latency p{} {suffix}", quantile * 100.0),
                direction: Some(way.direction),
                configured: Value::Seconds(configured.as_secs_f64()),
                measured: measured.map(|micros| Value::Seconds(micros as f64 / 1e6)),
                samples: samples.count(),
                test: Test::Rank {
                    samples: samples.clone(),
                    quantile,
                    configured,
                    extra: Duration::ZERO,
                    delayed_share: 0.0,
                },
            }
        })
        .collect();
    figures.extend(loss_figure(network, way));
    let bits_per_second = match way.direction {
        Direction::Up => network.bandwidth.up_bits_per_second,
        Direction::Down => network.bandwidth.down_bits_per_second,
    };
    figures.extend(bits_per_second.map(|configured| bandwidth_figure(configured, way)));
    figures
}

fn loss_figure(network: &Network, way: Way<'_>) -> Option<Figure> {
    let configured = network.loss.expected();
    if configured == 0.0 {
        return None;
    }
    let Way { direction, report } = way;
    let segments = report.segments as f64;
    // Losses come in bursts: neighbouring segments are not independent samples.
    let memory = match network.loss {
        Loss::Independent(_) => 0.0,
        Loss::GilbertElliott {
            good_to_bad,
            bad_to_good,
        } => (1.0 - good_to_bad - bad_to_good).max(0.0),
    };
    let variance = configured * (1.0 - configured) * (1.0 + memory) / (1.0 - memory);
    let measured = report.lost as f64 / segments;
    Some(Figure {
        name: format!("loss {}", direction_name(direction)),
        direction: Some(direction),
        configured: Value::Ratio(configured),
        measured: (report.segments > 0).then_some(Value::Ratio(measured)),
        samples: report.segments,
        test: Test::Number {
            configured,
            measured,
            error: (variance / segments).sqrt(),
        },
    })
}

fn bandwidth_figure(configured: u64, way: Way<'_>) -> Figure {
    let Way { direction, report } = way;
    let seconds = report.serialisation.as_secs_f64();
    let measured = report.bytes as f64 * 8.0 / seconds;
    Figure {
        name: format!("bandwidth {}", direction_name(direction)),
        direction: Some(direction),
        configured: Value::BitsPerSecond(configured as f64),
        measured: (seconds > 0.0).then_some(Value::BitsPerSecond(measured)),
        samples: report.segments,
        test: Test::Number {
            configured: configured as f64,
            measured,
            error: 0.0,
        },
    }
}

/// The share of time in outages, if the network has any.
pub(super) fn outage_figure(network: &Network, report: &LinkReport) -> Option<Figure> {
    let outages = network.outages.as_ref()?;
    let lasts = outages.lasts.mean()?.as_secs_f64();
    let every = outages.every.mean()?.as_secs_f64();
    let configured = lasts / (every + lasts);
    let link_time = report.link_time.as_secs_f64();
    let measured = report.outage_time.as_secs_f64() / link_time;
    // Times between outages and their lengths vary about as much as they last; a link begins
    // without an outage, which matters as long as few periods have passed.
    let periods = report.outages.max(1) as f64;
    let links_begin = configured * (every + lasts) / link_time.max(f64::MIN_POSITIVE);
    Some(Figure {
        name: "outage share".to_owned(),
        direction: None,
        configured: Value::Ratio(configured),
        measured: (report.outages > 0).then_some(Value::Ratio(measured)),
        samples: report.outages,
        test: Test::Number {
            configured,
            measured,
            error: configured * (2.0 / periods).sqrt() + links_begin,
        },
    })
}

/// From CONNECT to CONNACK, as devices see it, without the time between CONNECT's departure from the link and
/// CONNACK's arrival at it: how long a broker takes for a password says nothing about the link.
pub(super) fn round_trip_figure(
    network: &Network,
    samples: Histogram,
    configured: &Delay,
) -> Figure {
    let delayed = 1.0 - (1.0 - network.loss.expected()).powi(2) + outage_share(network);
    let median = configured.quantile(0.5);
    Figure {
        name: "round trip p50".to_owned(),
        direction: None,
        configured: Value::Seconds(median.as_secs_f64()),
        measured: samples
            .quantile_us(0.5)
            .map(|micros| Value::Seconds(micros as f64 / 1e6)),
        samples: samples.count(),
        test: Test::Rank {
            samples,
            quantile: 0.5,
            configured: median,
            extra: HOST_TIME,
            delayed_share: delayed.min(1.0),
        },
    }
}

fn outage_share(network: &Network) -> f64 {
    network.outages.as_ref().map_or(0.0, |outages| {
        let lasts = outages.lasts.mean().unwrap_or(Duration::MAX).as_secs_f64();
        let every = outages.every.mean().unwrap_or(Duration::MAX).as_secs_f64();
        lasts / (every + lasts)
    })
}

/// A number in the unit of another value.
fn like(unit: &Value, number: f64) -> Value {
    match unit {
        Value::Ratio(_) => Value::Ratio(number),
        Value::BitsPerSecond(_) => Value::BitsPerSecond(number),
        Value::Seconds(_) => Value::Seconds(number),
        Value::Count(_)
        | Value::PerSecond(_)
        | Value::Bytes(_)
        | Value::Cores(_)
        | Value::Flag(_)
        | Value::Text(_) => unit.clone(),
    }
}

const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}
