//! Processor use of broker and generator over time.

use squall_run::{ProcessSample, Run};

use super::Chart;
use super::figure::{Axis, Layer, Line, Stroke, Unit};
use super::over_time;
use super::scale::Scale;
use super::theme::Ink;

/// Cores in use, broker and generator.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let points = |samples: &[ProcessSample]| -> Vec<(f64, f64)> {
        samples
            .iter()
            .map(|sample| (sample.at_s, sample.cpu_cores))
            .collect()
    };
    let broker = points(&run.resources.broker);
    let generator = points(&run.resources.generator);
    let highest = broker
        .iter()
        .chain(&generator)
        .map(|(_, y)| *y)
        .fold(0.0, f64::max);
    let axis = Axis::new("Cores in use", Scale::from_zero(highest), Unit::Cores);
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
        "broker-cpu",
        "Processor use",
        "Cores in use by the process, user and system; 1 is one core fully busy. The generator is shown beside the broker: it must not be \
         the bottleneck.",
        figure,
    )
}
