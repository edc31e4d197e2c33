//! Histogram of latency.

use squall_run::{Histogram, MetricName, Percentile, Run, duration_text};

use super::Chart;
use super::figure::{Axis, Figure, Layer, Mark, MarkLine, Rectangle};
use super::rows::log_bins;
use super::scale::{Scale, Span};
use super::theme::Ink;
use super::unit::Unit;
use crate::table::{Cell, Column, Table};

/// The lowest bar, as a share of the highest.
const LEAST_HEIGHT: f64 = 0.007;
const BINS: usize = 48;

/// Histogram of `metric`, in bins of equal width on a logarithmic axis.
pub(crate) fn chart(run: &Run, metric: MetricName) -> Option<Chart> {
    let histogram = run.measured.metrics.all(metric);
    let figure = figure(&histogram, "Latency", "Samples", Ink::Series(0));
    Chart::of(
        "latency-histogram",
        "How latencies are spread",
        &with_overflow(
            "Samples by latency, in bins of equal width on the logarithmic axis; no bar is too low to be seen. The lines are the median and p99.",
            &histogram,
        ),
        figure,
    )
}

/// Bars of a distribution, with its median and p99 marked.
pub(super) fn figure(histogram: &Histogram, x: &str, y: &str, ink: Ink) -> Figure {
    let bins = log_bins(histogram, BINS);
    let ends = bins.iter().flat_map(|bin| [bin.low_us, bin.high_us]);
    let highest = bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    // One sample among thousands is to be seen too.
    let height = |count: u64| match count {
        0 => 0.0,
        some => (some as f64).max(highest as f64 * LEAST_HEIGHT),
    };
    let mut figure = Figure::new(
        Axis::new(x, Scale::log_around(ends), Unit::Micros),
        Axis::new(y, Scale::from_zero(highest as f64), Unit::Count),
    );
    let rectangles = bins
        .iter()
        .map(|bin| Rectangle {
            x: Span::new(bin.low_us, bin.high_us),
            y: Span::new(0.0, height(bin.count)),
        })
        .collect();
    figure.layers.push(Layer::Bars {
        label: String::new(),
        rectangles,
        ink,
    });
    let marked = [
        ("p50", histogram.quantile_us(0.5)),
        ("p99", histogram.percentile_us(Percentile::P99)),
    ];
    for (name, value_us) in marked {
        let Some(value_us) = value_us else { continue };
        figure.marks.push(Mark {
            line: MarkLine::Vertical(value_us.max(1) as f64),
            label: format!("{name} {}", duration_text(value_us as f64 / 1e6)),
            ink: Ink::Text,
        });
    }
    figure
}

/// The bins of a distribution as a table.
pub(crate) fn table(id: &str, title: &str, histogram: &Histogram) -> Table {
    let columns = vec![
        Column::quantity("From", "us"),
        Column::quantity("To", "us"),
        Column::count("Samples"),
    ];
    let mut table = Table::new(id, title, columns);
    for bin in log_bins(histogram, BINS) {
        table.row(vec![
            Cell::Micros(bin.low_us),
            Cell::Micros(bin.high_us),
            Cell::Count(bin.count),
        ]);
    }
    table
}

/// `caption`, and how many samples are beyond the range, if any are.
pub(super) fn with_overflow(caption: &str, histogram: &Histogram) -> String {
    match histogram.overflow() {
        0 => caption.to_owned(),
        beyond => format!("{caption} {beyond} further samples were longer than an hour."),
    }
}
