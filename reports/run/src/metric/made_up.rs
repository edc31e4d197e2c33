//! Distributions of one sample each, for the tests of this folder.

use super::{CountedFrom, MetricCell, MetricName, Tags};
use crate::Histogram;

/// Tags from pairs of name and value.
pub(super) fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs
        .iter()
        .map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned()))
        .collect()
}

/// A cell of `time_to_will` with these tags and one sample.
pub(super) fn cell(pairs: &[(&str, &str)], value_us: u64) -> MetricCell {
    let mut histogram = Histogram::new();
    histogram.record_us(value_us);
    MetricCell {
        name: MetricName::TimeToWill,
        counted_from: CountedFrom::Scheduled,
        tags: tags(pairs),
        histogram,
    }
}
