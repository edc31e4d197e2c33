//! The legs of QoS 2 handshakes, side by side.

use squall_run::{Histogram, MetricName, Percentile, Run, count_text, duration_text};

use super::Chart;
use super::figure::{Axis, Dot, Figure, Layer, Mark, MarkLine, Rectangle};
use super::scale::{Scale, Span};
use super::theme::Ink;
use super::unit::Unit;

const LEGS: [(MetricName, &str); 4] = [
    (MetricName::Qos2Pubrec, "PUBLISH → PUBREC"),
    (MetricName::Qos2Pubrel, "PUBREC → PUBREL"),
    (MetricName::Qos2Pubcomp, "PUBREL → PUBCOMP"),
    (MetricName::Qos2Handshake, "handshake"),
];

/// A leg that was measured: its name and its times.
type Leg = (&'static str, Histogram);

/// From the median to p99 of each leg, and its maximum.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let metrics = &run.measured.metrics;
    let legs: Vec<Leg> = LEGS
        .iter()
        .map(|(metric, name)| (*name, metrics.all(*metric)))
        .filter(|(_, histogram)| !histogram.is_empty())
        .collect();
    let mut figure = empty_figure(&legs);
    let mut bars = Vec::new();
    let mut dots = Vec::new();
    for (index, (_, histogram)) in legs.iter().enumerate() {
        let row = (legs.len() - 1 - index) as f64;
        let (Some(p50), Some(max)) = (histogram.quantile_us(0.5), histogram.max_us()) else {
            continue;
        };
        let p99 = histogram.percentile_us(Percentile::P99).unwrap_or(max);
        let bar = Span::new(p50.max(1) as f64, p99.max(1) as f64);
        bars.push(Rectangle {
            x: bar,
            y: Span::new(row - 0.26, row + 0.26),
        });
        figure.marks.push(Mark {
            line: MarkLine::VerticalPart {
                at: bar.low,
                rows: Span::new(row - 0.36, row + 0.36),
            },
            label: String::new(),
            ink: Ink::Text,
        });
        dots.push(Dot {
            at: (max.max(1) as f64, row),
            text: duration_text(max as f64 / 1e6),
        });
    }
    figure.layers.push(Layer::Bars {
        label: "p50 to p99".to_owned(),
        rectangles: bars,
        ink: Ink::Series(0),
    });
    figure.layers.push(Layer::Dots {
        label: "maximum".to_owned(),
        dots,
        ink: Ink::Series(1),
    });
    let caption = format!(
        "At the sending device. PUBREC to PUBREL is the device's own delay, by its settings; the other legs are the broker and \
         the link, and the handshake is those two together. The upright line is the median; with fewer than {} samples the \
         bar ends at the maximum.",
        count_text(Percentile::P99.samples_needed())
    );
    Chart::of("qos2-legs", "Legs of the QoS 2 handshake", &caption, figure)
}

/// A row for each leg, and room for all their times.
fn empty_figure(legs: &[Leg]) -> Figure {
    let ends = legs
        .iter()
        .flat_map(|(_, histogram)| [histogram.quantile_us(0.5), histogram.max_us()]);
    let names: Vec<String> = legs
        .iter()
        .rev()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    Figure::new(
        Axis::new(
            "Duration",
            Scale::log_around(ends.flatten().map(|value| value.max(1) as f64)),
            Unit::Micros,
        ),
        Axis::new(
            "",
            Scale::Linear(-0.5, legs.len() as f64 - 0.5),
            Unit::Names(names),
        ),
    )
}
