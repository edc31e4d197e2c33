//! Percentile spectrum: the whole distribution of latency, its far end spread out.

use squall_run::{CountedFrom, Histogram, MetricName, Run, Tags, duration_text};

use super::Chart;
use super::figure::{Axis, Dot, Figure, Layer, Line, Stroke};
use super::scale::{Scale, nines_of};
use super::theme::Ink;
use super::unit::Unit;

/// Points of a line between two nines.
const POINTS_A_NINE: f64 = 40.0;

/// Response time and service time of `metric` by percentile.
pub(crate) fn chart(run: &Run, metric: MetricName) -> Option<Chart> {
    let metrics = &run.measured.metrics;
    let response = metrics.all(metric);
    let service = metrics.select_counted_from(metric, CountedFrom::Sent, &Tags::new());
    let longest = response.count().max(service.count());
    let nines = (longest as f64).log10().max(1.0);
    let ends = [&response, &service]
        .into_iter()
        .flat_map(|histogram| [histogram.min_us(), histogram.max_us()])
        .flatten()
        .map(|value| value as f64)
        .chain(room_above(&response));
    let mut figure = Figure::new(
        Axis::new(
            "Percentile, on a scale of 1 / (1 − p)",
            Scale::Nines(nines),
            Unit::Percentile,
        ),
        Axis::new("Latency", Scale::log_around(ends), Unit::Micros),
    );
    if !service.is_empty() {
        figure
            .layers
            .push(line("service time", &service, Ink::Series(5), Stroke::Thin));
    }
    figure.layers.push(line(
        "response time",
        &response,
        Ink::Series(0),
        Stroke::Solid,
    ));
    if let Some(max_us) = response.max_us() {
        let at = (quantile_at(nines_of_count(&response)), max_us.max(1) as f64);
        let text = format!("max {}", duration_text(max_us as f64 / 1e6));
        let dots = vec![Dot { at, text }];
        figure.layers.push(Layer::Dots {
            label: String::new(),
            dots,
            ink: Ink::Series(0),
        });
    }
    Chart::of(
        "latency-spectrum",
        "Latency by percentile",
        "Response time counts from the moment a message was due, service time from the moment it was really sent; \
         where they part, messages waited. Each step to the right is ten times rarer. The lines end \
         where one sample is left: the maximum.",
        figure,
    )
}

/// Room above the maximum for its label, which would lie on the other line below it.
fn room_above(histogram: &Histogram) -> Option<f64> {
    let (least, most) = (
        histogram.min_us()?.max(1) as f64,
        histogram.max_us()? as f64,
    );
    Some(most * (most / least).max(1.0).powf(0.12).max(1.5))
}

fn line(label: &str, histogram: &Histogram, ink: Ink, stroke: Stroke) -> Layer {
    let nines = nines_of_count(histogram);
    let steps = (nines * POINTS_A_NINE).ceil() as u32;
    let places = (0..steps).map(|step| nines * f64::from(step) / f64::from(steps));
    let before_last = places.map(quantile_at).filter_map(|quantile| {
        let value_us = histogram.quantile_us(quantile)?;
        Some((quantile, value_us))
    });
    // Where one sample is left, it is the maximum: the quantile there is still that of the last but one.
    let last = histogram
        .max_us()
        .map(|max_us| (quantile_at(nines), max_us));
    let points = before_last
        .chain(last)
        .map(|(quantile, value_us)| (quantile, value_us.max(1) as f64))
        .collect();
    Layer::Line(Line {
        label: label.to_owned(),
        points,
        ink,
        stroke,
    })
}

/// Where the last sample is: of n samples, one n-th is left.
fn nines_of_count(histogram: &Histogram) -> f64 {
    nines_of(1.0 - 1.0 / histogram.count().max(2) as f64)
}

fn quantile_at(nines: f64) -> f64 {
    1.0 - 10_f64.powf(-nines)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line ends in the maximum, and the dot of the maximum sits on its end.
    #[test]
    fn the_maximum_sits_on_the_end_of_the_line() {
        let mut run = squall_run::sample::passing();
        for cell in &mut run.measured.metrics.cells {
            // One sample far beyond the others.
            cell.histogram.record_us(30_000_000);
        }

        let chart = chart(&run, MetricName::E2eLatency).unwrap();

        let mut ends = Vec::new();
        let mut places = Vec::new();
        for layer in &chart.figure.layers {
            match layer {
                Layer::Line(line) => ends.extend(line.points.last().copied()),
                Layer::Dots { dots, .. } => places.extend(dots.iter().map(|dot| dot.at)),
                Layer::Bars { .. } | Layer::Cells(_) => {}
            }
        }
        assert_eq!(ends.last(), places.first());
        assert_eq!(places[0].1, 30_000_000.0);
    }
}
