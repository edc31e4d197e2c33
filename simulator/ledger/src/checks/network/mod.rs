//! `network`: the simulator proves its own links, measured against configured.
//!
//! What is configured is computed from the distributions' formulas, never by the sampler that the
//! links draw with. Two kinds of evidence are compared with it. What the links say of themselves:
//! latency of each segment, losses, bandwidth, outages. And what devices see: the round trip of CONNECT and CONNACK, which anything
//! that delays packets beside the link lengthens.

mod test;

use std::time::Duration;

use squall_fleet::{DirectionReport, LinkReport};
use squall_protocol::Instant;
use squall_run::{
    AnomalyKind, Direction, Histogram, NetworkFigure, NetworkOutcome, Percentile, Quantile, Value,
};
use squall_scenario::{GroupId, Loss, Network, NetworkClaim, NetworkId};

use self::test::{STANDARD_ERRORS, Test};
use super::Evidence;
use super::claim::{Claims, Judged};
use super::delay::Delay;
use crate::books::{Anomaly, Scope};

/// Time that CONNECT may take beside the link: both pipes of the host and the broker's work.
const HOST_TIME: Duration = Duration::from_millis(20);
/// Quantiles of the configured delay that a report draws, in thousandths, beside every fiftieth.
const TAILS: [u32; 4] = [1, 10, 990, 999];

/// What the links of one network did, beside what they should have done.
#[derive(Debug)]
pub(crate) struct Comparison {
    network: NetworkId,
    figures: Vec<Figure>,
    /// Up and down, as the run file has them.
    pub(crate) outcomes: Vec<NetworkOutcome>,
}

#[derive(Debug)]
struct Figure {
    name: String,
    configured: Value,
    measured: Option<Value>,
    samples: u64,
    test: Test,
}

/// Compares every network that devices used.
pub(crate) fn compare_links(evidence: &Evidence<'_>) -> Vec<Comparison> {
    evidence
        .links
        .iter()
        .map(|report| compare(report, evidence))
        .collect()
}

/// Judges one claim.
pub(super) fn judge(
    number: usize,
    claim: &NetworkClaim,
    comparisons: &[Comparison],
    evidence: &mut Evidence<'_>,
) -> Claims {
    let mut claims = Claims::new();
    let network = evidence.scenario.network(claim.profile);
    claims.select("profile", &network.name);
    claims.select("tolerance", Value::Ratio(claim.tolerance).to_string());
    claims.narrow(Scope {
        expectation: Some(number),
        ..Scope::default()
    });
    let comparison = comparisons
        .iter()
        .find(|comparison| comparison.network == claim.profile);
    let Some(comparison) = comparison else {
        claims.add(nothing_measured(), &[]);
        return claims;
    };
    // A short run has no p99: the file claims the profile, and the median stands for it. Without
    // a median nothing is judged.
    let has_samples = |figure: &&Figure| figure.is_judged() || !figure.is_of_the_tail();
    for figure in comparison.figures.iter().filter(has_samples) {
        let holds = figure.test.holds(claim.tolerance);
        if !holds && figure.measured.is_some() && figure.is_judged() {
            note_off(number, figure, evidence);
        }
        let judged = Judged {
            key: figure.name.clone(),
            limit: figure.allowed(claim.tolerance),
            actual: figure.measured.clone().filter(|_| figure.is_judged()),
            violations: u64::from(!holds && figure.is_judged()),
            holds,
        };
        claims.add(judged, &[AnomalyKind::NetworkOffProfile]);
    }
    claims
}

fn compare(report: &LinkReport, evidence: &Evidence<'_>) -> Comparison {
    let network = evidence.scenario.network(report.network);
    let groups: Vec<GroupId> = (0..)
        .map(GroupId)
        .zip(&evidence.scenario.groups)
        .filter(|(_, group)| group.network == Some(report.network))
        .map(|(id, _)| id)
        .collect();
    let devices = groups
        .iter()
        .map(|&id| u64::from(evidence.scenario.group(id).count))
        .sum();
    let one_way = Delay::one_way(network);
    let round_trip = one_way.twice();
    let mut figures = Vec::new();
    for (direction, way) in [(Direction::Up, &report.up), (Direction::Down, &report.down)] {
        figures.extend(direction_figures(network, direction, way, &one_way));
    }
    figures.extend(outage_figure(network, report));
    let round_trips: Vec<&Histogram> = groups
        .iter()
        .map(|&group| evidence.metrics.round_trips(group))
        .collect();
    let samples = Histogram::merged(round_trips);
    figures.push(round_trip_figure(network, samples, &round_trip));
    let outcomes =
        [(Direction::Up, &report.up), (Direction::Down, &report.down)].map(|(direction, way)| {
            direction_outcome(network, (direction, way), devices, (&figures, &one_way))
        });
    Comparison {
        network: report.network,
        figures,
        outcomes: outcomes.into(),
    }
}

/// Latency, losses and bandwidth of one direction.
fn direction_figures(
    network: &Network,
    direction: Direction,
    way: &DirectionReport,
    one_way: &Delay,
) -> Vec<Figure> {
    let suffix = direction_name(direction);
    let samples = micros(&way.latency);
    let mut figures: Vec<Figure> = [0.5, 0.99]
        .into_iter()
        .map(|quantile| {
            let configured = one_way.quantile(quantile);
            let measured = samples.quantile_us(quantile);
            Figure {
                name: format!("latency p{} {suffix}", quantile * 100.0),
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
    figures.extend(loss_figure(network, way, suffix));
    let bits_per_second = match direction {
        Direction::Up => network.bandwidth.up_bits_per_second,
        Direction::Down => network.bandwidth.down_bits_per_second,
    };
    figures.extend(bits_per_second.map(|configured| bandwidth_figure(configured, way, suffix)));
    figures
}

fn loss_figure(network: &Network, way: &DirectionReport, suffix: &str) -> Option<Figure> {
    let configured = network.loss.expected();
    if configured == 0.0 {
        return None;
    }
    let segments = way.segments as f64;
    // Losses come in bursts: neighbours are no independent samples.
    let memory = match network.loss {
        Loss::Independent(_) => 0.0,
        Loss::GilbertElliott {
            good_to_bad,
            bad_to_good,
        } => (1.0 - good_to_bad - bad_to_good).max(0.0),
    };
    let variance = configured * (1.0 - configured) * (1.0 + memory) / (1.0 - memory);
    let measured = way.lost as f64 / segments;
    Some(Figure {
        name: format!("loss {suffix}"),
        configured: Value::Ratio(configured),
        measured: (way.segments > 0).then_some(Value::Ratio(measured)),
        samples: way.segments,
        test: Test::Number {
            configured,
            measured,
            error: (variance / segments).sqrt(),
        },
    })
}

fn bandwidth_figure(configured: u64, way: &DirectionReport, suffix: &str) -> Figure {
    let seconds = way.serialisation.as_secs_f64();
    let measured = way.bytes as f64 * 8.0 / seconds;
    Figure {
        name: format!("bandwidth {suffix}"),
        configured: Value::BitsPerSecond(configured as f64),
        measured: (seconds > 0.0).then_some(Value::BitsPerSecond(measured)),
        samples: way.segments,
        test: Test::Number {
            configured: configured as f64,
            measured,
            error: 0.0,
        },
    }
}

fn outage_figure(network: &Network, report: &LinkReport) -> Option<Figure> {
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

fn round_trip_figure(network: &Network, samples: Histogram, configured: &Delay) -> Figure {
    let delayed = 1.0 - (1.0 - network.loss.expected()).powi(2) + outage_share(network);
    let median = configured.quantile(0.5);
    Figure {
        name: "round trip p50".to_owned(),
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

impl Figure {
    /// Whether there are samples enough: as many as a percentile takes to be printed.
    fn is_judged(&self) -> bool {
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

    fn is_of_the_tail(&self) -> bool {
        matches!(self.test, Test::Rank { quantile, .. } if quantile > 0.5)
    }

    /// What the measured figure may be: for a number the range, with what of it is tolerance and
    /// what is chance; a quantile is compared by rank, so its chance is a share of the samples.
    fn allowed(&self, tolerance: f64) -> Value {
        let asked = &self.configured;
        let within = Value::Ratio(tolerance);
        let text = match &self.test {
            Test::Number {
                configured, error, ..
            } if error.is_finite() => {
                let chance = STANDARD_ERRORS * error;
                let allowed = configured * tolerance + chance;
                let like = |number: f64| like(asked, number.max(0.0));
                format!(
                    "{} to {} ({asked}, tolerance {within}, chance {})",
                    like(configured - allowed),
                    like(configured + allowed),
                    like(chance)
                )
            }
            Test::Number { .. } => format!("{asked}, tolerance {within}"),
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
                format!(
                    "{} to {} for {} of the samples ({asked}, tolerance {within}, chance {} of the samples)",
                    Value::Seconds(seconds * (1.0 - tolerance)),
                    Value::Seconds(seconds * (1.0 + tolerance) + extra.as_secs_f64()),
                    Value::Ratio(*quantile),
                    Value::Ratio((error + delayed_share).min(1.0)),
                )
            }
        };
        Value::Text(text)
    }
}

fn direction_outcome(
    network: &Network,
    (direction, way): (Direction, &DirectionReport),
    devices: u64,
    (figures, one_way): (&[Figure], &Delay),
) -> NetworkOutcome {
    let other = match direction {
        Direction::Up => direction_name(Direction::Down),
        Direction::Down => direction_name(Direction::Up),
    };
    NetworkOutcome {
        profile: network.name.clone(),
        direction,
        devices,
        figures: figures
            .iter()
            .filter(|figure| !figure.name.ends_with(other))
            .map(|figure| NetworkFigure {
                name: figure.name.clone(),
                configured: figure.configured.clone(),
                measured: figure.measured.clone(),
                samples: figure.samples,
                samples_needed: figure.samples_needed(),
            })
            .collect(),
        configured_delay: configured_delay(one_way),
        measured_delay: micros(&way.latency),
        total_delay: micros(&way.transit),
    }
}

fn configured_delay(one_way: &Delay) -> Vec<Quantile> {
    let mut thousandths: Vec<u32> = (20..1000).step_by(20).chain(TAILS).collect();
    thousandths.sort_unstable();
    thousandths
        .into_iter()
        .map(|thousandth| {
            let quantile = f64::from(thousandth) / 1000.0;
            Quantile {
                quantile,
                value_us: one_way.quantile(quantile).as_secs_f64() * 1e6,
            }
        })
        .collect()
}

const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

/// A histogram of nanoseconds as the run file has it.
fn micros(nanos: &hdrhistogram::Histogram<u64>) -> Histogram {
    let mut micros = Histogram::new();
    for value in nanos.iter_recorded() {
        let rounded = value.value_iterated_to().saturating_add(500) / 1000;
        micros.record_us_times(rounded, value.count_at_value());
    }
    micros
}

fn nothing_measured() -> Judged {
    Judged {
        key: "profile".to_owned(),
        limit: Value::Flag(true),
        actual: None,
        violations: 0,
        holds: false,
    }
}

fn note_off(number: usize, figure: &Figure, evidence: &mut Evidence<'_>) {
    let at: Instant = evidence.ledger.closed_at().unwrap_or_default();
    let Some(measured) = &figure.measured else {
        return;
    };
    let explanation = format!(
        "{}: configured {}, measured {measured} ({} samples)",
        figure.name, figure.configured, figure.samples
    );
    evidence
        .ledger
        .noticed_by_checks
        .note(AnomalyKind::NetworkOffProfile, || Anomaly {
            kind: AnomalyKind::NetworkOffProfile,
            at,
            device: None,
            topic: None,
            sequence: None,
            explanation,
            scope: Scope {
                expectation: Some(number),
                ..Scope::default()
            },
        });
}
