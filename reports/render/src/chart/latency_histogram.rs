//! Histogram of latency.

use std::cmp::Reverse;

use squall_run::{CountedFrom, Histogram, MetricName, Percentile, Run, count_text, duration_text};

use super::Chart;
use super::figure::{Axis, Figure, Layer, Mark, MarkLine, Rectangle};
use super::rows::{self, Row, log_bins};
use super::scale::{Scale, Span};
use super::theme::Ink;
use super::unit::Unit;
use crate::table::{Cell, Column, Table};

/// The lowest bar, as a share of the highest.
const LEAST_HEIGHT: f64 = 0.007;
const BINS: usize = 48;

/// Which lines a histogram has: none for a percentile without samples enough.
pub(crate) fn lines_text(histogram: &Histogram) -> String {
    let has = |percentile| histogram.percentile_us(percentile).is_some();
    match (has(Percentile::P50), has(Percentile::P99)) {
        (true, true) => " The lines are the median and p99.".to_owned(),
        (true, false) => format!(
            " The line is the median; p99 takes {} samples.",
            count_text(Percentile::P99.samples_needed())
        ),
        (false, _) => String::new(),
    }
}

/// Populations that are shown one above the other, at most.
const ROWS: usize = 8;

/// Histogram of `metric`, in bins of equal width on a logarithmic axis; of several groups or QoS, one
/// above the other.
pub(crate) fn chart(run: &Run, metric: MetricName) -> Option<Chart> {
    let metrics = &run.measured.metrics;
    let mut populations = metrics.populations(metric, CountedFrom::Scheduled);
    let all = Histogram::merged(populations.iter().map(|one| &one.histogram));
    let (figure, caption) = if let [alone] = populations.as_slice() {
        (
            figure(&alone.histogram, "Latency", "Samples", Ink::Series(0)),
            format!(
                "Samples by latency, in bins of equal width on the logarithmic axis; no bar is too low to be seen.{}",
                lines_text(&alone.histogram)
            ),
        )
    } else {
        populations.sort_by_key(|population| Reverse(population.histogram.max_us()));
        populations.truncate(ROWS);
        let rows: Vec<Row> = populations
            .into_iter()
            .map(|population| Row {
                name: population.to_string(),
                histogram: population.histogram,
            })
            .collect();
        (
            rows::figure(&rows, "Latency", []),
            "Samples by latency, one row for each group and QoS, the slowest first, each of its own height.".to_owned(),
        )
    };
    Chart::of(
        "latency-histogram",
        "How latencies are spread",
        &with_overflow(&caption, &all),
        figure,
    )
}

/// Bars of a distribution, with its median and p99 marked.
pub(super) fn figure(histogram: &Histogram, x: &str, y: &str, ink: Ink) -> Figure {
    if rows::are_few(histogram) {
        let row = Row {
            name: y.to_owned(),
            histogram: histogram.clone(),
        };
        return rows::figure(&[row], x, []);
    }
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

/// The bins of a metric as a table, by group and QoS.
pub(crate) fn table_of_populations(run: &Run, metric: MetricName) -> Table {
    let columns = vec![
        Column::words("Of"),
        Column::quantity("From", "us"),
        Column::quantity("To", "us"),
        Column::count("Samples"),
    ];
    let mut table = Table::new("latency-bins", "Samples by latency", columns);
    let metrics = &run.measured.metrics;
    for population in metrics.populations(metric, CountedFrom::Scheduled) {
        for bin in log_bins(&population.histogram, BINS) {
            table.row(vec![
                Cell::text(population.to_string()),
                Cell::Micros(bin.low_us),
                Cell::Micros(bin.high_us),
                Cell::Count(bin.count),
            ]);
        }
    }
    table
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
