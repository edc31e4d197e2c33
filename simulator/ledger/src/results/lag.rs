//! What the generator's own lateness says about a run: with too much of it nothing follows.

use std::time::Duration;

use squall_run::{LagShare, MetricName, Metrics, Percentile, Reason, Tags, duration_text};
use squall_scenario::Scenario;

use crate::metrics::Scheduled;

/// The p99 of the schedule lag, of each kind of thing that is scheduled, from which on a run is
/// invalid, if its scenario has no threshold on `schedule_lag`.
const SCHEDULE_LAG_P99_MAX: Duration = Duration::from_millis(100);

/// Why the run says nothing about the broker, as far as the generator's lag tells.
pub(super) fn reasons(scenario: &Scenario, cells: &Metrics) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let says_otherwise = scenario
        .thresholds
        .iter()
        .any(|threshold| threshold.selector.metric == MetricName::ScheduleLag);
    if !says_otherwise {
        reasons.extend(
            Scheduled::ALL
                .into_iter()
                .filter_map(|of| late(cells, of))
                .map(Reason::Invalid),
        );
    }
    reasons.extend(saturated(cells).map(Reason::Invalid));
    reasons
}

/// Says so if things of this kind came too late.
fn late(cells: &Metrics, of: Scheduled) -> Option<String> {
    let tags = Tags::from([("of".to_owned(), of.name().to_owned())]);
    let lag = cells.select(MetricName::ScheduleLag, &tags);
    // The quantile, not the percentile: a generator that was late says so in a short run too.
    let p99 = Duration::from_micros(lag.quantile_us(Percentile::P99.quantile())?);
    (p99 > SCHEDULE_LAG_P99_MAX).then(|| {
        format!(
            "the generator was late: p99 of the schedule lag of {} is {}, the limit is {}",
            of.plural(),
            duration_text(p99.as_secs_f64()),
            duration_text(SCHEDULE_LAG_P99_MAX.as_secs_f64())
        )
    })
}

/// Says so if the generator is a large part of what half of the messages took: it was not late now
/// and then, it could not keep up.
fn saturated(cells: &Metrics) -> Option<String> {
    let none = Tags::new();
    let metric = [MetricName::E2eLatency, MetricName::AckLatency]
        .into_iter()
        .find(|&metric| !cells.all(metric).is_empty())?;
    let share = LagShare::of_quantile(cells, (metric, &none), Percentile::P50.quantile())?;
    share.is_noted().then(|| {
        format!(
            "the generator could not keep up: its own lag is {:.0} % of p50 of {metric}, {} of {}",
            100.0 * share.share(),
            text(share.lag_us()),
            text(share.measured_us)
        )
    })
}

fn text(us: u64) -> String {
    duration_text(Duration::from_micros(us).as_secs_f64())
}
