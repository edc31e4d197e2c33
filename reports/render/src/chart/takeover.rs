//! How long takeovers took.

use squall_run::{MetricName, Run, count_text};

use super::Chart;
use super::latency_histogram::{figure, with_overflow};
use super::theme::Ink;

/// Histogram of the time from a contender's CONNACK to the close of what it displaced.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let histogram = run.measured.metrics.all(MetricName::TakeoverTime);
    // Nothing but zeros has no shape: the section says so in words.
    histogram.max_us().filter(|max_us| *max_us > 0)?;
    let figure = figure(
        &histogram,
        "From CONNACK to the close of the displaced",
        "Takeovers",
        Ink::Series(3),
    );
    let caption = format!(
        "The displaced client is to be gone when the contender is accepted: {} of {} were gone then, and are drawn at 1 µs. \
         The lines are the median and p99.",
        count_text(histogram.count_at_or_below(0)),
        count_text(histogram.count())
    );
    Chart::of(
        "takeover-time",
        "Takeover time",
        &with_overflow(&caption, &histogram),
        figure,
    )
}
