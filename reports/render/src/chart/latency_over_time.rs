//! Percentiles of latency over time, with the faults that explain them.

use squall_run::{Percentile, Run, count_text};

use super::Chart;
use super::over_time;

/// p50, p90, p99 and the maximum of end-to-end latency over time.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let figure =
        over_time::percentiles(run, "End-to-end latency", |interval| &interval.e2e_latency);
    let caption = format!(
        "All groups and QoS together; each point covers the messages delivered in one stretch of time. A percentile is left out where a stretch has \
         fewer samples than it needs ({} for p99). The lines stop where the drain begins: after it only those messages \
         still come that were delayed most. Messages that were due in a grey connect or warm-up phase are in no other figure. \
         Red lines are faults.",
        count_text(Percentile::P99.samples_needed())
    );
    Chart::of("latency-over-time", "Latency over time", &caption, figure)
}
