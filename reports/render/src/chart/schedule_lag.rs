//! Schedule lag of the generator over time.

use squall_run::{Histogram, Percentile, Run};

use super::Chart;
use super::figure::{Axis, Layer, Line, Stroke, Unit};
use super::over_time;
use super::scale::Scale;
use super::theme::Ink;

/// p50, p99 and maximum of how late the generator was, over time.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let lags: Vec<(f64, Histogram)> = over_time::stretches(run, over_time::POINTS)
        .iter()
        .map(|stretch| {
            (
                stretch.middle_s(),
                stretch.merged(|interval| &interval.schedule_lag),
            )
        })
        .collect();
    let extremes = lags
        .iter()
        .flat_map(|(_, lag)| [lag.quantile_us(0.5), lag.max_us()]);
    let scale = Scale::log_around(extremes.flatten().map(|value| value.max(1) as f64));
    let mut figure = over_time::figure(run, Axis::new("Schedule lag", scale, Unit::Micros));
    let mut line = |label: &str, ink, stroke, value: &dyn Fn(&Histogram) -> Option<u64>| {
        let points = lags
            .iter()
            .map(|(at, lag)| (*at, value(lag).map_or(f64::NAN, |us| us.max(1) as f64)))
            .collect();
        figure.layers.push(Layer::Line(Line {
            label: label.to_owned(),
            points,
            ink,
            stroke,
        }));
    };
    line("max", Ink::Series(1), Stroke::Thin, &Histogram::max_us);
    line("p99", Ink::Series(3), Stroke::Solid, &|lag| {
        lag.percentile_us(Percentile::P99)
    });
    line("p50", Ink::Series(0), Stroke::Solid, &|lag| {
        lag.percentile_us(Percentile::P50)
    });
    Chart::of(
        "schedule-lag",
        "Schedule lag of the generator",
        "How much later than scheduled squall itself acted. It is part of every latency in this report; if it is not small \
         beside them, the machine was too small for the load.",
        figure,
    )
}
