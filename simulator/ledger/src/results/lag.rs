//! What the generator's own lateness says about a run: with too much of it nothing follows.

use std::time::Duration;

use squall_run::{LagShare, MetricName, Metrics, Percentile, Reason, Tags, duration_text};
use squall_scenario::Scenario;

use crate::metrics::Scheduled;

/// The p99 of the schedule lag, of a kind of thing that is scheduled, from which on a run is
/// invalid, if its scenario has no threshold on `schedule_lag`.
const fn schedule_lag_p99_max(of: Scheduled) -> Duration {
    match of {
        Scheduled::Message | Scheduled::Connect | Scheduled::Reconnect => {
            Duration::from_millis(100)
        }
        // A fault strikes its devices one after the other, and the system takes some 15 us to close
        // one socket: that of 10,000 devices is over after 0.15 s on an idle machine. What a fault
        // causes is counted from each device's own moment.
        Scheduled::Fault => Duration::from_secs(1),
    }
}

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
    let lag = cells.select(MetricName::ScheduleLag, &of_kind(of));
    // The quantile, not the percentile: a generator that was late says so in a short run too.
    let p99 = Duration::from_micros(lag.quantile_us(Percentile::P99.quantile())?);
    let limit = schedule_lag_p99_max(of);
    (p99 > limit).then(|| {
        format!(
            "the generator was late: p99 of the schedule lag of {} is {}, the limit is {}",
            of.plural(),
            duration_text(p99.as_secs_f64()),
            duration_text(limit.as_secs_f64())
        )
    })
}

/// Says so if half of the messages came so late that this is a large part of what half of them took:
/// the generator was not late now and then, it could not keep up, and the load was not the one that
/// was asked for. What it reads late makes no such difference: a share of each figure tells that.
fn saturated(cells: &Metrics) -> Option<String> {
    let metric = [MetricName::E2eLatency, MetricName::AckLatency]
        .into_iter()
        .find(|&metric| !cells.all(metric).is_empty())?;
    let of_messages = of_kind(Scheduled::Message);
    let lag = cells.select(MetricName::ScheduleLag, &of_messages);
    let median = Percentile::P50.quantile();
    let lag_us = lag.quantile_us(median)?;
    let measured_us = cells
        .select(metric, &Tags::new())
        .quantile_us(median)?
        .max(lag_us);
    let share = LagShare {
        measured_us,
        less_lag_us: measured_us - lag_us,
    };
    share.is_noted().then(|| {
        format!(
            "the generator could not keep up: half of the messages were {} late or more, {:.0} % of p50 of {metric}, {}",
            text(lag_us),
            100.0 * share.share(),
            text(measured_us)
        )
    })
}

fn of_kind(of: Scheduled) -> Tags {
    Tags::from([("of".to_owned(), of.name().to_owned())])
}

fn text(us: u64) -> String {
    duration_text(Duration::from_micros(us).as_secs_f64())
}
