//! Percentiles of latency over time, with the faults that explain them: a chart for each group and QoS.

use squall_run::{MetricName, Population, Run};

use super::Chart;
use super::{limits, over_time};

/// p50, p90, p95, p99 and the maximum of the end-to-end latency of one population over time; `id`
/// names its files, and `of` is added to its title.
pub(crate) fn chart(run: &Run, population: &Population, id: &str, of: &str) -> Option<Chart> {
    let limits = limits::on(run, MetricName::E2eLatency, &population.tags);
    let figure = over_time::percentiles(run, "End-to-end latency", &limits, |interval| {
        interval.latency_of(population)
    });
    let caption = format!(
        "{}; each point covers those delivered in one stretch of time. A percentile is left out where a \
         stretch has too few samples for it. The lines end where the drain begins: in the drain only the \
         messages that were delayed most still come. Messages that were due in a grey connect or warm-up phase are in no other \
         figure. Flags are faults.{}",
        over_time::messages_of(population),
        if limits.is_empty() {
            ""
        } else {
            " A limit is for the measured part as a whole: one stretch may be above it."
        }
    );
    Chart::of(id, &format!("Latency over time{of}"), &caption, figure)
}
