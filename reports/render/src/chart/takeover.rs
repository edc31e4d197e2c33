//! How long takeovers took.

use squall_run::{MetricName, Run, Tags, count_text};

use super::Chart;
use super::latency_histogram::{figure, lines_text, with_overflow};
use super::theme::Ink;
use crate::on_links;

/// Histogram of the time from a contender's CONNECT to the close of what it displaced.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let histogram = run.measured.metrics.all(MetricName::TakeoverTime);
    histogram.max_us()?;
    let figure = figure(
        &histogram,
        "From CONNECT to the close of the displaced",
        "Takeovers",
        Ink::Series(3),
    );
    let caption = format!(
        "From when the CONNECT of the contender had left its link to when the close of the displaced connection had come: {} takeovers.{}{}",
        count_text(histogram.count()),
        lines_text(&histogram),
        on_links::sentence(
            &run.measured.metrics,
            MetricName::TakeoverTime,
            &Tags::new()
        )
    );
    Chart::of(
        "takeover-time",
        "Takeover time",
        &with_overflow(&caption, &histogram),
        figure,
    )
}
