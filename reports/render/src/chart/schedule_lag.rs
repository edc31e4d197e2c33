//! Schedule lag of the generator over time.

use squall_run::Run;

use super::Chart;
use super::over_time;

/// p50, p90, p99 and the maximum of how late the generator was, over time.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    Chart::of(
        "schedule-lag",
        "Schedule lag of the generator",
        "How much later than scheduled squall itself acted. It is part of every latency in this report; if it is not small \
         beside them, the machine was too small for the load.",
        over_time::percentiles(run, "Schedule lag", &[], |interval| {
            Some(&interval.schedule_lag)
        }),
    )
}
