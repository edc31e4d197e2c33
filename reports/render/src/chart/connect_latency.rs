//! Percentiles of the time to connect over time.

use squall_run::{MetricName, Run, Tags};

use super::Chart;
use super::{limits, over_time};

/// p50 to p99 and the maximum of the time from asking for a transport to CONNACK, over time.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let limits = limits::on(run, MetricName::ConnectLatency, &Tags::new());
    Chart::of(
        "connect-latency-over-time",
        "Time to connect over time",
        "From when a device asked for a transport to its CONNACK with success, of those that came in one stretch of time. A percentile is \
         left out where a stretch has too few for it.",
        over_time::percentiles(run, "Time to connect", &limits, |interval| {
            Some(&interval.connect_latency)
        }),
    )
}
