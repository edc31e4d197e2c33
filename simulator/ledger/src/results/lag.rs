//! What the generator's own lateness says about a run: with too much of it nothing follows.

use std::collections::BTreeSet;
use std::time::Duration;

use squall_fleet::Phase;
use squall_run::{
    Aggregate, Comparison, Histogram, LAG_SHARE_NOTED, LagShare, MetricKind, MetricName, Metrics,
    Percentile, Reason, Resources, Tags, duration_text,
};
use squall_scenario::{Condition, Expectation, GroupId, Scenario};

use crate::metrics::{self, Scheduled};

/// What helps, after a sentence that says what was wrong.
const REMEDY: &str = "; give squall a machine with less other work, or ask for less load; \
     a threshold on schedule_lag sets another limit";

/// The p99 of the schedule lag, of a kind of thing that is scheduled, from which on a run is
/// invalid, where its scenario has no limit of its own: a threshold on `schedule_lag`.
const fn schedule_lag_p99_max(of: Scheduled) -> Duration {
    match of {
        Scheduled::Message
        | Scheduled::Connect
        | Scheduled::Reconnect
        | Scheduled::Subscription => Duration::from_millis(100),
        // A busy machine may be 0.2 s late with one wake-up, and one that comes at the end of a phase
        // changes little: what is measured is told by the moment that the file names.
        Scheduled::Phase => Duration::from_millis(500),
        // A fault strikes its devices one after the other, and the system takes some 15 us to close
        // one socket: that of 10,000 devices is over after 0.15 s on an idle machine. What a fault
        // causes is counted from each device's own moment.
        Scheduled::Fault => Duration::from_secs(1),
    }
}

/// Why the run says nothing about the broker, as far as the generator's lag tells.
pub(super) fn reasons(
    scenario: &Scenario,
    metrics: &metrics::Metrics,
    cells: &Metrics,
    resources: &Resources,
) -> Vec<Reason> {
    let own = own_limits(scenario);
    let groups = (0..).map(GroupId).zip(&scenario.groups);
    let groups: Vec<&str> = groups
        .filter(|&(id, _)| !own.contains(&Some(id)))
        .map(|(_, group)| group.name.as_str())
        .collect();
    let mut texts = Vec::new();
    if !own.contains(&None) {
        texts.extend(late_phases(scenario, metrics));
        let late = Scheduled::ALL
            .into_iter()
            .filter_map(|of| late(cells, of, &groups));
        texts.extend(late);
    }
    if claims_about_time(scenario) {
        texts.extend(saturated(cells));
    }
    let texts = texts.into_iter();
    let reasons = texts.map(|text| Reason::Invalid(text + REMEDY));
    reasons.chain(slow_workers(resources)).collect()
}

/// Why nothing follows where what went to the workers or came from them was long on its way: a message is written so much
/// later than it says, and an end of a connection noted so much later than it came.
fn slow_workers(resources: &Resources) -> Option<Reason> {
    let workers = resources.workers.as_ref()?;
    let limit = schedule_lag_p99_max(Scheduled::Message);
    let ways = [("to", &workers.handed_over), ("from", &workers.reported)];
    ways.into_iter().find_map(|(way, took)| {
        let p99 = Duration::from_micros(took.quantile_us(Percentile::P99.quantile())?);
        (p99 > limit).then(|| {
            Reason::Invalid(format!(
                "the generator was late: p99 of the way {way} its workers is {}, the limit is {}; give squall as many cores as it \
                 has workers and one more, or fewer workers",
                duration_text(p99.as_secs_f64()),
                duration_text(limit.as_secs_f64())
            ))
        })
    })
}

/// The groups whose lag the scenario limits itself; `None` is all of them, and the phases. A limit that
/// half of the run may exceed is not one on being late: it limits a high percentile or the maximum.
fn own_limits(scenario: &Scenario) -> BTreeSet<Option<GroupId>> {
    let is_limit = |condition: &Condition| {
        let is_high = match condition.aggregate {
            Aggregate::Percentile(percentile) => percentile >= Percentile::P99,
            Aggregate::Max => true,
            Aggregate::Min
            | Aggregate::Avg
            | Aggregate::Count
            | Aggregate::Rate
            | Aggregate::Value => false,
        };
        is_high
            && matches!(
                condition.comparison,
                Comparison::Less | Comparison::LessOrEqual
            )
    };
    let thresholds = scenario.thresholds.iter();
    thresholds
        .filter(|threshold| threshold.selector.metric == MetricName::ScheduleLag)
        .filter(|threshold| threshold.conditions.iter().any(is_limit))
        .map(|threshold| threshold.selector.tags.group)
        .collect()
}

/// Whether a claim or a threshold of the scenario is about how long something takes, or how often in a
/// time it happens. One that claims nothing of the kind loses nothing by a generator that is a little
/// late with everything: what was lost, doubled or refused is the same.
fn claims_about_time(scenario: &Scenario) -> bool {
    let by_threshold = scenario.thresholds.iter().any(|threshold| {
        let metric = threshold.selector.metric;
        match metric.kind() {
            MetricKind::Durations => metric != MetricName::ScheduleLag,
            MetricKind::Rate => true,
            MetricKind::Count | MetricKind::Cores | MetricKind::Bytes => false,
        }
    });
    by_threshold
        || scenario
            .expectations
            .iter()
            .any(|expectation| match expectation {
                Expectation::Will(claim) => !claim.within.is_empty(),
                Expectation::Takeover(claim) => claim.displaced_closed_within.is_some(),
                Expectation::Response(claim) => claim.within.is_some(),
                Expectation::Malformed(claim) => claim.closed_within.is_some(),
                Expectation::Network(_) | Expectation::KeepAlive(_) | Expectation::Expiry(_) => {
                    true
                }
                Expectation::Delivery(_)
                | Expectation::Retained(_)
                | Expectation::Qos2Handshake(_)
                | Expectation::Session(_)
                | Expectation::Shared(_)
                | Expectation::Quota(_)
                | Expectation::Connections(_) => false,
            })
}

/// Whether a claim of the scenario is about what has not come when the drain is over: a longer drain lets
/// more of it come. Of what has come a longer drain changes nothing.
fn rests_on_the_drain(scenario: &Scenario) -> bool {
    let mut expectations = scenario.expectations.iter();
    expectations.any(|expectation| match expectation {
        Expectation::Delivery(claim) => claim.lost.is_some(),
        Expectation::Qos2Handshake(claim) => claim.incomplete.is_some(),
        Expectation::Response(claim) => claim.answered,
        Expectation::Session(claim) => claim.backlog_complete,
        Expectation::Will(_) | Expectation::Retained(_) | Expectation::Shared(_) => true,
        Expectation::Takeover(_)
        | Expectation::Network(_)
        | Expectation::KeepAlive(_)
        | Expectation::Expiry(_)
        | Expectation::Quota(_)
        | Expectation::Connections(_)
        | Expectation::Malformed(_) => false,
    })
}

/// Says so if things of this kind came too late in some groups together.
fn late(cells: &Metrics, of: Scheduled, groups: &[&str]) -> Option<String> {
    let of_groups = groups.iter().map(|&group| {
        let mut tags = of_kind(of);
        tags.insert("group".to_owned(), group.to_owned());
        cells.select(MetricName::ScheduleLag, &tags)
    });
    let of_groups: Vec<Histogram> = of_groups.collect();
    let lag = Histogram::merged(&of_groups);
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

/// Says so for each phase that began too late: there are too few for a percentile, and each of them
/// changes what the run is.
fn late_phases(scenario: &Scenario, metrics: &metrics::Metrics) -> impl Iterator<Item = String> {
    let limit = schedule_lag_p99_max(Scheduled::Phase);
    let matters = |phase: Phase| phase != Phase::Checking || rests_on_the_drain(scenario);
    let late = metrics
        .phase_lags()
        .iter()
        .filter(move |&&(phase, lag)| lag > limit && matters(phase));
    late.map(move |&(phase, lag)| late_phase(phase, lag, limit))
}

fn late_phase(phase: Phase, lag: Duration, limit: Duration) -> String {
    let what = match phase {
        Phase::Draining => "the load ended",
        Phase::Checking => "the drain ended",
        Phase::Clearing
        | Phase::Connecting
        | Phase::WarmingUp
        | Phase::Measuring
        | Phase::Leaving
        | Phase::EndingSessions
        | Phase::Finished => "measuring began",
    };
    format!(
        "the generator was late: {what} {} after its moment, the limit is {}",
        duration_text(lag.as_secs_f64()),
        duration_text(limit.as_secs_f64())
    )
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
            "the generator could not keep up: half of the messages were {} late or more, {:.0} % of p50 of {metric}, {}; \
             the limit is {:.0} %",
            text(lag_us),
            100.0 * share.share(),
            text(measured_us),
            100.0 * LAG_SHARE_NOTED
        )
    })
}

fn of_kind(of: Scheduled) -> Tags {
    Tags::from([("of".to_owned(), of.name().to_owned())])
}

fn text(us: u64) -> String {
    duration_text(Duration::from_micros(us).as_secs_f64())
}
