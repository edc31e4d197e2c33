//! Memory of broker and generator over time.

use squall_run::{ProcessSample, Run};

use super::Chart;
use super::figure::{Axis, Layer, Line, Stroke, Unit};
use super::over_time;
use super::scale::Scale;
use super::theme::Ink;

/// Resident memory, broker and generator.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let points = |samples: &[ProcessSample]| -> Vec<(f64, f64)> {
        samples
            .iter()
            .map(|sample| (sample.at_s, sample.rss_bytes as f64))
            .collect()
    };
    let broker = points(&run.resources.broker);
    let generator = points(&run.resources.generator);
    let highest = broker
        .iter()
        .chain(&generator)
        .map(|(_, y)| *y)
        .fold(0.0, f64::max);
    let axis = Axis::new("Resident memory", Scale::from_zero(highest), Unit::Bytes);
    let mut figure = over_time::figure(run, axis);
    for (label, points, ink) in [
        ("generator", generator, Ink::Series(1)),
        ("broker", broker, Ink::Series(0)),
    ] {
        let label = label.to_owned();
        figure.layers.push(Layer::Line(Line {
            label,
            points,
            ink,
            stroke: Stroke::Solid,
        }));
    }
    Chart::of(
        "broker-memory",
        "Resident memory",
        "Memory that the processes hold in RAM.",
        figure,
    )
}
