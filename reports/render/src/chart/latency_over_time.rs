//! Percentiles of latency over time, with the faults that explain them.

use squall_run::{Histogram, Percentile, Run};

use super::Chart;
use super::figure::{Axis, Layer, Line, Stroke, Unit};
use super::over_time::{self, Stretch};
use super::scale::Scale;
use super::theme::Ink;

/// p50, p99 and the maximum of end-to-end latency over time.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let latencies: Vec<(f64, Histogram)> = over_time::stretches(run, over_time::POINTS)
        .iter()
        .map(|stretch: &Stretch<'_>| {
            (
                stretch.middle_s(),
                stretch.merged(|interval| &interval.e2e_latency),
            )
        })
        .collect();
    let extremes = latencies
        .iter()
        .flat_map(|(_, latency)| [latency.quantile_us(0.5), latency.max_us()]);
    let scale = Scale::log_around(extremes.flatten().map(|value| value.max(1) as f64));
    let mut figure = over_time::figure(run, Axis::new("End-to-end latency", scale, Unit::Micros));
    let mut line = |label: &str, ink, stroke, value: &dyn Fn(&Histogram) -> Option<u64>| {
        let points = latencies
            .iter()
            .map(|(at, latency)| (*at, value(latency).map_or(f64::NAN, |us| us.max(1) as f64)))
            .collect();
        figure.layers.push(Layer::Line(Line {
            label: label.to_owned(),
            points,
            ink,
            stroke,
        }));
    };
    line("max", Ink::Series(1), Stroke::Thin, &Histogram::max_us);
    line("p99", Ink::Series(3), Stroke::Solid, &|latency| {
        latency.percentile_us(Percentile::P99)
    });
    line("p50", Ink::Series(0), Stroke::Solid, &|latency| {
        latency.percentile_us(Percentile::P50)
    });
    Chart::of(
        "latency-over-time",
        "Latency over time",
        "Each point covers the messages delivered in one stretch of time. A percentile is left out where a stretch has \
         fewer samples than it needs (100 for p99). Messages that were due in a grey connect or warm-up phase are left out of the tables; nothing new is due in a grey drain, \
         where only the delayed ones still come. Red lines are faults.",
        figure,
    )
}
