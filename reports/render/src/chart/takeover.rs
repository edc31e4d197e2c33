//! How long takeovers took.

use squall_run::{MetricName, Run};

use super::Chart;
use super::latency_histogram::{figure, with_overflow};
use super::theme::Ink;

/// Histogram of the time from a contender's CONNACK to the close of what it displaced.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let histogram = run.measured.metrics.all(MetricName::TakeoverTime);
    let figure = figure(
        &histogram,
        "From CONNACK to the close of the displaced",
        "Takeovers",
        Ink::Series(3),
    );
    let caption = "The displaced client is to be gone when the contender is accepted; the line is the median.";
    Chart::of(
        "takeover-time",
        "Takeover time",
        &with_overflow(caption, &histogram),
        figure,
    )
}
