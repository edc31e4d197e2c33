//! Distributions cut into bins, and several of them one above the other.

use squall_run::Histogram;

use super::figure::{Axis, Dot, Figure, Layer, Rectangle};
use super::scale::{Scale, Span};
use super::theme::Ink;
use super::unit::Unit;

/// Fewer samples than this are points: bars would show a spread that so few do not have.
const BARS_FROM: u64 = 30;

/// Samples between two latencies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bin {
    /// From here, microseconds.
    pub(super) low_us: f64,
    /// To here, microseconds.
    pub(super) high_us: f64,
    /// How many.
    pub(super) count: u64,
}

/// Cuts a distribution into at most `most` bins, equally wide on a logarithmic axis from the least
/// to the greatest sample. Zero counts as one microsecond; the overflow is left out.
pub(super) fn log_bins(histogram: &Histogram, most: usize) -> Vec<Bin> {
    let low = histogram
        .buckets()
        .next()
        .map(|bucket| bucket.low_us.max(1) as f64);
    let high = histogram
        .buckets()
        .last()
        .map(|bucket| (bucket.high_us.max(1) + 1) as f64);
    let (Some(low), Some(high)) = (low, high) else {
        return Vec::new();
    };
    between(histogram, Span::new(low, high), most)
}

/// As [`log_bins`], between two given ends.
pub(super) fn between(histogram: &Histogram, span: Span, most: usize) -> Vec<Bin> {
    let Span { low, high } = span;
    // No bin is narrower than the resolution of three digits, or gaps would show between bars.
    let finest = ((high / low).ln() / 0.04).ceil().max(1.0) as usize;
    let count = most.min(finest).max(1);
    let edge = |index: usize| low * (high / low).powf(index as f64 / count as f64);
    let mut bins: Vec<Bin> = (0..count)
        .map(|index| Bin {
            low_us: edge(index),
            high_us: edge(index + 1),
            count: 0,
        })
        .collect();
    for bucket in histogram.buckets() {
        let middle = (bucket.low_us.max(1) + bucket.high_us.max(1)) as f64 / 2.0;
        let place = (middle / low).ln() / (high / low).ln() * count as f64;
        bins[(place.max(0.0) as usize).min(count - 1)].count += bucket.count;
    }
    bins
}

/// One distribution of several.
pub(super) struct Row {
    /// Its name.
    pub(super) name: String,
    /// Its samples.
    pub(super) histogram: Histogram,
}

/// Distributions one above the other on one logarithmic axis, each as high as its row.
///
/// The axis reaches `further` values as well, in microseconds.
pub(super) fn figure(rows: &[Row], x: &str, further: impl IntoIterator<Item = f64>) -> Figure {
    let ends = rows
        .iter()
        .flat_map(|row| [row.histogram.quantile_us(0.0), row.histogram.max_us()])
        .flatten()
        .map(|value| value.max(1) as f64)
        .chain(further);
    let scale = Scale::log_around(ends);
    let names: Vec<String> = rows.iter().rev().map(|row| row.name.clone()).collect();
    let y = Scale::Linear(-0.5, rows.len() as f64 - 0.5);
    let mut figure = Figure::new(
        Axis::new(x, scale, Unit::Micros),
        Axis::new("", y, Unit::Names(names)),
    );
    let Scale::Log(low, high) = scale else {
        return figure;
    };
    for (index, row) in rows.iter().enumerate() {
        if are_few(&row.histogram) {
            let middle = (rows.len() - 1 - index) as f64;
            figure.layers.push(strip(row, middle, Ink::Series(index)));
            continue;
        }
        let base = (rows.len() - 1 - index) as f64 - 0.42;
        let bins = between(&row.histogram, Span::new(low, high), 150);
        let highest = bins.iter().map(|bin| bin.count).max().unwrap_or(0).max(1) as f64;
        let rectangles = bins
            .iter()
            .filter(|bin| bin.count > 0)
            .map(|bin| Rectangle {
                x: Span::new(bin.low_us, bin.high_us),
                y: Span::new(base, base + 0.84 * (bin.count as f64 / highest).max(0.04)),
            })
            .collect();
        figure.layers.push(Layer::Bars {
            label: String::new(),
            rectangles,
            ink: Ink::Series(index),
        });
    }
    figure
}

/// A point for each bucket of a distribution, in a row.
fn strip(row: &Row, middle: f64, ink: Ink) -> Layer {
    let dots = row.histogram.buckets().map(|bucket| Dot {
        at: (bucket.high_us.max(1) as f64, middle),
        text: String::new(),
    });
    Layer::Dots {
        label: String::new(),
        dots: dots.collect(),
        ink,
    }
}

/// Whether a distribution has so few samples that it is drawn as points.
pub(super) fn are_few(histogram: &Histogram) -> bool {
    histogram.count() < BARS_FROM
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten samples are points at their values, and thirty are bars.
    #[test]
    fn few_samples_are_points() {
        let layer_of = |samples: u64| {
            let mut histogram = Histogram::new();
            for sample in 1..=samples {
                histogram.record_us(sample * 100);
            }
            let name = "rst".to_owned();
            figure(&[Row { name, histogram }], "x", []).layers.remove(0)
        };

        let Layer::Dots { dots, .. } = layer_of(10) else {
            panic!("they are bars");
        };
        assert_eq!(dots.len(), 10);
        assert_eq!(dots[0].at, (100.0, 0.0));
        assert!(matches!(layer_of(30), Layer::Bars { .. }));
    }

    /// Bins keep every sample within the range.
    #[test]
    fn bins_keep_all_samples() {
        let mut histogram = Histogram::new();
        for value_us in [0, 1, 5, 90, 1_000, 1_000_000] {
            histogram.record_us(value_us);
        }

        let bins = log_bins(&histogram, 10);

        assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), 6);
        assert!(
            bins.windows(2)
                .all(|pair| (pair[0].high_us - pair[1].low_us).abs() < 1e-6 * pair[1].low_us)
        );
    }

    /// One value is one bin, and none is none.
    #[test]
    fn few_samples_make_few_bins() {
        let mut one = Histogram::new();
        one.record_us(5_000);

        assert_eq!(log_bins(&one, 10).len(), 1);
        assert!(log_bins(&Histogram::new(), 10).is_empty());
    }
}
