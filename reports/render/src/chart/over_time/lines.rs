//! Lines over time: rates, states, percentiles, what processes use.

use squall_run::{Histogram, Interval, Percentile, PhaseKind, ProcessSample, Run};

use super::{POINTS, Stretch, figure, stretches};
use crate::chart::figure::{Axis, Figure, Layer, Line, Look, Names, Stroke};
use crate::chart::limits::{self, Limit};
use crate::chart::scale::Scale;
use crate::chart::theme::Ink;
use crate::chart::unit::Unit;
use crate::clock::Clock;

/// A line, named and drawn in one way.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Its name.
    pub(crate) label: &'static str,
    /// Its points, over seconds since measuring began.
    pub(crate) points: Vec<(f64, f64)>,
    /// How it is drawn.
    pub(crate) look: Look,
}

/// What a chart shows of a process, from sample to sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Process {
    /// Processor cores in use since the sample before.
    Cores,
    /// Resident memory at the sample.
    Memory,
}

/// Counts over time: lines from zero on, named above the plot, since all of them end together when the
/// load does. `None` if they never leave zero.
pub(crate) fn counts(run: &Run, title: &str, unit: Unit, all: Vec<Series>) -> Option<Figure> {
    if highest(&all) <= 0.0 {
        return None;
    }
    let mut figure = from_zero(run, title, unit, all);
    figure.names = Names::Above;
    Some(figure)
}

/// A state over time: lines from zero on, each named at its end. `None` if they never leave zero.
pub(crate) fn level(run: &Run, title: &str, unit: Unit, all: Vec<Series>) -> Option<Figure> {
    (highest(&all) > 0.0).then(|| from_zero(run, title, unit, all))
}

/// Lines from zero to a little above the highest of them, each named at its end.
fn from_zero(run: &Run, title: &str, unit: Unit, all: Vec<Series>) -> Figure {
    let scale = Scale::from_zero(highest(&all));
    let mut figure = figure(run, Axis::new(title, scale, unit));
    figure.layers = all.into_iter().map(Series::into_layer).collect();
    figure
}

fn highest(all: &[Series]) -> f64 {
    all.iter()
        .flat_map(|series| series.points.iter().map(|(_, y)| *y))
        .fold(0.0, f64::max)
}

impl Series {
    fn into_layer(self) -> Layer {
        Layer::Line(Line {
            label: self.label.to_owned(),
            points: self.points,
            look: self.look,
        })
    }
}

/// A rate over time, level within each stretch: what it was before a fault does not lean into it.
pub(crate) fn rate(run: &Run, count: fn(&Interval) -> u64) -> Vec<(f64, f64)> {
    stretches(run, POINTS)
        .iter()
        .flat_map(|stretch| {
            let rate = stretch.rate(count);
            [(stretch.from_s, rate), (stretch.to_s, rate)]
        })
        .collect()
}

/// Devices online over time: level within each stretch, at the number that was counted at its end.
///
/// A stretch begins where a fault strikes, so the line falls there and not before it.
pub(crate) fn online(run: &Run) -> Vec<(f64, f64)> {
    stretches(run, POINTS)
        .iter()
        .flat_map(|stretch| {
            let online = stretch.online() as f64;
            [(stretch.from_s, online), (stretch.to_s, online)]
        })
        .collect()
}

/// Deliveries under way over time, as [`online`]; `None` if a stretch does not know them.
pub(crate) fn under_way(run: &Run) -> Option<Vec<(f64, f64)>> {
    let known = stretches(run, POINTS).into_iter().map(|stretch| {
        let count = stretch.under_way()? as f64;
        Some([(stretch.from_s, count), (stretch.to_s, count)])
    });
    let known: Option<Vec<_>> = known.collect();
    Some(known?.into_iter().flatten().collect())
}

/// A state that is known at some moments: it keeps its value until the next one.
fn steps(known: impl IntoIterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (at, value) in known {
        if let Some((_, before)) = points.last().copied() {
            points.push((at, before));
        }
        points.push((at, value));
    }
    points
}

/// Maximum, p99, p95, p90 and p50 of what `of` measures, over time, up to the drain.
///
/// In the drain only those still come that were delayed most: a line through them would show a
/// collapse that there was not.
pub(crate) fn percentiles(
    run: &Run,
    title: &str,
    limits: &[Limit],
    of: impl Fn(&Interval) -> Option<&Histogram>,
) -> Figure {
    let measured: Vec<(f64, Histogram)> = stretches(run, POINTS)
        .iter()
        .filter(|stretch| is_loaded(stretch))
        .map(|stretch| (stretch.middle_s(), stretch.merged(&of)))
        .collect();
    let extremes = measured
        .iter()
        .flat_map(|(_, histogram)| [histogram.quantile_us(0.5), histogram.max_us()]);
    let values = extremes.flatten().map(|value| value.max(1) as f64);
    let scale = Scale::log_around(values.chain(limits.iter().map(|limit| limit.us)));
    let mut figure = figure(run, Axis::new(title, scale, Unit::Micros));
    figure.names = Names::InOrder;
    figure.marks.extend(limits::levels(limits));
    let mut line = |label, ink, stroke, value: &dyn Fn(&Histogram) -> Option<u64>| {
        let points = measured
            .iter()
            .map(|(at, of)| (*at, value(of).map_or(f64::NAN, |us| us.max(1) as f64)))
            .collect();
        let look = Look { ink, stroke };
        let series = Series {
            label,
            points,
            look,
        };
        figure.layers.push(series.into_layer());
    };
    line("max", Ink::Series(1), Stroke::Dotted, &Histogram::max_us);
    line("p99", Ink::Series(3), Stroke::Solid, &|histogram| {
        histogram.percentile_us(Percentile::P99)
    });
    line("p95", Ink::Series(5), Stroke::Dashed, &|histogram| {
        histogram.percentile_us(Percentile::P95)
    });
    line("p90", Ink::Series(4), Stroke::Thin, &|histogram| {
        histogram.percentile_us(Percentile::P90)
    });
    line("p50", Ink::Series(0), Stroke::Solid, &|histogram| {
        histogram.percentile_us(Percentile::P50)
    });
    figure
}

/// Whether a stretch is before the drain.
pub(crate) fn is_loaded(stretch: &Stretch<'_>) -> bool {
    match stretch.phase {
        Some(PhaseKind::Connect | PhaseKind::Warmup | PhaseKind::Measure) | None => true,
        Some(PhaseKind::Drain) => false,
    }
}

/// Generator and broker over time, in steps.
pub(crate) fn processes(run: &Run, title: &str, what: Process) -> Figure {
    let series = |label, samples: &[ProcessSample], ink, stroke| Series {
        label,
        points: process(run, samples, what),
        look: Look { ink, stroke },
    };
    let all = vec![
        series(
            "generator",
            &run.resources.generator.samples,
            Ink::Series(1),
            Stroke::Dashed,
        ),
        series(
            "broker",
            &run.resources.broker.samples,
            Ink::Series(0),
            Stroke::Solid,
        ),
    ];
    let unit = match what {
        Process::Cores => Unit::Cores,
        Process::Memory => Unit::Bytes,
    };
    from_zero(run, title, unit, all)
}

/// What a process used over time.
pub(crate) fn process(run: &Run, samples: &[ProcessSample], what: Process) -> Vec<(f64, f64)> {
    let clock = Clock::of(run);
    let within = samples
        .iter()
        .filter(|sample| clock.at(sample.at_s) <= clock.end());
    match what {
        // A sample's cores are those since the sample before.
        Process::Cores => within
            .clone()
            .zip(within.skip(1))
            .flat_map(|(before, sample)| {
                let [from, to] = [before, sample].map(|sample| clock.at(sample.at_s));
                [(from, sample.cpu_cores), (to, sample.cpu_cores)]
            })
            .collect(),
        Process::Memory => {
            steps(within.map(|sample| (clock.at(sample.at_s), sample.rss_bytes as f64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// The y of a line at a moment; of two at a step the later one.
    fn at(points: &[(f64, f64)], moment: f64) -> f64 {
        points.iter().rfind(|(x, _)| *x <= moment).unwrap().1
    }

    /// A state never changes before what changed it: a fault at 20.0 s is not seen at 19.9 s, and
    /// the line does not lean into it.
    #[test]
    fn states_are_steps() {
        let run = sample::passing();

        let online = online(&run);

        assert_eq!(at(&online, 19.9), 5_004.0);
        assert_eq!(at(&online, 20.0), 3_500.0);
        assert!(
            online
                .windows(2)
                .all(|pair| pair[0].0 == pair[1].0 || pair[0].1 == pair[1].1)
        );
    }

    /// A rate belongs to the interval in which it was counted, which begins at the fault.
    #[test]
    fn rates_begin_with_their_interval() {
        let run = sample::passing();

        let ended = rate(&run, |interval| interval.ended);

        assert_eq!(at(&ended, 19.9), 0.0);
        assert_eq!(at(&ended, 20.0), 250.0);
    }

    /// Lines of percentiles stop where the drain begins.
    #[test]
    fn percentiles_stop_at_the_drain() {
        let mut run = sample::passing();
        for interval in &mut run.measured.series.intervals[120..] {
            interval.schedule_lag.record_us(50_000_000);
        }

        let figure = percentiles(&run, "", &[], |interval| Some(&interval.schedule_lag));

        for layer in &figure.layers {
            let Layer::Line(line) = layer else {
                panic!("{layer:?}")
            };
            assert!(
                line.points.iter().all(|(x, _)| *x < 100.0),
                "{}",
                line.label
            );
        }
        assert_eq!(figure.y.scale.place(50_000_000.0), 1.0);
    }

    /// Processor use is level from sample to sample, and what comes after the drain is left out.
    #[test]
    fn processor_use_is_that_since_the_sample_before() {
        let mut run = sample::passing();
        let samples = [(19.0, 0.1), (20.0, 0.2), (21.0, 0.7), (140.0, 2.0)];
        run.resources.broker.samples = samples
            .map(|(at_s, cpu_cores)| ProcessSample {
                at_s,
                cpu_cores,
                cpu_total_s: 0.0,
                rss_bytes: 0,
                descriptors: 0,
            })
            .to_vec();

        let points = process(&run, &run.resources.broker.samples, Process::Cores);

        assert_eq!(points, [(-1.0, 0.2), (0.0, 0.2), (0.0, 0.7), (1.0, 0.7)]);
    }
}
